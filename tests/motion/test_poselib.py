"""The importer for ASE/CALM files: small files of our own always, real ones where they are."""
from __future__ import annotations

import os
from collections import OrderedDict

import numpy as np
import pytest
import torch

from ppp.errors import PPPError
from ppp.humanoid.kinematics import forward_kinematics, linear_velocities
from ppp.humanoid.skeleton import BODIES
from ppp.motion.clip import load_clip
from ppp.motion.commands import main
from ppp.motion.formats.pickled import read_pickled_npy
from ppp.motion.formats.poselib import load_poselib


def _arr(value) -> dict:
    value = np.asarray(value)
    return {"arr": value, "context": {"dtype": str(value.dtype)}}


def _motion(frames: int = 7, fps: float = 30.0) -> OrderedDict:
    """A body that turns about z by 0.1 rad a frame with its right elbow at -1 rad."""
    rot = np.zeros((frames, 17, 4))
    rot[..., 3] = 1.0
    half = 0.05 * np.arange(frames)
    rot[:, 0, 2], rot[:, 0, 3] = np.sin(half), np.cos(half)
    rot[:, 4, 1], rot[:, 4, 3] = np.sin(-0.5), np.cos(-0.5)
    pos = np.tile([0.0, 0.0, 0.9], (frames, 1))
    pos[:, 0] = 0.1 * np.arange(frames)
    tree = OrderedDict(node_names=[b.name for b in BODIES],
                       parent_indices=_arr(np.array([b.parent for b in BODIES])),
                       local_translation=_arr(np.array([b.offset for b in BODIES], np.float32)))
    return OrderedDict(rotation=_arr(rot), root_translation=_arr(pos), skeleton_tree=tree,
                       is_local=True, fps=np.float64(fps), __name__="SkeletonMotion")


def _save(path, data):
    np.save(path, np.array(data, dtype=object), allow_pickle=True)
    return path


def test_quaternions_are_reordered_and_joints_come_out(tmp_path):
    clip = load_poselib(_save(tmp_path / "a.npy", _motion()))
    assert clip.frames == 7 and clip.fps == 30
    assert clip.body_rot[2, 0] == pytest.approx([np.cos(0.1), 0, 0, np.sin(0.1)], abs=1e-6)
    assert clip.joint_pos[:, 9] == pytest.approx(-1.0)
    assert clip.root_pos[3] == pytest.approx([0.3, 0, 0.9])


def test_other_rates_are_resampled_in_time(tmp_path):
    clip = load_poselib(_save(tmp_path / "a.npy", _motion(13, 60.0)))
    assert clip.fps == 30 and clip.seconds == pytest.approx(0.2)
    assert clip.root_pos[1, 0] == pytest.approx(0.2, abs=1e-5)
    assert clip.body_rot[1, 0] == pytest.approx([np.cos(0.1), 0, 0, np.sin(0.1)], abs=1e-5)


def test_world_rotations_are_made_local(tmp_path):
    data = _motion()
    world = data["rotation"]["arr"]
    turn = world[:, 0].copy()
    elbow = world[:, 4].copy()
    for body in range(1, 17):
        world[:, body] = turn
    # the forearm and what hangs on it also carry the elbow: turn ∘ elbow, x y z w
    x1, y1, z1, w1 = turn.T
    x2, y2, z2, w2 = elbow.T
    both = np.stack((w1 * x2 + x1 * w2 + y1 * z2 - z1 * y2, w1 * y2 - x1 * z2 + y1 * w2 + z1 * x2,
                     w1 * z2 + x1 * y2 - y1 * x2 + z1 * w2, w1 * w2 - x1 * x2 - y1 * y2 - z1 * z2))
    for body in (4, 5, 6):
        world[:, body] = both.T
    data["is_local"] = False
    expected = load_poselib(_save(tmp_path / "a.npy", _motion()))
    found = load_poselib(_save(tmp_path / "b.npy", data))
    assert found.joint_pos == pytest.approx(expected.joint_pos, abs=1e-6)


class _Evil:
    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        return os.mkdir, (self.target,)


def test_code_in_a_pickle_is_refused_and_not_run(tmp_path):
    target = str(tmp_path / "made")
    data = _motion()
    data["extra"] = _Evil(target)
    with pytest.raises(PPPError, match="refused.*mkdir"):
        load_poselib(_save(tmp_path / "evil.npy", data))
    assert not os.path.exists(target)


@pytest.mark.parametrize("payload", [
    b"cnumpy\nload\n(S'x'\ntR.", b"cnumpy.core.multiarray\nfromfile\n(S'x'\ntR.",
    b"cbuiltins\neval\n(S'1'\ntR.", b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x01x\x85R.",
    b"ccollections\nCounter\n(tR.", b"cnumpy\nndarray\n(tR."])
