"""The floor plan: boxes of any rotation, their distances to points and straight walks.

Everything is in the world frame, in metres and radians. A walk keeps a clearance from a box when
its distance to the box is at least that clearance, so an inflated box has round corners.
"""
from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import List, Sequence, Tuple, Union

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

    @property
    def radius(self) -> float:
        """Of the circle around its centre that holds it, m."""
        return math.hypot(*self.half)

    @cached_property
    def _turn(self) -> np.ndarray:
        """(2, 2): turns rows of world coordinates into the box's axes; a search asks often."""
        c, s = math.cos(self.yaw), math.sin(self.yaw)
        return np.array([[c, -s], [s, c]])

    def to_local(self, points: np.ndarray) -> np.ndarray:
        """World points (..., 2) in the axes of the box, from its centre."""
        return (np.asarray(points, dtype=float) - self.centre) @ self._turn

    def to_world(self, local: np.ndarray) -> np.ndarray:
        """Points (..., 2) in the axes of the box as world points."""
        return np.asarray(local, dtype=float) @ self._turn.T + self.centre

    def corners(self, margin: float = 0.0) -> np.ndarray:
        """The corners (4, 2), counter-clockwise, of the box grown by ``margin`` on each side."""
        hx, hy = self.half[0] + margin, self.half[1] + margin
        return self.to_world(np.array([[hx, hy], [-hx, hy], [-hx, -hy], [hx, -hy]]))


@dataclass(frozen=True)
class Polygon:
    """A convex polygon on the floor: ``vertices``, three or more, counter-clockwise, m."""

    name: str
    vertices: Tuple[XY, ...]

    @property
    def centre(self) -> XY:
        """The mean of its vertices, m."""
        x, y = np.mean(self.vertices, axis=0)
        return float(x), float(y)

    @property
    def radius(self) -> float:
        """Of the circle around its centre that holds it, m."""
        return max(distance(self.centre, vertex) for vertex in self.vertices)

    @cached_property
    def edges(self) -> Tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Per edge: its ends (V, 2) and (V, 2), its outward normal (V, 2) and offset (V,)."""
        start = np.array(self.vertices, dtype=float)
        end = np.roll(start, -1, axis=0)
        along = (end - start) / np.linalg.norm(end - start, axis=1, keepdims=True)
        normal = np.stack([along[:, 1], -along[:, 0]], axis=1)
        return start, end, normal, (normal * start).sum(axis=1)


Shape = Union[Box, Polygon]


def outline(shape: Shape, margin: float, overshoot: float) -> np.ndarray:
    """Vertices (V, 2) of a polygon around all points nearer than ``margin`` m to the shape.

    Straight between its vertices it stays ``margin`` off; a vertex is at most ``overshoot`` m
    further off than that, for which a round corner is cut into as many pieces as it needs.
    """
    # a box without extent, a marker, still has four directions
    corners = shape.corners(1e-6) if isinstance(shape, Box) else np.array(shape.vertices)
    edges = np.roll(corners, -1, axis=0) - corners
    out = np.arctan2(edges[:, 1], edges[:, 0]) - 0.5 * math.pi
    most = 2.0 * math.acos(1.0 / (1.0 + overshoot / margin))  # the widest piece of a corner, rad
    found = []
    for corner, before, after in zip(corners, np.roll(out, 1), out):
        turn = (after - before) % (2.0 * math.pi)
        pieces = max(1, math.ceil(turn / most - 1e-9))
        middles = before + turn * (np.arange(pieces) + 0.5) / pieces
        far = margin / math.cos(0.5 * turn / pieces)
        found.append(corner + far * np.stack([np.cos(middles), np.sin(middles)], axis=1))
    return np.concatenate(found)


def box_of(prop: Prop) -> Box:
    """The footprint of a prop; a marker is a point."""
    half = (0.0, 0.0) if prop.kind == "marker" else (0.5 * prop.size[0], 0.5 * prop.size[1])
    return Box(prop.name, (float(prop.position[0]), float(prop.position[1])), half, prop.yaw)


def point_distance(points: np.ndarray, box: Shape) -> np.ndarray:
    """Distance of points (..., 2) to the box or polygon, 0 inside; shape (...)."""
    if isinstance(box, Polygon):
        return _polygon_distance(np.asarray(points, dtype=float), box)
    outside = np.maximum(np.abs(box.to_local(points)) - box.half, 0.0)
    return np.hypot(outside[..., 0], outside[..., 1])


def _polygon_distance(points: np.ndarray, shape: Polygon) -> np.ndarray:
    start, end, normal, offset = shape.edges
    inside = (points @ normal.T - offset <= 0.0).all(axis=-1)
    delta, apart = end - start, points[..., None, :] - start
    t = np.clip((apart * delta).sum(axis=-1) / (delta**2).sum(axis=-1), 0.0, 1.0)
    gaps = np.linalg.norm(apart - t[..., None] * delta, axis=-1).min(axis=-1)
    return np.where(inside, 0.0, gaps)


def _crosses(start: np.ndarray, end: np.ndarray, shape: Polygon) -> np.ndarray:
    """Whether segments (S, 2) to (S, 2) enter the polygon; clipped by each of its edges in turn
    (Cyrus and Beck)."""
    _, _, normal, offset = shape.edges
    away = start @ normal.T - offset
    speed = (end - start) @ normal.T
    safe = np.where(np.abs(speed) < 1e-12, 1e-12, speed)
    at = -away / safe
    enter = np.where(speed < -1e-12, at, 0.0).max(axis=-1)
    leave = np.where(speed > 1e-12, at, 1.0).min(axis=-1)
    outside = ((np.abs(speed) <= 1e-12) & (away > 0.0)).any(axis=-1)
    return (np.maximum(enter, 0.0) <= np.minimum(leave, 1.0)) & ~outside


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


def segment_distances(starts: np.ndarray, ends: np.ndarray, box: Shape) -> np.ndarray:
    """Distance of each segment, ``starts`` (S, 2) to ``ends`` (S, 2), to the box or polygon.

    (S,), 0 on a hit. Two convex shapes that do not meet are nearest at a corner of one of them.
    """
    if isinstance(box, Polygon):
        starts, ends = np.asarray(starts, dtype=float), np.asarray(ends, dtype=float)
        best = np.minimum(point_distance(starts, box), point_distance(ends, box))
        for vertex in box.vertices:
            best = np.minimum(best, _point_to_segments(np.array(vertex), starts, ends))
        return np.where(_crosses(starts, ends, box), 0.0, best)
    start, end = box.to_local(starts), box.to_local(ends)
    best = np.minimum(point_distance(starts, box), point_distance(ends, box))
    for sx in (-1.0, 1.0):
        for sy in (-1.0, 1.0):
            corner = np.array([sx * box.half[0], sy * box.half[1]])
            best = np.minimum(best, _point_to_segments(corner, start, end))
    return np.where(_hits(start, end, box.half), 0.0, best)


def segment_distance(start: XY, end: XY, box: Shape) -> float:
    """Distance of one straight walk to the box or polygon, m; 0 when it goes through."""
    return float(segment_distances(np.array([start]), np.array([end]), box)[0])


def to_segment(point: XY, start: XY, end: XY) -> float:
    """Distance of a point to a straight walk, m."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    length2 = max(dx * dx + dy * dy, 1e-18)
    t = ((point[0] - start[0]) * dx + (point[1] - start[1]) * dy) / length2
    t = min(1.0, max(0.0, t))
    return math.hypot(start[0] + t * dx - point[0], start[1] + t * dy - point[1])


