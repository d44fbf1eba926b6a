"""Generated scenes, the order of goals, and the shortest way as a yardstick."""
from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import yaml
from planning_helpers import (
    keyword_matcher,
    obstacle,
    perform,
    scenario,
    search,
    situation,
    target,
    turned_boxes,
)

from ppp.errors import PPPError
from ppp.planning.generate import _box_of, between, can_be_solved, generate, generated_data
from ppp.planning.geometry import Box, distance
from ppp.planning.levels import LEVELS
from ppp.planning.optimum import Rounded, Sector, shortest
from ppp.planning.ordering import _best, _nearest, in_best_order
from ppp.planning.routes import Goal, find_route, lengths_between
from ppp.planning.scenario import parse_scenario
from ppp.planning.todo import remaining
from ppp.planning.validate import plan_errors
from ppp.scenarios import to_yaml

WALL = Rounded((3.0, 0.0), (0.3, 1.0), 0.0, 0.75)


def test_the_shortest_way_round_a_corner_is_tangents_and_arcs():
    # from the origin to the circle of 0.75 m around the corner (2.7, 1), along it, 0.6 m along the
    # wall, and the same on the other side
    off, far = math.atan2(1.0, 2.7), math.hypot(2.7, 1.0)
    tangent = math.sqrt(far**2 - 0.75**2)
    arc = 0.75 * (math.asin(0.75 / far) + off)
    by_hand = 2.0 * (tangent + arc) + 0.6
    (found,) = shortest((0, 0), [(6, 0)], [WALL])
    assert by_hand * 0.995 <= found <= by_hand + 1e-6


def test_an_open_way_is_straight_and_a_closed_one_infinite():
    assert shortest((0, 0), [(3, 4)], [])[0] == pytest.approx(5.0)
    walls = [Rounded((0, s), (3.0, 0.1), 0.0, 0.4) for s in (-2.0, 2.0)]
    walls += [Rounded((s, 0), (0.1, 3.0), 0.0, 0.4) for s in (-2.0, 2.0)]
    assert np.isinf(shortest((0, 0), [(5, 0)], walls)[0])


def test_the_way_into_a_sector_goes_round_to_its_side():
    behind = Sector((5.0, 0.0), 0.0, math.radians(60.0), 2.5)
    (length,) = shortest((0, 0), [(6.4, 0.0)], [], [behind])
    # a tangent to the circle, a sixth of it, and in along the edge of the sector
    edge = (5.0 + 2.5 * math.cos(math.radians(60.0)), 2.5 * math.sin(math.radians(60.0)))
    by_hand = math.sqrt(25.0 - 2.5**2) + 2.5 * math.pi / 3.0 + distance(edge, (6.4, 0.0))
    assert 0.995 * by_hand <= length <= by_hand + 1e-3
    assert shortest((0, 0), [(1.0, 3.0)], [], [behind])[0] == pytest.approx(math.hypot(1, 3))


@pytest.mark.parametrize("seed", range(3))
def test_no_plan_is_shorter_than_the_optimum_at_its_own_clearance(seed):
    boxes = turned_boxes(seed, 6)
    route = find_route((-7, 0), [Goal((7, 1))], boxes)
    stops = [(-7.0, 0.0), *route.points]
    length = sum(distance(a, b) for a, b in zip(stops, stops[1:]))
    walls = [Rounded(b.centre, b.half, b.yaw, 0.4) for b in boxes]
    (best,) = shortest((-7, 0), [(7, 1)], walls)
    assert best <= length + 1e-3 < 1.35 * best


@pytest.mark.parametrize("level", list(LEVELS))
def test_a_level_keeps_its_numbers_and_can_be_planned_and_performed(level):
    numbers = LEVELS[level]
    for seed in range(1 if level == "hard" else 2):
        made = generate(level, seed)
        obstacles = [o for o in generated_data(level, seed)["objects"] if o["kind"] == "obstacle"]
        goals = [o for o in made.objects if o.kind != "obstacle"]
        assert numbers.goals[0] <= len(goals) <= numbers.goals[1]
        assert numbers.obstacles[0] <= len(obstacles) <= numbers.obstacles[1]
        for a, b in itertools.combinations(map(_box_of, obstacles), 2):
            assert between(a, b) >= numbers.gap
        assert can_be_solved(made)
        result = perform(made)
        assert result.success, (result.ended, [c.detail for c in result.checks if not c.passed])


def test_the_same_seed_makes_the_same_scene_and_another_one_another():
    assert generated_data("middle", 7) == generated_data("middle", 7)
    assert generated_data("middle", 7) != generated_data("middle", 8)


