"""From a task to its scene: what it demands is put in place, the rest is drawn from its seed."""
from __future__ import annotations

import random
from typing import Dict, List, Tuple

from ppp.errors import PPPError
from ppp.rearrangement import vocabulary as words
from ppp.rearrangement.layout import P, make_layout
from ppp.rearrangement.sight import sight_of
from ppp.rearrangement.task import Task
from ppp.rearrangement.world import State, World

#: carried things in a scene; kinds have 1, 2 or 3 instances with these odds
THINGS = (30, 38)
COPIES = (0.78, 0.95)
#: odds that a container, and that the gate, is open at first
CONTAINER_OPEN, GATE_OPEN = 0.6, 0.6
#: most things that lie on one holder at first
CROWDED = 6
_GATE = words.PLACE[words.GATE]
_USUAL = (*words.TRAINED, *words.WITHHELD)


def furnish(task: Task) -> Tuple[World, State, List[int]]:
    """The scene of a task: world, first state, and which noise (``noises``) each thing has."""
    layout = make_layout(task.layout)
    rng = random.Random(task.seed)
    shelves = _Shelves(task, [p for p in range(len(words.HOLDERS)) if layout.exists[p]], rng)
    for category, paint, holder in task.setup.things:
        shelves.put(category, paint, holder)
    shelves.fill()
    world = World(layout, sight_of(task.layout), tuple(shelves.kinds), tuple(shelves.paints),
                  tuple(shelves.lies), task.setup.guarded, task.setup.burning)
    state = State(_start(task, layout.exists, rng), shelves.lies[:], _opened(task, rng),
                  [name in task.setup.down for name in words.DUMMIES])
    noise = [rng.randrange(words.NOISES) for _ in shelves.kinds]
    # furniture looks a little different from house to house, not from visit to visit
    fixed = random.Random(task.layout)
    return world, state, [fixed.randrange(words.NOISES) for _ in range(P + 2)] + noise


class _Shelves:
    """Puts things on holders: no two of a kind on one, nothing where the task forbids it."""

    def __init__(self, task: Task, holders: List[int], rng: random.Random) -> None:
        self.task, self.holders, self.rng = task, holders, rng
        self.kinds: List[str] = []
        self.paints: List[str] = []
        self.lies: List[int] = []
        self._used: Dict[str, List[int]] = {}
        self._painted: Dict[str, List[str]] = {}
        self._load = [0] * len(words.HOLDERS)
        for category, holder in task.setup.off:
            self._used.setdefault(category, []).append(words.PLACE[holder])
        for category, _, holder in task.setup.things:
            if holder:  # it will lie there: no other of its kind may
                self._used.setdefault(category, []).append(words.PLACE[holder])

    def put(self, category: str, paint: str = "", holder: str = "") -> bool:
        """Add one thing; False where its kind finds no place any more."""
        used = self._used.setdefault(category, [])
        if holder:
            place = words.PLACE[holder]
            if place not in self.holders:
                raise PPPError(f"task: layout {self.task.layout} has no {holder}: take a layout "
                               "that has one")
        else:
            free = [h for h in self.holders if h not in used and self._load[h] < CROWDED]
            if not free:
                return False
            place = self.rng.choice(free)
            used.append(place)
        if category in words.PAINTED:
            paint = paint or self._paint(category)
            self._painted.setdefault(category, []).append(paint)
        self._load[place] += 1
        self.kinds.append(category)
        self.paints.append(paint)
        self.lies.append(place)
        return True

    def _paint(self, category: str) -> str:
        asked = [p for c, p, _ in self.task.setup.things if c == category]
        taken = (*self._painted.get(category, ()), *asked)
        return self.rng.choice([p for p in words.PAINTS if p not in taken])

    def fill(self) -> None:
        """Add other things up to the usual number."""
        setup = self.task.setup
        gone = {*setup.without, *setup.only}
        pool = [c for c in _USUAL if c not in gone]
        self.rng.shuffle(pool)
        wanted = self.rng.randint(*THINGS)
        for category in pool:
            if len(self.kinds) >= wanted:
                break
            draw = self.rng.random()
            have = self.kinds.count(category)
            for _ in range(have, 1 if draw < COPIES[0] else 2 if draw < COPIES[1] else 3):
                self.put(category)


def _opened(task: Task, rng: random.Random) -> List[bool]:
    found = []
    for name in words.OPENABLE:
        drawn = rng.random() < (GATE_OPEN if name == words.GATE else CONTAINER_OPEN)
        always = name == words.GATE and task.preset == "parity"
        found.append(task.setup.state.get(name, drawn or always))
    return found


def _start(task: Task, exists, rng: random.Random) -> int:
    last = len(words.HOLDERS) if task.preset == "parity" else P
    places = [p for p in range(last) if exists[p]]
    drawn = rng.choice(places)
    return words.PLACE[task.setup.start] if task.setup.start else drawn
