"""The page in a browser: type, click, see the state change; two visitors, one simulation."""
from __future__ import annotations

import io
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from .chromium import Chromium, installed
from .test_play_command import free_port

pytest.importorskip("mjviser", reason="ppp play's packages are not installed")
if installed() is None:
    pytest.skip("no Chromium is installed", allow_module_level=True)

SCENE = Path(__file__).resolve().parents[2] / "prompts" / "strike_behind_block.yaml"


@pytest.fixture
def address(tmp_path):
    """``ppp play`` on a free port, with a scene in which only the humanoid is blue."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "ppp.cli", "play", str(SCENE), "--port", str(port),
         "--out", str(tmp_path)], stdout=subprocess.PIPE, text=True)
    process.stdout.readline()
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait(60)


def colours(picture):
    """The pixels of a PNG, (height, width, 3)."""
    from PIL import Image

    return np.asarray(Image.open(io.BytesIO(picture)).convert("RGB")).astype(int)


def test_two_visitors(address, tmp_path):
    with Chromium((760, 480)) as first:
        with Chromium((390, 700)) as second:
            for window in (first, second):
                window.open(address)
            for window in (first, second):
                window.wait_for("Plan and perform")
                window.wait_for("2 visitors")
            first.write(0, "sneak over there")
            first.wait_for("crouch walk at distance")
            second.wait_for("crouch walk at distance")  # what one says, all see
            first.wait_for("click a point")
            for _ in range(4):  # on a busy machine the first click may meet an empty scene
                first.click(150, 380)
                if second.shows("target: [", 25.0):
                    break
            second.wait_for("target: [", 1.0)
            second.wait_for("planned by search")
            first.write(0, "juggle <b>three</b> chainsaws")
            first.wait_for("unknown command")
            first.wait_for("<b>three</b>")  # shown as it was written, not as markup
            second.press("taunt")  # a phone has all the buttons too
            first.wait_for("performed: taunt")
            # the humanoid's blue cloth is in sight in both windows
            deadline = time.monotonic() + 60.0
            for window in (first, second):
                while True:
                    red, _, blue = np.moveaxis(colours(window.picture()), -1, 0)
                    if ((blue - red > 30) & (blue < 200)).mean() > 0.002:
                        break
                    assert time.monotonic() < deadline, "no humanoid in the picture"
                    time.sleep(1.0)
            assert first.errors == [] and second.errors == []
        first.wait_for("1 visitor\n")  # one has left, the show goes on
        record = "[...document.querySelectorAll('label')].find(e => e.innerText == 'Record')"
        first.js(f"document.getElementById({record}.htmlFor).click()")
        time.sleep(2.0)
        first.js(f"document.getElementById({record}.htmlFor).click()")
        first.wait_for("recorded")
    for _ in range(100):
        made = list(tmp_path.glob("strike_behind_block-*.html"))
        if made:
            break
        time.sleep(0.2)
    assert made and made[0].stat().st_size > 10_000
