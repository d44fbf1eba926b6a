"""What actions need and what they do: explicit rules over a small symbolic state.

As in LLaRP (Szot et al., 2024), an action whose precondition holds sets the state; any other is
a step in which nothing happens.
"""
from __future__ import annotations

from dataclasses import dataclass, field
from typing import Callable, Dict, List, Tuple

import numpy as np

from ppp.rearrangement import actions as acts
from ppp.rearrangement import vocabulary as words
from ppp.rearrangement.layout import (
    GATE_INSIDE,
    GATE_OUTSIDE,
    WALL_INSIDE,
    WALL_OUTSIDE,
    Layout,
    P,
)
from ppp.rearrangement.sight import Sight

#: where a held thing lies
HELD = -1
_HOLDERS = len(words.HOLDERS)
_FIRST_CONTAINER = len(words.SURFACES)
#: index in ``State.open`` of what opens at a place; every other place has none
OPENS: Dict[int, int] = {words.PLACE[name]: i for i, name in enumerate(words.OPENABLE)}
_GATE = len(words.OPENABLE) - 1
_FIRST_DUMMY = words.PLACE[words.DUMMIES[0]]


@dataclass(frozen=True)
class World:
    """What stays as it is during an episode. n = carried things.

    kinds: category of each. paints: paint or ''. first: holder on which each lies at first.
    guarded, burning: whether the guard and the fire are there.
    """

    layout: Layout
    sight: Sight
    kinds: Tuple[str, ...]
    paints: Tuple[str, ...]
    first: Tuple[int, ...]
    guarded: bool
    burning: bool


@dataclass
class State:
    """What changes. at: stand. hold: thing in hand or -1. lies: holder of each, HELD in hand.

    open: per OPENABLE. down: per dummy. events: when (step) something was done last, by key:
    (skill, target) or (skill, place where). noticed, burnt: whether that has happened.
    """

    at: int
    lies: List[int]
    open: List[bool]
    down: List[bool]
    hold: int = -1
    events: Dict[Tuple[str, str], int] = field(default_factory=dict)
    noticed: bool = False
    burnt: bool = False
    step: int = 0
    since: int = 0
    stage: int = 0

    def copy(self) -> "State":
        """An independent copy."""
        return State(self.at, self.lies[:], self.open[:], self.down[:], self.hold,
                     dict(self.events), self.noticed, self.burnt, self.step, self.since,
                     self.stage)

    @property
    def gate_open(self) -> bool:
        """Whether one can walk between house and yard."""
        return self.open[_GATE]


def place_at(stand: int) -> int:
    """The place that a stand is before."""
    return stand if stand < P else (GATE_INSIDE if stand == GATE_OUTSIDE else WALL_INSIDE)


def closed(state: State, holder: int) -> bool:
    """Whether what lies in a holder is shut away."""
    return holder >= _FIRST_CONTAINER and not state.open[OPENS[holder]]


def stand_for(world: World, state: State, place: int) -> int:
    """Where one ends up by walking to a place: gate and wall are approached from one's side."""
    if place in (GATE_INSIDE, WALL_INSIDE) and world.layout.side[state.at]:
        return GATE_OUTSIDE if place == GATE_INSIDE else WALL_OUTSIDE
    return place


def _missing(world: World, place: int) -> str:
    return "" if world.layout.exists[place] else f"there is no {words.PLACES[place]} here"


def _too_far(world: World, state: State, place: int) -> str:
    if world.sight.near[state.at, place]:
        return ""
    return _missing(world, place) or f"the {words.PLACES[place]} is out of reach"


def _check_move(world: World, state: State, action: acts.Action) -> str:
    place = words.PLACE[action.target]
    if not world.layout.exists[place]:
        return _missing(world, place)
    side = world.layout.side
    if side[stand_for(world, state, place)] != side[state.at] and not state.gate_open:
        return "the gate is closed"
    return ""


