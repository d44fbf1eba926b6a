"""Parting a composite command into single ones, in the order in which they are to happen."""
from __future__ import annotations

import re
from typing import List

_GERUND = r"(?!being\b|nothing\b|anything\b|something\b|everything\b)[a-z]*[aeiouy][a-z]*ing\b"
#: a clause of its own: "you step back", "raising the shield"; "him" or "the fall" are not
_ACTION = rf"(?:(?:you|we)\b|having\b|{_GERUND})"
#: verbs of a state that lasts: "while facing him" says how, not what else
_STATE = r"(?:facing|keeping|holding|looking|staying|remaining|standing|watching|having|doing)\b"

#: joints at which a composite command always parts
JOINTS = re.compile(
    r"\s*(?:[;.!?]+(?:\s+|$)"
    r"|,?\s*\b(?:and\s+then|then|(?:and\s+)?(?:after|before)(?:\s+that|wards?)|thereafter"
    r"|subsequently|(?:and\s+)?followed\s+by(?:\s+an?\b)?|(?:and\s+)?next\b(?=,|\s+\w+\s+(?:at|to|the"
    r"|him|it|your|a)\b)|and\s+finally|finally|lastly|and)\b,?)\s*", re.IGNORECASE)
#: a piece after a bare comma is a command of its own unless it starts like an aside
ASIDE = re.compile(rf"^(?:{_GERUND}|while|until|till|with|without|to|so|because|as|in|on|at|by"
                   r"|from|for|towards?|using|behind|before|after|if|when|please|sir|soldier)\b",
                   re.IGNORECASE)
#: "up and down", "back and forth": what follows "and" is no command
PARTICLE = re.compile(r"^(?:up|down|forth|over|out|off|in|again|left|right|round|around|away|on"
                      r"|back|forwards?|backwards?|quickly|slowly|quietly|fast|\w+ly)$",
                      re.IGNORECASE)
#: "after kicking him, jump": the first clause comes first in time
FIRST = re.compile(rf"^(?:after|once|having)\s+(?P<done>{_ACTION}?[^,]*),\s*(?P<main>.+)$",
                   re.IGNORECASE)
#: "before you slash, turn": the first clause comes last
LAST = re.compile(rf"^before\s+(?P<later>{_ACTION}[^,]*),\s*(?P<main>.+)$", re.IGNORECASE)
#: "when you are there, kick": a condition, not a command
CONDITION = re.compile(r"^(?:when|if|as\s+soon\s+as|whenever|the\s+moment)\s+[^,]*,\s*(?=\w)",
                       re.IGNORECASE)
BEFORE = re.compile(rf",?\s+before\s+(?={_ACTION})", re.IGNORECASE)
AFTER = re.compile(rf",?\s+(?:after|once)\s+(?={_ACTION})", re.IGNORECASE)
WHILE = re.compile(rf",?\s+(?:while|whilst|as\s+you)\s+(?!{_STATE})(?={_GERUND}\s+\w)",
                   re.IGNORECASE)
DONE = re.compile(r"^(?:(?:you|we)(?:\s+have|'ve)?|having)\s+", re.IGNORECASE)


def in_order(sentence: str) -> List[str]:
    """One sentence's clauses by time: "jump after you turn" -> ["turn", "jump"]."""
    sentence = CONDITION.sub("", sentence.strip(" ,"))
    for pattern, name, early in ((FIRST, "done", True), (LAST, "later", False)):
        found = pattern.match(sentence)
        if found and re.match(_ACTION, found.group(name), re.IGNORECASE):
            other, main = found.group(name), in_order(found.group("main"))
            return [DONE.sub("", other), *main] if early else [*main, DONE.sub("", other)]
    for pattern, swap in ((BEFORE, False), (AFTER, True), (WHILE, False)):
        parts = pattern.split(sentence, maxsplit=1)
        if len(parts) == 2 and all(part.strip() for part in parts):
            here, there = in_order(parts[0]), in_order(DONE.sub("", parts[1]))
            return [*there, *here] if swap else [*here, *there]
    return [sentence]


def _parts(sentence: str) -> List[str]:
    """One ordered clause parted at its joints, and at commas where it has joints."""
    pieces: List[str] = []
    joints = [*JOINTS.finditer(sentence)]
    start = 0
    for joint in [*joints, None]:
        end = joint.start() if joint else len(sentence)
        piece = sentence[start:end].strip(" ,")
        if piece and pieces and PARTICLE.match(piece) and "and" in sentence[:start].split()[-1:]:
            pieces[-1] += " and " + piece
        elif piece:
            pieces.append(piece)
        start = joint.end() if joint else end
    return pieces


def _at_commas(piece: str) -> List[str]:
    """A list's members; asides stay with what they belong to."""
    out: List[str] = []
    for number, part in enumerate(re.split(r"\s*,\s*", piece)):
        if number and ASIDE.match(part):
            out[-1] += ", " + part
        elif part:
            out.append(part)
    return out


def split_commands(text: str) -> List[str]:
    """The commands of a composite sentence in the order of their performance; [] for an empty text.

    Parts at "and", "then", full stops and semicolons, at "before", "after", "once" and "while"
    where a clause follows; at commas only in a list that has such a joint too ("stand up, raise
    your shield and walk").
    """
    text = " ".join(text.replace("\u2019", "'").split())
    pieces: List[str] = []
    for sentence in re.split(r"[;.!?]+(?:\s+|$)", text):
        for clause in in_order(sentence) if sentence.strip(" ,") else []:
            pieces += _parts(clause)
    pieces = [piece for piece in pieces if piece.strip(" ,")]
    if len(pieces) < 2:
        return pieces
    return [part for piece in pieces for part in _at_commas(piece)]
