"""Key frames: curves through values at given times, without overshoot."""
from __future__ import annotations

from typing import Sequence, Tuple

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
    knots, rows = _continued(np.asarray(times, float), values, loop)
    out = PchipInterpolator(knots, rows, axis=0)(np.clip(at, knots[0], knots[-1]))
    return smooth(out, blur, float(at[1] - at[0]), loop)


def _continued(times: np.ndarray, values: np.ndarray, loop: bool) -> Tuple[np.ndarray, np.ndarray]:
    """One more key at either end, so that the curve has no corner there.

    In a loop they are the neighbours through the seam; otherwise the end values rest.
    """
    if loop:
        before, after = times[0] - (times[-1] - times[-2]), times[-1] + (times[1] - times[0])
        rows = (values[-2:-1], values, values[1:2])
    else:
        before, after = times[0] - 10.0, times[-1] + 10.0
        rows = (values[:1], values, values[-1:])
    return np.concatenate(([before], times, [after])), np.concatenate(rows)
