"""What a fighter does between two steps of a plan: plant the feet, turn round.

A body that is told to strike while it still walks falls over its own momentum, and a walk that
begins with its back to the target swings out wide. Neither is worth a step of a plan.
"""
from __future__ import annotations

import math
from typing import Callable, Sequence, Tuple

from ppp.planning.geometry import XY, ahead, bearing, distance, wrap
from ppp.planning.performer import Performer, WorldState
from ppp.planning.skills import ATTACK, GAIT, LEFT, TRAVEL, TURNS, role
from ppp.planning.trace import Trace

#: at rest below this ground speed, m/s, and below this rate of turn, rad/s
RESTING, STEADY = 0.25, 0.4
#: no longer than this, s
LONGEST = 2.0
#: a walk faster than this, m/s, is stopped by beginning a turn on the spot for so long, s, and
#: standing then: of 384 walks told to stand at once 6 % ended on the floor, of those told to turn
#: first under 1 % (docs/method.md)
WALKING, BRAKE = 0.6, 0.5
#: before a blow it stands so much longer, s. Of 192 that had walked 1.3 m up to it 19 % fell by the
#: blow without, 10 % with 0.75 s, 14 % with 1.5 s (``ppp eval blows --walk 1.3``, 0.85 m)
GUARD = 0.75
#: the speed is taken over so many control steps
_SPAN = 6
#: a walk begins with a turn on the spot when its way lies further round than this, rad: out of a
#: walk, which it stops; and from rest, where a turn costs little and a way that begins straight is
#: a metre narrower
TURN_FROM, TURN_AT_REST = math.radians(75.0), math.radians(40.0)
#: unless it leads no further than this, m
AT_IT = 0.25
#: and the turn ends this near to it, rad; no later than after so many seconds
TURN_TO, LONGEST_TURN = math.radians(25.0), 5.0
#: a blow at what lies further aside, rad, is begun with a turn, which goes on until this near to
#: it: a step of a turn, once begun, goes round by 50 degrees. Of the shipped slash those begun with
#: the target 22 degrees to the right to 14 to the left struck it, from 18 to the left on none
SQUARE_FROM, SQUARE_TO = math.radians(32.0), math.radians(20.0)
#: what lies less far aside, but further than the first, rad, is stepped to sideways until it is
#: this near to ahead, no longer than so many seconds; and so often all this is tried
ASIDE, ASIDE_TO, LONGEST_SIDE, TRIES = math.radians(6.0), math.radians(3.0), 2.5, 2
#: side-steps and stops are steered at a point so far off, m; and by the side they go to, 1 left
FAR = 3.0
SIDEWAYS = {1.0: "strafe_left", -1.0: "strafe_right"}
#: the skill that comes to rest
STANDING = "idle"
#: whether the pelvis may be at a place
Free = Callable[[XY], bool]


def anywhere(xy: XY) -> bool:
    """Every place is free."""
    return True


def ground_speed(states: Sequence[WorldState]) -> float:
    """Mean speed over the floor during the last fifth of a second, m/s."""
    first, last, span = _lately(states)
    return distance(first.xy, last.xy) / span if span > 0 else 0.0


def _forward_speed(states: Sequence[WorldState]) -> float:
    """Mean speed to where the body looks during the last fifth of a second, m/s."""
    first, last, span = _lately(states)
    off = bearing(first.xy, last.xy) - last.heading
    return distance(first.xy, last.xy) * math.cos(off) / span if span > 0 else 0.0


def turning_speed(states: Sequence[WorldState]) -> float:
    """Mean rate of turn during the last fifth of a second, to either side, rad/s."""
    first, last, span = _lately(states)
    return abs(wrap(last.heading - first.heading)) / span if span > 0 else 0.0


def _lately(states: Sequence[WorldState]) -> Tuple[WorldState, WorldState, float]:
    """The ends of the last ``_SPAN`` control steps, and the time between them, s."""
    first, last = states[max(0, len(states) - 1 - _SPAN)], states[-1]
    return first, last, last.time - first.time


def settle(performer: Performer, trace: Trace, skill: str, aim: XY, until: float,
           free: Free = anywhere) -> None:
    """Stand still before ``skill`` begins, unless it travels or the policy cannot stand.

    Ends at rest, after LONGEST, at a fall or at the time ``until``. A blow is faced first, by steps
    to where is ``free`` only.
    """
    if role(skill) == GAIT or skill == "get_up":
        return
    if skill == STANDING:
        _brake(performer, trace, aim, until)
        return
    blow, left = role(skill) == ATTACK, LEFT.get(skill, 0.0)
    front = right_of(trace.now.xy, aim, left)
    _stand(performer, trace, front, until, GUARD if blow else 0.0)
    if blow:
        square_up(performer, trace, aim, until, free, left)


def recover(performer: Performer, trace: Trace, until: float) -> None:
    """Stand after a blow, looking ahead, before a walk: a third of those begun at once fell."""
    _stand(performer, trace, _far_ahead(trace), until, GUARD)


