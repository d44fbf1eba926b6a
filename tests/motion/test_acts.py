"""Strikes and gestures do what their names say, and swings pass the points written for them."""
from __future__ import annotations

import mujoco
import numpy as np
import pytest

from ppp.errors import PPPError
from ppp.humanoid.skeleton import BODY_ID
from ppp.motion.body import clip_qpos, humanoid_model
from ppp.motion.clip import load_clip
from ppp.motion.library import read_library

ACTS = {"slash_backhand", "slash_overhead", "stab_lunge", "stab_high", "kick_front", "kick_left",
        "bash_step", "bash_swipe", "block_low", "taunt_shield_knock", "taunt_roar"}
#: the middle of the sole in the foot's frame, m
SOLE = np.array([0.045, 0.0, -0.05])


class Moves:
    """Where a clip's bodies are: points (T, 3), m, the pelvis's horizontal place taken off."""

    def __init__(self, entry, clip) -> None:
        self.entry, self.clip, self.qpos = entry, clip, clip_qpos(clip)
        model = humanoid_model()
        data = mujoco.MjData(model)
        self.pos, self.mat = [], []
        for pose in self.qpos:
            data.qpos[:] = pose
            mujoco.mj_kinematics(model, data)
            self.pos.append(data.xpos[1:].copy())
            self.mat.append(data.xmat[1:].reshape(-1, 3, 3).copy())
        self.pos, self.mat = np.array(self.pos), np.array(self.mat)

    @property
    def hit(self) -> int:
        """The frame at which the blow lands."""
        return int(round(self.entry.hits[0] * (self.clip.frames - 1)))

    def point(self, body: str, local=(0.0, 0.0, 0.0)) -> np.ndarray:
        i = BODY_ID[body]
        points = self.pos[:, i] + self.mat[:, i] @ np.asarray(local, float)
        return points - self.pos[:, :1].mean(1) * [1.0, 1.0, 0.0]

    def velocity(self, body: str, local=(0.0, 0.0, 0.0)) -> np.ndarray:
        """In the world, (T, 3), m/s."""
        i = BODY_ID[body]
        return np.gradient(self.pos[:, i] + self.mat[:, i] @ np.asarray(local, float),
                           1.0 / self.clip.fps, axis=0)


@pytest.fixture(scope="module")
def acts(library_path):
    library = read_library(library_path)
    names = {e.file[:-4]: e for e in library.clips}
    return {n: Moves(names[n], load_clip(library_path.parent / names[n].file)) for n in ACTS}


def test_every_act_is_a_loop_that_comes_back_to_where_it_began(acts):
    for name, act in acts.items():
        assert act.entry.loop, name
        assert np.allclose(act.qpos[0, :3], act.qpos[-1, :3], atol=1e-3), name
        assert abs(act.entry.travel) < 0.05, name


def test_backhand_cuts_fast_and_level_from_left_to_right(acts):
    act = acts["slash_backhand"]
    tip, speed = act.point("sword")[act.hit], act.velocity("sword")[act.hit]
    assert np.linalg.norm(speed) > 6.0 and speed[1] < -5.0
    assert abs(speed[2]) < 0.35 * np.linalg.norm(speed)
    assert tip[0] > 1.0 and 1.1 < tip[2] < 1.45


def test_chop_falls_fast_before_the_body(acts):
    act = acts["slash_overhead"]
    tip, speed = act.point("sword"), act.velocity("sword")
    assert tip[:, 2].max() > 2.2 and tip[act.hit, 0] > 1.2 and 0.9 < tip[act.hit, 2] < 1.5
    assert speed[act.hit, 2] < -5.0 and abs(speed[act.hit, 1]) < 0.5 * -speed[act.hit, 2]


