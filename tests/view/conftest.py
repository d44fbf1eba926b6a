"""Skips what needs a picture where the machine cannot draw one."""
from __future__ import annotations

import pytest

from ppp.errors import PPPError


@pytest.fixture(scope="session")
def drawing():
    """Tests that draw ask for this; skipped with the reason where there is no OpenGL."""
    pytest.importorskip("mujoco")
    from ppp.view.gl import open_context
    try:
        open_context(64, 64).close()
    except PPPError as error:
        pytest.skip(str(error))
