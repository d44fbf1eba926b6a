"""Loops of one gait that differ in how they turn: which of them a reference may change to.

Such loops share their length and phase, so that a change in mid-stride keeps the step.
"""
from __future__ import annotations

from typing import Dict, Hashable, Sequence

import torch
from torch import Tensor

#: a gait whose mean yaw rate is beyond this is a curve, beyond the second a sharp one, rad/s
CURVE, SHARP_CURVE = 0.2, 1.0
#: rows of a steering table
SHARP_RIGHT, RIGHT, STRAIGHT, LEFT, SHARP_LEFT = range(5)
#: for each row the kinds of loop that may stand in it, the best first
_STAND_IN = ((SHARP_RIGHT, RIGHT), (RIGHT, SHARP_RIGHT), (STRAIGHT,), (LEFT, SHARP_LEFT),
             (SHARP_LEFT, LEFT))


def kind_of(rate: float) -> int:
    """The row of a loop that turns at ``rate``, rad/s, positive to the left."""
    if abs(rate) < CURVE:
        return STRAIGHT
    steps = 1 + int(abs(rate) >= SHARP_CURVE)
    return STRAIGHT + (steps if rate > 0 else -steps)


def steering_table(size: int, rows: Dict[int, Tensor], gaits: Dict[int, Hashable],
                   rates: Sequence[float]) -> Tensor:
    """For each of ``size`` frames that of the same phase in each kind of loop, (5, size).

    rows: the frames (n,) of each loop in order; gaits: loops of the same gait belong together and
    have the same number of frames; rates[loop], rad/s. A gait without sharp curves takes its curves
    for them and the other way round; a frame without a loop of the kind keeps to itself.
    """
    device = next(iter(rows.values())).device if rows else None
    table = torch.arange(size, device=device).repeat(len(_STAND_IN), 1)
    for loop, own in rows.items():
        kinds: Dict[int, int] = {}
        for other in rows:
            if gaits[other] == gaits[loop]:
                kinds.setdefault(kind_of(rates[other]), other)
        kinds[kind_of(rates[loop])] = loop  # of two of a kind each is its own
        for row, choice in enumerate(_STAND_IN):
            found = [kinds[kind] for kind in choice if kind in kinds]
            if found:
                table[row, own] = rows[found[0]]
    return table
