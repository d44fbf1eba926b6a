"""Retargeting: our own clips, told on other skeletons, have to come back as they were."""
from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

pytest.importorskip("mink")

from foreign import BODY_NAMES, MIXAMO, body_positions, told_by_another  # noqa: E402

from ppp.errors import PPPError  # noqa: E402
from ppp.humanoid.skeleton import BODY_ID, dof_limits  # noqa: E402
from ppp.motion.check import check_clip  # noqa: E402
from ppp.motion.clip import clip_from_joints, load_clip  # noqa: E402
from ppp.motion.formats.reader import read_motion  # noqa: E402
from ppp.motion.formats.skeleton_motion import cut, reframed  # noqa: E402
from ppp.motion.retarget.feet import plan_feet  # noqa: E402
from ppp.motion.retarget.maps import NEEDED, ROLES, find_map, ready_maps  # noqa: E402
from ppp.motion.retarget.pipeline import retarget  # noqa: E402
from ppp.motion.retarget.solver import MARGIN, within_limits  # noqa: E402

UNKNOWN = {name: f"node{i:02d}" for i, name in enumerate(BODY_NAMES)}
_LIMBS = [BODY_ID[f"{side}_{part}"] for side in ("right", "left")
          for part in ("lower_arm", "hand", "shin", "foot")]


@pytest.fixture(scope="module")
def walk(library_path):
    return load_clip(library_path.parent / "walk_forward_straight.npz")


def _from_origin(clip):
    """Body positions once the clip begins at the origin with its pelvis facing x."""
    ahead = Rotation.from_quat(np.roll(clip.body_rot[0, 0], -1)).apply([1.0, 0.0, 0.0])
    turn = Rotation.from_euler("z", -np.arctan2(ahead[1], ahead[0]))
    place = body_positions(clip) - clip.root_pos[0] * [1.0, 1.0, 0.0]
    return turn.apply(place.reshape(-1, 3)).reshape(place.shape)


@pytest.mark.parametrize("arms, size, yaw, names", [
    (90.0, 1.0, 0.0, MIXAMO), (45.0, 1.25, 2.0, MIXAMO), (0.0, 0.8, -1.0, UNKNOWN)])
def test_a_clip_comes_back_from_any_rest_pose_size_and_heading(walk, arms, size, yaw, names):
    """T-pose, A-pose, hanging arms; a taller and a smaller body; names that tell nothing."""
    motion = told_by_another(walk, arms, size, yaw, names)
    done = retarget(motion, "a.test")
    assert done.scale == pytest.approx(1.0 / size, rel=1e-3)
    assert done.guessed == (names is UNKNOWN)
    assert done.error_cm < 1.5
    ours, theirs = body_positions(done.clip), _from_origin(walk)
    gap = np.linalg.norm(ours - theirs, axis=-1)[:, _LIMBS]
    assert gap.mean() < 0.02 and gap.max() < 0.08
    report = check_clip(done.clip)
    assert report.skating < 0.02 and report.penetration_mm < 2.0
    assert report.limit_excess_deg == 0.0


def test_a_rest_pose_that_does_not_stand_is_replaced(walk):
    """LaFAN1 rests as a stick along x; standing is then read off the most upright frame."""
    done = retarget(told_by_another(walk, size=1.2, yaw=0.7, stick=True), "a.test")
    assert any("does not stand" in note for note in done.notes)
    gap = np.linalg.norm(body_positions(done.clip) - _from_origin(walk), axis=-1)[:, _LIMBS]
    assert gap.mean() < 0.06
    assert check_clip(done.clip).skating < 0.05


def test_an_amass_pose_keeps_its_directions(tmp_path):
    """Arms hanging from the T-pose, the left knee bent by 90 degrees, all of it turned round."""
    poses = np.zeros((12, 156))
    poses[:, :3] = (Rotation.from_euler("z", 2.0) * Rotation.from_euler("x", np.pi / 2)).as_rotvec()
    poses[:, 12], poses[:, 50], poses[:, 53] = np.pi / 2, -np.pi / 2, np.pi / 2
    np.savez(tmp_path / "a.npz", poses=poses, trans=np.tile([3.0, 1.0, 0.9], (12, 1)),
             mocap_framerate=60.0)
    done = retarget(read_motion(tmp_path / "a.npz"), "a.npz")
    assert done.bone_map == "smpl"
    place = body_positions(done.clip)[3]
    assert place[BODY_ID["head"], 2] > place[0, 2] + 0.4
    for side in ("left", "right"):
        arm = place[BODY_ID[f"{side}_hand"]] - place[BODY_ID[f"{side}_upper_arm"]]
        assert arm[2] < -0.45
    # the pelvis faces x, so the bent shin points to -x
    shin = place[BODY_ID["left_foot"]] - place[BODY_ID["left_shin"]]
    assert shin[0] < -0.35 and abs(shin[2]) < 0.12
    assert np.degrees(done.clip.joint_pos[3, 27]) == pytest.approx(90.0, abs=12.0)


