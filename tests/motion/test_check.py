"""The checker finds what is wrong with a clip, and says nothing about a good one."""
from __future__ import annotations

import json

import numpy as np
import pytest

from ppp.errors import PPPError
from ppp.motion.check import check_clip
from ppp.motion.clip import Clip, clip_from_joints, load_clip, save_clip
from ppp.motion.commands import main
from ppp.motion.library import read_library


@pytest.fixture
def idle(library_path) -> Clip:
    return load_clip(library_path.parent / "idle_sway.npz")


def test_a_good_clip_is_ok(idle):
    report = check_clip(idle, loop=True)
    assert report.ok and report.wrong == [] and report.residual_median < 0.01


def test_sliding_feet_are_found(idle):
    idle.root_pos[:, 0] += np.linspace(0.0, 1.0, idle.frames)
    report = check_clip(idle)
    assert report.wrong == ["skating"] and report.skating == pytest.approx(0.25, abs=0.02)


def test_sinking_and_floating_are_found(idle):
    idle.root_pos[:, 2] -= 0.03
    assert "penetration_mm" in check_clip(idle).wrong
    idle.root_pos[:, 2] += 0.10
    report = check_clip(idle)
    assert report.wrong == ["flight_accel"] and report.flight_share == 1.0
    assert report.flight_accel == pytest.approx(9.81, abs=0.1)


def test_an_open_loop_is_found(idle):
    half = Clip(idle.fps, idle.root_pos[:31], idle.body_rot[:31], idle.joint_pos[:31])
    assert check_clip(half, loop=True).wrong == ["loop_error"]
    assert check_clip(half, loop=False).ok


def test_a_joint_beyond_its_range_and_crossed_legs_are_found(idle):
    joints = idle.joint_pos.copy()
    joints[:, 9] = 0.3
    joints[:, 17], joints[:, 24] = 0.25, -0.25
    clip = clip_from_joints(idle.root_pos, idle.body_rot[:, 0], joints, idle.fps)
    assert {"limit_excess_deg", "legs_mm"} <= set(check_clip(clip).wrong)


def test_check_command_writes_the_keys_of_the_contract(library_path, tmp_path, capsys):
    assert main(["check", "--json", str(tmp_path / "out.json")]) == 0
    result = json.loads((tmp_path / "out.json").read_text())
    assert set(result) == {"clips", "skills", "all_ok"}
    assert {"name", "skill", "seconds", "skating", "penetration_mm", "residual_median",
            "ok"} <= set(result["clips"][0])
    assert "all clips ok" in capsys.readouterr().out


def test_check_command_fails_on_a_bad_clip(idle, tmp_path, capsys):
    idle.root_pos[:, 2] -= 0.05
    save_clip(idle, tmp_path / "sunk.npz")
    library = tmp_path / "lib" / "library.yaml"
    assert main(["import", str(tmp_path / "sunk.npz"), "--skill", "idle", "--label", "stand idle",
                 "--loop", "--library", str(library)]) == 0
    assert main(["check", "--library", str(library)]) == 1
    assert "deepest point under the floor: 50" in capsys.readouterr().out


def test_import_refuses_what_would_be_lost_or_is_unclear(idle, tmp_path):
    library = tmp_path / "library.yaml"
    save_clip(idle, tmp_path / "a.npz")
    source = tmp_path / "elsewhere"
    source.mkdir()
    save_clip(idle, source / "b.npz")
    command = ["import", str(source / "b.npz"), "--library", str(library)]
    with pytest.raises(PPPError, match="--label"):
        main([*command, "--skill", "rest"])
    with pytest.raises(PPPError, match="skill id"):
        main([*command, "--skill", "Re st", "--label", "rest"])
    with pytest.raises(PPPError, match="--replace"):
        main([*command, "--skill", "rest", "--label", "rest", "--name", "a"])
    with pytest.raises(PPPError, match="letters"):
        main([*command, "--skill", "rest", "--label", "rest", "--name", "../a"])
    assert not library.exists()
    assert main([*command, "--skill", "rest", "--label", "rest", "--mode", "face"]) == 0
    assert read_library(library).clips[0].file == "b.npz"


def test_list_names_skills_and_clips(capsys):
    assert main(["list"]) == 0
    out = capsys.readouterr().out
    assert "walk_forward" in out and "slash_diagonal.npz" in out
