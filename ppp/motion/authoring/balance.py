"""Balance: a centre-of-mass path whose zero moment point lies under the feet.

The linear inverted pendulum (Kajita et al., 2001) gives x'' = g / h (x - zmp). Solved over the
whole clip as a boundary value it has one bounded solution; the difference that limbs make to the
real zero moment point is then measured by inverse dynamics and solved away in the same manner.
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_banded
from scipy.ndimage import gaussian_filter1d

from ppp.motion.authoring.footsteps import rotate
from ppp.motion.body import GRAVITY, turned

#: s beyond either end: the pendulum forgets its boundary as exp(-3.4 t)
HORIZON = 3.0


@dataclass(frozen=True)
class Seam:
    """How a clip goes on: a loop repeats, moved by ``shift`` (x, y) and turned by ``yaw``."""

    loop: bool
    shift: np.ndarray
    yaw: float

    def power(self, k: int):
        """Shift and turn of k repetitions (k may be negative)."""
        shift, step = np.zeros(2), np.asarray(self.shift, float)
        if k >= 0:
            for _ in range(k):
                shift = rotate(shift, self.yaw) + step
        else:
            for _ in range(-k):
                shift = rotate(shift - step, -self.yaw)
        return shift, k * self.yaw


def pad(values: np.ndarray, count: int, seam: Seam, points: bool) -> np.ndarray:
    """Values (N, 2) continued by at least ``count`` samples either side.

    In a loop the last sample is the first one again. ``points`` are moved and turned with the
    repetition, vectors only turned; without a loop the end values are held.
    """
    if not seam.loop:
        return np.concatenate((np.repeat(values[:1], count, 0), values,
                               np.repeat(values[-1:], count, 0)))
    cycle = values[:-1]
    repeats = -(-count // len(cycle))
    parts = []
    for k in range(-repeats, repeats + 1):
        shift, yaw = seam.power(k)
        parts.append(rotate(cycle, yaw) + (shift if points else 0.0))
    long = np.concatenate(parts)
    start = repeats * len(cycle) - count
    return long[start:start + 2 * count + len(values)]


def pendulum(zmp: np.ndarray, dt: float, height: float) -> np.ndarray:
    """Centre of mass (N, 2) with the given zero moment point (N, 2) at constant height, m."""
    a = height / GRAVITY / dt**2
    n = len(zmp)
    bands = np.zeros((3, n))
    bands[0, 2:], bands[1, 1:-1], bands[2, :-2] = -a, 1.0 + 2.0 * a, -a
    bands[1, 0] = bands[1, -1] = 1.0
    return solve_banded((1, 1), bands, zmp)


def com_path(zmp: np.ndarray, dt: float, height: float, seam: Seam, points: bool) -> np.ndarray:
    """Pendulum solution (N, 2) of a clip: of a reference (points) or of an error (vectors)."""
    count = int(round(HORIZON / dt))
    long = pendulum(pad(zmp, count, seam, points), dt, height)
    return long[count:count + len(zmp)]


def continued(qpos: np.ndarray, seam: Seam) -> np.ndarray:
    """Poses (N, 47) with one more frame at either end, (N + 2, 47)."""
    if not seam.loop:
        return np.concatenate((qpos[:1], qpos, qpos[-1:]))
    before = turned(qpos[-2:-1], *seam.power(-1))
    after = turned(qpos[1:2], *seam.power(1))
    return np.concatenate((before, qpos, after))


def smooth(values: np.ndarray, seconds: float, dt: float, loop: bool) -> np.ndarray:
    """Gaussian smoothing in time of (N, …); in a loop the last sample is the first one again."""
    if seconds <= 0.0:
        return values
    if not loop:
        return gaussian_filter1d(values, seconds / dt, axis=0, mode="nearest")
    wrapped = gaussian_filter1d(values[:-1], seconds / dt, axis=0, mode="wrap")
    return np.concatenate((wrapped, wrapped[:1]))
