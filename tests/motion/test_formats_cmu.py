"""CMU ASF/AMC: hand-computed poses, the skeleton beside the motion, broken files."""
from __future__ import annotations

import numpy as np
import pytest

from ppp.errors import PPPError
from ppp.motion.formats.cmu import load_cmu

ASF = """:version 1.10
:units
  mass 1.0
  length {unit}
  angle deg
:root
  order TX TY TZ RX RY RZ
  axis XYZ
  position 0 0 0
  orientation 0 0 0
:bonedata
  begin
    id 1
    name thigh
    direction 0 -1 0
    length {length}
    axis 0 0 {axis} XYZ
    dof rx rz
  end
  begin
    id 2
    name shin
    direction 0 -1 0
    length 1
    axis 0 0 0 XYZ
  end
:hierarchy
  begin
    root thigh
    thigh shin
  end
"""
AMC = (":FULLY-SPECIFIED\n:DEGREES\n1\nroot 0 0 0 0 0 0\nthigh 0 0\n"
       "2\nroot 1 2 3 0 0 0\nthigh 90 0\n")


def _files(tmp_path, amc=AMC, **numbers):
    values = {"unit": "0.0254", "length": "2", "axis": "0", **numbers}
    (tmp_path / "07.asf").write_text(ASF.format(**values))
    path = tmp_path / "07_01.amc"
    path.write_text(amc)
    return path


def test_positions_come_out_where_a_hand_calculation_puts_them(tmp_path):
    """A length unit of 0.0254 makes one unit one metre; 90 degrees about x swing the thigh back."""
    motion = load_cmu(_files(tmp_path))
    pos, _ = motion.world()
    end = motion.names.index("shin_end")
    assert motion.fps == 120.0
    assert pos[0, end] == pytest.approx([0, 0, -3], abs=1e-9)
    # theirs: root (1, 2, 3); -y turned by 90 about x is -z: backward, -x in ours
    assert pos[1, 0] == pytest.approx([3, 1, 2], abs=1e-9)
    assert pos[1, end] == pytest.approx([0, 1, 2], abs=1e-9)


def test_a_bone_turns_about_its_own_axes(tmp_path):
    """With the bone's frame turned by 90 about z its x axis is the world's y: no swing at all."""
    motion = load_cmu(_files(tmp_path, axis="90"))
    end = motion.names.index("shin_end")
    assert motion.world()[0][1, end] == pytest.approx([3, 1, -1], abs=1e-9)


def test_the_unit_of_length_is_the_headers(tmp_path):
    motion = load_cmu(_files(tmp_path, unit="0.45"), fps=60.0)
    assert motion.fps == 60.0
    thigh = motion.offsets[motion.names.index("shin")]
    assert np.linalg.norm(thigh) == pytest.approx(2 / 0.45 * 0.0254)


def test_a_motion_without_its_skeleton_is_refused(tmp_path):
    path = _files(tmp_path)
    asf = (tmp_path / "07.asf").rename(tmp_path / "sub.txt")
    with pytest.raises(PPPError, match="--skeleton"):
        load_cmu(path)
    assert load_cmu(path, asf).frames == 2


@pytest.mark.parametrize("amc, words", [
    ("", "empty"), (":DEGREES\n", "no frames"),
    (AMC.split("2\nroot")[0], "one frame"),
    (AMC.replace("90 0", "nan 0"), "not finite"), (AMC.replace("90 0", "up 0"), "'up'"),
    (AMC.replace("thigh", "wing"), "wing"), (AMC.replace("90 0", "90"), "1 numbers for 'thigh'"),
    (AMC.replace("thigh 90 0\n", ""), "frame 2"), ("\0\1\2", "binary"),
    ("hello world\n", "before the first frame")])
def test_broken_motions_are_refused_with_the_reason(tmp_path, amc, words):
    with pytest.raises(PPPError, match=words):
        load_cmu(_files(tmp_path, amc))


@pytest.mark.parametrize("numbers, words", [
    (dict(length="0"), "no length"), (dict(unit="0"), "above 0"), (dict(axis="x"), "'x'")])
def test_broken_skeletons_are_refused_with_the_reason(tmp_path, numbers, words):
    with pytest.raises(PPPError, match=words):
        load_cmu(_files(tmp_path, **numbers))


def test_fps_zero_is_refused(tmp_path):
    with pytest.raises(PPPError, match="rate"):
        load_cmu(_files(tmp_path), fps=0.0)


def test_the_real_walk_is_as_long_as_a_leg_is(mocap):
    path = mocap / "cmu" / "02_01.amc"
    if not path.is_file():
        pytest.skip("no cmu/02_01.amc among the real motion data")
    motion = load_cmu(path)
    pos, _ = motion.world()
    hip, ankle = (pos[:, motion.names.index(n)] for n in ("lfemur", "lfoot"))
    assert 0.75 < np.linalg.norm(hip - ankle, axis=-1).max() < 0.95
    assert 0.7 < pos[:, 0, 2].mean() < 1.2