@pytest.mark.parametrize("name, reach, down", [("stab_lunge", 1.35, 5.0), ("stab_high", 1.2, 25.0)])
def test_stab_reaches_the_chest_with_the_point_ahead_after_a_fast_thrust(acts, name, reach, down):
    act = acts[name]
    tip, hand = act.point("sword"), act.point("right_hand")
    along = (tip - hand)[act.hit] / np.linalg.norm((tip - hand)[act.hit])
    assert along[0] > 0.9 and -5.0 < np.degrees(np.arcsin(-along[2])) < down
    assert tip[act.hit, 2] == pytest.approx(1.2, abs=0.1)
    assert tip[act.hit, 0] > reach and tip[act.hit, 0] > tip[:, 0].max() - 0.03
    thrust = act.velocity("right_hand")[:, 0]
    assert 3.0 < thrust[:act.hit].max() < 5.0
    assert -thrust.min() < 0.8 * thrust.max()  # the recovery is slower


def test_lunge_steps_forward_with_the_right_foot_and_back(acts):
    way = acts["stab_lunge"].pos[:, BODY_ID["right_foot"], 0]
    assert way.max() - way[0] > 0.25 and way[-1] == pytest.approx(way[0], abs=1e-3)


@pytest.mark.parametrize("name, foot, height, reach", [("kick_front", "right_foot", 0.75, 0.7),
                                                       ("kick_left", "left_foot", 0.48, 0.65)])
def test_kick_puts_the_sole_forward_and_the_other_foot_stays(acts, name, foot, height, reach):
    act = acts[name]
    sole = act.point(foot, SOLE)[act.hit]
    assert sole[2] == pytest.approx(height, abs=0.06) and sole[0] > reach
    assert abs(sole[1]) < 0.4 * sole[0]  # to the front, not to the side
    assert act.mat[act.hit, BODY_ID[foot], 0, 2] < -0.7  # the sole faces forward: its z axis back
    knee = {"right_foot": 20, "left_foot": 27}[foot]
    assert np.degrees(act.clip.joint_pos[act.hit, knee]) < 45.0
    assert act.velocity(foot, SOLE)[:act.hit, 0].max() > 3.0
    other = "left_foot" if foot == "right_foot" else "right_foot"
    assert np.ptp(act.pos[:, BODY_ID[other]], axis=0).max() < 2e-3


def test_bashes_strike_with_the_shield(acts):
    for name, axis, sign in (("bash_step", 0, 1.0), ("bash_swipe", 1, 1.0)):
        act = acts[name]
        strike = sign * act.velocity("shield")[:, axis]
        near = slice(act.hit - 4, act.hit + 2)
        assert strike[near].max() == pytest.approx(strike.max()) and strike.max() > 1.2, name
        assert act.point("shield")[act.hit, 0] > act.point("shield")[0, 0] + 0.1, name
        assert act.point("sword")[:, 0].max() < 0.85, name  # the sword is not what strikes


def test_variants_of_a_skill_never_pass_through_the_same_pose(acts, library_path):
    """A policy that sees no clock could not know which of the two to go on with."""
    shown = {e.file[:-4]: e for e in read_library(library_path).clips
             if e.skill in {a.entry.skill for a in acts.values()}}
    joints = {n: load_clip(library_path.parent / e.file).joint_pos for n, e in shown.items()}
    for name in acts:
        for other in (n for n in shown if n != name and shown[n].skill == shown[name].skill):
            gap = np.abs(joints[name][:, None] - joints[other][None]).max(-1)
            assert np.degrees(gap.min()) > 15.0, (name, other)


def test_low_block_crouches_behind_the_low_shield(acts):
    low = acts["block_low"]
    assert low.point("shield")[:, 2].max() < 1.15 and low.pos[:, 0, 2].max() < 0.78


def test_knocking_beats_the_rim_twice_and_never_cuts_the_shield(acts):
    gap = list(_gaps(acts["taunt_shield_knock"], "sword", "shield"))
    beats = [i for i in range(1, len(gap) - 1) if gap[i] < gap[i - 1] and gap[i] <= gap[i + 1]
             and gap[i] < 0.03]
    assert len(beats) == 2 and min(gap) > 0.0