def square_up(performer: Performer, trace: Trace, aim: XY, until: float, free: Free = anywhere,
              left: float = 0.0) -> None:
    """Stand with ``aim`` so far to the left of straight ahead, rad: by a turn where it lies far
    aside of that, by side-steps else.

    A turn goes round by whole steps, so small angles are made up for by going, not by turning; but
    only to where is ``free``.
    """
    for _ in range(TRIES):
        front = right_of(trace.now.xy, aim, left)
        if trace.now.fallen or abs(_aside(trace, front)) < ASIDE:
            return
        if not _turn(performer, trace, front, SQUARE_FROM, SQUARE_TO, until) \
                and not _sidestep(performer, trace, front, until, free):
            return
        _stand(performer, trace, front, until, GUARD)


def right_of(here: XY, aim: XY, angle: float) -> XY:
    """The point as far from ``here`` as ``aim`` and ``angle`` rad to its right: who faces it has
    the aim so far to the left. Metres."""
    return ahead(here, bearing(here, aim) - angle, distance(here, aim))


def _far_ahead(trace: Trace) -> XY:
    """A point straight ahead, m."""
    return ahead(trace.now.xy, trace.now.heading, FAR)


def _aside(trace: Trace, aim: XY) -> float:
    """How far ``aim`` lies to the left of straight ahead, rad."""
    return wrap(bearing(trace.now.xy, aim) - trace.now.heading)


def _sidestep(performer: Performer, trace: Trace, aim: XY, until: float, free: Free) -> bool:
    """Go sideways until ``aim`` is ahead; whether that was possible."""
    off, here = _aside(trace, aim), trace.now.xy
    skill = SIDEWAYS[1.0 if off > 0.0 else -1.0]
    side = trace.now.heading + TRAVEL[skill]
    gap = distance(here, aim) * abs(math.sin(off))
    if skill not in performer.skills or not free(ahead(here, side, gap)):
        return False
    performer.command(skill, ahead(here, side, FAR))
    end = min(until - 1e-6, trace.now.time + LONGEST_SIDE)
    while off * _aside(trace, aim) > abs(off) * ASIDE_TO and _goes_on(trace, end):
        trace.add(performer.step())
    return True


def _stand(performer: Performer, trace: Trace, aim: XY, until: float, longer: float = 0.0) -> None:
    """Come to rest, and stay so much ``longer``, s; who is at rest already has no need of that."""
    if STANDING not in performer.skills or not _moves(trace.states):
        return
    _brake(performer, trace, aim, until)
    performer.command(STANDING, aim)
    end = min(until, trace.now.time + LONGEST) - 1e-6
    while _goes_on(trace, end) and _moves(trace.states):
        trace.add(performer.step())
    _keep_on(performer, trace, until, longer)


def _brake(performer: Performer, trace: Trace, aim: XY, until: float) -> None:
    """Take the speed out of a walk, looking ahead, by a turn to the side that ``aim`` is on: the
    body goes round a little before it stands."""
    turns = [name for name in TURNS if name in performer.skills]
    if not turns or _forward_speed(trace.states) <= WALKING:
        return
    off = _aside(trace, aim)
    performer.command(max(turns, key=lambda name: TURNS[name] * off), _far_ahead(trace))
    _keep_on(performer, trace, until, BRAKE)


def _keep_on(performer: Performer, trace: Trace, until: float, seconds: float) -> None:
    """Go on with what was told for so long, no later than ``until``; s."""
    end = min(until, trace.now.time + seconds) - 1e-6
    while _goes_on(trace, end):
        trace.add(performer.step())


def _goes_on(trace: Trace, end: float) -> bool:
    return not trace.now.fallen and trace.now.time < end


def _moves(states: Sequence[WorldState]) -> bool:
    return ground_speed(states) > RESTING or turning_speed(states) > STEADY


def turn_round(performer: Performer, trace: Trace, skill: str, aim: XY, until: float,
               straight: bool = False) -> None:
    """Before a gait that would begin far off its way to ``aim``: turn on the spot as it needs.

    A forward gait faces ``aim``, a backward one turns its back to it. Out of a walk the turn begins
    at once: of 256 that were told to stand first 10 fell, of those that were not none.
    straight: the way must not begin with a curve.
    """
    if role(skill) != GAIT or distance(trace.now.xy, aim) < AT_IT:
        return
    if TRAVEL[skill]:
        aim = right_of(trace.now.xy, aim, TRAVEL[skill])
    most = TURN_FROM if _moves(trace.states) and not straight else TURN_AT_REST
    _turn(performer, trace, aim, most, TURN_TO, until)


def _turn(performer: Performer, trace: Trace, aim: XY, beyond: float, near: float, until: float
          ) -> bool:
    """Turn on the spot to an ``aim`` further aside than ``beyond``, rad; whether it was needed."""
    off = _aside(trace, aim)
    turns = [name for name, sense in TURNS.items() if sense * off > 0 and name in performer.skills]
    if abs(off) < beyond or not turns:
        return False
    end = min(until - 1e-6, trace.now.time + LONGEST_TURN)
    performer.command(turns[0], aim)
    while _goes_on(trace, end) and abs(_aside(trace, aim)) >= near:
        trace.add(performer.step())
    return True
