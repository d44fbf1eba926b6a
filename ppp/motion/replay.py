"""Open-loop replay of a clip: how long does the humanoid follow it with nothing but its servos?

A clip that survives longer is closer to what the body can do, and easier to learn.
"""
from __future__ import annotations

from typing import NamedTuple, Tuple

import mujoco
import numpy as np
import torch

from ppp.humanoid.kinematics import joint_velocities
from ppp.humanoid.skeleton import per_dof
from ppp.motion.body import clip_qpos, humanoid_model, joint_pos_from, turned
from ppp.motion.clip import Clip
from ppp.motion.contacts import support
from ppp.motion.dynamics import velocities

#: a body has fallen when its pelvis is lower than this (m) or tilts more than 45 degrees
FALLEN_HEIGHT, FALLEN_COSINE = 0.6, 0.7
#: in a motion that itself goes so low it has lost the motion when its pelvis is this far off in
#: height (m), or tilted more than 45 degrees away from the motion's
LOST_HEIGHT = 0.25


class Replay(NamedTuple):
    """Seconds until the fall (or the motion is lost), or all; poses (T - 1, 47) reached."""

    seconds: float
    fell: bool
    qpos: np.ndarray


def seam(qpos: np.ndarray) -> Tuple[np.ndarray, float]:
    """Shift (2,) and turn about z that take the first frame's footing to the last one's."""
    yaw = _yaw(qpos[-1]) - _yaw(qpos[0])
    c, s = np.cos(yaw), np.sin(yaw)
    return qpos[-1, :2] - np.array([[c, -s], [s, c]]) @ qpos[0, :2], yaw


def looped_qpos(clip: Clip, seconds: float) -> np.ndarray:
    """Coordinates (T', 47) of a loop, repeated until ``seconds`` are full."""
    last = clip_qpos(clip)
    shift, yaw = seam(last)
    parts = [last]
    while (sum(len(p) for p in parts) - 1) / clip.fps < seconds:
        last = turned(last, shift, yaw)
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


def survival(clip: Clip, loop: bool, feedforward: bool = False, seconds: float = 10.0,
             starts: int = 5) -> float:
    """Mean seconds that a replay lasts, of ``seconds``; a loop is begun at several phases."""
    if not loop:
        return replay(clip_qpos(clip), clip.fps, feedforward).seconds
    qpos = looped_qpos(clip, seconds + clip.seconds)
    count = int(round(seconds * clip.fps)) + 1
    begins = np.linspace(0, clip.frames - 1, starts, endpoint=False).astype(int)
    return float(np.mean([replay(qpos[i:i + count], clip.fps, feedforward).seconds
                          for i in begins]))


def replay(qpos: np.ndarray, fps: float, feedforward: bool = False) -> Replay:
    """Roll poses (T, 47) out in MuJoCo from their own first state on their ``servo_targets``."""
    model = humanoid_model()
    targets = servo_targets(qpos, 1.0 / fps, feedforward)
    data = mujoco.MjData(model)
    data.qpos[:] = qpos[0]
    data.qvel[:] = velocities(qpos[:2], 1.0 / fps)[0]
    mujoco.mj_forward(model, data)
    upright = _stands(qpos)
    reached = []
    steps = int(round(1.0 / fps / model.opt.timestep))
    for i in range(len(qpos) - 1):
        data.ctrl[:] = targets[i]
        mujoco.mj_step(model, data, steps)
        reached.append(data.qpos.copy())
        if _fallen(data) if upright else _lost(data, qpos[i + 1]):
            return Replay(i / fps, True, np.array(reached))
    return Replay((len(qpos) - 1) / fps, False, np.array(reached))


def _stands(qpos: np.ndarray) -> bool:
    """Whether no pose (T, 47) of a motion is itself what counts as fallen."""
    tilt = np.array([_up(pose)[2] for pose in qpos])
    return bool((qpos[:, 2] > FALLEN_HEIGHT).all() and (tilt > FALLEN_COSINE).all())


def _fallen(data: mujoco.MjData) -> bool:
    return bool(data.qpos[2] < FALLEN_HEIGHT or data.xmat[1, 8] < FALLEN_COSINE)


def _lost(data: mujoco.MjData, wanted: np.ndarray) -> bool:
    """Whether the pelvis is far from that of a pose (47,) in height or in tilt."""
    off = abs(data.qpos[2] - wanted[2])
    return bool(off > LOST_HEIGHT or _up(data.qpos) @ _up(wanted) < FALLEN_COSINE)


def _up(pose: np.ndarray) -> np.ndarray:
    """The pelvis' own z axis in the world frame, (3,)."""
    out = np.zeros(3)
    mujoco.mju_rotVecQuat(out, np.array([0.0, 0.0, 1.0]), pose[3:7])
    return out
