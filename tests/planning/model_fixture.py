"""The fixture ``server``: a test file has it by ``pytest_plugins = ("model_fixture",)``."""
from __future__ import annotations

import threading
from typing import Iterator

import pytest
from model_server import ModelServer


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    """A chat-completions server, up for one test; put what it shall say into ``replies``."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")  # a proxy of the machine is not asked for it
    model = ModelServer()
    threading.Thread(target=model.serve_forever, args=(0.02,), daemon=True).start()
    yield model
    model.over.set()
    model.shutdown()
    model.server_close()
