"""One request to a chat-completions server: the whole answer, in bounded time and size, or why not.

The ``openai`` client builds and sends the request. Three things it leaves open are closed here: its
timeout counts from one byte to the next, so that a server that dribbles would hold us for ever;
it reads an answer of any size; and its own retries would not tell how long they take.
"""
from __future__ import annotations

import json
import queue
import threading
import time
from email.utils import parsedate_to_datetime
from typing import Any, Callable, Dict, Iterable, Mapping, Optional

import openai

from ppp.errors import PPPError
from ppp.planning.reading import show
from ppp.planning.server import Server

#: an answer is some pages of text; a server that sends more than this is not read to the end
MAX_BYTES = 1024 * 1024
#: of an error's body so much is read, for its message
ERROR_BYTES = 16 * 1024


class Trouble(Exception):
    """Why no answer came. The message is a server's own words where it said any."""


class TooSlow(Trouble):
    """The time for one answer is up."""


class TooLarge(Trouble):
    """The answer does not end within ``MAX_BYTES``."""


class Unreachable(Trouble):
    """Nobody listens at the address."""


class Cut(Trouble):
    """The connection ended before the answer did."""


class Garbled(Trouble):
    """The answer is not a JSON object."""


class Refused(Trouble):
    """The server answered with an error.

    status: HTTP. code: the server's own word for it, '' without one. wait: s after which it wants
    to be asked again, None where it did not say.
    """

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        message, self.code = _error_message(body)
        super().__init__(message)
        self.status, self.wait = status, seconds_to_wait(headers, time.time())


class Wire:
    """Sends requests to a server. Thread-safe as far as the ``openai`` client is."""

    def __init__(self, server: Server) -> None:
        self.timeout = server.timeout
        try:
            self._client = self._connect(server)
        except Exception as error:  # of the HTTP library: an address that it cannot read
            raise PPPError(f"--base-url (or OPENAI_BASE_URL) is no address ({show(str(error))}): "
                           "write it as http://HOST:PORT/v1") from None

    @staticmethod
    def _connect(server: Server) -> openai.OpenAI:
        return openai.OpenAI(
            base_url=server.base_url,
            # servers on the own machine need no key, but the client insists on one
            api_key=server.key or "none",
            timeout=server.timeout,
            max_retries=0,
            # compressed, a small answer could unfold into any size
            default_headers={"Accept-Encoding": "identity"},
            http_client=openai.DefaultHttpxClient(event_hooks={"response": [_raise_errors]}),
        )

    def complete(self, body: Mapping[str, Any]) -> Dict[str, Any]:
        """The answer to a chat completion; ``body`` holds the fields of the request."""
        create = self._client.chat.completions.with_streaming_response.create
        return self._json(lambda: create(**body))

    def models(self) -> Dict[str, Any]:
        """The answer to the question which models the server has."""
        return self._json(self._client.models.with_streaming_response.list)

    def _json(self, request: Callable[[], Any]) -> Dict[str, Any]:
        end = time.monotonic() + self.timeout
        body = _within(self.timeout, lambda: _fetch(request, end))
        try:
            data = json.loads(body.decode("utf-8", errors="replace"))
        except (ValueError, RecursionError):
            data = None
        if not isinstance(data, dict):
            raise Garbled("the answer is not a JSON object")
        return data


def _within(seconds: float, call: Callable[[], bytes]) -> bytes:
    """``call()`` in a thread that is left alone when it takes longer; then raises TooSlow.

    Looking up a name or waiting for the head of an answer byte by byte cannot be bounded from
    inside. The thread dies with the program.
    """
    found: "queue.Queue[Any]" = queue.Queue(1)

    def work() -> None:
        try:
            found.put((call(), None))
        except Exception as error:
            found.put((b"", error))

    threading.Thread(target=work, daemon=True).start()
    try:
        value, error = found.get(timeout=seconds)
    except queue.Empty:
        raise TooSlow from None
    if error is not None:
        raise error
    return value


def _fetch(request: Callable[[], Any], end: float) -> bytes:
    """The bytes of the answer. end: when to give up, on the monotonic clock, s."""
    try:
        with request() as response:
            return _read(response.iter_bytes(), end)
    except openai.APITimeoutError:
        raise TooSlow from None
    except openai.APIConnectionError as error:
        cause = error.__cause__ or error
        if isinstance(cause, Trouble):
            raise cause from None
        # the client's HTTP library has changed its name between versions: go by the class's name
        nobody = type(cause).__name__ == "ConnectError" or isinstance(cause, ValueError)
        kind = Unreachable if nobody else Cut
        raise kind(str(cause) or type(cause).__name__) from None
    except ValueError as error:  # an address that has no form that could be looked up
        raise Unreachable(str(error)) from None
    except openai.OpenAIError as error:
        raise Trouble(str(error)) from None


def _read(chunks: Iterable[bytes], end: float) -> bytes:
    body = bytearray()
    try:
        for chunk in chunks:
            body += chunk
            if len(body) > MAX_BYTES:
                raise TooLarge
            if time.monotonic() > end:
                raise TooSlow
    except Trouble:
        raise
    except Exception as error:  # of the HTTP library, which is not ours to import
        if "Timeout" in type(error).__name__:
            raise TooSlow from None
        raise Cut(str(error) or type(error).__name__) from None
    return bytes(body)


def _raise_errors(response: Any) -> None:
    """Hook on every answer's head: an error is read up to a bound, and raised."""
    if response.status_code < 400:
        return
    body = b""
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > ERROR_BYTES:
            break
    raise Refused(response.status_code, response.headers, body[:ERROR_BYTES])


def _error_message(body: bytes) -> "tuple[str, str]":
    """(message, code) of an error's body: OpenAI's form, one of its relatives, or plain text."""
    text = body.decode("utf-8", errors="replace")
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return text, ""
    inner = data.get("error", data) if isinstance(data, dict) else data
    if not isinstance(inner, dict):
        return str(inner), ""
    message = inner.get("message") or inner.get("detail") or text
    return str(message), str(inner.get("code") or "")


def seconds_to_wait(headers: Mapping[str, str], now: float) -> Optional[float]:
    """What ``Retry-After`` asks for, s: it holds seconds or a date (RFC 9110, 10.2.3).

    now: s since 1970. None without the header, or with one that cannot be read.
    """
    text = headers.get("retry-after", "").strip()
    try:
        wait = float(text)
    except ValueError:
        try:
            wait = parsedate_to_datetime(text).timestamp() - now
        except (TypeError, ValueError, IndexError, OverflowError):
            return None
    return max(0.0, wait) if wait == wait else None  # NaN is no time
