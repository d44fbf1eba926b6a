"""The LLM planner: any OpenAI-compatible server answers the prompt; its answers are checked."""
from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Optional
from urllib.parse import urlsplit

import openai

from ppp.errors import PPPError
from ppp.planning.plan_schema import PLAN_JSON_SCHEMA, Plan, parse_plan
from ppp.planning.prompting import build_prompt, retry_prompt
from ppp.planning.reading import show
from ppp.planning.replies import Recorder, Replayer
from ppp.planning.situation import Matcher, Situation
from ppp.planning.validate import plan_errors

#: asked for at OpenAI's own address when no model is named
DEFAULT_MODEL = "gpt-4o-mini"
#: replies asked for in one planning, the first included
ATTEMPTS = 4
Message = Dict[str, str]


@dataclass(frozen=True)
class Server:
    """Where to ask. base_url: None for OpenAI's own address. The key stays out of repr and logs."""

    base_url: Optional[str]
    model: Optional[str]
    key: Optional[str]
    timeout: float = 60.0

    def __repr__(self) -> str:
        return f"Server({self.host}, model={self.model})"

    @property
    def host(self) -> str:
        """The address without whatever a user wrote before an @ in it."""
        if not self.base_url:
            return "api.openai.com"
        parts = urlsplit(self.base_url)
        return (parts.hostname or "") + (f":{parts.port}" if parts.port else "")


def server_from(
    base_url: Optional[str] = None,
    model: Optional[str] = None,
    key: Optional[str] = None,
    timeout: float = 60.0,
    env: Mapping[str, str] = os.environ,
) -> Optional[Server]:
    """The server named by flags, else by OPENAI_BASE_URL, OPENAI_MODEL and OPENAI_API_KEY.

    None when neither an address nor a key is given. timeout: s for one reply.
    """
    base_url = base_url or env.get("OPENAI_BASE_URL") or None
    key = (key or env.get("OPENAI_API_KEY") or "").strip() or None
    if not base_url and not key:
        return None
    if base_url:
        _check_address(base_url)
    if not 0.0 < timeout <= 3600.0:
        raise PPPError(f"--timeout must be a number of seconds up to 3600, not {timeout:g}")
    return Server(base_url, model or env.get("OPENAI_MODEL") or None, key, timeout)


def _check_address(base_url: str) -> None:
    try:
        parts = urlsplit(base_url)
        sound = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        sound = False
    if not sound:
        raise PPPError(
            "--base-url (or OPENAI_BASE_URL) is no address: write it as http://HOST:PORT/v1"
        )


class ChatClient:
    """Asks the server; every failure becomes a PPPError that does not hold the key."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.model = server.model
        self._structured = True
        self._client = openai.OpenAI(
            base_url=server.base_url,
            # servers on the own machine need no key, but the client insists on one
            api_key=server.key or "none",
            timeout=server.timeout,
            max_retries=1,
        )

    def ask(self, messages: List[Message]) -> str:
        """The text of the reply."""
        try:
            self.model = self.model or self._first_model()
            return _text(self._complete(messages))
        except openai.APITimeoutError:
            raise PPPError(
                f"the server {self.server.host} gave no reply in {self.server.timeout:g} s: "
                "raise --timeout, or plan without it by --planner search"
            ) from None
        except openai.APIConnectionError as error:
            raise PPPError(
                f"cannot connect to {self.server.host} ({self._safe(error.__cause__ or error)}): "
                "check --base-url, or plan without it by --planner search"
            ) from None
        except openai.APIStatusError as error:
            raise PPPError(
                f"the server {self.server.host} refused with status {error.status_code} "
                f"({self._safe(error.message)}): check the key, the model and the address"
            ) from None
        except (openai.OpenAIError, ValueError) as error:  # ValueError: a reply that is not JSON
            raise PPPError(f"asking {self.server.host} failed: {self._safe(error)}") from None

    def _complete(self, messages: List[Message]) -> Any:
        """Ask for structured output, and without it where the server does not know it."""
        common = {"model": self.model, "messages": messages, "temperature": 0.0}
        if self._structured:
            schema = {"name": "plan", "strict": True, "schema": PLAN_JSON_SCHEMA}
            form = {"type": "json_schema", "json_schema": schema}
            try:
                return self._client.chat.completions.create(response_format=form, **common)
            except (openai.BadRequestError, openai.UnprocessableEntityError):
                self._structured = False
        try:
            return self._client.chat.completions.create(**common)
        except openai.BadRequestError as error:
            # some models accept their own temperature only
            if "temperature" not in str(error):
                raise
            common.pop("temperature")
            return self._client.chat.completions.create(**common)

    def _first_model(self) -> str:
        """The model of a server that serves one: the first that it lists."""
        if not self.server.base_url:
            return DEFAULT_MODEL
        try:
            for model in self._client.models.list():
                return model.id
        except openai.APIStatusError:
            pass
        raise PPPError(f"{self.server.host} lists no models: name one by --model")

    def _safe(self, error: Any) -> str:
        """A server's message as one short line without the key."""
        text = " ".join(str(error).split())
        if self.server.key:
            text = text.replace(self.server.key, "***")
        return show(text, 200)


