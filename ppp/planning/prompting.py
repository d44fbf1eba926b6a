"""The prompt in four parts: the robot, the scene, the skills, the form of the answer.

The wording lives in ``prompts/planner*.txt``; ``$name`` marks what is filled in. Filling in is one
pass over the template, so text from a scenario cannot bring in further marks.
"""
from __future__ import annotations

import json
import math
import string
from pathlib import Path
from typing import Dict, List, Sequence

from ppp.engines.scene import Prop
from ppp.errors import PPPError
from ppp.planning.geometry import ARENA, BODY_RADIUS, COMFORT_CLEARANCE
from ppp.planning.plan_schema import MAX_STEPS, Plan, PlanStep
from ppp.planning.prompt_checks import check_in_words
from ppp.planning.reading import quoted, read_text
from ppp.planning.situation import Situation
from ppp.planning.skills import REACH, describe

#: where the templates are: the checkout's ``prompts/``
FOLDER = Path(__file__).resolve().parents[2] / "prompts"

EXAMPLE = Plan(
    steps=[
        PlanStep(command="walk forward", target=(1.2, 1.5)),
        PlanStep(command="walk forward past the crate", target=(2.8, 1.5)),
        PlanStep(command="walk forward to the dummy", target=(3.4, 0.4), until="reached"),
        PlanStep(command="slash the dummy with the sword", target=(4.0, 0.0), until="done"),
    ]
)


def build_prompt(situation: Situation, folder: Path = FOLDER) -> str:
    """The prompt for a situation; PPPError when the template is missing or broken."""
    scenario = situation.scenario
    x, y = situation.xy
    return _fill(
        folder / "planner.txt",
        {
            "robot": scenario.robot,
            "position": f"[{x:.2f}, {y:.2f}]",
            "heading": f"{math.degrees(situation.heading):.0f}",
            "radius": f"{BODY_RADIUS:g}",
            "clearance": f"{COMFORT_CLEARANCE:g}",
            "arena": f"{ARENA:g}",
            "objects": _objects(situation),
            "constraints": _constraints(scenario.constraints),
            "skills": "\n".join(f"- {describe(s)}" for s in situation.skills),
            "reach": _reaches(situation.skills),
            "steps": str(MAX_STEPS),
            "example": json.dumps(EXAMPLE.as_dict()),
            "instruction": scenario.instruction,
            "success": "\n".join(f"- {check_in_words(c, situation)}" for c in scenario.success)
            or "- your plan is performed to its end (nothing else could be read from the task)",
            "progress": _progress(situation),
        },
    )


def retry_prompt(errors: Sequence[str], folder: Path = FOLDER) -> str:
    """The answer to a plan that cannot be performed."""
    return _fill(folder / "planner_retry.txt", {"errors": "\n".join(f"- {e}" for e in errors)})


def _fill(path: Path, values: Dict[str, str]) -> str:
    if not path.exists():
        raise PPPError(f"{path}: this prompt template is missing: use PPP from its checkout, which "
                       "has prompts/ beside ppp/")
    try:
        return string.Template(read_text(path, "prompt template")).substitute(values).strip() + "\n"
    except (KeyError, ValueError) as error:
        raise PPPError(f"{path}: bad mark {error}: the marks are ${', $'.join(values)}") from None


def _objects(situation: Situation) -> str:
    if not situation.props:
        return "The floor is empty."
    return "\n".join(f"- {_object(p, situation)}" for p in situation.props)


def _object(prop: Prop, situation: Situation) -> str:
    """One line: name, kind, centre, size, rotation, and what must not happen to it."""
    x, y = prop.position
    text = f"{quoted(prop.name)} ({prop.kind}): centre [{x:.2f}, {y:.2f}]"
    if prop.kind != "marker":
        sx, sy, sz = prop.size
        text += f", size {sx:g} x {sy:g} x {sz:g} m"
    if prop.yaw:
        text += f", turned by {math.degrees(prop.yaw):.0f} degrees towards y"
    if prop.name in situation.fallen:
        text += ", lies on the floor"
    if prop.name in situation.scenario.forbidden():
        text += ", must never be touched"
    return text


def _constraints(constraints: Sequence[str]) -> str:
    if not constraints:
        return "There are no further constraints."
    return "Constraints:\n" + "\n".join(f"- {c}" for c in constraints)


def _reaches(skills: Sequence[str]) -> str:
    found = [f"{skill.replace('_', ' ')} {REACH[skill]:g} m" for skill in REACH if skill in skills]
    return ", ".join(found) or "this robot has no attack"


def _progress(situation: Situation) -> str:
    """What happened so far, for a plan in the middle of a performance.

    What was said and seen then is quoted: names of things and commands are in it.
    """
    if not situation.history and not situation.note:
        return ""
    lines: List[str] = ["", "## What happened so far"]
    for outcome in situation.history[-12:]:
        state = "done" if outcome.ok else "FAILED"
        place = f"[{outcome.target[0]:.2f}, {outcome.target[1]:.2f}]"
        lines.append(f"- {quoted(outcome.command)} at {place}: {state}, {quoted(outcome.ended)}")
    for check, n in zip(situation.scenario.success, situation.progress):
        if n > 0:
            begun = f"of this, the first {n}" if hasattr(check, "in_order") else "this"
            lines.append(f"- true already, {begun}: {check_in_words(check, situation)}")
    if situation.note:
        lines.append(f"A new plan is needed. Why: {quoted(situation.note)}")
    lines.append("Plan only what is left to do, from where the robot stands now.")
    return "\n".join(lines)
