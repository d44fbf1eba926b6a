"""Asks an OpenAI-compatible server, and turns every failure into a sentence without the key."""
from __future__ import annotations

import random
import time
from typing import Any, Dict, List, Optional

from ppp.errors import PPPError
from ppp.planning.budget import Budget
from ppp.planning.plan_schema import PLAN_JSON_SCHEMA
from ppp.planning.reading import show
from ppp.planning.server import Message, NoAnswer, Server
from ppp.planning.wire import (
    MAX_BYTES,
    Cut,
    Garbled,
    Refused,
    TooLarge,
    TooSlow,
    Trouble,
    Unreachable,
    Wire,
)

#: asked for at OpenAI's own address when no model is named
DEFAULT_MODEL = "gpt-4o-mini"
#: forms of the answer to ask for; a server that refuses one is asked for the next, at last for none
FORMS: List[Dict[str, Any]] = [
    {
        "type": "json_schema",
        "json_schema": {"name": "plan", "strict": True, "schema": PLAN_JSON_SCHEMA},
    },
    {"type": "json_object"},
]
#: names of the limit on a reply's length; newer models know the second one only
LENGTHS = ["max_tokens", "max_completion_tokens"]
#: statuses that pass: too many requests, time-outs, conflicts; and whatever broke in the server
PASSING = (408, 409, 425, 429)
#: a key shorter than this cannot be told from words of a reply
_KEY = 8


class ChatClient:
    """Asks the server; every failure becomes a PPPError that does not hold the key."""

    def __init__(self, server: Server, budget: Optional[Budget] = None) -> None:
        self.server, self.budget = server, budget or Budget()
        self.model = server.model
        self._wire = Wire(server)
        self._forms, self._lengths, self._temperature = list(FORMS), list(LENGTHS), True

    def ask(self, messages: List[Message]) -> str:
        """The text of the reply; NoAnswer where the server gives none."""
        tries = 0
        while True:
            try:
                self.model = self.model or self._first_model()
                return self._complete(messages)
            except Trouble as trouble:
                tries += 1
                wait = self._pause(trouble, tries)
                if wait is None:
                    raise NoAnswer(self._sentence(trouble, tries)) from None
                time.sleep(wait)

    def use(self) -> Dict[str, Any]:
        """What was asked for so far, as plain data."""
        return {"server": self.server.host, "model": self.model, **self.budget.as_dict()}

    def summary(self) -> str:
        """The same in a line."""
        return f"{show(self.model or 'none')}, {self.budget}"

    def _complete(self, messages: List[Message]) -> str:
        room = self.budget.room(messages)
        answer = self._request(messages, room)
        text = _clean(_text(answer))
        if self.server.key and len(self.server.key) >= _KEY:
            text = text.replace(self.server.key, "***")  # it would go into a file of replies
        self.budget.add(answer.get("usage"), messages, text)
        if not text.strip():
            raise PPPError(self._keyless(_why_empty(answer, room)))
        return text

    def _request(self, messages: List[Message], room: int) -> Dict[str, Any]:
        """Ask for as much as the server knows: it is asked for less when it refuses."""
        while True:
            body: Dict[str, Any] = {"model": self.model, "messages": messages}
            if self._forms:
                body["response_format"] = self._forms[0]
            if self._lengths:
                # as an extra field: older clients do not know the second name
                body["extra_body"] = {self._lengths[0]: room}
            if self._temperature:
                body["temperature"] = 0.0
            try:
                return self._wire.complete(body)
            except Refused as refused:
                if refused.status not in (400, 422) or not self._ask_less(str(refused)):
                    raise

    def _ask_less(self, why: str) -> bool:
        """Leave out what the server complained of; False when there is nothing left to leave."""
        if self._lengths and self._lengths[0] in why:
            self._lengths.pop(0)
        elif self._temperature and "temperature" in why:
            self._temperature = False  # some models accept their own one only
        elif self._forms:
            self._forms.pop(0)
        else:
            return False
        return True

    def _first_model(self) -> str:
        """The model of a server that serves one: the first that it lists."""
        if not self.server.base_url:
            return DEFAULT_MODEL
        try:
            listed = self._wire.models().get("data")
        except Refused as refused:
            if refused.status in (401, 403) or _passes(refused):
                raise
            listed = None
        first = listed[0] if isinstance(listed, list) and listed else None
        name = first.get("id") if isinstance(first, dict) else None
        if not isinstance(name, str) or not name:
            raise PPPError(f"{self.server.host} lists no models: name one by --model")
        return name

    def _pause(self, trouble: Trouble, tries: int) -> Optional[float]:
        """Seconds until the next try, None when there shall be none.

        It doubles from try to try and varies by a quarter, so that many clients that failed at
        once do not come back at once. A server that asks for more than we wait is not asked again.
        """
        if tries > self.server.retries or not _passes(trouble):
            return None
        backoff = self.server.backoff * 2.0 ** (tries - 1) * random.uniform(0.75, 1.25)
        wait = max(backoff, getattr(trouble, "wait", None) or 0.0)
        return wait if wait <= self.server.longest_wait else None

    def _sentence(self, trouble: Trouble, tries: int) -> str:
        """What happened, and what the user can do about it."""
        host, said = self.server.host, self._safe(trouble)
        times = f" {tries} times" if tries > 1 else ""
        search = "or plan without it by --planner search"
        if isinstance(trouble, TooSlow):
            return (f"the server {host} gave no whole reply in {self.server.timeout:g} s: "
                    f"raise --timeout, {search}")
        if isinstance(trouble, TooLarge):
            return (f"the server {host} sent a reply larger than {MAX_BYTES // 1024} KiB, which is "
                    f"no plan: check --base-url and --model, {search}")
        if isinstance(trouble, Garbled):
            return f"{host}: {said}: is --base-url a chat-completions API?"
        if isinstance(trouble, Unreachable):
            return f"cannot connect to {host} ({said}): check --base-url, {search}"
        if isinstance(trouble, Cut):
            return f"the server {host} cut the connection{times} ({said}): try again, {search}"
        if isinstance(trouble, Refused):
            return (f"the server {host} refused{times} with status {trouble.status} ({said}): "
                    f"{_mend(trouble)}, {search}")
        return f"asking {host} failed ({said}): check --base-url, {search}"

    def _safe(self, error: Any) -> str:
        """A server's message as one short line without the key."""
        return show(self._keyless(" ".join(str(error).split())), 200) or "without a reason"

    def _keyless(self, text: str) -> str:
        return text.replace(self.server.key, "***") if self.server.key else text


