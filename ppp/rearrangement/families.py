"""The families of training: each draws its slots, its goal and what its scene must hold."""
from __future__ import annotations

import random
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

from ppp.rearrangement import actions as acts
from ppp.rearrangement import vocabulary as words
from ppp.rearrangement import wordings
from ppp.rearrangement.layout import GATE_OUTSIDE, Layout, make_layout
from ppp.rearrangement.sight import sight_of
from ppp.rearrangement.task import Setup

Slots = Dict[str, str]


@dataclass
class Draft:
    """A task in the making: slots of its text, goal, scene. frames: which wordings it takes."""

    frames: str
    slots: Slots
    stages: List[List[List[Any]]]
    steps: List[List[List[Any]]]
    setup: Setup
    keep: List[List[Any]] = field(default_factory=list)
    look: List[Any] = field(default_factory=list)
    branches: List[List[List[List[Any]]]] = field(default_factory=list)


@dataclass(frozen=True)
class Thing:
    """A thing as a text mentions it, and as a goal means it: [category, paint, holder]."""

    category: str
    paint: str = ""
    mention: str = ""
    without: Tuple[str, ...] = ()

    def means(self, holder: str = "") -> List[str]:
        """``[category, paint, holder]``."""
        return [self.category, self.paint, holder]


class Slotter:
    """Draws slots in one layout, for one preset of actions."""

    def __init__(self, rng: random.Random, layout: int, preset: str = "full") -> None:
        self.rng, self.number, self.preset = rng, layout, preset
        self.layout: Layout = make_layout(layout)
        #: whether things may be named by the descriptions of training
        self.described = True
        self.names: Dict[str, Tuple[str, ...]] = _names(layout, preset)
        #: replaces what families of one thing draw from
        self.single: Sequence[str] = words.TRAINED
        self.mentions: Optional[Callable[[], Thing]] = None

    def one(self, group: str, *other: str) -> str:
        """A place of a group that is none of some others."""
        while True:
            drawn = self.rng.choice(self.names[group])
            if drawn not in other:
                return drawn

    def thing(self, pool: Sequence[str] = ()) -> Thing:
        """A thing to mention: by name, by paint and name, or by a description of training."""
        if self.mentions is not None and not pool:
            return self.mentions()
        category = self.rng.choice(pool or self.single)
        if self.described and not pool and self.rng.random() < 0.2 and (
                category in wordings.DESCRIBED):
            return Thing(category, "", self.rng.choice(wordings.DESCRIBED[category]))
        if category in words.PAINTED and self.rng.random() < 0.5:
            paint = self.rng.choice(words.PAINTS)
            return Thing(category, paint, f"the {paint} {category}")
        return Thing(category, "", f"the {category}")

    def two(self) -> Tuple[Thing, Thing]:
        """Two things of different categories, withheld ones among them."""
        pool = (*words.TRAINED, *words.WITHHELD)
        first = second = self.thing(pool)
        while second.category == first.category:
            second = self.thing(pool)
        return first, second


@lru_cache(maxsize=None)
def _names(layout: int, preset: str) -> Dict[str, Tuple[str, ...]]:
    """The places of a layout that instructions may name, by group."""
    made, full = make_layout(layout), preset == "full"
    groups = {
        "surface": words.SURFACES, "container": words.CONTAINERS, "holder": words.HOLDERS,
        "dummy": words.DUMMIES if full else (), "landmark": words.LANDMARKS,
        "openable": words.OPENABLE if full else words.CONTAINERS,
        "place": words.PLACES if full else (*words.HOLDERS, *words.LANDMARKS),
        "gait": (*words.LANDMARKS, *words.DUMMIES) if full else (),
    }
    return {name: made.names(group) for name, group in groups.items()}


def sentence(frame: str, slots: Slots) -> str:
    """A frame filled in, as a sentence: capital letter, full stop."""
    text = frame.format(**slots)
    return text[0].upper() + text[1:] + ("" if text[-1] in ".?!" else ".")


