"""Loops of one gait that differ in how they turn: which of them a reference may change to.

Such loops share their length and phase, so that a change in mid-stride keeps the step.
"""
from __future__ import annotations

from bisect import bisect
from typing import Dict, Hashable, List, Sequence

import torch
from torch import Tensor

#: mean yaw rates from which a gait is a curve of level 1, 2, ..., rad/s. From one level to the next
#: it is about 20 degrees/s: at a run the teacher falls after 2 % of such changes, after 55 % of
#: those from a straight run to 85 degrees/s.
LEVELS = (0.2, 0.65, 1.0, 1.3)
CURVE = LEVELS[0]
#: the row of a steering table that goes straight; level n to the left is n rows on
STRAIGHT = len(LEVELS)


def level_of(rate: float) -> int:
    """The level of a loop that turns at ``rate``, rad/s, positive to the left: -4 to 4."""
    level = bisect(LEVELS, abs(rate))
    return level if rate > 0 else -level


def steering_table(size: int, rows: Dict[int, Tensor], gaits: Dict[int, Hashable],
                   rates: Sequence[float]) -> Tensor:
    """For each of ``size`` frames that of the same phase in each level of turn, (9, size).

    Row STRAIGHT + n: level n. rows: the frames (n,) of each loop in order; gaits: loops of the same
    gait belong together and have the same number of frames; rates[loop], rad/s. For a level that a
    gait lacks stands the next lower one of that side, without one the next higher; a frame without
    a loop of that side keeps to itself.
    """
    device = next(iter(rows.values())).device if rows else None
    table = torch.arange(size, device=device).repeat(2 * STRAIGHT + 1, 1)
    for loop, own in rows.items():
        known: Dict[int, int] = {}
        for other in rows:
            if gaits[other] == gaits[loop]:
                known.setdefault(level_of(rates[other]), other)
        known[level_of(rates[loop])] = loop  # of two of a level each is its own
        for level in range(-STRAIGHT, STRAIGHT + 1):
            found = [known[choice] for choice in _stand_ins(level) if choice in known]
            if found:
                table[STRAIGHT + level, own] = rows[found[0]]
    return table


def _stand_ins(level: int) -> List[int]:
    """Levels that may stand for one, the best first."""
    sign, size = (1 if level > 0 else -1), abs(level)
    if not size:
        return [0]
    return [sign * other for other in (*range(size, 0, -1), *range(size + 1, STRAIGHT + 1))]
