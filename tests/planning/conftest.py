"""The model server of the tests, up for one test."""
from __future__ import annotations

import threading

import pytest
from model_server import ModelServer


@pytest.fixture
def server(monkeypatch):
    """A chat-completions server on 127.0.0.1; put what it shall say into ``replies``."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")  # a proxy of the machine is not asked for it
    model = ModelServer()
    threading.Thread(target=model.serve_forever, args=(0.02,), daemon=True).start()
    yield model
    model.over.set()
    model.shutdown()
    model.server_close()
