"""A plan from a model is data: its form, its commands and its geometry are checked."""
from __future__ import annotations

import pytest
from planning_helpers import STRIKE, keyword_matcher, scenario, situation, target

from ppp.errors import PPPError
from ppp.planning.plan_schema import Plan, PlanStep, parse_plan
from ppp.planning.skills import SKILLS
from ppp.planning.validate import plan_errors


def errors(steps, skills=SKILLS, made=None):
    plan = Plan(steps=[PlanStep(command=c, target=t) for c, t in steps])
    return plan_errors(plan, situation(made or scenario(**STRIKE), skills), keyword_matcher)


AROUND = [("walk", (1.9, 1.8)), ("walk", (4.1, 1.8)), ("walk", (5.4, 0.4))]


def test_a_sound_plan_has_no_errors():
    assert errors([*AROUND, ("slash", (6, 0))]) == []


def test_a_walk_through_the_block_is_refused():
    (error,) = errors([("walk", (5, 0))])
    assert "step 1 ('walk')" in error and "goes through 'red block'" in error


def test_a_walk_too_near_the_block_says_how_near():
    (error,) = errors([("walk", (0, 1.3)), ("walk", (6, 1.3))])
    assert error.startswith("step 2") and "passes 0.30 m from 'red block'" in error


def test_only_walks_move_the_humanoid():
    # a taunt at a coordinate does not bring it there: the second step still starts at the origin
    (error,) = errors([("taunt", (6, 5)), ("walk", (5.4, 0.4))])
    assert error.startswith("step 2")


def test_a_blow_out_of_reach_or_through_the_block_is_refused():
    (error,) = errors([("slash", (6, 0))])
    assert "starts at [0.00, 0.00], 5.80 m from 'target'" in error
    near = scenario(
        **{**STRIKE, "objects": [*STRIKE["objects"], target("behind", 3.6, 0)]},
        start={"position": [2.2, 0]},
    )
    (error,) = errors([("slash", (3.6, 0))], made=near)
    assert "'red block' stands between" in error or "walk to within" in error


def test_unknown_commands_and_missing_skills_are_refused():
    assert "no skill fits" in errors([("dance", (1, 0))])[0]
    assert "cannot do" in errors([("taunt", (1, 0))], ["idle", "walk_forward"])[0]


def test_a_forbidden_target_is_not_struck():
    made = scenario([{"never_touched": "dummy"}], [target("dummy", 1, 0)])
    assert "must never be touched" in errors([("slash", (1, 0))], made=made)[0]


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
