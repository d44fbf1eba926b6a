"""Gaits on the ground, turns and standing: they go where their names say and can be told apart."""
from __future__ import annotations

import numpy as np
import pytest
import yaml

from ppp.errors import PPPError
from ppp.humanoid.skeleton import FEET
from ppp.motion.body import clip_qpos
from ppp.motion.clip import load_clip
from ppp.motion.contacts import corner_positions
from ppp.motion.library import CURVE, read_library
from ppp.motion.replay import seam

GAITS = ("walk_forward", "walk_backward", "crouch_walk", "strafe_left", "strafe_right")


@pytest.fixture(scope="module")
def library(library_path):
    entries = {e.file[:-4]: e for e in read_library(library_path).clips}
    return {name: (entry, load_clip(library_path.parent / entry.file))
            for name, entry in entries.items() if name.startswith((*GAITS, "turn_", "idle_"))}


def _heading_velocity(clip):
    """Mean speed ahead and to the left of where the pelvis faces, m/s, and its turn, rad/s."""
    qpos = clip_qpos(clip)
    w, x, y, z = qpos[:, 3:7].T
    yaw = np.unwrap(np.arctan2(2 * (x * y + w * z), 1 - 2 * (y * y + z * z)))
    move = np.diff(qpos[:, :2], axis=0) * clip.fps
    middle = 0.5 * (yaw[1:] + yaw[:-1])
    c, s = np.cos(middle), np.sin(middle)
    ahead, left = c * move[:, 0] + s * move[:, 1], c * move[:, 1] - s * move[:, 0]
    return ahead, left, (yaw[-1] - yaw[0]) / clip.seconds


@pytest.mark.parametrize("name, ahead, left", [
    ("walk_backward_straight", -0.6, 0.0), ("crouch_walk_straight", 0.5, 0.0),
    # two steps of 0.4333 s carry a side-step of 0.38 m
    ("strafe_left_straight", 0.0, 0.38 / 0.8667), ("strafe_right_straight", 0.0, -0.38 / 0.8667)])
def test_a_straight_gait_goes_its_way_and_keeps_its_facing(library, name, ahead, left):
    x, y, rate = _heading_velocity(library[name][1])
    assert (x.mean(), y.mean()) == pytest.approx((ahead, left), abs=0.02)
    assert rate == pytest.approx(0.0, abs=0.01)


@pytest.mark.parametrize("gait, travel", [("walk_backward", np.pi), ("crouch_walk", 0.0),
                                          ("strafe_left", np.pi / 2), ("strafe_right", -np.pi / 2)])
def test_travel_is_measured_against_the_facing_on_every_clip(library, gait, travel):
    clips = [e for name, (e, _) in library.items() if name.startswith(gait) and e.skill == gait]
    assert len(clips) >= 5
    for entry in clips:
        gap = np.angle(np.exp(1j * (entry.travel - travel)))
        assert abs(gap) < np.radians(10), entry.file


@pytest.mark.parametrize("gait", GAITS)
def test_loops_that_steer_share_length_and_phase_and_turn_both_ways(library, gait):
    straight = library[f"{gait}_straight"][1]
    down = corner_positions(clip_qpos(straight))[..., 2].min(2) < 0.005
    for kind, side, sign in (("curve", "left", 1), ("curve", "right", -1),
                             ("sharp", "left", 1), ("sharp", "right", -1)):
        clip = library[f"{gait}_{kind}_{side}"][1]
        assert clip.frames == straight.frames
        least = 1.5 * CURVE if kind == "curve" else np.radians(75)
        assert sign * seam(clip_qpos(clip))[1] / clip.seconds > least
        low = corner_positions(clip_qpos(clip))[..., 2].min(2) < 0.005
        assert (low == down).mean() > 0.9


@pytest.mark.parametrize("gait", GAITS)
def test_a_start_leaves_the_ready_stance_and_flows_into_the_loop(library, gait):
    start, loop = library[f"{gait}_start"][1], library[f"{gait}_straight"][1]
    ready = library["idle_sway"][1].joint_pos[0]
    assert np.abs(start.joint_pos[0] - ready).max() < np.radians(3)
    gap = np.abs(loop.joint_pos - start.joint_pos[-1]).max(1)
    assert gap.min() < np.radians(10)


