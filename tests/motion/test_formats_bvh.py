"""BVH: hand-computed poses in any channel order, and files that are none."""
from __future__ import annotations

import numpy as np
import pytest

from ppp.errors import PPPError
from ppp.motion.formats.bvh import load_bvh
from ppp.motion.formats.skeleton_motion import MAX_FRAMES

HEAD = """HIERARCHY
ROOT Hips
{
  OFFSET 0 0 0
  CHANNELS 6 Xposition Yposition Zposition %s
  JOINT Upper Arm
  {
    OFFSET 2 0 0
    CHANNELS 3 Zrotation Xrotation Yrotation
    End Site
    {
      OFFSET 3 0 0
    }
  }
}
MOTION
Frames: %s
Frame Time: %s
"""
ZXY = "Zrotation Xrotation Yrotation"


def _file(tmp_path, rows="0 0 0 0 0 0 0 0 0\n" * 2, order=ZXY, frames=2, step="0.05"):
    path = tmp_path / "a.bvh"
    path.write_text(HEAD % (order, frames, step) + rows)
    return path


def test_positions_come_out_where_a_hand_calculation_puts_them(tmp_path):
    """The arm points left (x of a y-up file); 90 degrees about z raise it, then root moves."""
    rows = "0 0 0 0 0 0 0 0 0\n1 5 7 90 0 0 0 0 0\n"
    motion = load_bvh(_file(tmp_path, rows))
    assert motion.names == ["Hips", "Upper Arm", "Upper Arm_end"]
    assert motion.fps == pytest.approx(20.0)
    pos, _ = motion.world()
    # theirs (x left, y up, z forward) is ours (x forward, y left, z up)
    assert pos[0, 2] == pytest.approx([0, 5, 0], abs=1e-9)
    assert pos[1, 0] == pytest.approx([7, 1, 5], abs=1e-9)
    assert pos[1, 2] == pytest.approx([7, 1, 10], abs=1e-9)


@pytest.mark.parametrize("order, expected", [
    # 90 about z after 90 about x: the arm along x is not moved by x, then raised
    ("Zrotation Xrotation Yrotation", [0, 0, 5]),
    # 90 about x after 90 about z: raised first (in the turned frame), then laid forward
    ("Xrotation Zrotation Yrotation", [5, 0, 0])])
def test_channels_are_applied_in_their_order(tmp_path, order, expected):
    motion = load_bvh(_file(tmp_path, "0 0 0 90 90 0 0 0 0\n" * 2, order))
    assert motion.world()[0][0, 2] == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("change, words", [
    (dict(frames=0, rows=""), "no frames"),
    (dict(frames=1, rows="0 0 0 0 0 0 0 0 0\n"), "one frame"),
    (dict(step="0"), "frame rate"),
    (dict(step="-1"), "frame rate"),
    (dict(rows="0 0 0 0 0 0 0 0 nan\n" * 2), "not finite"),
    (dict(rows="0 0 0 0 0 0 0 0 x\n" * 2), "'x' where a number"),
    (dict(rows="0 0 0 0 0 0 0 0 0\n"), "holds 9 numbers"),
    (dict(frames=10**12), str(MAX_FRAMES)),
    (dict(order="Zrotation Xrotation Qrotation"), "Qrotation")])
def test_broken_files_are_refused_with_the_reason(tmp_path, change, words):
    with pytest.raises(PPPError, match=words):
        load_bvh(_file(tmp_path, **change))


@pytest.mark.parametrize("content, words", [
    (b"", "empty"), (bytes(range(256)) * 8, "binary"), (b"hello", "HIERARCHY"),
    (b"HIERARCHY ROOT a { OFFSET 0 0 0 }", "MOTION"),
    (b"HIERARCHY } MOTION", "brackets"), (b"HIERARCHY MOTION", "brackets"),
    (b"HIERARCHY ROOT a { OFFSET 0 0 MOTION Frames: 2", "a number|three numbers")])
def test_rubbish_is_refused(tmp_path, content, words):
    (tmp_path / "a.bvh").write_bytes(content)
    with pytest.raises(PPPError, match=words):
        load_bvh(tmp_path / "a.bvh")


def test_all_real_makes_load(mocap):
    paths = sorted((mocap / "bvh").glob("*.bvh"))
    if not paths:
        pytest.skip("no bvh/*.bvh among the real motion data")
    for path in paths:
        motion = load_bvh(path)
        assert motion.frames > 50 and np.isfinite(motion.world()[0]).all()
