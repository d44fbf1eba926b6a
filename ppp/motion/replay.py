"""Open-loop replay of a clip: how long does the humanoid follow it with nothing but its servos?

A clip that survives longer is closer to what the body can do, and easier to learn.
"""
from __future__ import annotations

from typing import NamedTuple

import mujoco
import numpy as np
import torch

from ppp.humanoid.kinematics import joint_velocities
from ppp.humanoid.skeleton import per_dof
from ppp.motion.body import clip_qpos, humanoid_model, joint_pos_from, turned
from ppp.motion.clip import Clip
from ppp.motion.contacts import support
from ppp.motion.dynamics import velocities


class Replay(NamedTuple):
    """seconds until the pelvis fell below 0.6 m or tilted by 45°; the qpos that were reached."""

    seconds: float
    fell: bool
    qpos: np.ndarray


def looped_qpos(clip: Clip, seconds: float) -> np.ndarray:
    """Coordinates (T', 47) of a clip, repeated (a loop) until ``seconds``, else as it is."""
    qpos = clip_qpos(clip)
    parts, last = [qpos], qpos
    while (sum(len(p) for p in parts) - 1) / clip.fps < seconds:
        yaw = _yaw(last[-1]) - _yaw(qpos[0])
        c, s = np.cos(yaw), np.sin(yaw)
        shift = last[-1, :2] - np.array([[c, -s], [s, c]]) @ qpos[0, :2]
        last = turned(qpos, shift, yaw)
        parts.append(last[1:])
    return np.concatenate(parts)


def _yaw(pose: np.ndarray) -> float:
    w, x, y, z = pose[3:7]
    return float(np.arctan2(2 * (x * y + w * z), 1 - 2 * (y * y + z * z)))


def servo_targets(qpos: np.ndarray, dt: float, feedforward: bool = False) -> np.ndarray:
    """Targets (T, 31), rad, on which the servos follow poses (T, 47): q + (kd / kp) q̇.

    With ``feedforward`` also + τ / kp, τ the joint torques of inverse dynamics.
    """
    joints = joint_pos_from(qpos)
    kp, kd = np.array(per_dof("kp")), np.array(per_dof("kd"))
    targets = joints + kd / kp * joint_velocities(torch.as_tensor(joints), dt).numpy()
    if feedforward:
        torque = support(qpos, dt).torque
        targets[1:-1] += torque / kp
        targets[0] += torque[0] / kp
        targets[-1] += torque[-1] / kp
    return targets


def replay(clip: Clip, seconds: float = 10.0, loop: bool = True,
           feedforward: bool = False) -> Replay:
    """Roll the clip out in MuJoCo from its own first state on its ``servo_targets``."""
    model = humanoid_model()
    qpos = looped_qpos(clip, seconds) if loop else clip_qpos(clip)
    targets = servo_targets(qpos, 1.0 / clip.fps, feedforward)
    data = mujoco.MjData(model)
    data.qpos[:] = qpos[0]
    ghost = qpos[:3] if len(qpos) > 2 else qpos
    data.qvel[:] = velocities(ghost, 1.0 / clip.fps)[0]
    mujoco.mj_forward(model, data)
    reached = []
    steps = int(round(1.0 / clip.fps / model.opt.timestep))
    for i in range(len(qpos) - 1):
        data.ctrl[:] = targets[i]
        mujoco.mj_step(model, data, steps)
        reached.append(data.qpos.copy())
        if data.qpos[2] < 0.6 or data.xmat[1, 8] < 0.7:
            return Replay(i / clip.fps, True, np.array(reached))
    return Replay((len(qpos) - 1) / clip.fps, False, np.array(reached))
