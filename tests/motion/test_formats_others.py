"""DeepMimic, AMASS and MimicKit files of the published layouts, made from our own poses."""
from __future__ import annotations

import json
import pickle

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from ppp.errors import PPPError
from ppp.humanoid.skeleton import BODIES
from ppp.motion.clip import load_clip
from ppp.motion.formats.deepmimic import load_deepmimic
from ppp.motion.formats.mimickit import load_mimickit
from ppp.motion.formats.reader import read_motion
from ppp.motion.formats.smpl import load_smpl

_BALLS = [4, 4, 4, 1, 4, 4, 1, 4, 1, 4, 4, 1]  # after the root: chest … left elbow


def _row(duration=0.05, root=(0, 0.9, 0), **joints):
    """A DeepMimic frame; joints by number: a quaternion or an angle."""
    row = [duration, *root, 1, 0, 0, 0]
    for number, width in enumerate(_BALLS):
        row += joints.get(f"j{number}", [1, 0, 0, 0] if width == 4 else [0.0])
    return row


def _deepmimic(tmp_path, rows):
    path = tmp_path / "a.txt"
    path.write_text(json.dumps({"Loop": "none", "Frames": rows}))
    return path


def test_deepmimic_axes_and_hinges(tmp_path):
    """Theirs: x forward, y up, z right. A knee of -90 degrees lifts the foot behind."""
    motion = load_deepmimic(_deepmimic(tmp_path, [
        _row(), _row(root=(2, 0.9, 1), j3=[-np.pi / 2])]))
    assert motion.fps == pytest.approx(20.0)
    pos, _ = motion.world()
    ankle = motion.names.index("right_ankle")
    assert pos[0, ankle] == pytest.approx([0, -0.084887, 0.9 - 0.831416], abs=1e-6)
    assert pos[1, 0] == pytest.approx([2, -1, 0.9], abs=1e-9)
    assert pos[1, ankle] == pytest.approx([2 - 0.40987, -1.084887, 0.9 - 0.421546], abs=1e-6)


@pytest.mark.parametrize("rows, words", [
    ([], "no frames"), ([_row()], "one frame"), ([_row(), _row()[:-1]], "frame 2 has 43"),
    ([_row(), _row(j3=[float("nan")])], "not finite"),
    ([_row(), _row(j3=[10**400])], "not finite"), ([_row(0.0), _row()], "above 0"),
    ([_row(), _row(j0=[0, 0, 0, 0])], "unit quaternion"), ([_row(), _row(j3=["x"])], "numbers"),
    ([_row(0.05), _row(0.2), _row(0.05)], "one duration"), ("x", "no list")])
def test_broken_deepmimic_files_are_refused(tmp_path, rows, words):
    with pytest.raises(PPPError, match=words):
        load_deepmimic(_deepmimic(tmp_path, rows))


@pytest.mark.parametrize("content, words", [(b"", "empty"), (b"\0\0", "binary"), (b"{", "JSON")])
def test_text_that_is_no_deepmimic_is_refused(tmp_path, content, words):
    (tmp_path / "a.txt").write_bytes(content)
    with pytest.raises(PPPError, match=words):
        load_deepmimic(tmp_path / "a.txt")


def _amass(tmp_path, frames=4, joints=52, **arrays):
    poses = np.zeros((frames, 3 * joints))
    # AMASS is z up: the body, y up at rest, is stood up by the root's rotation
    poses[:, 0] = np.pi / 2
    data = {"poses": poses, "trans": np.tile([1.0, 2.0, 0.95], (frames, 1)),
            "mocap_framerate": np.array(120.0), **arrays}
    path = tmp_path / "a.npz"
    np.savez(path, **{k: v for k, v in data.items() if v is not None})
    return path


@pytest.mark.parametrize("joints", [22, 24, 52, 55])
def test_amass_stands_upright_and_bends_its_left_knee(tmp_path, joints):
    poses = np.zeros((4, 3 * joints))
    poses[:, 0] = np.pi / 2
    poses[:, 3 * 4] = np.pi / 2  # left knee about x: the shin goes back
    motion = load_smpl(_amass(tmp_path, joints=joints, poses=poses))
    assert motion.fps == 120.0
    pos, _ = motion.world()
    place = {name: pos[0, i] for i, name in enumerate(motion.names)}
    assert place["pelvis"] == pytest.approx([1.0, 2.0, 0.95])
    assert place["head"][2] > place["pelvis"][2] + 0.4
    assert place["right_ankle"][2] < place["pelvis"][2] - 0.8
    # the rest faces z of the y-up body, which is -y of the world once stood up
    knee, ankle = place["left_knee"], place["left_ankle"]
    assert ankle[1] > knee[1] + 0.3 and abs(ankle[2] - knee[2]) < 0.05


