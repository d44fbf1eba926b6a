"""When is a step over? One rule for each role of a skill, asked after every control step."""
from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Mapping, NamedTuple, Optional, Protocol, Sequence, Union

import numpy as np

from ppp.engines.scene import Prop
from ppp.planning.conditions import Facing, Reached, simple_conditions
from ppp.planning.geometry import (
    XY,
    Box,
    bearing,
    box_of,
    distance,
    point_distance,
    segment_distance,
    to_segment,
    wrap,
)
from ppp.planning.performer import PropState, WorldState
from ppp.planning.places import TOLERANCE
from ppp.planning.scenario import Scenario
from ppp.planning.situation import lies
from ppp.planning.skills import DEFAULT_SECONDS, REACH, SECONDS
from ppp.planning.validate import REACH_SLACK
from ppp.planning.zones import Keep

#: an object that leans further than this (18 degrees) is falling or being pushed over
TIPPING = 0.95
#: why a walk ends that has drifted
IN_THE_WAY = "is in the way from here"
#: a turn is over this near to its direction, rad
FACING = math.radians(12.0)


@dataclass(frozen=True)
class Limits:
    """When steps end. Metres, seconds, radians."""

    tolerance: float = TOLERANCE  # a walk has arrived this near to its target
    passing: float = 1.3  # a waypoint counts when it is passed this near
    slowest: float = 0.35  # a walk takes no longer than its length at this speed, m/s
    grace: float = 6.0  # and this much more
    stuck_seconds: float = 6.0  # a walk that comes no nearer for so long is stuck
    stuck_distance: float = 0.15
    look_ahead: float = 1.5  # a walk steers at the point of its leg that is so far ahead
    look_seconds: float = 0.25  # a walk looks ahead this often
    drift: float = 0.05  # clearance that any walk may lose before a new plan is made
    swings: int = 3  # blows before an attack gives up
    swing_seconds: float = 2.0
    turn_seconds: float = 8.0
    up_height: float = 0.65  # the pelvis of who has got up
    up_z: float = 0.8


class Ending(NamedTuple):
    """Why a step is over, and whether it did what it was for."""

    why: str
    ok: bool


class Rule(Protocol):
    """Asked after each control step; None while the step goes on."""

    def __call__(self, state: WorldState, elapsed: float) -> Optional[Ending]:
        """state: after the control step; elapsed: s since the step of the plan began."""
        ...


class Walk(NamedTuple):
    """A leg, m; ``exact`` when passing by its end is not enough; what it leads up to, if anything.
    """

    start: XY
    end: XY
    exact: bool = False
    onward: Optional[XY] = None


class Arrival:
    """A walk: over when near, or past the plane through its end and close enough to it.

    It fails early when the humanoid has drifted so far that the rest of the way passes too near to
    one of ``no_go``: a new plan then leads around from where it is.
    """

    def __init__(
        self, walk: Walk, tolerance: float, no_go: Sequence[Keep], limits: Limits
    ) -> None:
        self.walk, self.no_go, self.limits = walk, no_go, limits
        length = distance(walk.start, walk.end)
        # a short leg is walked, not skipped for being within the tolerance from its start; but a
        # way point that near is passed already, and who goes back for it walks in a circle
        self.tolerance = min(tolerance, max(0.1, 0.5 * length)) if walk.exact else tolerance
        self.seconds = limits.grace + length / limits.slowest
        self._best, self._best_at = length, 0.0
        self._looked = -limits.look_seconds
        self._rooms = [self._room(keep) for keep in no_go]
        self._circles = [(keep.shape.centre, keep.shape.radius) for keep in no_go]

    def __call__(self, state: WorldState, elapsed: float) -> Optional[Ending]:
        """Reached, passed, drifted, stuck or too slow."""
        gap = distance(state.xy, self.walk.end)
        if gap <= self.tolerance:
            return Ending("reached", True)
        if not self.walk.exact and gap <= self.limits.passing and self._beyond(state.xy):
            return Ending("passed", True)
        if gap < self._best - self.limits.stuck_distance:
            self._best, self._best_at = gap, elapsed
        if elapsed - self._best_at > self.limits.stuck_seconds:
            return Ending(f"stuck {gap:.2f} m away", False)
        if elapsed > self.seconds:
            return Ending(f"time limit, {gap:.2f} m away", False)
        return self._look_ahead(state.xy, elapsed)

    def _beyond(self, xy: XY) -> bool:
        start, end = self.walk.start, self.walk.end
        leg = (end[0] - start[0], end[1] - start[1])
        past = (xy[0] - end[0], xy[1] - end[1])
        return leg[0] * past[0] + leg[1] * past[1] > 0.0

    def _look_ahead(self, xy: XY, elapsed: float) -> Optional[Ending]:
        if elapsed - self._looked < self.limits.look_seconds:
            return None
        self._looked = elapsed
        for keep, room, (centre, radius) in zip(self.no_go, self._rooms, self._circles):
            # most things are far off: their surrounding circle says so at once
            if to_segment(centre, xy, self.walk.end) > radius + room:
                continue
            if segment_distance(xy, self.walk.end, keep.shape) < room:
                return Ending(f"'{keep.name}' {IN_THE_WAY}", False)
        return None

    def _room(self, keep: Keep) -> float:
        """The clearance that the rest of the way must keep, m; who starts nearer keeps that."""
        start = float(point_distance(self.walk.start, keep.shape))
        return min(keep.room, start) - self.limits.drift

    def aim(self, xy: XY) -> XY:
        """Where to steer, m: as far off as the end, towards a point of the leg just ahead.

        Steering at the end itself would leave the leg for good after any push to the side. Where
        the leg leads up to something, the point runs on past the end towards it: who arrives faces
        it, and not whatever side the end lies on in the last steps. Who is too far beside the leg
        to come near to the end in this way steers at the end.
        """
        start, end = np.array(self.walk.start), np.array(self.walk.end)
        here, length = np.array(xy), distance(self.walk.start, self.walk.end)
        if length < 1e-6:
            return self.walk.end
        along = (here - start) @ (end - start) / length
        ahead = max(0.0, along) + self.limits.look_ahead
        carrot = start + (end - start) * (min(length, ahead) / length)
        beside = float(np.linalg.norm(here - start - (end - start) * (along / length)))
        if self.walk.onward and ahead > length and beside < 0.6 * self.tolerance:
            rest = np.array(self.walk.onward) - end
            carrot = end + rest * ((ahead - length) / max(1e-6, float(np.hypot(*rest))))
        gap = distance(xy, carrot)
        if gap < 1e-6:
            return self.walk.end
        aim = here + (carrot - here) * (distance(xy, self.walk.end) / gap)
        return float(aim[0]), float(aim[1])


