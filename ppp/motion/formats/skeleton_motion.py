"""A motion on any skeleton: what every reader of a foreign format hands to retargeting."""
from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import List, Optional, Tuple, Union

import numpy as np
from scipy.spatial.transform import Rotation, Slerp

from ppp.errors import PPPError

#: more than this is a broken header or no motion clip
MAX_FRAMES = 200_000
MAX_FILE_BYTES = 256 * 2**20
#: rest (y up, facing z, left x) to ours (z up, facing x, left y)
Y_UP = np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])


@dataclass
class SkeletonMotion:
    """T frames of J joints; metres, quaternions w, x, y, z, z up.

    names, parents (-1: root, parents before children), offsets (J, 3): each joint in its parent at
    rest; rotations (T, J, 4): each joint in its parent, the root's in the world; root_pos (T, 3).
    In the rest pose every rotation is the identity; most files rest standing, facing x.
    notes: what the reader had to guess; licence: terms that the format itself tells of.
    """

    names: List[str]
    parents: List[int]
    offsets: np.ndarray
    rotations: np.ndarray
    root_pos: np.ndarray
    fps: float
    kind: str
    notes: List[str] = field(default_factory=list)

    @property
    def frames(self) -> int:
        """T."""
        return int(self.root_pos.shape[0])

    @property
    def seconds(self) -> float:
        """Time from the first frame to the last, s."""
        return (self.frames - 1) / self.fps

    def world(self, rest: bool = False) -> Tuple[np.ndarray, Rotation]:
        """World positions (T, J, 3), m, and rotations, flat over (T, J), of every joint.

        ``rest``: one frame, the rest pose with the root at the origin.
        """
        count = 1 if rest else self.frames
        pos = np.zeros((count, len(self.names), 3))
        turns: List[Rotation] = []
        for j, parent in enumerate(self.parents):
            own = Rotation.identity(count) if rest else to_rotation(self.rotations[:, j])
            if parent < 0:
                turns.append(own)
                pos[:, j] = 0.0 if rest else self.root_pos
            else:
                turns.append(turns[parent] * own)
                pos[:, j] = pos[:, parent] + turns[parent].apply(self.offsets[j])
        quats = np.stack([turn.as_quat() for turn in turns], 1)
        return pos, Rotation.from_quat(quats.reshape(-1, 4))


def to_rotation(quat: np.ndarray) -> Rotation:
    """scipy rotations of quaternions w, x, y, z (…, 4), flattened."""
    return Rotation.from_quat(np.roll(np.reshape(quat, (-1, 4)), -1, axis=-1))


def to_quat(turn: Rotation) -> np.ndarray:
    """Quaternions w, x, y, z (N, 4), w not negative, of scipy rotations."""
    quat = np.roll(np.atleast_2d(turn.as_quat()), 1, axis=-1)
    return np.where(quat[:, :1] < 0.0, -quat, quat)


def reframed(motion: SkeletonMotion, rest: np.ndarray, world: np.ndarray) -> SkeletonMotion:
    """The motion with other axes: ``rest`` (3, 3) turns the rest pose, ``world`` (3, 3) the world.

    A local rotation R becomes A R Aᵀ, the root's W R Aᵀ, an offset A o, a root position W p.
    """
    turn, out = Rotation.from_matrix(rest), Rotation.from_matrix(world)
    rotations = np.empty_like(motion.rotations)
    for j, parent in enumerate(motion.parents):
        left = out if parent < 0 else turn
        rotations[:, j] = to_quat(left * to_rotation(motion.rotations[:, j]) * turn.inv())
    return SkeletonMotion(motion.names, motion.parents, motion.offsets @ rest.T, rotations,
                          motion.root_pos @ world.T, motion.fps, motion.kind, list(motion.notes))


