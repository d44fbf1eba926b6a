"""Forward kinematics of the humanoid in torch: joint angles to body poses and velocities.

The same function serves the clips and the engines, so a clip and its replay through a simulator
are described alike.
"""
from __future__ import annotations

from typing import List, NamedTuple, Tuple

import torch
from torch import Tensor

from ppp.humanoid.rotations import exp_map_to_quat, quat_mul, quat_rotate, quat_to_exp_map
from ppp.humanoid.skeleton import BODIES, JOINTS, NUM_BODIES, NUM_DOFS, dof_slices


class BodyState(NamedTuple):
    """Body poses and velocities in the world frame; B = 17, origins of the body frames."""

    pos: Tensor  # (…, B, 3) m
    rot: Tensor  # (…, B, 4) w, x, y, z
    lin_vel: Tensor  # (…, B, 3) m/s
    ang_vel: Tensor  # (…, B, 3) rad/s


def _levels() -> List[List[int]]:
    """Body indices by depth, so that one tensor operation serves a whole generation."""
    depth = [0] * NUM_BODIES
    for i, body in enumerate(BODIES):
        depth[i] = 0 if body.parent < 0 else depth[body.parent] + 1
    return [[i for i in range(NUM_BODIES) if depth[i] == d] for d in range(1, max(depth) + 1)]


_LEVELS = _levels()
_PARENTS = [body.parent for body in BODIES]
_OFFSETS = torch.tensor([body.offset for body in BODIES], dtype=torch.float32)
_BALL = [(j.body, s) for j, s in zip(JOINTS, dof_slices()) if j.dofs == 3]
_HINGE = [(j.body, s) for j, s in zip(JOINTS, dof_slices()) if j.dofs == 1]
_BALL_BODIES = [body for body, _ in _BALL]
_HINGE_BODIES = [body for body, _ in _HINGE]
_BALL_DOFS = [i for _, s in _BALL for i in range(s.start, s.stop)]
_HINGE_DOFS = [s.start for _, s in _HINGE]


def joint_pos_to_local_rot(joint_pos: Tensor) -> Tensor:
    """Joint angles (…, 31) to the rotation of every body in its parent (…, 17, 4).

    The root's entry and those of welded bodies are the identity.
    """
    shape = joint_pos.shape[:-1]
    local = joint_pos.new_zeros(shape + (NUM_BODIES, 4))
    local[..., 0] = 1.0
    balls = joint_pos[..., _BALL_DOFS].reshape(shape + (len(_BALL), 3))
    local[..., _BALL_BODIES, :] = exp_map_to_quat(balls)
    half = 0.5 * joint_pos[..., _HINGE_DOFS]
    zero = torch.zeros_like(half)
    local[..., _HINGE_BODIES, :] = torch.stack((torch.cos(half), zero, torch.sin(half), zero), -1)
    return local


def local_rot_to_joint_pos(local: Tensor) -> Tensor:
    """Inverse of :func:`joint_pos_to_local_rot` (hinges keep their rotation about y)."""
    shape = local.shape[:-2]
    out = local.new_zeros(shape + (NUM_DOFS,))
    out[..., _BALL_DOFS] = quat_to_exp_map(local[..., _BALL_BODIES, :]).reshape(shape + (-1,))
    hinge = local[..., _HINGE_BODIES, :]
    angle = 2.0 * torch.atan2(hinge[..., 2], hinge[..., 0])
    out[..., _HINGE_DOFS] = torch.atan2(torch.sin(angle), torch.cos(angle))
    return out


def _local_ang_vel(joint_vel: Tensor) -> Tensor:
    """Joint velocities (…, 31) as angular velocity of each body against its parent, own frame."""
    shape = joint_vel.shape[:-1]
    local = joint_vel.new_zeros(shape + (NUM_BODIES, 3))
    local[..., _BALL_BODIES, :] = joint_vel[..., _BALL_DOFS].reshape(shape + (len(_BALL), 3))
    local[..., _HINGE_BODIES, 1] = joint_vel[..., _HINGE_DOFS]
    return local


