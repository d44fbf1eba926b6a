"""A plan: commands in plain English, each with the coordinate it is about."""
from __future__ import annotations

import json
from typing import Any, Dict, List, Optional, Union

from pydantic import BeforeValidator, Field, ValidationError
from typing_extensions import Annotated

from ppp.errors import PPPError
from ppp.planning.conditions import Point
from ppp.planning.reading import Strict, mistakes, number, show, words

#: steps a plan may have
MAX_STEPS = 64
#: a plan's text is larger than this only by mistake
MAX_CHARACTERS = 64 * 1024

Seconds = number(0.1, 120.0, "s")


class _Timed(Strict):
    until: Seconds


def _until(value: Any) -> Any:
    if value is None or value in ("reached", "done"):
        return value
    if isinstance(value, str):
        raise ValueError(f"must be reached, done or a number of seconds, not {show(value)}")
    return _Timed(until=value).until


class PlanStep(Strict):
    """One command and its target, m, world frame.

    until: ``reached`` ends a walk close to the target only; ``done`` when the motion is over; a
    number after so many seconds. Without it a walk also ends when it passes the target closely,
    and anything else when it is done.
    """

    command: words(200)
    target: Point
    until: Annotated[Optional[Union[float, str]], BeforeValidator(_until)] = None

    def as_dict(self) -> Dict[str, Any]:
        """Plain data; ``until`` only where it is set."""
        data: Dict[str, Any] = {"command": self.command, "target": list(self.target)}
        if self.until is not None:
            data["until"] = self.until
        return data


class Plan(Strict):
    """Steps in the order in which they are performed."""

    steps: Annotated[List[PlanStep], Field(min_length=1, max_length=MAX_STEPS)]

    def as_dict(self) -> Dict[str, Any]:
        """Plain data, as in the plan's JSON."""
        return {"steps": [step.as_dict() for step in self.steps]}


def parse_plan(text: str) -> Plan:
    """A plan from a reply: JSON, bare, in a Markdown fence, or after what a model thought aloud.

    PPPError says what is wrong with the reply, field by field.
    """
    if len(text) > MAX_CHARACTERS:
        raise PPPError(f"the reply has {len(text)} characters: a plan is shorter than a page")
    try:
        data = json.loads(_unfenced(text))
    except (ValueError, RecursionError) as error:
        raise PPPError(
            f"the reply is not JSON ({show(str(error), 100)}): answer with the JSON object only"
        ) from None
    try:
        return Plan.model_validate(data)
    except ValidationError as error:
        found = [f"{field}: {message}" if field else message for field, message in mistakes(error)]
        more = f"; and {len(found) - 8} more" if len(found) > 8 else ""
        raise PPPError(f"in the reply, {'; '.join(found[:8])}{more}") from None


def _unfenced(text: str) -> str:
    """The part between the outermost braces: models like to wrap JSON in a fence or a sentence."""
    # models that reason write <think>...</think> before they answer, with braces in it
    text = text[text.rfind("</think>") + 1 :]
    first, last = text.find("{"), text.rfind("}")
    return text[first : last + 1] if 0 <= first < last else text


#: JSON schema for servers with structured output; every property is required in strict mode
PLAN_JSON_SCHEMA: Dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["steps"],
    "properties": {
        "steps": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["command", "target", "until"],
                "properties": {
                    "command": {"type": "string", "description": "what to do, in plain English"},
                    "target": {
                        "type": "array",
                        "items": {"type": "number"},
                        "minItems": 2,
                        "maxItems": 2,
                        "description": "x and y in metres",
                    },
                    "until": {
                        "anyOf": [
                            {"type": "string", "enum": ["reached", "done"]},
                            {"type": "number", "description": "seconds"},
                            {"type": "null"},
                        ]
                    },
                },
            },
        }
    },
}
