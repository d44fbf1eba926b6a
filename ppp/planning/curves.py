"""The curve that a walk begins with whose way leads aside: it needs room that a turn does not."""
from __future__ import annotations

from typing import Sequence

import numpy as np

from ppp.planning.geometry import XY, ahead, bearing, distance, point_distance, wrap
from ppp.planning.zones import Keep

#: a walk goes round in a circle of this radius, m: of walks into blocks in scenes that were looked
#: at it went on at 0.8 to 0.9 m/s and turned by 35 to 40 degrees/s
RADIUS = 1.3
#: a curve keeps so much more off things than a way must, m: it is a guess
SPARE = 0.15
#: m between the points that are looked at; and nobody looks further ahead than this, m
_STRIDE, _FAR = 0.1, 3.0


def curve(xy: XY, travel: float, aim: XY) -> np.ndarray:
    """Where a walk from ``xy`` gets that moves along ``travel``, rad, and turns to ``aim``: (n, 2).

    It ends where it points at the aim, at the aim, or where it has gone round further than helps.
    """
    points, most = [xy], _STRIDE / RADIUS
    while len(points) * _STRIDE < _FAR and distance(points[-1], aim) > _STRIDE:
        off = wrap(bearing(points[-1], aim) - travel)
        if abs(off) < most and len(points) > 1:
            break
        travel += max(-most, min(most, off))
        points.append(ahead(points[-1], travel, _STRIDE))
    return np.array(points)


def leads_into(points: np.ndarray, keeps: Sequence[Keep]) -> bool:
    """Whether a curve comes nearer to something than it may, and than it was where it began."""
    for keep in keeps:
        gaps = point_distance(points, keep.shape)
        if gaps.min() < min(keep.room + SPARE, float(gaps[0]) - _STRIDE):
            return True
    return False
