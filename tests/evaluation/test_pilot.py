"""The pilot's commands, for humanoids put where we want them."""
from __future__ import annotations

import math
from types import SimpleNamespace

import pytest
import torch

from ppp.evaluation.pilot import ACT, CLOSER, GO, GO_AFTER, LONGEST_ACT, REST, Pilot
from ppp.humanoid.rotations import yaw_quat

SKILLS = ["idle", "walk_forward", "turn_left", "turn_right", "slash", "strafe_left"]


def make(skills=SKILLS, count=1, gait="walk_forward", **options):
    bodies = SimpleNamespace(lin_vel=torch.zeros(count, 17, 3))
    state = SimpleNamespace(root_pos=torch.zeros(count, 3), root_rot=yaw_quat(torch.zeros(count)),
                            bodies=bodies)
    offset = torch.zeros(len(skills))
    if "strafe_left" in skills:
        offset[skills.index("strafe_left")] = math.pi / 2
    env = SimpleNamespace(library=SimpleNamespace(skills=skills), num_envs=count,
                          engine=SimpleNamespace(state=state), travel_offset=offset,
                          commands=SimpleNamespace())
    return Pilot(env, gait, **options), env


def told(pilot, env, x, y):
    pilot.command(torch.tensor([[float(x), float(y)]]))
    return env.library.skills[int(env.commands.skill[0])]


def look(env, degrees):
    env.engine.state.root_rot = yaw_quat(torch.tensor([math.radians(degrees)]))


def test_it_turns_to_what_lies_behind_and_then_walks():
    pilot, env = make(stop=0.2)
    assert told(pilot, env, 3, 0) == "walk_forward"
    assert told(pilot, env, -3, 1) == "turn_left"
    look(env, 100)  # the target lies at 162 degrees: 62 more to go
    assert told(pilot, env, -3, 1) == "turn_left"
    look(env, 150)
    assert told(pilot, env, -3, 1) == "walk_forward"
    look(env, 100)  # 62 degrees off is steered while walking
    assert told(pilot, env, -3, 1) == "walk_forward"
    look(env, 0)
    assert told(pilot, env, -3, -1) == "turn_right"
    assert env.commands.target.tolist() == [[-3.0, -1.0]]


def test_a_sideways_gait_is_turned_by_where_it_goes():
    pilot, env = make(stop=0.2, gait="strafe_left")
    assert told(pilot, env, 0, 3) == "strafe_left"  # to the left: that is its way
    assert told(pilot, env, 0, -3) in ("turn_left", "turn_right")


def test_without_turns_it_walks():
    pilot, env = make(["walk_forward"], stop=0.2)
    assert told(pilot, env, -3, 0) == "walk_forward"
    assert pilot.turning.tolist() == [0.0]


def test_it_comes_to_rest_before_it_strikes_and_comes_nearer_if_that_fails():
    pilot, env = make(stop=1.2, act="slash")
    env.engine.state.bodies.lin_vel[:, 0, 0] = 0.7
    for _ in range(30):
        assert told(pilot, env, 2, 0) == "walk_forward"
    assert told(pilot, env, 1.1, 0) == "idle" and pilot.phase.tolist() == [REST]
    assert told(pilot, env, 1.1, 0) == "idle"
    env.engine.state.bodies.lin_vel[:] = 0.0
    steps = 0
    while told(pilot, env, 1.1, 0) == "idle":
        steps += 1
    assert 2 < steps < 12 and pilot.phase.tolist() == [ACT]
    for _ in range(LONGEST_ACT):
        assert told(pilot, env, 1.1, 0) == "slash"
    assert told(pilot, env, 1.1, 0) == "walk_forward"
    assert pilot.stop.tolist() == pytest.approx([1.2 - CLOSER])
    # what was knocked away is followed
    pilot.phase[:] = ACT
    pilot.timer[:] = 0
    assert told(pilot, env, 1.2 - CLOSER + GO_AFTER + 0.1, 0) == "walk_forward"
    assert pilot.phase.tolist() == [GO]


def test_who_is_to_stand_at_the_target_stands_there():
    pilot, env = make(stop=0.3)
    assert [told(pilot, env, 0.2, 0) for _ in range(200)] == ["idle"] * 200