def place_slots(letter: str, place: str) -> Slots:
    """The forms of a place in a text: {y}, {on_y}, {off_y}."""
    inside = place in words.CONTAINERS
    return {letter: f"the {place}", f"on_{letter}": f"{'in' if inside else 'on'} the {place}",
            f"off_{letter}": f"{'out of' if inside else 'off'} the {place}"}


def carried(thing: List[str], y: str) -> List[List[List[Any]]]:
    """Sub-goals of carrying: stand before it, hold it, hold it there, put it down."""
    return [[["before", thing]], [["holding", thing]], [["holding", thing], ["at", y]],
            [["on", thing, y]]]


def _there(thing: Thing, holder: str = "") -> List[List[str]]:
    return [[thing.category, thing.paint, holder]]


def move(q: Slotter) -> Draft:
    """A thing, to be searched, to a surface."""
    x, y = q.thing(), q.one("surface")
    setup = Setup(_there(x), [[x.category, y]], without=list(x.without))
    return Draft("move", {"x": x.mention, **place_slots("y", y)}, [[["on", x.means(), y]]],
                 carried(x.means(), y), setup)


def move_from(q: Slotter) -> Draft:
    """A thing from a given holder to a surface."""
    x, s = q.thing(), q.one("holder")
    y = q.one("surface", s)
    setup = Setup(_there(x, s), [[x.category, y]], without=list(x.without))
    thing = x.means(s)
    return Draft("move_from", {"x": x.mention, **place_slots("s", s), **place_slots("y", y)},
                 [[["on", thing, y]]], carried(thing, y), setup)


def take_off(q: Slotter) -> Draft:
    """Take a thing off a given holder."""
    x = q.thing() if q.mentions or q.rng.random() < 0.8 else q.thing(words.WITHHELD)
    s = q.one("holder")
    thing = x.means(s)
    return Draft("take_off", {"x": x.mention, **place_slots("s", s)}, [[["holding", thing]]],
                 [[["before", thing]], [["holding", thing]]],
                 Setup(_there(x, s), without=list(x.without)))


def two_objects(q: Slotter) -> Draft:
    """Two things to one surface."""
    (x, z), y = q.two(), q.one("surface")
    setup = Setup([*_there(x), *_there(z)], [[x.category, y], [z.category, y]])
    return Draft("two_objects", {"x": x.mention, "z": z.mention, **place_slots("y", y)},
                 [[["on", x.means(), y], ["on", z.means(), y]]],
                 [*carried(x.means(), y), *carried(z.means(), y)], setup)


def swap(q: Slotter) -> Draft:
    """Two things on given surfaces change places."""
    (x, z), s = q.two(), q.one("surface")
    w = q.one("surface", s)
    setup = Setup([*_there(x, s), *_there(z, w)], [[x.category, w], [z.category, s]])
    a, b = x.means(s), z.means(w)
    slots = {"x": x.mention, "z": z.mention, **place_slots("s", s), **place_slots("w", w)}
    return Draft("swap", slots, [[["on", a, w], ["on", b, s]]],
                 [*carried(a, w), *carried(b, s)], setup)


def open_(q: Slotter) -> Draft:
    """Open a container or the gate."""
    c = q.one("openable")
    return Draft("open", place_slots("c", c), [[["open", c]]], [[["at", c]], [["open", c]]],
                 Setup(state={c: False}))


def close(q: Slotter) -> Draft:
    """Close a container or the gate."""
    c = q.one("openable")
    return Draft("close", place_slots("c", c), [[["shut", c]]], [[["at", c]], [["shut", c]]],
                 Setup(state={c: True}))


def go(q: Slotter) -> Draft:
    """Walk to a place."""
    p = q.one("place")
    return Draft("go", place_slots("p", p), [[["at", p]]], [[["at", p]]],
                 Setup(start=q.one("place", p)))


