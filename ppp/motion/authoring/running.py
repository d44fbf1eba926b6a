"""Feet of motions that leave the ground: runs, hops and jumps.

As in :mod:`footsteps` everything follows from a list of steps; here both feet may be in the air at
once, a heel rolls up over the toes' edge before it leaves, and the swing follows a written profile.
"""
from __future__ import annotations

from dataclasses import dataclass, replace
from typing import List, Tuple

import numpy as np
from scipy.interpolate import BPoly, CubicSpline

from ppp.motion.authoring.balance import Seam
from ppp.motion.authoring.footsteps import (
    ANKLE_HEIGHT,
    LEFT,
    REST_AHEAD,
    RIGHT,
    SOLE,
    TOE,
    FootPlan,
    FootTrack,
    Step,
    rotate,
)

#: s that the load takes to move to or from a foot while the other one carries too
SHIFT_TIME = 0.3


@dataclass(frozen=True)
class Air:
    """What a clip that leaves the ground adds to its score.

    heights: (time s, height m) of the centre of mass. max_force: of the ground, body weights.
    swing: rows (share of the swing 0..1, sole over the floor m, pitch rad: above 0 toes down).
    roll_time: s before take-off in which the heel rolls up. steady: share of the moment about the
    centre of mass that the upper body takes in stance (in flight: all of it).
    """

    heights: Tuple[Tuple[float, float], ...]
    swing: Tuple[Tuple[float, float, float], ...]
    max_force: float = 3.0
    roll_time: float = 0.07
    steady: float = 0.0


def run_steps(feet: np.ndarray, rows: List[Tuple[float, float, float, float, float]], first: int,
              start: float, lift: float) -> List[Step]:
    """Alternating steps along a path, with flights between them.

    Each row (forward m, left m, turn rad, step time s, flight s) carries the body's frame on and
    lands the next foot where it stands (``feet`` (2, 3) in the body's frame); both feet are in the
    air for ``flight`` before it lands (below 0: both stand that long after). The first step lifts
    at ``lift`` and its time counts from ``start``.
    """
    body, steps, foot, time = np.zeros(3), [], first, start
    for forward, left, turn, step_time, flight in rows:
        body[:2] += rotate(np.array([forward, left]), body[2] + 0.5 * turn)
        body[2] += turn
        pos = body[:2] + rotate(feet[foot, :2], body[2])
        land = time + step_time
        steps.append(Step(foot, lift, land, (pos[0], pos[1], feet[foot, 2] + body[2])))
        foot, time, lift = 1 - foot, land, land - flight
    return steps


def unrolled(plan: FootPlan, seam: Seam) -> Tuple[np.ndarray, List[Step]]:
    """Start poses (2, 3) and steps; of a loop also those of the cycle before and after."""
    if not seam.loop:
        return np.array(plan.start, float), list(plan.steps)
    out = []
    for k in (-1, 0, 1):
        for step in plan.steps:
            out.append(replace(step, lift=step.lift + k * plan.seconds,
                               land=step.land + k * plan.seconds,
                               pose=tuple(_moved(np.array(step.pose), seam, k))))
    return np.array([_moved(np.array(p, float), seam, -1) for p in plan.start]), out


def _moved(pose: np.ndarray, seam: Seam, k: int) -> np.ndarray:
    shift, yaw = seam.power(k)
    return np.append(rotate(pose[:2], yaw) + shift, pose[2] + yaw)


def sample_air_feet(plan: FootPlan, times: np.ndarray, seam: Seam, air: Air) -> FootTrack:
    """Feet (T, …) at the given times, s."""
    count = len(times)
    track = FootTrack(np.zeros((count, 2, 3)), np.zeros((count, 2)), np.zeros((count, 2)),
                      np.ones((count, 2), bool))
    start, steps = unrolled(plan, seam)
    for foot in (RIGHT, LEFT):
        here = start[foot]
        track.pos[:, foot], track.yaw[:, foot] = (*here[:2], ANKLE_HEIGHT), here[2]
        for step in (s for s in steps if s.foot == foot):
            there = np.array(step.pose)
            after = times >= step.land - 1e-9
            track.pos[after, foot], track.yaw[after, foot] = (*there[:2], ANKLE_HEIGHT), there[2]
            _leave(track, times, step, here, there, plan, air)
            here = there
    return track


