"""Shortest ways around boxes: a visibility graph over the corners of the inflated boxes."""
from __future__ import annotations

from dataclasses import dataclass
from typing import List, Optional, Sequence, Tuple

import networkx as nx
import numpy as np

from ppp.planning.geometry import (
    BODY_RADIUS,
    COMFORT_CLEARANCE,
    XY,
    Box,
    in_arena,
    point_distance,
    segment_distances,
)

#: clearances that are tried, m; a closer one must earn its risk by a shorter way
CLEARANCES: Tuple[float, ...] = (COMFORT_CLEARANCE, 0.7, 0.6, 0.5, BODY_RADIUS)
#: corners are placed this much outside the clearance, so that rounding cannot forbid them, m
_OUTSIDE = 1e-3


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


def find_route(start: XY, goals: Sequence[Goal], boxes: Sequence[Box]) -> Optional[Route]:
    """The cheapest way from ``start`` to one of the goals, or None when every way is closed.

    Wide clearances are preferred: a way at the body's radius counts double. Near the start and the
    goal the clearance is what these places themselves allow.
    """
    best: Optional[Route] = None
    for clearance in CLEARANCES:
        risk = 1.0 + (COMFORT_CLEARANCE - clearance) / (COMFORT_CLEARANCE - BODY_RADIUS)
        route = _route_at(start, goals, boxes, clearance, risk)
        if route and (best is None or route.cost < best.cost - 1e-9):
            best = route
    return best


def _route_at(
    start: XY, goals: Sequence[Goal], boxes: Sequence[Box], clearance: float, risk: float
) -> Optional[Route]:
    corners, names = _corners(boxes, clearance)
    points = np.array([start, *(g.xy for g in goals), *corners], dtype=float).reshape(-1, 2)
    first_corner = 1 + len(goals)
    lengths = nx.single_source_dijkstra(_graph(points, first_corner, boxes, clearance), 0)
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


def _corners(boxes: Sequence[Box], clearance: float) -> Tuple[List[XY], List[str]]:
    """The corners of the inflated boxes where the humanoid may stand, and whose they are."""
    corners: List[XY] = []
    names: List[str] = []
    for box in boxes:
        for corner in box.corners(clearance + _OUTSIDE):
            free = all(point_distance(corner, other) >= clearance for other in boxes)
            if free and in_arena(corner):
                corners.append((float(corner[0]), float(corner[1])))
                names.append(box.name)
    return corners, names


def _graph(
    points: np.ndarray, first_corner: int, boxes: Sequence[Box], clearance: float
) -> nx.Graph:
    """Nodes: 0 the start, then the goals, then the corners; edges: the straight walks allowed."""
    first, second = np.triu_indices(len(points), k=1)
    # a way never passes through a goal, so goals need no edges among themselves
    keep = ~((first >= 1) & (second < first_corner))
    first, second = first[keep], second[keep]
    clear = np.ones(len(first), dtype=bool)
    for box in boxes:
        room = np.full(len(points), clearance)
        ends = point_distance(points[:first_corner], box)
        room[:first_corner] = np.minimum(clearance, ends)
        needed = np.minimum(room[first], room[second])
        clear &= segment_distances(points[first], points[second], box) >= needed - 1e-6
    graph = nx.Graph()
    graph.add_nodes_from(range(len(points)))
    lengths = np.linalg.norm(points[first] - points[second], axis=1)
    for a, b, length in zip(first[clear], second[clear], lengths[clear]):
        graph.add_edge(int(a), int(b), weight=float(length))
    return graph
