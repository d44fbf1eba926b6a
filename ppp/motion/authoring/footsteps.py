"""Footsteps: where each foot stands and swings, and where the ground's force should act.

A plan is a list of steps. Everything else (swing paths, heading, the reference of the zero moment
point) follows from it, so that no foot can slide.
"""
from __future__ import annotations

from dataclasses import dataclass, field
from typing import List, Tuple

import numpy as np
from scipy.interpolate import CubicSpline, PchipInterpolator

RIGHT, LEFT = 0, 1
#: ankle above the floor in stance, m: the sole sinks in by 0.5 mm, as it does under the weight
ANKLE_HEIGHT = 0.0495

#: the toes' edge of the sole, ahead of and below the ankle, m
TOE, SOLE = 0.1335, 0.05
#: the weight of a standing body acts this far ahead of the ankles, m
REST_AHEAD = 0.02


@dataclass(frozen=True)
class Step:
    """One foot leaves the floor at ``lift`` and lands at ``land`` (s) at ``pose`` (x, y, yaw).

    via: points in the air that the ankle passes on its way, for a kick: time (s), forward, left
    and up (m) from where the foot stood, along its direction there, and the foot's pitch (rad,
    above 0 the toes point down).
    """

    foot: int
    lift: float
    land: float
    pose: Tuple[float, float, float]
    via: Tuple[Tuple[float, float, float, float, float], ...] = ()


@dataclass
class FootPlan:
    """Start poses of the right and left foot, (2, 3) as x, y, yaw, and the steps in time order.

    clearance: sole over the floor half-way through a swing, m. toe_off: how far the heel rolls up
    (rad) from ``roll_time`` (s) before lift-off, so that a long step stays in reach.
    """

    start: np.ndarray
    steps: List[Step] = field(default_factory=list)
    seconds: float = 1.0
    clearance: float = 0.06
    toe_off: float = 0.0
    roll_time: float = 0.1

    def final(self) -> np.ndarray:
        """Poses of both feet (2, 3) after the last step."""
        poses = np.array(self.start, float)
        for step in self.steps:
            poses[step.foot] = step.pose
        return poses

    def displacement(self) -> Tuple[np.ndarray, float]:
        """Shift (2,) and turn that take the first footing to the last."""
        first, last = np.asarray(self.start, float), self.final()
        yaw = float(last[0, 2] - first[0, 2])
        return last[:, :2].mean(0) - rotate(first[:, :2].mean(0), yaw), yaw


@dataclass
class FootTrack:
    """Sampled feet: ankle positions (T, 2, 3) m, yaw (T, 2), pitch (T, 2), stance (T, 2) bool."""

    pos: np.ndarray
    yaw: np.ndarray
    pitch: np.ndarray
    stance: np.ndarray


def rotate(v: np.ndarray, angle: float) -> np.ndarray:
    """Plane vectors (…, 2) turned by an angle, rad."""
    c, s = np.cos(angle), np.sin(angle)
    return np.stack((c * v[..., 0] - s * v[..., 1], s * v[..., 0] + c * v[..., 1]), -1)


def standing_feet(width: float, toe_out: float = 0.0) -> np.ndarray:
    """Feet beside each other, (2, 3): ``width`` apart, m, toes turned out, rad."""
    return np.array([[0.0, -0.5 * width, -toe_out], [0.0, 0.5 * width, toe_out]])


def gait(feet: np.ndarray, moves: List[Tuple[float, float, float]], step_time: float,
         double_support: float, first: int = RIGHT, start: float = 0.0) -> List[Step]:
    """Alternating steps along a path.

    Each move (forward m, left m, turn rad) carries the body's frame on; the foot whose turn it is
    lands where it stands (``feet`` (2, 3) in the body's frame) in the new frame.
    """
    body = np.zeros(3)
    steps, foot, time = [], first, start
    for forward, left, turn in moves:
        body[:2] += rotate(np.array([forward, left]), body[2] + 0.5 * turn)
        body[2] += turn
        pos = body[:2] + rotate(feet[foot, :2], body[2])
        lift, land = time + double_support * step_time, time + step_time
        steps.append(Step(foot, lift, land, (pos[0], pos[1], feet[foot, 2] + body[2])))
        foot, time = 1 - foot, land
    return steps


