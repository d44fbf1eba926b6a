"""Between MuJoCo's own coordinates (qpos, qvel) and the contract's state, for both its engines."""
from __future__ import annotations

from typing import List, Optional, Tuple

import mujoco
import torch
from torch import Tensor

from ppp.engines.base import EngineState
from ppp.engines.mujoco_model import PropSlots
from ppp.engines.scene import Scene
from ppp.humanoid.kinematics import BodyState, forward_kinematics
from ppp.humanoid.rotations import exp_map_to_quat, quat_conj, quat_rotate, quat_to_exp_map
from ppp.humanoid.skeleton import JOINTS, NUM_BODIES, NUM_DOFS, dof_slices


class Layout:
    """Where everything lies in qpos (n, nq) and qvel (n, nv) of a model, on ``device``.

    MuJoCo keeps a ball joint as a quaternion and a free joint's angular velocity in the body's own
    frame; the contract has exponential maps and the world frame. ``dtype`` is MuJoCo's precision.
    """

    def __init__(self, model: mujoco.MjModel, scene: Scene, device: str = "cpu",
                 dtype: torch.dtype = torch.float64) -> None:
        self.slots = PropSlots(model, scene, device)
        self.rest = torch.as_tensor(model.qpos0, dtype=dtype).to(device)
        self.nv = int(model.nv)
        #: of qpos and qvel, so many are the humanoid's; they come first, the props after them
        self.nq_humanoid, self.nv_humanoid = int(model.nq - 7 * len(self.slots.free)), 6 + NUM_DOFS
        columns = _joint_columns(model)
        self._ball_q, self._ball_dofs, self._hinge_q, self._hinge_dofs = (
            torch.tensor(c, device=device) for c in columns)

    def place(self, root_pos: Tensor, root_rot: Tensor, joint_pos: Tensor, joint_vel: Tensor,
              root_lin_vel: Tensor, root_ang_vel: Tensor, props: Optional[Tensor] = None
              ) -> Tuple[Tensor, Tensor]:
        """qpos (n, nq) and qvel (n, nv) of the states that :meth:`Engine.reset` is given."""
        n = len(root_pos)
        qpos = self.rest.repeat(n, 1)
        qvel = qpos.new_zeros(n, self.nv)
        qpos[:, :3], qpos[:, 3:7] = root_pos, root_rot
        balls = exp_map_to_quat(joint_pos[:, self._ball_dofs].reshape(n, -1, 3))
        qpos[:, self._ball_q] = balls.reshape(n, -1).to(qpos.dtype)
        qpos[:, self._hinge_q] = joint_pos[:, self._hinge_dofs].to(qpos.dtype)
        qvel[:, :3] = root_lin_vel
        qvel[:, 3:6] = quat_rotate(quat_conj(root_rot), root_ang_vel)
        qvel[:, 6:6 + NUM_DOFS] = joint_vel
        self.slots.place(qpos, props)
        return qpos, qvel

    def state(self, qpos: Tensor, qvel: Tensor, contact: Tensor, touched: Tensor, struck: Tensor
              ) -> EngineState:
        """The contract's state of qpos (n, nq) and qvel (n, nv), float32, which it may keep.

        contact: as in :meth:`humanoid`. touched, struck: as in the state.
        """
        return EngineState(*self.humanoid(qpos, qvel, contact), self.slots.read(qpos, qvel),
                           touched, struck)

    def humanoid(self, qpos: Tensor, qvel: Tensor, contact: Tensor
                 ) -> Tuple[Tensor, Tensor, BodyState, Tensor]:
        """Joint angles, joint velocities, bodies and contact forces of a state, of whatever scene.

        contact (n, 51): what the contact sensors of the 17 bodies say, N: the force of a body on
        what it touches, so that the sign changes.
        """
        n = len(qpos)
        joint_pos = qpos.new_zeros(n, NUM_DOFS)
        balls = qpos[:, self._ball_q].reshape(n, -1, 4)
        joint_pos[:, self._ball_dofs] = quat_to_exp_map(balls).reshape(n, -1)
        joint_pos[:, self._hinge_dofs] = qpos[:, self._hinge_q]
        root_rot = qpos[:, 3:7].contiguous()
        joint_vel = qvel[:, 6:6 + NUM_DOFS].contiguous()
        bodies = forward_kinematics(qpos[:, :3].contiguous(), root_rot, joint_pos,
                                    qvel[:, :3].contiguous(),
                                    quat_rotate(root_rot, qvel[:, 3:6]), joint_vel)
        return joint_pos, joint_vel, bodies, -contact.reshape(n, NUM_BODIES, 3)


def _joint_columns(model: mujoco.MjModel) -> Tuple[List[int], ...]:
    """Columns of qpos and of the 31 DoFs for ball joints and for hinges."""
    ball_q: List[int] = []
    ball_dofs: List[int] = []
    hinge_q: List[int] = []
    hinge_dofs: List[int] = []
    for joint, dofs in zip(JOINTS, dof_slices()):
        address = int(model.joint(joint.name).qposadr[0])
        if joint.dofs == 3:
            ball_q += range(address, address + 4)
            ball_dofs += range(dofs.start, dofs.stop)
        else:
            hinge_q.append(address)
            hinge_dofs.append(dofs.start)
    return ball_q, ball_dofs, hinge_q, hinge_dofs
