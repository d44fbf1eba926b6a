"""The shortest way there could be: a yardstick for planners that shares nothing with their search.

``ppp.planning.routes`` walks over the corners of boxes grown to polygons. Here the corners
are round, cut into fine pieces, and whether a straight walk is clear is found by minimising its
distance to a box, which is convex along the walk, not by cutting lines. What comes out is never
longer than the true optimum, and shorter by less than two hundredths of the arcs.
"""
from __future__ import annotations

import math
from dataclasses import dataclass
from typing import List, Sequence, Tuple

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from ppp.engines.scene import Prop
from ppp.planning.conditions import SIDES, Approached, KeptAway
from ppp.planning.geometry import BODY_RADIUS, XY
from ppp.planning.scenario import Scenario

#: chords into which a quarter of a circle is cut
CHORDS = 4
#: how far chords lie inside their circle, relative to its radius
_SLACK = math.cos(0.25 * math.pi / CHORDS)
_GOLDEN = 0.5 * (math.sqrt(5.0) - 1.0)
#: steps of the golden section: 0.618^24 of a walk is a tenth of a millimetre
_STEPS = 24
#: points along a walk that are asked on which side of an object they are, m apart
_SAMPLE = 0.05


@dataclass(frozen=True)
class Rounded:
    """A box (centre, half extents, yaw in rad) and the distance to keep from it, m."""

    centre: XY
    half: XY
    yaw: float
    room: float

    def distance(self, points: np.ndarray) -> np.ndarray:
        """Distance of points (..., 2) to the box, m."""
        c, s = math.cos(self.yaw), math.sin(self.yaw)
        dx, dy = points[..., 0] - self.centre[0], points[..., 1] - self.centre[1]
        u, v = np.abs(c * dx + s * dy) - self.half[0], np.abs(c * dy - s * dx) - self.half[1]
        return np.sqrt(np.maximum(u, 0.0) ** 2 + np.maximum(v, 0.0) ** 2)

    def nodes(self) -> np.ndarray:
        """Points (4 (CHORDS + 1), 2) on the round corners of the grown box."""
        found = []
        for quarter in range(4):
            sx, sy = ((1, 1), (-1, 1), (-1, -1), (1, -1))[quarter]
            angles = 0.5 * math.pi * (quarter + np.arange(CHORDS + 1) / CHORDS)
            x = sx * self.half[0] + self.room * np.cos(angles)
            y = sy * self.half[1] + self.room * np.sin(angles)
            c, s = math.cos(self.yaw), math.sin(self.yaw)
            found.append(np.stack([c * x - s * y, s * x + c * y], axis=1) + self.centre)
        return np.concatenate(found)


@dataclass(frozen=True)
class Sector:
    """The allowed side of an object: its middle and half width in rad, its radius in m."""

    centre: XY
    middle: float
    half: float
    near: float

    def forbidden(self, points: np.ndarray) -> np.ndarray:
        """Whether points (..., 2) are near, on another side."""
        dx, dy = points[..., 0] - self.centre[0], points[..., 1] - self.centre[1]
        off = np.arctan2(dy, dx) - self.middle
        off = np.abs(np.arctan2(np.sin(off), np.cos(off)))
        return (np.hypot(dx, dy) < self.near * _SLACK) & (off > self.half + 1e-6)

    def nodes(self) -> np.ndarray:
        """Points on the circle and where the sector's edges meet it."""
        turns = np.arange(4 * CHORDS) * (0.5 * math.pi / CHORDS)
        angles = self.middle + np.concatenate([turns, [self.half, -self.half]])
        ring = np.stack([np.cos(angles), np.sin(angles)], axis=1)
        return np.array(self.centre) + self.near * ring


def rounded(props: Sequence[Prop], room: float = BODY_RADIUS) -> List[Rounded]:
    """The props with a body as boxes to stay ``room`` m away from."""
    return [
        Rounded(p.position, (0.5 * p.size[0], 0.5 * p.size[1]), p.yaw, room)
        for p in props
        if p.kind != "marker"
    ]


