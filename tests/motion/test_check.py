"""The checker finds what is wrong with a clip, and says nothing about a good one."""
from __future__ import annotations

import json

import numpy as np
import pytest

from ppp.errors import PPPError
from ppp.motion.check import check_clip
from ppp.motion.clip import Clip, clip_from_joints, load_clip, save_clip
from ppp.motion.commands import main
from ppp.motion.compare import compare, worse
from ppp.motion.library import read_library
from ppp.motion.sources import find


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


def test_clips_are_named_by_clip_skill_file_or_folder(library_path, tmp_path):
    found = find(["idle_sway", "block", str(library_path.parent / "idle_sway.npz")], library_path)
    assert [s.skill for s in found][:2] == ["idle", "block"] and found[-1].name == "idle_sway"
    assert {s.name for s in found} >= {"block_hold", "block_raise"}
    assert len(find([str(library_path.parent)], library_path)) == len(find([], library_path))
    with pytest.raises(PPPError, match="did you mean 'idle_sway'"):
        find(["idle_swai"], library_path)
    with pytest.raises(PPPError, match="no motion files"):
        find([str(tmp_path)], library_path)


def test_files_of_a_folder_that_are_no_motions_are_left_out(idle, library_path, tmp_path):
    save_clip(idle, tmp_path / "stand.npz")
    (tmp_path / "bad.npz").write_bytes(b"no clip")
    left_out = []
    found = find([str(tmp_path)], library_path, left_out)
    assert [s.name for s in found] == ["stand"] and found[0].skill == "idle"
    assert len(left_out) == 1 and "bad.npz" in left_out[0]
    with pytest.raises(PPPError, match=r"bad\.npz"):
        find([str(tmp_path)], library_path)


def test_sorting_puts_the_worst_first(capsys):
    assert main(["check", "idle_sway", "block_raise", "walk_to_stand", "slash_diagonal",
                 "--sort", "torque"]) == 0
    lines = capsys.readouterr().out.splitlines()
    names = [line.split()[0] for line in lines[1:5]]
    assert names == ["slash_diagonal", "walk_to_stand", "block_raise", "idle_sway"]
    assert max(len(line.rstrip()) for line in lines) <= 100
    with pytest.raises(PPPError, match="did you mean 'skating'"):
        main(["check", "--sort", "skatin"])


def test_one_clip_is_described_with_the_joints(capsys):
    assert main(["check", "walk_forward_straight"]) == 0
    out = capsys.readouterr().out
    assert "fastest joint: right_knee" in out and "(limit 0.05)" in out and "\x1b" not in out


def test_a_worse_library_is_told_from_a_better_one(idle, library_path, tmp_path):
    bad = Clip(idle.fps, idle.root_pos.copy(), idle.body_rot, idle.joint_pos)
    bad.root_pos[:, 0] += np.linspace(0.0, 1.0, idle.frames)
    save_clip(bad, tmp_path / "idle_slides.npz")
    good, slides = find(["idle_sway"], library_path), find([str(tmp_path)], library_path)
    result = compare(good, slides)
    assert result["kinds"]["idle"]["theirs"] == 1 and worse(result) == []
    told = worse(compare(slides, good))
    assert any(line.startswith("all: mean speed of sole corners") and "0.25" in line
               for line in told)
    same = compare(good, good)
    assert worse(same) == [] and same["figures"]["skating"]["ours"] == [0.0, 0.0, 0.0]


def test_markdown_tables_replace_only_what_is_between_the_marks(tmp_path, library_path):
    document = tmp_path / "motions.md"
    document.write_text("# Mine\n<!-- begin clips -->\nold\n<!-- end clips -->\nkept\n")
    command = ["check", "idle_sway", "--markdown", str(document)]
    assert main([*command, "--against", str(library_path.parent / "idle_sway.npz")]) == 0
    text = document.read_text()
    assert "old" not in text and "# Mine" in text and "\nkept\n" in text
    assert "| idle_sway | 4.0 |" in text and text.count("<!-- begin comparison -->") == 1
    assert main(command) == 0 and document.read_text() == text
    document.write_text(text.replace("<!-- end clips -->", ""))
    with pytest.raises(PPPError, match="mend the marks"):
        main(command)
    with pytest.raises(PPPError, match="no such folder"):
        main(["check", "idle_sway", "--against", str(tmp_path / "none")])
