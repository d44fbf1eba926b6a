"""Which object, or which point of the floor, a sentence is about."""
from __future__ import annotations

import re
from typing import List, NamedTuple, Optional, Sequence, Tuple

from ppp.engines.scene import Prop
from ppp.planning.geometry import XY, distance, in_arena
from ppp.view.look import COLOUR_WORDS

#: words for a thing of each kind, whatever its name is
_NOUNS = {
    "target": ("target", "dummy", "enemy", "opponent", "foe", "him", "her", "soldier", "guard"),
    "obstacle": ("obstacle", "block", "wall", "box", "crate", "barrier"),
    "marker": ("marker", "flag", "spot", "post"),
}
#: words that point at something which only a click can show
_POINTING = frozenset(("there", "here", "this", "that"))
_COORDINATES = re.compile(r"[(\[]\s*(-?\d+(?:\.\d+)?)\s*,\s*(-?\d+(?:\.\d+)?)\s*[)\]]")


class Place(NamedTuple):
    """Where to: ``name`` of an object, '' for a point of the floor; ``xy`` m, world frame."""

    xy: XY
    name: str = ""


def words_of(text: str) -> List[str]:
    """The words of a text, lower case."""
    return re.findall(r"[a-z0-9]+", text.lower())


def coordinates_in(text: str) -> Optional[Place]:
    """The first "(x, y)" in metres that lies inside the arena."""
    for found in _COORDINATES.finditer(text):
        xy = float(found.group(1)), float(found.group(2))
        if in_arena(xy):
            return Place(xy)
    return None


def points_at(text: str) -> bool:
    """Whether the text says "over there", "that one": something that has to be clicked on."""
    return not _POINTING.isdisjoint(words_of(text))


def named_in(text: str, props: Sequence[Prop], near: XY) -> Optional[Prop]:
    """The object that a text names: by its name, else its colour, else its kind; None without one.

    Among several that fit equally well, the one nearest to ``near`` (m).
    """
    said = set(words_of(text))
    scored = [(score, -distance(p.position, near), i) for i, p in enumerate(props)
              for score in [_score(said, p)] if score > 0]
    return props[max(scored)[2]] if scored else None


def _score(said: "set[str]", prop: Prop) -> int:
    """3 the whole name, 2 its colour or its last word, 1 a word for its kind, 0 none."""
    name = words_of(prop.name)
    if name and said.issuperset(name):
        return 3 + len(name)
    colours = [word for word in name if word in COLOUR_WORDS]
    if said.intersection(COLOUR_WORDS):  # "the red one" is not the yellow one
        return 2 if said.intersection(colours) else 0
    if name and name[-1] in said:
        return 2
    return 1 if said.intersection(_NOUNS[prop.kind]) else 0


def forbidden_in(clauses: Sequence[str], props: Sequence[Prop], near: XY) -> Tuple[str, ...]:
    """The objects with a body that clauses such as "without touching the red block" name."""
    found = [named_in(clause, [p for p in props if p.kind != "marker"], near)
             for clause in clauses]
    return tuple(dict.fromkeys(p.name for p in found if p is not None))
