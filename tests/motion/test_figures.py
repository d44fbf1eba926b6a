"""The figures of a motion against values that can be worked out by hand."""
from __future__ import annotations

import math

import mujoco
import numpy as np
import pytest

from ppp.motion import figures
from ppp.motion.body import humanoid_model, qpos_from
from ppp.motion.check import measure
from ppp.motion.clip import clip_from_joints
from ppp.motion.contacts import support, support_margin
from ppp.motion.kinds import kind_of
from ppp.motion.replay import replay

DT = 1.0 / 30.0
SQUARE = np.array([(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0)], float)


@pytest.fixture(scope="module")
def lying() -> np.ndarray:
    """A pose (47,) at rest on its back, after four seconds of simulation."""
    model = humanoid_model()
    data = mujoco.MjData(model)
    back = np.array([[math.sqrt(0.5), 0, -math.sqrt(0.5), 0]])
    data.qpos[:] = qpos_from(np.array([[0, 0, 0.3]]), back, np.zeros((1, 31)))[0]
    mujoco.mj_step(model, data, 480)
    return data.qpos.copy()


def falling(seconds: float = 0.5) -> np.ndarray:
    """Poses at 30 fps of a limp body thrown high and spinning, from MuJoCo."""
    model = humanoid_model()
    data = mujoco.MjData(model)
    data.qpos[2], data.qvel[:6] = 4.0, (1, 0, 2, 1, 2, 0.5)
    poses = []
    for _ in range(int(seconds / DT)):
        poses.append(data.qpos.copy())
        mujoco.mj_step(model, data, 4)
    return np.array(poses)


def test_a_minimum_jerk_stroke_has_the_textbook_jerk_whatever_its_size():
    t = np.linspace(0.0, 1.0, 1001)
    stroke = 10 * t**3 - 15 * t**4 + 6 * t**5
    path = np.stack((stroke, 0 * t, 2 * stroke), -1)[:, None]
    for size in (1.0, 0.3):
        found = figures.log_jerk(size * path, 0.001)
        assert found == pytest.approx(math.log(720 / 1.875**2), abs=0.02)
    assert math.isnan(figures.log_jerk(0 * path, 0.001))
    shaky = path + 0.001 * np.random.default_rng(0).normal(size=path.shape)
    assert figures.log_jerk(shaky, 0.001) > 10


@pytest.mark.parametrize("place, margin", [((0.5, 0.5), 0.5), ((0.1, 0.5), 0.1), ((2, 0.5), -1.0),
                                           ((2, 2), -math.sqrt(2))])
def test_support_margin_of_a_square(place, margin):
    assert support_margin(SQUARE, np.array(place)) == pytest.approx(margin, abs=1e-3)


def test_support_margin_of_a_line_and_a_point():
    assert support_margin(SQUARE[:2], np.array([0.5, 0.0])) == pytest.approx(0.0, abs=1e-6)
    assert support_margin(SQUARE[:1], np.array([3.0, 4.0])) == pytest.approx(-5.0, abs=1e-3)


def test_a_thrown_body_falls_freely_and_keeps_its_angular_momentum():
    poses = falling()
    air = figures.flight(poses, DT, support(poses, DT))
    assert air.share == 1.0 and air.acceleration < 0.05 and air.spin < 0.5
    hung = np.repeat(poses[:1], 10, 0)
    air = figures.flight(hung, DT, support(hung, DT))
    assert air.acceleration == pytest.approx(9.81, abs=1e-3)


def test_the_floor_carries_a_lying_body(lying):
    poses = np.repeat(lying[None], 5, 0)
    ground = support(poses, DT)
    assert ground.contact.all() and ground.residual.max() < 0.01
    highest = max(points[:, 2].max() for points in ground.points)
    assert len(ground.points[0]) > 4 and highest < 0.009
    assert figures.support_share(poses, DT, ground) == 1.0
    assert ground.load[0].sum() < 0.5 * 51.7 * 9.81  # the feet are not alone


def test_a_lying_motion_is_not_taken_for_a_fall(lying):
    still = replay(np.repeat(lying[None], 31, 0), 30.0)
    assert not still.fell and still.seconds == pytest.approx(1.0)
    # lifted by half a metre it drops back: the motion is lost
    raised = np.repeat(lying[None], 31, 0)
    raised[:, 2] += 0.5
    assert replay(raised, 30.0).fell


def test_torque_shares_name_the_weakest_joint():
    torque = np.zeros((20, 31))
    torque[:, 0], torque[3, 4] = 100.0, -40.0  # abdomen_x: half of 200; neck_y: 0.8 of 50
    peak, often = figures.torque_shares(torque)
    assert peak == (0.8, "neck_y") and often == pytest.approx(0.5, abs=0.05)


def test_limits_name_the_joint():
    joints = np.zeros((4, 31))
    joints[:, [9, 16]] = -0.5  # elbows
    joints[:, [20, 27]] = 0.5  # knees
    assert figures.limit_excess(joints) == (0.0, "")
    joints[2, 20] = -0.1
    found = figures.limit_excess(joints)
    assert found.where == "right_knee_y" and found.value == pytest.approx(0.1)


def _standing(hand_turn: float) -> np.ndarray:
    joints = np.zeros((3, 31))
    joints[:, 12] = hand_turn
    joints[:, 13] = 1.5  # the shield arm out of the way
    return qpos_from(np.tile([0, 0, 0.93], (3, 1)), np.tile([1.0, 0, 0, 0], (3, 1)), joints)


def test_a_blade_through_the_body_is_found():
    assert figures.cutting(_standing(0.0)).value == 0.0
    found = figures.cutting(_standing(math.pi / 2))
    assert found.value > 0.02 and found.where.startswith("sword in ")


def test_speed_and_spread_of_a_swinging_knee():
    t = np.arange(61) * DT
    joints = np.zeros((61, 31))
    joints[:, 20] = 0.8 + 0.5 * np.sin(2 * np.pi * t)
    clip = clip_from_joints(np.tile([0, 0, 2.0], (61, 1)), np.tile([1.0, 0, 0, 0], (61, 1)),
                            joints, 30.0)
    found = measure(clip)
    assert found["speed_joint"] == "right_knee" and found["key_body"] == "right_foot"
    assert found["peak_speed"] == pytest.approx(0.5 * 2 * math.pi, rel=0.02)
    assert found["key_speed"] == pytest.approx(0.40987 * found["peak_speed"], rel=0.02)
    rms = math.degrees(0.5 * math.sqrt(30 / 61)) / math.sqrt(31)
    assert found["spread_deg"] == pytest.approx(rms, rel=0.03)
    assert found["residual_median"] is None and found["flight_share"] == 1.0


@pytest.mark.parametrize("name, kind", [
    ("RL_Avatar_Atk_ShieldSwipe01_Motion", "shield_bash"), ("RL_Avatar_TurnLeft90_Motion",
    "turn_left"), ("humanoid3d_getup_faceup", "get_up"), ("B3 - walk1", "walk_forward"),
    ("RL_Avatar_Dodge_Backward_Motion", "dodge_back"), ("02_05", "other")])
def test_kinds_are_guessed_from_names(name, kind):
    assert kind_of(name) == kind
