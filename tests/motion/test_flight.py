"""Motions that leave the ground: ballistics, balance without weight, feet in the air, bad input."""
from __future__ import annotations

import numpy as np
import pytest
import yaml

from ppp.errors import PPPError

build = pytest.importorskip("ppp.motion.authoring.build", reason="authoring needs mink")

from ppp.motion.authoring.balance import Seam, com_path  # noqa: E402
from ppp.motion.authoring.flight import (  # noqa: E402
    com_over,
    counter_turn,
    spring,
    upper_inertia,
    vertical_path,
)
from ppp.motion.authoring.footsteps import (  # noqa: E402
    ANKLE_HEIGHT,
    LEFT,
    RIGHT,
    FootPlan,
    gait_start,
    standing_feet,
)
from ppp.motion.authoring.running import (  # noqa: E402
    Air,
    ground_reference,
    over_toes,
    run_steps,
    sample_air_feet,
)
from ppp.motion.body import GRAVITY, clip_qpos, humanoid_model  # noqa: E402
from ppp.motion.clip import load_clip  # noqa: E402
from ppp.motion.contacts import corner_positions  # noqa: E402
from ppp.motion.dynamics import ground_wrench  # noqa: E402

DT = 1.0 / 60.0
STILL = Seam(True, np.zeros(2), 0.0)
AIR = Air(((0.0, 0.9),), ((0.3, 0.24, 0.8), (0.65, 0.15, 0.2)))


def _run(turn: float = 0.0):
    rows = [(0.7, 0.0, turn, 0.3, 0.1)] * 2
    feet = standing_feet(0.16)
    plan = FootPlan(gait_start(feet, rows[-1][:3], RIGHT),
                    run_steps(feet, rows, RIGHT, 0.0, -0.1), 0.6, toe_off=0.4)
    return plan, Seam(True, *plan.displacement())


def test_in_flight_the_path_is_a_parabola_and_the_cycle_carries_the_weight():
    aloft = np.zeros(37, bool)
    aloft[12:19] = True
    height, force = vertical_path(aloft, DT, [(0.0, 0.9)], True, 3.0)
    fall = np.diff(height, 2)[11:18] / DT**2
    assert fall == pytest.approx(np.full(7, -GRAVITY), rel=1e-4)
    assert height[0] == pytest.approx(0.9, abs=1e-6) and height[-1] == pytest.approx(height[0])
    assert force[:-1].mean() == pytest.approx(1.0, abs=1e-6)
    assert force.min() >= 0.0 and force.max() < 2.0


def test_a_jump_rises_as_its_time_in_the_air_says():
    aloft = np.zeros(121, bool)
    aloft[50:75] = True  # 26 intervals from the last to the next sample on the ground
    heights = [(0.0, 0.9), (49 * DT, 0.95), (75 * DT, 0.95)]
    height, _ = vertical_path(aloft, DT, heights, False, 4.0)
    assert height[49:76].max() - 0.95 == pytest.approx(GRAVITY * (26 * DT)**2 / 8, abs=0.004)
    assert height[1] == pytest.approx(height[0]) and height[-1] == pytest.approx(height[-2])


def test_a_height_that_the_ground_cannot_give_is_one_sentence():
    with pytest.raises(PPPError, match="ground would have to") as error:
        vertical_path(np.zeros(60, bool), DT, [(0.0, 0.9), (0.1, 0.3), (0.2, 0.9)], False, 3.0)
    assert "\n" not in str(error.value)


def test_at_constant_height_it_is_the_old_pendulum():
    t = np.arange(61) * DT
    zmp = np.stack((0.05 * np.sin(2 * np.pi * t), 0.03 * np.cos(2 * np.pi * t)), 1)
    rate = spring(np.ones(61), np.full(61, 0.9))
    assert com_over(rate, zmp, DT, STILL) == pytest.approx(
        com_path(zmp, DT, 0.9, STILL, points=True), abs=1e-9)


def test_without_weight_the_body_moves_straight_on():
    aloft = np.zeros(37, bool)
    aloft[12:19] = True
    height, force = vertical_path(aloft, DT, [(0.0, 0.9)], True, 3.0)
    seam = Seam(True, np.array([1.2, 0.0]), 0.0)
    zmp = np.stack((np.linspace(0.0, 1.2, 37), 0.05 * np.sin(np.arange(37) / 36 * 2 * np.pi)), 1)
    com = com_over(spring(force, height), zmp, DT, seam)
    bend = np.diff(com, 2, axis=0) / DT**2
    assert np.abs(bend[11:18]).max() < 1e-6 < np.abs(bend).max()
    assert com[-1] - com[0] == pytest.approx([1.2, 0.0], abs=1e-3)


def test_the_counter_turn_takes_the_moment_away_in_flight():
    moment = np.zeros((60, 3))
    moment[20:30, 1] = 10.0
    aloft = np.zeros(60, bool)
    aloft[20:30] = True
    inertia = upper_inertia()
    turn = counter_turn(moment, aloft, inertia, DT, Seam(False, np.zeros(2), 0.0), 0.0)
    left = moment[1:-1, 1] + inertia[1] * np.diff(turn[:, 1], 2) / DT**2
    assert np.abs(left[19:29]).max() < 3.0
    assert np.abs(turn[:, [0, 2]]).max() == 0.0 and np.abs(turn).max() < 0.2


