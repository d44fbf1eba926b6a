"""MimicKit's motions (``.pkl``): a dictionary of fps, loop_mode and frames.

Facts: the MimicKit guide (Peng 2025, arXiv 2510.13794). frames (T, 3 + 3 + D): root position, root
rotation as an exponential map, joint angles (exponential maps for ball joints) in the order of the
character file; z up, x forward. Its sword-and-shield humanoid has our 31 degrees of freedom in our
order, its plain humanoid the same body without wrists (28).
"""
from __future__ import annotations

from pathlib import Path
from typing import Union

import numpy as np
import torch

from ppp.errors import PPPError
from ppp.humanoid.rotations import exp_map_to_quat
from ppp.humanoid.skeleton import JOINTS, NUM_DOFS, dof_slices
from ppp.motion.clip import Clip, clip_from_joints
from ppp.motion.formats.pickled import read_pickle
from ppp.motion.formats.skeleton_motion import check_length
from ppp.motion.library import CONTROL_FPS, resample

_WRIST = next(s for j, s in zip(JOINTS, dof_slices()) if j.name == "right_hand")


def load_mimickit(path: Union[str, Path], fps: float = CONTROL_FPS, label: str = "",
                  source: str = "", licence: str = "") -> Clip:
    """Read a MimicKit motion of the sword-and-shield or the plain humanoid, resampled to ``fps``.

    PPPError names the file and what is wrong: pickled code, another character, no frames.
    """
    path = Path(path)
    data = read_pickle(path)
    for name in ("fps", "frames"):
        if name not in data:
            raise PPPError(f"{path}: has no '{name}'; a MimicKit motion holds fps, loop_mode and "
                           "frames")
    rate = data["fps"]
    if isinstance(rate, bool) or not isinstance(rate, (int, float)):
        raise PPPError(f"{path}: 'fps' is {str(rate)[:40]!r}; a motion needs a rate from 1 to 1000")
    frames = _frames(data["frames"], path)
    check_length(len(frames), float(rate), path)
    joints = _joints(frames[:, 6:], path)
    root = exp_map_to_quat(torch.as_tensor(frames[:, 3:6])).numpy()
    clip = clip_from_joints(frames[:, :3], root, joints, float(rate), label,
                            source or f"imported: {path.name}", licence)
    return resample(clip, fps)


def _frames(value: object, path: Path) -> np.ndarray:
    try:
        frames = np.array(value, dtype=np.float64)
    except (ValueError, TypeError, OverflowError):
        frames = np.zeros(0)
    if frames.ndim != 2:
        raise PPPError(f"{path}: 'frames' is no table of numbers; expected (T, {6 + NUM_DOFS})")
    if not np.isfinite(frames).all():
        raise PPPError(f"{path}: 'frames' holds values that are not finite; mend the source")
    return frames


def _joints(table: np.ndarray, path: Path) -> np.ndarray:
    """Joint angles (T, 31) of tables for the two humanoids."""
    if table.shape[1] == NUM_DOFS:
        return table
    if table.shape[1] != NUM_DOFS - 3:
        raise PPPError(f"{path}: 'frames' has {table.shape[1] + 6} columns; the humanoids have "
                       f"{6 + NUM_DOFS} (sword and shield) or {3 + NUM_DOFS}: it was made for "
                       "another character")
    # the plain humanoid's dofs come in the same order of bodies, only the right wrist is fixed
    wrist = np.zeros((len(table), 3))
    return np.concatenate((table[:, :_WRIST.start], wrist, table[:, _WRIST.start:]), 1)

