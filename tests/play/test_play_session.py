"""The session: commands in, state out. No browser, no physics."""
from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest

from ppp.errors import PPPError
from ppp.planning.search import SearchMaker
from ppp.play.errand_run import ErrandRun
from ppp.play.resting import PATIENCE
from ppp.play.things import Place
from ppp.play.views import DONE, FAILED, NOW
from ppp.view.replay import write_replay

from .gliding import lying, new_session, ticks, until_done


@pytest.fixture
def session(matcher):
    made = new_session(matcher)
    yield made
    made.close()


def test_a_command_is_understood_and_carried_out(session):
    session.say("smite the yellow one")
    view = session.tick()
    heard = view.heard[0]
    assert (heard.skill, heard.known) == ("slash", True) and 0.0 < heard.distance < 1.0
    assert len(heard.alternatives) == 3 and heard.alternatives[0][1] > heard.distance
    view = until_done(session)
    assert view.state.props["yellow dummy"].up_z < 0.2
    assert view.state.props["blue dummy"].up_z == 1.0
    assert [(line.text, line.mark) for line in view.checks] == [
        ("knocked_over: yellow dummy", DONE)]
    assert view.message.startswith("done after") and view.skill == "idle"


def test_over_there_waits_for_a_click_and_then_goes_there(session):
    session.say("sneak over there")
    view = session.tick()
    assert not view.busy and "click" in view.message
    session.click((2.0, 2.0, 3.0), (0.0, 0.0, -1.0))
    view = ticks(session, 10)
    assert view.busy and view.skill == "crouch_walk" and view.target.xy == (2.0, 2.0)
    view = until_done(session)
    assert np.hypot(*(np.array(view.state.xy) - 2.0)) < 0.5
    assert view.target is None  # it was reached: the next walk goes straight ahead


def test_a_click_during_a_walk_leads_it_elsewhere(session):
    session.aim(Place((6.0, 6.0)))
    session.say("walk over there")
    ticks(session, 20)
    session.click((0.0, -2.0, 1.0), (0.0, 0.0, -1.0))
    view = until_done(session)
    assert np.hypot(view.state.xy[0], view.state.xy[1] + 2.0) < 0.5


def test_an_unknown_command_is_answered_with_the_nearest_skills(session):
    session.say("juggle three chainsaws")
    view = session.tick()
    assert not view.heard[0].known and not view.busy
    assert view.heard[0].skill and len(view.heard[0].alternatives) == 3
    assert "names no skill" in view.message


def test_a_new_command_replaces_the_one_under_way(session):
    session.say("walk to the yellow dummy")
    assert ticks(session, 10).skill == "walk_forward"
    session.say("jump")
    view = ticks(session, 3)
    assert view.skill == "jump" and view.task == "jump"
    assert "performed: jump" in [line.text for line in until_done(session).checks]


def test_a_skill_button_needs_no_words(session):
    session.press("taunt")
    assert ticks(session, 3).skill == "taunt"
    session.press("fly")
    assert "no skill 'fly'" in session.tick().message


def test_stand_still_gives_up_what_is_under_way(session):
    session.say("run to the flag")
    ticks(session, 10)
    session.say("stop and stand still")
    view = ticks(session, 3)
    assert not view.busy and view.skill == "idle"
    assert view.plan[0].mark == FAILED and view.plan[0].note == "given up"


def test_the_scenarios_own_instruction_is_judged_by_its_own_checks(session):
    session.instruct("Strike the yellow dummy,  then walk to the flag.")
    view = ticks(session, 5)
    assert [line.mark for line in view.plan].count(NOW) == 1 and view.plan[0].mark == NOW
    assert view.checks[0].text == str(session.scenario.success[0])
    view = until_done(session)
    assert view.checks[0].mark == DONE and all(line.mark == DONE for line in view.plan)


def test_an_instruction_of_ones_own_is_performed_in_order(session):
    session.instruct("sneak to the flag and taunt the blue dummy without touching the red block")
    view = ticks(session, 3)
    texts = [line.text for line in view.checks]
    assert texts == ["in_order: reached: flag within 0.5 m by crouch_walk, then facing: blue dummy "
                     "within 20 degrees, then performed: taunt", "never_touched: red block"]
    assert [line.mark for line in until_done(session).checks] == [DONE, DONE]


@pytest.mark.parametrize("text, skill", [
    ("kick the yellow dummy", "kick"), ("stab him with the blade", "stab"),
    ("kick the yellow dummy and walk to the flag", "kick")])
def test_the_blow_is_the_one_that_was_asked_for(session, text, skill):
    session.say(text)
    seen = set()
    view = session.tick()
    while view.busy:
        seen.add(view.skill)
        view = session.tick()
    assert skill in seen and not seen & ({"slash", "stab", "kick", "shield_bash"} - {skill})
    assert [line.mark for line in view.checks] == [DONE]


def test_a_blow_at_what_lies_already_is_struck_beside_it(session):
    session.say("slash the yellow dummy")
    until_done(session)
    session.say("slash the yellow dummy")
    view = until_done(session)
    assert "performed: slash" in view.checks[0].text and view.checks[0].mark == DONE


def test_search_refuses_a_clause_that_it_cannot_read(session):
    session.instruct("walk to the flag and juggle three chainsaws")
    view = session.tick()
    assert not view.busy and "juggle" in view.message


def test_a_planner_that_fails_is_reported_and_the_show_goes_on(matcher):
    class Broken:
        name = "llm"

        def make(self, situation):
            raise RuntimeError("boom")

    session = new_session(matcher, lambda scenario: (Broken(), "llm (nowhere)"))
    session.instruct("dance on the flag")
    view = until_done(session)
    assert "RuntimeError: boom" in view.message and view.planner == "llm (nowhere)"
    session.say("jump")
    assert until_done(session).message.startswith("done")


