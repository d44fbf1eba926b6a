"""The last metres before a blow: straight at what is struck, where there is room for it."""
from __future__ import annotations

import math

import pytest
from planning_helpers import keyword_matcher, obstacle, scenario, search, situation, target

from ppp.planning.drafting import Draft
from ppp.planning.geometry import bearing, distance, segment_distance, wrap
from ppp.planning.places import strike_places
from ppp.planning.routes import Goal
from ppp.planning.run_up import RUN_UP, STRAIGHT, run_up

DOWN = [{"knocked_over": "dummy"}]


def drafted(made):
    now = situation(made)
    return Draft(now, keyword_matcher, "walk_forward", now.xy, now.heading)


def dummy(draft):
    return draft.now.prop("dummy")


def test_a_way_that_ends_straight_is_left_alone():
    draft = drafted(scenario(DOWN, [target("dummy", 5, 0)]))
    goals = [Goal((4.0, 0.0)), Goal((6.0, 0.0))]
    assert run_up(draft, dummy(draft), goals) == goals and draft.steps == []


def test_a_way_that_ends_askew_first_leads_to_where_a_straight_one_begins():
    """To strike from (4, 1) at (5, 1) the walk from the origin comes 14 degrees aside; from (5, 2)
    it would come from below, at right angles to the blow."""
    draft = drafted(scenario(DOWN, [target("dummy", 5, 1)]))
    goal = Goal((5.0, 2.0))
    assert run_up(draft, dummy(draft), [goal]) == [goal]
    assert draft.steps[-1].target == (5.0, 2.0 + RUN_UP) and draft.steps[-1].until == "reached"
    assert draft.xy == (5.0, 2.0 + RUN_UP)


def test_it_is_left_out_where_it_needs_a_long_detour_or_there_is_no_room(monkeypatch):
    far = drafted(scenario(DOWN, [target("dummy", 5, 1)]))
    beyond = [Goal((6.0, 1.0))]  # straight: the way there leads round the dummy, and back
    longer = drafted(scenario(DOWN, [target("dummy", 5, 1)]))
    assert run_up(longer, dummy(longer), beyond) == beyond
    begin = (6.0 + RUN_UP, 1.0)
    assert longer.steps[-1].target == begin
    monkeypatch.setattr("ppp.planning.run_up.DETOUR", 0.3)
    assert run_up(far, dummy(far), beyond) == beyond and far.steps == []
    monkeypatch.undo()
    walled = drafted(scenario(DOWN, [target("dummy", 5, 1), obstacle("wall", 5, 3.2, 3, 0.4)]))
    goal = [Goal((5.0, 2.0))]
    assert run_up(walled, dummy(walled), goal) == goal and walled.steps == []


@pytest.mark.parametrize("y", (-2.0, 0.5, 2.0))
def test_plans_of_the_search_arrive_straight_and_touch_nothing(y):
    made = scenario(DOWN, [target("dummy", 6, y), obstacle("block", 3, y, 0.6, 1.2)])
    plan = search(made)
    begin, end = plan.steps[-3].target, plan.steps[-2].target
    off = wrap(bearing(begin, end) - bearing(end, (6.0, y)))
    assert abs(off) <= STRAIGHT and distance(begin, end) > 0.8 * RUN_UP - 1e-3
    block = next(b for b in drafted(made).boxes() if b.name == "block")
    points = [(0.0, 0.0), *(step.target for step in plan.steps[:-1])]
    assert all(segment_distance(a, b, block) >= 0.4 for a, b in zip(points, points[1:]))


def test_the_straight_way_is_no_longer_than_it_may_be():
    """Of all places round the dummy one is taken whose approach costs little."""
    draft = drafted(scenario(DOWN, [{**target("dummy", 3, 3), "yaw": 45.0}]))
    goals = strike_places(draft.now, dummy(draft), "slash", 0.65, draft.boxes())
    chosen = run_up(draft, dummy(draft), goals)
    walked = sum(distance(a, b) for a, b in zip(
        [(0.0, 0.0), *(s.target for s in draft.steps)], [s.target for s in draft.steps]))
    assert walked + distance(draft.xy, chosen[0].xy) < math.hypot(3, 3)


def test_a_blow_from_behind_is_struck_from_where_the_sides_may_slide_with_the_target():
    """Struck down, it goes over ahead and to the left, and takes its sides with it: of two places
    as far off the middle of an allowed side the one to the right of that, seen by the fighter, has
    more room."""
    made = scenario([*DOWN, {"approached": "dummy", "side": "behind", "within": 60, "near": 2}],
                    [target("dummy", 5, 0)])
    draft = drafted(made)
    goals = strike_places(draft.now, dummy(draft), "slash", 0.65, draft.boxes(), draft.keeps())
    cost = {round(math.degrees(bearing((5.0, 0.0), goal.xy)) % 360.0, 1): goal.cost
            for goal in goals}
    best = 180.0 - 4.0  # the side is turned as a slash likes it
    assert cost[best - 22.5] < cost[best + 22.5] and cost[best] < cost[best + 22.5]