def run(q: Slotter) -> Draft:
    """Arrive at a landmark or a dummy at a run."""
    p = q.one("gait")
    return Draft("run", place_slots("p", p), [[["did", [acts.RUN], p], ["at", p]]],
                 [[["did", [acts.RUN], p]]], Setup(start=q.one("place", p)))


def sneak(q: Slotter) -> Draft:
    """Arrive somewhere without being noticed by the guard."""
    p = q.one("gait")
    end = words.PLACE[p]
    side = q.layout.side
    # from the same side: a gate on the way could not be opened unseen
    starts = [n for n in q.names["place"] if n != p and side[words.PLACE[n]] == side[end]]
    return Draft("sneak", place_slots("p", p), [[["did", [acts.SNEAK], p], ["at", p]]],
                 [[["did", [acts.SNEAK], p]]],
                 Setup(start=q.rng.choice(starts), guarded=True), keep=[["unseen"]])


def find(q: Slotter) -> Draft:
    """Stand before a thing and see it."""
    x, start = q.thing(), q.one("place")
    away = [[x.category, start]] if start in words.HOLDERS else []
    return Draft("find", {"x": x.mention}, [[["near", x.means()]]], [[["near", x.means()]]],
                 Setup(_there(x), away, without=list(x.without), start=start))


def strike(q: Slotter) -> Draft:
    """Knock a dummy over, with a given weapon or any."""
    d = q.one("dummy")
    slots = place_slots("d", d)
    if q.rng.random() < 0.3:
        verb = q.rng.choice(list(wordings.VERBS))
        frames, skills = "strike_by", wordings.VERBS[verb]
        slots["verb"] = verb
    else:
        slots["by"] = q.rng.choice(list(wordings.WEAPONS))
        frames, skills = "strike", wordings.WEAPONS[slots["by"]]
    return Draft(frames, slots, [[["did", list(skills), d]]],
                 [[["at", d]], [["did", list(skills), d]]], Setup())


def strike_avoid(q: Slotter) -> Draft:
    """Strike a dummy in the yard; the straight way leads through the fire."""
    sight, yard = sight_of(q.number), [
        d for d in q.names["dummy"] if q.layout.side[words.PLACE[d]]]
    pairs = []
    for d in yard:
        end = words.PLACE[d]
        for n in q.names["place"]:
            if n != d and q.layout.side[words.PLACE[n]] and sight.burnt[words.PLACE[n], end]:
                pairs.append((n, d))
        if sight.burnt[GATE_OUTSIDE, end]:
            pairs += [(n, d) for n in q.names["place"] if not q.layout.side[words.PLACE[n]]]
    start, d = q.rng.choice(pairs) if pairs else ("", q.rng.choice(yard))
    return Draft("strike_avoid", place_slots("d", d), [[["did", list(acts.STRIKES), d]]],
                 [[["at", d]], [["did", list(acts.STRIKES), d]]],
                 Setup(start=start, burning=True), keep=[["unburnt"]])


def block_strike(q: Slotter) -> Draft:
    """Block before a dummy, then strike it."""
    d = q.one("dummy")
    return Draft("block_strike", place_slots("d", d),
                 [[["did", [acts.BLOCK], d]], [["did", list(acts.STRIKES), d]]],
                 [[["at", d]], [["did", [acts.BLOCK], d]], [["did", list(acts.STRIKES), d]]],
                 Setup())


def put_in(q: Slotter) -> Draft:
    """A thing, to be searched, into a container that may be closed; perhaps close it then."""
    x, c = q.thing(), q.one("container")
    thing, shut = x.means(), q.rng.random() < 0.35
    goal, steps = [["on", thing, c]], carried(thing, c)
    state = {}
    if shut:
        goal = [*goal, ["shut", c]]
        steps = [*steps, goal]
    elif q.rng.random() < 0.5:
        state, steps = {c: False}, [*steps, [["open", c]]]
    return Draft("put_in_and_close" if shut else "put_in", {"x": x.mention, **place_slots("c", c)},
                 [goal], steps,
                 Setup(_there(x), [[x.category, c]], without=list(x.without), state=state))