def test_a_generated_file_reads_back_as_the_same_scenario():
    data = generated_data("middle", 3)
    assert parse_scenario(yaml.safe_load(to_yaml(data, "middle", 3))) == generate("middle", 3)


def test_a_closed_scene_has_no_way_and_is_refused():
    for level in ("easy", "middle"):
        closed = generate(level, 1, solvable=False)
        assert not can_be_solved(closed)
        with pytest.raises(PPPError, match="no way to|no place"):
            search(closed)


def test_an_unknown_level_and_a_bad_seed_are_refused():
    with pytest.raises(PPPError, match="did you mean 'hard'"):
        generate("hrad", 0)
    with pytest.raises(PPPError, match="--seed must be"):
        generate("easy", -1)


def brute_force(lengths, before):
    def cost(order):
        stops = [0, *(i + 1 for i in order)]
        return sum(lengths[a, b] for a, b in zip(stops, stops[1:]))

    allowed = [
        order for order in itertools.permutations(range(len(before)))
        if all(order.index(n) < order.index(i) for i, needed in enumerate(before) for n in needed)
    ]
    return min(map(cost, allowed)), cost


@pytest.mark.parametrize("seed", range(4))
def test_the_order_is_the_best_of_all_that_are_allowed(seed):
    rng = np.random.default_rng(seed)
    points = rng.uniform(-5, 5, (6, 2))
    lengths = np.linalg.norm(points[:, None] - points, axis=-1)
    before = [set(), set(), {0}, set(), {2} if seed % 2 else set()]
    best, cost = brute_force(lengths, before)
    assert cost(_best(lengths, before)) == pytest.approx(best, abs=1e-5)
    greedy = _nearest(lengths, before)
    assert sorted(greedy) == list(range(5)) and greedy.index(0) < greedy.index(2)


def names(made):
    now = situation(made)
    todos = in_best_order(remaining(now), now, [], [])
    return [getattr(t.condition, "knocked_over", None) or t.condition.performed for t in todos]


def test_goals_without_an_order_are_taken_on_the_shortest_tour():
    things = [target("far", 8, 0), target("near", 2, 0), target("back", -1.5, 0)]
    checks = [{"knocked_over": t["name"]} for t in things]
    assert names(scenario(checks, things)) == ["back", "near", "far"]
    assert names(scenario([{"in_order": checks}], things)) == ["far", "near", "back"]
    # what is performed after a goal stays with it
    checks = [checks[0], {"performed": "taunt"}, *checks[1:]]
    assert names(scenario(checks, things)) == ["back", "near", "far", "taunt"]


def test_walls_count_in_the_order():
    # the dummy behind the long wall is nearer as the crow flies, and further to walk
    things = [target("behind", 3, 0), target("open", 0, -4), obstacle("wall", 1.5, 2, 0.3, 9.0)]
    checks = [{"knocked_over": "behind"}, {"knocked_over": "open"}]
    skills = [s.target for s in search(scenario(checks, things)).steps]
    assert skills.index((0.0, -4.0)) < skills.index((3.0, 0.0))
    walls = [Box("wall", (1.5, 2.0), (0.15, 4.5))]
    lengths = lengths_between([(0, 0), (3, 0), (0, -4)], walls)
    assert lengths[0, 1] > lengths[0, 2] == pytest.approx(4.0)


def test_a_way_through_a_passage_barely_wide_enough_is_found():
    """A bent passage of 0.82 m: corners must be rounded closely, or it seems closed."""
    walls = [
        obstacle("a", 3.0, 5.41, 0.3, 10.0), obstacle("b", 3.0, -5.41, 0.3, 10.0),
        obstacle("c", 4.02, 0.0, 0.1, 2.0),
    ]  # fmt: skip
    made = scenario([{"reached": [7, 0]}], walls)
    plan = search(made)
    assert plan_errors(plan, situation(made), keyword_matcher) == []
    assert max(abs(step.target[1]) for step in plan.steps) < 3.0


def test_a_target_in_a_niche_is_struck_from_nearer():
    """Where the usual distance for a blow has a wall on it, a nearer place does."""
    walls = [obstacle("left", 5.0, 1.1, 3.0, 0.3), obstacle("right", 5.0, -1.1, 3.0, 0.3),
             obstacle("back", 6.6, 0.0, 0.3, 2.5), obstacle("post", 3.7, 0.0, 0.25, 0.25)]
    made = scenario([{"knocked_over": "dummy"}], [*walls, target("dummy", 5.2, 0)])
    result = perform(made)
    assert result.success
