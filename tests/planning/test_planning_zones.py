"""Rules as data: keep away, approach from a side, arrive in a gait; checked, planned, performed."""
from __future__ import annotations

import math

import numpy as np
import pytest
from planning_helpers import keyword_matcher, obstacle, perform, scenario, search, situation, target

from ppp.errors import PPPError
from ppp.planning.checks import evaluate
from ppp.planning.conditions import parse_condition
from ppp.planning.geometry import (
    Box,
    Polygon,
    outline,
    point_distance,
    segment_distance,
    to_segment,
)
from ppp.planning.kinematic import KinematicPerformer
from ppp.planning.performer import PropState, WorldState
from ppp.planning.plan_schema import Plan, PlanStep
from ppp.planning.situation import Outcome
from ppp.planning.trace import Trace
from ppp.planning.validate import plan_errors
from ppp.planning.zones import zones

TRIANGLE = Polygon("t", ((0.0, 0.0), (2.0, 0.0), (0.0, 2.0)))
SENTRY = {"name": "sentry", "kind": "target", "position": [5, 0], "yaw": 180}
BEHIND = {"approached": "sentry", "side": "behind", "within": 60, "near": 2.5}
FIRE = [obstacle("fire", 4, 0.4, 0.8, 0.8)]


def walk(*stops):
    return Plan(steps=[PlanStep(command="walk", target=xy, until="reached") for xy in stops])


def test_distances_to_a_triangle_worked_out_by_hand():
    points = np.array([[0.5, 0.5], [2.0, 2.0], [3.0, 0.0], [-1.0, -1.0]])
    by_hand = [0.0, math.sqrt(2.0), 1.0, math.sqrt(2.0)]
    assert point_distance(points, TRIANGLE) == pytest.approx(by_hand)
    assert segment_distance((-1, 1), (3, 1), TRIANGLE) == 0.0
    assert segment_distance((2, 2), (3, 3), TRIANGLE) == pytest.approx(math.sqrt(2.0))
    assert segment_distance((3, -1), (3, 5), TRIANGLE) == pytest.approx(1.0)
    assert to_segment((1.0, 1.0), (0.0, 0.0), (4.0, 0.0)) == pytest.approx(1.0)
    assert to_segment((7.0, 4.0), (0.0, 0.0), (4.0, 0.0)) == pytest.approx(5.0)


def test_a_box_as_a_polygon_has_the_same_distances():
    rng = np.random.default_rng(0)
    box = Box("b", (1.0, -0.5), (0.7, 1.4), 0.6)
    same = Polygon("b", tuple(map(tuple, box.corners())))
    for start, end in rng.uniform(-4, 4, (40, 2, 2)):
        assert segment_distance(start, end, same) == pytest.approx(
            segment_distance(start, end, box), abs=1e-9
        )


@pytest.mark.parametrize("shape", [Box("b", (1, 2), (0.5, 1.0), 0.4), TRIANGLE,
                                   Box("point", (3, 3), (0.0, 0.0))])
def test_an_outline_keeps_the_margin_and_no_more_than_the_overshoot(shape):
    corners = outline(shape, 2.0, 0.2)
    gaps = [segment_distance(a, b, shape) for a, b in zip(corners, np.roll(corners, -1, 0))]
    assert min(gaps) >= 2.0 - 1e-5
    assert point_distance(corners, shape).max() <= 2.2 + 1e-5


def test_the_closed_wedges_are_the_wrong_sides_and_only_those():
    made = scenario([{"knocked_over": "sentry"}, BEHIND], [SENTRY])
    keeps = zones(made, made.scene().props, ())

    def closed(x, y):
        return any(point_distance(np.array([x, y]), k.shape) == 0.0 for k in keeps)

    # the sentry looks along -x: behind it is x > 5, 60 degrees to either side
    assert closed(3.0, 0.0) and closed(5.0, 2.0) and closed(5.5, -2.0)
    assert not closed(7.0, 0.0) and not closed(6.5, 1.5) and not closed(2.0, 0.0)
    assert zones(made, made.scene().props, {"sentry"}) == []


def test_kept_away_is_measured_from_the_side_of_the_thing():
    made = scenario([{"kept_away": "fire", "by": 1.0}], FIRE)
    trace = Trace()
    for t, y in enumerate((3.0, 1.925, 2.5)):
        props = {"fire": PropState(np.array([4.0, 0.4, 0.5]))}
        trace.add(WorldState(float(t), np.array([4.0, y, 1.0]), 0.0, props=props))
    (result,) = evaluate(made, trace)
    assert result.passed and result.detail == "nearest 1.12 m at 1.0 s"
    made = scenario([{"kept_away": "fire", "by": 1.2}], FIRE)
    assert not evaluate(made, trace)[0].passed


def test_a_marker_can_be_kept_away_from():
    made = scenario(
        [{"reached": [6, 0]}, {"kept_away": "mine", "by": 1.5}],
        [{"name": "mine", "kind": "marker", "position": [3, 0]}],
    )
    result = perform(made)
    assert result.success and result.time_s > 6.0


