"""The scripted search expert: it knows the instruction's meaning and the house, and looks.

It has no privileged knowledge: where things lie, what is open and which way an "if" goes it knows
only from what it has seen. It may be asked in any state, so that a learner's own mistakes can be
corrected (DAgger; Ross et al., 2011). It looks through the holders in the order of their list
from where it stands: a walk is one step however long, so no order is better, and this one can be
told from what is seen.
"""
from __future__ import annotations

from typing import Any, List, Optional, Sequence, Tuple

import numpy as np

from ppp.rearrangement import actions as acts
from ppp.rearrangement import vocabulary as words
from ppp.rearrangement.goals import candidates
from ppp.rearrangement.layout import GATE_INSIDE, P
from ppp.rearrangement.task import Task
from ppp.rearrangement.world import (
    _FIRST_DUMMY,
    HELD,
    OPENS,
    State,
    World,
    place_at,
    stand_for,
)

#: not seen yet
UNKNOWN = -2
_H = len(words.HOLDERS)
_OPENABLE = [words.PLACE[name] for name in words.OPENABLE]
_GATE = words.OPENABLE.index(words.GATE)
_WAIT = acts.ACTIONS[acts.INDEX[acts.WAIT, ""]]


def action(skill: str, target: str = "") -> acts.Action:
    """The action of that skill and target."""
    return acts.ACTIONS[acts.INDEX[skill, target]]


