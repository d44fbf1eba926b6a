"""The replay page in a browser: one file, no server, no network, at both widths."""
from __future__ import annotations

import time

import pytest

from ppp.view.replay import write_replay

from .chromium import Chromium, installed
from .gliding import new_session, until_done

pytest.importorskip("websockets", reason="no client for the browser's protocol is installed")
if installed() is None:
    pytest.skip("no Chromium is installed", allow_module_level=True)


@pytest.fixture
def file(matcher, tmp_path):
    """The page of one command, performed without physics."""
    session, films = new_session(matcher), []
    session.on_recording = films.append
    session.record(True)
    session.say("smite the yellow <b>one</b>")
    until_done(session)
    session.close()
    return write_replay(films[0], tmp_path / "replay.html")


@pytest.mark.parametrize("size", [(1440, 900), (390, 844)])
def test_it_plays_from_a_file(file, size):
    assert file.stat().st_size < 3_000_000
    with Chromium(size) as window:
        window.open(file.as_uri())
        window.wait_for("knocked_over: yellow dummy")
        text = window.text()
        assert "SUCCESS" in text and "slash the yellow dummy" in text
        assert "<b>one</b>" in text  # a visitor's text is shown, not read as markup
        clock = "document.body.innerText.match(/([0-9.]+) \\/ ([0-9.]+) s/)[1]"
        window.wait_for(" / ")
        first = float(window.js(clock))
        end = time.monotonic() + 30.0
        while abs(float(window.js(clock)) - first) < 0.2:  # it may just have begun anew
            assert time.monotonic() < end, "the page does not play"
            time.sleep(0.1)
        # nothing was fetched but the file itself, and it fits the window
        assert window.js("performance.getEntriesByType('resource').length") == 0
        assert window.js("document.documentElement.scrollWidth") <= size[0]
        assert window.errors == []
