"""The search planner: ways around boxes, skills by the checks, reasons for none."""
from __future__ import annotations

import math

import pytest
from planning_helpers import (
    STRIKE,
    keyword_matcher,
    obstacle,
    scenario,
    search,
    situation,
    target,
    turned_boxes,
)

from ppp.errors import PPPError
from ppp.planning.geometry import Box, bearing, box_of, distance, point_distance, segment_distance
from ppp.planning.routes import Goal, find_route
from ppp.planning.search import SearchMaker
from ppp.planning.validate import plan_errors
from ppp.planning.wording import passing_side


def legs(route, start):
    points = [start, *route.points]
    return list(zip(points, points[1:]))


def test_an_open_way_is_straight():
    route = find_route((0, 0), [Goal((4, 3))], [Box("far", (0, 9), (1, 1))])
    assert route.points == ((4.0, 3.0),)
    assert route.cost == pytest.approx(5.0)


def test_the_way_round_a_wall_has_the_length_worked_out_by_hand():
    wall = Box("wall", (3, 0), (0.3, 1.0))
    route = find_route((0, 0), [Goal((6, 0))], [wall])
    # the wall grown by 0.9 m, 1 mm outside, has each round corner cut in two: the upper ends of the
    # cuts are 0.901 tan(22.5) beside the wall's own corners (3 -+ 0.3, 1)
    aside = 0.3 + 0.901 * math.tan(math.radians(22.5))
    by_hand = 2 * math.hypot(3.0 - aside, 1.901) + 2 * aside
    assert route.cost == pytest.approx(by_hand, abs=1e-3)
    assert route.beside[:2] == ("wall", "wall")
    assert all(segment_distance(a, b, wall) >= 0.9 for a, b in legs(route, (0.0, 0.0)))


@pytest.mark.parametrize("seed", range(6))
def test_ways_among_turned_boxes_keep_the_radius_of_the_body(seed):
    boxes = turned_boxes(seed, 8)
    route = find_route((-7, 0), [Goal((7, 1))], boxes)
    assert route is not None
    for a, b in legs(route, (-7.0, 0.0)):
        assert min(segment_distance(a, b, box) for box in boxes) >= 0.4 - 1e-6


def test_a_narrow_gap_is_used_only_when_the_way_around_is_long():
    gap = [Box("l", (3, 2.5), (0.2, 2.0)), Box("r", (3, -2.5), (0.2, 2.0))]  # 1 m wide
    assert len(find_route((0, 0), [Goal((6, 0))], gap).points) == 1
    short = [Box("l", (3, 0.9), (0.2, 0.4)), Box("r", (3, -0.9), (0.2, 0.4))]
    around = find_route((0, 0), [Goal((6, 0))], short)
    assert abs(around.points[0][1]) > 1.3


def test_a_gap_narrower_than_the_body_is_closed():
    walls = [Box("l", (3, 10.35), (0.2, 10.0)), Box("r", (3, -10.35), (0.2, 10.0))]  # 0.7 m
    assert find_route((0, 0), [Goal((6, 0))], walls) is None


def test_the_designs_example_walks_round_and_slashes_in_reach():
    made = scenario(**STRIKE)
    steps = search(made).steps
    assert [keyword_matcher(s.command).skill for s in steps] == ["walk_forward"] * 3 + ["slash"]
    assert "red block" in steps[0].command and "right" in steps[0].command
    assert steps[0].target[1] < -1.7
    assert steps[-1].target == (6.0, 0.0)
    # where the side faces it, turned to the left by no more than does little harm
    assert 0.0 < math.pi / 2 - bearing(steps[-2].target, (6, 0)) < math.radians(16.0) + 1e-6
    assert 0.5 <= distance(steps[-2].target, (6, 0)) - 0.2 * math.sqrt(2) <= 1.25
    assert plan_errors(search(made), situation(made), keyword_matcher) == []


def test_the_way_on_leads_round_what_the_blow_has_felled():
    # slashed along x, the dummy falls to the left of that: the way to the post is on from there
    made = scenario([{"in_order": [{"knocked_over": "dummy"}, {"reached": [4.5, 2]}]}],
                    [target("dummy", 3, 0)])
    steps = search(made).steps
    at = next(i for i, s in enumerate(steps) if "slash" in s.command)
    begin = steps[at - 1].target
    assert point_distance(begin, box_of(made.scene().props[0])) == pytest.approx(0.65, abs=0.01)
    blow = bearing(begin, (3.0, 0.0))
    lies = Box("dummy", (3.0 + 0.3 * math.cos(blow) - 1.1 * math.sin(blow),
                         0.3 * math.sin(blow) + 1.1 * math.cos(blow)), (0.9, 0.2),
               blow + math.atan2(1.1, 0.3))
    stops = [s.target for s in steps[at - 1:] if "walk" in s.command]
    assert all(segment_distance(a, b, lies) > 0.4 for a, b in zip(stops, stops[1:]))


def test_the_same_plan_every_time():
    assert search(scenario(**STRIKE)) == search(scenario(**STRIKE))


