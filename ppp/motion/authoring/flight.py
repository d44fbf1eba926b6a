"""Motions that leave the ground: the vertical path of the centre of mass, and balance along it.

With a height z(t) the pendulum becomes x'' = (g + z'') / z (x - zmp): see Caron and Kheddar (2017,
"Dynamic walking over rough terrains by nonlinear predictive control of the floating-base inverted
pendulum"). In flight the ground gives nothing: z'' = -g, so x'' = 0, and the angular momentum about
the centre of mass stays what it was at take-off. All three are linear problems here: a small
quadratic programme for z, one banded system for x and y, one least-squares system a spin axis.
"""
from __future__ import annotations

from typing import Sequence, Tuple

import mujoco
import numpy as np
from scipy.linalg import solve_banded, solveh_banded

from ppp.errors import PPPError
from ppp.motion.authoring.balance import HORIZON, Seam, continued, pad, smooth
from ppp.motion.body import GRAVITY, humanoid_model
from ppp.motion.dynamics import centre_of_mass, ground_wrench

#: weight of keeping the rise of the ground's force low against keeping it smooth
_SMALL = 1e-4
#: turning the upper body to mend the spin in flight: weight of its angular acceleration in stance
#: (1 in flight), and of the turn itself, 1/s^4
_STANCE_COST, _TURN_COST = 0.1, 30.0


def vertical_path(aloft: np.ndarray, dt: float, heights: Sequence[Tuple[float, float]], loop: bool,
                  max_force: float, where: str = "clip") -> Tuple[np.ndarray, np.ndarray]:
    """Height z (N,), m, of the centre of mass and the ground's force (N,), in body weights.

    aloft (N,) bool: samples without a foot on the floor, ballistic. heights: (time s, height m)
    that the path passes. On the ground the force is as smooth as it can be, between 0 and
    ``max_force``. In a loop the last sample is the first one again; otherwise it is at rest at
    both ends. PPPError where no such path exists.
    """
    import qpsolvers

    n = len(aloft)
    used = n - 1 if loop else n
    # unknowns: accelerations a (used,) in g, then z[0] and the first step v, m
    lift = np.zeros((n + 1, used + 2))
    lift[:, used], lift[:, used + 1] = 1.0, np.arange(n + 1)
    for i in range(1, n):
        lift[i + 1:, i % used] += GRAVITY * dt**2 * np.arange(1, n + 1 - i)
    rows, values = [], []
    for i in np.flatnonzero(aloft[:used]):
        rows.append(np.eye(used + 2)[i])
        values.append(-1.0)
    for time, height in heights:
        if not 0.0 <= time <= (n - 1) * dt + 1e-6:
            raise PPPError(f"{where}: the time {time:g} s of 'heights' lies outside the clip; give "
                           f"0 to {(n - 1) * dt:g} s")
        rows.append(lift[int(round(time / dt))])
        values.append(height)
    if loop:
        rows += [lift[n - 1] - lift[0], lift[n] - lift[1]]
        values += [0.0, 0.0]
    else:
        rows += [np.eye(used + 2)[i] for i in (0, used - 1, used + 1)]
        rows.append(lift[n - 1] - lift[n - 2])
        values += [0.0] * 4
    change = np.diff(np.eye(used), axis=0)
    if loop:
        change = np.concatenate((change, np.eye(used)[:1] - np.eye(used)[-1:]))
    cost = np.zeros((used + 2, used + 2))
    cost[:used, :used] = change.T @ change / (dt * 60.0)**2 + _SMALL * np.eye(used)
    cost[used:, used:] = 1e-4 * np.eye(2)  # fixed by the heights; the solver wants a cost
    low, high = np.full(used + 2, -1e3), np.full(used + 2, 1e3)
    low[:used], high[:used] = -1.0, max_force - 1.0
    found = qpsolvers.solve_qp(cost, np.zeros(used + 2), A=np.array(rows), b=np.array(values),
                               lb=low, ub=high, solver="daqp")
    if found is None:
        raise PPPError(f"{where}: the ground would have to pull, or push with more than "
                       f"{max_force:g} body weights; change the heights or times of 'heights', "
                       "or raise 'max_force'")
    force = 1.0 + found[:used]
    force[np.abs(force) < 1e-9] = 0.0
    return (lift @ found)[:n], np.append(force, force[0]) if loop else force


def spring(force: np.ndarray, height: np.ndarray) -> np.ndarray:
    """(g + z'') / z (N,), 1/s², of the ground's force in body weights and the height, m."""
    return GRAVITY * force / height


def com_over(rate: np.ndarray, zmp: np.ndarray, dt: float, seam: Seam) -> np.ndarray:
    """Centre of mass (N, 2) with x'' = rate (x - zmp), bounded through the seam.

    rate (N,), 1/s²: see :func:`spring`; zmp (N, 2), m.
    """
    count = int(round(HORIZON / dt))
    long = _padded(rate, count, seam)
    place = pad(zmp, count, seam, points=True)
    return _bounded(long, long[:, None] * place, place[[0, -1]], dt)[count:count + len(rate)]


