"""The last metres before a blow: straight at what is struck, so that the walk arrives facing it.

A body that comes round a corner to where it strikes from stands askew, and making up for that by
side-steps and turns on the spot leads it away from there.
"""
from __future__ import annotations

import math
from typing import List, Sequence

from ppp.engines.scene import Prop
from ppp.planning.drafting import Draft, walk
from ppp.planning.geometry import (
    BODY_RADIUS,
    XY,
    Shape,
    ahead,
    bearing,
    distance,
    segment_distance,
    wrap,
)
from ppp.planning.places import cramped, free
from ppp.planning.routes import Goal, find_route
from ppp.planning.zones import Keep

#: length of a straight approach, m; a last leg as long as this share of it, and no further than
#: this off the direction of the blow, rad, is one already
RUN_UP, SHARE, STRAIGHT = 1.3, 0.8, math.radians(20.0)
#: a straight approach may be so much longer than the shortest way to the blow, m
DETOUR = 2.3


def run_up(draft: Draft, struck: Prop, goals: Sequence[Goal]) -> List[Goal]:
    """Walk to where a straight way to one of ``goals`` begins; returns that goal alone.

    goals: places to strike from. All of them come back, and nothing is drafted, where the shortest
    way ends straight anyhow, or where there is no room for a straight one without a long detour. It
    begins with a turn on the spot, for which the sword needs room.
    """
    every, keeps = draft.obstructions(), draft.keeps()
    route = find_route(draft.xy, goals, every, keeps)
    if not draft.gait or route is None:
        return list(goals)
    before = route.points[-2] if len(route.points) > 1 else draft.xy
    if _straight(before, goals[route.goal].xy, struck.position):
        return list(goals)
    others = [box for box in every if box.name != struck.name]
    begins = [ahead(goal.xy, bearing(struck.position, goal.xy), RUN_UP) for goal in goals]
    fits = [i for i, goal in enumerate(goals)
            if free(begins[i], every, keeps) and _clear(begins[i], goal.xy, others, keeps)]
    forbidden = draft.now.scenario.forbidden()
    starts = [Goal(begins[i], goals[i].cost + RUN_UP + cramped(begins[i], others, forbidden))
              for i in fits]
    longer = find_route(draft.xy, starts, every, keeps) if starts else None
    if longer is None or longer.cost > route.cost + DETOUR:
        return list(goals)
    walk(draft, [starts[longer.goal]], f"run up to '{struck.name}'", struck.name)
    return [goals[fits[longer.goal]]]


def _straight(begin: XY, end: XY, struck: XY) -> bool:
    off = abs(wrap(bearing(begin, end) - bearing(end, struck)))
    return distance(begin, end) >= SHARE * RUN_UP and off <= STRAIGHT


def _clear(begin: XY, end: XY, boxes: Sequence[Shape], keeps: Sequence[Keep]) -> bool:
    """Whether the body passes everything on the straight way between two points."""
    return all(segment_distance(begin, end, box) >= BODY_RADIUS for box in boxes) and all(
        segment_distance(begin, end, keep.shape) >= keep.room for keep in keeps)