def distance(a: Sequence[float], b: Sequence[float]) -> float:
    """Distance of two points on the floor plan, m."""
    return math.hypot(b[0] - a[0], b[1] - a[1])


def bearing(a: Sequence[float], b: Sequence[float]) -> float:
    """Direction from ``a`` to ``b``, rad from the x axis, -pi..pi."""
    return math.atan2(b[1] - a[1], b[0] - a[0])


def ahead(xy: XY, direction: float, length: float) -> XY:
    """The point ``length`` m from ``xy`` in a direction (rad)."""
    return xy[0] + length * math.cos(direction), xy[1] + length * math.sin(direction)


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


def at_gap(box: Box, directions: Sequence[float], gap: float) -> List[XY]:
    """The points in ``directions`` (rad) from the centre of the box, ``gap`` m off its side."""
    unit = np.stack([np.cos(directions), np.sin(directions)], axis=1)
    low, high = np.zeros(len(unit)), np.full(len(unit), box.radius + gap)
    for _ in range(40):
        middle = 0.5 * (low + high)
        inside = point_distance(np.asarray(box.centre) + middle[:, None] * unit, box) < gap
        low, high = np.where(inside, middle, low), np.where(inside, high, middle)
    found = np.asarray(box.centre) + high[:, None] * unit
    return [(float(x), float(y)) for x, y in found]


def in_arena(point: Sequence[float]) -> bool:
    """Whether a point is finite and inside the arena."""
    return all(math.isfinite(v) and abs(v) <= ARENA for v in point)
