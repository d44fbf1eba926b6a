"""What a visitor's text asks for, clause by clause: the language part's answers, and two things
that only the scene tells: whether a clause means a direction to face, and whether it goes on with
the one before.
"""
from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any, List, Optional, Tuple

from ppp.language.clauses import plain, read_command, split_commands
from ppp.planning.geometry import bearing, wrap
from ppp.planning.performer import WorldState
from ppp.play.errand import Around, place_of
from ppp.play.things import Place, coordinates_in, named_in, points_at, words_of

#: verbs that ask for nothing but a direction to face
_FACING = re.compile(r"(turn|face|look|rotate|pivot)\b", re.IGNORECASE)
#: those that do not move the feet
_LOOKS = ("face", "look")
#: with these they mean a sense, not a place
_SENSES = frozenset(("left", "right", "clockwise", "anticlockwise", "away"))
#: and with these half a turn, where they are about no place
_BACK = frozenset(("around", "round", "about", "back"))


@dataclass(frozen=True)
class Clause:
    """One clause. match: the language part's answer; verb: the word that decided instead, or ''."""

    text: str
    match: Any
    verb: str = ""


def read(text: str, matcher: Any, now: Around, state: WorldState) -> List[Clause]:
    """The clauses of a text in order; neighbours with one skill at one place are one clause."""
    wanted = read_command(text).wanted
    pieces = _pieces(wanted)
    matches = matcher.match_many(pieces) if len(pieces) > 1 else [matcher.match(text)]
    out: List[Clause] = []
    for piece, match in zip(pieces if len(pieces) > 1 else [wanted], matches):
        place, own = place_of(piece, now), _says_where(piece, now)
        faces = _faced(piece, match, place, state) if own or points_at(piece) else \
            _turned_back(piece, match)
        last = out[-1].match if out else None
        if faces or own or last is None or (match.skill, match.known) != (last.skill, last.known):
            out += faces or [Clause(piece, match)]
        now = replace(now, target=place)  # "it" means what the clause before was about
    return out


def _pieces(text: str) -> List[str]:
    """The clauses, not parted at the comma of "(3, 4)"."""
    kept = re.sub(r"(?<=\d)\s*,\s*(?=-?\d)", ";", text)
    return [piece.replace(";", ", ") for piece in split_commands(kept)]


def _says_where(text: str, now: Around) -> bool:
    return bool(named_in(text, now.props, now.here) or coordinates_in(text))


def _faced(text: str, match: Any, place: Optional[Place], state: WorldState) -> List[Clause]:
    """The clause as a turn towards its place, where its verb says so; else nothing."""
    verb = _FACING.match(plain(text))
    if verb is None or place is None or not _SENSES.isdisjoint(words_of(text)):
        return []
    left = wrap(bearing(state.xy, place.xy) - state.heading) > 0.0
    return [_turn(text, match, "turn_left" if left else "turn_right", verb.group(1))]


def _turned_back(text: str, match: Any) -> List[Clause]:
    """"Turn around" as two quarters to the left; nothing where it is not that."""
    verb = _FACING.match(plain(text))
    if verb is None or _BACK.isdisjoint(words_of(text)) or verb.group(1).lower() in _LOOKS:
        return []
    return 2 * [_turn(text, match, "turn_left", verb.group(1))]


def _turn(text: str, match: Any, skill: str, verb: str) -> Clause:
    nearest: Tuple[Any, ...] = ((match.skill, match.distance),) if match.skill else ()
    others = [(name, far) for name, far in (*nearest, *match.alternatives) if name != skill]
    turned = replace(match, skill=skill, known=True, supported=True, reason="",
                     alternatives=others[:3])
    return Clause(text, turned, verb.lower())
