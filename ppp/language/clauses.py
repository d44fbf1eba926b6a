"""Reading a command before it is encoded: forbidden clauses out, lead-ins off.

A sentence encoder does not read "not": "don't run, walk" lies between run and walk. So the clause
that a negation governs is dropped before encoding. The rules are those of English grammar (where a
clause ends, what an auxiliary with "not", a preposition like "without" or a verb like "stop"
governs); no rule names a skill.
"""
from __future__ import annotations

import re
from dataclasses import dataclass
from typing import List, Tuple

from ppp.language.sequence import split_commands

__all__ = ["Reading", "plain", "read_command", "split_commands"]

#: marks and words that end a clause; "instead" and "rather" only where they do not govern one
STRONG = re.compile(
    r"\s*(?:[,;:.!?]+(?:\s|$)(?:(?:so|and so|hence|therefore|then)\b(?!\s+that\b),?)?"
    r"|\s[-\u2013\u2014]+\s|(?<!thing )(?<!all )\bbut\b(?!\s+(?:not|never|don't|do\s+not)\b)"
    r"|\binstead\b(?!\s+of\b)"
    r"|\brather\b(?!\s+than\b)|(?<!not )(?<!n't )\bjust\b)\s*", re.IGNORECASE)
WEAK = re.compile(r"\s*\b(?:and|then)\b\s*", re.IGNORECASE)

#: an -ing word that is an action ("being hit" and "nothing" are not, nor is "swing", whose stem
#: would have no vowel)
_GERUND = (r"(?!being\b|getting\b|nothing\b|anything\b|something\b|everything\b)"
           r"[a-z]*[aeiouy][a-z]*ing\b")
_THING = r"(?:the|a|an|any|all|all\s+that|your|this|that|more|those|these)"
_SUBJECT = (r"(?:(?:please|now|and|but|so|also|ok|okay|no|hey|well)\s+)*"
            r"(?:(?:you|i|we|he|she|it|they|the\s+[a-z]+)(?:\s+(?:really|certainly))?\s+)?")
_TO_BE = r"(?:is|are|was|were|be|would\s+be|'s|'re)"
_AUXILIARY = (r"(?:do|does|did|is|are|was|were|has|have|had|must|should|shall|can|could|will|would"
              r"|need|may|might|ought|dare|ca|wo|sha)")
#: "it would be wrong to run": predicates that speak against what follows
_AGAINST = (r"(?:wrong|bad|unwise|foolish|stupid|silly|dangerous|risky|pointless|useless|forbidden"
            r"|prohibited|too\s+(?:early|late|soon|risky|dangerous)|an?\s+(?:mistake|error)"
            r"|an?\s+(?:bad|poor|terrible)\s+idea|no\s+(?:use|good|time)|not|off\s+limits)")
#: "don't", "never", "you must not", ...: what follows in the clause is forbidden
_FORBID = "|".join((
    rf"{_AUXILIARY}\s*(?:not|n't)", r"(?:it's|you're|we're|i'm|they're|he's)\s+not",
    r"cannot", r"(?:do|ca|wo|must|should)nt", r"never(?:\s+mind)?",
    r"not(?:\s+time\s+to)?", r"nor", r"neither", r"nobody", r"no\s+one",
    r"by\s+no\s+means", r"under\s+no\s+circumstances", r"on\s+no\s+account", r"in\s+no\s+case",
    r"(?:there(?:\s+(?:is|was)|'s)\s+)?(?:no|little)\s+"
    r"(?:need|point|use|sense|reason|cause)\s+(?:to|for|in)",
    rf"(?:it(?:'s|\s+{_TO_BE})|that(?:'s|\s+{_TO_BE}))\s+{_AGAINST}\s+to",
    rf"{_GERUND}(?:\s+[a-z]+)?\s+{_TO_BE}(?:n't)?\s+{_AGAINST}",
    r"(?:refrain|desist|abstain)\s+from", r"no\s+(?:more|longer)", r"no(?=\s+\w)",
    r"(?:anything|everything|all|nothing\s+else)\s+(?:but|except)",
    rf"(?:forget(?:\s+about)?|enough\s+(?:of|with))\s+{_THING}(?=\s+\w+(?:\s+\w+)?$)",
    rf"(?:avoid|skip)(?=\s+{_GERUND})",
    rf"(?:without|forget(?:\s+about)?|enough(?:\s+(?:of|with))?)(?=\s+(?:{_THING}\s+)?{_GERUND})"))
