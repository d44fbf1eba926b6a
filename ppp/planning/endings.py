"""When is a step over? One rule for each role of a skill, asked after every control step."""
from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple, Optional, Protocol, Union

import numpy as np

from ppp.engines.scene import Prop
from ppp.planning.geometry import XY, Box, bearing, box_of, distance, point_distance, wrap
from ppp.planning.performer import WorldState
from ppp.planning.places import TOLERANCE
from ppp.planning.situation import lies
from ppp.planning.skills import DEFAULT_SECONDS, REACH, SECONDS
from ppp.planning.validate import REACH_SLACK


@dataclass(frozen=True)
class Limits:
    """When steps end. Metres, seconds, radians."""

    tolerance: float = TOLERANCE  # a walk has arrived this near to its target
    passing: float = 0.8  # a waypoint counts when it is passed this near
    slowest: float = 0.35  # a walk takes no longer than its length at this speed, m/s
    grace: float = 6.0  # and this much more
    stuck_seconds: float = 6.0  # a walk that comes no nearer for so long is stuck
    stuck_distance: float = 0.15
    swings: int = 4  # blows before an attack gives up
    swing_seconds: float = 2.0
    facing: float = math.radians(12.0)  # a turn is over this near to its direction
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


class Arrival:
    """A walk: over when near, or past the plane through its target and close enough to it."""

    def __init__(
        self, start: XY, target: XY, exact: bool, tolerance: float, limits: Limits
    ) -> None:
        self.start, self.target, self.exact = start, target, exact
        self.tolerance, self.limits = tolerance, limits
        length = distance(start, target)
        self.seconds = limits.grace + length / limits.slowest
        self._best, self._best_at = length, 0.0

    def __call__(self, state: WorldState, elapsed: float) -> Optional[Ending]:
        """Reached, passed, stuck or too slow."""
        gap = distance(state.xy, self.target)
        if gap <= self.tolerance:
            return Ending("reached", True)
        if not self.exact and gap <= self.limits.passing and self._beyond(state.xy):
            return Ending("passed", True)
        if gap < self._best - self.limits.stuck_distance:
            self._best, self._best_at = gap, elapsed
        if elapsed - self._best_at > self.limits.stuck_seconds:
            return Ending(f"stuck {gap:.2f} m away", False)
        if elapsed > self.seconds:
            return Ending(f"time limit, {gap:.2f} m away", False)
        return None

    def _beyond(self, xy: XY) -> bool:
        leg = (self.target[0] - self.start[0], self.target[1] - self.start[1])
        past = (xy[0] - self.target[0], xy[1] - self.target[1])
        return leg[0] * past[0] + leg[1] * past[1] > 0.0


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

    def __init__(self, target: XY, limits: Limits) -> None:
        self.target, self.limits = target, limits

    def __call__(self, state: WorldState, elapsed: float) -> Optional[Ending]:
        """Facing the target, or too slow."""
        off = abs(wrap(bearing(state.xy, self.target) - state.heading))
        if off <= self.limits.facing:
            return Ending("facing the target", True)
        if elapsed > self.limits.turn_seconds:
            return Ending(f"time limit, {math.degrees(off):.0f} degrees off", False)
        return None


class Up:
    """Getting up: over when the humanoid stands."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits

    def __call__(self, state: WorldState, elapsed: float) -> Optional[Ending]:
        """Standing, or too slow."""
        height = float(state.root_pos[2])
        upright = state.root_up > self.limits.up_z and height > self.limits.up_height
        if upright and not state.fallen:
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
