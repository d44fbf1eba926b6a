"""The panel's texts: everything a visitor or a model wrote is only text."""
from __future__ import annotations

from dataclasses import replace

import pytest

from ppp.play import html
from ppp.play.things import Place
from ppp.play.views import DONE, FAILED, NOW, TODO, Heard, Line

from .gliding import new_session

EVIL = "<img src=x onerror=alert(1)>\"'&"


@pytest.fixture
def view(matcher):
    """What a fresh session shows."""
    session = new_session(matcher)
    yield session.tick()
    session.close()


def test_nothing_that_was_written_becomes_markup(view):
    line = Line(EVIL, NOW, EVIL)
    evil = replace(view, message=EVIL, task=EVIL, planner=EVIL, plan=(line,), checks=(line,),
                   target=Place((0.0, 0.0), EVIL), skill=EVIL,
                   heard=(Heard(EVIL, EVIL, False, 1.0, ((EVIL, 1.1),)),) * 2)
    shown = html.message(evil) + html.plan(evil) + html.heard(evil.heard) + html.status(evil, 1, 1)
    assert "<img" not in shown and shown.count("&lt;img") >= 10


def test_what_was_understood_is_told_with_distance_and_alternatives():
    known = Heard("hit it", "shield_bash", True, 0.314, (("kick", 0.9), ("slash", 1.05)))
    text = html.heard((known,))
    assert "shield bash" in text and "0.31" in text and "kick 0.90, slash 1.05" in text
    facing = Heard("face him", "turn_left", True, 0.8, (("taunt", 0.8),), verb="face")
    turned = html.heard((facing,))
    assert "turn left" in turned and "face" in turned and "distance" not in turned
    unknown = html.heard((Heard("sing", "taunt", False, 1.21, (("jump", 1.3),)),))
    assert "unknown command" in unknown and "taunt 1.21, jump 1.30" in unknown


def test_the_step_under_way_stands_out(view):
    lines = tuple(Line(mark, mark) for mark in (DONE, FAILED, NOW, TODO))
    text = html.plan(replace(view, task="x", plan=lines))
    assert text.count("font-weight:bold") == 1
    assert text.index("\u2713") < text.index("\u2717") < text.index("\u25b6")
    assert "planning" in html.plan(replace(view, task="x", busy=True))


def test_the_status_tells_time_and_company(view):
    assert "0.97\u00d7 real time, 2 visitors" in html.status(view, 0.97, 2)
    assert "slow motion 0.25\u00d7, 1 visitor" in html.status(replace(view, speed=0.25), 1.0, 1)
    paused = html.status(replace(view, paused=True, recording=12.3), 0.0, 1)
    assert "paused" in paused and "12 s" in paused
