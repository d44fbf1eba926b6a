"""Where things stand: a house of six rooms and a yard from a number, in metres.

The building has three columns and two rows of rooms with doors between them; the yard lies east
of it, behind a gate and a low wall that one can look and jump over. Layouts 0 to 59 are for
training, 60 to 79 for validation, 80 to 99 are held out.
"""
from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Dict, List, Tuple

import numpy as np

from ppp.planning.geometry import to_segment
from ppp.rearrangement import vocabulary as words

TRAIN_LAYOUTS = range(0, 60)
VALIDATION_LAYOUTS = range(60, 80)
HELD_OUT_LAYOUTS = range(80, 100)

COLUMNS, ROWS = 3, 2
YARD = COLUMNS * ROWS
ROOM_NAMES: Tuple[str, ...] = ("room 1", "room 2", "room 3", "room 4", "room 5", "room 6", "yard")
DOOR = 1.2
#: one stands this far before a thing, and this far from it one can reach it, m
STAND_OFF, REACH = 0.75, 1.0
#: between two things, m
GAP = 1.45
#: places: the stands 0 .. P-1 are before them; gate and wall have a second one in the yard
P = len(words.PLACES)
GATE_INSIDE, WALL_INSIDE = words.PLACE[words.GATE], words.PLACE[words.WALL]
GATE_OUTSIDE, WALL_OUTSIDE = P, P + 1
STANDS = P + 2
HOUSE, OUTSIDE = 0, 1

Segment = Tuple[float, float, float, float]


@dataclass(frozen=True)
class Layout:
    """A furnished house. P places (``PLACES``), S = P + 2 stands, all in m, world frame.

    exists (P,): what this house has. xy (P, 2): centres. stand (S, 2), heading (S,): where one
    stands before a place, and the direction one looks in, rad. room (P,): index in
    ``ROOM_NAMES``. side (S,): HOUSE or OUTSIDE. rooms: x0, y0, x1, y1 of each. walls: segments
    that nobody sees through. doors: (room, room) to centre. guard, hazard (2,): where they are
    in the episodes that have them.
    """

    number: int
    exists: np.ndarray
    xy: np.ndarray
    stand: np.ndarray
    heading: np.ndarray
    room: np.ndarray
    side: np.ndarray
    rooms: Tuple[Segment, ...]
    walls: np.ndarray
    doors: Dict[Tuple[int, int], Tuple[float, float]]
    guard: np.ndarray
    hazard: np.ndarray

    def names(self, group: Tuple[str, ...]) -> Tuple[str, ...]:
        """Those of a group of places that this house has."""
        return tuple(n for n in group if self.exists[words.PLACE[n]])


@lru_cache(maxsize=None)
def make_layout(number: int) -> Layout:
    """The house of that number; always the same."""
    for attempt in range(200):
        found = _Builder(np.random.default_rng([number, attempt])).build(number)
        if found is not None:
            return found
    raise AssertionError(f"layout {number}: no room for the furniture")  # pragma: no cover