@pytest.mark.parametrize("arrays, words", [
    (dict(poses=np.zeros((0, 156)), trans=np.zeros((0, 3))), "no frames"),
    (dict(poses=np.zeros((1, 156)), trans=np.zeros((1, 3))), "one frame"),
    (dict(poses=np.full((4, 156), np.nan)), "not finite"),
    (dict(poses=np.zeros((4, 30))), "shape"), (dict(trans=None), "trans"),
    (dict(mocap_framerate=np.array(0.0)), "rate"), (dict(mocap_framerate=None), "mocap_framerate"),
    (dict(poses=np.array([{}] * 4, dtype=object)), "not a readable|poses")])
def test_broken_amass_files_are_refused(tmp_path, arrays, words):
    with pytest.raises(PPPError, match=words):
        load_smpl(_amass(tmp_path, **arrays))


@pytest.mark.parametrize("content", [b"", b"rubbish" * 50])
def test_an_npz_that_is_none_is_refused(tmp_path, content):
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(PPPError, match="not a readable"):
        read_motion(tmp_path / "a.npz")


@pytest.fixture
def walk(library_path):
    return load_clip(library_path.parent / "walk_forward_straight.npz")


def _frames(clip):
    root = Rotation.from_quat(np.roll(clip.body_rot[:, 0], -1, axis=-1)).as_rotvec()
    return np.concatenate((clip.root_pos, root, clip.joint_pos), 1).astype(np.float64)


def _pickle(tmp_path, data, protocol=4):
    path = tmp_path / "a.pkl"
    path.write_bytes(pickle.dumps(data, protocol=protocol))
    return path


@pytest.mark.parametrize("form, protocol", [("list", 4), ("array", 4), ("array", 5)])
def test_our_clip_through_a_mimickit_file_and_back(tmp_path, walk, form, protocol):
    frames = _frames(walk)
    data = {"fps": 30, "loop_mode": 1, "frames": frames.tolist() if form == "list" else frames}
    back = load_mimickit(_pickle(tmp_path, data, protocol))
    assert back.frames == walk.frames and back.fps == 30
    assert back.root_pos == pytest.approx(walk.root_pos, abs=1e-6)
    assert back.joint_pos == pytest.approx(walk.joint_pos, abs=1e-5)
    same = np.abs((back.body_rot * walk.body_rot).sum(-1))
    assert same == pytest.approx(1.0, abs=1e-5)


def test_the_plain_humanoid_has_no_wrist(tmp_path, walk):
    frames = np.delete(_frames(walk), np.s_[6 + 10:6 + 13], axis=1)
    back = load_mimickit(_pickle(tmp_path, {"fps": 30, "loop_mode": 0, "frames": frames}))
    assert back.joint_pos[:, 13:] == pytest.approx(walk.joint_pos[:, 13:], abs=1e-5)
    assert np.abs(back.joint_pos[:, 10:13]).max() == 0.0


class _Evil:
    def __reduce__(self):
        return (print, ("called",))


@pytest.mark.parametrize("data, words", [
    ({"fps": 30, "frames": np.zeros((0, 37))}, "no frames"),
    ({"fps": 30, "frames": np.zeros((1, 37))}, "one frame"),
    ({"fps": 30, "frames": np.full((3, 37), np.nan)}, "not finite"),
    ({"fps": 0, "frames": np.zeros((3, 37))}, "rate"),
    ({"fps": "x", "frames": np.zeros((3, 37))}, "fps"),
    ({"fps": 30, "frames": np.zeros((3, 40))}, "another character"),
    ({"fps": 30, "frames": [[0.0], [0.0, 1.0]]}, "no table"),
    ({"fps": 30}, "no 'frames'"), ([1, 2], "not a dictionary"),
    ({"fps": 30, "frames": np.array([{}, {}], dtype=object)}, "refused"),
    ({"fps": 30, "frames": _Evil()}, "refused")])
def test_broken_or_evil_pickles_are_refused(tmp_path, capsys, data, words):
    with pytest.raises(PPPError, match=words):
        load_mimickit(_pickle(tmp_path, data))
    assert "called" not in capsys.readouterr().out


@pytest.mark.parametrize("content, words", [
    (b"", "empty"), (b"\xff\xfe rubbish", "not a readable"), (b"\x80\x04", "not a readable")])
def test_a_file_that_is_no_pickle_is_refused(tmp_path, content, words):
    (tmp_path / "a.pkl").write_bytes(content)
    with pytest.raises(PPPError, match=words):
        load_mimickit(tmp_path / "a.pkl")


def test_an_unknown_ending_names_the_known_ones(tmp_path):
    with pytest.raises(PPPError, match="bvh"):
        read_motion(tmp_path / "a.fbx")


def test_the_deepmimic_body_has_our_bones():
    from ppp.motion.formats.deepmimic import _JOINTS

    ours = {b.name: b.offset for b in BODIES}
    theirs = {name: offset for name, _, offset, _ in _JOINTS}
    for their, our in (("chest", "torso"), ("right_knee", "right_shin"), ("left_elbow",
                                                                          "left_lower_arm")):
        assert theirs[their] == pytest.approx(ours[our])
