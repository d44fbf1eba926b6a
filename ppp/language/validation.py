"""Phrases held back from gradient training, to choose the threshold on."""
from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Dict, List, Optional, Sequence, Tuple

import torch

from ppp.language.metrics import balanced_threshold

Pairs = List[Tuple[str, str]]
#: one in so many of a skill's phrases, and of the out-of-set ones, is held back
HELD_ONE_IN = 10
#: share of the held back good phrases that the threshold accepts at least
ACCEPTED = 0.96


@dataclass(frozen=True)
class Held:
    """Training phrases, and those held back; out-of-set ones likewise."""

    train: Pairs
    inside: Pairs
    oos: List[str]
    outside: List[str]


def hold_back(pairs: Sequence[Tuple[str, str]], oos: Sequence[str], seed: int = 0) -> Held:
    """Hold back one in HELD_ONE_IN of each skill's phrases and of ``oos``, seeded."""
    order = random.Random(seed)
    groups: Dict[str, List[Tuple[str, str]]] = {}
    for text, skill in pairs:
        groups.setdefault(skill, []).append((text, skill))
    inside = [pair for group in groups.values()
              for pair in order.sample(group, len(group) // HELD_ONE_IN)]
    outside = order.sample(list(oos), len(oos) // HELD_ONE_IN)
    kept, left = set(inside), set(outside)
    return Held([pair for pair in pairs if pair not in kept], inside,
                [text for text in oos if text not in left], outside)


def validated_threshold(inside: Sequence[float], outside: Sequence[float], highest: float,
                        ) -> Optional[float]:
    """Distance that parts held back phrases from out-of-set ones best, and accepts at least
    ACCEPTED of the former; None without phrases of both kinds."""
    if not len(inside) or not len(outside):
        return None
    least = float(torch.tensor(list(inside)).quantile(ACCEPTED))
    return max(least, balanced_threshold(inside, outside, highest))
