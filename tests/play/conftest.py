"""The language part, read once."""
from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def matcher():
    """The shipped language part, for all skills."""
    from ppp.language import load_matcher

    return load_matcher()