def test_passing_side_is_the_boxs_side_as_the_walker_sees_it():
    box = Box("b", (3, 0), (1, 1))
    assert passing_side(box, (0, 0), (3, 2)) == "left"
    assert passing_side(box, (0, 0), (3, -2)) == "right"


def test_a_walk_ends_standing_still():
    steps = search(scenario([{"reached": [3, 2]}])).steps
    assert [keyword_matcher(s.command).skill for s in steps] == ["walk_forward", "idle"]
    assert steps[0].target == (3.0, 2.0) and steps[0].until == "reached"


def test_a_place_beside_a_wall_is_reached_as_near_as_the_body_allows():
    wall = obstacle("wall", 5, 0, 1.0, 1.0)
    steps = search(scenario([{"reached": [4.4, 0], "within": 0.6}], [wall])).steps
    assert distance(steps[-2].target, (4.4, 0)) <= 0.6
    assert segment_distance(steps[-2].target, steps[-2].target, Box("", (5, 0), (0.5, 0.5))) >= 0.4


def test_facing_turns_the_short_way():
    for y, skill in ((2, "turn_left"), (-2, "turn_right")):
        steps = search(scenario([{"facing": "dummy"}], [target("dummy", 0, y)])).steps
        assert [keyword_matcher(s.command).skill for s in steps] == [skill]


def test_without_a_turn_it_faces_by_walking():
    made = scenario([{"facing": "dummy"}], [target("dummy", 0, 3)])
    (step,) = search(made, ["walk_forward"]).steps
    assert step.target == pytest.approx((0.0, 0.8))
    with pytest.raises(PPPError, match="cannot turn"):
        search(made, ["idle"])


def test_facing_comes_after_the_last_walk():
    made = scenario([{"facing": "dummy"}, {"reached": [3, 0]}], [target("dummy", 0, 3)])
    skills = [keyword_matcher(s.command).skill for s in search(made).steps]
    assert skills == ["walk_forward", "turn_left"]


def test_a_gait_and_a_blow_that_are_asked_for_are_used():
    made = scenario(
        [{"performed": "run"}, {"performed": "kick"}, {"knocked_over": "dummy"}],
        [target("dummy", 4, 0)],
    )
    skills = [keyword_matcher(s.command).skill for s in search(made).steps]
    assert skills == ["run", "kick"]


def test_in_order_keeps_the_order():
    made = scenario([{"in_order": [{"reached": [3, 0]}, {"performed": "taunt"},
                                   {"reached": [0, 3]}]}])  # fmt: skip
    skills = [keyword_matcher(s.command).skill for s in search(made).steps]
    assert skills == ["walk_forward", "taunt", "walk_forward", "idle"]


def test_only_skills_of_the_policy_are_used():
    made = scenario([{"knocked_over": "dummy"}], [target("dummy", 4, 0)])
    skills = [keyword_matcher(s.command).skill for s in search(made, ["run", "stab"]).steps]
    assert skills == ["run", "stab"]
    with pytest.raises(PPPError, match="none of the skills slash, stab"):
        search(made, ["walk_forward", "taunt"])
    with pytest.raises(PPPError, match="none of the skills walk_forward"):
        search(made, ["slash", "taunt"])


def test_walls_all_around_are_named_as_the_reason():
    walls = [
        obstacle("near", 3, 0, 0.2, 4.2), obstacle("far", 7, 0, 0.2, 4.2),
        obstacle("left", 5, 2, 4.2, 0.2), obstacle("right", 5, -2, 4.2, 0.2),
    ]  # fmt: skip
    made = scenario([{"knocked_over": "dummy"}], [*walls, target("dummy", 5, 0)])
    with pytest.raises(PPPError, match="no way to strike 'dummy'.*'near', 'far', 'left', 'right'"):
        search(made)


def test_a_forbidden_target_cannot_be_struck():
    made = scenario(
        [{"knocked_over": "dummy"}, {"never_touched": "dummy"}], [target("dummy", 5, 0)]
    )
    with pytest.raises(PPPError, match="drop one check"):
        search(made)


def test_a_blow_keeps_its_distance_from_a_forbidden_thing():
    made = scenario(
        [{"knocked_over": "dummy"}, {"never_touched": "vase"}],
        [target("dummy", 5, 0), target("vase", 4.2, 0.8)],
    )
    walks = [s.target for s in search(made).steps if s.command.startswith("walk")]
    assert walks[-1][1] < 0.0


def test_names_that_mislead_the_matcher_are_left_out_of_commands():
    made = scenario([{"knocked_over": "kick bag"}], [target("kick bag", 4, 0)])
    steps = search(made).steps
    assert [s.command for s in steps] == ["walk forward", "slash the kick bag with the sword"]


def test_a_matcher_that_understands_nothing_is_reported():
    class Deaf:
        skill, known, distance = "", False, 9.0

    made = scenario([{"reached": [3, 2]}])
    with pytest.raises(PPPError, match="no command for the skill 'walk_forward'"):
        SearchMaker(lambda text: Deaf()).make(situation(made))