def com_change(rate: np.ndarray, push: np.ndarray, dt: float, seam: Seam) -> np.ndarray:
    """Change (N, 2) of the centre of mass with x'' = rate x - push, bounded through the seam.

    push (N, 2), m/s²: rate times the wanted change of the zero moment point, a vector.
    """
    count = int(round(HORIZON / dt))
    long = _padded(rate, count, seam)
    right = pad(push, count, seam, points=False)
    return _bounded(long, right, np.zeros((2, 2)), dt)[count:count + len(rate)]


def _padded(rate: np.ndarray, count: int, seam: Seam) -> np.ndarray:
    still = Seam(seam.loop, np.zeros(2), 0.0)
    return pad(np.stack((rate, rate), 1), count, still, points=False)[:, 0]


def _bounded(rate: np.ndarray, right: np.ndarray, ends: np.ndarray, dt: float) -> np.ndarray:
    """The solution of rate x - x'' = right with given ends (2, 2)."""
    bands = np.zeros((3, len(rate)))
    bands[0, 2:], bands[2, :-2] = -1.0, -1.0
    bands[1, 1:-1] = 2.0 + dt**2 * rate[1:-1]
    bands[1, 0] = bands[1, -1] = 1.0
    right = dt**2 * right
    right[[0, -1]] = ends
    return solve_banded((1, 1), bands, right)


def moments(qpos: np.ndarray, zmp: np.ndarray, dt: float, seam: Seam) -> Tuple[np.ndarray, ...]:
    """What the motion asks of the ground: push error (N, 2), m/s², and moment (N, 3), N m.

    The first is what :func:`com_change` needs to bring the zero moment point to ``zmp`` (N, 2); the
    second is the rate of the angular momentum about the centre of mass, world frame.
    """
    mass = float(humanoid_model().body_mass.sum())
    force, moment = ground_wrench(continued(qpos, seam), dt)
    com = centre_of_mass(qpos)
    over = np.stack((zmp[:, 0] * force[:, 2] + moment[:, 1],
                     zmp[:, 1] * force[:, 2] - moment[:, 0]), 1)
    return over / (mass * com[:, 2:]), moment - np.cross(com, force)


def evened(values: np.ndarray, seconds: float, dt: float, seam: Seam) -> np.ndarray:
    """Vectors (N, 2) smoothed in time, through the seam of a turning loop too."""
    if not seam.loop:
        values[0], values[-1] = values[1], values[-2]
        return smooth(values, seconds, dt, False)
    count = int(round(4 * seconds / dt))
    return smooth(pad(values, count, seam, points=False), seconds, dt, False)[count:-count]


def upper_inertia() -> np.ndarray:
    """Moments of inertia (3,), kg m², of all but the legs about the centre of mass, upright."""
    model = humanoid_model()
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    out = np.zeros(3)
    for body in range(1, model.nbody):
        if model.body(body).name.split("_")[-1] in ("thigh", "shin", "foot"):
            continue
        turn = data.ximat[body].reshape(3, 3)
        arm = data.xipos[body] - data.subtree_com[0]
        own = np.einsum("ij,j,ij->i", turn, model.body_inertia[body], turn)
        out += own + model.body_mass[body] * (arm @ arm - arm**2)
    return out


def counter_turn(moment: np.ndarray, aloft: np.ndarray, inertia: np.ndarray, dt: float,
                 seam: Seam, steady: float) -> np.ndarray:
    """Turn (N, 3), rotation vector in rad, of the upper body that takes the moment away in flight.

    Least squares about each axis: inertia (3,) times the turn's acceleration cancels the moment
    (N, 3), N m, where ``aloft``; in stance, where the ground can give it, it cancels the share
    ``steady`` and comes back smoothly.
    """
    count = len(moment) if seam.loop else 0
    still = Seam(seam.loop, np.zeros(2), 0.0)
    flying = pad(np.stack((aloft, aloft), 1).astype(float), count, still, points=False)[:, 0] > 0.5
    plane = pad(moment[:, :2], count, seam, points=False)
    need = np.column_stack((plane, pad(moment[:, 1:], count, still, points=False)[:, 1])) / inertia
    weight = np.where(flying, 1.0, _STANCE_COST)[1:-1]
    target = -np.where(flying[:, None], 1.0, steady)[1:-1] * need[1:-1] * dt**2
    total = len(flying)
    bands, right = np.zeros((3, total)), np.zeros((total, 3))
    second = ((0, 1.0), (1, -2.0), (2, 1.0))
    for a, x in second:
        right[a:total - 2 + a] += x * weight[:, None] * target
        for b, y in second[a:]:
            bands[2 - (b - a), b:total - 2 + b] += x * y * weight
    bands[2] += _TURN_COST * dt**4
    turn = solveh_banded(bands, right)
    return turn[count:count + len(moment)]