def goes_over(prop: PropState) -> bool:
    """Whether an object is on its way to the floor, or lies there."""
    return prop.up_z < TIPPING


class Strike:
    """An attack: over when the struck object lies, or when all blows have missed."""

    def __init__(self, skill: str, struck: Prop, limits: Limits) -> None:
        self.skill, self.struck, self.limits = skill, struck, limits
        self._swings = 0

    def __call__(self, state: WorldState, elapsed: float) -> Optional[Ending]:
        """Struck down, out of reach, or missed."""
        prop = state.props[self.struck.name]
        if lies(prop.up_z):
            return Ending(f"struck down '{self.struck.name}'", True)
        if goes_over(prop) and elapsed < self.limits.swings * self.limits.swing_seconds:
            return None  # it may still fall, and slides away while it does
        swings = int(elapsed / self.limits.swing_seconds)
        first = elapsed == 0.0
        if first or swings > self._swings:
            self._swings = swings
            gap = float(point_distance(state.xy, self._box(prop.position)))
            if gap > REACH[self.skill] + REACH_SLACK:
                return Ending(f"out of reach by {gap - REACH[self.skill]:.2f} m", False)
        if swings >= self.limits.swings:
            return Ending(f"missed {swings} times", False)
        return None

    def _box(self, position: np.ndarray) -> Box:
        box = box_of(self.struck)
        return Box(box.name, (float(position[0]), float(position[1])), box.half, box.yaw)


class Turned:
    """A turn on the spot: over when the target is straight ahead."""

    def __init__(self, target: XY, tolerance: float, limits: Limits) -> None:
        self.target, self.tolerance, self.limits = target, tolerance, limits

    def __call__(self, state: WorldState, elapsed: float) -> Optional[Ending]:
        """Facing the target, or too slow."""
        off = abs(wrap(bearing(state.xy, self.target) - state.heading))
        if off <= self.tolerance:
            return Ending("facing the target", True)
        if elapsed > self.limits.turn_seconds:
            return Ending(f"time limit, {math.degrees(off):.0f} degrees off", False)
        return None


def stands(state: WorldState, limits: Limits) -> bool:
    """Whether the humanoid is on its feet."""
    high = float(state.root_pos[2]) > limits.up_height
    return state.root_up > limits.up_z and high and not state.fallen


class Up:
    """Getting up: over when the humanoid stands."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits

    def __call__(self, state: WorldState, elapsed: float) -> Optional[Ending]:
        """Standing, or too slow."""
        if stands(state, self.limits):
            return Ending("stands again", True)
        if elapsed > SECONDS["get_up"]:
            return Ending("time limit, still down", False)
        return None


class After:
    """Anything else: over when its time is."""

    def __init__(self, seconds: float, why: str = "done") -> None:
        self.seconds, self.why = seconds, why

    def __call__(self, state: WorldState, elapsed: float) -> Optional[Ending]:
        """Done after the time."""
        return Ending(self.why, True) if elapsed >= self.seconds - 1e-6 else None


def in_place(skill: str, until: Union[float, str, None]) -> After:
    """The rule of an in-place skill: the seconds of the plan, or its usual ones."""
    if isinstance(until, float):
        return After(until, f"{until:g} s are over")
    return After(SECONDS.get(skill, DEFAULT_SECONDS))


def arrival_tolerance(scenario: Scenario, places: Mapping[str, XY], target: XY) -> float:
    """How near a walk to ``target`` must come, m: nearer where a check would not hold otherwise.

    places: where every object is now, m.
    """
    best = TOLERANCE
    for check in simple_conditions(scenario.success):
        if isinstance(check, Reached):
            goal = places[check.reached] if isinstance(check.reached, str) else check.reached
            slack = check.within - distance(goal, target)
            best = min(best, max(0.1, slack)) if slack > 0.0 else best
    return best


def turn_tolerance(scenario: Scenario) -> float:
    """How near a turn must come to its direction, rad: nearer where a check is stricter."""
    checks = [c for c in simple_conditions(scenario.success) if isinstance(c, Facing)]
    return min([FACING, *(math.radians(0.7 * c.within) for c in checks)])
