"""Kinematics against MuJoCo and by hand."""
from __future__ import annotations

import math

import mujoco
import numpy as np
import pytest
import torch

from ppp.humanoid.kinematics import (
    forward_kinematics,
    joint_pos_to_local_rot,
    joint_velocities,
    local_rot_to_joint_pos,
)
from ppp.humanoid.mjcf import build_mjcf
from ppp.humanoid.rotations import (
    exp_map_to_quat,
    normalise,
    quat_conj,
    quat_mul,
    quat_rotate,
    quat_to_exp_map,
    up_z,
    yaw_of,
    yaw_quat,
)
from ppp.humanoid.skeleton import BODIES, BODY_ID, DOF_NAMES, JOINTS, NUM_DOFS, dof_slices


def random_pose(seed: int):
    g = torch.Generator().manual_seed(seed)
    q = 0.7 * torch.randn(1, NUM_DOFS, generator=g)
    v = torch.randn(1, NUM_DOFS, generator=g)
    pos, lin, ang = (torch.randn(1, 3, generator=g) for _ in range(3))
    return pos, normalise(torch.randn(1, 4, generator=g)), q, lin, ang, v


@pytest.fixture(scope="module")
def model():
    return mujoco.MjModel.from_xml_string(build_mjcf())


@pytest.mark.parametrize("seed", range(4))
def test_forward_kinematics_is_mujocos(model, seed):
    pos, rot, q, lin, ang, v = random_pose(seed)
    data = mujoco.MjData(model)
    parts = [pos[0], rot[0]]
    for joint, columns in zip(JOINTS, dof_slices()):
        parts.append(exp_map_to_quat(q[0, columns]) if joint.dofs == 3 else q[0, columns])
    data.qpos[:] = torch.cat(parts).numpy()
    data.qvel[:3], data.qvel[6:] = lin[0].numpy(), v[0].numpy()
    data.qvel[3:6] = quat_rotate(quat_conj(rot), ang)[0].numpy()
    mujoco.mj_forward(model, data)
    bodies = forward_kinematics(pos, rot, q, lin, ang, v)
    np.testing.assert_allclose(data.xpos[1:], bodies.pos[0], atol=2e-6)
    same = np.abs((data.xquat[1:] * bodies.rot[0].numpy()).sum(-1))
    np.testing.assert_allclose(same, 1.0, atol=1e-6)
    velocity = np.zeros(6)
    for body in range(len(BODIES)):
        mujoco.mj_objectVelocity(model, data, mujoco.mjtObj.mjOBJ_XBODY, body + 1, velocity, 0)
        np.testing.assert_allclose(velocity[:3], bodies.ang_vel[0, body], atol=1e-5)
        np.testing.assert_allclose(velocity[3:], bodies.lin_vel[0, body], atol=1e-5)


def test_straight_body_by_hand():
    zero, upright = torch.zeros(1, 3), torch.tensor([[1.0, 0, 0, 0]])
    bodies = forward_kinematics(zero, upright, torch.zeros(1, NUM_DOFS), zero, zero,
                                torch.zeros(1, NUM_DOFS))
    foot = bodies.pos[0, BODY_ID["left_foot"]]
    assert torch.allclose(foot, torch.tensor([0.0, 0.084887, -0.421546 - 0.40987]), atol=1e-6)


def test_mass_and_counts(model):
    assert model.body_mass.sum() == pytest.approx(51.71, abs=0.01)
    assert (model.nbody - 1, model.nu, len(DOF_NAMES)) == (17, 31, 31)


def test_actuators_follow_the_joint_order(model):
    assert tuple(model.actuator(i).name for i in range(model.nu)) == DOF_NAMES


def test_published_xml_is_current():
    from ppp.humanoid import mjcf
    written = (mjcf.Path(mjcf.__file__).with_name("humanoid.xml")).read_text()
    assert written == build_mjcf()


def test_exponential_map_round_trip():
    vectors = torch.tensor([[0.0, 0, 0], [0.3, -0.2, 0.1], [0, 3.0, 0], [1e-8, 0, 0]])
    assert torch.allclose(quat_to_exp_map(exp_map_to_quat(vectors)), vectors, atol=1e-5)


def test_quaternion_order_by_hand():
    """A quarter turn about z takes x to y; two of them are a half turn."""
    quarter = torch.tensor([[math.sqrt(0.5), 0, 0, math.sqrt(0.5)]])
    x_axis = torch.tensor([[1.0, 0, 0]])
    assert torch.allclose(quat_rotate(quarter, x_axis), torch.tensor([[0, 1.0, 0]]), atol=1e-6)
    half = quat_mul(quarter, quarter).abs()
    assert torch.allclose(half, torch.tensor([[0, 0, 0, 1.0]]), atol=1e-6)
    assert yaw_of(quarter).item() == pytest.approx(math.pi / 2)
    assert torch.allclose(yaw_quat(torch.tensor([math.pi / 2])), quarter, atol=1e-6)


def test_joint_angles_round_trip():
    q = random_pose(3)[2]
    assert torch.allclose(local_rot_to_joint_pos(joint_pos_to_local_rot(q)), q, atol=1e-5)


def test_joint_velocities_of_a_steady_swing():
    """A hinge at 2 rad/s and a ball about its own x axis at 1 rad/s."""
    t = torch.arange(6)[:, None] / 30.0
    q = torch.zeros(6, NUM_DOFS)
    q[:, DOF_NAMES.index("right_knee_y")] = (0.2 + 2.0 * t)[:, 0]
    q[:, DOF_NAMES.index("left_shoulder_x")] = t[:, 0]
    v = joint_velocities(q, 1 / 30.0)
    assert torch.allclose(v[:, DOF_NAMES.index("right_knee_y")], torch.full((6,), 2.0), atol=1e-3)
    assert torch.allclose(v[:, DOF_NAMES.index("left_shoulder_x")], torch.ones(6), atol=1e-3)


def test_up_z_is_the_height_of_the_turned_z_axis():
    turns = normalise(torch.randn(20, 4, generator=torch.Generator().manual_seed(1)))
    axis = torch.tensor([0.0, 0.0, 1.0]).expand(20, 3)
    assert torch.allclose(up_z(turns), quat_rotate(turns, axis)[:, 2], atol=1e-5)
    assert up_z(torch.tensor([0.0, 1.0, 0.0, 0.0])).item() == -1.0  # upside down
