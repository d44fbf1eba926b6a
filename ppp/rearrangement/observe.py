"""What is seen from where one stands: a set of entities and the own state, as numbers."""
from __future__ import annotations

from typing import List, NamedTuple, Tuple

import numpy as np

from ppp.errors import unknown
from ppp.rearrangement import actions as acts
from ppp.rearrangement import vocabulary as words
from ppp.rearrangement.layout import P
from ppp.rearrangement.sight import GEOMETRY, GUARD_AT, HAZARD_AT
from ppp.rearrangement.world import State, World, place_at

MODES = ("appearance", "names")
#: steps of an episode
LIMIT = 32
#: entities seen at once, at most: the nearest
E = 24
#: an entity's numbers: its code; the code of what it lies on; kind; geometry; flags
_SUPPORT = words.CODE
_TYPE = 2 * words.CODE
_GEOMETRY = _TYPE + len(words.TYPES)
_FLAGS = _GEOMETRY + GEOMETRY
#: within reach, open, closed, lies, in the hand, in a container
FLAGS = 6
F = _FLAGS + FLAGS
_REACH, _OPEN, _CLOSED, _DOWN, _HELD, _INSIDE = range(_FLAGS, F)
#: pose (x, y in 20 m, sin, cos of heading), in the yard, hand full, last action done, impossible,
#: failed, time, noticed, burnt
OWN = 12
S = OWN + len(acts.SKILLS) + P + words.CODE


class Sizes(NamedTuple):
    """Numbers of the own state; entities at once; numbers of an entity."""

    S: int
    E: int
    F: int


OBS = Sizes(S, E, F)


class Observation(NamedTuple):
    """self_state (S,), entities (E, F), mask (E,): which are there, names (E,): in ``NAMES``.

    Rows of ``entities`` and entries of ``names`` where ``mask`` is False are 0. In the mode
    "names" the codes of what is seen are 0: a model has the names instead.
    """

    self_state: np.ndarray
    entities: np.ndarray
    mask: np.ndarray
    names: np.ndarray


class View(NamedTuple):
    """What is in view: points (P + 2,) bool, things (n,) bool, holders whose inside is (H,)."""

    points: np.ndarray
    things: np.ndarray
    inside: np.ndarray


_CODES, _NOISES = words.appearance(), words.noises()
_POINTS = [words.NAME[n] for n in (*words.PLACES, words.GUARD, words.HAZARD)]
_POINT_TYPES = [*words.PLACE_TYPE, words.TYPES.index("guard"), words.TYPES.index("hazard")]
_CONTAINERS = slice(len(words.SURFACES), len(words.HOLDERS))
_OPENABLE = [words.PLACE[n] for n in words.OPENABLE]
_DUMMIES = slice(words.PLACE[words.DUMMIES[0]], words.PLACE[words.DUMMIES[-1]] + 1)
_SKILL = {skill: i for i, skill in enumerate(acts.SKILLS)}


class Eyes:
    """Makes the observations of one episode; ``noise``: which noise each point and thing has."""

    def __init__(self, world: World, noise: List[int], mode: str) -> None:
        if mode not in MODES:
            raise unknown("observation mode", mode, MODES)
        self._world, self._codes = world, mode == "appearance"
        things = [words.NAME[words.full_name(k, p)] for k, p in zip(world.kinds, world.paints)]
        self._names = np.asarray(_POINTS + things)
        looks = _CODES[self._names] + _NOISES[noise]
        self._looks = looks[: P + 2]
        self._rows = np.zeros((len(self._names), F), dtype=np.float32)
        if self._codes:
            self._rows[:, : words.CODE] = looks
        kinds = [*_POINT_TYPES, *[0] * len(things)]
        self._rows[np.arange(len(kinds)), np.asarray(kinds) + _TYPE] = 1.0
        self._there = np.ones(P + 2, dtype=bool)
        self._there[GUARD_AT], self._there[HAZARD_AT] = world.guarded, world.burning
        self._map = world.layout.exists.astype(np.float32)

    def look(self, state: State) -> Tuple[View, Observation]:
        """What is in view, and the observation but for the last action's part."""
        sight, at = self._world.sight, state.at
        points = sight.sees[at] & self._there
        shut = np.zeros(len(words.HOLDERS), dtype=bool)
        shut[_CONTAINERS] = [not o for o in state.open[:-1]]
        inside = sight.shows[at, : len(words.HOLDERS)] & ~shut
        lies = np.asarray(state.lies)
        things = inside[lies]
        if state.hold >= 0:
            things[state.hold] = False  # it is in the hand: it comes first
        seen = View(points, things, inside)
        return seen, Observation(self._own(state), *self._entities(state, seen, lies))

    def _entities(self, state: State, seen: View, lies: np.ndarray):
        at, sight = state.at, self._world.sight
        points, things = np.flatnonzero(seen.points), np.flatnonzero(seen.things)
        holders = lies[things]
        where = np.concatenate([points, holders])
        # a thing comes right after what it lies on
        rank = 2 * sight.order[at][where]
        rank[len(points):] += 1
        nearest = np.argsort(rank, kind="stable")[: E - 1]
        where = where[nearest]
        chosen = np.concatenate([points, things + P + 2])[nearest]
        k = len(chosen)
        entities = np.zeros((E, F), dtype=np.float32)
        rows = entities[:k]
        np.take(self._rows, chosen, axis=0, out=rows)
        rows[:, _GEOMETRY:_FLAGS] = sight.geometry[at, where]
        loose = np.flatnonzero(chosen >= P + 2)
        under = where[loose]
        rows[loose, _SUPPORT:_TYPE] = self._looks[under]
        rows[loose, _INSIDE] = under >= len(words.SURFACES)
        flags = self._flags(state)
        rows[:, _REACH:_DOWN + 1] = flags[where]
        rows[loose, _OPEN] = rows[loose, _CLOSED] = 0.0
        names = np.zeros(E, dtype=np.int64)
        names[:k] = self._names[chosen]
        if state.hold >= 0:
            held = P + 2 + state.hold
            entities[k] = self._rows[held]
            entities[k, _HELD] = entities[k, _REACH] = 1.0
            names[k] = self._names[held]
            k += 1
        mask = np.zeros(E, dtype=bool)
        mask[:k] = True
        return entities, mask, names

    def _flags(self, state: State) -> np.ndarray:
        """(P + 2, 4): within reach, open, closed, lies, for every point."""
        flags = np.zeros((P + 2, 4), dtype=np.float32)
        flags[:P, 0] = self._world.sight.near[state.at]
        opened = np.asarray(state.open)
        flags[_OPENABLE, 1] = opened
        flags[_OPENABLE, 2] = ~opened
        flags[_DUMMIES, 3] = state.down
        return flags

    def _own(self, state: State) -> np.ndarray:
        layout, at = self._world.layout, state.at
        own = np.zeros(S, dtype=np.float32)
        x, y = layout.stand[at]
        heading = layout.heading[at]
        own[:OWN] = (
            x / 20, y / 20, np.sin(heading), np.cos(heading), layout.side[at], state.hold >= 0,
            0, 0, 0, state.step / LIMIT, state.noticed, state.burnt,
        )  # fmt: skip
        first = OWN + len(acts.SKILLS)
        own[first : first + P] = self._map
        if self._codes:
            own[first + P :] = self._looks[place_at(at)]
        return own


def tell(observation: Observation, skill: str, invalid: bool, failed: bool) -> None:
    """Write into an observation how the last action went."""
    own = observation.self_state
    own[6:9] = (not invalid and not failed, invalid, failed)
    own[OWN + _SKILL[skill]] = 1.0
