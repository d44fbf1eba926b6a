"""Clips of ASE and CALM: poselib ``SkeletonMotion`` and ``SkeletonState`` files (``.npy``).

Their quaternions are x, y, z, w; ours w, x, y, z. They carry the humanoid of ``skeleton.py``, so
rotations are taken over as they are.
"""
from __future__ import annotations

from pathlib import Path
from typing import Any, Union

import numpy as np
import torch

from ppp.errors import PPPError
from ppp.humanoid.rotations import normalise, quat_conj, quat_mul
from ppp.humanoid.skeleton import BODIES, NUM_BODIES
from ppp.motion.clip import Clip, clip_from_local_rot
from ppp.motion.formats.pickled import read_pickled_npy
from ppp.motion.library import CONTROL_FPS, resample

#: bones may differ from the skeleton's by this much, m (files are rounded to a tenth of a mm)
BONE_TOLERANCE = 0.005


def load_poselib(path: Union[str, Path], fps: float = CONTROL_FPS, label: str = "",
                 source: str = "", licence: str = "") -> Clip:
    """Read a poselib motion on the 17-body humanoid, resampled to ``fps``.

    PPPError names the file and what is wrong with it: not readable, pickled code, another
    skeleton, arrays of other shapes, values that are not finite.
    """
    path = Path(path)
    data = read_pickled_npy(path)
    _check_skeleton(data, path)
    rot = _array(data, "rotation", path, 3)
    pos = _array(data, "root_translation", path, 2)
    if rot.shape[1:] != (NUM_BODIES, 4) or pos.shape != (len(rot), 3) or len(rot) < 2:
        raise PPPError(f"{path}: 'rotation' has shape {rot.shape} and 'root_translation' "
                       f"{pos.shape}, expected (T, {NUM_BODIES}, 4) and (T, 3) with T > 1; it was "
                       "made for another body")
    local = normalise(torch.as_tensor(np.roll(rot, 1, axis=-1), dtype=torch.float32))
    if not data.get("is_local", True):
        local = _to_local(local)
    clip = clip_from_local_rot(pos, local.numpy(), _rate(data, path), label,
                               source or f"imported: {path.name}", licence)
    return resample(clip, fps)


def _array(data: dict, name: str, path: Path, dims: int) -> np.ndarray:
    holder: Any = data.get(name)
    value = holder.get("arr") if isinstance(holder, dict) else None
    if not isinstance(value, np.ndarray) or value.ndim != dims:
        raise PPPError(f"{path}: has no '{name}' with {dims} dimensions; it is no poselib motion")
    if not np.isfinite(value).all():
        raise PPPError(f"{path}: '{name}' holds values that are not finite; mend the source")
    return value.astype(np.float64)


def _rate(data: dict, path: Path) -> float:
    fps = data.get("fps")
    if isinstance(fps, bool) or not isinstance(fps, (int, float)) or not 1.0 <= fps <= 1000.0:
        raise PPPError(f"{path}: 'fps' is {fps!r}; a motion needs a rate from 1 to 1000")
    return float(fps)


def _check_skeleton(data: dict, path: Path) -> None:
    tree = data.get("skeleton_tree")
    if not isinstance(tree, dict) or "node_names" not in tree:
        raise PPPError(f"{path}: has no 'skeleton_tree'; it is no poselib motion")
    names, ours = tree["node_names"], [body.name for body in BODIES]
    if names != ours:
        other = [n for n in names if n not in ours] if isinstance(names, list) else []
        hint = f" (it has '{str(other[0])[:40]}')" if other else ""
        raise PPPError(f"{path}: 'skeleton_tree' is not the sword-and-shield humanoid{hint}; "
                       "retarget the motion first")
    parents = _array(tree, "parent_indices", path, 1)
    bones = _array(tree, "local_translation", path, 2)
    expected = np.array([body.offset for body in BODIES])
    if parents.tolist() != [body.parent for body in BODIES] or bones.shape != expected.shape:
        raise PPPError(f"{path}: 'skeleton_tree' joins its bodies otherwise; retarget the motion")
    if np.abs(bones - expected)[1:].max() > BONE_TOLERANCE:
        raise PPPError(f"{path}: the bones of 'skeleton_tree' have other lengths; retarget the "
                       "motion first")


def _to_local(world: torch.Tensor) -> torch.Tensor:
    """World rotations (T, 17, 4) as rotations in the parent."""
    parents = [max(body.parent, 0) for body in BODIES]
    local = quat_mul(quat_conj(world[:, parents]), world)
    local[:, 0] = world[:, 0]
    return local