class _Builder:
    """Draws one layout; ``build`` gives None where the furniture finds no place."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        xs = np.concatenate([[0.0], np.cumsum(rng.uniform(4.2, 5.4, COLUMNS))])
        ys = np.concatenate([[0.0], np.cumsum(rng.uniform(3.8, 4.8, ROWS))])
        self.width, self.height = float(xs[-1]), float(ys[-1])
        cells = [(xs[c], ys[r], xs[c + 1], ys[r + 1]) for r in range(ROWS) for c in range(COLUMNS)]
        yard = (self.width, 0.0, self.width + float(rng.uniform(8.0, 10.0)), self.height)
        self.rooms: List[Segment] = [tuple(map(float, cell)) for cell in (*cells, yard)]
        self.walls: List[Segment] = []
        self.doors: Dict[Tuple[int, int], Tuple[float, float]] = {}
        self.taken: List[Tuple[float, float]] = []
        self.stands: List[Tuple[float, float]] = []

    def build(self, number: int) -> "Layout | None":
        self._inner_walls()
        self._outer_walls()
        exists = self._which()
        xy = np.full((P, 2), np.nan)
        stand, room = np.full((STANDS, 2), np.nan), np.full(P, -1)
        self._gate(xy, stand, room)
        for place, where in self._rooms_of(exists):
            spot = self._spot(where, place)
            if spot is None:
                return None
            xy[place], stand[place] = spot
            room[place] = where
            self.taken.append(spot[0])
            self.stands.append(spot[1])
        hazard = self._hazard(stand)
        if hazard is None:
            return None
        looked = np.concatenate([xy, xy[[GATE_INSIDE, WALL_INSIDE]]]) - stand
        side = np.concatenate([(room == YARD).astype(int), [OUTSIDE, OUTSIDE]])
        side[[GATE_INSIDE, WALL_INSIDE]] = HOUSE
        return Layout(
            number, exists, xy, stand, np.arctan2(looked[:, 1], looked[:, 0]), room, side,
            tuple(self.rooms), np.asarray(self.walls), self.doors, self._guard(xy, stand, exists),
            np.asarray(hazard),
        )  # fmt: skip

    def _inner_walls(self) -> None:
        """A wall between neighbours, with a door in all of a random tree and in half the rest."""
        pairs = [(r, r + 1) for r in range(YARD) if (r + 1) % COLUMNS]
        pairs += [(r, r + COLUMNS) for r in range(YARD - COLUMNS)]
        group = list(range(YARD))
        for i in self.rng.permutation(len(pairs)):
            a, b = pairs[i]
            joined = group[a] == group[b]
            if joined and self.rng.random() < 0.5:
                self._wall(a, b, door=False)
                continue
            self._wall(a, b, door=True)
            old, new = group[b], group[a]
            group = [new if g == old else g for g in group]

    def _wall(self, a: int, b: int, door: bool) -> None:
        x0, y0, x1, y1 = self.rooms[b]
        upright = b == a + 1
        line = (x0, y0, x0, y1) if upright else (x0, y0, x1, y0)
        if not door:
            self.walls.append(line)
            return
        low, high = (y0, y1) if upright else (x0, x1)
        middle = float(self.rng.uniform(low + 1.2, high - 1.2))
        self.doors[a, b] = self.doors[b, a] = (x0, middle) if upright else (middle, y0)
        self._pierced(line, middle)

    def _pierced(self, line: Segment, middle: float) -> None:
        """The two pieces of a wall beside an opening."""
        x0, y0, x1, y1 = line
        if x0 == x1:
            self.walls += [(x0, y0, x0, middle - DOOR / 2), (x0, middle + DOOR / 2, x0, y1)]
        else:
            self.walls += [(x0, y0, middle - DOOR / 2, y0), (middle + DOOR / 2, y0, x1, y0)]

    def _outer_walls(self) -> None:
        h, end = self.height, self.rooms[YARD][2]
        self.walls += [(0.0, 0.0, end, 0.0), (0.0, h, end, h), (0.0, 0.0, 0.0, h)]
        self.walls += [(end, 0.0, end, h)]

    def _which(self) -> np.ndarray:
        """All but up to two surfaces, one container, one dummy and one landmark."""
        exists = np.ones(P, dtype=bool)
        groups = ((words.SURFACES, 2), (words.CONTAINERS, 1), (words.DUMMIES, 1),
                  (words.LANDMARKS, 1))
        for group, most in groups:
            gone = self.rng.choice(len(group), int(self.rng.integers(0, most + 1)), replace=False)
            for i in gone:
                exists[words.PLACE[group[i]]] = False
        return exists

    def _gate(self, xy: np.ndarray, stand: np.ndarray, room: np.ndarray) -> None:
        """Gate and low wall in the building's east side, one in each of its two rooms."""
        east = [COLUMNS - 1, 2 * COLUMNS - 1]
        first = int(self.rng.integers(2))
        w = self.width
        for place, where in ((GATE_INSIDE, east[first]), (WALL_INSIDE, east[1 - first])):
            _, y0, _, y1 = self.rooms[where]
            y = float(self.rng.uniform(y0 + 1.2, y1 - 1.2))
            xy[place], room[place] = (w, y), where
            stand[place] = (w - STAND_OFF, y)
            stand[GATE_OUTSIDE if place == GATE_INSIDE else WALL_OUTSIDE] = (w + STAND_OFF, y)
            self.taken.append((w, y))
            self.stands += [(w - STAND_OFF, y), (w + STAND_OFF, y)]
            if place == GATE_INSIDE:  # its bars hide what is behind
                self.walls.append((w, y0, w, y1))
                self.doors[where, YARD] = self.doors[YARD, where] = (w, y)
            else:
                self._pierced((w, y0, w, y1), y)

    def _rooms_of(self, exists: np.ndarray) -> List[Tuple[int, int]]:
        """(place, room): holders round the rooms, most dummies and landmarks in the yard."""
        holders = [i for i in range(len(words.HOLDERS)) if exists[i]]
        order = self.rng.permutation(len(holders))
        start = int(self.rng.integers(YARD))
        found = [(holders[i], (start + k) % YARD) for k, i in enumerate(order)]
        for group, outside in ((words.DUMMIES, 3), (words.LANDMARKS, 2)):
            places = [words.PLACE[n] for n in group if exists[words.PLACE[n]]]
            for k, i in enumerate(self.rng.permutation(len(places))):
                where = YARD if k < outside else int(self.rng.integers(YARD))
                found.append((places[i], where))
        return found

    def _spot(self, where: int, place: int) -> "Tuple | None":
        """A free spot and the stand before it: holders at the walls, the rest in the open."""
        x0, y0, x1, y1 = self.rooms[where]
        against = place < len(words.HOLDERS)
        inset = 0.45 if against else 1.0
        for u, v, w in self.rng.random((80, 3)).tolist():
            x, y = x0 + inset + u * (x1 - x0 - 2 * inset), y0 + inset + v * (y1 - y0 - 2 * inset)
            if against:
                side = int(4 * w)
                x = (x0 + inset, x1 - inset, x, x)[side]
                y = (y, y, y0 + inset, y1 - inset)[side]
                toward = ((1, 0), (-1, 0), (0, 1), (0, -1))[side]
            else:
                angle = 2.0 * math.pi * w
                toward = (math.cos(angle), math.sin(angle))
            spot = (x, y)
            stand = (spot[0] + STAND_OFF * toward[0], spot[1] + STAND_OFF * toward[1])
            if self._free(spot, stand):
                return spot, stand
        return None

    def _free(self, spot: Tuple[float, float], stand: Tuple[float, float]) -> bool:
        far = all(math.dist(spot, t) > GAP and math.dist(stand, t) > 1.05 for t in self.taken)
        clear = all(math.dist(spot, s) > 1.05 for s in self.stands)
        doors = all(math.dist(spot, d) > 1.1 for d in self.doors.values())
        return far and clear and doors

    def _hazard(self, stand: np.ndarray) -> "Tuple | None":
        """The pit in the yard: off everything that stands there, by preference in the way."""
        x0, y0, x1, y1 = self.rooms[YARD]
        stand = stand.tolist()
        there = [s for s in range(STANDS) if stand[s][0] > x0]  # nan: not in this house
        best, score = None, 0
        for u, v in self.rng.random((60, 2)).tolist():
            spot = (x0 + 1.5 + u * (x1 - x0 - 3.0), y0 + 1.2 + v * (y1 - y0 - 2.4))
            if min(math.dist(spot, stand[s]) for s in there) < PIT + 0.15:
                continue
            crossed = sum(
                to_segment(spot, stand[a], stand[b]) < PIT for a in (GATE_OUTSIDE, WALL_OUTSIDE)
                for b in there
            )
            if crossed > score:
                best, score = spot, crossed
        return best

    def _guard(self, xy: np.ndarray, stand: np.ndarray, exists: np.ndarray) -> np.ndarray:
        """Beside a landmark or a dummy that one could sneak to."""
        group = [words.PLACE[n] for n in (*words.LANDMARKS, *words.DUMMIES)]
        place = int(self.rng.choice([p for p in group if exists[p]]))
        away = xy[place] - stand[place]
        turn = float(self.rng.choice([-1.0, 1.0])) * 0.7
        c, s = math.cos(turn), math.sin(turn)
        beside = np.array([c * away[0] - s * away[1], s * away[0] + c * away[1]])
        return xy[place] + 1.2 * beside / np.linalg.norm(beside)


#: the fire pit burns whoever's way comes this near to its middle, m
PIT = 0.9