def cut(motion: SkeletonMotion, start: Optional[float], end: Optional[float],
        where: Union[str, Path]) -> SkeletonMotion:
    """The part between two times in s; PPPError when nothing is left."""
    first = 0 if start is None else int(round(start * motion.fps))
    last = motion.frames - 1 if end is None else int(round(end * motion.fps))
    last = min(last, motion.frames - 1)
    if first < 0 or last - first < 1:
        raise PPPError(f"{where}: --from and --to leave fewer than 2 frames; the motion lasts "
                       f"{motion.seconds:.2f} s")
    keep = slice(first, last + 1)
    return SkeletonMotion(motion.names, motion.parents, motion.offsets, motion.rotations[keep],
                          motion.root_pos[keep], motion.fps, motion.kind, list(motion.notes))


def at_rate(motion: SkeletonMotion, fps: float) -> SkeletonMotion:
    """The motion at another rate: linear positions, spherical rotations (Shoemake 1985)."""
    if abs(motion.fps - fps) < 1e-3:
        return motion
    count = max(2, int(round(motion.seconds * fps)) + 1)
    old = np.arange(motion.frames) / motion.fps
    new = np.minimum(np.linspace(0.0, motion.seconds, count), old[-1])
    pos = np.stack([np.interp(new, old, motion.root_pos[:, k]) for k in range(3)], 1)
    rot = np.stack([to_quat(Slerp(old, to_rotation(motion.rotations[:, j]))(new))
                    for j in range(len(motion.names))], 1)
    return SkeletonMotion(motion.names, motion.parents, motion.offsets, rot, pos, fps, motion.kind,
                          list(motion.notes))


def checked(motion: SkeletonMotion, path: Path) -> SkeletonMotion:
    """The motion, once it is known to be one; PPPError names the file and what is wrong."""
    check_length(motion.frames, motion.fps, path)
    for field_name in ("offsets", "rotations", "root_pos"):
        if not np.isfinite(getattr(motion, field_name)).all():
            raise PPPError(f"{path}: '{field_name}' holds values that are not finite; mend the "
                           "source")
    if len(set(motion.names)) != len(motion.names):
        twice = next(n for n in motion.names if motion.names.count(n) > 1)
        raise PPPError(f"{path}: joint '{twice[:60]}' is there twice; name joints differently")
    return motion


def check_length(frames: int, fps: float, path: Path) -> None:
    """PPPError unless there are 2 to MAX_FRAMES frames at 1 to 1000 frames per second."""
    if not np.isfinite(fps) or not 1.0 <= fps <= 1000.0:
        raise PPPError(f"{path}: the frame rate is {fps:g} per second; a motion needs a rate from "
                       "1 to 1000")
    if frames < 2:
        have = "one frame" if frames == 1 else "no frames"
        raise PPPError(f"{path}: holds {have} of motion; a clip needs at least 2")
    if frames > MAX_FRAMES:
        raise PPPError(f"{path}: says it has {frames} frames; a clip may have {MAX_FRAMES} at most")


def read_text(path: Path) -> str:
    """The text of a file; PPPError when it is missing, empty, too large or no text."""
    if not path.is_file():
        raise PPPError(f"{path}: no such file; check the name")
    size = path.stat().st_size
    if size == 0:
        raise PPPError(f"{path}: the file is empty; download it again")
    if size > MAX_FILE_BYTES:
        raise PPPError(f"{path}: larger than {MAX_FILE_BYTES // 2**20} MiB; this is no motion clip")
    raw = path.read_bytes()
    if b"\0" in raw[:65536]:
        raise PPPError(f"{path}: holds binary data, not the text its name promises; check the file")
    return raw.decode("utf-8", errors="replace").lstrip("\ufeff")


def numbers(words: List[str], path: Path, where: str) -> List[float]:
    """Words as finite numbers; PPPError names the place."""
    try:
        values = [float(word) for word in words]
    except ValueError:
        bad = next(word for word in words if not _is_number(word))
        raise PPPError(f"{path}: {where} holds '{bad[:40]}' where a number belongs; mend the file"
                       ) from None
    if not np.isfinite(values).all():
        raise PPPError(f"{path}: {where} holds values that are not finite; mend the source")
    return values


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
