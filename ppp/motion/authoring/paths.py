"""Paths of footsteps that start and stop in one stance, walk in another, and change their tempo."""
from __future__ import annotations

from dataclasses import replace
from typing import List, Sequence, Tuple

import numpy as np

from ppp.motion.authoring.footsteps import Step, gait

Moves = List[Tuple[float, float, float]]


def widened(stance: np.ndarray, width: float) -> np.ndarray:
    """The stance (2, 3) with its feet ``width`` apart, m; 0 leaves it as it is."""
    out = np.array(stance, float)
    if width > 0.0:
        out[:, 1] *= width / (out[1, 1] - out[0, 1])
    return out


def path_steps(ready: np.ndarray, width: float, moves: Moves, tempo: Sequence[float],
               double_support: float, first: int, start: float) -> List[Step]:
    """Steps along ``moves`` (forward m, left m, turn rad) with the feet ``width`` (m) apart.

    The last step of either foot lands in the ready stance (2, 3), where a path ends. tempo: s of
    each step, of which the first ``double_support`` share stands on both feet.
    """
    wide = gait(widened(ready, width), moves, 1.0, double_support, first)
    steps = wide[:-2] + gait(ready, moves, 1.0, double_support, first)[-2:]
    begins = start + np.concatenate(([0.0], np.cumsum(tempo)))
    return [replace(step, lift=float(begin + double_support * time), land=float(begin + time))
            for step, begin, time in zip(steps, begins, tempo)]
