"""NVIDIA's Isaac Gym (Preview 4, Python 3.8) behind the engine contract.

Never run on hardware by its authors: it is tested against a stub with Isaac Gym's published calls
(docs/isaac_gym.md), and checks on start what the manual leaves open.
"""
from __future__ import annotations

from dataclasses import replace
from typing import Dict, Optional, Tuple

import torch
from torch import Tensor

from ppp.engines.base import EngineState, merged
from ppp.engines.isaac_gym_check import check_props, measure_frames
from ppp.engines.isaac_gym_order import load_isaacgym
from ppp.engines.isaac_gym_state import Reader, from_isaac, pack_root, unpack_root
from ppp.engines.isaac_gym_touch import Touch
from ppp.engines.isaac_gym_world import SIMULATE_DT, build_world, choose_device
from ppp.engines.scene import Scene
from ppp.humanoid.kinematics import forward_kinematics
from ppp.humanoid.rotations import quat_rotate
from ppp.humanoid.skeleton import BODIES, NUM_BODIES, NUM_DOFS

#: calls of ``simulate`` in a control step
CALLS = 2
#: a coordinate or velocity beyond this is an explosion, m, rad, m/s or rad/s
LARGEST = 1e4


class IsaacGymEngine:
    """See :class:`ppp.engines.base.Engine`.

    device: ``cpu``, ``cuda`` or ``cuda:1``, where the tensors are and the physics runs; threads: of
    the physics on the processor. Isaac Gym holds one simulation a process.

    As in ``mujoco_cpu``, a state that is no longer finite is put back to the last finite one and
    marked in ``broken`` (N,) bool until the next step. Where it differs: a ``push`` acts over the
    first 1/60 s of the next step, and contact forces are those of the last 1/60 s.
    """

    control_dt = 1.0 / 30.0

    def __init__(self, num_envs: int, scene: Scene, device: str = "cpu", threads: int = 4) -> None:
        gymapi, gymtorch = load_isaacgym()
        self.num_envs, self.scene = int(num_envs), scene
        self.device = choose_device(device)
        self._world = build_world(gymapi, gymtorch, self.num_envs, scene, self.device, threads)
        check_props(self._world, scene)
        self._point = measure_frames(self._world)
        self._reader = Reader(self._world, self._point)
        self._touch = Touch(scene, self.device)
        self._rest = torch.tensor([prop.pose for prop in scene.bodies],
                                  device=self.device).reshape(-1, 7)
        self._free = [i for i, prop in enumerate(scene.bodies) if prop.kind == "target"]
        self._force = torch.zeros_like(self._world.forces)  # of pushes, for the next simulate
        self._pushed = False
        self._moved = torch.zeros(self._world.root.shape[:2], dtype=torch.bool, device=self.device)
        self.broken = torch.zeros(self.num_envs, dtype=torch.bool, device=self.device)
        self.state = self._read(*self._no_touch())
        every = torch.arange(self.num_envs, device=self.device)
        zero = torch.zeros(self.num_envs, 3, device=self.device)
        still = torch.zeros(self.num_envs, NUM_DOFS, device=self.device)
        self.reset(every, zero + torch.tensor(BODIES[0].offset, device=self.device),
                   torch.tensor([1.0, 0.0, 0.0, 0.0], device=self.device).expand(len(every), 4),
                   still, still, zero, zero)

    # -- the contract ------------------------------------------------------------------------
    def reset(self, env_ids: Tensor, root_pos: Tensor, root_rot: Tensor, joint_pos: Tensor,
              joint_vel: Tensor, root_lin_vel: Tensor, root_ang_vel: Tensor,
              props: Optional[Tensor] = None) -> None:
        """Put environments into a state; see the contract for shapes and frames."""
        ids = self._here(env_ids)
        pos, rot, angles, speeds, lin, ang = (self._here(part) for part in (
            root_pos, root_rot, joint_pos, joint_vel, root_lin_vel, root_ang_vel))
        world = self._world
        arm = quat_rotate(rot, self._point[0].expand_as(pos))
        world.root[ids, 0] = pack_root(pos, rot, lin + torch.cross(ang, arm, dim=-1), ang)
        world.dofs[ids[:, None], world.dof_index, 0] = angles
        world.dofs[ids[:, None], world.dof_index, 1] = speeds
        self._moved[ids, 0] = True
        poses = self._rest.expand(len(ids), -1, -1) if props is None else self._here(props)
        still = torch.zeros(len(ids), poses.shape[1], 6, device=self.device)
        self._place(ids, torch.cat((poses, still), -1))
        self._force[ids] = 0.0
        self._tell(ids)

    def step(self, pd_targets: Tensor) -> None:
        """Four physics steps towards the joint targets (N, 31), rad."""
        world, before = self._world, self.state
        world.put(self._moved)
        self._moved.zero_()
        targets = torch.zeros(self.num_envs, NUM_DOFS, device=self.device)
        targets[:, world.dof_index] = self._here(pd_targets.detach())
        unwrap = world.gymtorch.unwrap_tensor
        world.gym.set_dof_position_target_tensor(world.sim, unwrap(targets))
        if self._pushed:
            world.gym.apply_rigid_body_force_tensors(world.sim, unwrap(self._force), None,
                                                     world.gymapi.ENV_SPACE)
        touched, struck = self._no_touch()
        for _ in range(CALLS):
            world.simulate()
            if self.scene.bodies:
                found = self._touch.find(self._reader.bodies(), self._contact(), self._props(),
                                         world.forces[:, NUM_BODIES:], SIMULATE_DT)
                touched, struck = touched | found[0], struck | found[1]
        if self._pushed:
            self._force.zero_()
            self._pushed = False
        self._mark_broken()
        good = ~self.broken[:, None]
        self.state = self._read(touched & good, struck & good)
        self._put_back(before)

    def set_props(self, env_ids: Tensor, props: Tensor) -> None:
        """Put free props into states; see the contract."""
        ids = self._here(env_ids)
        self._place(ids, self._here(props))
        states = self.state.prop_state.index_copy(0, ids, self._props()[ids])
        self.state = replace(self.state, prop_state=states)

    def push(self, env_ids: Tensor, impulse: Tensor) -> None:
        """An impulse on the pelvis, as a force over the first 1/60 s of the next step."""
        ids, pelvis = self._here(env_ids), int(self._world.body_index[0])
        self._force[ids, pelvis] += self._here(impulse) / SIMULATE_DT
        self._pushed = True

    def snapshot(self) -> Dict[str, Tensor]:
        """All that decides how the simulation goes on, for :meth:`restore`."""
        return {"root": self._world.root.clone(), "dofs": self._world.dofs.clone()}

    def restore(self, snapshot: Dict[str, Tensor]) -> bool:
        """Go back to a snapshot; False, and nothing changed, where it is of another scene or size.

        Contacts are known again after the next step.
        """
        world = self._world
        if set(snapshot) != {"root", "dofs"} or any(
                snapshot[name].shape != getattr(world, name).shape for name in snapshot):
            return False
        world.root.copy_(snapshot["root"])
        world.dofs.copy_(snapshot["dofs"])
        self._moved[:, [0] + [1 + i for i in self._free]] = True
        self._force.zero_()
        self._tell(torch.arange(self.num_envs, device=self.device))
        return True

    def close(self) -> None:
        """Destroy the simulation."""
        self._world.gym.destroy_sim(self._world.sim)

    # -- parts -------------------------------------------------------------------------------
    def _here(self, value: Tensor) -> Tensor:
        return value.to(self.device)

    def _no_touch(self) -> Tuple[Tensor, Tensor]:
        none = torch.zeros(self.num_envs, len(self.scene.bodies), dtype=torch.bool,
                           device=self.device)
        return none, none

    def _contact(self) -> Tensor:
        return self._world.forces[:, self._world.body_index]

    def _props(self) -> Tensor:
        """(N, P, 13) as in the contract; what is fixed, as the scene has it."""
        states = unpack_root(self._world.root[:, 1:])
        for index, prop in enumerate(self.scene.bodies):
            if prop.kind != "target":
                states[:, index, :7], states[:, index, 7:] = self._rest[index], 0.0
        return states

    def _place(self, ids: Tensor, states: Tensor) -> None:
        """Write the free props' states (n, P, 13) for the next step."""
        for index in self._free:
            one = states[:, index]
            self._world.root[ids, 1 + index] = pack_root(one[:, :3], one[:, 3:7], one[:, 7:10],
                                                         one[:, 10:])
            self._moved[ids, 1 + index] = True

    def _read(self, touched: Tensor, struck: Tensor) -> EngineState:
        """The state after ``simulate``."""
        bodies = self._reader.bodies()
        angles, speeds = self._reader.joints(bodies)
        return EngineState(angles, speeds, bodies, self._contact(), self._props(), touched, struck)

    def _tell(self, ids: Tensor) -> None:
        """The state of ``ids`` from what was written: Isaac Gym shows it after the next step."""
        root = self._world.root[ids, 0]
        dofs = self._world.dofs[ids][:, self._world.dof_index]
        rot, ang = from_isaac(root[:, 3:7]), root[:, 10:]
        arm = quat_rotate(rot, self._point[0].expand_as(ang))
        lin = root[:, 7:10] - torch.cross(ang, arm, dim=-1)
        bodies = forward_kinematics(root[:, :3], rot, dofs[..., 0], lin, ang, dofs[..., 1])
        none = torch.zeros(len(ids), len(self.scene.bodies), dtype=torch.bool, device=self.device)
        new = EngineState(dofs[..., 0], dofs[..., 1], bodies,
                          torch.zeros(len(ids), NUM_BODIES, 3, device=self.device),
                          self._props()[ids], none, none)
        self.state = merged(self.state, ids, new)

    def _mark_broken(self) -> None:
        """Mark the environments whose state is no longer a state."""
        world = self._world
        flat = torch.cat([part.flatten(1) for part in (world.root, world.dofs, world.bodies)], -1)
        # not (x <= most) is true of what is not a number too
        self.broken = ~(flat.abs() <= LARGEST).all(-1)

    def _put_back(self, before: EngineState) -> None:
        """Let broken environments go on from the state before the step."""
        ids = self.broken.nonzero().flatten()
        if not len(ids):
            return
        old = before.bodies
        self.reset(ids, old.pos[ids, 0], old.rot[ids, 0], before.joint_pos[ids],
                   before.joint_vel[ids], old.lin_vel[ids, 0], old.ang_vel[ids, 0])
        self.set_props(ids, before.prop_state[ids])