@pytest.mark.parametrize("gait", [g for g in GAITS if g != "walk_forward"])
def test_a_gait_comes_to_rest_in_the_ready_stance(library, gait):
    entry, clip = library[f"{gait}_to_stand"]
    ready = library["idle_sway"][1].joint_pos[0]
    assert entry.skill == "idle" and not entry.loop
    assert np.abs(clip.joint_pos[-1] - ready).max() < np.radians(3)
    assert np.abs(np.diff(clip.root_pos[-4:], axis=0)).max() * clip.fps < 0.04


@pytest.mark.parametrize("gait", GAITS)
def test_a_weave_changes_its_pace_and_its_direction(library, gait):
    entry, clip = library[f"{gait}_weave"]
    assert 6.0 <= clip.seconds <= 8.0 and 0.3 <= entry.weight <= 0.5
    ahead, left, _ = _heading_velocity(clip)
    second = int(clip.fps)
    pace = np.hypot(*(np.convolve(v, np.ones(second) / second, "valid") for v in (ahead, left)))
    assert pace.max() > 1.4 * pace.min()
    w, x, y, z = clip_qpos(clip)[:, 3:7].T
    yaw = np.unwrap(np.arctan2(2 * (x * y + w * z), 1 - 2 * (y * y + z * z)))
    rate = (yaw[second:] - yaw[:-second])
    assert rate.max() > CURVE and rate.min() < -CURVE


def test_walking_backward_the_toes_land_before_the_heel(library):
    corners = corner_positions(clip_qpos(library["walk_backward_straight"][1]))[:-1, :, :, 2]
    for foot in range(len(FEET)):
        heights = corners[:, foot]
        touching = heights.min(1) < 0.002
        landing = int(np.flatnonzero(touching & ~np.roll(touching, 1))[0])
        heel, toe = heights[landing, :2].mean(), heights[landing, 2:].mean()
        assert toe < 0.005 < 0.02 < heel


def test_crouching_is_clearly_lower_than_walking(library):
    tall = library["walk_forward_straight"][1].root_pos[:, 2].mean()
    for name in ("straight", "curve_left", "curve_right", "sharp_left", "sharp_right", "weave"):
        low = library[f"crouch_walk_{name}"][1].root_pos[:, 2]
        assert tall - low.max() > 0.15 and tall - low.mean() < 0.27, name


@pytest.mark.parametrize("name", ["straight", "curve_left", "curve_right", "sharp_left",
                                  "sharp_right", "weave"])
def test_side_steps_never_cross(library, name):
    for side in ("left", "right"):
        clip = library[f"strafe_{side}_{name}"][1]
        qpos = clip_qpos(clip)
        feet = corner_positions(qpos).mean(2)[..., :2]
        w, x, y, z = qpos[:, 3:7].T
        yaw = np.arctan2(2 * (x * y + w * z), 1 - 2 * (y * y + z * z))
        apart = feet[:, 1] - feet[:, 0]
        assert (np.cos(yaw) * apart[:, 1] - np.sin(yaw) * apart[:, 0]).min() > 0.17


def test_turns_have_a_calm_and_a_fast_variant_unlike_in_every_frame(library):
    for side, sign in (("left", 1), ("right", -1)):
        calm, fast = (library[f"turn_{side}_{name}"][1] for name in ("steps", "fast"))
        rates = [sign * np.degrees(seam(clip_qpos(c))[1]) / c.seconds for c in (calm, fast)]
        assert rates[0] > 45 and rates[1] > 1.5 * rates[0]
        gap = np.abs(calm.joint_pos[:, None] - fast.joint_pos[None]).max(-1)
        assert gap.min() > np.radians(10)


def test_standing_in_guard_stays_on_its_feet_and_differs_from_the_ready_stance(library):
    guard, sway = library["idle_guard"][1], library["idle_sway"][1]
    corners = corner_positions(clip_qpos(guard))
    assert np.ptp(corners, axis=0).max() < 1e-3
    ready = corner_positions(clip_qpos(sway))[0]
    # on the ready stance's feet, so that anything may follow without a step
    assert np.abs(corners[0].mean(1) - ready.mean(1))[:, :2].max() < 0.02
    gap = np.abs(guard.joint_pos[:, None] - sway.joint_pos[None]).max(-1)
    assert gap.min() > np.radians(15)