def test_approached_counts_until_the_thing_lies():
    made = scenario([BEHIND], [SENTRY])
    places = [(8.0, 0.0, 1.0), (6.5, 0.0, 1.0), (6.5, 0.0, 0.1), (4.0, 0.0, 0.1)]

    def judged(rows):
        trace = Trace()
        for t, (x, y, up) in enumerate(rows):
            props = {"sentry": PropState(np.array([5.0, 0.0, 0.9]), up)}
            trace.add(WorldState(float(t), np.array([x, y, 1.0]), 0.0, props=props))
        return evaluate(made, trace)[0]

    assert judged(places).passed
    before = judged([(x, y, 1.0) for x, y, _ in places])
    assert not before.passed and before.detail == "on another side, 1.00 m from it, at 3.0 s"


def test_the_plan_comes_from_behind_and_the_performance_holds_it():
    made = scenario([{"knocked_over": "sentry"}, BEHIND], [SENTRY])
    steps = search(made).steps
    walks = [s.target for s in steps if keyword_matcher(s.command).skill == "walk_forward"]
    assert len(walks) >= 3 and walks[-1][0] > 5.5
    result = perform(made)
    assert result.success and result.checks[1].detail == "never on another side"


def test_the_plan_keeps_away_with_a_margin():
    made = scenario([{"reached": [8, 0]}, {"kept_away": "fire", "by": 2.0}], FIRE)
    result = perform(made)
    assert result.success and result.replans == 0
    nearest = float(result.checks[1].detail.split()[1])
    assert 2.0 <= nearest < 2.6


def test_a_plan_that_breaks_a_rule_is_told_which_and_how_to_mend_it():
    made = scenario([{"reached": [8, 0]}, {"kept_away": "fire", "by": 2.0}], FIRE)
    (error,) = plan_errors(walk((8, 0)), situation(made), keyword_matcher)
    assert "goes through" in error and "fire" in error and "keep 0.4 m" in error
    (error,) = plan_errors(walk((4, -1.5), (8, 0)), situation(made), keyword_matcher)[:1]
    assert "fire" in error and "at least 2 m off its sides" in error
    made = scenario([{"knocked_over": "sentry"}, BEHIND], [SENTRY])
    (error,) = plan_errors(walk((3.6, 0)), situation(made), keyword_matcher)
    assert "come from its side 'behind', or stay 2.5 m away" in error


def test_the_executor_stops_a_walk_into_a_zone():
    made = scenario([{"reached": [8, 0]}, {"kept_away": "fire", "by": 2.0}], FIRE)
    result = perform(made, plan=walk((8.0, -2.2)))
    assert "'fire' is in the way from here" in result.steps[0].ended
    assert result.success and result.replans >= 1


def test_a_gait_of_arrival_is_used_and_judged():
    check = {"reached": [0, 4], "by": "crouch_walk"}
    result = perform(scenario([check, {"reached": [4, 0]}]))
    gaits = {s.skill: s.target for s in result.steps if s.skill in ("crouch_walk", "walk_forward")}
    assert result.success
    assert gaits == {"crouch_walk": (0.0, 4.0), "walk_forward": (4.0, 0.0)}
    made = scenario([check])
    trace = Trace()
    for t, y in enumerate((0.0, 4.0)):
        trace.add(WorldState(float(t), np.array([0.0, y, 1.0]), 0.0))
    trace.outcomes.append(Outcome("w", "walk_forward", (0, 4), 0.1, 0.0, 1.0, "reached", True, 0))
    (judged,) = evaluate(made, trace)
    assert not judged.passed and judged.detail == "came there, but not by crouch_walk"
    with pytest.raises(PPPError, match="has no skill 'crouch_walk'"):
        search(made, ["walk_forward"])


def test_a_backward_walk_begins_with_a_turn_of_its_back():
    class Watched(KinematicPerformer):
        turned = 0

        def command(self, skill, target_xy):
            self.turned += skill.startswith("turn")
            super().command(skill, target_xy)

    # in front of it: it must turn round first; behind it: not
    for x, turns in ((4.0, True), (-4.0, False)):
        performer = Watched()
        result = perform(scenario([{"reached": [x, 0], "by": "walk_backward"}]), performer)
        assert result.success and bool(performer.turned) is turns
        off = math.cos(performer._state().heading - (math.pi if x > 0 else 0.0))
        assert off > 0.9  # its face looks back


@pytest.mark.parametrize(
    ("check", "message"),
    [
        ({"kept_away": "fire"}, "by: is missing"),
        ({"kept_away": "fire", "by": 0}, "must be a number from 0.1"),
        ({"approached": "x", "side": "behnd"}, "did you mean 'behind'"),
        ({"approached": "x", "side": "behind", "within": 5}, "from 15 to 120"),
        ({"reached": [1, 1], "by": "walk_backwrd"}, "did you mean 'walk_backward'"),
        ({"in_order": [{"kept_away": "x", "by": 1}, {"reached": [1, 1]}]}, "no place in an order"),
    ],
)
def test_mistakes_in_rules_are_named(check, message):
    with pytest.raises(ValueError, match=message):
        parse_condition(check)


def test_rules_that_the_start_breaks_are_refused():
    with pytest.raises(PPPError, match="the start is only 3.60 m away"):
        scenario([{"kept_away": "fire", "by": 5.0}], FIRE)
    near = {**SENTRY, "position": [2, 0]}
    with pytest.raises(PPPError, match="another side already"):
        scenario([BEHIND], [near])


def test_rules_that_exclude_each_other_are_a_reason_for_no_plan():
    made = scenario([{"knocked_over": "dummy"}, {"kept_away": "dummy", "by": 3.0}],
                    [target("dummy", 6, 0)])
    with pytest.raises(PPPError, match="no place in reach.*zones around 'dummy'"):
        search(made)
