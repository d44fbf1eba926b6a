"""``ppp classify "hit him hard"``: which skill does a command name?"""
from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, List, Optional

from tyro.conf import Positional

from ppp.errors import PPPError

if TYPE_CHECKING:
    from ppp.language.matcher import Match, Matcher

#: a command is a sentence or two, characters
LONGEST = 1000


@dataclass
class Settings:
    """Which skill does each command name, and how sure is that?"""

    texts: Positional[List[str]]
    """commands, each in quotes"""
    json: bool = False
    """print JSON: an object for one command, a list for several"""
    split: bool = False
    """part composite commands ("creep up and bash it") first"""
    model: Optional[str] = None
    """folder saved by ppp finetune-clip; default: the shipped text part"""
    weights: Optional[str] = None
    """folder with the encoder's weights; default: the installed package"""
    skills: Optional[List[str]] = None
    """skill ids that the policy can perform; default: all"""


def print_table(matches: List["Match"]) -> None:
    """One row for each command, and the reason for each refusal."""
    from rich.markup import escape
    from rich.table import Table

    from ppp.language.report import console

    table = Table("command")
    for name in ("skill", "known", "distance", "margin", "next"):
        table.add_column(name, no_wrap=True)
    for match in matches:
        others = ", ".join(f"{skill} {distance:.2f}" for skill, distance in match.alternatives[:1])
        table.add_row(escape(match.text), match.skill or "-", "yes" if match.known else "no",
                      f"{match.distance:.3f}", f"{match.margin:.3f}", others)
    out = console()
    out.print(table)
    for match in matches:
        if match.reason:
            out.print(escape(f"{match.text}: {match.reason}"))
        if match.skill is not None and not match.known:
            near = [(match.skill, match.distance), *match.alternatives]
            names = ", ".join(f"{skill} {distance:.2f}" for skill, distance in near)
            out.print(escape(f"{match.text}: nearest are {names}"))


def parts_of(matcher: "Matcher", text: str) -> List[List[str]]:
    """[clause, skill or 'unknown'] of each part of a composite command; [] for a single one."""
    parts = matcher.match_all(text)
    if len(parts) < 2:
        return []
    return [[part.text, (part.skill or "unknown") if part.known else "unknown"] for part in parts]


def _check(text: str) -> None:
    """Refuse what is no command at all."""
    if not any(c.isalnum() for c in text):
        raise PPPError(f"command {text[:40]!r}: has no word in it, write what to do in English")
    if len(text) > LONGEST:
        raise PPPError(f"command '{text[:40]}...': {len(text)} characters are no command, give at "
                       f"most {LONGEST}")


def main(argv: Optional[List[str]] = None) -> int:
    """Entry point of ``ppp classify``. 0 also when a command is unknown: that is an answer."""
    from ppp.language import load_matcher
    from ppp.options import read_options

    arguments = sys.argv[1:] if argv is None else argv
    settings = read_options(Settings, arguments, "ppp classify")
    if not settings.texts:
        raise PPPError('no command given, write one in quotes: ppp classify "hit him hard"')
    for text in settings.texts:
        _check(text)
    matcher = load_matcher(settings.skills, settings.model, settings.weights)
    if settings.split:
        matches = [match for text in settings.texts for match in matcher.match_all(text)]
        parts: List[List[List[str]]] = [[] for _ in matches]
    else:
        matches = matcher.match_many(settings.texts)
        parts = [parts_of(matcher, text) for text in settings.texts]
    if settings.json:
        values = [{**match.as_dict(), **({"parts": found} if found else {})}
                  for match, found in zip(matches, parts)]
        print(json.dumps(values[0] if len(values) == 1 else values, ensure_ascii=False))
        return 0
    print_table(matches)
    for match, found in zip(matches, parts):
        if found:
            named = ", ".join(f"'{text}' ({skill})" for text, skill in found)
            print(f"{match.text}: several commands in one: {named}; --split answers each")
    return 0
