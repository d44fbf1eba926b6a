"""A motion clip: poses of the humanoid at a fixed rate, in a ``.npz`` without pickles."""
from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Union

import numpy as np
import torch

from ppp.errors import PPPError
from ppp.humanoid.kinematics import joint_pos_to_local_rot, local_rot_to_joint_pos
from ppp.humanoid.skeleton import NUM_BODIES, NUM_DOFS

_ARRAYS = {"root_pos": (3,), "body_rot": (NUM_BODIES, 4), "joint_pos": (NUM_DOFS,)}


@dataclass
class Clip:
    """T poses at ``fps``; world frame, metres, quaternions w, x, y, z.

    root_pos (T, 3); body_rot (T, 17, 4) each body in its parent (the root's in the world);
    joint_pos (T, 31) exponential maps and hinge angles of the same pose, rad. In a looping clip the
    last frame is the first one again, moved and turned about z only.
    """

    fps: float
    root_pos: np.ndarray
    body_rot: np.ndarray
    joint_pos: np.ndarray
    label: str = ""
    source: str = ""
    licence: str = ""

    @property
    def frames(self) -> int:
        """T."""
        return int(self.root_pos.shape[0])

    @property
    def seconds(self) -> float:
        """Time from the first frame to the last, s."""
        return (self.frames - 1) / self.fps


def clip_from_joints(root_pos: np.ndarray, root_rot: np.ndarray, joint_pos: np.ndarray, fps: float,
                     label: str = "", source: str = "", licence: str = "") -> Clip:
    """A clip from root poses (T, 3), (T, 4) and joint angles (T, 31)."""
    local = joint_pos_to_local_rot(torch.as_tensor(joint_pos, dtype=torch.float32)).numpy()
    local[:, 0] = root_rot
    return Clip(float(fps), np.asarray(root_pos, np.float32), local.astype(np.float32),
                np.asarray(joint_pos, np.float32), label, source, licence)


def clip_from_local_rot(root_pos: np.ndarray, body_rot: np.ndarray, fps: float, label: str = "",
                        source: str = "", licence: str = "") -> Clip:
    """A clip from root positions (T, 3) and local rotations (T, 17, 4)."""
    rot = torch.as_tensor(body_rot, dtype=torch.float32)
    joint_pos = local_rot_to_joint_pos(rot).numpy()
    return Clip(float(fps), np.asarray(root_pos, np.float32), rot.numpy(), joint_pos,
                label, source, licence)


def save_clip(clip: Clip, path: Union[str, Path]) -> None:
    """Write the clip; the bytes depend on the clip alone, so that rebuilding changes nothing."""
    arrays = {"fps": np.float32(clip.fps), "label": np.str_(clip.label),
              "source": np.str_(clip.source), "licence": np.str_(clip.licence)}
    arrays.update({name: getattr(clip, name).astype(np.float32) for name in _ARRAYS})
    np.savez_compressed(path, **arrays)


def load_clip(path: Union[str, Path]) -> Clip:
    """Read and check a clip; PPPError names the file and the field that is wrong."""
    path = Path(path)
    if not path.is_file():
        raise PPPError(f"{path}: no such clip file; check the name in the library")
    try:
        with np.load(path, allow_pickle=False) as data:
            arrays = {name: data[name] for name in data.files}
    except (ValueError, OSError, EOFError, KeyError, zipfile.BadZipFile) as error:
        raise PPPError(f"{path}: not a readable clip ({error}); export or import it again"
                       ) from None
    return _checked(arrays, path)


def _checked(arrays: dict, path: Path) -> Clip:
    missing = [name for name in ("fps", *_ARRAYS) if name not in arrays]
    if missing:
        raise PPPError(f"{path}: the clip has no '{missing[0]}'; export or import it again")
    frames = len(arrays["root_pos"])
    for name, shape in _ARRAYS.items():
        array = arrays[name]
        if array.shape != (frames, *shape):
            raise PPPError(f"{path}: '{name}' has shape {array.shape}, expected "
                           f"{(frames, *shape)}; it was made for another body")
        if not np.isfinite(array).all():
            raise PPPError(f"{path}: '{name}' holds values that are not finite; mend the source")
    fps = float(arrays["fps"])
    if frames < 2 or not 1.0 <= fps <= 1000.0:
        raise PPPError(f"{path}: {frames} frames at {fps:g} fps; a clip needs at least 2 frames "
                       "and a rate of 1 to 1000")
    text = {name: str(arrays.get(name, "")) for name in ("label", "source", "licence")}
    return Clip(fps, *(arrays[name].astype(np.float32) for name in _ARRAYS), **text)