#: "don't let him hit you", "don't get hit" ask for something
_ALLOW = r"(?!\s+(?:let|get|be)\b)"
#: "stop running": ends at "and", because a new command follows
_STOP = (rf"(?:stop|quit|cease|halt|finish|end|leave\s+off|give\s+up)"
         rf"(?=\s+(?:{_THING}\s+)?{_GERUND})")
_PREFER = (r"(?:instead\s+of|rather\s+than|in\s+place\s+of|in\s+lieu\s+of|as\s+opposed\s+to"
           r"|other\s+than|in\s+preference\s+to|except(?:\s+for)?)\b")
FORBIDDEN = re.compile(rf"^{_SUBJECT}(?:{_FORBID})(?!\w){_ALLOW}", re.IGNORECASE)
STOPPED = re.compile(rf"^{_SUBJECT}{_STOP}", re.IGNORECASE)
LEADING = re.compile(rf"^{_PREFER}", re.IGNORECASE)
#: inside a clause: "kick instead of slashing", "turn left and not right"
INNER = re.compile(
    rf"\s+(?:{_PREFER}|without(?=\s+(?:{_THING}\s+)?{_GERUND})"
    r"|(?:and|but)\s+(?:not|never|do\s+not|don't)\b"
    r"|(?<!\bare )(?<!\bis )(?<!\bbe )\bnot\b).*$", re.IGNORECASE)
#: two negations that ask for the action: "don't stop running", "do not hesitate to strike"
DOUBLE = re.compile(
    rf"^{_SUBJECT}(?:do\s+not|don't|dont|never|must\s+not|mustn't)\s+(?:stop|quit|cease"
    r"|(?:hesitate|forget|fail|be\s+afraid|neglect)\s+to)\s+", re.IGNORECASE)
#: "whatever you do, ..." says nothing by itself
EMPTY = re.compile(r"^(?:and\s+|but\s+)?(?:whatever|no\s+matter|in\s+any\s+case|at\s+all\s+costs"
                   r"|on\s+the\s+contrary|no|and|so|please|now)\b(?:\s+you\s+do)?$", re.IGNORECASE)
#: how an order may be dressed: what comes before the action
_DRESS = "|".join((
    r"(?:please|kindly|now|okay|ok|hey|well|first|firstly|next|finally|lastly|also|so|then|and)\b,?",
    r"(?:i|we)(?:'d|\s+would)?\s+(?:want|need|like|love|order|tell|ask|expect|command)\s+"
    r"(?:you|him|it|the\s+\w+)\s+to\b",
    r"(?:can|could|will|would)\s+you\b", r"you\s+(?:have\s+to|need\s+to|ought\s+to|are\s+to)\b",
    r"(?:you|he|she|it|they|we|the\s+[a-z]+)\s+(?:should|must|will|shall|may|can)\b",
    r"(?:you|he|she|it|they|we|the\s+[a-z]+)\s+(?:has|have|needs?|is|are)\s+to\b",
    r"(?:you|we|they)(?:'re|\s+are)(?=\s+\w+ing\b)", r"let's|let\s+us",
    r"(?:try|remember|be\s+sure|make\s+sure)\s+to\b",
    r"your\s+(?:task|job|order|goal|next\s+move)\s+is\s+to\b", r"go\s+ahead\s+and\b",
    r"the\s+(?:command|order|task|next\s+step)\s+is(?:\s+to)?\b"))
DRESS = re.compile(rf"^(?:{_DRESS})\s*", re.IGNORECASE)


@dataclass(frozen=True)
class Reading:
    """What is left of a command, and what it forbids."""

    #: the clauses to perform, joined by commas; empty when the command only forbids
    wanted: str
    forbidden: Tuple[str, ...] = ()


def _tidy(text: str) -> str:
    """Plain apostrophes and single spaces."""
    return " ".join(text.replace("\u2019", "'").replace("\u2018", "'").split())


def plain(text: str) -> str:
    """A command without its lead-in: "Could you please walk" -> "walk".

    A text that is nothing but a lead-in comes back unchanged.
    """
    out = _tidy(text)
    while True:
        shorter = DRESS.sub("", out, count=1)
        if shorter == out or not re.search(r"\w", shorter):
            return out
        out = shorter


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
        elif not EMPTY.match(clause):
            kept, dropped = _without_inner(clause)
            wanted.append(kept)
            forbidden += dropped
    if not forbidden and not any(map(DOUBLE.match, clauses)):
        return Reading(text)
    # "do not run and jump" forbids both, unless nothing else is left to do: "don't run and walk".
    return Reading(", ".join(map(plain, wanted or late)), tuple(forbidden))
