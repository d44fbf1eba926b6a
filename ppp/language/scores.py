"""Score a Matcher on phrase lists. All figures are shares from 0 to 1, None where a list is empty.
"""
from __future__ import annotations

from typing import Any, Dict, List, Sequence, Tuple

from ppp.language.matcher import Match, Matcher
from ppp.language.metrics import auroc, per_skill, share
from ppp.language.model import NO_THRESHOLD
from ppp.language.phrases import PhraseSet

Pairs = Sequence[Tuple[str, str]]


def top1(matcher: Matcher, pairs: Pairs) -> Tuple[List[Match], List[bool]]:
    """Answers to (text, skill) pairs, and whether the nearest skill is the right one."""
    matches = matcher.match_many([text for text, _ in pairs])
    return matches, [match.skill == skill for match, (_, skill) in zip(matches, pairs)]


def _negation(matcher: Matcher, phrases: PhraseSet) -> Dict[str, Any]:
    """Right answers to negations, and falls for the negated word."""
    matches = matcher.match_many([text for text, _, _ in phrases.negation])
    asked = list(zip(matches, phrases.negation))
    return {"negation": share([match.skill == right for match, (_, right, _) in asked]),
            "negation_trap": share([match.skill == trap for match, (_, _, trap) in asked])}


def _composite(matcher: Matcher, phrases: PhraseSet) -> Dict[str, Any]:
    """Composite commands whose skills are all right and in order, and the same by clauses."""
    found = [[match.skill for match in matcher.match_all(text)] for text, _ in phrases.composite]
    pairs = [(got, list(skills)) for got, (_, skills) in zip(found, phrases.composite)]
    right = sum(in_common(got, skills) for got, skills in pairs)
    clauses = sum(max(len(got), len(skills)) for got, skills in pairs)
    return {"composite": share([got == skills for got, skills in pairs]),
            "composite_clauses": right / clauses if clauses else None}


def in_common(a: Sequence[Any], b: Sequence[Any]) -> int:
    """Length of the longest common subsequence: clauses that are right and in order."""
    row = [0] * (len(b) + 1)
    for left in a:
        before = row
        row = [0]
        for column, right in enumerate(b):
            row.append(before[column] + 1 if left == right else max(before[column + 1], row[-1]))
    return row[-1]


def _natural(pairs: Pairs, matches: List[Match]) -> Dict[str, Any]:
    """The file's ``natural`` lists: phrasings not used in training, of words that may be."""
    right = [match.skill == skill for match, (_, skill) in zip(matches, pairs)]
    return {"natural": share(right),
            "natural_per_skill": per_skill([(s, good) for (_, s), good in zip(pairs, right)]),
            "refused_natural": share([not match.known for match in matches])}


def _rejection(matcher: Matcher, phrases: PhraseSet, inside: List[Match]) -> Dict[str, Any]:
    """Ranking of in-set before out-of-set texts, and what the threshold lets through."""
    known = [match.distance for match in inside]
    out: Dict[str, Any] = {}
    for name in ("near", "far"):
        matches = matcher.match_many(getattr(phrases, f"oos_{name}"))
        out[f"auroc_{name}"] = auroc(known, [match.distance for match in matches])
        out[f"accepted_{name}"] = share([match.known for match in matches])
    return out


def score(matcher: Matcher, phrases: PhraseSet, test: Pairs) -> Dict[str, Any]:
    """All figures: ``test`` as in-set phrases, the other lists from ``phrases``.

    Keys: top1, per_skill, natural, natural_per_skill, refused_natural, auroc_near, auroc_far,
    accepted_near, accepted_far, negation, negation_trap, composite, composite_clauses, planner,
    refused_good (of ``test``), refused_planner, refused_all_good (of ``test``, natural and planner
    together), accepted_right (right answers among the accepted ones of ``test``), count,
    threshold. Without a threshold, what depends on it is None.
    Raises PPPError where ``phrases`` names a skill that the codebook lacks.
    """
    phrases.check_ids(matcher.book.skills)
    matches, right = top1(matcher, test)
    planner, planner_right = top1(matcher, phrases.planner)
    accepted = [good for match, good in zip(matches, right) if match.known]
    natural = matcher.match_many([text for text, _ in phrases.pairs("natural")])
    found = {
        "top1": share(right),
        "per_skill": per_skill([(skill, good) for (_, skill), good in zip(test, right)]),
        **_natural(phrases.pairs("natural"), natural), **_rejection(matcher, phrases, matches),
        **_negation(matcher, phrases), **_composite(matcher, phrases),
        "planner": share(planner_right),
        "refused_good": share([not match.known for match in matches]),
        "refused_all_good": share([not m.known for m in [*matches, *natural, *planner]]),
        "refused_planner": share([not match.known for match in planner]),
        "accepted_right": share(accepted),
        "count": len(test), "threshold": matcher.threshold}
    if matcher.threshold >= NO_THRESHOLD:
        found.update({key: None for key in found if key.startswith(("refused_", "accepted_"))})
    return found
