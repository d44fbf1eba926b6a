"""Where to stand for what is wanted: candidate places, each with a cost, for the route search."""
from __future__ import annotations

import math
from typing import List, Optional, Sequence, Tuple, Union

import numpy as np

from ppp.engines.scene import Prop
from ppp.planning.geometry import (
    BODY_RADIUS,
    XY,
    Box,
    at_gap,
    bearing,
    box_of,
    distance,
    in_arena,
    point_distance,
    segment_distance,
)
from ppp.planning.routes import CLEARANCES, Goal
from ppp.planning.situation import Situation
from ppp.planning.zones import Keep, outside

#: a walk may end this far from its target; places are chosen so that this does no harm, m
TOLERANCE = 0.35
#: free floor that a swung sword likes around the humanoid, m
SWEEP = 1.3
#: and room beyond that of the zones, m: what is struck slides, and a side's edges go with it
ROOMY = 0.4
#: a slash drives what it strikes so far ahead and to the left before it lies, m
SLIDE = (0.4, 0.6)
_DIRECTIONS = 16


def walls(situation: Situation) -> List[Box]:
    """The boxes that a walk keeps away from: everything that stands."""
    return [box_of(p) for p in situation.standing()]


def lying(situation: Situation) -> List[Box]:
    """What was knocked over lies somewhere within its own height; better not to step on it."""
    boxes = []
    for prop in situation.props:
        if prop.name in situation.fallen:
            half = 0.5 * max(prop.size)
            boxes.append(Box(prop.name, prop.position, (half, half)))
    return boxes


def felled(prop: Prop, direction: float) -> Box:
    """Where a target comes to lie that a blow knocks over in a direction (rad): in front of it."""
    tall, thick = prop.size[2], max(prop.size[:2])
    return Box(prop.name, ahead(prop.position, direction, 0.5 * tall), (0.5 * tall, 0.5 * thick),
               direction)


def free(xy: XY, boxes: Sequence[Box], keeps: Sequence[Keep] = ()) -> bool:
    """Whether the humanoid has room to stand at a point, out of the zones to keep out of."""
    clear = all(point_distance(xy, b) >= BODY_RADIUS - 1e-6 for b in boxes)
    return in_arena(xy) and clear and outside(xy, keeps)


def strike_places(
    situation: Situation, struck: Prop, gap: float, boxes: Sequence[Box],
    keeps: Sequence[Keep] = (), directions: int = _DIRECTIONS,
) -> List[Goal]:
    """Places ``gap`` m off the side of the struck object with nothing in the way of the blow.

    A place within a sword's sweep of other things costs more, of a forbidden one or near to the
    edge of a zone much more; the sides of what is struck go with it as it slides.
    """
    forbidden = situation.scenario.forbidden()
    target = box_of(struck)
    others = [b for b in boxes if b.name != struck.name]
    goals = []
    for xy in at_gap(target, _around(directions), gap):
        blocked = any(segment_distance(xy, struck.position, b) < 0.1 for b in others)
        if blocked or not free(xy, others, keeps):
            continue
        cost = 0.0
        for box in others:
            lack = max(0.0, SWEEP - float(point_distance(xy, box)))
            cost += lack * (4.0 if box.name in forbidden else 1.0)
        now_and_then = np.array([xy, _after(xy, struck.position)])
        for keep in keeps:
            spots = now_and_then if keep.name == struck.name else now_and_then[:1]
            room = float(point_distance(spots, keep.shape).min())
            cost += 4.0 * max(0.0, keep.room + ROOMY - room)
        goals.append(Goal(xy, cost))
    return goals


def _after(xy: XY, struck: XY) -> XY:
    """Where a fighter at ``xy`` stands as seen from what it struck, once that has slid; m."""
    blow = bearing(xy, struck)
    return ahead(ahead(xy, blow, -SLIDE[0]), blow - 0.5 * math.pi, SLIDE[1])


def reach_places(
    situation: Situation, place: Union[str, XY], within: float, boxes: Sequence[Box],
    keeps: Sequence[Keep] = (),
) -> List[Goal]:
    """Places from which a point or an object counts as reached: the nearer to it the better."""
    if isinstance(place, str):
        prop = situation.prop(place)
        centre: XY = prop.position
    else:
        centre = place
    # stay inside the circle by what a walk may miss its target by, where the circle allows
    usable = max(0.5 * within, within - TOLERANCE)
    rings = (0.0, *np.linspace(0.1, 1.0, 10))
    goals = [
        Goal(xy, 2.0 * distance(xy, centre))
        for ring in rings
        for xy in _ring(centre, ring * usable)
        if free(xy, boxes, keeps)
    ]
    return goals


def escape(xy: XY, careful: Sequence[Box], boxes: Sequence[Box]) -> Optional[XY]:
    """A free place straight away from the nearest of ``careful``; None if none is too near."""
    near = min(careful, key=lambda b: float(point_distance(xy, b)), default=None)
    gap = float(point_distance(xy, near)) if near else math.inf
    if near is None or not 1e-6 < gap < BODY_RADIUS - 1e-3:
        return None
    side = near.to_world(np.clip(near.to_local(xy), np.negative(near.half), near.half))
    away = bearing(side, xy)
    for clearance in CLEARANCES:
        place = ahead(xy, away, clearance - gap)
        if clearance - gap > 0.1 and free(place, boxes):
            return place
    return None


def ahead(xy: XY, direction: float, length: float) -> XY:
    """The point ``length`` m from ``xy`` in a direction (rad)."""
    return xy[0] + length * math.cos(direction), xy[1] + length * math.sin(direction)


def _around(directions: int = _DIRECTIONS) -> Tuple[float, ...]:
    return tuple(2.0 * math.pi * i / directions - math.pi for i in range(directions))


def _ring(centre: XY, radius: float) -> List[XY]:
    if radius == 0.0:
        return [centre]
    return [ahead(centre, direction, radius) for direction in _around()]
