"""Footsteps, the pendulum and inverse dynamics, against what can be worked out by hand."""
from __future__ import annotations

import numpy as np
import pytest

from ppp.motion.authoring.balance import Seam, com_path, pad, pendulum
from ppp.motion.authoring.footsteps import (
    ANKLE_HEIGHT,
    LEFT,
    RIGHT,
    FootPlan,
    gait,
    gait_start,
    rotate,
    sample_feet,
    standing_feet,
    zmp_reference,
)
from ppp.motion.authoring.keys import curve
from ppp.motion.body import GRAVITY, humanoid_model, qpos_from
from ppp.motion.dynamics import ground_wrench, zero_moment_point

DT = 1.0 / 60.0
FEET = standing_feet(0.2)


def _plan(turn: float = 0.0) -> FootPlan:
    moves = [(0.4, 0.0, turn)] * 2
    return FootPlan(gait_start(FEET, moves[-1], RIGHT), gait(FEET, moves, 0.5, 0.2), 1.0)


def test_pendulum_solution_has_the_zero_moment_point_it_was_given():
    t = np.arange(600) * DT
    zmp = np.stack((0.05 * np.sin(2 * t), 0.1 * np.sign(np.sin(5 * t))), 1)
    com = pendulum(zmp, DT, 0.9)
    acceleration = (com[2:] - 2 * com[1:-1] + com[:-2]) / DT**2
    assert com[1:-1] - 0.9 / GRAVITY * acceleration == pytest.approx(zmp[1:-1], abs=1e-9)
    assert np.abs(com).max() < 0.11


@pytest.mark.parametrize("turn", [0.0, 0.3, -0.3])
def test_a_gait_comes_round_to_its_start_moved_and_turned(turn):
    plan = _plan(turn)
    shift, yaw = plan.displacement()
    assert yaw == pytest.approx(2 * turn)
    moved = rotate(plan.start[:, :2], yaw) + shift
    assert plan.final()[:, :2] == pytest.approx(moved, abs=1e-9)


def test_com_path_of_a_turning_gait_is_continuous_through_the_seam():
    plan = _plan(0.3)
    times = np.arange(61) * DT
    seam = Seam(True, *plan.displacement())
    com = com_path(zmp_reference(plan, times, 0.0, 0.06, 0.0), DT, 0.9, seam, points=True)
    assert rotate(com[0], seam.yaw) + seam.shift == pytest.approx(com[-1], abs=2e-3)
    speed_in = rotate(com[1] - com[0], seam.yaw)
    assert speed_in == pytest.approx(com[-1] - com[-2], abs=3e-3)


def test_seam_powers_undo_each_other():
    seam = Seam(True, np.array([0.5, -0.2]), 0.7)
    point = np.array([0.3, 0.4])
    there_shift, there_yaw = seam.power(2)
    back_shift, back_yaw = seam.power(-2)
    there = rotate(point, there_yaw) + there_shift
    assert rotate(there, back_yaw) + back_shift == pytest.approx(point)
    assert len(pad(np.zeros((31, 2)), 100, seam, True)) == 231


def test_feet_stand_still_outside_their_swings_and_clear_the_floor_within():
    plan = _plan()
    plan.clearance = 0.07
    track = sample_feet(plan, np.arange(61) * DT)
    for foot in (RIGHT, LEFT):
        stance = track.stance[:, foot]
        assert set(np.round(track.pos[stance, foot, 2], 9)) == {ANKLE_HEIGHT}
        assert len(np.unique(np.round(track.pos[stance, foot, :2], 9), axis=0)) == 2
        assert track.pos[:, foot, 2].max() == pytest.approx(ANKLE_HEIGHT + 0.07, abs=2e-3)
    assert (track.stance.any(1)).all()


def test_rolling_heel_leaves_the_toes_on_the_floor():
    plan = _plan()
    plan.toe_off = 0.4
    times = np.linspace(0.0, 0.1, 7)
    track = sample_feet(plan, times)
    for i, angle in enumerate(track.pitch[:, RIGHT]):
        toe = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]) \
            @ np.array([0.1335, -0.05])
        assert track.pos[i, RIGHT, [0, 2]] + toe == pytest.approx(
            [plan.start[RIGHT, 0] + 0.1335, ANKLE_HEIGHT - 0.05], abs=1e-9)


def test_zero_moment_point_stays_under_the_stance_foot():
    plan = _plan()
    times = np.arange(61) * DT
    track, zmp = sample_feet(plan, times), zmp_reference(plan, times, 0.0, 0.08, 0.01)
    for i in range(61):
        if track.stance[i].sum() == 1:
            foot = int(np.argmax(track.stance[i]))
            ahead = zmp[i] - track.pos[i, foot, :2]
            assert -0.01 <= ahead[0] <= 0.1 and abs(ahead[1]) < 0.045


def test_a_body_at_rest_presses_with_its_weight_under_its_centre_of_mass():
    qpos = np.repeat(qpos_from(np.array([[0.3, -0.2, 0.88]]), np.array([[1.0, 0, 0, 0]]),
                               np.zeros((1, 31))), 4, 0)
    force, _ = ground_wrench(qpos, DT)
    weight = humanoid_model().body_mass.sum() * GRAVITY
    assert force == pytest.approx(np.array([[0, 0, weight]] * 2), abs=1e-6)
    zmp = zero_moment_point(qpos, DT)[0]
    assert abs(zmp - [0.3, -0.2]).max() < 0.06


def test_curves_pass_their_keys_and_do_not_overshoot():
    at = np.linspace(0.0, 2.0, 121)
    line = curve([0.0, 1.0, 2.0], [[0.0], [1.0], [0.0]], at, loop=True, blur=0.03)
    assert line[60, 0] == pytest.approx(1.0, abs=0.02)
    assert line.min() >= 0.0 and line.max() <= 1.0
    assert line[0, 0] == pytest.approx(line[-1, 0])
