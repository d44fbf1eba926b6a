"""The stub of Isaac Gym, put where ``import isaacgym`` finds it: a fixture for its tests.

No conftest: other tests import the suite's own by that name.
"""
from __future__ import annotations

import sys
from pathlib import Path

import pytest

STUBS = Path(__file__).resolve().parents[1] / "stubs"


@pytest.fixture(name="isaacgym")
def isaacgym_stub(monkeypatch):
    """The stub's ``gymapi``, fresh; torch was imported long before, which the stub then allows."""
    monkeypatch.setenv("ISAACGYM_STUB_AFTER_TORCH", "1")
    monkeypatch.syspath_prepend(str(STUBS))
    for name in [n for n in sys.modules if n.split(".")[0] == "isaacgym"]:
        monkeypatch.delitem(sys.modules, name)
    from isaacgym import gymapi

    yield gymapi
    for name in [n for n in sys.modules if n.split(".")[0] == "isaacgym"]:
        del sys.modules[name]