class Search:
    """Remembers what was seen in one episode, and says what to do next."""

    def __init__(self, world: World, task: Task, allowed: Sequence[acts.Action]) -> None:
        self._world, self._task = world, task
        self._takes = {words.PLACE[a.target] for a in allowed if a.skill == acts.PLACE}
        count = len(world.kinds)
        self.lies = np.full(count, UNKNOWN)
        self.first = np.full(count, UNKNOWN)
        self.looked = np.zeros(_H, dtype=bool)
        self.open: List[Optional[bool]] = [None] * len(words.OPENABLE)
        if task.preset == "parity":
            self.open[_GATE] = True  # the paper has no gate: this one never closes
        self.down: List[Optional[bool]] = [None] * len(words.DUMMIES)
        self.answer: Optional[bool] = None
        self._noted: List[Tuple[Any, List[int], int, List[bool], List[bool]]] = []

    def observe(self, seen: Any, state: State) -> None:
        """Note a view (``observe.View``); it is thought over when the expert is asked."""
        self._noted.append((seen, state.lies[:], state.hold, state.open[:], state.down[:]))

    def _think(self) -> None:
        """What is in view is believed; what should be in view and is not, is not any more."""
        for seen, lies, hold, opened, down in self._noted:
            inside, things = seen.inside, seen.things
            gone = (self.lies >= 0) & inside[np.maximum(self.lies, 0)] & ~things
            self.lies[gone] = UNKNOWN
            self.lies[things] = np.asarray(lies)[things]
            if hold >= 0:
                self.lies[hold] = HELD
            fresh = (self.first == UNKNOWN) & (self.lies != UNKNOWN)
            self.first[fresh] = self.lies[fresh]
            self.looked |= inside
            for i, place in enumerate(_OPENABLE):
                if seen.points[place]:
                    self.open[i] = opened[i]
            for i in range(len(down)):
                if seen.points[_FIRST_DUMMY + i]:
                    self.down[i] = down[i]
            if self._task.look and self.answer is None:
                self.answer = self._known(self._task.look)
        self._noted.clear()

    def act(self, state: State) -> acts.Action:
        """The next action, whatever was done so far."""
        self._think()
        if self._task.look and self.answer is None:
            return self._look_at(state, self._task.look[1])
        stages = self._task.stages
        if self._task.branches:
            stages = self._task.branches[0 if self.answer else 1]
        wanted = [*stages[min(state.stage, len(stages) - 1)]]
        return self._mend(state) or self._first_of(state, wanted) or _WAIT

    def _known(self, condition: Sequence[Any]) -> Optional[bool]:
        """What is known of the condition of an "if"."""
        name, target = condition
        if name in ("open", "shut"):
            held = self.open[OPENS[words.PLACE[target]]]
        else:
            held = self.down[words.PLACE[target] - _FIRST_DUMMY]
        return held if held is None or name in ("open", "down") else not held

    def _first_of(self, state: State, wanted: List[Sequence[Any]]) -> Optional[acts.Action]:
        """Work on the first condition that does not hold; before it, on what the hand is for."""
        if state.hold >= 0:
            for condition in wanted:
                if condition[0] in ("on", "all_on") and not self._holds(state, condition):
                    if state.hold in candidates(self._world, condition[1]):
                        return self._bring(state, condition[2])
        for condition in wanted:
            if not self._holds(state, condition):
                return getattr(self, f"_make_{condition[0]}")(state, *condition[1:])
        return None

    def _mend(self, state: State) -> Optional[acts.Action]:
        """Undo what must be as it was: another thing moved, a container opened or closed."""
        for name, target in [c for c in self._task.keep if len(c) == 2]:
            if name in ("open", "shut") and self._known([name, target]) is False:
                return getattr(self, f"_make_{name}")(state, target)
            if name != "stay":
                continue
            for i in candidates(self._world, target):
                if self.first[i] >= 0 and self.lies[i] not in (UNKNOWN, self.first[i]):
                    home = words.PLACES[self.first[i]]
                    if state.hold == i:
                        return self._bring(state, home)
                    return self._take(state, target)
        return None

    def _holds(self, state: State, condition: Sequence[Any]) -> bool:
        """Whether a condition holds, as far as it is known."""
        name, *rest = condition
        if name == "on":
            place = words.PLACE[rest[1]]
            return any(self.lies[i] == place for i in candidates(self._world, rest[0]))
        if name == "all_on":
            return False  # there may be another: the episode ends by itself
        if name == "did":
            return any(state.events.get((s, rest[1]), -1) >= state.since for s in rest[0])
        if name in ("open", "shut"):
            return bool(self._known([name, rest[0]]))
        if name in ("down", "up"):
            return bool(self._known([name, rest[0]]))
        if name == "at":
            return place_at(state.at) == words.PLACE[rest[0]]
        if name == "holding":
            return state.hold in candidates(self._world, rest[0])
        return False

    # What makes each condition true ------------------------------------------------------------

    def _make_on(self, state: State, thing: Sequence[str], holder: str) -> acts.Action:
        return self._take(state, thing)

    def _make_all_on(self, state: State, thing: Sequence[str], holder: str) -> acts.Action:
        place = words.PLACE[holder]
        for i in candidates(self._world, thing):
            if self.lies[i] not in (UNKNOWN, HELD, place):
                return self._fetch(state, i)
        return self._look_further(state)

    def _make_holding(self, state: State, thing: Sequence[str]) -> acts.Action:
        return self._take(state, thing)

    def _make_near(self, state: State, thing: Sequence[str]) -> acts.Action:
        known = self._where(thing)
        if known is None:
            return self._look_further(state)
        return self._approach(state, known) or _WAIT

    def _make_at(self, state: State, place: str) -> acts.Action:
        return self._go(state, words.PLACE[place])

    def _make_open(self, state: State, place: str) -> acts.Action:
        return self._reach(state, words.PLACE[place]) or action(acts.OPEN, place)

    def _make_shut(self, state: State, place: str) -> acts.Action:
        return self._reach(state, words.PLACE[place]) or action(acts.CLOSE, place)

    def _make_down(self, state: State, dummy: str) -> acts.Action:
        return self._make_did(state, [acts.SLASH], dummy)

    def _make_did(self, state: State, skills: Sequence[str], target: str) -> acts.Action:
        skill = skills[0]
        if skill in acts.MOVES:
            return self._go(state, words.PLACE[target], skill)
        if target and not self._world.sight.near[state.at, words.PLACE[target]]:
            return self._go(state, words.PLACE[target])
        return action(skill, target if (skill, target) in acts.INDEX else "")

    # Parts of these ----------------------------------------------------------------------------

    def _where(self, thing: Sequence[str]) -> Optional[int]:
        """A place where such a thing is known to lie, or None."""
        places = [int(self.lies[i]) for i in candidates(self._world, thing)
                  if self.lies[i] >= 0]
        return places[0] if places else None

    def _take(self, state: State, thing: Sequence[str]) -> acts.Action:
        """Get such a thing into the hand; first empty it of another."""
        if thing[2] and not self.looked[words.PLACE[thing[2]]]:
            free = self._put_away(state)
            return free or self._approach(state, words.PLACE[thing[2]]) or _WAIT
        for i in candidates(self._world, thing):
            if self.lies[i] >= 0:
                return self._fetch(state, i)
        return self._look_further(state)

    def _fetch(self, state: State, i: int) -> acts.Action:
        free = self._put_away(state)
        return (free or self._approach(state, int(self.lies[i]))
                or action(acts.PICK, self._world.kinds[i]))

    def _put_away(self, state: State) -> Optional[acts.Action]:
        """Lay what is in the hand on the nearest holder that takes it."""
        if state.hold < 0:
            return None
        near = np.flatnonzero(self._world.sight.near[state.at, :_H])
        for place in near:
            if place in self._takes and (place not in OPENS or self.open[OPENS[place]]):
                return action(acts.PLACE, words.PLACES[place])
        surfaces = [p for p in range(len(words.SURFACES)) if self._world.layout.exists[p]]
        length = self._world.sight.length[state.at]
        return self._go(state, min(surfaces, key=lambda p: length[p]))

    def _bring(self, state: State, holder: str) -> acts.Action:
        place = words.PLACE[holder]
        return self._approach(state, place) or action(acts.PLACE, holder)

    def _approach(self, state: State, holder: int) -> Optional[acts.Action]:
        """Stand before a holder with its door open; None when that is so."""
        walk = self._reach(state, holder)
        if walk is None and holder in OPENS and self.open[OPENS[holder]] is False:
            return action(acts.OPEN, words.PLACES[holder])
        return walk

    def _look_further(self, state: State) -> acts.Action:
        """Look at the next holder that was not looked through yet."""
        here = place_at(state.at)
        start = here if here < _H else 0
        for k in range(_H):
            holder = (start + k) % _H
            if self._world.layout.exists[holder] and not self.looked[holder]:
                return self._approach(state, holder) or _WAIT
        self.looked[:] = False  # something was moved meanwhile: begin again
        return _WAIT

    def _look_at(self, state: State, name: str) -> acts.Action:
        return self._reach(state, words.PLACE[name]) or _WAIT

    def _reach(self, state: State, place: int) -> Optional[acts.Action]:
        """Walk until a place is in reach; None when it is."""
        if self._world.sight.near[state.at, place]:
            return None
        return self._go(state, place)

    def _go(self, state: State, place: int, skill: str = acts.GO) -> acts.Action:
        """The next walk towards a place: through the gate, round the fire where that counts."""
        side, end = self._world.layout.side, stand_for(self._world, state, place)
        crossing = side[end] != side[state.at]
        careful = any(c[0] == "unburnt" for c in self._task.keep)
        if crossing and (careful or not self.open[_GATE]):
            if place_at(state.at) != GATE_INSIDE:
                return self._straight(state, GATE_INSIDE, acts.GO, careful)
            if not self.open[_GATE]:
                return action(acts.OPEN, words.GATE)
        return self._straight(state, place, skill, careful)

    def _straight(self, state: State, place: int, skill: str, careful: bool) -> acts.Action:
        if careful:
            place, skill = self._detour(state, place, skill)
        return action(skill, words.PLACES[place])

    def _detour(self, state: State, place: int, skill: str) -> Tuple[int, str]:
        """The first walk of the shortest chain of walks that all keep clear of the fire."""
        world, burnt = self._world, self._world.sight.burnt
        side, length = world.layout.side, world.sight.length
        end = stand_for(world, state, place)
        if not burnt[state.at, end]:
            return place, skill
        best, via = np.inf, place
        for middle in range(P):
            stop = stand_for(world, state, middle)
            if not world.layout.exists[middle]:
                continue
            if side[stop] != side[state.at] and not self.open[_GATE]:
                continue
            total = length[state.at, stop] + length[stop, end]
            if not burnt[state.at, stop] and not burnt[stop, end] and total < best:
                best, via = total, middle
        return via, acts.GO if via != place else skill
