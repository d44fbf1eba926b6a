"""A chat-completions server on this machine that answers as told: well, badly, slowly, for ever."""
from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Callable, Dict, List, Optional, Tuple, Union

#: a text; (status, body) or (status, body, headers); or a function that writes on its own
Reply = Union[str, Tuple[Any, ...], Callable[["Handler"], None]]


class ModelServer(ThreadingHTTPServer):
    """Gives ``replies`` in turn. asked: (path, headers, body) of every request to complete."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.replies: List[Reply] = []
        self.asked: List[Tuple[str, Dict[str, str], Dict[str, Any]]] = []
        self.models: Reply = (200, {"object": "list", "data": [{"id": "tiny"}]})
        self.usage: Any = None
        self.url = f"http://127.0.0.1:{self.server_port}/v1"
        #: set when the server goes down, so that endless replies end
        self.over = threading.Event()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that has gone is what these tests are about."""

    def bodies(self) -> List[Dict[str, Any]]:
        """What it was asked, in order."""
        return [body for _, _, body in self.asked]


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: ModelServer

    def do_GET(self) -> None:
        """The list of models."""
        self._give(self.server.models)

    def do_POST(self) -> None:
        """A chat completion."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        headers = {k.lower(): v for k, v in self.headers.items()}
        self.server.asked.append((self.path, headers, body))
        self._give(self.server.replies.pop(0))

    def _give(self, reply: Reply) -> None:
        if callable(reply):
            reply(self)
        elif isinstance(reply, tuple):
            self.send(*reply)
        else:
            self.send(200, completion(reply, usage=self.server.usage))

    def send(self, status: int, data: Any, headers: Optional[Dict[str, str]] = None) -> None:
        """A whole answer: JSON, or a text as a page."""
        body = data.encode() if isinstance(data, str) else json.dumps(data).encode()
        self.head(status, {"Content-Length": str(len(body)), **(headers or {})},
                  "text/html" if isinstance(data, str) else "application/json")
        self.wfile.write(body)

    def head(self, status: int, headers: Dict[str, str], kind: str = "application/json") -> None:
        """The head of an answer."""
        self.send_response(status)
        self.send_header("Content-Type", kind)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        """Silence."""


def completion(content: Any, finish: str = "stop", usage: Any = None, **message: Any) -> Dict:
    """The answer to a chat completion."""
    said = {"role": "assistant", "content": content, **message}
    choice = {"index": 0, "message": said, "finish_reason": finish}
    answer = {"id": "1", "object": "chat.completion", "choices": [choice]}
    return {**answer, "usage": usage} if usage is not None else answer


def slowly(handler: Handler) -> None:
    """Says nothing until the server goes down."""
    handler.server.over.wait(10.0)


def drips(handler: Handler) -> None:
    """One byte every 20 ms: never idle for long, never done."""
    handler.head(200, {"Content-Length": "100000"})
    while not handler.server.over.is_set():
        handler.wfile.write(b" ")
        time.sleep(0.02)


def drips_its_head(handler: Handler) -> None:
    """A head that never ends, one line every 20 ms."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    while not handler.server.over.is_set():
        handler.wfile.write(b"X-Wait: a\r\n")
        time.sleep(0.02)


def endless(status: int) -> Callable[[Handler], None]:
    """As much as the line carries, for ever."""

    def write(handler: Handler) -> None:
        handler.head(status, {})
        while not handler.server.over.is_set():
            handler.wfile.write(b"x" * 65536)

    return write


def cut(body: bytes = b"") -> Callable[[Handler], None]:
    """Promises more than it sends, or (without a body) hangs up at once."""

    def write(handler: Handler) -> None:
        if body:
            handler.head(200, {"Content-Length": str(len(body) + 100)})
            handler.wfile.write(body)
        handler.close_connection = True

    return write


def plan(*steps: Tuple[str, Any, Any]) -> str:
    """A reply from (command, target, until)."""
    return json.dumps({"steps": [{"command": c, "target": t, "until": u} for c, t, u in steps]})


#: a sound plan for ``planning_helpers.STRIKE``, and one that walks through its block
GOOD = plan(
    ("walk around the block", [1.9, -1.8], None),
    ("walk on", [4.1, -1.8], None),
    ("walk to the target", [5.4, -0.6], "reached"),
    ("slash the target with the sword", [6.0, 0.0], "done"),
)
THROUGH = plan(("walk to the target", [5.4, 0.0], "reached"), ("slash it", [6.0, 0.0], "done"))