def test_roar_shakes_the_sword_over_the_head_with_the_arms_wide(acts):
    act = acts["taunt_roar"]
    assert act.point("sword")[:, 2].min() > 2.1
    wide = act.point("shield")[:, 1] - act.point("right_hand")[:, 1]
    assert wide.min() > 0.8
    height = act.point("sword")[:-1, 2]
    assert ((height < np.roll(height, 1)) & (height <= np.roll(height, -1))).sum() == 4


def test_blades_and_shields_do_not_cut_the_body(acts):
    for name, act in acts.items():
        for body in ("pelvis", "torso", "head", "right_thigh", "left_thigh"):
            assert min(_gaps(act, "sword", body)) > 0.0, (name, body)
            assert min(_gaps(act, "shield", body)) > 0.0, (name, body)
        assert min(_gaps(act, "sword", "shield")) > 0.0, name


def _gaps(act: Moves, first: str, second: str):
    """Distance between two bodies in every frame, m (up to 1)."""
    model = humanoid_model()
    data = mujoco.MjData(model)
    geoms = [np.flatnonzero(model.geom_bodyid == BODY_ID[name] + 1) for name in (first, second)]
    for pose in act.qpos:
        data.qpos[:] = pose
        mujoco.mj_kinematics(model, data)
        mujoco.mj_comPos(model, data)
        yield min(mujoco.mj_geomDistance(model, data, int(a), int(b), 1.0, None)
                  for a in geoms[0] for b in geoms[1])


def test_a_swing_passes_its_points_and_starts_and_lands_at_rest():
    footsteps = pytest.importorskip("ppp.motion.authoring.footsteps", reason="authoring needs mink")
    start = footsteps.standing_feet(0.2)
    start[0, 2] = np.pi / 2  # the right foot points to the left: forward is +y
    step = footsteps.Step(0, 1.0, 2.0, tuple(start[0]), ((1.25, 0.1, 0.0, 0.4, 0.2),
                                                         (1.5, 0.7, 0.1, 0.6, -1.2)))
    plan = footsteps.FootPlan(start, [step], 3.0)
    times = np.linspace(0.0, 3.0, 3001)
    track = footsteps.sample_feet(plan, times)
    at = track.pos[1500, 0] - track.pos[0, 0]
    assert at == pytest.approx([-0.1, 0.7, 0.6]) and track.pitch[1500, 0] == pytest.approx(-1.2)
    assert not track.stance[1001:1999, 0].any() and track.stance[:, 1].all()
    speed = np.abs(np.diff(track.pos[:, 0], axis=0)) * 1000.0
    assert speed[[1000, 1999]].max() < 0.1 and speed[:1000].max() == 0.0
    assert np.abs(np.diff(speed, axis=0)).max() * 1000.0 < 120.0  # m/s²: no jump of the velocity


@pytest.mark.parametrize("via, words", [
    ([[0.5, 0.1, 0.0, 0.4]], "up m, pitch degrees"), ([[0.1, 0.1, 0.0, 0.4, 0]], "between 'lift'"),
    ("high", "up m, pitch degrees")])
def test_a_wrong_point_of_a_swing_is_one_sentence(via, words):
    skillfile = pytest.importorskip("ppp.motion.authoring.skillfile", reason="needs mink")
    step = {"foot": "right", "lift": 0.3, "land": 0.9, "move": [0, 0, 0], "via": via}
    with pytest.raises(PPPError, match=words):
        skillfile._written_steps([step], np.zeros((2, 3)), "kick.yaml: clip 1")


def test_a_wrong_stance_is_one_sentence():
    skillfile = pytest.importorskip("ppp.motion.authoring.skillfile", reason="needs mink")
    with pytest.raises(PPPError, match="write {right: "):
        skillfile._stance({"right": [0, 0, 0]}, "kick.yaml: clip 1")
