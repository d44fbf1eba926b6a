"""What a text asks for, clause by clause: turns, several walks, what is forbidden."""
from __future__ import annotations

import numpy as np
import pytest

from ppp.play.views import DONE

from .gliding import new_session, until_done


@pytest.fixture
def session(matcher):
    made = new_session(matcher)
    yield made
    made.close()


def angle_to(state, xy):
    """How far it looks past a point, degrees."""
    gap = np.arctan2(xy[1] - state.xy[1], xy[0] - state.xy[0]) - state.heading
    return abs(np.degrees(np.arctan2(np.sin(gap), np.cos(gap))))


@pytest.mark.parametrize("box", ["say", "instruct"])
@pytest.mark.parametrize("text, name", [
    ("turn to face the flag", "flag"), ("could you please turn to the flag", "flag"),
    ("face the blue dummy", "blue dummy"), ("look at the red block", "red block")])
def test_to_face_a_thing_is_a_turn_on_the_spot(session, box, text, name):
    getattr(session, box)(text)
    view = until_done(session)
    props = {p.name: p.position for p in session.scenario.scene().props}
    assert np.hypot(*view.state.xy) < 0.1 and angle_to(view.state, props[name]) < 20.0
    assert [line.mark for line in view.checks] == [DONE]
    assert view.heard[0].verb in ("turn", "face", "look")


def test_a_sense_is_no_place(session):
    session.say("turn left")
    view = until_done(session)
    assert view.heard[0].verb == "" and abs(np.degrees(view.state.heading) - 90.0) < 12.0


def test_turn_around_is_half_a_turn(session):
    session.say("turn around")
    view = until_done(session)
    assert abs(abs(np.degrees(view.state.heading)) - 180.0) < 15.0


@pytest.mark.parametrize("text", ["turn to (3, 3)", "taunt and turn to (3, 3)"])
def test_coordinates_are_one_clause_and_may_be_faced(session, text):
    session.instruct(text)
    view = until_done(session)
    assert angle_to(view.state, (3.0, 3.0)) < 20.0 and all(c.mark == DONE for c in view.checks)


def test_two_walks_are_two(session):
    session.say("walk to the flag, then walk to the yellow dummy")
    view = until_done(session)
    assert view.checks[0].text == ("in_order: reached: flag within 0.5 m by walk_forward, then "
                                   "reached: yellow dummy within 1.13 m by walk_forward")
    assert view.checks[0].mark == DONE


def test_one_skill_said_twice_is_one_clause(session):
    session.say("walk and stroll")
    assert len(session.tick().heard) == 1


def test_it_is_what_the_clause_before_was_about(session):
    session.instruct("walk to the flag and taunt it")
    view = session.tick()
    assert "facing: flag" in view.checks[0].text


def test_what_a_command_forbids_is_no_place_to_go_to(session):
    session.say("walk to the flag without touching the red block")
    view = session.tick()
    assert [line.text for line in view.checks] == [
        "reached: flag within 0.5 m by walk_forward", "never_touched: red block"]
