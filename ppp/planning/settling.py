"""Coming to rest between a walk and what is done on the spot.

A body that is told to strike while it still walks falls over its own momentum; a fighter plants the
feet first.
"""
from __future__ import annotations

from typing import Sequence

from ppp.planning.geometry import XY, distance
from ppp.planning.performer import Performer, WorldState
from ppp.planning.skills import GAIT, role
from ppp.planning.trace import Trace

#: at rest below this ground speed, m/s
RESTING = 0.25
#: no longer than this, s
LONGEST = 2.0
#: the speed is taken over so many control steps
_SPAN = 6
#: the skill that comes to rest
STANDING = "idle"


def ground_speed(states: Sequence[WorldState]) -> float:
    """Mean speed over the floor during the last fifth of a second, m/s."""
    last = states[-1]
    first = states[max(0, len(states) - 1 - _SPAN)]
    span = last.time - first.time
    return distance(first.xy, last.xy) / span if span > 0 else 0.0


def settle(performer: Performer, trace: Trace, skill: str, aim: XY, until: float) -> None:
    """Stand still before ``skill`` begins, unless it travels or the policy cannot stand.

    Ends at rest, after LONGEST, at a fall or at the time ``until``.
    """
    if role(skill) == GAIT or skill in (STANDING, "get_up") or STANDING not in performer.skills:
        return
    begin = trace.now.time
    while ground_speed(trace.states) > RESTING and not trace.now.fallen:
        if trace.now.time - begin > LONGEST or trace.now.time >= until - 1e-6:
            return
        if trace.now.time == begin:
            performer.command(STANDING, aim)
        trace.add(performer.step())
