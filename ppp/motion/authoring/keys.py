"""Key frames: curves through values at given times, without overshoot."""
from __future__ import annotations

from typing import Sequence

import numpy as np
from scipy.interpolate import PchipInterpolator

from ppp.motion.authoring.balance import smooth


def curve(times: Sequence[float], values: Sequence, at: np.ndarray, loop: bool,
          blur: float = 0.04) -> np.ndarray:
    """Values (len(at), D) of a curve through ``values`` at ``times``, s.

    Monotone between keys (no overshoot), then smoothed by ``blur`` seconds, so that accelerations
    are finite. ``at`` is evenly spaced. Before the first and after the last key the value stays.
    """
    values = np.asarray(values, float).reshape(len(times), -1)
    if len(times) == 1:
        return np.repeat(values, len(at), 0)
    inside = np.clip(at, times[0], times[-1])
    out = PchipInterpolator(np.asarray(times, float), values, axis=0)(inside)
    return smooth(out, blur, float(at[1] - at[0]), loop)
