"""Where the camera stands over time: it follows the humanoid and keeps the props in sight.

The direction of view is planned for the whole film at once: among 24 directions, a shortest path
over time weighs walls between the camera and the humanoid against turning.
"""
from __future__ import annotations

from typing import Callable, Dict, List, NamedTuple

import numpy as np

from ppp.engines.scene import Prop
from ppp.errors import unknown
from ppp.planning.recording import Recording
from ppp.view.poses import step_index, step_target

DIRECTIONS = 24
KNOT = 0.5  # s between planned directions
ASIDE = 60.0  # degrees between the direction of view and what the humanoid heads for
ELEVATION = -17.0  # degrees: the camera looks down on the scene
NEAREST, FARTHEST = 3.6, 8.5  # m between the camera and what it looks at
SIGHT = 6.0  # m: props farther from the humanoid than this do not widen the view
_WEIGHT_HIDDEN, _WEIGHT_SIDE, _WEIGHT_TURN = 4.0, 1.0, 12.0


class Shots(NamedTuple):
    """The camera at every frame: the point looked at, how far away, and from which direction."""

    look_at: np.ndarray  # (F, 3) m, world frame
    distance: np.ndarray  # (F,) m
    azimuth: np.ndarray  # (F,) degrees, direction of view about z (0 looks along +x)
    elevation: float  # degrees, negative looks down


def plan_camera(recording: Recording, times: np.ndarray, name: str = "follow",
                aspect: float = 16 / 9) -> Shots:
    """The camera at the given times (F,) in s, for pictures of width / height = aspect.

    ``name`` is one of CAMERAS (else PPPError).
    """
    if name not in CAMERAS:
        raise unknown("camera", name, CAMERAS)
    return CAMERAS[name](recording, np.asarray(times, dtype=float), aspect)


def _follow(recording: Recording, times: np.ndarray, aspect: float) -> Shots:
    step = float(times[1] - times[0]) if len(times) > 1 else 1.0 / 30.0
    root = _root_at(recording, times)
    interest = _interest(recording, times, root[:, :2])
    offset = interest - root[:, :2]
    far = np.linalg.norm(offset, axis=1)
    most = 1.3 * min(1.0, aspect / 1.8) ** 2  # in a narrow picture the humanoid stays central
    lead = offset * (np.minimum(0.35 * far, most) / np.maximum(far, 1e-6))[:, None]
    look = np.concatenate([root[:, :2] + lead, 0.55 * root[:, 2:] + 0.32], axis=1)
    distance = np.clip(NEAREST + 0.75 * np.minimum(far, SIGHT), NEAREST, FARTHEST)
    look, distance = _smooth(look, 0.5 / step), _smooth(distance[:, None], 0.8 / step)[:, 0]
    azimuth = _planned_azimuth(recording, times, look, distance, offset)
    return Shots(look, distance, azimuth, ELEVATION)


def _whole_scene(recording: Recording, times: np.ndarray, aspect: float) -> Shots:
    """One fixed camera that sees the whole way and every prop."""
    points = np.concatenate([recording.body_pos[:, 0, :2], _prop_points(recording)], axis=0)
    low, high = points.min(axis=0), points.max(axis=0)
    span = float(np.linalg.norm(high - low))
    look = np.tile(np.append(0.5 * (low + high), 0.6), (len(times), 1))
    azimuth = np.full(len(times), np.degrees(_main_axis(recording)) + 60.0)
    distance = 3.0 + 1.05 * span * max(1.0, 1.4 / aspect)
    return Shots(look, np.full(len(times), distance), azimuth, -24.0)


CAMERAS: Dict[str, Callable[[Recording, np.ndarray, float], Shots]] = {
    "follow": _follow, "scene": _whole_scene,
}


def _root_at(recording: Recording, times: np.ndarray) -> np.ndarray:
    """Pelvis position at the times, (F, 3)."""
    own = np.arange(len(recording.body_pos)) / float(recording.fps)
    return np.stack([np.interp(times, own, recording.body_pos[:, 0, i]) for i in range(3)], axis=1)


def _prop_points(recording: Recording) -> np.ndarray:
    """Positions (n, 2) of all props where they started, markers too."""
    return np.asarray([p.position for p in recording.scene.props], dtype=float).reshape(-1, 2)


def _interest(recording: Recording, times: np.ndarray, root: np.ndarray) -> np.ndarray:
    """What the humanoid is busy with, (F, 2): its step's target, else the nearest prop, else it."""
    props = _prop_points(recording)
    out = root.copy()
    for i, time in enumerate(times):
        index = step_index(recording.steps, time)
        target = None if index is None else step_target(recording.steps[index])
        if target is not None:
            out[i] = target
        elif len(props):
            out[i] = props[np.argmin(np.linalg.norm(props - root[i], axis=1))]
        if np.linalg.norm(out[i] - root[i]) > SIGHT:
            out[i] = root[i] + (out[i] - root[i]) * SIGHT / np.linalg.norm(out[i] - root[i])
    return out


