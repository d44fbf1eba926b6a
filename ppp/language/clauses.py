"""Reading a command before it is encoded: forbidden clauses out, composite commands apart.

A sentence encoder does not read "not": "don't run, walk" lies between run and walk. So the clause
that a negation governs is dropped before encoding.
"""
from __future__ import annotations

import re
from dataclasses import dataclass
from typing import List, Tuple

#: marks and words that end a clause; "instead" and "rather" only where they do not govern one
STRONG = re.compile(
    r"\s*(?:[,;:.!?]+(?:\s|$)|\s[-\u2013\u2014]+\s|\bbut\b|\binstead\b(?!\s+of\b)"
    r"|\brather\b(?!\s+than\b)|(?<!not )(?<!n't )\bjust\b)\s*", re.IGNORECASE)
WEAK = re.compile(r"\s*\b(?:and|then)\b\s*", re.IGNORECASE)

#: an -ing word that is an action ("being hit" and "nothing" are not)
_GERUND = r"(?!being\b|nothing\b|anything\b|something\b|everything\b|king\b)[a-z]+ing\b"
_SUBJECT = (r"(?:please\s+|now\s+)?"
            r"(?:(?:you|i|we|he|she|it|they|it'?s|it\s+is)\s+)?")
#: "don't", "never", "you must not", ...: what follows in the clause is forbidden
_FORBID = "|".join((
    r"(?:do|does|must|should|shall|can|could|will|would|need|may|might|is|are)\s*(?:not|n't)",
    r"cannot", r"dont", r"can't", r"won't", r"never(?:\s+mind)?", r"not(?:\s+time\s+to)?",
    r"by\s+no\s+means", r"under\s+no\s+circumstances", r"on\s+no\s+account",
    r"(?:there(?:\s+is|'s)\s+)?no\s+need\s+(?:to|for)", r"refrain\s+from", r"no(?=\s+\w)",
    rf"(?:without|avoid|skip|forget(?:\s+about)?)(?=\s+{_GERUND})"))
#: "stop running": ends at "and", because a new command follows
_STOP = rf"(?:stop|quit|cease|halt|finish|enough|leave\s+off|give\s+up)(?=\s+{_GERUND})"
_PREFER = r"(?:instead\s+of|rather\s+than|in\s+place\s+of|in\s+lieu\s+of|as\s+opposed\s+to)\b"
FORBIDDEN = re.compile(rf"^{_SUBJECT}(?:{_FORBID})\b", re.IGNORECASE)
STOPPED = re.compile(rf"^{_SUBJECT}{_STOP}", re.IGNORECASE)
LEADING = re.compile(rf"^{_PREFER}", re.IGNORECASE)
#: inside a clause: "kick instead of slashing", "turn left and not right"
INNER = re.compile(
    rf"\s+(?:{_PREFER}|without(?=\s+{_GERUND})|and\s+(?:not|never|do\s+not|don't)\b"
    r"|(?<!\bare )(?<!\bis )(?<!\bbe )\bnot\b).*$", re.IGNORECASE)
#: two negations that ask for the action: "don't stop running", "do not hesitate to strike"
DOUBLE = re.compile(
    rf"^{_SUBJECT}(?:do\s+not|don't|dont|never|must\s+not)\s+(?:stop|quit|cease|hesitate\s+to"
    r"|forget\s+to|fail\s+to|be\s+afraid\s+to)\s+", re.IGNORECASE)


@dataclass(frozen=True)
class Reading:
    """What is left of a command, and what it forbids."""

    #: the clauses to perform, joined by commas; empty when the command only forbids
    wanted: str
    forbidden: Tuple[str, ...] = ()


def _tidy(text: str) -> str:
    """Plain apostrophes and single spaces."""
    return " ".join(text.replace("\u2019", "'").replace("\u2018", "'").split())


def _without_inner(clause: str) -> Tuple[str, List[str]]:
    """A wanted clause without the part that "instead of", "not", ... governs."""
    cut = INNER.search(clause)
    if cut is None or cut.start() == 0:
        return clause, []
    return clause[:cut.start()].strip(), [cut.group().strip()]


def _tail(clause: str) -> str:
    """What follows the first "and" or "then" of a forbidden clause, empty when there is none."""
    parts = WEAK.split(clause, maxsplit=1)
    return parts[1].strip() if len(parts) > 1 else ""


def read_command(text: str) -> Reading:
    """Drop the forbidden clauses of a command.

    "don't run, walk" -> wanted "walk", forbidden ("don't run",). A text without negation comes back
    unchanged.
    """
    text = _tidy(text)
    clauses = [clause for clause in STRONG.split(text) if clause and clause.strip()]
    wanted: List[str] = []
    forbidden: List[str] = []
    late: List[str] = []
    for clause in clauses:
        double = DOUBLE.match(clause)
        if double:
            wanted.append(clause[double.end():])
        elif STOPPED.match(clause):
            forbidden.append(clause)
            wanted += [_tail(clause)] if _tail(clause) else []
        elif FORBIDDEN.match(clause) or LEADING.match(clause):
            forbidden.append(clause)
            late += [_tail(clause)] if _tail(clause) else []
        else:
            kept, dropped = _without_inner(clause)
            wanted.append(kept)
            forbidden += dropped
    if not forbidden and len(wanted) == len(clauses) and not any(map(DOUBLE.match, clauses)):
        return Reading(text)
    # "do not run and jump" forbids both, unless nothing else is left to do: "don't run and walk".
    return Reading(", ".join(wanted or late), tuple(forbidden))


#: joints at which a composite command always parts
JOINTS = re.compile(
    r"\s*(?:[;.!?]+(?:\s+|$)|,?\s*\b(?:and then|then|after that|afterwards|next,|and finally"
    r"|finally|and)\b,?)\s*", re.IGNORECASE)
#: a piece after a bare comma is a command of its own unless it starts like an aside
ASIDE = re.compile(r"^(?:\w+ing|while|until|till|with|without|to|so|because|as|in|on|at|by|from|for"
                   r"|towards?|using|behind|before|after|if|when|please|sir|soldier)\b",
                   re.IGNORECASE)


def split_commands(text: str) -> List[str]:
    """The commands of a composite sentence in order; at least one piece for a non-empty text.

    Parts at "and", "then", full stops and semicolons; at commas only in a list that has such a
    joint too ("stand up, raise your shield and walk").
    """
    text = _tidy(text)
    pieces = [piece.strip(" ,") for piece in JOINTS.split(text) if piece and piece.strip(" ,")]
    if len(pieces) < 2:
        return pieces
    out: List[str] = []
    for piece in pieces:
        for number, part in enumerate(re.split(r"\s*,\s*", piece)):
            if number and ASIDE.match(part):
                out[-1] += ", " + part
            elif part:
                out.append(part)
    return out
