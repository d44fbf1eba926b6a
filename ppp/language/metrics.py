"""Figures on distances: ranking quality, and where to refuse."""
from __future__ import annotations

from typing import Dict, List, Optional, Sequence, Tuple

import torch

#: distances tried when a threshold is chosen
STEPS = 400


def auroc(inside: Sequence[float], outside: Sequence[float]) -> Optional[float]:
    """Chance that an out-of-set distance exceeds an in-set one, ties half; None for an empty side.
    """
    if not len(inside) or not len(outside):
        return None
    a, b = torch.tensor(inside)[None, :], torch.tensor(outside)[:, None]
    return float((b > a).float().mean() + 0.5 * (b == a).float().mean())


def share(flags: Sequence[bool]) -> Optional[float]:
    """Part of the flags that are True; None without flags."""
    return sum(map(bool, flags)) / len(flags) if len(flags) else None


def per_skill(rows: Sequence[Tuple[str, bool]]) -> Dict[str, float]:
    """(skill, right) -> skill -> share right, in order of first appearance."""
    groups: Dict[str, List[bool]] = {}
    for skill, right in rows:
        groups.setdefault(skill, []).append(right)
    return {skill: sum(flags) / len(flags) for skill, flags in groups.items()}


def balanced_threshold(inside: Sequence[float], outside: Sequence[float], highest: float) -> float:
    """Distance with the largest sum of accepted in-set and refused out-of-set shares.

    The middle of the best range; without out-of-set distances, ``highest``.
    """
    if not len(inside) or not len(outside):
        return highest
    a, b = torch.tensor(inside)[None, :], torch.tensor(outside)[None, :]
    grid = torch.linspace(0.0, highest, STEPS)[:, None]
    score = (a <= grid).float().mean(1) + (b > grid).float().mean(1)
    best = (score >= score.max() - 1e-6).nonzero().flatten()
    return float(grid[best[len(best) // 2]])
