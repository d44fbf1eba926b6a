"""A scenario as the learned planner sees it, and its actions as the humanoid's steps."""
from __future__ import annotations

import math

import numpy as np
import pytest
import yaml
from rearrangement_scenes import Script, matcher

from ppp.errors import PPPError
from ppp.planning.conditions import InOrder
from ppp.planning.executor import Executor
from ppp.planning.kinematic import KinematicPerformer
from ppp.planning.scenario import parse_scenario
from ppp.planning.situation import initial_observation, situation_of
from ppp.planning.skills import SKILLS
from ppp.rearrangement import ACTIONS, NAMES, OBS, Task, TaskEnv
from ppp.rearrangement import vocabulary as words
from ppp.rearrangement.actions import HUMANOID, INDEX
from ppp.rearrangement.layout import YARD, make_layout
from ppp.rearrangement.observe import _FLAGS, _GEOMETRY, _LAST
from ppp.rearrangement.physical import _spread, as_yaml, make_scenarios, objects
from ppp.rearrangement.planner import LearnedPlanner
from ppp.rearrangement.scene import Bridge
from ppp.rearrangement.task import Setup


def scenario(success, **more):
    return parse_scenario({
        "name": "test", "instruction": "Strike the Red Box, then go to the red pole.",
        "objects": [{"name": "red box", "kind": "target", "position": [4, 0]},
                    {"name": "red", "kind": "target", "position": [0, 5]},
                    {"name": "sandbag", "kind": "target", "position": [-4, 0]},
                    {"name": "pole", "kind": "marker", "position": [0, -4]}],
        "success": success, **more})


def situation(made, xy=(0.0, 0.0), heading=0.0, fallen=()):
    now = initial_observation(made)
    found = situation_of(made, SKILLS, made.scene(), now)
    return type(found)(**{**vars(found), "xy": xy, "heading": heading,
                          "fallen": frozenset(fallen)})


def perform(made, *actions):
    performer, chooser = KinematicPerformer(), Script(*actions)
    planner = LearnedPlanner(made, performer.skills, chooser, matcher)
    result = Executor(made, planner, performer, matcher, "learned").perform(0)
    return result, planner, chooser


def test_things_get_names_of_the_vocabulary_and_the_instruction_follows():
    bridge = Bridge(scenario([{"knocked_over": "red box"}]), matcher)
    assert bridge.slots["sandbag"] == "sandbag"  # its own name
    first = bridge.things["red box"]
    assert first in words.DUMMIES and bridge.things["pole"] in words.LANDMARKS
    assert len(set(bridge.things.values())) == 4
    assert bridge.instruction == (
        f"Strike the {first}, then go to the {bridge.things['red']} {bridge.things['pole']}.")


def test_what_the_instruction_names_comes_before_what_does_not_fit():
    objects = [{"name": f"box {i}", "kind": "target", "position": [3 * i, 3]} for i in range(7)]
    made = parse_scenario({"name": "many", "instruction": "Strike box 6.", "objects": objects,
                           "start": {"position": [0, 0]}, "success": [{"knocked_over": "box 6"}]})
    bridge = Bridge(made, matcher)
    assert "box 6" in bridge.things and len(bridge.things) == len(words.DUMMIES)
    empty = parse_scenario({"name": "e", "instruction": "Walk.", "success": [{"reached": [1, 2]}]})
    with pytest.raises(PPPError, match="learned planner needs"):
        Bridge(empty, matcher).observe(situation(empty), 0)


