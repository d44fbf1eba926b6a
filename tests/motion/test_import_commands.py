"""``ppp motions import`` and ``fetch``: what they add, and that a bad file changes nothing."""
from __future__ import annotations

import pickle

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

pytest.importorskip("mink")

from foreign import body_positions, told_by_another, write_bvh  # noqa: E402

from ppp.errors import PPPError, run_entry  # noqa: E402
from ppp.motion.clip import load_clip, save_clip  # noqa: E402
from ppp.motion.commands import main  # noqa: E402
from ppp.motion.formats.skeleton_motion import cut  # noqa: E402
from ppp.motion.library import MotionLibrary, read_library  # noqa: E402


@pytest.fixture(scope="module")
def walk(library_path):
    return load_clip(library_path.parent / "walk_forward_straight.npz")


@pytest.fixture(scope="module")
def bvh(walk, tmp_path_factory):
    """Half a second of our walk as somebody's BVH in centimetres."""
    return write_bvh(cut(told_by_another(walk, size=1.1), 0.0, 0.5, "walk"),
                     tmp_path_factory.mktemp("bvh") / "their_walk.bvh")


def _command(library, *files, skill="walk_forward"):
    return ["import", *map(str, files), "--skill", skill, "--label", "walk forward", "--mode",
            "travel", "--library", str(library)]


def _pickled(clip, path):
    root = Rotation.from_quat(np.roll(clip.body_rot[:, 0], -1, axis=-1)).as_rotvec()
    frames = np.concatenate((clip.root_pos, root, clip.joint_pos), 1)
    path.write_bytes(pickle.dumps({"fps": 30, "loop_mode": 1, "frames": frames}, protocol=4))
    return path


def test_an_imported_bvh_is_what_training_sees(bvh, walk, tmp_path, capsys):
    library = tmp_path / "lib" / "library.yaml"
    assert main([*_command(library, bvh), "--licence", "CC BY 4.0", "--weight", "2"]) == 0
    out = capsys.readouterr().out
    assert "mixed" not in out and "cm off on average" in out and "centimetres" in out
    entry = read_library(library).clips[0]
    assert (entry.file, entry.licence, entry.weight) == ("their_walk.npz", "CC BY 4.0", 2.0)
    assert entry.source == "imported: their_walk.bvh"
    clip = load_clip(library.parent / entry.file)
    assert clip.seconds == pytest.approx(0.5, abs=0.02)
    ours, theirs = body_positions(clip), body_positions(walk)[:clip.frames]
    assert ours[-1, 0, 0] - ours[0, 0, 0] == pytest.approx(theirs[-1, 0, 0] - theirs[0, 0, 0],
                                                          abs=0.03)
    assert MotionLibrary(library).skills == ["walk_forward"]


def test_a_dry_run_only_reports(bvh, tmp_path, capsys):
    library = tmp_path / "lib" / "library.yaml"
    assert main([*_command(library, bvh), "--dry-run"]) == 0
    assert "skate" in capsys.readouterr().out
    assert not library.parent.exists()


def test_from_and_to_cut_and_must_leave_something(bvh, walk, tmp_path):
    library = tmp_path / "library.yaml"
    assert main([*_command(library, bvh), "--from", "0.1", "--to", "0.3"]) == 0
    assert load_clip(tmp_path / "their_walk.npz").seconds == pytest.approx(0.2, abs=0.02)
    with pytest.raises(PPPError, match="fewer than 2 frames"):
        main([*_command(library, bvh), "--from", "3", "--replace"])
    own = _pickled(walk, tmp_path / "own.pkl")
    assert main([*_command(library, own), "--from", "0.2", "--to", "0.7"]) == 0
    part = load_clip(tmp_path / "own.npz")
    assert part.root_pos == pytest.approx(walk.root_pos[6:22], abs=1e-5)


def test_a_folder_goes_in_as_a_whole_or_not_at_all(walk, tmp_path):
    library, folder = tmp_path / "lib" / "library.yaml", tmp_path / "in"
    folder.mkdir()
    _pickled(walk, folder / "a.pkl")
    _pickled(walk, folder / "b.pkl")
    (folder / "c.pkl").write_bytes(b"rubbish")
    assert run_entry(lambda: main(_command(library, folder))) == 2
    assert not list(tmp_path.glob("lib/*"))
    (folder / "c.pkl").unlink()
    assert main(_command(library, folder)) == 0
    assert [c.file for c in read_library(library).clips] == ["a.npz", "b.npz"]
    with pytest.raises(PPPError, match="--replace"):
        main(_command(library, folder / "b.pkl"))
    assert main([*_command(library, folder / "b.pkl"), "--replace"]) == 0


