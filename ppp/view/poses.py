"""Reading a recording at any moment: poses between the recorded steps, and the step that runs."""
from __future__ import annotations

from typing import Any, Dict, List, NamedTuple, Optional, Tuple, Union

import numpy as np

from ppp.engines.scene import Scene
from ppp.errors import PPPError
from ppp.humanoid.skeleton import NUM_BODIES
from ppp.planning.recording import Recording

#: body positions (T, 17, 3) m and rotations (T, 17, 4) w, x, y, z of a clip, world frame
Poses = Tuple[np.ndarray, np.ndarray]


class Pose(NamedTuple):
    """One moment. World frame, m; rotations w, x, y, z, unit."""

    body_pos: np.ndarray  # (17, 3)
    body_rot: np.ndarray  # (17, 4)
    prop_pos: np.ndarray  # (P, 3)
    prop_rot: np.ndarray  # (P, 4)


def as_recording(source: Union[Recording, Poses], fps: float = 30.0) -> Recording:
    """The recording itself, or bare poses (a clip) as a recording in an empty scene."""
    if isinstance(source, Recording):
        return check(source)
    body_pos, body_rot = (np.asarray(part, dtype=np.float32) for part in source)
    frames = len(body_pos)
    return check(Recording("clip", "", fps, Scene(), body_pos, body_rot,
                           np.zeros((frames, 0, 3), np.float32),
                           np.zeros((frames, 0, 4), np.float32)))


def check(recording: Recording) -> Recording:
    """The recording, once its arrays are known to have frames, matching shapes and finite values.

    Raises PPPError that names the first field that is wrong.
    """
    frames, props = len(recording.body_pos), len(recording.scene.bodies)
    if frames == 0 or not recording.fps > 0:
        raise PPPError(f"recording '{recording.name}' has no frames to show: record it again")
    shapes = {"body_pos": (frames, NUM_BODIES, 3), "body_rot": (frames, NUM_BODIES, 4),
              "prop_pos": (frames, props, 3), "prop_rot": (frames, props, 4)}
    for field, shape in shapes.items():
        value = getattr(recording, field)
        if tuple(value.shape) != shape:
            raise PPPError(f"recording '{recording.name}': {field} has shape "
                           f"{tuple(value.shape)}, expected {shape}: record it again")
        if not np.isfinite(value).all():
            raise PPPError(f"recording '{recording.name}': {field} holds values that are not "
                           "finite (the simulation diverged): record it again")
    return recording


def duration(recording: Recording) -> float:
    """Length of the recording, s."""
    return len(recording.body_pos) / float(recording.fps)


def pose_at(recording: Recording, time: float) -> Pose:
    """The pose at a time in s (clamped to the recording), interpolated between recorded steps."""
    last = len(recording.body_pos) - 1
    place = min(max(time * float(recording.fps), 0.0), float(last))
    before = min(int(place), last)
    after, share = min(before + 1, last), place - before

    def between(values: np.ndarray) -> np.ndarray:
        return (1.0 - share) * values[before] + share * values[after]

    return Pose(between(recording.body_pos), _turn(recording.body_rot, before, after, share),
                between(recording.prop_pos), _turn(recording.prop_rot, before, after, share))


def _turn(rot: np.ndarray, before: int, after: int, share: float) -> np.ndarray:
    """Normalised linear interpolation of quaternions (T, n, 4) along the shorter way, (n, 4)."""
    first, second = rot[before], rot[after]
    sign = np.where((first * second).sum(-1, keepdims=True) < 0.0, -1.0, 1.0)
    mixed = (1.0 - share) * first + share * sign * second
    return mixed / np.maximum(np.linalg.norm(mixed, axis=-1, keepdims=True), 1e-9)


def step_index(steps: List[Dict[str, Any]], time: float) -> Optional[int]:
    """Index of the plan step that runs at a time in s (the last one begun), None before any."""
    begun = [i for i, step in enumerate(steps) if number(step.get("start")) <= time + 1e-6]
    return begun[-1] if begun else None


def number(value: Any, default: float = 0.0) -> float:
    """A finite float from a recorded value, ``default`` for anything else."""
    try:
        result = float(value)
    except (TypeError, ValueError):
        return default
    return result if np.isfinite(result) else default


def step_target(step: Dict[str, Any]) -> Optional[Tuple[float, float]]:
    """The step's target (x, y) in m, None for a step without one."""
    target = step.get("target")
    if target is None or len(target) < 2:
        return None
    return number(target[0]), number(target[1])
