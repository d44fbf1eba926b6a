"""Feet on the floor: when they stand, where, and how they get from one place to the next.

A foot stands while its heel or its ball is low and slow. It then rolls over a fixed heel edge, a
fixed level sole and a fixed ball edge; between two stands the source's path is kept, bent so that
it meets both ends (Kovar, Schreiner and Gleicher 2002, "Footskate cleanup").
"""
from __future__ import annotations

from dataclasses import dataclass
from typing import List, Tuple

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.spatial.transform import Rotation

from ppp.motion.formats.skeleton_motion import to_quat, to_rotation

#: ball and heel edge of the sole in the foot's frame, m
BALL, HEEL = np.array([0.1335, 0.0, -0.05]), np.array([-0.0435, 0.0, -0.05])
_CORNERS = np.array([(x, y, -0.05) for x in (-0.0435, 0.1335) for y in (-0.045, 0.045)])
#: a foot stands while an edge is below this height, m, and slower than this, m/s, or than this
#: share of the pelvis' speed (recordings of runs let the standing foot slip)
LOW, SLOW, SLOW_SHARE = 0.045, 0.4, 0.3
#: a sole pitched less than this stands level, rad
LEVEL = np.radians(5.0)
#: and rolled or pitched more than this it does not stand at all
TILT = np.radians(60.0)
#: shortest stand and longest gap that is closed, s
SHORTEST, GAP = 0.09, 0.07
#: a stand that wanders farther than this from its mean is two, m
WANDER = 0.06
#: a foot in the air stays this far above the floor, m
CLEAR = 0.012
#: least distance abreast of a foot that passes the other, m; the distances along the foot and in
#: height between which this fades out, m
ABREAST, BESIDE, HIGH = 0.115, (0.18, 0.3), (0.12, 0.25)
#: reach of a correction into a long flight, s
REACH = 0.3


@dataclass
class FootPlan:
    """pos (T, 2, 3) of the ankles, rot (T, 2, 4), right and left; stands (T, 2) bool; floor: what
    was taken off all heights, m."""

    pos: np.ndarray
    rot: np.ndarray
    stands: np.ndarray
    floor: float


def plan_feet(pelvis: np.ndarray, ankle: np.ndarray, turns: Tuple[Rotation, Rotation], fps: float
              ) -> FootPlan:
    """Clean paths of both feet from pelvis (T, 3), ankles (T, 2, 3), m, and orientations (T)."""
    slow = np.maximum(SLOW, SLOW_SHARE * _speed(pelvis[:, :2], fps))
    turns = tuple(_levelled(ankle[:, f], turns[f], fps) for f in (0, 1))
    floor = _floor(ankle, turns, slow, fps)
    ankle = ankle - [0.0, 0.0, floor]
    plans = [_foot(ankle[:, f], turns[f], slow, fps) for f in (0, 1)]
    pos, rot, stands = (np.stack([p[k] for p in plans], 1) for k in range(3))
    return FootPlan(_apart(pos, rot, stands), rot, stands, floor)


def _apart(pos: np.ndarray, rot: np.ndarray, stands: np.ndarray) -> np.ndarray:
    """Paths in which a foot in flight passes the standing one at its side, not through it."""
    out = pos.copy()
    for swing, other, side in ((0, 1, -1.0), (1, 0, 1.0)):
        ahead = to_rotation(rot[:, other]).apply([1.0, 0.0, 0.0])
        ahead[:, 2] = 0.0
        ahead /= np.maximum(np.linalg.norm(ahead, axis=-1, keepdims=True), 1e-6)
        left = np.stack((-ahead[:, 1], ahead[:, 0], np.zeros(len(pos))), 1)
        gap = pos[:, swing] - pos[:, other]
        along, across = (gap * ahead).sum(-1), side * (gap * left).sum(-1)
        near = _ease((BESIDE[1] - np.abs(along)) / (BESIDE[1] - BESIDE[0]))
        near *= _ease((HIGH[1] - gap[:, 2]) / (HIGH[1] - HIGH[0]))
        # feet that have crossed on purpose are left alone
        push = near * np.clip(ABREAST - across, 0.0, None) * (across > -ABREAST)
        push[stands[:, swing] | ~stands[:, other]] = 0.0
        wide = gaussian_filter1d(push, 1.5)
        wide[stands[:, swing]] = 0.0
        out[:, swing] += side * np.maximum(push, wide)[:, None] * left
    return out


