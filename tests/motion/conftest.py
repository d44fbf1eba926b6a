"""Fixtures: the shipped library, and real clips of ASE/CALM where someone has them."""
from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def library_path() -> Path:
    return ROOT / "motions" / "library.yaml"


@pytest.fixture(scope="session")
def mocap() -> Path:
    """Folder of real motion files: PPP_MOCAP, or shared/mocap beside the checkout."""
    folder = Path(os.environ.get("PPP_MOCAP", ROOT.parent / "shared" / "mocap"))
    if not folder.is_dir():
        pytest.skip("no real motion data: set PPP_MOCAP to a folder that holds it")
    return folder
