"""Authoring: skill files in, clips and a library out; mistakes get one sentence."""
from __future__ import annotations

import numpy as np
import pytest
import yaml

from ppp.errors import PPPError
from ppp.motion.clip import clip_from_joints, load_clip, save_clip
from ppp.motion.commands import main
from ppp.motion.library import read_library

build = pytest.importorskip("ppp.motion.authoring.build", reason="authoring needs mink")


def _skill(folder, **clip):
    body = yaml.safe_load((build.SKILLS / "body.yaml").read_text())
    (folder / "body.yaml").write_text(yaml.safe_dump(body))
    spec = {"skill": "nod", "label": "nod", "mode": "face", "clips": [{
        "name": "nod_once", "seconds": 0.4, "loop": True, "feet": {"kind": "stand"},
        "keys": [{"t": 0.0, "pose": "ready"}, {"t": 0.2, "pose": "ready", "neck": [0, 8, 0]},
                 {"t": 0.4, "pose": "ready"}], **clip}]}
    (folder / "nod.yaml").write_text(yaml.safe_dump(spec))
    return folder


def test_a_skill_file_becomes_a_clip_and_a_line_in_the_library(tmp_path):
    out = tmp_path / "out"
    build.author(out, _skill(tmp_path), say=lambda _: None)
    library = read_library(out / "library.yaml")
    assert library.skills["nod"].label == "nod" and library.clips[0].loop
    clip = load_clip(out / "nod_once.npz")
    assert clip.seconds == pytest.approx(0.4) and clip.fps == 30
    assert np.degrees(clip.joint_pos[:, 4]).max() == pytest.approx(8.0, abs=2.0)


def test_authoring_twice_gives_the_same_bytes_and_keeps_imported_clips(tmp_path):
    out, folder = tmp_path / "out", _skill(tmp_path)
    build.author(out, folder, say=lambda _: None)
    first = (out / "nod_once.npz").read_bytes()
    still = clip_from_joints(np.tile([0, 0, 0.88], (5, 1)), np.tile([1.0, 0, 0, 0], (5, 1)),
                             np.zeros((5, 31)), 30)
    save_clip(still, tmp_path / "mine.npz")
    assert main(["import", str(tmp_path / "mine.npz"), "--skill", "rest", "--label", "rest",
                 "--library", str(out / "library.yaml")]) == 0
    build.author(out, folder, say=lambda _: None)
    assert (out / "nod_once.npz").read_bytes() == first
    assert {c.file for c in read_library(out / "library.yaml").clips} == {"nod_once.npz",
                                                                         "mine.npz"}


@pytest.mark.parametrize("change, words", [
    ({"sekonds": 1}, "did you mean 'seconds'"),
    ({"feet": {"kind": "stnd"}}, "did you mean 'stand'"),
    ({"feet": {"kind": "gait", "sped": 1}}, "did you mean 'speed'"),
    ({"keys": [{"t": 0.0, "pose": "redy"}]}, "did you mean 'ready'"),
    ({"keys": [{"t": 0.0, "pose": "ready", "neck": [1, 2]}]}, "it needs 3"),
    ({"keys": [{"pose": "ready"}]}, "'t' (seconds) is missing"),
    ({"keys": [{"t": 0.3, "pose": "ready"}, {"t": 0.1, "pose": "ready"}]}, "do not increase"),
    ({"keys": [{"t": 0.0, "pose": "ready"}, {"t": 0.3, "pose": "ready"}]}, "the loop ends at"),
    ({"feet": {"kind": "steps", "steps": [{"foot": "left", "lift": 0.1}]}}, "has no 'land'"),
    ({"keys": [{"t": 0.0, "pose": "ready", "shift": "left"}]}, "numbers"),
    ({"keys": "ready"}, "list"),
    ({"seconds": "long"}, "number"),
    ({"feet": {"kind": "gait", "steps": 0}}, "steps"),
])
def test_a_mistake_in_a_skill_file_is_one_sentence(tmp_path, change, words):
    with pytest.raises(PPPError) as error:
        build.author(tmp_path / "out", _skill(tmp_path, **change), say=lambda _: None)
    assert words in str(error.value) and "\n" not in str(error.value)
    assert not (tmp_path / "out" / "library.yaml").exists()


def test_an_unknown_skill_name_is_answered_with_the_nearest():
    with pytest.raises(PPPError, match="did you mean 'walk_forward'"):
        main(["author", "walk_forwrd"])
