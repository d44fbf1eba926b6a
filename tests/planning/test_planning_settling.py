"""Between the steps of a plan: what lies aside is faced before a blow; walks arrive facing it."""
from __future__ import annotations

import math

import numpy as np
import pytest

from ppp.engines.scene import Prop, Scene
from ppp.planning.endings import Arrival, Limits, Walk
from ppp.planning.geometry import bearing, distance, wrap
from ppp.planning.kinematic import KinematicPerformer
from ppp.planning.settling import (
    ASIDE,
    GUARD,
    RESTING,
    TURN_TO,
    ground_speed,
    recover,
    right_of,
    settle,
    square_up,
    turn_round,
    turning_speed,
)
from ppp.planning.trace import Trace

AIM = (1.0, 0.0)


def standing(heading, skills=None):
    """A figure at the origin that looks so many degrees to the left of the aim."""
    performer = KinematicPerformer(skills) if skills else KinematicPerformer()
    trace = Trace(None)
    scene = Scene((Prop("dummy", "target", AIM),))
    trace.add(performer.reset(scene, (0.0, 0.0), math.radians(heading), 0))
    return performer, trace


def aside(trace):
    return abs(wrap(bearing(trace.now.xy, AIM) - trace.now.heading))


@pytest.mark.parametrize("heading", (20.0, -20.0))
def test_what_lies_a_little_aside_is_stepped_to_without_turning(heading):
    performer, trace = standing(heading)
    settle(performer, trace, "slash", AIM, 60.0)
    assert aside(trace) < ASIDE
    assert trace.now.heading == pytest.approx(math.radians(heading), abs=1e-3)
    assert 0.2 < distance(trace.now.xy, (0.0, 0.0)) < 0.5  # 1 m times the sine of 20 degrees
    assert (trace.now.xy[1] > 0.0) == (heading < 0.0)


def test_a_slash_likes_its_target_three_degrees_to_the_left():
    """What is 5 degrees to the right is stepped to, what is 5 to the left is not; a stab does not
    mind either."""
    performer, trace = standing(5.0)
    settle(performer, trace, "slash", AIM, 60.0)
    left = bearing(trace.now.xy, AIM) - trace.now.heading
    assert abs(left - math.radians(3.0)) < ASIDE and trace.now.xy[1] < 0.0
    x, y = right_of((1.0, 1.0), (1.0, 3.0), math.radians(90.0))
    assert (x, y) == pytest.approx((3.0, 1.0))


class Told(KinematicPerformer):
    """Remembers what it was told."""

    def __init__(self):
        super().__init__()
        self.told = []

    def command(self, skill, target_xy):
        self.told.append((skill, target_xy))
        super().command(skill, target_xy)


def walking(skill, to):
    """A figure on its way from the origin; what it was told is forgotten."""
    performer, trace = Told(), Trace(None)
    trace.add(performer.reset(Scene(()), (0.0, 0.0), 0.0, 0))
    performer.command(skill, to)
    for _ in range(30):  # 1 s
        trace.add(performer.step())
    performer.told.clear()
    return performer, trace


@pytest.mark.parametrize("skill", ("block", "idle"))
def test_a_walk_is_stopped_by_a_turn_begun_straight_ahead(skill):
    performer, trace = walking("walk_forward", (9.0, 0.0))
    settle(performer, trace, skill, (0.0, 9.0), 60.0)
    first, (x, y) = performer.told[0]
    assert first.startswith("turn") and y == pytest.approx(0.0, abs=1e-6) and x > trace.now.xy[0]
    assert [name for name, _ in performer.told[1:]] == ([] if skill == "idle" else ["idle"])
    assert trace.now.heading == pytest.approx(0.0, abs=1e-6)


def test_who_stands_or_walks_backward_needs_no_turn_to_stop():
    for performer, trace in (walking("idle", (9.0, 0.0)), walking("walk_backward", (-9.0, 0.0))):
        settle(performer, trace, "block", (9.0, 0.0), 60.0)
        assert not any(name.startswith("turn") for name, _ in performer.told)


def test_a_stop_ends_when_the_time_is_up():
    performer, trace = walking("walk_forward", (9.0, 0.0))
    settle(performer, trace, "block", (9.0, 0.0), 1.2)
    assert trace.now.time == pytest.approx(1.2, abs=0.04)


def test_out_of_a_walk_a_turn_begins_without_a_stop():
    performer, trace = walking("walk_forward", (9.0, 0.0))
    turn_round(performer, trace, "walk_forward", (-9.0, 0.5), 60.0)
    assert [name for name, _ in performer.told] == ["turn_left"]
    assert abs(trace.now.heading) > math.radians(150.0)


def test_after_a_blow_it_stands_and_looks_ahead():
    performer, trace = walking("walk_forward", (9.0, 0.0))
    before = trace.now.time
    recover(performer, trace, 60.0)
    name, (x, y) = performer.told[-1]
    assert name == "idle" and x > trace.now.xy[0] and y == pytest.approx(0.0, abs=1e-6)
    assert trace.now.time - before >= GUARD


