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
    """Composite commands whose skills are all right and in order."""
    right = [[match.skill for match in matcher.match_all(text)] == list(skills)
             for text, skills in phrases.composite]
    return {"composite": share(right)}


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

    Keys: top1, per_skill, auroc_near, auroc_far, accepted_near, accepted_far, negation,
    negation_trap, composite, planner, refused_good (of ``test``), refused_planner,
    accepted_right (right answers among the accepted ones of ``test``), count, threshold. Without a
    threshold, what depends on it is None.
    Raises PPPError where ``phrases`` names a skill that the codebook lacks.
    """
    phrases.check_ids(matcher.book.skills)
    matches, right = top1(matcher, test)
    planner, planner_right = top1(matcher, phrases.planner)
    accepted = [good for match, good in zip(matches, right) if match.known]
    found = {
        "top1": share(right),
        "per_skill": per_skill([(skill, good) for (_, skill), good in zip(test, right)]),
        **_rejection(matcher, phrases, matches),
        **_negation(matcher, phrases), **_composite(matcher, phrases),
        "planner": share(planner_right),
        "refused_good": share([not match.known for match in matches]),
        "refused_planner": share([not match.known for match in planner]),
        "accepted_right": share(accepted),
        "count": len(test), "threshold": matcher.threshold}
    if matcher.threshold >= NO_THRESHOLD:
        found.update({key: None for key in found if key.startswith(("refused_", "accepted_"))})
    return found