def within_reach(world: World, state: State, category: str) -> int:
    """The first thing of a category that can be taken from here, or -1."""
    near = world.sight.near[state.at]
    for i, kind in enumerate(world.kinds):
        if kind == category and state.lies[i] != HELD:
            holder = state.lies[i]
            if near[holder] and not closed(state, holder):
                return i
    return -1


def _check_pick(world: World, state: State, action: acts.Action) -> str:
    if state.hold >= 0:
        return f"the hand is not empty: it holds the {world.kinds[state.hold]}"
    if within_reach(world, state, action.target) < 0:
        return f"no {action.target} is within reach"
    return ""


def _check_place(world: World, state: State, action: acts.Action) -> str:
    if state.hold < 0:
        return "the hand is empty"
    place = words.PLACE[action.target]
    far = _too_far(world, state, place)
    return far or (f"the {action.target} is closed" if closed(state, place) else "")


def _check_open(world: World, state: State, action: acts.Action) -> str:
    place = words.PLACE[action.target]
    far = _too_far(world, state, place)
    return far or (f"the {action.target} is open already" if state.open[OPENS[place]] else "")


def _check_close(world: World, state: State, action: acts.Action) -> str:
    place = words.PLACE[action.target]
    far = _too_far(world, state, place)
    return far or ("" if state.open[OPENS[place]] else f"the {action.target} is closed already")


def _check_strike(world: World, state: State, action: acts.Action) -> str:
    place = words.PLACE[action.target]
    far = _too_far(world, state, place)
    return far or (f"the {action.target} lies already" if state.down[place - _FIRST_DUMMY] else "")


def _check_jump(world: World, state: State, action: acts.Action) -> str:
    return _too_far(world, state, WALL_INSIDE)


def _always(world: World, state: State, action: acts.Action) -> str:
    return ""


_CHECKS: Dict[str, Callable[[World, State, acts.Action], str]] = {
    **{skill: _check_move for skill in acts.MOVES},
    acts.PICK: _check_pick, acts.PLACE: _check_place, acts.OPEN: _check_open,
    acts.CLOSE: _check_close, **{skill: _check_strike for skill in acts.STRIKES},
    acts.JUMP: _check_jump, acts.BLOCK: _always, acts.TAUNT: _always, acts.WAIT: _always,
}  # fmt: skip


def why_not(world: World, state: State, action: acts.Action) -> str:
    """Why an action cannot be done in a state, '' where it can."""
    return _CHECKS[action.skill](world, state, action)


def apply(world: World, state: State, action: acts.Action) -> None:
    """Do a possible action: change ``state`` in place. The clock is the caller's."""
    skill, target = action.skill, action.target
    if skill in acts.MOVES:
        _walk(world, state, skill, stand_for(world, state, words.PLACE[target]))
    elif skill == acts.PICK:
        state.hold = within_reach(world, state, target)
        state.lies[state.hold] = HELD
    elif skill == acts.PLACE:
        state.lies[state.hold] = words.PLACE[target]
        state.hold = -1
    elif skill in (acts.OPEN, acts.CLOSE):
        state.open[OPENS[words.PLACE[target]]] = skill == acts.OPEN
    elif skill in acts.STRIKES:
        state.down[words.PLACE[target] - _FIRST_DUMMY] = True
    elif skill == acts.JUMP:
        state.at = WALL_OUTSIDE if state.at == WALL_INSIDE else WALL_INSIDE
    state.events[skill, target] = state.step
    if not target:  # where one blocks, taunts or waits may matter
        state.events[skill, words.PLACES[place_at(state.at)]] = state.step


def _walk(world: World, state: State, skill: str, end: int) -> None:
    if world.guarded and skill != acts.SNEAK and world.sight.noticed[state.at, end]:
        state.noticed = True
    if world.burning and world.sight.burnt[state.at, end]:
        state.burnt = True
    state.at = end


def possible(world: World, state: State, allowed: Tuple[acts.Action, ...]) -> np.ndarray:
    """Which of some actions can be done, (len(allowed),) bool."""
    return np.asarray([not why_not(world, state, a) for a in allowed])