def test_what_is_seen_from_where_one_stands():
    made = scenario([{"knocked_over": "red box"}])
    bridge = Bridge(made, matcher)
    now = situation(made, (1.0, 0.0), math.pi / 2, fallen=["red"])
    seen = bridge.observe(now, 3, ACTIONS[INDEX["go", "sandbag"]], invalid=True)
    assert seen.entities.shape == (OBS.E, OBS.F) and seen.self_state.shape == (OBS.S,)
    rows = {NAMES[n]: seen.entities[i] for i, n in enumerate(seen.names) if seen.mask[i]}
    assert set(rows) == set(bridge.slots)
    box = rows[bridge.things["red box"]]
    # 3 m to the right of who looks north
    np.testing.assert_allclose(box[_GEOMETRY:_FLAGS], [0.0, -0.3, 0.3, -1.0, 0.0], atol=1e-6)
    assert rows[bridge.things["red"]][_FLAGS + 3] == 1.0 and box[_FLAGS + 3] == 0.0
    assert box[_FLAGS] == 0.0 and seen.self_state[7] == 1.0
    assert rows["sandbag"][_LAST] == 1.0 and seen.entities[:, _LAST].sum() == 1.0
    near = bridge.observe(situation(made, (2.7, 0.0)), 0)
    flags = {NAMES[n]: near.entities[i][_FLAGS] for i, n in enumerate(near.names) if near.mask[i]}
    assert flags[bridge.things["red box"]] == 1.0 and flags["sandbag"] == 0.0


def test_the_humanoid_sees_what_the_abstract_one_sees():
    """The same yard in both worlds: same things, same relative places."""
    layout, place = _yard()
    env = TaskEnv()
    env.reset(Task(1, "train", "x", "x", layout.number, [[["at", "gate"]]], [[["at", "gate"]]],
                   setup=Setup(start=place)))
    abstract = env._eyes.look(env.state)[1]
    outside = [n for n in (*words.DUMMIES, *words.LANDMARKS)
               if layout.exists[words.PLACE[n]] and layout.room[words.PLACE[n]] == YARD]

    class Names:
        names, layout = {"place": outside}, env.world.layout

    x, y = _spread(layout, layout.stand[words.PLACE[place]], 1.0)
    made = parse_scenario({
        "name": "yard", "instruction": "Go.", "objects": objects(Names, Setup(), 1.0),
        "start": {"position": [float(x), float(y)],
                  "heading": math.degrees(layout.heading[words.PLACE[place]])},
        "success": [{"reached": outside[0]}]})
    bridge = Bridge(made, matcher)
    physical = bridge.observe(situation_of(made, SKILLS, made.scene(), initial_observation(made)),
                              0)
    there = {NAMES[n]: physical.entities[i] for i, n in enumerate(physical.names)
             if physical.mask[i]}
    met = 0
    for i, n in enumerate(abstract.names):
        if abstract.mask[i] and NAMES[n] in outside:
            np.testing.assert_allclose(there[NAMES[n]][_GEOMETRY:_FLAGS + 4],
                                       abstract.entities[i][_GEOMETRY:_FLAGS + 4], atol=2e-3)
            met += 1
    assert met >= 2


def _yard():
    for number in range(60):
        layout = make_layout(number)
        for name in layout.names(words.DUMMIES):
            if layout.room[words.PLACE[name]] == YARD:
                return layout, name
    raise AssertionError("no dummy in any yard")


@pytest.mark.parametrize("action, xy, fallen, why", [
    (("pick", "apple"), (0, 0), (), "sword"), (("go", "sofa"), (0, 0), (), "no sofa"),
    (("slash", "sandbag"), (0, 0), (), "out of reach"),
    (("slash", "sandbag"), (-3, 0), ("sandbag",), "lies already"),
])
def test_what_cannot_be_done_is_said(action, xy, fallen, why):
    made = scenario([{"knocked_over": "red box"}])
    found = Bridge(made, matcher).steps(ACTIONS[INDEX[action]], situation(made, xy, 0.0, fallen))
    assert isinstance(found, str) and why in found


def test_a_policy_without_the_skill_says_so():
    made = scenario([{"knocked_over": "red box"}])
    now = situation(made)
    now = type(now)(**{**vars(now), "skills": ("walk_forward",)})
    found = Bridge(made, matcher).steps(ACTIONS[INDEX["taunt", ""]], now)
    assert found == "the policy has no skill 'taunt'"


