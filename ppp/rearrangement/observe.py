"""What is seen from where one stands: a set of entities and the own state, as numbers."""
from __future__ import annotations

from typing import Dict, List, NamedTuple, Tuple

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
#: within reach, open, closed, lies, in the hand, in a container, what the last action was done to
FLAGS = 7
F = _FLAGS + FLAGS
_REACH, _OPEN, _CLOSED, _DOWN, _HELD, _INSIDE, _LAST = range(_FLAGS, F)
#: pose (x, y in 20 m, sin, cos of heading), in the yard, hand full, last action done, impossible,
#: failed, time, noticed, burnt
OWN = 12
S = OWN + len(acts.SKILLS) + P + words.CODE
#: what is remembered for whoever looks: the last action, how it went, to what it was done, and how
#: late it is; numbers of the own state, number of an entity
ECHO_OWN = (6, 7, 8, 9, *range(OWN, OWN + len(acts.SKILLS)))
ECHO_ENTITY = _LAST


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


class _Stand(NamedTuple):
    """What never changes where one stands: k points in view, the own state, holders' columns."""

    points: np.ndarray
    index: np.ndarray
    rows: np.ndarray
    names: np.ndarray
    own: np.ndarray
    holders: np.ndarray
    rank: np.ndarray


_CODES, _NOISES = words.appearance(), words.noises()
_POINTS = [words.NAME[n] for n in (*words.PLACES, words.GUARD, words.HAZARD)]
_POINT_TYPES = [*words.PLACE_TYPE, words.TYPES.index("guard"), words.TYPES.index("hazard")]
_CONTAINERS = slice(len(words.SURFACES), len(words.HOLDERS))
_OPENABLE = [words.PLACE[n] for n in words.OPENABLE]
_DUMMIES = slice(words.PLACE[words.DUMMIES[0]], words.PLACE[words.DUMMIES[-1]] + 1)
_SKILL = {skill: i for i, skill in enumerate(acts.SKILLS)}


_MASKS = np.tri(E + 1, E, -1, dtype=bool)
H = len(words.HOLDERS)