def gait_start(feet: np.ndarray, move: Tuple[float, float, float], first: int) -> np.ndarray:
    """Feet (2, 3) at the start of an endless gait: the foot that steps first is one ``move`` (the
    cycle's last) behind."""
    out = np.array(feet, float)
    forward, left, turn = move
    back = rotate(np.array([forward, left]), 0.5 * turn)
    out[first, :2] = rotate(feet[first, :2] - back, -turn)
    out[first, 2] -= turn
    return out


def sample_feet(plan: FootPlan, times: np.ndarray) -> FootTrack:
    """Feet at the given times, s; before the first and after the last step they stand."""
    count = len(times)
    track = FootTrack(np.zeros((count, 2, 3)), np.zeros((count, 2)), np.zeros((count, 2)),
                      np.ones((count, 2), bool))
    for foot in (RIGHT, LEFT):
        here = np.array(plan.start[foot], float)
        _place(track, foot, slice(None), here)
        for step in (s for s in plan.steps if s.foot == foot):
            there = np.array(step.pose)
            _place(track, foot, times >= step.land - 1e-9, there)
            inside = (times > step.lift + 1e-9) & (times < step.land - 1e-9)
            if step.via:
                _fly(track, inside, times[inside], step, here)
                here = there
                continue
            _swing(track, foot, inside, (times[inside] - step.lift) / (step.land - step.lift),
                   here, there, plan.clearance)
            if plan.toe_off > 0.0:
                _roll(track, foot, times, step, plan)
            here = there
    return track


def _place(track: FootTrack, foot: int, where, pose: np.ndarray) -> None:
    track.pos[where, foot, :2], track.pos[where, foot, 2] = pose[:2], ANKLE_HEIGHT
    track.yaw[where, foot] = pose[2]


def _swing(track: FootTrack, foot: int, inside: np.ndarray, u: np.ndarray, here: np.ndarray,
           there: np.ndarray, clearance: float) -> None:
    """Along a smooth path from ``here`` to ``there``, ``clearance`` above the floor half-way."""
    path = here + ease(u)[:, None] * (there - here)
    track.pos[inside, foot, :2] = path[:, :2]
    track.pos[inside, foot, 2] = ANKLE_HEIGHT + clearance * 16.0 * u**2 * (1.0 - u)**2
    track.yaw[inside, foot] = path[:, 2]
    track.stance[inside, foot] = False


def _fly(track: FootTrack, inside: np.ndarray, times: np.ndarray, step: Step,
         here: np.ndarray) -> None:
    """Through the points of ``step.via``: a cubic spline that leaves and lands at rest."""
    there = np.array(step.pose)
    at = [step.lift, *(row[0] for row in step.via), step.land]
    rows = np.zeros((len(at), 5))  # x, y, up, pitch, yaw
    rows[0, [0, 1, 4]], rows[-1, [0, 1, 4]] = here, there
    for i, (_, forward, left, up, pitch) in enumerate(step.via, 1):
        rows[i, :2] = here[:2] + rotate(np.array([forward, left]), here[2])
        rows[i, 2:4] = up, pitch
    share = (np.array(at) - step.lift) / (step.land - step.lift)
    rows[:, 4] = here[2] + ease(share) * (there[2] - here[2])
    path = CubicSpline(at, rows, bc_type="clamped")(times)
    track.pos[inside, step.foot] = path[:, :3] + [0.0, 0.0, ANKLE_HEIGHT]
    track.pitch[inside, step.foot], track.yaw[inside, step.foot] = path[:, 3], path[:, 4]
    track.stance[inside, step.foot] = False