def ruled(scenario: Scenario, props: Sequence[Prop], gone: Sequence[str] = ()
          ) -> Tuple[List[Rounded], List[Sector]]:
    """What ``kept_away`` and ``approached`` close; ``gone``: objects that lie by now."""
    by_name = {p.name: p for p in props}
    boxes, sectors = [], []
    for check in scenario.success:
        if isinstance(check, KeptAway):
            prop = by_name[check.kept_away]
            body = (0.0, 0.0) if prop.kind == "marker" else prop.size
            half = (0.5 * body[0], 0.5 * body[1])
            boxes.append(Rounded(prop.position, half, prop.yaw, check.by))
        elif isinstance(check, Approached) and check.approached not in gone:
            prop = by_name[check.approached]
            middle = prop.yaw + math.radians(SIDES[check.side])
            sectors.append(Sector(prop.position, middle, math.radians(check.within), check.near))
    return boxes, sectors


def shortest(
    start: XY, ends: Sequence[XY], boxes: Sequence[Rounded], sectors: Sequence[Sector] = ()
) -> np.ndarray:
    """Lengths (E,) of the shortest ways from ``start`` to each of the ends, m; inf where closed.

    A start or an end that is too near to a box may be left or reached, not passed through.
    """
    walls = [*boxes, *sectors]
    corners = np.concatenate([np.zeros((0, 2)), *(w.nodes() for w in walls)])
    fixed = np.array([start, *ends], dtype=float)
    ok = np.ones(len(corners), dtype=bool)
    for box in boxes:
        ok &= box.distance(corners) >= box.room * _SLACK - 1e-6
    for sector in sectors:
        ok &= ~sector.forbidden(corners)
    points = np.concatenate([fixed, corners[ok]])
    first, second = np.triu_indices(len(points), k=1)
    for box in boxes:
        room = np.full(len(points), box.room * _SLACK)
        room[: len(fixed)] = np.minimum(room[: len(fixed)], box.distance(fixed))
        needed = np.minimum(room[first], room[second])
        clear = _least(box, points[first], points[second]) >= needed - 1e-4
        first, second = first[clear], second[clear]
    for sector in sectors:
        clear = ~_enters(sector, points[first], points[second])
        first, second = first[clear], second[clear]
    length = np.linalg.norm(points[first] - points[second], axis=1)
    size = (len(points), len(points))
    graph = csr_matrix((length, (first, second)), shape=size)
    return dijkstra(graph, directed=False, indices=0)[1 : len(fixed)]


def _least(box: Rounded, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Least distance of walks (S, 2) to (S, 2) to a box, by golden sections of each walk."""
    # what stays on one side of the box's surrounding circle is far, without a search
    reach = math.hypot(*box.half) + box.room
    far = _to_point(np.array(box.centre), start, end) > reach
    least = np.full(len(start), np.inf)
    a, b = start[~far], end[~far]
    low, high = np.zeros(len(a)), np.ones(len(a))

    def gap(t: np.ndarray) -> np.ndarray:
        return box.distance(a + t[:, None] * (b - a))

    for _ in range(_STEPS):
        left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        nearer = gap(left) <= gap(right)
        low, high = np.where(nearer, low, left), np.where(nearer, right, high)
    least[~far] = np.minimum(gap(0.5 * (low + high)), np.minimum(gap(0.0 * low), gap(low**0)))
    return least


def _to_point(point: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    delta = end - start
    t = ((point - start) * delta).sum(1) / np.maximum((delta**2).sum(1), 1e-12)
    return np.linalg.norm(start + np.clip(t, 0.0, 1.0)[:, None] * delta - point, axis=1)


def _enters(sector: Sector, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Whether walks enter the forbidden side; asked every few centimetres, the ends left out."""
    bad = np.zeros(len(start), dtype=bool)
    close = _to_point(np.array(sector.centre), start, end) < sector.near
    if close.any():
        a, b = start[close], end[close]
        longest = float(np.linalg.norm(b - a, axis=1).max())
        t = np.linspace(0.0, 1.0, max(3, int(longest / _SAMPLE) + 2))[1:-1, None, None]
        bad[close] = sector.forbidden(a + t * (b - a)).any(axis=0)
    return bad
