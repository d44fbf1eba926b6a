"""The teacher: which way its corrections push, and that they keep a body up."""
from __future__ import annotations

import dataclasses

import pytest
import torch

from ppp.humanoid.observation import FRAME, KEY_BODIES
from ppp.humanoid.skeleton import BODY_ID, FEET, JOINTS, dof_slices, per_dof
from ppp.learning.teacher import Teacher, bounded, placed, pull, stance
from ppp.tasks.config import load_task
from ppp.tasks.env import HumanoidEnv

DOFS = {joint.name: columns for joint, columns in zip(JOINTS, dof_slices())}
EVEN = torch.tensor([[0.5, 0.5]])


def upright():
    """Frame of a body at rest, feet 0.85 m under the pelvis, (1, 140)."""
    frame = torch.zeros(1, 140)
    frame[:, FRAME["rotation"]] = torch.tensor([1.0, 0, 0, 0, 0, 1])
    keys = frame[:, FRAME["keys"]].reshape(1, -1, 3).clone()
    for foot, side in zip(FEET, (-0.1, 0.1)):
        keys[0, KEY_BODIES.index(foot)] = torch.tensor([0.0, side, -0.85])
    frame[:, FRAME["keys"]] = keys.reshape(1, -1)
    return frame


def test_on_the_clip_nothing_is_corrected():
    force, moment, drift = pull(upright(), upright(), EVEN)
    assert not force.any() and not moment.any() and not drift.any()


def test_a_pelvis_ahead_of_its_feet_is_pulled_back_as_by_a_spring():
    ahead = upright()
    keys = ahead[:, FRAME["keys"]].reshape(1, -1, 3).clone()
    keys[..., 0] -= 0.1  # everything else is 0.1 m behind the pelvis
    ahead[:, FRAME["keys"]] = keys.reshape(1, -1)
    force = pull(ahead, upright(), EVEN)[0]
    assert force[0].tolist() == pytest.approx([-90.0, 0.0, 0.0], abs=1e-3)  # 900 N/m
    # no foot carries: nothing to push with
    assert not pull(ahead, upright(), torch.zeros(1, 2))[0].any()


def test_a_pelvis_that_leans_forward_is_righted():
    leaning = upright()
    angle = torch.tensor(0.1)
    leaning[:, FRAME["rotation"]] = torch.stack((angle.cos(), torch.tensor(0.0), -angle.sin(),
                                                 angle.sin(), torch.tensor(0.0), angle.cos()))
    moment = pull(leaning, upright(), EVEN)[1]
    # a turn about y leans forward; the moment is against it, 200 N m/rad
    assert moment[0].tolist() == pytest.approx([0.0, -200.0 * float(angle.sin()), 0.0], abs=1e-3)


def test_corrections_are_bounded():
    long = torch.tensor([[3.0, 4.0, 0.0], [0.3, 0.4, 0.0]])
    assert bounded(long, 1.0).norm(dim=-1).tolist() == pytest.approx([1.0, 0.5])


def test_the_ankle_makes_the_force_over_its_lever():
    """A pull of 100 N backward, 0.95 m above the ankle, is 95 N m at it: the toes press down."""
    pos = torch.zeros(1, 17, 3)
    pos[:, 0, 2] = 0.9
    for side, y in (("right", -0.1), ("left", 0.1)):
        for body, z in (("thigh", 0.9), ("shin", 0.48), ("foot", 0.05)):
            pos[:, BODY_ID[f"{side}_{body}"]] = torch.tensor([0.0, y, z])
    rot = torch.tensor([1.0, 0, 0, 0]).expand(1, 17, 4)
    change = stance(pos, rot, torch.tensor([[1.0, 0.0]]), torch.tensor([[-100.0, 0, 0]]),
                    torch.zeros(1, 3))[0]
    ankle = DOFS["right_ankle"].start + 1
    assert change[ankle].item() * per_dof("kp")[ankle] == pytest.approx(95.0, rel=1e-4)
    assert not change[DOFS["left_ankle"]].any() and not change[DOFS["abdomen"]].any()


def test_a_foot_in_the_air_follows_the_drift():
    """Drifting forward and left: the right foot in the air goes forward and left."""
    change = placed(torch.tensor([[0.4, 0.2]]), torch.tensor([[0.0, 1.0]]))[0]
    hip = DOFS["right_hip"].start
    assert change[hip + 1] < 0 < change[hip]  # forward is negative about y, left positive about x
    assert not change[DOFS["left_hip"]].any()


def test_feedback_keeps_gaits_up_that_their_replay_loses():
    falls = {}
    for feedback in ("none", "legs"):
        task = load_task("HumanoidSkills")
        task = dataclasses.replace(task, skills=["crouch_walk", "turn_left", "walk_backward"],
                                   skill_weights={}, props=[], terminations=["toppled"])
        task.command.hold, task.command.switch_start, task.command.anywhere = [900, 900], 0.0, 0.0
        env = HumanoidEnv(task, 24, seed=5, threads=1)
        env.reset()
        env.age[:] = 0
        teacher, count = Teacher(env, feedback), 0
        for _ in range(150):
            action = (teacher.targets() - env.actions.offset) / env.actions.scale
            count += int(env.step(action)[3]["terminated"].sum())
        falls[feedback] = count
        env.close()
    assert falls["none"] > 15 and falls["legs"] <= 3, falls