def test_the_blade_points_where_the_hand_does(library_path):
    clip = load_clip(library_path.parent / "slash_diagonal.npz")
    done = retarget(told_by_another(clip, 90.0, 1.1, 0.5), "a.test")
    first, second = _from_origin(clip), body_positions(done.clip)
    blades = [p[:, BODY_ID["sword"]] - p[:, BODY_ID["right_hand"]] for p in (first, second)]
    cosine = (blades[0] * blades[1]).sum(-1) / np.prod([np.linalg.norm(b, axis=-1)
                                                        for b in blades], 0)
    assert np.degrees(np.arccos(np.clip(cosine, -1, 1))).mean() < 8.0
    assert second[:, BODY_ID["sword"], 2].min() > 0.0


def test_a_loop_closes_with_its_feet_on_the_floor(walk):
    done = retarget(told_by_another(walk), "a.test", loop=True)
    report = check_clip(done.clip, loop=True)
    assert report.loop_error < 1e-3
    assert report.skating < 0.02 and report.penetration_mm < 2.0


def test_what_does_not_come_round_is_no_loop(library_path):
    """From the guard to the wound-up blow: the arm is far from where it began."""
    slash = load_clip(library_path.parent / "slash_diagonal.npz")
    with pytest.raises(PPPError, match="--loop"):
        retarget(cut(told_by_another(slash), 0.0, 0.6, "a"), "a.test", loop=True)


def test_mirrored_motions_exchange_left_and_right(library_path):
    clip = load_clip(library_path.parent / "walk_forward_curve_left.npz")
    straight = body_positions(retarget(told_by_another(clip), "a").clip)
    mirror = body_positions(retarget(told_by_another(clip), "a", mirror=True).clip)
    for side, other in (("right", "left"), ("left", "right")):
        there = straight[:, BODY_ID[f"{side}_foot"]] * [1.0, -1.0, 1.0]
        assert mirror[:, BODY_ID[f"{other}_foot"]] == pytest.approx(there, abs=0.03)


def test_up_is_found_where_the_file_has_another_axis_up(walk):
    lying = Rotation.from_euler("x", 90, degrees=True).as_matrix().round(9)
    motion = reframed(told_by_another(walk, kind="BVH"), lying, lying)
    done = retarget(motion, "a.bvh")
    assert any("up axis" in note for note in done.notes)
    assert done.clip.root_pos[:, 2] == pytest.approx(walk.root_pos[:, 2], abs=0.02)


def test_guessed_and_ready_maps_agree(walk):
    known = find_map(told_by_another(walk), "", "a")
    guess = find_map(told_by_another(walk, names=UNKNOWN), "", "a")
    assert not known.guessed and guess.guessed
    for role in NEEDED:
        assert known.roles[role] == guess.roles[role], role


@pytest.mark.parametrize("name", ready_maps())
def test_ready_maps_name_every_needed_role(name):
    from ppp.motion.retarget.maps import MAPS
    from ppp.settings import load_yaml

    joints = load_yaml(MAPS / f"{name}.yaml")["joints"]
    assert set(NEEDED) <= set(joints) <= set(ROLES)


@pytest.mark.parametrize("text, words", [
    ("joints: {pelvus: a}", "pelvis"), ("joints: {pelvis: 3}", "joints.pelvis"),
    ("bones: {}", "'joints' is missing"), ("joints: {pelvis: node00}", "'chest' nothing"),
    ("joints: {pelvis: nude00}", "nude00.*node00")])
def test_broken_bone_maps_are_refused(walk, tmp_path, text, words):
    (tmp_path / "m.yaml").write_text(text)
    with pytest.raises(PPPError, match=words):
        find_map(told_by_another(walk, names=UNKNOWN), str(tmp_path / "m.yaml"), "a.test")


def test_an_unknown_map_and_unknown_joints_are_refused(walk):
    motion = told_by_another(walk)
    with pytest.raises(PPPError, match="mixamo"):
        find_map(motion, "mixxamo", "a")
    with pytest.raises(PPPError, match="does not have"):
        find_map(motion, "smpl", "a")
    motion.parents = [-1] + list(range(len(motion.names) - 1))  # one long chain: no body
    motion.names = [f"n{i}" for i in range(len(motion.names))]
    with pytest.raises(PPPError, match="--map"):
        find_map(motion, "", "a")