def ordered(q: Slotter, clauses: Sequence[str] = tuple(wordings.CLAUSES)) -> Draft:
    """Two requests of some kinds, one after the other."""
    kinds = q.rng.sample(list(clauses), 2)
    first = _clause(q, kinds[0], ())
    second = _clause(q, kinds[1], first[3])
    setup = Setup([*first[2].things, *second[2].things], [*first[2].off, *second[2].off],
                  state={**first[2].state, **second[2].state})
    return Draft("ordered", {"a": first[0], "b": second[0]}, [first[1], second[1]],
                 [[c] for c in (*first[1], *second[1])], setup)


def _clause(
    q: Slotter, kind: str, used: Tuple[str, ...]
) -> Tuple[str, List[List[Any]], Setup, Tuple[str, ...]]:
    """Text, condition, scene and places of one request of an order."""
    text = q.rng.choice(wordings.CLAUSES[kind])
    if kind in ("block", "taunt", "wait"):
        return text, [["did", [kind], ""]], Setup(), ()
    if kind == "jump":
        return text, [["did", [acts.JUMP], words.WALL]], Setup(), (words.WALL,)
    if kind == "move":
        x, y = q.thing(), q.one("surface", *used)
        slots = {"x": x.mention, **place_slots("y", y)}
        return (text.format(**slots), [["on", x.means(), y]],
                Setup(_there(x), [[x.category, y]]), (y,))
    group = {"go": "place", "run": "gait", "strike": "dummy", "strike_by": "dummy"}
    place = q.one(group.get(kind, "openable"), *used)
    slots = {k: f"the {place}" for k in ("p", "c", "d")}
    if kind in ("open", "close"):
        goal = ["open" if kind == "open" else "shut", place]
        return text.format(**slots), [goal], Setup(state={place: kind == "close"}), (place,)
    skills = {"go": [acts.GO], "run": [acts.RUN], "strike": list(acts.STRIKES)}.get(kind)
    if skills is None:
        slots["verb"] = q.rng.choice(list(wordings.VERBS))
        skills = list(wordings.VERBS[slots["verb"]])
    if kind == "go":  # however one gets there
        return text.format(**slots), [["at", place]], Setup(), (place,)
    return text.format(**slots), [["did", skills, place]], Setup(), (place,)


def situated(q: Slotter) -> Draft:
    """A situation of training, and where to bring what it asks for."""
    category = q.rng.choice(list(wordings.SITUATIONS))
    y = q.one("surface")
    thing = [category, "", ""]
    slots = {"situation": q.rng.choice(wordings.SITUATIONS[category]), **place_slots("y", y)}
    return Draft("situated", slots, [[["on", thing, y]]], carried(thing, y),
                 Setup([thing], [[category, y]]))


#: family, its share in training; those that rearrange are drawn four times as often (the paper)
FAMILIES: Dict[str, Tuple[Callable[[Slotter], Draft], float]] = {
    "move": (move, 3.5), "situated": (situated, 0.5), "move_from": (move_from, 4),
    "take_off": (take_off, 4), "two_objects": (two_objects, 4), "swap": (swap, 4),
    "put_in": (put_in, 4), "open": (open_, 1), "close": (close, 1), "go": (go, 1), "run": (run, 1),
    "sneak": (sneak, 1), "find": (find, 1), "strike": (strike, 2),
    "strike_avoid": (strike_avoid, 1), "block_strike": (block_strike, 1), "ordered": (ordered, 3),
}  # fmt: skip
#: the nine of the paper
PAPER_FAMILIES: Tuple[str, ...] = (
    "move", "move_from", "take_off", "two_objects", "swap", "open", "close", "go", "find",
)  # fmt: skip