_BAD = {"a.bvh": b"\0\1rubbish", "b.bvh": b"", "c.amc": b"1\nroot 0 0 0 0 0 0\n", "d.txt": b"{}",
        "e.npz": b"PK rubbish", "f.npy": b"\x93NUMPY", "g.pkl": b"\x80\x04}.", "h.fbx": b"x",
        "i.pkl": b"cos\nsystem\n(S'true'\ntR."}


@pytest.mark.parametrize("name", sorted(_BAD))
def test_bad_files_are_one_sentence_and_leave_the_library_as_it_is(walk, tmp_path, capsys, name):
    library = tmp_path / "lib" / "library.yaml"
    library.parent.mkdir()
    save_clip(walk, tmp_path / "good.npz")
    assert main(_command(library, tmp_path / "good.npz")) == 0
    before = {p.name: p.read_bytes() for p in library.parent.iterdir()}
    bad = tmp_path / name
    bad.write_bytes(_BAD[name])
    capsys.readouterr()
    assert run_entry(lambda: main(_command(library, tmp_path / "good.npz", bad))
                     if name == "a.bvh" else main(_command(library, bad))) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and name in error or "good" in error
    assert {p.name: p.read_bytes() for p in library.parent.iterdir()} == before


@pytest.mark.parametrize("more, words", [
    (["--fps", "0"], "--fps"), (["--fps", "60"], "is for .amc"),
    (["--skeleton", "a.asf"], "is for .amc"), (["--weight", "nan"], "--weight"),
    (["--map", "cmux"], "bone map"),
    (["--map", "smpl"], "does not have"), (["--name", "a/b"], "letters")])
def test_bad_options_are_refused(bvh, tmp_path, more, words):
    with pytest.raises(PPPError, match=words):
        main([*_command(tmp_path / "library.yaml", bvh), *more])
    assert not (tmp_path / "library.yaml").exists()


def test_half_a_blow_is_no_loop(library_path, tmp_path):
    slash = load_clip(library_path.parent / "slash_diagonal.npz")
    half = write_bvh(cut(told_by_another(slash), 0.0, 0.6, "half"), tmp_path / "half.bvh")
    with pytest.raises(PPPError, match="too far for a loop"):
        main([*_command(tmp_path / "library.yaml", half), "--loop"])
    assert not (tmp_path / "library.yaml").exists()


def test_options_for_other_bodies_are_refused_for_ours(walk, tmp_path):
    own = _pickled(walk, tmp_path / "own.pkl")
    for flag in (["--mirror"], ["--map", "cmu"]):
        with pytest.raises(PPPError, match=flag[0]):
            main([*_command(tmp_path / "library.yaml", own), *flag])


def test_fetch_tells_where_and_under_which_terms(capsys):
    assert main(["fetch"]) == 0
    every = capsys.readouterr().out
    for name in ("cmu", "amass", "100style", "lafan1", "mixamo", "reallusion", "deepmimic",
                 "mimickit", "bandai"):
        assert name in every
    assert main(["fetch", "lafan1"]) == 0
    one = capsys.readouterr().out
    assert "CC BY-NC-ND 4.0" in one and "https://github.com/ubisoft" in one
    with pytest.raises(PPPError, match="did you mean 'lafan1'"):
        main(["fetch", "lafan"])


def test_fetch_imports_a_download_by_its_files_names(walk, tmp_path, capsys):
    library, folder = tmp_path / "lib" / "library.yaml", tmp_path / "in"
    folder.mkdir()
    _pickled(walk, folder / "humanoid_walk.pkl")
    _pickled(walk, folder / "humanoid_unheard_of.pkl")
    command = ["fetch", "mimickit", "--from", str(folder), "--library", str(library)]
    assert main(command) == 0
    assert "1 files without a known skill" in capsys.readouterr().out
    listed = read_library(library)
    assert [(c.file, c.skill) for c in listed.clips] == [("humanoid_walk.npz", "walk_forward")]
    assert listed.skills["walk_forward"].mode == "travel"
    assert main([*command, "--skill", "dance", "--label", "dance", "--replace"]) == 0
    listed = read_library(library)
    assert {c.skill for c in listed.clips} == {"walk_forward", "dance"}
    assert listed.skills["walk_forward"].label == "walk forward"
    (folder / "humanoid_walk.pkl").unlink()
    with pytest.raises(PPPError, match="--skill"):
        main(command)


def test_every_real_exact_clip_can_be_fetched_by_name(mocap, tmp_path):
    folder = mocap / "reallusion_sword_shield"
    if not folder.is_dir():
        pytest.skip("no reallusion_sword_shield among the real motion data")
    from ppp.motion.datasets import SKILLS, find_dataset
    from ppp.motion.import_commands import _of_dataset

    options = type("Options", (), {"folder": folder, "skill": ""})
    skills = {skill for _, _, skill in _of_dataset(find_dataset("reallusion"), options)}
    assert skills <= set(SKILLS) and len(skills) >= 14
