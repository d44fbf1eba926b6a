"""Where to stand for what is wanted: candidate places, each with a cost, for the route search."""
from __future__ import annotations

import math
from typing import Collection, List, Optional, Sequence, Tuple, Union

import numpy as np

from ppp.engines.scene import Prop
from ppp.planning.geometry import (
    BODY_RADIUS,
    XY,
    Box,
    ahead,
    at_gap,
    bearing,
    box_of,
    boxes_overlap,
    distance,
    in_arena,
    point_distance,
    segment_distance,
)
from ppp.planning.routes import CLEARANCES, Goal
from ppp.planning.situation import Situation
from ppp.planning.skills import SIDE
from ppp.planning.toppled import felled, turned_badly
from ppp.planning.zones import Keep, outside

#: a walk may end this far from its target; places are chosen so that this does no harm, m
TOLERANCE = 0.35
#: free floor that a swung sword likes around the humanoid, m
SWEEP = 1.3
#: and room beyond that of the zones, m, now and once what is struck lies: a side's edges go with it
ROOMY, ROOMY_THEN = 0.4, 0.8
#: what a metre too little of it costs, m of way
EDGE = 8.0
#: where what is struck would fall against something, and lean there for good, a place costs so much
#: more, m of way
LEANS = 4.0
#: where the side that is struck is turned worst, a place costs so much more, m of way
ASKEW = 2.0
_DIRECTIONS = 32


def walls(situation: Situation) -> List[Box]:
    """The boxes that a walk keeps away from: everything that stands."""
    return [box_of(p) for p in situation.standing()]


def free(xy: XY, boxes: Sequence[Box], keeps: Sequence[Keep] = ()) -> bool:
    """Whether the humanoid has room to stand at a point, out of the zones to keep out of."""
    clear = all(point_distance(xy, b) >= BODY_RADIUS - 1e-6 for b in boxes)
    return in_arena(xy) and clear and outside(xy, keeps)


def strike_places(
    situation: Situation, struck: Prop, skill: str, gap: float, boxes: Sequence[Box],
    keeps: Sequence[Keep] = (), directions: int = _DIRECTIONS,
) -> List[Goal]:
    """Places ``gap`` m off the side of what ``skill`` strikes with nothing in the way of the blow.

    A place within a sword's sweep of other things costs more; of a forbidden one, before a side
    that is turned badly, near to the edge of a zone or where there is no room to fall over much
    more. The sides of what is struck go with it as it falls.
    """
    target, forbidden = box_of(struck), situation.scenario.forbidden()
    others = [b for b in boxes if b.name != struck.name]
    goals = []
    straight = struck.yaw - SIDE.get(skill, 0.0)
    for xy in at_gap(target, [straight + turn for turn in _around(directions)], gap):
        blocked = any(segment_distance(xy, struck.position, b) < 0.1 for b in others)
        if blocked or not free(xy, others, keeps):
            continue
        blow = bearing(xy, struck.position)
        cost = ASKEW * turned_badly(skill, struck.yaw - blow) + cramped(xy, others, forbidden)
        lies = felled(struck, skill, blow)
        cost += LEANS * any(boxes_overlap(lies, box) for box in others)
        then = np.subtract(xy, np.subtract(lies.centre, struck.position))  # as seen from it
        for keep in keeps:
            lack = keep.room + ROOMY - float(point_distance(np.array(xy), keep.shape))
            if keep.name == struck.name:
                late = keep.room + ROOMY_THEN - float(point_distance(then, keep.shape))
                lack = max(lack, late)
            cost += EDGE * max(0.0, lack)
        goals.append(Goal(xy, cost))
    return goals


def cramped(xy: XY, boxes: Sequence[Box], forbidden: Collection[str]) -> float:
    """What it costs that a sword swung round at a place has no room, m of way; much more where it
    would meet what must not be touched, the ``forbidden``."""
    lacks = {box.name: max(0.0, SWEEP - float(point_distance(xy, box))) for box in boxes}
    return sum(lack * (4.0 if name in forbidden else 1.0) for name, lack in lacks.items())


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


def _around(directions: int = _DIRECTIONS) -> Tuple[float, ...]:
    return tuple(2.0 * math.pi * i / directions - math.pi for i in range(directions))


def _ring(centre: XY, radius: float) -> List[XY]:
    if radius == 0.0:
        return [centre]
    return [ahead(centre, direction, radius) for direction in _around()]