class Eyes:
    """Makes the observations of one episode; ``noise``: which noise each point and thing has."""

    def __init__(self, world: World, noise: List[int], mode: str) -> None:
        if mode not in MODES:
            raise unknown("observation mode", mode, MODES)
        self._world, self._codes = world, mode == "appearance"
        things = [words.NAME[words.full_name(k, p)] for k, p in zip(world.kinds, world.paints)]
        names = np.asarray(_POINTS + things)
        looks = _CODES[names] + _NOISES[noise]
        rows = np.zeros((len(names), F), dtype=np.float32)
        if self._codes:
            rows[:, : words.CODE] = looks
        kinds = [*_POINT_TYPES, *[0] * len(things)]
        rows[np.arange(len(kinds)), np.asarray(kinds) + _TYPE] = 1.0
        self._looks, self._points, self._things = looks[: P + 2], rows[: P + 2], rows[P + 2 :]
        self._names = names[P + 2 :]
        self._stands: Dict[int, _Stand] = {}
        self._doors: Tuple[bool, ...] = ()

    def look(self, state: State) -> Tuple[View, Observation]:
        """What is in view, and the observation but for the last action's part."""
        at = state.at
        stand = self._stands.get(at) or self._stand(at)
        self._look_at_doors(state)
        inside = self._world.sight.shows[at, :H] & self._ajar
        lies = np.asarray(state.lies)
        things = inside[lies]
        if state.hold >= 0:
            things[state.hold] = False  # it is in the hand: it comes last
        seen = View(stand.points, things, inside)
        own = stand.own.copy()
        own[5], own[9:OWN] = state.hold >= 0, (state.step / LIMIT, state.noticed, state.burnt)
        return seen, Observation(own, *self._entities(state, stand, things.nonzero()[0], lies))

    def _entities(
        self, state: State, stand: _Stand, things: np.ndarray, lies: np.ndarray
    ) -> Tuple[np.ndarray, np.ndarray, np.ndarray]:
        holders, k = lies[things], len(stand.index)
        total = k + len(things)
        rows = np.empty((max(total, E), F), dtype=np.float32)
        rows[:k] = stand.rows
        rows[:k, _OPEN:_HELD] = self._flags[stand.index]
        rows[k:total] = self._things[things]
        rows[k:total] += stand.holders[holders]
        names = np.zeros(len(rows), dtype=np.int64)
        names[:k], names[k:total] = stand.names, self._names[things]
        if total > E - 1:  # the nearest; a thing comes right after what it lies on
            rank = 2 * np.concatenate([stand.rank[stand.index], stand.rank[holders]])
            rank[k:] += 1
            nearest = np.argsort(rank, kind="stable")[: E - 1]
            rows[: E - 1], names[: E - 1] = rows[nearest], names[nearest]
            rows, names, total = rows[:E], names[:E], E - 1
        if state.hold >= 0:
            rows[total], names[total] = self._things[state.hold], self._names[state.hold]
            rows[total, [_HELD, _REACH]] = 1.0
            total += 1
        rows[total:], names[total:] = 0.0, 0
        return rows, _MASKS[total].copy(), names

    def _look_at_doors(self, state: State) -> None:
        """Keep, until one changes: holders that show their inside (H,), and for every point
        (P + 2, 3) whether it is open, closed, lies."""
        key = (*state.open, *state.down)
        if key == self._doors:
            return
        self._doors, opened = key, np.asarray(state.open)
        self._ajar = np.ones(H, dtype=bool)
        self._ajar[_CONTAINERS] = opened[:-1]
        self._flags = np.zeros((P + 2, 3), dtype=np.float32)
        self._flags[_OPENABLE, 0], self._flags[_OPENABLE, 1] = opened, ~opened
        self._flags[_DUMMIES, 2] = state.down

    def _stand(self, at: int) -> _Stand:
        """Work out and keep what never changes at a stand."""
        world, sight, layout = self._world, self._world.sight, self._world.layout
        points = sight.sees[at].copy()
        points[GUARD_AT] &= world.guarded
        points[HAZARD_AT] &= world.burning
        index = points.nonzero()[0]
        rows = self._points[index]
        rows[:, _GEOMETRY:_FLAGS] = sight.geometry[at, index]
        reach = np.append(sight.near[at], [False, False])
        rows[:, _REACH] = reach[index]
        holders = np.zeros((H, F), dtype=np.float32)
        holders[:, _SUPPORT:_TYPE] = self._looks[:H]
        holders[:, _GEOMETRY:_FLAGS] = sight.geometry[at, :H]
        holders[:, _REACH] = reach[:H]
        holders[_CONTAINERS, _INSIDE] = 1.0
        own, (x, y), heading = np.zeros(S, np.float32), layout.stand[at], layout.heading[at]
        own[:5] = x / 20, y / 20, np.sin(heading), np.cos(heading), layout.side[at]
        first = OWN + len(acts.SKILLS)
        own[first : first + P] = layout.exists
        if self._codes:
            own[first + P :] = self._looks[place_at(at)]
        names = np.asarray(_POINTS)[index]
        made = _Stand(points, index, rows, names, own, holders, sight.order[at])
        self._stands[at] = made
        return made


def _called(target: str) -> np.ndarray:
    """Which of ``NAMES`` an action's target means, (N,) bool: a place, or a thing in any paint."""
    return np.array([words.kind_of(name) == target for name in words.NAMES])


_MEANT = {target: _called(target) for target in {action.target for action in acts.ACTIONS}}


def tell(observation: Observation, action: acts.Action, invalid: bool, failed: bool) -> None:
    """Write into an observation what the last action was, to what it was done, and how it went.

    What was picked up is the thing in the hand; a pick in vain meant any of its kind in view.
    """
    own, entities = observation.self_state, observation.entities
    own[6:9] = (not invalid and not failed, invalid, failed)
    own[OWN + _SKILL[action.skill]] = 1.0
    meant = _MEANT[action.target][observation.names] & observation.mask
    if action.skill == acts.PICK and own[6]:
        meant &= entities[:, _HELD] > 0
    entities[:, _LAST] = meant