def _leave(track: FootTrack, times: np.ndarray, step: Step, here: np.ndarray, there: np.ndarray,
           plan: FootPlan, air: Air) -> None:
    """The heel's roll before lift-off, and the swing."""
    foot, roll, length = step.foot, air.roll_time, step.land - step.lift
    rolling = (times > step.lift - roll) & (times <= step.lift + 1e-9)
    angle = plan.toe_off * ((times[rolling] - step.lift + roll) / roll)**2
    forward, up = over_toes(angle)
    _put(track, rolling, foot, here, forward, up, angle, here[2])
    inside = (times > step.lift + 1e-9) & (times < step.land - 1e-9)
    track.stance[inside, foot] = False
    begin, rate = plan.toe_off, 2.0 * plan.toe_off / roll
    (x, z), (x1, z1) = over_toes(begin), over_toes(begin - 1e-4 * rate)
    at = [0.0, *(row[0] * length for row in air.swing), length]
    t = times[inside] - step.lift
    height = CubicSpline(at, [z, *(row[1] for row in air.swing), 0.0],
                         bc_type=((1, (z - z1) / 1e-4), (1, 0.0)))(t)
    pitch = CubicSpline(at, [begin, *(row[2] for row in air.swing), 0.0],
                        bc_type=((1, rate), (1, 0.0)))(t)
    way = rotate(there[:2] - here[:2], -here[2])
    ends = np.array([[x, 0.0], [(x - x1) / 1e-4, 0.0], [0.0, 0.0]])
    goal = np.array([way, [0.0, 0.0], [0.0, 0.0]])
    path = BPoly.from_derivatives([0.0, length], np.stack((ends, goal)))(t)
    yaw = here[2] + BPoly.from_derivatives([0.0, length], [[0.0, 0, 0],
                                                           [there[2] - here[2], 0, 0]])(t)
    _put(track, inside, foot, here, path, height, pitch, yaw)


def _put(track: FootTrack, where, foot: int, here: np.ndarray, forward, up, pitch, yaw) -> None:
    plane = forward if np.ndim(forward) == 2 else np.stack((forward, 0.0 * forward), 1)
    track.pos[where, foot, :2] = here[:2] + rotate(plane, here[2])
    track.pos[where, foot, 2] = ANKLE_HEIGHT + up
    track.pitch[where, foot], track.yaw[where, foot] = pitch, yaw


def over_toes(angle) -> Tuple[np.ndarray, np.ndarray]:
    """Way of the ankle forward and up, m, as the foot turns by ``angle`` about the toes' edge."""
    c, s = np.cos(angle), np.sin(angle)
    return TOE * (1.0 - c) + SOLE * s, TOE * s + SOLE * (c - 1.0)


def ground_reference(plan: FootPlan, times: np.ndarray, seam: Seam, roll: Tuple[float, float],
                     inward: float, rest: float = REST_AHEAD) -> np.ndarray:
    """Reference of the zero moment point (T, 2), m.

    Under each foot it goes from roll[0] (m ahead of the ankle) at landing to roll[1] at lift-off,
    ``inward`` of the foot's line; a foot that rests for long carries at ``rest``. Where both feet
    stand it is shared by load, which comes and goes within SHIFT_TIME. In flight it means nothing.
    """
    start, steps = unrolled(plan, seam)
    load, place = np.zeros((2, len(times))), np.zeros((2, len(times), 2))
    for foot in (RIGHT, LEFT):
        side = -inward if foot == LEFT else inward
        own = [s for s in steps if s.foot == foot]
        other = [s for s in steps if s.foot != foot]
        poses = [start[foot], *(np.array(s.pose) for s in own)]
        begins = [-np.inf, *(s.land for s in own)]
        ends = [*(s.lift for s in own), np.inf]
        for pose, begin, end in zip(poses, begins, ends):
            here = (times >= begin - 1e-9) & (times <= end + 1e-9)
            t = times[here]
            ahead = _ahead(t, begin, end, roll, rest)
            place[foot, here] = pose[:2] + rotate(np.stack((ahead, side + 0 * t), 1), pose[2])
            up = min([SHIFT_TIME] + [s.lift - begin for s in other if s.lift > begin + 1e-9])
            down = min([SHIFT_TIME] + [end - s.land for s in other if s.land < end - 1e-9])
            load[foot, here] = np.minimum(_ramp((t - begin) / up), _ramp((end - t) / down)) + 1e-6
    return np.einsum("ft,ftx->tx", load, place) / np.maximum(load.sum(0), 1e-9)[:, None]


def _ahead(t: np.ndarray, begin: float, end: float, roll: Tuple[float, float],
           rest: float) -> np.ndarray:
    """How far ahead of the ankle a foot carries between landing and lift-off."""
    if end - begin < 2.0 * SHIFT_TIME:
        return roll[0] + (roll[1] - roll[0]) * _ramp((t - begin) / (end - begin))
    landing = (roll[0] - rest) * (1.0 - _ramp((t - begin) / SHIFT_TIME))
    leaving = (roll[1] - rest) * (1.0 - _ramp((end - t) / SHIFT_TIME))
    return rest + landing + leaving


def _ramp(u: np.ndarray) -> np.ndarray:
    u = np.clip(u, 0.0, 1.0)
    return u * u * (3.0 - 2.0 * u)
