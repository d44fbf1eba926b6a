"""Facts about a scene that help to mend a plan: points clear of a thing, places to strike from.

They are facts, not the way: which of them lead to the goal is left to the planner that made the
mistake, so that its score stays its own.
"""
from __future__ import annotations

from typing import List, Sequence

import numpy as np

from ppp.engines.scene import Prop
from ppp.planning.geometry import (
    BODY_RADIUS,
    COMFORT_CLEARANCE,
    XY,
    Box,
    box_of,
    distance,
    outline,
)
from ppp.planning.places import free, strike_places
from ppp.planning.situation import Situation
from ppp.planning.skills import REACH
from ppp.planning.zones import Keep

#: points named in one hint
_MOST = 4
#: a corner point lies this much further off than the clearance at most, m
_OVERSHOOT = 0.35
#: a strike begins this much nearer than the reach: a walk does not end to the centimetre, m
_NEARER = 0.35


def point(xy: XY) -> str:
    """A coordinate as it stands in a sentence."""
    return f"[{xy[0]:.2f}, {xy[1]:.2f}]"


def clear_points(keep: Keep, near: Sequence[XY], now: Situation, keeps: Sequence[Keep]) -> str:
    """' (clear points around it: ...)', the nearest to the points ``near`` first; '' for none.

    They are corners of the shape, grown by more than a walker needs, which keep off all else too.
    """
    if not isinstance(keep.shape, Box):
        return ""
    room = keep.room + COMFORT_CLEARANCE - BODY_RADIUS
    standing = [box_of(p) for p in now.standing()]
    corners = [_round(c) for c in outline(keep.shape, room, _OVERSHOOT)]
    found = [c for c in corners if free(c, standing, keeps)]
    found.sort(key=lambda c: sum(distance(c, xy) for xy in near))
    return _listed(" (clear points around it: ", found)


def places_to_strike(struck: Prop, skill: str, here: XY, now: Situation,
                     keeps: Sequence[Keep]) -> str:
    """' (for example from ...)', the nearest to ``here`` first; '' for none."""
    gap = max(0.3, REACH[skill] - _NEARER)
    others = [box_of(p) for p in now.standing()]
    found = [_round(g.xy) for g in strike_places(now, struck, skill, gap, others, keeps)]
    found.sort(key=lambda xy: distance(xy, here))
    return _listed(" (for example at ", found[:2])


def _round(xy: Sequence[float]) -> XY:
    x, y = np.round(np.asarray(xy, dtype=float), 2) + 0.0
    return float(x), float(y)


def _listed(before: str, points: List[XY]) -> str:
    return before + ", ".join(point(p) for p in points[:_MOST]) + ")" if points else ""