def test_a_bone_without_length_is_refused(walk):
    motion = told_by_another(walk)
    motion.offsets[motion.names.index("mixamorig:LeftLeg")] = 0.0
    with pytest.raises(PPPError, match="left hip to knee has no length"):
        retarget(motion, "a.test")


def test_limits_are_kept_and_poses_within_them_left_alone():
    low, high = np.array(dof_limits()).T
    rng = np.random.default_rng(0)
    inside = low + MARGIN + rng.random((50, 31)) * (high - low - 2 * MARGIN)
    # beyond half a turn an exponential map has a shorter twin
    for start in (0, 3, 6, 10, 13, 17, 21, 24, 28):
        part = inside[:, start:start + 3]
        norm = np.linalg.norm(part, axis=-1, keepdims=True)
        inside[:, start:start + 3] = part * np.minimum(1.0, 3.0 / np.maximum(norm, 1e-9))
    assert within_limits(inside) == pytest.approx(inside, abs=1e-9)
    wild = within_limits(rng.normal(0.0, 1.5, (50, 31)))
    assert (wild >= low - 1e-9).all() and (wild <= high + 1e-9).all()


def test_a_slipping_foot_is_pinned_and_a_swinging_one_kept():
    """Two stands of one second, slipping at 0.1 m/s and 2 cm in the floor, with a step between."""
    fps, still = 30.0, 30
    x = np.concatenate((0.1 * np.arange(still) / fps, 0.1 + 0.5 * np.linspace(0, 1, 12)[1:-1],
                        0.6 + 0.1 * np.arange(still) / fps))
    lift = np.concatenate((np.zeros(still), 0.15 * np.sin(np.pi * np.linspace(0, 1, 12)[1:-1]),
                           np.zeros(still)))
    ankle = np.zeros((len(x), 2, 3))
    ankle[:, 0] = np.stack((x, np.full(len(x), -0.1), 0.03 + lift), 1)
    ankle[:, 1] = [0.3, 0.1, 0.03]
    level = Rotation.identity(len(x))
    plan = plan_feet(ankle.mean(1), ankle, (level, level), fps)
    assert plan.floor == pytest.approx(-0.02, abs=0.005)
    for stand in (slice(2, still - 2), slice(still + 12, None)):
        foot = plan.pos[stand, 0]
        assert np.ptp(foot, axis=0) == pytest.approx(0.0, abs=1e-9)
        assert foot[0, 2] == pytest.approx(0.05)
    assert plan.pos[still + 5, 0, 2] > 0.15
    assert np.abs(np.diff(plan.pos[:, 0], axis=0)).max() < 0.12


def test_a_standing_body_with_its_arm_through_the_trunk_is_pushed_out():
    """Blade and shield are kept off the body: the arms of this pose would lead them into it."""
    joints = np.zeros((12, 31))
    joints[:, 6:9], joints[:, 9] = [0.3, 0.0, 0.9], -2.0
    joints[:, 13:16], joints[:, 16] = [-0.2, 0.0, -0.9], -2.0
    root = np.tile([1.0, 0.0, 0.0, 0.0], (12, 1))
    clip = clip_from_joints(np.tile([0.0, 0.0, 0.88], (12, 1)), root, joints, 30.0)
    before = check_clip(clip)
    after = check_clip(retarget(told_by_another(clip), "a").clip)
    assert before.cut_mm > 20.0
    assert after.cut_mm < 5.0


def _real(mocap, name):
    path = mocap / name
    if not path.is_file():
        pytest.skip(f"no {name} among the real motion data")
    return read_motion(path), path


def test_a_real_cartwheel_goes_over_the_hands(mocap):
    motion, path = _real(mocap, "deepmimic/humanoid3d_cartwheel.txt")
    clip = retarget(cut(motion, 0.4, 2.2, path), path).clip
    place = body_positions(clip)
    over = place[:, BODY_ID["right_foot"], 2] - place[:, BODY_ID["head"], 2]
    assert over.max() > 0.6 and over[0] < -1.0
    report = check_clip(clip)
    assert report.penetration_mm < 10.0 and report.skating < 0.05


def test_a_real_walk_has_feet_that_do_not_slide(mocap):
    motion, path = _real(mocap, "cmu/02_01.amc")
    report = check_clip(retarget(motion, path).clip)
    assert report.skating < 0.05 and report.penetration_mm < 10.0
    assert report.residual_median < 0.1 and report.limit_excess_deg == 0.0
