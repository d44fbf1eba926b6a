"""Forward kinematics of the humanoid in torch: joint angles to body poses and velocities.

The same function serves the clips and the engines, so a clip and its replay through a simulator
are described alike.
"""
from __future__ import annotations

from functools import lru_cache
from typing import List, NamedTuple, Tuple

import torch
from torch import Tensor

from ppp.humanoid.rotations import (
    exp_map_to_quat,
    quat_conj,
    quat_mul,
    quat_rotate,
    quat_to_exp_map,
)
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
_BALL = [(j.body, s) for j, s in zip(JOINTS, dof_slices()) if j.dofs == 3]
_HINGE = [(j.body, s) for j, s in zip(JOINTS, dof_slices()) if j.dofs == 1]
_BALL_BODIES = [body for body, _ in _BALL]
_HINGE_BODIES = [body for body, _ in _HINGE]
_BALL_DOFS = torch.tensor([i for _, s in _BALL for i in range(s.start, s.stop)])
_HINGE_DOFS = torch.tensor([s.start for _, s in _HINGE])


def _body_rows() -> Tensor:
    """Where each body's entry lies in (balls, hinges, one for bodies without a joint)."""
    order = _BALL_BODIES + _HINGE_BODIES
    return torch.tensor([order.index(i) if i in order else len(order) for i in range(NUM_BODIES)])


class _Level(NamedTuple):
    """One generation: its bodies, each one's parent's place in the last, and their offsets."""

    bodies: Tensor
    parents: Tensor
    offsets: Tensor


def _generations() -> List[_Level]:
    found, last = [], [0]
    for bodies in _LEVELS:
        found.append(_Level(torch.tensor(bodies),
                            torch.tensor([last.index(_PARENTS[i]) for i in bodies]),
                            torch.tensor([BODIES[i].offset for i in bodies])))
        last = bodies
    return found


_ROWS = _body_rows()
_GENERATIONS = _generations()
#: place of each body in the generations one after another
_FROM_GENERATIONS = torch.tensor(
    [([0] + [i for level in _LEVELS for i in level]).index(b) for b in range(NUM_BODIES)])


class _Tables(NamedTuple):
    """The index tables on a device."""

    ball_dofs: Tensor
    hinge_dofs: Tensor
    rows: Tensor
    generations: List[_Level]
    order: Tensor


@lru_cache(maxsize=None)
def _tables(device: torch.device) -> _Tables:
    # kept: on a GPU each copy of a small table would take longer than its use
    return _Tables(_BALL_DOFS.to(device), _HINGE_DOFS.to(device), _ROWS.to(device),
                   [_Level(*(part.to(device) for part in level)) for level in _GENERATIONS],
                   _FROM_GENERATIONS.to(device))


def joint_pos_to_local_rot(joint_pos: Tensor) -> Tensor:
    """Joint angles (…, 31) to the rotation of every body in its parent (…, 17, 4).

    The root's entry and those of welded bodies are the identity.
    """
    shape, tables = joint_pos.shape[:-1], _tables(joint_pos.device)
    balls = joint_pos.index_select(-1, tables.ball_dofs).reshape(shape + (len(_BALL), 3))
    half = 0.5 * joint_pos.index_select(-1, tables.hinge_dofs)
    zero = torch.zeros_like(half)
    hinges = torch.stack((torch.cos(half), zero, torch.sin(half), zero), -1)
    still = joint_pos.new_tensor([1.0, 0.0, 0.0, 0.0]).expand(shape + (1, 4))
    every = torch.cat((exp_map_to_quat(balls), hinges, still), -2)
    return every.index_select(-2, tables.rows)


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
    shape, tables = joint_vel.shape[:-1], _tables(joint_vel.device)
    balls = joint_vel.index_select(-1, tables.ball_dofs).reshape(shape + (len(_BALL), 3))
    hinge = joint_vel.index_select(-1, tables.hinge_dofs)
    zero = torch.zeros_like(hinge)
    still = joint_vel.new_zeros(shape + (1, 3))
    every = torch.cat((balls, torch.stack((zero, hinge, zero), -1), still), -2)
    return every.index_select(-2, tables.rows)


def forward_kinematics(root_pos: Tensor, root_rot: Tensor, joint_pos: Tensor,
                       root_lin_vel: Tensor, root_ang_vel: Tensor, joint_vel: Tensor) -> BodyState:
    """World poses and velocities of all bodies.

    root_pos (…, 3) m, root_rot (…, 4), joint_pos (…, 31) rad, root velocities in the world frame
    (m/s, rad/s), joint_vel (…, 31) rad/s (of a ball joint: in the child's frame).
    """
    local_rot = joint_pos_to_local_rot(joint_pos)
    local_vel = _local_ang_vel(joint_vel)
    tables = _tables(root_pos.device)
    pos, rot, lin, ang = (part[..., None, :] for part in (root_pos, root_rot, root_lin_vel,
                                                          root_ang_vel))
    parts = [(pos, rot, lin, ang)]
    for level in tables.generations:
        pos, rot, lin, ang = (part.index_select(-2, level.parents)
                              for part in (pos, rot, lin, ang))
        arm = quat_rotate(rot, level.offsets.to(root_pos.dtype))
        pos, lin = pos + arm, lin + torch.linalg.cross(ang, arm, dim=-1)
        rot = quat_mul(rot, local_rot.index_select(-2, level.bodies))
        ang = ang + quat_rotate(rot, local_vel.index_select(-2, level.bodies))
        parts.append((pos, rot, lin, ang))
    return BodyState(*(torch.cat(part, -2).index_select(-2, tables.order)
                       for part in zip(*parts)))


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
    delta = quat_to_exp_map(quat_mul(quat_conj(rot[before]), rot[after]))
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