def _floor(ankle: np.ndarray, turns: Tuple[Rotation, Rotation], slow: np.ndarray, fps: float
           ) -> float:
    """Height of the floor, m: the median of the soles' low, slow edges (a run's recording may sink
    at touch-down), else the lower tenth of all."""
    edges = np.stack([ankle[:, f] + turns[f].apply(e) for f in (0, 1) for e in (BALL, HEEL)], 1)
    height = edges[..., 2]
    tenth = float(np.quantile(height.min(1), 0.1))
    speed = np.stack([_speed(edges[:, k], fps) for k in range(4)], 1)
    standing = height[(speed < slow[:, None]) & (height < tenth + 2.0 * LOW)]
    return float(np.median(standing)) if len(standing) > 3 else tenth


def _corners(ankle: np.ndarray, turn: Rotation) -> np.ndarray:
    return ankle[:, None] + np.einsum("tij,kj->tki", turn.as_matrix(), _CORNERS)


def _speed(place: np.ndarray, fps: float) -> np.ndarray:
    return np.linalg.norm(np.gradient(place, axis=0), axis=-1) * fps


def _levelled(ankle: np.ndarray, turn: Rotation, fps: float) -> Rotation:
    """The constant tilt of the sole in stands taken away: rest poses seldom have it right."""
    up = turn.inv().apply([0.0, 0.0, 1.0])
    slow = (_speed(ankle, fps) < 0.5 * SLOW) & (up[:, 2] > np.cos(np.radians(35.0)))
    slow &= ankle[:, 2] < np.quantile(ankle[:, 2], 0.1) + LOW
    if slow.sum() < 3:
        return turn
    mean = np.median(up[slow], axis=0)
    return turn * Rotation.align_vectors([mean / np.linalg.norm(mean)], [[0.0, 0.0, 1.0]])[0]


def _foot(ankle: np.ndarray, turn: Rotation, slow: np.ndarray, fps: float):
    stands = _stands(ankle, turn, slow, fps)
    pos, rot = ankle.copy(), turn.as_quat()
    runs: List[Tuple[int, int]] = []
    for a, b in _runs(stands):
        runs += _split(ankle, stands, a, b, fps)
    stands = np.zeros(len(ankle), bool)
    for a, b in _grown(runs, ankle, turn, fps):
        stands[a:b] = True
        pos[a:b], fixed = _stand(ankle[a:b], turn[a:b])
        rot[a:b] = fixed.as_quat()
    shift = pos - ankle
    spin = (Rotation.from_quat(rot) * turn.inv()).as_rotvec()
    for a, b in _runs(~stands):
        pos[a:b] = ankle[a:b] + _between(shift, a, b, fps)
        rot[a:b] = (Rotation.from_rotvec(_between(spin, a, b, fps)) * turn[a:b]).as_quat()
        low = _corners(pos[a:b], Rotation.from_quat(rot[a:b]))[..., 2].min(1)
        pos[a:b, 2] += np.maximum(0.0, CLEAR - low)
    return pos, to_quat(Rotation.from_quat(rot)), stands


def _stands(ankle: np.ndarray, turn: Rotation, slow: np.ndarray, fps: float) -> np.ndarray:
    """Frames in which the foot stands, short gaps closed and short stands left out."""
    upright = turn.apply([0.0, 0.0, 1.0])[:, 2] > np.cos(TILT)
    found = np.zeros(len(ankle), bool)
    for edge in (BALL, HEEL):
        place = ankle + turn.apply(edge)
        found |= (place[:, 2] < LOW) & (_speed(place, fps) < slow) & upright
    for a, b in _runs(~found):
        if 0 < a and b < len(found) and b - a <= GAP * fps:
            found[a:b] = True
    for a, b in _runs(found):
        if b - a < SHORTEST * fps:
            found[a:b] = False
    return found


