"""The floor plan: boxes of any rotation, their distances to points and straight walks.

Everything is in the world frame, in metres and radians. A walk keeps a clearance from a box when
its distance to the box is at least that clearance, so an inflated box has round corners.
"""
from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Sequence, Tuple

import numpy as np

from ppp.engines.scene import Prop

XY = Tuple[float, float]

#: the humanoid's radius on the floor plan: shoulders and shield while it walks, m
BODY_RADIUS = 0.4
#: clearance that planners like: a wandering humanoid, its sword and its shield pass, m
COMFORT_CLEARANCE = 0.75
#: positions are inside |x|, |y| <= ARENA, m
ARENA = 20.0
#: a box whose own z axis points up less than this lies on the floor (CALM's strike rule)
FALLEN_UP_Z = 0.2


@dataclass(frozen=True)
class Box:
    """A rectangle on the floor: ``half`` are half extents along its own axes, turned by ``yaw``."""

    name: str
    centre: XY
    half: XY
    yaw: float = 0.0

    def to_local(self, points: np.ndarray) -> np.ndarray:
        """World points (..., 2) in the axes of the box, from its centre."""
        c, s = math.cos(self.yaw), math.sin(self.yaw)
        return (np.asarray(points, dtype=float) - self.centre) @ np.array([[c, -s], [s, c]])

    def to_world(self, local: np.ndarray) -> np.ndarray:
        """Points (..., 2) in the axes of the box as world points."""
        c, s = math.cos(self.yaw), math.sin(self.yaw)
        return np.asarray(local, dtype=float) @ np.array([[c, s], [-s, c]]) + self.centre

    def corners(self, margin: float = 0.0) -> np.ndarray:
        """The corners (4, 2), counter-clockwise, of the box grown by ``margin`` on each side."""
        hx, hy = self.half[0] + margin, self.half[1] + margin
        return self.to_world(np.array([[hx, hy], [-hx, hy], [-hx, -hy], [hx, -hy]]))


def box_of(prop: Prop) -> Box:
    """The footprint of a prop; a marker is a point."""
    half = (0.0, 0.0) if prop.kind == "marker" else (0.5 * prop.size[0], 0.5 * prop.size[1])
    return Box(prop.name, (float(prop.position[0]), float(prop.position[1])), half, prop.yaw)


def point_distance(points: np.ndarray, box: Box) -> np.ndarray:
    """Distance of points (..., 2) to the box, 0 inside; shape (...)."""
    outside = np.maximum(np.abs(box.to_local(points)) - box.half, 0.0)
    return np.hypot(outside[..., 0], outside[..., 1])


def _hits(start: np.ndarray, end: np.ndarray, half: XY) -> np.ndarray:
    """Whether segments (S, 2) to (S, 2), in the axes of the box, enter it; slab test."""
    delta = end - start
    safe = np.where(np.abs(delta) < 1e-12, 1e-12, delta)
    near = (-np.sign(safe) * half - start) / safe
    far = (np.sign(safe) * half - start) / safe
    enter = np.maximum(near.max(axis=-1), 0.0)
    return enter <= np.minimum(far.min(axis=-1), 1.0)


def _point_to_segments(point: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Distance of one point (2,) to each segment (S, 2) to (S, 2)."""
    delta = end - start
    length2 = np.maximum((delta**2).sum(axis=-1), 1e-18)
    t = np.clip(((point - start) * delta).sum(axis=-1) / length2, 0.0, 1.0)
    return np.linalg.norm(start + t[:, None] * delta - point, axis=-1)


def segment_distances(starts: np.ndarray, ends: np.ndarray, box: Box) -> np.ndarray:
    """Distance of each segment, ``starts`` (S, 2) to ``ends`` (S, 2), to the box; (S,), 0 on a hit.

    Two convex shapes that do not meet are nearest at a corner of one of them.
    """
    start, end = box.to_local(starts), box.to_local(ends)
    best = np.minimum(point_distance(starts, box), point_distance(ends, box))
    for sx in (-1.0, 1.0):
        for sy in (-1.0, 1.0):
            corner = np.array([sx * box.half[0], sy * box.half[1]])
            best = np.minimum(best, _point_to_segments(corner, start, end))
    return np.where(_hits(start, end, box.half), 0.0, best)


def segment_distance(start: XY, end: XY, box: Box) -> float:
    """Distance of one straight walk to the box, m; 0 when it goes through."""
    return float(segment_distances(np.array([start]), np.array([end]), box)[0])


def distance(a: Sequence[float], b: Sequence[float]) -> float:
    """Distance of two points on the floor plan, m."""
    return math.hypot(b[0] - a[0], b[1] - a[1])


def bearing(a: Sequence[float], b: Sequence[float]) -> float:
    """Direction from ``a`` to ``b``, rad from the x axis, -pi..pi."""
    return math.atan2(b[1] - a[1], b[0] - a[0])


def wrap(angle: float) -> float:
    """The angle in -pi..pi."""
    return math.atan2(math.sin(angle), math.cos(angle))


def boxes_overlap(a: Box, b: Box) -> bool:
    """Whether two boxes share some floor (separating axes)."""
    for one, other in ((a, b), (b, a)):
        local = one.to_local(other.corners())
        low, high = local.min(axis=0), local.max(axis=0)
        if (low >= one.half).any() or (high <= np.negative(one.half)).any():
            return False
    return True


def at_gap(box: Box, direction: float, gap: float) -> XY:
    """The point in ``direction`` (rad) from the centre of the box, ``gap`` m off its side."""
    unit = np.array([math.cos(direction), math.sin(direction)])
    low, high = 0.0, math.hypot(*box.half) + gap
    for _ in range(40):
        middle = 0.5 * (low + high)
        inside = point_distance(np.asarray(box.centre) + middle * unit, box) < gap
        low, high = (middle, high) if inside else (low, middle)
    return float(box.centre[0] + high * unit[0]), float(box.centre[1] + high * unit[1])


def in_arena(point: Sequence[float]) -> bool:
    """Whether a point is finite and inside the arena."""
    return all(math.isfinite(v) and abs(v) <= ARENA for v in point)