def _roll(track: FootTrack, foot: int, times: np.ndarray, step: Step, plan: FootPlan) -> None:
    """The heel rises about the toes' edge before lift-off, and the foot is flat again to land."""
    length = step.land - step.lift
    at = (step.lift - plan.roll_time, step.lift, step.lift + 0.2 * length,
          step.lift + 0.85 * length, step.land)
    pitch = np.array([0.0, 0.8, 1.0, 0.0, 0.0]) * plan.toe_off
    inside = (times >= at[0]) & (times <= at[-1])
    angle = PchipInterpolator(at, pitch)(times[inside])
    # turning about the edge moves the ankle from (0, 0) to toe - R(angle) toe
    c, s = np.cos(angle), np.sin(angle)
    forward = TOE * (1.0 - c) + SOLE * s
    up = TOE * s + SOLE * (c - 1.0)
    yaw = track.yaw[inside, foot]
    track.pos[inside, foot] += np.stack((forward * np.cos(yaw), forward * np.sin(yaw), up), 1)
    track.pitch[inside, foot] = angle


def ease(u: np.ndarray) -> np.ndarray:
    """0 to 1 with no velocity at the ends; between a cubic and a quintic, so not too fast."""
    cubic, quintic = u * u * (3 - 2 * u), u**3 * (10 + u * (6 * u - 15))
    return 0.5 * (cubic + quintic)


def zmp_reference(plan: FootPlan, times: np.ndarray, heel: float, toe: float,
                  inward: float) -> np.ndarray:
    """Reference of the zero moment point (T, 2), m.

    Under a single stance foot it rolls from ``heel`` to ``toe`` (m ahead of the ankle) and lies
    ``inward`` of the foot's centre line; in double support it crosses to the next foot; standing
    longer, it rests between the feet.
    """
    knots: List[Tuple[float, np.ndarray]] = []
    feet = np.array(plan.start, float)
    previous_land = None
    for step in sorted(plan.steps, key=lambda s: s.lift):
        _rest_knots(knots, previous_land, step.lift, feet)
        stance = feet[1 - step.foot]
        side = inward if step.foot == LEFT else -inward
        for time, ahead in ((step.lift, heel), (step.land, toe)):
            knots.append((time, stance[:2] + rotate(np.array([ahead, side]), stance[2])))
        feet[step.foot] = step.pose
        previous_land = step.land
    _rest_knots(knots, previous_land, None, feet)
    _close(knots, plan)
    at = np.array([time for time, _ in knots])
    values = np.array([value for _, value in knots])
    return np.stack([np.interp(times, at, values[:, i]) for i in (0, 1)], 1)


def middle(feet: np.ndarray) -> np.ndarray:
    """Where the weight rests between both feet, (2,).

    A little ahead of the ankles: further ahead the calves would carry a constant moment, on which
    servos without feedback lean forward until they fall.
    """
    return np.mean([f[:2] + rotate(np.array([REST_AHEAD, 0.0]), f[2]) for f in feet], 0)


def _rest_knots(knots: list, land, lift, feet: np.ndarray, settle: float = 0.3) -> None:
    """Between a landing and the next lift-off: rest in the middle, if there is time for it."""
    begin = -np.inf if land is None else land + settle
    end = np.inf if lift is None else lift - settle
    if land is None and lift is not None and lift < settle:
        return
    for time in (begin, end):
        if np.isfinite(time) and end >= begin and time >= 0.0:
            knots.append((time, middle(feet)))
    if land is None and lift is None:
        knots.append((0.0, middle(feet)))


def _close(knots: list, plan: FootPlan) -> None:
    """Where a gait runs through the seam, carry the last knot round to time 0."""
    time, value = knots[-1]
    if plan.steps and abs(time - plan.seconds) < 1e-6:
        shift, yaw = plan.displacement()
        knots.insert(0, (0.0, rotate(value - shift, -yaw)))
