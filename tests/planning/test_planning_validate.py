"""A plan from a model is data: its form, its commands and its geometry are checked."""
from __future__ import annotations

import re

import pytest
from planning_helpers import STRIKE, keyword_matcher, obstacle, scenario, situation, target

from ppp.errors import PPPError
from ppp.planning.geometry import box_of, point_distance
from ppp.planning.plan_schema import Plan, PlanStep, parse_plan
from ppp.planning.skills import SKILLS
from ppp.planning.validate import plan_errors


def errors(steps, skills=SKILLS, made=None):
    plan = Plan(steps=[PlanStep(command=c, target=t) for c, t in steps])
    return plan_errors(plan, situation(made or scenario(**STRIKE), skills), keyword_matcher)


AROUND = [("walk", (1.9, 1.8)), ("walk", (4.1, 1.8)), ("walk", (5.4, 0.4))]


def test_a_sound_plan_has_no_errors():
    assert errors([*AROUND, ("slash", (6, 0))]) == []


def points(text):
    """Every [x, y] of a sentence."""
    return [tuple(map(float, p)) for p in re.findall(r"\[(-?[\d.]+), (-?[\d.]+)\]", text)]


def test_a_walk_through_the_block_is_refused_with_ways_out():
    (error,) = errors([("walk", (5, 0))])
    assert error.startswith(
        'step 1 ("walk", understood as walk forward): the straight walk from [0.00, 0.00] to [5.00'
    )
    assert 'goes through "red block": keep 0.4 m away from it by way of another point' in error
    # the block's sides are at x 2.7 and 3.3, y -1 and 1; 0.75 m further off are the clear corners
    corners = {(x, y) for x in (1.95, 4.05) for y in (-1.75, 1.75)}
    assert set(points(error.split("clear points")[1])) == corners


def test_the_ways_out_that_are_named_are_ways_out():
    """Of a turned block between a wall and a forbidden dummy, only clear corners are named."""
    things = [
        obstacle("block", 3, 0, 2.0, 0.4, yaw=30),
        obstacle("wall", 3, 2.2, 8.0, 0.2),
        target("dummy", 2.2, -1.6),
    ]
    made = scenario([{"reached": [6, 0]}, {"never_touched": "dummy"}], things)
    (error,) = errors([("walk", (6, 0))], made=made)
    named = points(error.split("clear points")[1])
    assert 1 <= len(named) < 4
    for xy in named:
        for prop in made.scene().props:
            assert point_distance(xy, box_of(prop)) >= 0.4, (xy, prop.name)


def test_a_walk_too_near_the_block_says_how_near():
    (error,) = errors([("walk", (0, 1.3)), ("walk", (6, 1.3))])
    assert error.startswith("step 2") and 'passes 0.30 m from "red block"' in error


def test_a_walk_that_ends_in_or_at_the_block_is_told_to_end_elsewhere():
    (error,) = errors([("walk", (3, 0.9))])
    assert 'the target [3.00, 0.90] lies inside "red block": choose one at least 0.4 m' in error
    (error,) = errors([("walk", (2.5, 0))])
    assert 'the target [2.50, 0.00] is 0.20 m from the side of "red block"' in error


def test_a_walk_into_what_is_to_be_struck_is_refused_until_it_fell():
    (error,) = errors([*AROUND[:2], ("walk", (6, 0.1))])
    assert error.startswith("step 3") and 'runs into "target", which stands there' in error
    assert errors([*AROUND, ("slash", (6, 0)), ("walk", (8, -0.5))]) == []


def test_the_wrong_side_and_the_zone_of_a_thing_are_named():
    made = scenario([{"approached": "dummy", "side": "behind"}], [target("dummy", 6, 0)])
    (error,) = errors([("walk", (5, 0)), ("walk", (3, 3)), ("walk", (7, 1))], made=made)
    assert error.startswith("step 3") and 'the target [7.00, 1.00] is on a forbidden side' in error
    assert "come from its side 'behind', or stay 2.5 m away" in error
    # (5, 2.4) is 2.6 m away, and on the way there the side is left at 2 m
    (error,) = errors([("walk", (5, 0)), ("walk", (5, 2.4))], made=made)
    assert 'to [5.00, 2.40] crosses a forbidden side of "dummy"' in error
    made = scenario([{"kept_away": "dummy", "by": 2}], [target("dummy", 6, 0)])
    (error,) = errors([("walk", (6, 2))], made=made)
    assert 'is 1.80 m from the side of "dummy": choose one at least 2 m off its sides' in error
    assert all(point_distance(xy, box_of(made.scene().props[0])) >= 2.0
               for xy in points(error.split("clear points")[1]))


def test_outside_the_arena_is_refused_with_its_bounds():
    # the schema refuses it in a reply; this is what a plan from elsewhere is told
    step = PlanStep.model_construct(command="walk", target=(0.0, 25.0), until=None)
    plan = Plan.model_construct(steps=[step])
    (error,) = plan_errors(plan, situation(scenario(**STRIKE)), keyword_matcher)
    assert "[0.00, 25.00] is outside the arena: both coordinates lie from -20 to 20 m" in error


