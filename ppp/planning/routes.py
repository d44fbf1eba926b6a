"""Shortest ways around boxes and zones: a visibility graph over their inflated corners."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Iterable, List, NamedTuple, Optional, Sequence, Tuple

import networkx as nx
import numpy as np

from ppp.planning.geometry import (
    BODY_RADIUS,
    COMFORT_CLEARANCE,
    XY,
    Box,
    Shape,
    in_arena,
    outline,
    point_distance,
    segment_distances,
)
from ppp.planning.zones import Keep

#: clearances that are tried, m; a closer one must earn its risk by a shorter way. Of 100 scenes in
#: physics the humanoid touched a block in 12 with the widest at 0.9 m, in 19 at 0.75 m (with a
#: stronger preference than this, which led round the gauntlet). A way with the widest may be longer
#: by this share than one with what comes next
WIDEST, WIDER = 0.9, 0.02
CLEARANCES: Tuple[float, ...] = (WIDEST, COMFORT_CLEARANCE, 0.7, 0.6, 0.5, BODY_RADIUS)
#: corners are placed this much outside the clearance, so that rounding cannot forbid them, m
_OUTSIDE = 1e-3
#: a way point at a round corner lies at most this much further off than the clearance, m: walkers
#: cut corners, and few way points are easier to walk than many
OVERSHOOT = 0.35
#: where all that is closed, corners are rounded so closely that only what is closed stays so, m
FINE_OVERSHOOT = 0.004


@dataclass(frozen=True)
class Goal:
    """A place that would do, and what it costs beside the way to it, m."""

    xy: XY
    cost: float = 0.0


@dataclass(frozen=True)
class Route:
    """points: the waypoints after the start, the goal last. beside: the box whose corner each leg
    rounds ('' for none). goal: index of the goal reached. cost: m, risk included."""

    points: Tuple[XY, ...]
    beside: Tuple[str, ...]
    goal: int
    cost: float


class _Wall(NamedTuple):
    """A shape and the distance that a way keeps from it, m."""

    shape: Shape
    room: float


def find_route(
    start: XY, goals: Sequence[Goal], boxes: Sequence[Box], keeps: Sequence[Keep] = ()
) -> Optional[Route]:
    """The cheapest way from ``start`` to one of the goals, or None when every way is closed.

    Wide clearances are preferred: a way at the body's radius counts about double. Near the start
    and the goal the clearance is what these places themselves allow. keeps: zones to stay out of.
    """
    best: Optional[Route] = None
    for clearance in CLEARANCES:
        walls = list(_walls(boxes, keeps, clearance))
        route = _route_at(start, goals, walls, OVERSHOOT, _risk(clearance))
        if route and (best is None or route.cost < best.cost - 1e-9):
            best = route
    if best is None:
        walls = list(_walls(boxes, keeps, BODY_RADIUS))
        best = _route_at(start, goals, walls, FINE_OVERSHOOT, _risk(BODY_RADIUS))
    return best


def lengths_between(
    points: Sequence[XY], boxes: Sequence[Box], keeps: Sequence[Keep] = ()
) -> np.ndarray:
    """What the ways between every two of the points cost, (n, n), as ``find_route`` counts; m.

    Infinite where every way is closed. A point inside a box counts as free.
    """
    best = np.full((len(points), len(points)), np.inf)
    for clearance in (WIDEST, COMFORT_CLEARANCE, BODY_RADIUS):
        walls = list(_walls(boxes, keeps, clearance))
        corners, _ = _corners(walls, OVERSHOOT)
        graph = _graph(np.array([*points, *corners], dtype=float), len(points), walls, True)
        for i in range(len(points)):
            for j, length in nx.single_source_dijkstra_path_length(graph, i).items():
                if j < len(points):
                    best[i, j] = min(best[i, j], _risk(clearance) * length)
    return best


def _risk(clearance: float) -> float:
    """What a metre of a way at this clearance, m, counts."""
    if clearance >= WIDEST:
        return 1.0
    return 1.0 + WIDER + (COMFORT_CLEARANCE - clearance) / (COMFORT_CLEARANCE - BODY_RADIUS)


def _walls(boxes: Sequence[Box], keeps: Sequence[Keep], clearance: float) -> Iterable[_Wall]:
    for box in boxes:
        yield _Wall(box, clearance)
    for keep in keeps:
        yield _Wall(keep.shape, keep.room + clearance - BODY_RADIUS)


def _route_at(
    start: XY, goals: Sequence[Goal], walls: Sequence[_Wall], overshoot: float, risk: float
) -> Optional[Route]:
    corners, names = _corners(walls, overshoot)
    points = np.array([start, *(g.xy for g in goals), *corners], dtype=float).reshape(-1, 2)
    first_corner = 1 + len(goals)
    lengths = nx.single_source_dijkstra(_graph(points, first_corner, walls), 0)
    # rounded, so that equal ways are told apart by their order and not by the last bit
    reached = [
        (round(risk * (lengths[0][i] + goals[i - 1].cost), 6), i)
        for i in range(1, first_corner)
        if i in lengths[0]
    ]
    if not reached:
        return None
    cost, best = min(reached)
    nodes = lengths[1][best][1:]
    beside = tuple(names[n - first_corner] if n >= first_corner else "" for n in nodes)
    way = tuple((float(points[n, 0]), float(points[n, 1])) for n in nodes)
    return Route(way, beside, best - 1, cost)


def _corners(walls: Sequence[_Wall], overshoot: float) -> Tuple[List[XY], List[str]]:
    """The corners of the inflated shapes where the humanoid may stand, and whose they are."""
    found = [outline(w.shape, w.room + _OUTSIDE, overshoot) for w in walls]
    points = np.concatenate(found) if found else np.zeros((0, 2))
    owners = [w.shape.name for w, corners in zip(walls, found) for _ in corners]
    keep = np.array([in_arena(p) for p in points], dtype=bool)
    for wall in walls:
        keep &= point_distance(points, wall.shape) >= wall.room
    corners = [(float(x), float(y)) for x, y in points[keep]]
    return corners, [name for name, kept in zip(owners, keep) if kept]


def _graph(
    points: np.ndarray, first_corner: int, walls: Sequence[_Wall], among: bool = False
) -> nx.Graph:
    """Nodes: 0 the start, then the goals, then the corners; edges: the straight walks allowed.

    A way never passes through a goal, so goals have no edges among themselves unless asked for.
    """
    first, second = np.triu_indices(len(points), k=1)
    keep = among | ~((first >= 1) & (second < first_corner))
    first, second = first[keep], second[keep]
    for wall in walls:
        room = np.full(len(points), wall.room)
        ends = point_distance(points[:first_corner], wall.shape)
        room[:first_corner] = np.minimum(wall.room, ends)
        needed = np.minimum(room[first], room[second])
        clear = segment_distances(points[first], points[second], wall.shape) >= needed - 1e-6
        first, second = first[clear], second[clear]  # what is closed already needs no more tests
    graph = nx.Graph()
    graph.add_nodes_from(range(len(points)))
    lengths = np.linalg.norm(points[first] - points[second], axis=1)
    for a, b, length in zip(first, second, lengths):
        graph.add_edge(int(a), int(b), weight=float(length))
    return graph