# authoring: what these clips need of it

build = pytest.importorskip("ppp.motion.authoring.build", reason="authoring needs mink")

# written as joint angles, so that no hand has to be reached for
READY = {"right_elbow": -70, "left_elbow": -85}


def _folder(tmp_path, *clips):
    (tmp_path / "body.yaml").write_text((build.SKILLS / "body.yaml").read_text())
    usual = {"seconds": 0.1, "loop": False, "feet": {"kind": "stand"},
             "keys": [{"t": 0.0, **READY}, {"t": 0.1, "neck": [0, 9, 0], **READY}]}
    spec = {"skill": "nod", "label": "nod", "mode": "face",
            "clips": [{**usual, **clip} for clip in clips]}
    (tmp_path / "nod.yaml").write_text(yaml.safe_dump(spec))
    return tmp_path


def _plan(tmp_path, **feet):
    folder = _folder(tmp_path, {"name": "a", "seconds": 6.0, "feet": {"kind": "path", **feet}})
    file = build.read_skill(folder / "nod.yaml")
    maker = build.Author(yaml.safe_load((folder / "body.yaml").read_text()))
    return maker, maker.score(file.parts[0], file.poses).plan


def test_a_path_walks_wide_changes_its_tempo_and_ends_as_it_stood(tmp_path):
    moves = [[0.3, 0, 0], [0.3, 0, 0], [0.3, 0, 0], [0, 0, 0]]
    maker, plan = _plan(tmp_path, start=0.5, width=0.3, tempo=[0.4, 0.6, 0.5, 0.5], moves=moves,
                        double_support=0.25, first="right")
    assert [step.land for step in plan.steps] == pytest.approx([0.9, 1.5, 2.0, 2.5])
    assert plan.steps[1].lift == pytest.approx(0.9 + 0.25 * 0.6)
    sides = [step.pose[1] for step in plan.steps]
    assert sides == pytest.approx([-0.15, 0.15, -0.1, 0.1])
    assert plan.final() - plan.start == pytest.approx(np.array([[0.9, 0, 0]] * 2))
    assert plan.start == pytest.approx(maker.ready)


@pytest.mark.parametrize("feet, words", [
    ({"tempo": [0.5]}, "'tempo'"), ({"tempo": [0.5, 0.0]}, "'tempo'"), ({"tempo": 0.5}, "'tempo'"),
    ({"width": 3.0}, "'width'"), ({"width": "wide"}, "'width'"), ({"tempos": [1]}, "'tempo'")])
def test_a_mistake_in_a_path_is_one_sentence(tmp_path, feet, words):
    with pytest.raises(PPPError) as error:
        _plan(tmp_path, moves=[[0.2, 0, 0], [0, 0, 0]], **feet)
    assert words in str(error.value) and "\n" not in str(error.value)


def test_a_reversed_clip_is_the_clip_played_backwards(tmp_path):
    folder = _folder(tmp_path, {"name": "on"}, {"name": "back", "reverse": True})
    build.author(tmp_path / "out", folder, say=lambda _: None)
    on, back = (load_clip(tmp_path / "out" / f"{name}.npz") for name in ("on", "back"))
    assert (on.joint_pos == back.joint_pos[::-1]).all()
    assert np.ptp(on.joint_pos[:, 4]) > 0.05


def test_several_processes_write_the_same_bytes_and_pass_mistakes_on(tmp_path):
    folder = _folder(tmp_path, {"name": "one"})
    build.author(tmp_path / "1", folder, say=lambda _: None)
    _folder(tmp_path, {"name": "one"}, {"name": "two", "keys": [{"t": 0.0, "pose": "redy"}]})
    with pytest.raises(PPPError, match="did you mean 'ready'"):
        build.author(tmp_path / "2", folder, say=lambda _: None, workers=2)
    assert (tmp_path / "1" / "one.npz").read_bytes() == (tmp_path / "2" / "one.npz").read_bytes()
