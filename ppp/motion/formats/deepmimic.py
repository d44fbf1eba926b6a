"""DeepMimic's motions (``.txt``, JSON) on its humanoid3d.

Facts from the paper (Peng et al. 2018, arXiv 1804.02717) and its character file: y up, x forward, z
to the right; a frame is its duration, root position, root quaternion w x y z, then quaternions of
ball joints and angles of the hinges (about z) in the order of ``_JOINTS``. The bones have the
lengths of our humanoid, whose model descends from it.
"""
from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from ppp.errors import PPPError
from ppp.motion.formats.skeleton_motion import (
    MAX_FRAMES,
    SkeletonMotion,
    check_length,
    checked,
    read_text,
    reframed,
)

#: name, parent, offset (m; z up, x forward), width in a frame: 4 ball, 1 hinge, 0 fixed
_JOINTS = (
    ("root", "", (0.0, 0.0, 0.0), 4),
    ("chest", "root", (0.0, 0.0, 0.236151), 4),
    ("neck", "chest", (0.0, 0.0, 0.223894), 4),
    ("right_hip", "root", (0.0, -0.084887, 0.0), 4),
    ("right_knee", "right_hip", (0.0, 0.0, -0.421546), 1),
    ("right_ankle", "right_knee", (0.0, 0.0, -0.40987), 4),
    ("right_shoulder", "chest", (-0.02405, -0.18311, 0.2435), 4),
    ("right_elbow", "right_shoulder", (0.0, 0.0, -0.274788), 1),
    ("right_wrist", "right_elbow", (0.0, 0.0, -0.258947), 0),
    ("left_hip", "root", (0.0, 0.084887, 0.0), 4),
    ("left_knee", "left_hip", (0.0, 0.0, -0.421546), 1),
    ("left_ankle", "left_knee", (0.0, 0.0, -0.40987), 4),
    ("left_shoulder", "chest", (-0.02405, 0.18311, 0.2435), 4),
    ("left_elbow", "left_shoulder", (0.0, 0.0, -0.274788), 1),
    ("left_wrist", "left_elbow", (0.0, 0.0, -0.258947), 0),
)
#: their (x forward, y up, z right) to ours (x forward, y left, z up)
_AXES = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
_WIDTH = 1 + 3 + sum(width for *_, width in _JOINTS)


def load_deepmimic(path: Path) -> SkeletonMotion:
    """Read a DeepMimic motion of the humanoid; frames of unequal length are put on one rate."""
    table = _table(path)
    durations = table[:, 0]
    if len(durations) > 1 and not (durations[:-1] > 0.0).all():
        raise PPPError(f"{path}: a frame lasts 0 s or less; every frame needs a duration above 0")
    step = float(np.median(durations[:-1])) if len(durations) > 1 else float(durations[0])
    check_length(len(table), 1.0 / step if step > 0.0 else 0.0, path)
    if np.abs(durations[:-1] - step).max() > 0.02 * step:
        raise PPPError(f"{path}: frames last {durations[:-1].min():g} to {durations[:-1].max():g} "
                       "s; give all frames one duration")
    still = np.tile([1.0, 0.0, 0.0, 0.0], (len(table), 1))
    rotations, at = [], 4
    for name, _, _, width in _JOINTS:
        part = table[:, at:at + width]
        at += width
        rotations.append(still if width == 0 else _ball(part, name, path) if width == 4
                         else _hinge(part[:, 0]))
    names = [name for name, *_ in _JOINTS]
    parents = [names.index(parent) if parent else -1 for _, parent, *_ in _JOINTS]
    # offsets are in our axes already, so they are turned back for the common change of axes
    offsets = np.array([offset for _, _, offset, _ in _JOINTS]) @ _AXES
    raw = SkeletonMotion(names, parents, offsets, np.stack(rotations, 1), table[:, 1:4],
                         round(1.0 / step, 3), "DeepMimic")
    return checked(reframed(raw, _AXES, _AXES), path)


def _table(path: Path) -> np.ndarray:
    try:
        data = json.loads(read_text(path))
    except (json.JSONDecodeError, RecursionError):
        raise PPPError(f"{path}: is no JSON; a DeepMimic motion is a JSON file with 'Frames'"
                       ) from None
    rows = data.get("Frames") if isinstance(data, dict) else None
    if not isinstance(rows, list):
        raise PPPError(f"{path}: has no list 'Frames'; it is no DeepMimic motion")
    check_length(min(len(rows), MAX_FRAMES + 1), 30.0, path)
    for number, row in enumerate(rows, 1):
        if not isinstance(row, list) or len(row) != _WIDTH:
            have = len(row) if isinstance(row, list) else 0
            raise PPPError(f"{path}: frame {number} has {have} numbers, the humanoid's have "
                           f"{_WIDTH}; it was made for another body")
        if not all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in row):
            raise PPPError(f"{path}: frame {number} holds something other than numbers; mend the "
                           "file")
    try:
        table = np.array(rows, float)
    except OverflowError:
        table = np.full((1, _WIDTH), np.inf)
    if not np.isfinite(table).all():
        raise PPPError(f"{path}: 'Frames' holds values that are not finite; mend the source")
    return table


def _ball(quat: np.ndarray, name: str, path: Path) -> np.ndarray:
    norm = np.linalg.norm(quat, axis=-1, keepdims=True)
    if (np.abs(norm - 1.0) > 0.6).any():  # the published kick has one of length 0.58
        raise PPPError(f"{path}: the rotation of '{name}' is no unit quaternion; mend the source")
    return quat / norm


def _hinge(angle: np.ndarray) -> np.ndarray:
    """A hinge turns about their z."""
    zero = np.zeros_like(angle)
    return np.stack((np.cos(0.5 * angle), zero, zero, np.sin(0.5 * angle)), 1)