@pytest.mark.parametrize("turn", [0.0, 0.25])
def test_a_run_has_a_flight_after_each_step_and_closes(turn):
    plan, seam = _run(turn)
    times = np.arange(37) * DT
    track = sample_air_feet(plan, times, seam, AIR)
    up = ~track.stance.any(1)
    assert up.sum() == 10  # twice the five samples inside 0.1 s
    assert not track.stance.all(1).any()
    end = track.pos[0, :, :2] @ np.array([[np.cos(seam.yaw), np.sin(seam.yaw)],
                                          [-np.sin(seam.yaw), np.cos(seam.yaw)]]) + seam.shift
    assert track.pos[-1, :, :2] == pytest.approx(end, abs=1e-6)
    flat = track.stance & (track.pitch == 0.0)
    assert np.abs(track.pos[..., 2][flat] - ANKLE_HEIGHT).max() < 1e-9
    steps = np.linalg.norm(np.diff(track.pos[:, RIGHT], axis=0), axis=1) / DT
    assert steps.max() < 9.0 and np.abs(np.diff(steps)).max() < 2.0


def test_the_heel_rises_about_the_toes():
    forward, up = over_toes(np.array([0.0, 0.5]))
    assert (forward[0], up[0]) == (0.0, 0.0)
    toe = np.array([np.cos(0.5) * 0.1335 - np.sin(0.5) * 0.05,
                    -np.sin(0.5) * 0.1335 - np.cos(0.5) * 0.05])
    assert (forward[1] + toe[0], up[1] + toe[1]) == pytest.approx((0.1335, -0.05))


def test_the_ground_carries_under_the_standing_foot():
    plan, seam = _run()
    times = np.arange(37) * DT
    track = sample_air_feet(plan, times, seam, AIR)
    zmp = ground_reference(plan, times, seam, (0.0, 0.1), 0.01)
    for foot, inside in ((RIGHT, 0.01), (LEFT, -0.01)):
        alone = track.stance[:, foot] & ~track.stance[:, 1 - foot] & (track.pitch[:, foot] == 0)
        ahead = zmp[alone] - track.pos[alone, foot, :2]
        assert ahead[:, 0].min() > -0.001 and ahead[:, 0].max() < 0.101
        assert ahead[:, 1] == pytest.approx(np.full(alone.sum(), inside), abs=1e-6)


def _hop(folder, **clip):
    body = yaml.safe_load((build.SKILLS / "body.yaml").read_text())
    (folder / "body.yaml").write_text(yaml.safe_dump(body))
    steps = [{"foot": foot, "lift": 0.2, "land": 0.4, "move": [0, 0, 0]}
             for foot in ("right", "left")]
    air = {"heights": [[0.0, 0.80], [0.2, 0.89], [0.4, 0.87]],
           "swing": [[0.3, 0.09, 10], [0.7, 0.08, 5]], **clip.pop("air", {})}
    spec = {"skill": "hop", "label": "hop", "mode": "face", "clips": [{
        "name": "hop", "seconds": 0.8, "loop": True, "air": air,
        "feet": {"kind": "steps", "steps": steps, "toe_off": 10},
        "keys": [{"t": 0.0, "pose": "ready"}, {"t": 0.8, "pose": "ready"}], **clip}]}
    (folder / "hop.yaml").write_text(yaml.safe_dump(spec))
    return folder


def test_an_authored_hop_leaves_the_ground_without_weight_or_spin(tmp_path):
    build.author(tmp_path / "out", _hop(tmp_path), say=lambda _: None)
    qpos = clip_qpos(load_clip(tmp_path / "out" / "hop.npz"))
    force, moment = ground_wrench(qpos, 1 / 30)
    weight = humanoid_model().body_mass.sum() * GRAVITY
    low = corner_positions(qpos)[..., 2].min((1, 2))
    aloft = np.flatnonzero(low[1:-1] > 0.02)
    assert len(aloft) >= 4
    assert np.abs(force[aloft]).max() < 0.03 * weight
    assert force[:, 2].max() > 1.5 * weight
    assert low.min() > -0.01


@pytest.mark.parametrize("change, words", [
    ({"air": {"hights": 1}}, "did you mean 'heights'"),
    ({"air": {"heights": []}}, "list of rows of 2"),
    ({"air": {"swing": [[0.5, 0.1]]}}, "list of 3 numbers"),
    ({"air": {"swing": [[0.5, 0.1, 0], [0.2, 0.1, 0]]}}, "sort"),
    ({"air": {"max_force": 0.5}}, "max_force"),
    ({"air": {"heights": [[0.0, 1.3]]}}, "legs are too short"),
    ({"air": {"heights": [[9.0, 0.9]]}}, "time"),
    ({"feet": {"kind": "stand"}}, "needs feet of kind"),
    ({"feet": {"kind": "run", "flight": 0.5}}, "in the air"),
    ({"feet": {"kind": "run", "rows": [[1, 2]]}}, "list of 5 numbers"),
])
def test_a_mistake_in_the_air_is_one_sentence(tmp_path, change, words):
    with pytest.raises(PPPError) as error:
        build.author(tmp_path / "out", _hop(tmp_path, **change), say=lambda _: None)
    assert words in str(error.value) and "\n" not in str(error.value)
