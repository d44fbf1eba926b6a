"""Success checks on traces written by hand."""
from __future__ import annotations

import math

import numpy as np
from planning_helpers import obstacle, scenario, target

from ppp.planning.checks import evaluate, progress
from ppp.planning.performer import PropState, WorldState
from ppp.planning.situation import Outcome
from ppp.planning.trace import Trace

OBJECTS = [target("dummy", 3, 0), obstacle("wall", 0, 4, 1, 1)]


def trace(*rows):
    """One state a second from (x, heading in degrees, dummy's up_z) and further state by name."""
    made = Trace()
    for t, (x, heading, up, *more) in enumerate(rows):
        touched = "touched" in more
        made.add(
            WorldState(
                float(t),
                np.array([x, 0.0, 1.0]),
                math.radians(heading),
                fallen="fallen" in more,
                props={
                    "dummy": PropState(np.array([3.0, 0, 0.9]), up),
                    "wall": PropState(np.array([0.0, 4, 0.5]), 1.0, touched, "sword" in more),
                },
            )
        )
    return made


def outcome(skill, start, end, ok=True):
    return Outcome(skill, skill, (0.0, 0.0), 0.1, start, end, "done", ok, 0.0)


def judge(check, seen):
    (result,) = evaluate(scenario([check], OBJECTS), seen)
    return result.passed, result.detail


def test_reached_a_point_or_an_object():
    seen = trace((0, 0, 1), (1.6, 0, 1), (0, 0, 1))
    assert judge({"reached": [2, 0]}, seen) == (True, "nearest 0.40 m at 1.0 s")
    assert judge({"reached": [2, 0], "within": 0.3}, seen)[0] is False
    assert judge({"reached": "dummy", "within": 1.5}, seen) == (True, "nearest 1.40 m at 1.0 s")


def test_facing_is_judged_at_the_end():
    assert judge({"facing": "dummy"}, trace((0, 0, 1), (0, 90, 1)))[0] is False
    assert judge({"facing": "dummy"}, trace((0, 90, 1), (0, -15, 1))) == (
        True, "15 degrees off at 1.0 s",
    )  # fmt: skip
    # past the dummy it must look back, across the cut of the angle at 180 degrees
    assert judge({"facing": "dummy"}, trace((5, -179, 1)))[0] is True


def test_knocked_over_means_lying():
    assert judge({"knocked_over": "dummy"}, trace((0, 0, 1), (0, 0, 0.5))) == (
        False, "tipped by 60 degrees at most",
    )  # fmt: skip
    assert judge({"knocked_over": "dummy"}, trace((0, 0, 1), (0, 0, 0.1))) == (
        True, "fell at 1.0 s",
    )  # fmt: skip


def test_never_touched_and_never_fell():
    seen = trace((0, 0, 1), (0, 0, 1, "touched", "sword"), (0, 0, 1, "fallen"))
    assert judge({"never_touched": "wall"}, seen) == (False, "touched by the sword at 1.0 s")
    assert judge({"never_fell": True}, seen) == (False, "fell at 2.0 s")
    assert judge({"never_touched": "dummy"}, seen) == (True, "never touched")


def test_performed_needs_a_step_to_its_end():
    seen = trace((0, 0, 1), (0, 0, 1), (0, 0, 1))
    assert judge({"performed": "taunt"}, seen) == (False, "not performed")
    seen.outcomes.append(outcome("taunt", 0.0, 1.0, ok=False))
    assert judge({"performed": "taunt"}, seen) == (False, "1 tries, none to its end")
    seen.outcomes.append(outcome("taunt", 1.0, 2.0))
    assert judge({"performed": "taunt"}, seen) == (True, "carried out from 1.0 to 2.0 s")


def test_in_order_needs_the_order():
    there_and_back = trace((0, 0, 1), (2, 0, 1), (0, 0, 1), (-2, 0, 1))
    forth = {"in_order": [{"reached": [2, 0]}, {"reached": [-2, 0]}]}
    back = {"in_order": [{"reached": [-2, 0]}, {"reached": [2, 0]}]}
    assert judge(forth, there_and_back) == (True, "came true at 1.0 s, 3.0 s")
    assert judge(back, there_and_back)[0] is False
    assert progress(scenario([forth, back], OBJECTS), there_and_back) == (2, 1)


def test_in_order_a_fall_must_come_in_its_turn():
    early = trace((0, 0, 0.1), (2, 0, 0.1))
    check = {"in_order": [{"reached": [2, 0]}, {"knocked_over": "dummy"}]}
    assert judge(check, early)[0] is False


def test_in_order_a_skill_must_start_after_what_comes_before_it():
    seen = trace((0, 0, 1), (1, 0, 1), (2, 0, 1))
    check = {"in_order": [{"reached": [2, 0]}, {"performed": "taunt"}]}
    seen.outcomes.append(outcome("taunt", 0.0, 1.0))
    assert judge(check, seen)[0] is False
    seen.outcomes.append(outcome("taunt", 2.0, 2.0))
    assert judge(check, seen)[0] is True


def test_a_skill_counts_as_performed_when_it_is_seen_in_its_step():
    def judged(share):
        looked = []

        def recognise(frames, skill):
            looked.append((frames[:, 0].tolist(), skill))
            return share

        made = Trace(recognise)
        for t in range(7):
            made.add(WorldState(float(t), np.zeros(3), 0.0, frame=np.full(140, float(t))))
        made.outcomes = [outcome("taunt", 1.0, 2.0, ok=False), outcome("taunt", 3.0, 5.0)]
        (result,) = evaluate(scenario([{"performed": "taunt"}]), made)
        assert progress(scenario([{"performed": "taunt"}]), made) == (int(result.passed),)
        return result, looked

    result, looked = judged(0.5)
    assert result.passed and result.detail == "carried out from 3.0 to 5.0 s, seen in 50% of it"
    assert looked == [([3.0, 4.0, 5.0], "taunt")]  # only what was carried out, and only once
    result, _ = judged(0.2)
    assert not result.passed and result.detail == "carried out, but seen in 20% of it only"
    assert judged(None)[0].passed  # too short to tell


def test_a_figure_without_motion_is_believed():
    made = trace((0, 0, 1), (0, 0, 1), (0, 0, 1))
    made.outcomes = [outcome("taunt", 0.0, 2.0)]
    assert judge({"performed": "taunt"}, made) == (True, "carried out from 0.0 to 2.0 s")
