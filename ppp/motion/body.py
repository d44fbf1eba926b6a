"""The humanoid as a MuJoCo model, and clips as its coordinates (``qpos``).

``qpos`` (T, 47): root position 3, root quaternion 4, then for every joint of the skeleton its
quaternion (ball) or angle (hinge), in ``JOINTS`` order.
"""
from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, List

import numpy as np
import torch

from ppp.errors import PPPError
from ppp.humanoid.kinematics import joint_pos_to_local_rot
from ppp.humanoid.mjcf import build_mjcf
from ppp.humanoid.rotations import exp_map_to_quat, quat_to_exp_map
from ppp.humanoid.skeleton import JOINTS, dof_slices
from ppp.motion.clip import Clip

if TYPE_CHECKING:
    import mujoco

GRAVITY = 9.81


def load_mujoco() -> Any:
    """The module ``mujoco``, or PPPError: the Python of Isaac Gym is too old for it."""
    try:
        import mujoco
    except ModuleNotFoundError:
        raise PPPError("MuJoCo is not installed (it needs Python 3.10): without it there is no "
                       "teacher, so set 'warm_start.iterations' and 'ppo.teacher' to 0 in the "
                       "training settings and give --checkpoint") from None
    return mujoco


@lru_cache(maxsize=1)
def humanoid_model() -> mujoco.MjModel:
    """The compiled humanoid on its floor (shared: do not change it, copy it)."""
    return load_mujoco().MjModel.from_xml_string(build_mjcf())


def qpos_slices() -> List[slice]:
    """Columns of ``qpos`` that belong to each joint, in ``JOINTS`` order."""
    slices, start = [], 7
    for joint in JOINTS:
        width = 4 if joint.dofs == 3 else 1
        slices.append(slice(start, start + width))
        start += width
    return slices


def qpos_from(root_pos: np.ndarray, root_rot: np.ndarray, joint_pos: np.ndarray) -> np.ndarray:
    """(T, 47) from root position (T, 3), root quaternion (T, 4) and joint angles (T, 31)."""
    qpos = np.zeros((len(joint_pos), qpos_slices()[-1].stop))
    qpos[:, :3], qpos[:, 3:7] = root_pos, root_rot
    angles = torch.as_tensor(np.asarray(joint_pos, np.float64))
    for joint, dofs, columns in zip(JOINTS, dof_slices(), qpos_slices()):
        value = angles[:, dofs]
        qpos[:, columns] = (exp_map_to_quat(value) if joint.dofs == 3 else value).numpy()
    return qpos


def joint_pos_from(qpos: np.ndarray) -> np.ndarray:
    """Joint angles (T, 31), rad, of coordinates (T, 47)."""
    out = np.zeros((len(qpos), dof_slices()[-1].stop))
    for joint, dofs, columns in zip(JOINTS, dof_slices(), qpos_slices()):
        value = torch.as_tensor(np.ascontiguousarray(qpos[:, columns]))
        out[:, dofs] = (quat_to_exp_map(value) if joint.dofs == 3 else value).numpy()
    return out


def clip_qpos(clip: Clip) -> np.ndarray:
    """Coordinates (T, 47) of every frame of a clip."""
    return qpos_from(clip.root_pos, clip.body_rot[:, 0], clip.joint_pos)


def clip_from_qpos(qpos: np.ndarray, fps: float, label: str, source: str, licence: str) -> Clip:
    """A clip of coordinates (T, 47) at ``fps``."""
    joints = joint_pos_from(qpos).astype(np.float32)
    local = joint_pos_to_local_rot(torch.as_tensor(joints)).numpy()
    local[:, 0] = qpos[:, 3:7]
    return Clip(float(fps), qpos[:, :3].astype(np.float32), local.astype(np.float32), joints,
                label, source, licence)


def turned(qpos: np.ndarray, shift: np.ndarray, yaw: float) -> np.ndarray:
    """The same poses, turned about z by ``yaw`` (rad) and then moved by ``shift`` (x, y), m."""
    out = np.array(qpos, copy=True)
    c, s = np.cos(yaw), np.sin(yaw)
    out[:, 0] = c * qpos[:, 0] - s * qpos[:, 1] + shift[0]
    out[:, 1] = s * qpos[:, 0] + c * qpos[:, 1] + shift[1]
    cw, sw = np.cos(0.5 * yaw), np.sin(0.5 * yaw)
    w, x, y, z = qpos[:, 3:7].T
    out[:, 3:7] = np.stack((cw * w - sw * z, cw * x - sw * y, cw * y + sw * x, cw * z + sw * w), 1)
    return out