def test_only_walks_move_the_humanoid():
    # a taunt at a coordinate does not bring it there: the second step still starts at the origin
    (error,) = errors([("taunt", (6, 5)), ("walk", (5.4, 0.4))])
    assert error.startswith("step 2")


@pytest.mark.parametrize("skill, reach", [("slash", 1.35), ("stab", 1.0), ("kick", 0.6)])
def test_a_blow_starts_within_the_reach_of_its_weapon(skill, reach):
    """The target's side is at x = 5.8; 0.15 m beyond the reach a blow still carries so far."""
    there = [("walk", (2, 1.8)), ("walk", (4.1, 1.8))]
    for gap, sound in ((reach + 0.14, True), (reach + 0.16, False)):
        found = errors([*there, ("walk", (5.8 - gap, 0)), (skill, (6, 0))])
        assert (found == []) == sound
    assert f"{gap:.2f} m from \"target\": walk to within {reach:g} m of its side first" in found[0]
    # the places named are in reach, clear of the block, and nothing is between
    for xy in points(found[0].split("for example")[1]):
        assert errors([*there, ("walk", xy), (skill, (6, 0))]) == []


def test_a_blow_through_the_block_is_refused():
    near = scenario(
        **{**STRIKE, "objects": [*STRIKE["objects"], target("behind", 3.6, 0)]},
        start={"position": [2.2, 0]},
    )
    (error,) = errors([("slash", (3.6, 0))], made=near)
    assert '"red block" stands between [2.20, 0.00] and "behind"' in error


def test_a_blow_at_nothing_is_told_where_its_target_stands():
    (error,) = errors([*AROUND, ("slash", (5.2, 1.0))])
    assert 'nothing that can be struck stands at [5.20, 1.00]: "target" stands at [6.00, 0.00]' in (
        error
    )
    shown = scenario([{"knocked_over": "dummy"}, {"performed": "slash"}], [target("dummy", 6, 0)])
    assert errors([("slash", (1, 0))], made=shown) == []  # it is asked for


def test_a_second_blow_at_the_same_thing_is_no_mistake():
    assert errors([*AROUND, ("slash", (6, 0)), ("slash", (6, 0))]) == []


def test_unknown_commands_and_missing_skills_are_refused():
    assert "no skill fits this command: say one of 'idle', 'walk forward'" in (
        errors([("dance", (1, 0))])[0]
    )
    (error,) = errors([("taunt", (1, 0))], ["idle", "walk_forward"])
    assert "understood as taunt): this robot cannot do that: it can do 'idle', 'walk fo" in error


def test_a_forbidden_thing_is_not_struck():
    made = scenario([{"never_touched": "dummy"}], [target("dummy", 1, 0)])
    assert "must never be touched" in errors([("slash", (1, 0))], made=made)[0]
    (error,) = errors([("walk", (2.2, 0)), ("slash", (3, 0.5))])
    assert 'would touch "red block", which must never be touched' in error


def test_every_mistake_is_named_in_the_order_of_the_steps():
    found = errors([("dance", (1, 0)), ("walk", (5, 0)), ("slash", (6, 0)), ("sing", (1, 0))])
    assert [e.split(" ")[1] for e in found] == ["1", "2", "4"]


def test_plans_read_from_replies():
    reply = '{"steps": [{"command": "walk", "target": [1, 2], "until": 2}]}'
    plan = parse_plan(f"```json\n{reply}\n```")
    assert plan.as_dict() == {"steps": [{"command": "walk", "target": [1.0, 2.0], "until": 2.0}]}


@pytest.mark.parametrize(
    "text, message",
    [
        ("sorry, no", "is not JSON"),
        ("{}", "steps: is missing"),
        ('{"steps": []}', "steps: is empty"),
        ('{"steps": [{"command": "walk", "target": [1, NaN]}]}', "steps[0].target[1]: must be"),
        ('{"steps": [{"command": "walk", "target": [1, 1e9]}]}', "steps[0].target[1]: must be"),
        ('{"steps": [{"command": "walk", "target": "there"}]}', "steps[0].target: must be two"),
        ('{"steps": [{"command": "a\\u001bb", "target": [1, 1]}]}', "control character"),
        ('{"steps": [{"comand": "walk", "target": [1, 1]}]}', "did you mean 'command'"),
        ('{"steps": [{"command": "a", "target": [1, 1], "until": "x"}]}', "reached, done or"),
        ('{"steps": ' + "[" * 20000, "is not JSON"),
        (" " * 70000, "characters"),
    ],
)
def test_mistakes_in_replies(text, message):
    with pytest.raises(PPPError) as caught:
        parse_plan(text)
    assert message in str(caught.value)
