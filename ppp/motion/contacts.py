"""Which ground forces a motion needs, and how much of it they cannot give.

For every frame the wrench that inverse dynamics asks of the ground is fitted by forces at the
corners of those soles that touch the floor: pushing only, within the friction cone. What is left
over would take a hand from the sky.
"""
from __future__ import annotations

from typing import NamedTuple

import mujoco
import numpy as np
from scipy.optimize import nnls

from ppp.humanoid.skeleton import FEET
from ppp.motion.body import GRAVITY, humanoid_model
from ppp.motion.dynamics import inverse_forces

#: corners of the sole in the foot's frame, m
CORNERS = np.array([(x, y, -0.05) for x in (-0.0435, 0.1335) for y in (-0.045, 0.045)])
#: a corner this close to the floor touches it, m
TOUCH = 0.008
FRICTION = 1.0
#: lever that makes moments comparable with forces, m
LEVER = 1.0
#: weight of spreading the load evenly over the corners
_EVEN = 0.01


class Support(NamedTuple):
    """For the frames 1 … T - 2 of a motion.

    residual (T - 2,): what the ground cannot give, in body weights (moments over LEVER);
    torque (T - 2, 31): joint torques, N m; load (T - 2, 2): vertical force on either foot, N.
    """

    residual: np.ndarray
    torque: np.ndarray
    load: np.ndarray


def corner_positions(qpos: np.ndarray) -> np.ndarray:
    """World positions (T, 2, 4, 3) of the corners of the right and the left sole, m."""
    model = humanoid_model()
    data = mujoco.MjData(model)
    out = np.zeros((len(qpos), 2, 4, 3))
    for i, pose in enumerate(qpos):
        data.qpos[:] = pose
        mujoco.mj_kinematics(model, data)
        for foot, body in enumerate(FEET):
            out[i, foot] = data.xpos[body + 1] + CORNERS @ data.xmat[body + 1].reshape(3, 3).T
    return out


def support(qpos: np.ndarray, dt: float) -> Support:
    """Ground forces and joint torques of poses (T, 47), one every ``dt`` seconds."""
    model = humanoid_model()
    data = mujoco.MjData(model)
    weight = float(model.body_mass.sum()) * GRAVITY
    forces = inverse_forces(qpos, dt)
    corners = corner_positions(qpos)
    residual, load = np.zeros(len(forces)), np.zeros((len(forces), 2))
    torque = np.zeros((len(forces), model.nv - 6))
    scale = np.array([1.0] * 3 + [1.0 / LEVER] * 3) / weight
    for i, needed in enumerate(forces):
        data.qpos[:] = qpos[i + 1]
        mujoco.mj_kinematics(model, data)
        mujoco.mj_comPos(model, data)
        columns, feet = _force_columns(model, data, corners[i + 1])
        given = np.zeros(model.nv)
        if len(columns):
            # columns are generalised forces of a unit push, one row each
            push = _fit(columns[:, :6].T * scale[:, None], needed[:6] * scale)
            given = columns.T @ push * 1.0
            load[i] = [push[feet == foot].sum() for foot in (0, 1)]
        residual[i] = np.linalg.norm((needed[:6] - given[:6]) * scale)
        torque[i] = (needed - given)[6:]
    return Support(residual, torque, load)


def _fit(matrix: np.ndarray, target: np.ndarray) -> np.ndarray:
    count = matrix.shape[1]
    norm = np.abs(matrix).max()
    rows = np.concatenate((matrix / norm, _EVEN * np.eye(count)))
    return nnls(rows, np.concatenate((target, np.zeros(count))))[0] / norm


def _force_columns(model: mujoco.MjModel, data: mujoco.MjData, corners: np.ndarray):
    """Generalised forces (C, 37) of the edges of each friction cone, and their feet (C,)."""
    edges = np.array([(FRICTION, 0, 1), (-FRICTION, 0, 1), (0, FRICTION, 1), (0, -FRICTION, 1)])
    columns, feet = [], []
    jacobian = np.zeros((3, model.nv))
    for foot, body in enumerate(FEET):
        for point in corners[foot]:
            if point[2] > TOUCH:
                continue
            mujoco.mj_jac(model, data, jacobian, None, point, body + 1)
            columns += list(edges @ jacobian)
            feet += [foot] * len(edges)
    return np.array(columns), np.array(feet)