def test_an_action_becomes_steps_that_do_it():
    made = scenario([{"knocked_over": "sandbag"}])
    result, planner, chooser = perform(made, ("go", "sandbag"), ("kick", "sandbag"))
    assert result.success and result.ended == "what was asked for holds"
    assert [s.skill for s in result.steps][-1] == "kick" and not planner.problems
    assert planner.actions == ["walk to the sandbag", "kick the sandbag"]
    # what it did changed what it saw
    first, second = chooser.seen
    assert not np.array_equal(first.entities, second.entities)
    assert second.self_state[6] == 1.0
    # and it knows what it has walked to
    assert not first.entities[:, _LAST].any()
    assert [NAMES[n] for n in second.names[second.entities[:, _LAST] > 0]] == ["sandbag"]


def test_every_gait_arrives_by_itself():
    for skill in ("go", "run", "sneak"):
        made = scenario([{"reached": "sandbag", "within": 1.6, "by": HUMANOID[skill]}])
        assert perform(made, (skill, "sandbag"))[0].success


def test_the_chooser_is_told_of_what_was_in_vain_and_has_32_actions():
    made = scenario([{"knocked_over": "sandbag"}])
    result, planner, chooser = perform(made, ("slash", "sandbag"))
    assert not result.success and "gave up after 32 actions" in result.ended
    assert len(planner.actions) == 32 and len(chooser.seen) == 32
    assert chooser.seen[1].self_state[7] == 1.0 and chooser.seen[0].self_state[7] == 0.0


class Clumsy(KinematicPerformer):
    """Its blows miss for some seconds."""

    misses = 7.0

    def _attack(self) -> None:
        self.misses -= self.control_dt
        if self.misses < 0.0:
            super()._attack()


@pytest.mark.parametrize("seconds, told", [(7.0, False), (60.0, True)])
def test_a_blow_that_misses_is_tried_again_before_the_chooser_hears_of_it(seconds, told):
    made = scenario([{"knocked_over": "sandbag"}], time_limit=50)
    performer, chooser = Clumsy(), Script(("go", "sandbag"), ("slash", "sandbag"))
    performer.misses = seconds
    planner = LearnedPlanner(made, performer.skills, chooser, matcher)
    result = Executor(made, planner, performer, matcher, "learned").perform(0)
    assert result.success is not told and planner.problems
    assert any(seen.self_state[8] for seen in chooser.seen) is told
    assert (len(planner.actions) == 2) is not told


def test_the_scenarios_of_the_yards_are_new_solvable_and_the_same_every_time():
    made = make_scenarios(8, 1)
    assert [s.instruction for s in made] == [s.instruction for s in make_scenarios(8, 1)]
    assert len({s.instruction for s in made}) == 8
    for one in made:
        assert parse_scenario(yaml.safe_load(as_yaml(one))) == one
        result, planner, _ = perform(one, *script(one))
        assert result.success, (one.instruction, result.ended, planner.problems)
    rephrased = {s.instruction for s in make_scenarios(8, 1, "rephrased")}
    assert not rephrased & {s.instruction for s in made}
    with pytest.raises(PPPError, match="wording"):
        make_scenarios(1, 0, "own")


def script(made):
    """The actions that fulfil a scenario's checks."""
    skills = {gait: skill for skill, gait in HUMANOID.items()}
    checks = [c for check in made.success
              for c in (check.in_order if isinstance(check, InOrder) else [check])]
    actions, blow = [], "slash"
    for check in checks:
        if hasattr(check, "reached"):
            actions.append((skills[check.by or "walk_forward"], check.reached))
        elif hasattr(check, "performed"):
            skill = skills[check.performed]
            if skill in ("slash", "stab", "kick", "bash"):
                blow = skill
            else:
                actions.append((skill, ""))
        elif hasattr(check, "knocked_over"):
            actions += [("go", check.knocked_over), (blow, check.knocked_over)]
            blow = "slash"
    return actions