def _text(completion: Any) -> str:
    """The reply's text; PPPError when there is none."""
    choices = getattr(completion, "choices", None)
    if not choices or getattr(choices[0], "message", None) is None:
        raise PPPError("the server's reply holds no message: is --base-url a chat-completions API?")
    message = choices[0].message
    if not isinstance(message.content, str) or not message.content.strip():
        reason = getattr(message, "refusal", None) or choices[0].finish_reason or "empty"
        raise PPPError(f"the model gave no plan ({show(str(reason))}): ask another by --model")
    return message.content


class LLMMaker:
    """Makes plans by asking a model; mistakes are sent back to it, three times at most.

    ask: a chat client, a replayer, or anything with ``ask(messages) -> str``.
    """

    name = "llm"

    def __init__(self, ask: Any, matcher: Matcher, recorder: Optional[Recorder] = None) -> None:
        self.ask, self.matcher, self.recorder = ask, matcher, recorder
        #: replies used by the last planning
        self.attempts = 0

    def make(self, situation: Situation) -> Plan:
        """A sound plan; PPPError when the model gives none in four replies."""
        messages: List[Message] = [{"role": "user", "content": build_prompt(situation)}]
        errors: List[str] = []
        for attempt in range(1, ATTEMPTS + 1):
            self.attempts = attempt
            reply = self.ask.ask(messages)
            if self.recorder:
                self.recorder.add(situation.scenario.name, messages, reply)
            plan, errors = self._judge(reply, situation)
            if plan is not None:
                return plan
            messages.append({"role": "assistant", "content": reply})
            messages.append({"role": "user", "content": retry_prompt(errors)})
        raise PPPError(
            f"the model gave no sound plan in {ATTEMPTS} replies; the last one: {errors[0]}"
        )

    def _judge(self, reply: str, situation: Situation) -> "tuple[Optional[Plan], List[str]]":
        try:
            plan = parse_plan(reply)
        except PPPError as error:
            return None, [f"the reply {error}"]
        errors = plan_errors(plan, situation, self.matcher)
        return (None, errors) if errors else (plan, [])


def llm_maker(
    server: Optional[Server],
    matcher: Matcher,
    scenario: str,
    record: Optional[str] = None,
    replay: Optional[str] = None,
) -> LLMMaker:
    """The LLM planner from a server, or from recorded replies of the scenario of that name."""
    if replay:
        return LLMMaker(Replayer(replay, scenario), matcher)
    if server is None:
        raise PPPError(
            "no language model is configured: give --base-url and --model, or set OPENAI_API_KEY, "
            "or plan without one by --planner search"
        )
    return LLMMaker(ChatClient(server), matcher, Recorder(record) if record else None)
