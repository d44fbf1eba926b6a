"""Between Isaac Gym's tensors and the contract's state: order, quaternions, velocities."""
from __future__ import annotations

from typing import Tuple

import torch
from torch import Tensor

from ppp.engines.isaac_gym_world import World
from ppp.humanoid.kinematics import BodyState, local_rot_to_joint_pos
from ppp.humanoid.rotations import quat_conj, quat_mul, quat_rotate
from ppp.humanoid.skeleton import BODIES, JOINTS

#: body and component of its angular velocity that belongs to each degree of freedom
_DOF_BODY = [joint.body for joint in JOINTS for _ in range(joint.dofs)]
_DOF_AXIS = [axis for joint in JOINTS for axis in ((0, 1, 2) if joint.dofs == 3 else (1,))]


def to_isaac(quat: Tensor) -> Tensor:
    """w, x, y, z (…, 4) to x, y, z, w."""
    return quat[..., [1, 2, 3, 0]]


def from_isaac(quat: Tensor) -> Tensor:
    """x, y, z, w (…, 4) to w, x, y, z."""
    return quat[..., [3, 0, 1, 2]]


def pack_root(pos: Tensor, rot: Tensor, lin_vel: Tensor, ang_vel: Tensor) -> Tensor:
    """Isaac Gym's state of a body (…, 13) from position, rotation w, x, y, z, and velocities."""
    return torch.cat((pos, to_isaac(rot), lin_vel, ang_vel), -1)


def unpack_root(state: Tensor) -> Tensor:
    """The contract's state (…, 13) of Isaac Gym's: the same with the rotation as w, x, y, z."""
    return torch.cat((state[..., :3], from_isaac(state[..., 3:7]), state[..., 7:]), -1)


class Reader:
    """Reads the humanoids' state from the rigid bodies, which need no convention of joints.

    point (17, 3): what linear velocities belong to in each body's frame, m
    (``isaac_gym_check.measure_frames``).
    """

    def __init__(self, world: World, point: Tensor) -> None:
        self._world, self._point = world, point
        self._parents = torch.tensor([max(body.parent, 0) for body in BODIES],
                                     device=world.device)
        self._dof_body = torch.tensor(_DOF_BODY, device=world.device)
        self._dof_axis = torch.tensor(_DOF_AXIS, device=world.device)

    def bodies(self) -> BodyState:
        """Poses and velocities of the body frames' origins, (N, 17, …)."""
        found = self._world.bodies[:, self._world.body_index]
        rot, ang = from_isaac(found[..., 3:7]), found[..., 10:]
        arm = quat_rotate(rot, self._point.expand_as(ang))
        lin = found[..., 7:10] - torch.cross(ang, arm, dim=-1)
        return BodyState(found[..., :3], rot, lin, ang)

    def joints(self, bodies: BodyState) -> Tuple[Tensor, Tensor]:
        """Joint angles and velocities (N, 31) of the contract."""
        above = quat_conj(bodies.rot[:, self._parents])
        angles = local_rot_to_joint_pos(quat_mul(above, bodies.rot))
        spin = quat_rotate(quat_conj(bodies.rot), bodies.ang_vel - bodies.ang_vel[:, self._parents])
        return angles, spin[:, self._dof_body, self._dof_axis]