def test_only_four_names_are_known(tmp_path, payload):
    header = np.lib.format.magic(1, 0)
    with open(tmp_path / "x.npy", "wb") as file:
        np.lib.format.write_array_header_1_0(
            file, {"descr": "|O", "fortran_order": False, "shape": ()})
        file.write(payload)
    assert (tmp_path / "x.npy").read_bytes().startswith(header)
    with pytest.raises(PPPError, match="x.npy"):
        read_pickled_npy(tmp_path / "x.npy")


def test_arrays_of_objects_and_bare_arrays_are_refused(tmp_path):
    data = _motion()
    data["rotation"]["arr"] = np.array([{}, []], dtype=object)
    with pytest.raises(PPPError, match="refused"):
        load_poselib(_save(tmp_path / "objects.npy", data))
    np.save(tmp_path / "bare.npy", np.zeros((3, 4)))
    with pytest.raises(PPPError, match="bare array"):
        load_poselib(tmp_path / "bare.npy")


def test_a_file_cut_short_anywhere_is_one_sentence(tmp_path):
    whole = _save(tmp_path / "a.npy", _motion(3)).read_bytes()
    for size in list(range(0, 400, 7)) + [len(whole) // 2, len(whole) - 1]:
        (tmp_path / "cut.npy").write_bytes(whole[:size])
        with pytest.raises(PPPError) as error:
            load_poselib(tmp_path / "cut.npy")
        assert "cut.npy" in str(error.value) and "\n" not in str(error.value)


def _renamed(data):
    data["skeleton_tree"]["node_names"][6] = "axe"


def _longer(data):
    data["skeleton_tree"]["local_translation"]["arr"][12, 2] = -0.5


def _rejoined(data):
    data["skeleton_tree"]["parent_indices"]["arr"][6] = 4


def _not_finite(data):
    data["rotation"]["arr"][2, 3, 1] = np.nan


def _fewer(data):
    data["rotation"]["arr"] = data["rotation"]["arr"][:, :15]


def _slow(data):
    data["fps"] = 0.0


def _no_tree(data):
    del data["skeleton_tree"]


@pytest.mark.parametrize("spoil, words", [
    (_renamed, "it has 'axe'"), (_longer, "other lengths"), (_rejoined, "joins its bodies"),
    (_not_finite, "not finite"), (_fewer, "another body"), (_slow, "'fps' is 0.0"),
    (_no_tree, "no 'skeleton_tree'")])
def test_a_wrong_motion_is_one_sentence(tmp_path, spoil, words):
    data = _motion()
    spoil(data)
    with pytest.raises(PPPError, match=words):
        load_poselib(_save(tmp_path / "a.npy", data))


def test_import_command_adds_a_poselib_clip(tmp_path):
    _save(tmp_path / "Spin.npy", _motion(40))
    library = tmp_path / "lib" / "library.yaml"
    assert main(["import", str(tmp_path / "Spin.npy"), "--skill", "spin", "--label", "spin round",
                 "--mode", "turn", "--library", str(library)]) == 0
    assert load_clip(library.parent / "Spin.npz").label == "spin round"


def test_all_real_clips_load(mocap):
    """Same values as numpy's own reader, unit rotations, hinges that only bend about y."""
    paths = sorted((mocap / "reallusion_sword_shield").glob("*.npy"))
    if not paths:
        pytest.skip("no reallusion_sword_shield/*.npy among the real motion data")
    seconds = 0.0
    for path in paths:
        clip = load_poselib(path)
        seconds += clip.seconds
        assert np.linalg.norm(clip.body_rot, axis=-1) == pytest.approx(1.0, abs=1e-4)
        assert 0.1 < clip.root_pos[:, 2].min() and clip.root_pos[:, 2].max() < 1.5
        hinge = clip.body_rot[:, [4, 8, 12, 15]]
        assert np.abs(hinge[..., [1, 3]]).max() < 0.05, path.name
    assert len(paths) == 87 and seconds == pytest.approx(380, abs=5)


def test_a_real_clip_moves_as_its_own_velocities_say(mocap):
    """The file also stores the velocity of every body: our kinematics have to agree with it."""
    path = mocap / "reallusion_sword_shield" / "RL_Avatar_WalkForward01_Motion.npy"
    if not path.is_file():
        pytest.skip(f"{path.name} is not among the real motion data")
    data = read_pickled_npy(path)
    clip = load_poselib(path, fps=data["fps"])
    rest = torch.zeros(clip.frames, 3)
    pose = (clip.root_pos, clip.body_rot[:, 0], clip.joint_pos)
    bodies = forward_kinematics(*map(torch.as_tensor, pose), rest, rest,
                                torch.zeros(clip.frames, 31))
    ours = linear_velocities(bodies.pos, 1.0 / clip.fps).numpy()[2:-2]
    theirs = data["global_velocity"]["arr"][2:-2]
    # theirs are smoothed in time
    assert np.corrcoef(ours.ravel(), theirs.ravel())[0, 1] > 0.95
    assert ours.mean((0, 1)) == pytest.approx(theirs.mean((0, 1)), abs=0.02)