def _grown(runs: List[Tuple[int, int]], ankle: np.ndarray, turn: Rotation, fps: float
           ) -> List[Tuple[int, int]]:
    """Stands with the frames before them in which the sole is in the floor already."""
    low = (_corners(ankle, turn)[..., 2].min(1) < 0.0) \
        & (turn.apply([0.0, 0.0, 1.0])[:, 2] > np.cos(TILT))
    most, out, free = int(round(GAP * fps)), [], 0
    for a, b in runs:
        sunk = low[max(free, a - most):a][::-1]
        out.append((a - int(np.cumprod(sunk).sum()), b))
        free = b + 1
    return out


def _split(ankle: np.ndarray, stands: np.ndarray, a: int, b: int, fps: float
           ) -> List[Tuple[int, int]]:
    """A stand that wanders, cut at its fastest moment into two with a small step between."""
    gap = max(1, int(round(0.07 * fps)))
    place = ankle[a:b, :2]
    far = np.linalg.norm(place - place.mean(0), axis=-1).max()
    if far < WANDER or b - a < 4 * gap + 2:
        return [(a, b)]
    middle = slice(a + 2 * gap, b - 2 * gap)
    fastest = middle.start + int(np.argmax(_speed(ankle[:, :2], fps)[middle]))
    return _split(ankle, stands, a, fastest - gap, fps) + \
        _split(ankle, stands, fastest + gap, b, fps)


def _stand(ankle: np.ndarray, turn: Rotation) -> Tuple[np.ndarray, Rotation]:
    """One stand: the heel's edge, the sole and the ball's edge keep their places."""
    ahead = turn.apply([1.0, 0.0, 0.0])
    pitch = np.arcsin(np.clip(ahead[:, 2], -1.0, 1.0))
    pitch = np.sign(pitch) * np.maximum(np.abs(pitch) - LEVEL, 0.0)
    level = pitch == 0.0
    if level.sum() < 2:
        level = np.abs(pitch) <= np.sort(np.abs(pitch))[min(2, len(pitch) - 1)]
    mean = ahead[level, :2].mean(0)
    yaw = np.arctan2(mean[1], mean[0])
    heading = np.array([np.cos(yaw), np.sin(yaw), 0.0])
    # where the edge that is down has been, carried back to the ankle of a level foot
    edges = np.where((pitch > 0.0)[:, None], HEEL, BALL)
    down = ankle + turn.apply(edges)
    base = (down - edges[:, :1] * heading)[level, :2].mean(0)
    fixed = Rotation.from_euler("ZY", np.stack((np.full(len(pitch), yaw), -pitch), 1))
    place = np.append(base, 0.0) + edges[:, :1] * heading
    return place - fixed.apply(edges), fixed


def _between(offset: np.ndarray, a: int, b: int, fps: float) -> np.ndarray:
    """The correction (T, 3) in the flight a … b, from that of the stand before to the one after."""
    count, reach = b - a, REACH * fps
    before = offset[a - 1] if a > 0 else None
    after = offset[b] if b < len(offset) else None
    if before is None and after is None:
        return np.zeros((count, 3))
    if before is None or after is None:
        return np.tile(after if before is None else before, (count, 1))
    step = np.arange(1, count + 1)
    if count <= 2 * reach:
        return before + _ease(step / (count + 1.0))[:, None] * (after - before)
    return (1.0 - _ease(step / reach))[:, None] * before + \
        (1.0 - _ease((count + 1 - step) / reach))[:, None] * after


def _ease(share: np.ndarray) -> np.ndarray:
    share = np.clip(share, 0.0, 1.0)
    return share * share * (3.0 - 2.0 * share)


def _runs(mask: np.ndarray) -> List[Tuple[int, int]]:
    """Begin and end (exclusive) of every stretch of True."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], mask.astype(int), [0]))))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2])]
