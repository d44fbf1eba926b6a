"""Asks an OpenAI-compatible server, and turns every failure into a sentence without the key."""
from __future__ import annotations

from typing import Any, List

import openai

from ppp.errors import PPPError
from ppp.planning.plan_schema import PLAN_JSON_SCHEMA
from ppp.planning.reading import show
from ppp.planning.server import Message, Server

#: asked for at OpenAI's own address when no model is named
DEFAULT_MODEL = "gpt-4o-mini"


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