def forward_kinematics(root_pos: Tensor, root_rot: Tensor, joint_pos: Tensor,
                       root_lin_vel: Tensor, root_ang_vel: Tensor, joint_vel: Tensor) -> BodyState:
    """World poses and velocities of all bodies.

    root_pos (…, 3) m, root_rot (…, 4), joint_pos (…, 31) rad, root velocities in the world frame
    (m/s, rad/s), joint_vel (…, 31) rad/s (of a ball joint: in the child's frame).
    """
    local_rot = joint_pos_to_local_rot(joint_pos)
    local_vel = _local_ang_vel(joint_vel)
    shape = root_pos.shape[:-1]
    pos = root_pos.new_zeros(shape + (NUM_BODIES, 3))
    rot = root_pos.new_zeros(shape + (NUM_BODIES, 4))
    lin, ang = torch.zeros_like(pos), torch.zeros_like(pos)
    pos[..., 0, :], rot[..., 0, :] = root_pos, root_rot
    lin[..., 0, :], ang[..., 0, :] = root_lin_vel, root_ang_vel
    offsets = _OFFSETS.to(root_pos)
    for bodies in _LEVELS:
        parents = [_PARENTS[i] for i in bodies]
        parent_rot, parent_ang = rot[..., parents, :], ang[..., parents, :]
        arm = quat_rotate(parent_rot, offsets[bodies])
        world_rot = quat_mul(parent_rot, local_rot[..., bodies, :])
        pos[..., bodies, :] = pos[..., parents, :] + arm
        rot[..., bodies, :] = world_rot
        lin[..., bodies, :] = lin[..., parents, :] + torch.linalg.cross(parent_ang, arm, dim=-1)
        ang[..., bodies, :] = parent_ang + quat_rotate(world_rot, local_vel[..., bodies, :])
    return BodyState(pos, rot, lin, ang)


def joint_velocities(joint_pos: Tensor, dt: float) -> Tensor:
    """Velocities of a joint trajectory (T, 31) by central differences, rad/s, (T, 31).

    A ball joint's velocity is its angular velocity in the child's frame, as the engines report it.
    """
    local = joint_pos_to_local_rot(joint_pos)
    omega = angular_velocities(local, dt)
    out = torch.zeros_like(joint_pos)
    out[..., _BALL_DOFS] = omega[:, _BALL_BODIES].reshape(joint_pos.shape[0], -1)
    out[..., _HINGE_DOFS] = omega[:, _HINGE_BODIES, 1]
    return out


def angular_velocities(rot: Tensor, dt: float) -> Tensor:
    """Angular velocity of rotations (T, …, 4) in their own moving frame, rad/s, (T, …, 3)."""
    before, after, span = neighbours(rot.shape[0], dt)
    inverse = torch.cat((rot[..., :1], -rot[..., 1:]), -1)
    delta = quat_to_exp_map(quat_mul(inverse[before], rot[after]))
    return delta / span.to(rot).reshape((-1,) + (1,) * (rot.dim() - 1))


def linear_velocities(pos: Tensor, dt: float) -> Tensor:
    """Velocity of positions (T, …, 3), m/s, by central differences (one-sided at the ends)."""
    before, after, span = neighbours(pos.shape[0], dt)
    return (pos[after] - pos[before]) / span.to(pos).reshape((-1,) + (1,) * (pos.dim() - 1))


def neighbours(frames: int, dt: float) -> Tuple[Tensor, Tensor, Tensor]:
    """Frame before, frame after and the time between them, s, for central differences."""
    index = torch.arange(frames)
    before, after = (index - 1).clamp_min(0), (index + 1).clamp_max(frames - 1)
    return before, after, (after - before).clamp_min(1).float() * dt
