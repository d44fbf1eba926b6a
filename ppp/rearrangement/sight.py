"""What is seen and reached from every stand of a layout, computed once: walls hide things."""
from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations_with_replacement
from typing import Dict, List, Tuple

import numpy as np

from ppp.planning.geometry import to_segment
from ppp.rearrangement.layout import (
    OUTSIDE,
    PIT,
    REACH,
    ROOM_NAMES,
    STANDS,
    WALL_INSIDE,
    WALL_OUTSIDE,
    YARD,
    Layout,
    P,
    make_layout,
)

#: furniture, dummies, landmarks and guards are made out up to here, m
FAR = 7.0
#: small things are made out up to here, m
CLOSE = 3.2
#: a guard notices whoever comes this near in sight of it without sneaking, m
NOTICE = 2.2
#: columns of ``geometry``: forward and left offset / 10 m, distance / 10 m, sin and cos of bearing
GEOMETRY = 5
#: points of ``geometry``: the places, then the guard and the hazard
GUARD_AT, HAZARD_AT = P, P + 1


@dataclass(frozen=True)
class Sight:
    """Tables over stands (S) and points (P places, guard, hazard).

    sees (S, P + 2): the thing is made out. shows (S, P): what lies on it is, were it open.
    near (S, P): within reach. geometry (S, P + 2, GEOMETRY). noticed, burnt (S, S): the way
    between two stands passes the guard in its sight, or through the fire. order (S, P + 2):
    rank of each point by distance. length (S, S): m of the way.
    """

    sees: np.ndarray
    shows: np.ndarray
    near: np.ndarray
    geometry: np.ndarray
    noticed: np.ndarray
    burnt: np.ndarray
    order: np.ndarray
    length: np.ndarray


@lru_cache(maxsize=None)
def sight_of(number: int) -> Sight:
    """The tables of a layout; about 30 ms the first time."""
    layout = make_layout(number)
    points = np.concatenate([layout.xy, layout.guard[None], layout.hazard[None]])
    there = np.concatenate([layout.exists, [True, True]])
    stands = layout.stand
    offset = points[None] - stands[:, None]
    distance = np.linalg.norm(offset, axis=-1)
    clear = _clear(stands, points, layout.walls)
    with np.errstate(invalid="ignore"):
        sees = clear & (distance < FAR) & there
        shows = (clear & (distance < CLOSE) & there)[:, :P]
        near = (clear & (distance < REACH) & there)[:, :P]
    order = np.argsort(np.argsort(np.where(there, distance, np.inf), axis=1), axis=1)
    noticed, burnt, length = _ways(layout)
    return Sight(sees, shows, near, _geometry(layout, offset, distance), noticed, burnt,
                 order, length)


def _geometry(layout: Layout, offset: np.ndarray, distance: np.ndarray) -> np.ndarray:
    c, s = np.cos(layout.heading)[:, None], np.sin(layout.heading)[:, None]
    forward = c * offset[..., 0] + s * offset[..., 1]
    left = c * offset[..., 1] - s * offset[..., 0]
    safe = np.maximum(distance, 1e-6)
    table = np.stack([forward / 10, left / 10, distance / 10, left / safe, forward / safe], -1)
    return np.nan_to_num(table).astype(np.float32)


def _clear(a: np.ndarray, b: np.ndarray, walls: np.ndarray) -> np.ndarray:
    """(A, B): no wall crosses the line from a point to another. a (A, 2), b (B, 2), m.

    The gate and the low wall stand in their wall: a line may end within 2 cm of one.
    """
    start, end = a[:, None, None], b[None, :, None]
    along = (end - start) * (1.0 - 0.02 / np.maximum(_norm(end - start), 0.02))
    w0, w = walls[:, :2], walls[:, 2:] - walls[:, :2]
    cross = along[..., 0] * w[:, 1] - along[..., 1] * w[:, 0]
    gap_ = w0 - start
    with np.errstate(divide="ignore", invalid="ignore"):
        t = (gap_[..., 0] * w[:, 1] - gap_[..., 1] * w[:, 0]) / cross
        u = (gap_[..., 0] * along[..., 1] - gap_[..., 1] * along[..., 0]) / cross
        hit = (t > 0) & (t < 1) & (u >= 0) & (u <= 1)
    return ~hit.any(axis=-1)


def _norm(v: np.ndarray) -> np.ndarray:
    return np.linalg.norm(v, axis=-1, keepdims=True)


def room_of(layout: Layout, stand: int) -> int:
    """The room that a stand is in."""
    return YARD if stand >= P else int(layout.room[stand])


def way(layout: Layout, start: int, end: int) -> List[Tuple[float, float]]:
    """The corners of the way between two stands, through doors and gate, m; ends included."""
    rooms = _rooms_between(layout.number)[room_of(layout, start), room_of(layout, end)]
    corners = [tuple(layout.stand[start].tolist())]
    corners += [layout.doors[a, b] for a, b in zip(rooms, rooms[1:])]
    return [*corners, tuple(layout.stand[end].tolist())]


def jump_way(layout: Layout, side: int) -> List[Tuple[float, float]]:
    """Over the low wall from a side."""
    ends = (WALL_INSIDE, WALL_OUTSIDE)
    pair = ends if side != OUTSIDE else ends[::-1]
    return [tuple(map(float, layout.stand[s])) for s in pair]


@lru_cache(maxsize=None)
def _rooms_between(number: int) -> Dict[Tuple[int, int], List[int]]:
    """Rooms from one to another by the fewest doors, for every pair."""
    doors = sorted(make_layout(number).doors)
    found: Dict[Tuple[int, int], List[int]] = {}
    for start in range(len(ROOM_NAMES)):
        found[start, start], queue = [start], [start]
        while queue:
            here = queue.pop(0)
            for a, b in doors:
                if a == here and (start, b) not in found:
                    found[start, b] = [*found[start, here], b]
                    queue.append(b)
    return found


def _ways(layout: Layout) -> Tuple[np.ndarray, np.ndarray, np.ndarray]:
    noticed = np.zeros((STANDS, STANDS), dtype=bool)
    burnt = np.zeros((STANDS, STANDS), dtype=bool)
    length = np.full((STANDS, STANDS), math.inf)
    usable = [s for s in range(STANDS) if s >= P or layout.exists[s]]
    guard, hazard = layout.guard.tolist(), layout.hazard.tolist()
    for a, b in combinations_with_replacement(usable, 2):
        corners = way(layout, a, b)
        legs = list(zip(corners, corners[1:]))
        length[a, b] = length[b, a] = sum(math.dist(*leg) for leg in legs)
        burnt[a, b] = burnt[b, a] = any(to_segment(hazard, *leg) < PIT for leg in legs)
        if a != b and any(to_segment(guard, *leg) < NOTICE for leg in legs):
            # who stands near the guard already is not noticed for standing there
            noticed[a, b] = _in_sight(layout, legs)
            noticed[b, a] = _in_sight(layout, [leg[::-1] for leg in legs[::-1]])
    return noticed, burnt, length


def _in_sight(layout: Layout, legs) -> bool:
    """Whether the guard sees somebody near on the way, by points 0.2 m apart but its first."""
    points = [np.linspace(*leg, max(2, int(math.dist(*leg) / 0.2) + 1))[1:] for leg in legs]
    near = np.concatenate(points)
    near = near[np.linalg.norm(near - layout.guard, axis=1) < NOTICE]
    return bool(len(near)) and bool(_clear(near, layout.guard[None], layout.walls).any())


__all__ = ["Sight", "jump_way", "room_of", "sight_of", "way"]