def _passes(trouble: Trouble) -> bool:
    """Whether asking again may help."""
    if isinstance(trouble, Refused):
        if trouble.code == "insufficient_quota":  # a 429 that only a payment mends
            return False
        return trouble.status in PASSING or (trouble.status >= 500 and trouble.status != 501)
    return isinstance(trouble, Cut)


def _mend(refused: Refused) -> str:
    """What the user can do about a status."""
    if refused.status in (401, 403):
        return "check the key (OPENAI_API_KEY or --api-key)"
    if refused.status == 404:
        return "check --base-url and --model"
    if refused.status == 429:
        wait = f"; it asks to wait {refused.wait:.0f} s" if refused.wait else ""
        return f"the key's rate or quota is used up{wait}: try later"
    if refused.status >= 500:
        return "the fault is the server's: try later"
    return "check --model, the key and the address"


def _clean(text: str) -> str:
    """Without lone surrogates, which JSON can hold and no file or request can."""
    return text.encode("utf-8", errors="replace").decode("utf-8")


def _message(answer: Dict[str, Any]) -> "tuple[Dict[str, Any], Any]":
    """The reply's message and why it ended; an empty one where there is none."""
    choices = answer.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, dict) else None
    return (message, choice.get("finish_reason")) if isinstance(message, dict) else ({}, None)


def _text(answer: Dict[str, Any]) -> str:
    """The reply's text, '' without one."""
    content = _message(answer)[0].get("content")
    return content if isinstance(content, str) else ""


def _why_empty(answer: Dict[str, Any], room: int) -> str:
    """Why an answer holds no text, and the mend."""
    if answer.get("error"):  # some relays answer 200 with an error in it
        return (f"the server answered with an error ({show(answer['error'], 200)}): "
                "check --model, the key and the address")
    message, ended = _message(answer)
    if not message:
        return "the server's reply holds no message: is --base-url a chat-completions API?"
    refusal = message.get("refusal")
    if isinstance(refusal, str) and refusal.strip():
        return (f"the model refused to plan ({show(' '.join(refusal.split()), 200)}): "
                "change the instruction, or ask another by --model")
    if ended == "length":
        return (f"the model used up the {room} tokens of a reply before it answered: raise "
                "--reply-tokens (and --token-limit), or ask another by --model")
    return f"the model gave no plan ({show(ended or 'empty')}): ask another by --model"
