"""What the policy and the discriminator see: 253 + 3 numbers, and 140 a frame.

All of it is in the heading frame (the world turned by the root's yaw) and without horizontal
position, so a shift or a turn of the world changes nothing.
"""
from __future__ import annotations

import torch
from torch import Tensor

from ppp.humanoid.kinematics import BodyState, joint_pos_to_local_rot
from ppp.humanoid.rotations import (
    heading_inverse,
    quat_mul,
    quat_rotate,
    quat_to_six_d,
    rotate_xy,
    yaw_of,
)
from ppp.humanoid.skeleton import JOINTS, KEY_BODIES

OBSERVATION_SIZE = 253
GOAL_SIZE = 3
DISCRIMINATOR_SIZE = 140
#: distance to the target is told up to here, m
GOAL_HORIZON = 5.0

#: columns of a discriminator frame
FRAME = {
    "height": slice(0, 1), "rotation": slice(1, 7), "linear": slice(7, 10),
    "angular": slice(10, 13), "joints": slice(13, 91), "joint_vel": slice(91, 122),
    "keys": slice(122, 140),
}

_JOINT_BODIES = [joint.body for joint in JOINTS]


def observe(bodies: BodyState) -> Tensor:
    """The policy's view of the body, (N, 253).

    Root height 1; positions of the other 16 bodies relative to the root 48; 17 rotations as x and
    z axes 102; linear velocities 51; angular velocities 51.
    """
    n = bodies.pos.shape[0]
    inverse = heading_inverse(bodies.rot[:, 0])[:, None, :]
    vectors = torch.cat((bodies.pos[:, 1:] - bodies.pos[:, :1], bodies.lin_vel, bodies.ang_vel), 1)
    vectors = quat_rotate(inverse.expand(-1, vectors.shape[1], -1), vectors)
    others = bodies.pos.shape[1] - 1
    rotations = quat_to_six_d(quat_mul(inverse, bodies.rot))
    return torch.cat((
        bodies.pos[:, 0, 2:3],
        vectors[:, :others].reshape(n, -1),
        rotations.reshape(n, -1),
        vectors[:, others:].reshape(n, -1)), -1)


def observe_goal(root_pos: Tensor, root_rot: Tensor, target: Tensor) -> Tensor:
    """Unit direction to the target (N, 2) in the heading frame, and its distance / 5 m, (N, 3)."""
    to_target = target - root_pos[:, :2]
    distance = to_target.norm(dim=-1, keepdim=True)
    direction = rotate_xy(to_target / distance.clamp_min(1e-6), -yaw_of(root_rot))
    return torch.cat((direction, distance.clamp_max(GOAL_HORIZON) / GOAL_HORIZON), -1)


def discriminator_frame(bodies: BodyState, joint_pos: Tensor, joint_vel: Tensor) -> Tensor:
    """What the discriminator sees of one moment, (N, 140).

    Root height 1, rotation 6, linear and angular velocity 6; 13 joint rotations 78; joint
    velocities 31; hands, feet, sword and shield relative to the root 18.
    """
    n = joint_pos.shape[0]
    root_pos, root_rot = bodies.pos[:, 0], bodies.rot[:, 0]
    turn = heading_inverse(root_rot)
    joints = quat_to_six_d(joint_pos_to_local_rot(joint_pos)[:, _JOINT_BODIES])
    keys = bodies.pos[:, list(KEY_BODIES)] - root_pos[:, None]
    keys = quat_rotate(turn[:, None].expand(-1, len(KEY_BODIES), -1), keys)
    return torch.cat((
        root_pos[:, 2:3],
        quat_to_six_d(quat_mul(turn, root_rot)),
        quat_rotate(turn, bodies.lin_vel[:, 0]),
        quat_rotate(turn, bodies.ang_vel[:, 0]),
        joints.reshape(n, -1),
        joint_vel,
        keys.reshape(n, -1)), -1)
