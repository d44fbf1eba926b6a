"""The clips that the project ships: they close, stand on their feet and could be performed."""
from __future__ import annotations

from collections import Counter

import mujoco
import numpy as np
import pytest

from ppp.humanoid.skeleton import BODY_ID, dof_limits
from ppp.language.phrases import load_phrases
from ppp.motion.body import clip_qpos, humanoid_model, turned
from ppp.motion.check import check_library
from ppp.motion.clip import load_clip
from ppp.motion.contacts import corner_positions, support
from ppp.motion.dynamics import velocities
from ppp.motion.library import read_library
from ppp.motion.replay import replay, seam
from ppp.planning.skills import SKILLS
from ppp.settings import ROOT

#: skills with free flight or hands on the floor: a frame beside a landing may ask for more
LEAPING = {"run", "jump", "dodge_back", "get_up"}


@pytest.fixture(scope="module")
def clips(library_path):
    library = read_library(library_path)
    return {e.file: (e, load_clip(library_path.parent / e.file)) for e in library.clips}


def test_every_skill_has_two_clips_and_all_pass(library_path):
    result = check_library(library_path)
    count = Counter(clip["skill"] for clip in result["clips"])
    assert set(count) == set(SKILLS) and min(count.values()) >= 2, count
    assert result["all_ok"], [(c["name"], c["wrong"]) for c in result["clips"] if not c["ok"]]
    assert sum(clip["seconds"] for clip in result["clips"]) > 120.0


def test_labels_are_those_that_the_codebook_encodes(library_path):
    phrases = load_phrases(str(ROOT / "prompts" / "phrases.yaml"))
    listed = read_library(library_path).skills
    assert {skill: info.label for skill, info in listed.items()} == phrases.labels


def test_loops_close_in_pose_and_in_velocity(clips):
    for entry, clip in (pair for pair in clips.values() if pair[0].loop):
        qpos = clip_qpos(clip)
        joined = np.concatenate((turned(qpos[-3:-1], *_back(qpos)), qpos[:3]))
        speed = velocities(joined, 1.0 / clip.fps)
        jump, usual = np.abs(np.diff(speed, axis=0)), np.abs(np.diff(
            velocities(qpos, 1.0 / clip.fps), axis=0)).max()
        assert jump.max() <= 1.1 * usual + 0.05, entry.file


def _back(qpos):
    shift, yaw = seam(qpos)
    c, s = np.cos(-yaw), np.sin(-yaw)
    return -np.array([[c, -s], [s, c]]) @ shift, -yaw


def test_standing_clips_never_move_their_feet(clips):
    for name in ("idle_sway.npz", "slash_diagonal.npz", "block_hold.npz"):
        corners = corner_positions(clip_qpos(clips[name][1]))
        assert np.ptp(corners, axis=0).max() < 1e-3, name


def test_walking_and_turning_go_where_their_names_say(clips):
    for name, speed, rate in (("walk_forward_straight", 0.65, 0.0),
                              ("walk_forward_curve_left", 0.64, 35.0),
                              ("walk_forward_curve_right", 0.64, -35.0),
                              ("turn_left_steps", 0.0, 55.0), ("turn_right_steps", 0.0, -55.0)):
        clip = clips[f"{name}.npz"][1]
        qpos = clip_qpos(clip)
        _, yaw = seam(qpos)
        way = np.linalg.norm(qpos[-1, :2] - qpos[0, :2])
        if speed:  # the way is the chord of the curve
            assert way / clip.seconds == pytest.approx(speed, abs=0.05), name
        assert np.degrees(yaw) / clip.seconds == pytest.approx(rate, abs=5.0), name


def test_swing_feet_clear_the_floor_and_knees_stay_bent(clips):
    clip = clips["walk_forward_straight.npz"][1]
    lowest = corner_positions(clip_qpos(clip))[..., 2].min(2)
    assert lowest.max(0).min() > 0.045
    assert np.degrees(clip.joint_pos[:, [20, 27]]).min() > 5.0


def test_joints_stay_in_range_and_do_not_flip(clips):
    low, high = np.array(dof_limits()).T
    for entry, clip in clips.values():
        assert ((clip.joint_pos > low) & (clip.joint_pos < high)).all(), entry.file
        assert np.abs(np.diff(clip.joint_pos, axis=0)).max() < 0.6, entry.file  # 18 rad/s


def test_ground_can_give_what_the_clips_need_within_the_effort(clips):
    for entry, clip in clips.values():
        found = support(clip_qpos(clip), 1.0 / clip.fps)
        touching = found.residual[found.load.sum(-1) > 0.0]
        assert np.median(touching) < 0.005, entry.file
        assert np.quantile(touching, 0.95) < 0.05, entry.file
        # a stop out of the run lands from it once more
        leaps = entry.skill in LEAPING or entry.file.startswith("run_")
        assert leaps or touching.max() < 0.05, entry.file
        assert np.abs(found.torque).max() < 150.0, entry.file


def test_sword_passes_through_a_standing_target_at_the_hit_phase(clips):
    entry, clip = clips["slash_diagonal.npz"]
    model = humanoid_model()
    data = mujoco.MjData(model)
    data.qpos[:] = clip_qpos(clip)[int(round(entry.hits[0] * (clip.frames - 1)))]
    mujoco.mj_kinematics(model, data)
    tip, grip = data.xpos[BODY_ID["sword"] + 1], data.xpos[BODY_ID["right_hand"] + 1]
    blade = grip + np.linspace(0.1, 1.0, 50)[:, None] * (tip - grip)
    # a box 0.4 m wide and 1.8 m tall, its near face 0.8 m before the pelvis
    inside = (blade[:, 0] > 0.8) & (np.abs(blade[:, 1]) < 0.2) & (blade[:, 2] < 1.8)
    assert inside.any()
    assert np.ptp(_tip_heights(clip)) > 0.9


def _tip_heights(clip):
    model = humanoid_model()
    data = mujoco.MjData(model)
    heights = []
    for pose in clip_qpos(clip):
        data.qpos[:] = pose
        mujoco.mj_kinematics(model, data)
        heights.append(data.xpos[BODY_ID["sword"] + 1, 2])
    return np.array(heights)


@pytest.mark.parametrize("name, seconds", [("idle_sway", 4.0), ("slash_diagonal", 1.8),
                                           ("block_hold", 1.9), ("walk_forward_start", 1.5)])
def test_servos_alone_follow_the_clip(clips, name, seconds):
    clip = clips[f"{name}.npz"][1]
    assert replay(clip_qpos(clip), clip.fps).seconds >= seconds
