"""Where the humanoid must not go: obstacles, what it keeps away from, the wrong side of a thing.

One list of (shape, room) serves the check of plans, the search and the executor. The room is the
distance that the pelvis must keep from the shape.
"""
from __future__ import annotations

import math
from typing import Collection, Dict, List, NamedTuple, Sequence

import numpy as np

from ppp.engines.scene import Prop
from ppp.planning.conditions import SIDES, Approached, KeptAway
from ppp.planning.geometry import (
    BODY_RADIUS,
    XY,
    Polygon,
    Shape,
    box_of,
    point_distance,
)
from ppp.planning.scenario import Scenario

#: a sector's edge is kept off by this, so that to stand on it is not to be inside, m
EDGE = 0.02
#: room beyond what a zone asks for that plans keep, for who walks them is not exact, m
MARGIN = 0.1
#: the pieces into which a forbidden sector is cut are no wider, degrees
_PIECE = 30.0


class Keep(NamedTuple):
    """``room`` m must lie between the pelvis and ``shape``. rule: for errors, how to mend."""

    shape: Shape
    room: float
    rule: str

    @property
    def name(self) -> str:
        """The object it is about."""
        return self.shape.name


def solid(scenario: Scenario, props: Sequence[Prop]) -> List[Keep]:
    """Obstacles and what must never be touched: the body's radius stays off them."""
    forbidden = scenario.forbidden()
    rule = f"keep {BODY_RADIUS:g} m away from it by way of another point"
    return [
        Keep(box_of(p), BODY_RADIUS, rule)
        for p in props
        if p.kind == "obstacle" or p.name in forbidden
    ]


def zones(
    scenario: Scenario, props: Sequence[Prop], fallen: Collection[str], margin: float = 0.0
) -> List[Keep]:
    """What ``kept_away`` and ``approached`` forbid, with ``margin`` m more room than they ask for.

    props: where they are now; fallen: names of those that lie, which have no sides any longer.
    """
    by_name: Dict[str, Prop] = {p.name: p for p in props}
    found: List[Keep] = []
    for check in scenario.success:
        if isinstance(check, KeptAway):
            prop = by_name[check.kept_away]
            rule = f"keep {check.by:g} m away from it by way of another point"
            found.append(Keep(box_of(prop), check.by + margin, rule))
        elif isinstance(check, Approached) and check.approached not in fallen:
            found += _wrong_sides(check, by_name[check.approached], margin)
    return found


def _wrong_sides(check: Approached, prop: Prop, margin: float) -> List[Keep]:
    """The disc around the object without the allowed sector, as wedges."""
    x, y = prop.position
    middle = prop.yaw + math.radians(SIDES[check.side])
    closed = 360.0 - 2.0 * check.within
    pieces = math.ceil(closed / _PIECE)
    width = math.radians(closed) / pieces
    rule = f"come from its side '{check.side}', or stay {check.near:g} m away from its centre"
    # a wedge's outer corner lies outside the circle, so that its edges do not cut into it
    far = check.near / math.cos(0.5 * width)
    found = []
    for i in range(pieces):
        start = middle + math.radians(check.within) + i * width
        arc = [(start, check.near), (start + 0.5 * width, far), (start + width, check.near)]
        vertices = [(x + r * math.cos(a), y + r * math.sin(a)) for a, r in arc]
        found.append(Keep(Polygon(prop.name, ((x, y), *vertices)), EDGE + margin, rule))
    return found


def outside(xy: XY, keeps: Sequence[Keep]) -> bool:
    """Whether a point keeps every room."""
    return all(float(point_distance(np.asarray(xy), k.shape)) >= k.room - 1e-6 for k in keeps)