def test_the_simulation_goes_on_while_a_planner_thinks(matcher):
    gate = threading.Event()

    class Slow(SearchMaker):
        def make(self, situation):
            gate.wait(20.0)
            return super().make(situation)

    session = new_session(matcher, lambda scenario: (Slow(matcher), "slow"), patience=0.001)
    session.instruct("walk to the flag")
    before = session.tick().state.time
    view = ticks(session, 20)
    assert view.busy and view.skill == "idle" and view.state.time - before > 0.6
    assert view.plan == ()
    gate.set()
    assert until_done(session, 4000.0).checks[0].mark == DONE


def test_touches_during_thinking_reach_the_executor(matcher, session):
    view = session.tick()
    run = ErrandRun(session.scenario, SearchMaker(matcher), matcher, session.performer.skills,
                    view.state, view.pose)
    run.poll(None)
    touched = {n: replace(p, touched=n == "red block") for n, p in view.state.props.items()}
    run.saw(replace(view.state, props=touched), view.pose)
    run.answer(view.state, view.pose)
    run.poll(None)
    assert run.now().props["red block"].touched  # seen once ...
    run.answer(view.state, view.pose)
    assert not run.now().props["red block"].touched  # ... and not for ever
    run.stop()


def test_pause_stops_time_but_not_the_visitors(session):
    session.pause(True)
    first = session.tick()
    session.aim(Place((1.0, 1.0)))
    second = ticks(session, 5)
    assert second.paused and second.state.time == first.state.time
    assert second.target.xy == (1.0, 1.0)
    session.pause(False)
    assert session.tick().state.time > first.state.time


def test_slow_motion_and_pushes(session):
    session.slow(True)
    assert session.tick().speed == 0.25
    session.slow(False)
    assert session.tick().speed == 1.0
    session.push()
    session.push()
    session.tick()
    assert [round(float(np.hypot(*p)), 3) for p in session.performer.pushes] == [20.0, 20.0]
    assert session.performer.pushes[0] != session.performer.pushes[1]


def test_reset_puts_everything_back(session):
    session.say("smite the yellow one")
    until_done(session)
    session.reset()
    view = session.tick()
    assert view.state.props["yellow dummy"].up_z == 1.0 and np.hypot(*view.state.xy) < 0.05
    assert view.plan == () and view.task == ""


@pytest.mark.parametrize("text, says", [
    ("", "write what to do"), ("?!", "write what to do"), ("walk " * 400, "1999 characters")])
def test_texts_that_are_none(session, text, says):
    session.say(text)
    session.instruct(text)
    assert says in session.tick().message


def test_a_click_at_the_sky_aims_at_nothing(session):
    session.aim(Place((1.0, 1.0)))
    session.click((0.0, 0.0, 1.0), (0.0, 0.0, 1.0))
    assert session.tick().target is None


def test_no_way_is_a_sentence_not_an_end(session):
    session.say("walk to (3, -1.2)")  # inside the red block
    view = until_done(session)
    assert "room for the humanoid" in view.message and view.checks[0].mark == FAILED


def test_physics_out_of_range_start_anew(session):
    session.say("walk to the flag")
    ticks(session, 30)
    session.performer.spoil = lambda state: replace(
        state, root_pos=np.array([0.0, 0.0, np.nan], np.float32))
    session.tick()
    session.performer.spoil = lambda state: state
    view = session.tick()
    assert "put back to the start" in view.message and not view.busy
    assert np.isfinite(view.state.root_pos).all()


def test_who_lies_gets_up_or_is_put_on_its_feet(session):
    ticks(session, 3)
    session.performer.spoil = lying
    assert ticks(session, 2).skill == "get_up"
    session.performer.spoil = lambda state: state
    assert ticks(session, 2).skill == "idle" and not session.performer.stood_up
    session.performer.spoil = lying
    view = ticks(session, int(PATIENCE * 30) + 5)
    assert session.performer.stood_up == 1 and "put back on its feet" in view.message


def test_a_recording_holds_what_happened(session, tmp_path):
    made = []
    session.on_recording = made.append
    session.record(True)
    session.say("taunt")
    until_done(session)
    view = ticks(session, 1)
    frames = round(view.recording * 30)
    session.record(False)
    session.tick()
    film = made[0]
    assert len(film.body_pos) == frames + 1 == len(film.prop_rot)
    assert film.instruction == "taunt" and film.success
    assert [step["skill"] for step in film.steps] == ["taunt"]
    assert film.steps[0]["end"] == pytest.approx(2.5, abs=0.1)
    assert write_replay(film, tmp_path / "taunt.html").stat().st_size > 10_000


def test_a_recording_ends_by_itself(session, monkeypatch):
    monkeypatch.setattr("ppp.play.recorder.LONGEST", 1.0)
    made = []
    session.on_recording = made.append
    session.record(True)
    assert ticks(session, 40).recording is None
    assert len(made) == 1 and len(made[0].body_pos) == 31


@pytest.mark.parametrize("error, says", [
    (PPPError("no"), "no"), (RuntimeError("boom"), "that could not be done (RuntimeError: boom)")])
def test_errors_of_input_leave_the_session_as_it_was(session, monkeypatch, error, says):
    def refuse(text):
        raise error

    ticks(session, 2)
    with monkeypatch.context() as patch:
        patch.setattr(session.matcher, "match", refuse)
        session.say("jump")
        view = session.tick()
    assert view.message == says and not view.busy
