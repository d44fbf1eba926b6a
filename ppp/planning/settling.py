"""What a fighter does between two steps of a plan: plant the feet, turn round.

A body that is told to strike while it still walks falls over its own momentum, and a walk that
begins with its back to the target swings out wide. Neither is worth a step of a plan.
"""
from __future__ import annotations

import math
from typing import Sequence

from ppp.planning.geometry import XY, bearing, distance, wrap
from ppp.planning.performer import Performer, WorldState
from ppp.planning.skills import GAIT, TRAVEL, TURNS, role
from ppp.planning.trace import Trace

#: at rest below this ground speed, m/s
RESTING = 0.25
#: no longer than this, s
LONGEST = 2.0
#: the speed is taken over so many control steps
_SPAN = 6
#: a walk begins with a turn on the spot when its way lies further round than this, rad
TURN_FROM = math.radians(75.0)
#: and the turn ends this near to it, rad; no later than after so many seconds
TURN_TO, LONGEST_TURN = math.radians(25.0), 5.0
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
    if role(skill) == GAIT or skill in (STANDING, "get_up"):
        return
    _stand(performer, trace, aim, until)


def _stand(performer: Performer, trace: Trace, aim: XY, until: float) -> None:
    if STANDING not in performer.skills:
        return
    begin = trace.now.time
    while ground_speed(trace.states) > RESTING and not trace.now.fallen:
        if trace.now.time - begin > LONGEST or trace.now.time >= until - 1e-6:
            return
        if trace.now.time == begin:
            performer.command(STANDING, aim)
        trace.add(performer.step())


def turn_round(performer: Performer, trace: Trace, skill: str, aim: XY, until: float) -> None:
    """Before a gait that would begin far off its way to ``aim``: stop, and turn as it needs.

    A forward gait faces ``aim``, a backward one turns its back to it.
    """
    if role(skill) != GAIT or distance(trace.now.xy, aim) < 0.5:
        return
    here = trace.now.xy
    face = bearing(here, aim) - TRAVEL[skill]
    if TRAVEL[skill]:
        far = distance(here, aim)
        aim = (here[0] + far * math.cos(face), here[1] + far * math.sin(face))
    off = wrap(face - trace.now.heading)
    turns = [name for name, sense in TURNS.items() if sense * off > 0 and name in performer.skills]
    if abs(off) < TURN_FROM or not turns:
        return
    _stand(performer, trace, aim, until)
    begin = trace.now.time
    performer.command(turns[0], aim)
    while not trace.now.fallen and trace.now.time < min(until - 1e-6, begin + LONGEST_TURN):
        if abs(wrap(bearing(trace.now.xy, aim) - trace.now.heading)) < TURN_TO:
            return
        trace.add(performer.step())