def _smooth(values: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian filter over the first axis of (F, n); sigma in frames; the ends are held."""
    reach = max(1, int(3 * sigma))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / max(sigma, 1e-6)) ** 2)
    kernel /= kernel.sum()
    held = np.pad(values, ((reach, reach), (0, 0)), mode="edge")
    return np.stack([np.convolve(held[:, i], kernel, "valid") for i in range(values.shape[1])], 1)


def _main_axis(recording: Recording) -> float:
    """Direction of the whole performance, rad: from the start to its props or its farthest point.

    A clip that stays on the spot in an empty scene is seen from the front.
    """
    root = recording.body_pos[:, 0, :2]
    props = _prop_points(recording)
    if len(props):
        away = props.mean(axis=0) - root[0]
    else:
        moved = root - root[0]
        away = moved[np.argmax(np.linalg.norm(moved, axis=1))]
    if np.linalg.norm(away) > 0.5:
        return float(np.arctan2(away[1], away[0]))
    w, x, y, z = recording.body_rot[0, 0]
    return float(np.arctan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z)) + np.pi)


def _planned_azimuth(recording: Recording, times: np.ndarray, look: np.ndarray,
                     distance: np.ndarray, offset: np.ndarray) -> np.ndarray:
    """Direction of view at every frame, degrees (F,): unhidden, from the side, turning little."""
    knots = np.arange(times[0], times[-1] + KNOT, KNOT)
    angles = 2 * np.pi * np.arange(DIRECTIONS) / DIRECTIONS
    frames = np.clip(np.searchsorted(times, knots), 0, len(times) - 1)
    busy = np.linalg.norm(offset[frames], axis=1) > 0.4
    axis = np.where(busy, np.arctan2(offset[frames, 1], offset[frames, 0]), _main_axis(recording))
    aside = np.abs(_wrap(angles[None, :] - axis[:, None]))
    cost = _WEIGHT_SIDE * (aside - np.radians(ASIDE)) ** 2
    root = _root_at(recording, times)
    walls = [prop for prop in recording.scene.props if prop.kind == "obstacle"]
    for k, frame in enumerate(frames):
        for d, angle in enumerate(angles):
            eye = _eye(look[frame], distance[frame], angle)
            cost[k, d] += _WEIGHT_HIDDEN * _hidden(eye, root[frame], walls)
    chosen = _cheapest_path(cost, angles)
    smooth = _smooth(np.unwrap(angles[chosen])[:, None], 1.5 / KNOT)[:, 0]
    return np.degrees(np.interp(times, knots, smooth))


def _wrap(angle: np.ndarray) -> np.ndarray:
    return (angle + np.pi) % (2 * np.pi) - np.pi


def _eye(look: np.ndarray, distance: float, azimuth: float) -> np.ndarray:
    """Position of a camera that looks at a point along an azimuth in rad, (3,)."""
    flat = distance * np.cos(np.radians(ELEVATION))
    return look + np.array([-flat * np.cos(azimuth), -flat * np.sin(azimuth),
                            -distance * np.sin(np.radians(ELEVATION))])


def _hidden(eye: np.ndarray, root: np.ndarray, walls: List[Prop]) -> float:
    """The share of four points up the body that a wall hides from the eye, 0 to 1."""
    points = root + np.array([[0, 0, -0.8], [0, 0, -0.4], [0, 0, 0.1], [0, 0, 0.6]])
    blocked = np.zeros(len(points), dtype=bool)
    for wall in walls:
        blocked |= _crosses(eye, points, wall)
    return float(blocked.mean())


def _crosses(eye: np.ndarray, points: np.ndarray, wall: Prop) -> np.ndarray:
    """Whether the segments from the eye to the points (n, 3) pass through a prop's box, (n,)."""
    cos, sin = np.cos(wall.yaw), np.sin(wall.yaw)
    turn = np.array([[cos, sin, 0], [-sin, cos, 0], [0, 0, 1]])
    half = 0.5 * np.asarray(wall.size)
    centre = np.array([wall.position[0], wall.position[1], half[2]])
    start, ends = turn @ (eye - centre), (points - centre) @ turn.T
    along = ends - start
    along = np.where(np.abs(along) < 1e-9, 1e-9, along)
    first, second = (-half - start) / along, (half - start) / along
    enter = np.minimum(first, second).max(axis=1)
    leave = np.maximum(first, second).min(axis=1)
    return (enter < leave) & (leave > 0) & (enter < 1)


def _cheapest_path(cost: np.ndarray, angles: np.ndarray) -> np.ndarray:
    """The sequence of directions (K,) that minimises cost (K, D) plus the squared turns between."""
    turn = _WEIGHT_TURN * _wrap(angles[:, None] - angles[None, :]) ** 2
    total, back = cost[0].copy(), np.zeros(cost.shape, dtype=int)
    for k in range(1, len(cost)):
        ways = total[:, None] + turn
        back[k] = ways.argmin(axis=0)
        total = ways.min(axis=0) + cost[k]
    path = [int(total.argmin())]
    for k in range(len(cost) - 1, 0, -1):
        path.append(int(back[k][path[-1]]))
    return np.array(path[::-1])
