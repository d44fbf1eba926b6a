"""Inverse dynamics of a motion: velocities, the wrench at the root, the zero moment point."""
from __future__ import annotations

from typing import Tuple

import mujoco
import numpy as np

from ppp.motion.body import humanoid_model


def velocities(qpos: np.ndarray, dt: float) -> np.ndarray:
    """MuJoCo velocities between neighbouring frames, (T - 1, 37): entry i is from i to i + 1."""
    model = humanoid_model()
    out = np.zeros((len(qpos) - 1, model.nv))
    for i in range(len(qpos) - 1):
        mujoco.mj_differentiatePos(model, out[i], dt, qpos[i], qpos[i + 1])
    return out


def inverse_forces(qpos: np.ndarray, dt: float) -> np.ndarray:
    """Generalised forces (T - 2, 37) that frames 1 … T - 2 need, contacts left out.

    The first six are what the ground has to give: force in the world frame, N, and moment about
    the root's origin in the root's frame, N m.
    """
    model = humanoid_model()
    between = velocities(qpos, dt)
    flags = model.opt.disableflags
    data = mujoco.MjData(model)
    out = np.zeros((len(qpos) - 2, model.nv))
    model.opt.disableflags |= int(mujoco.mjtDisableBit.mjDSBL_CONSTRAINT)
    try:
        for i in range(len(qpos) - 2):
            data.qpos[:] = qpos[i + 1]
            data.qvel[:] = 0.5 * (between[i] + between[i + 1])
            data.qacc[:] = (between[i + 1] - between[i]) / dt
            mujoco.mj_inverse(model, data)
            out[i] = data.qfrc_inverse
    finally:
        model.opt.disableflags = flags
    return out


def ground_wrench(qpos: np.ndarray, dt: float) -> Tuple[np.ndarray, np.ndarray]:
    """Force (T - 2, 3), N, and moment about the world's origin (T - 2, 3), N m, world frame."""
    forces = inverse_forces(qpos, dt)
    force, local = forces[:, :3], forces[:, 3:6]
    moment = np.zeros_like(local)
    for i in range(len(local)):
        mujoco.mju_rotVecQuat(moment[i], local[i], qpos[i + 1, 3:7])
    return force, moment + np.cross(qpos[1:-1, :3], force)


def zero_moment_point(qpos: np.ndarray, dt: float) -> np.ndarray:
    """Where on the floor the ground's force acts, (T - 2, 2), m, for frames 1 … T - 2."""
    force, moment = ground_wrench(qpos, dt)
    return np.stack((-moment[:, 1], moment[:, 0]), 1) / force[:, 2:3]


def centre_of_mass(qpos: np.ndarray) -> np.ndarray:
    """The body's centre of mass (T, 3) in poses (T, 47), m, world frame."""
    model = humanoid_model()
    data = mujoco.MjData(model)
    out = np.zeros((len(qpos), 3))
    for i, pose in enumerate(qpos):
        data.qpos[:] = pose
        mujoco.mj_kinematics(model, data)
        mujoco.mj_comPos(model, data)
        out[i] = data.subtree_com[0]
    return out


def outside_help(qpos: np.ndarray, dt: float) -> Tuple[np.ndarray, np.ndarray]:
    """What gravity does not explain at frames 1 … T - 2, world frame; both are 0 in free flight.

    The centre of mass' acceleration less gravity's (T - 2, 3), m/s^2, and the rate of change of
    the angular momentum about the centre of mass (T - 2, 3), N m.
    """
    force, moment = ground_wrench(qpos, dt)
    about_com = moment - np.cross(centre_of_mass(qpos[1:-1]), force)
    return force / float(humanoid_model().body_mass.sum()), about_com