def test_what_lies_far_aside_is_turned_to_on_the_spot():
    performer, trace = standing(80.0)
    settle(performer, trace, "slash", AIM, 60.0)
    assert abs(trace.now.heading) < math.radians(25.0)


@pytest.mark.parametrize("heading, skill, free", ((-5.0, "slash", True), (2.0, "slash", True),
                                                  (5.0, "stab", True), (20.0, "taunt", True),
                                                  (20.0, "slash", False)))
def test_nothing_is_done_for_what_is_ahead_for_no_blow_or_where_there_is_no_room(
        heading, skill, free):
    performer, trace = standing(heading)
    settle(performer, trace, skill, AIM, 60.0, lambda xy: free)
    assert trace.now.xy == (0.0, 0.0)
    assert trace.now.heading == pytest.approx(math.radians(heading))


def test_squaring_up_ends_when_the_time_is_up():
    performer, trace = standing(20.0)
    square_up(performer, trace, AIM, 0.1)
    assert trace.now.time <= 0.2


def test_the_rate_of_turn_is_that_of_the_last_steps():
    performer, trace = standing(0.0)
    performer.command("turn_left", (-1.0, 0.1))
    for _ in range(12):
        trace.add(performer.step())
    first, last = trace.states[-7], trace.states[-1]
    assert turning_speed(trace.states) == pytest.approx(
        (last.heading - first.heading) / (6 / 30), rel=1e-6)


def test_a_walk_that_leads_up_to_something_runs_on_towards_it():
    """Beside its end by 0.1 m it steers past it at the object, not back to the end itself."""
    leg = Walk((0.0, 0.0), (3.0, 0.0), exact=True, onward=(4.0, 0.5))
    rule = Arrival(leg, 0.35, [], Limits())
    x, y = rule.aim((2.9, 0.1))
    assert 0.0 < bearing((2.9, 0.1), (x, y)) < math.radians(35.0)
    plain = Arrival(leg._replace(onward=None), 0.35, [], Limits()).aim((2.9, 0.1))
    assert bearing((2.9, 0.1), plain) < -math.radians(30.0)
    # further beside the leg it would miss the end: it steers at that
    back = rule.aim((2.9, 0.3))
    assert bearing((2.9, 0.3), back) < -math.radians(60.0)


def test_the_humanoid_comes_to_rest_before_a_blow():
    """Between the walk and the slash the pelvis slows down below a quarter metre a second."""
    performer, trace = KinematicPerformer(), Trace(None)
    trace.add(performer.reset(Scene(()), (0.0, 0.0), 0.0, 0))
    performer.command("walk_forward", (9.0, 0.0))
    for _ in range(30):
        trace.add(performer.step())
    assert ground_speed(trace.states) > RESTING
    before = len(trace.states)
    settle(performer, trace, "walk_forward", (9.0, 0.0), 60.0)
    assert len(trace.states) == before  # a gait needs no rest
    settle(performer, trace, "slash", (9.0, 0.0), 60.0)
    assert ground_speed(trace.states) <= RESTING and len(trace.states) > before


def test_a_walk_back_begins_with_a_turn_on_the_spot():
    """Facing along x with the target behind: turned to it before the first step is walked."""
    performer, trace = KinematicPerformer(), Trace(None)
    trace.add(performer.reset(Scene(()), (0.0, 0.0), 0.0, 0))
    turn_round(performer, trace, "walk_forward", (3.0, 1.0), 60.0)
    assert len(trace.states) == 1  # nearly ahead: nothing to turn
    turn_round(performer, trace, "walk_forward", (-3.0, 1.0), 60.0)
    wanted = np.arctan2(1.0, -3.0)
    assert abs(trace.now.heading - wanted) <= TURN_TO + 0.1
    assert np.allclose(trace.now.xy, (0.0, 0.0), atol=0.05)


def test_a_way_aside_is_turned_to_from_rest_and_walked_into_from_a_walk():
    """60 degrees aside: on the spot first who stands, in a curve who walks already."""
    performer, trace = KinematicPerformer(), Trace(None)
    trace.add(performer.reset(Scene(()), (0.0, 0.0), 0.0, 0))
    aim, wanted = (2.0, 2.0 * np.sqrt(3.0)), np.pi / 3
    turn_round(performer, trace, "walk_forward", aim, 60.0)
    assert abs(trace.now.heading - wanted) <= TURN_TO + 0.1
    performer.command("walk_forward", aim)
    for _ in range(30):
        trace.add(performer.step())
    walked, here = len(trace.states), trace.now
    aside = here.heading + np.pi / 3
    turn_round(performer, trace, "walk_forward",
               (here.xy[0] + 4.0 * np.cos(aside), here.xy[1] + 4.0 * np.sin(aside)), 60.0)
    assert len(trace.states) == walked
