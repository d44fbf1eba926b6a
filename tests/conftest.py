"""Shared by all tests: one thread, so that they do not fight for the cores."""
from __future__ import annotations

import os
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest  # noqa: E402
import torch  # noqa: E402

torch.set_num_threads(1)
ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def library():
    """The shipped motion library as a frame table."""
    from ppp.motion.library import MotionLibrary

    return MotionLibrary(ROOT / "motions" / "library.yaml")
