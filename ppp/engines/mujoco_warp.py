"""MuJoCo on the GPU: MuJoCo-Warp steps all environments at once in one captured graph.

The state lives on the device and is shared with torch without a copy. Nothing on the way of a
step, reset or push waits for the host, but a look at the capacities once a second. On Warp's CPU
device the same code runs, slowly: that is for tests.
"""
from __future__ import annotations

from typing import Dict, Optional

import torch
from torch import Tensor

from ppp.engines.base import EngineState
from ppp.engines.mujoco_model import build_model, touch_columns
from ppp.engines.mujoco_state import Layout
from ppp.engines.mujoco_warp_capacity import Capacities
from ppp.engines.mujoco_warp_device import Simulation, warp_device
from ppp.engines.scene import Scene
from ppp.humanoid.rotations import exp_map_to_quat, quat_conj, quat_rotate
from ppp.humanoid.skeleton import BODIES, NUM_BODIES, NUM_DOFS

PHYSICS_STEPS = 4
#: control steps between two looks at the capacities; each waits for the device
CHECK_EVERY = 30
#: a coordinate or velocity beyond this is an explosion, m, rad, m/s or rad/s
LARGEST = 1e4


class MujocoWarpEngine:
    """See :class:`ppp.engines.base.Engine`.

    device: ``cpu``, ``cuda`` or ``cuda:1``. nconmax: contacts for each environment; they share
    one store, so that one may have more where others have less. njmax: rows of constraints of one
    environment; a contact takes four, a joint at its limit one. Both default to what a scene needs
    with everybody on the floor, and are tried out at the start: PPPError where they are too small.
    iterations: of the contact solver (default: the model's four).

    As in ``mujoco_cpu``, a state that is no longer finite is put back to the last finite one and
    marked in ``broken`` (N,) bool until the next step.
    """

    control_dt = 1.0 / 30.0

    def __init__(self, num_envs: int, scene: Scene, device: str = "cpu",
                 nconmax: Optional[int] = None, njmax: Optional[int] = None,
                 iterations: Optional[int] = None) -> None:
        self.num_envs, self.scene = int(num_envs), scene
        place = warp_device(device)
        self.device = "cpu" if place.is_cpu else f"cuda:{place.ordinal}"
        self.model = build_model(scene, iterations)
        self.capacities = Capacities(self.num_envs, scene, nconmax, njmax)
        self._sim = Simulation(self.model, self.num_envs, self.capacities, place, PHYSICS_STEPS)
        self.layout = Layout(self.model, scene, self.device, torch.float32)
        self._by_body, self._by_sword = (
            torch.as_tensor(touch_columns(self.model, scene, what)).to(self.device)
            for what in ("body", "sword"))
        pelvis = self.model.body(BODIES[0].name)
        self._centre = torch.as_tensor(pelvis.ipos, dtype=torch.float32).to(self.device)
        self.broken = torch.zeros(self.num_envs, dtype=torch.bool, device=self.device)
        self._tick = 0
        self._try_out()
        self._sim.capture()
        self._put(torch.arange(self.num_envs, device=self.device),
                  self.layout.rest.repeat(self.num_envs, 1), self._sim.qvel.new_zeros(
                      self._sim.qvel.shape))
        self.state = self._read()

    # -- the contract ------------------------------------------------------------------------
    def reset(self, env_ids: Tensor, root_pos: Tensor, root_rot: Tensor, joint_pos: Tensor,
              joint_vel: Tensor, root_lin_vel: Tensor, root_ang_vel: Tensor,
              props: Optional[Tensor] = None) -> None:
        """Put environments into a state; see the contract. ``env_ids`` stay on the device."""
        self._put(env_ids, *self.layout.place(root_pos, root_rot, joint_pos, joint_vel,
                                              root_lin_vel, root_ang_vel, props))
        self._sim.sensors.index_fill_(1, env_ids, 0.0)
        self.state = self._read()

    def step(self, pd_targets: Tensor) -> None:
        """Four physics steps towards the joint targets (N, 31), rad."""
        sim = self._sim
        qpos, qvel = sim.qpos.clone(), sim.qvel.clone()
        self.bare_step(pd_targets)
        together = torch.cat((sim.qpos, sim.qvel), -1)
        # not (x <= most) is true of NaN too
        self.broken = ~(together.abs() <= LARGEST).all(-1)
        bad = self.broken[:, None]
        sim.qpos.copy_(torch.where(bad, qpos, sim.qpos))
        sim.qvel.copy_(torch.where(bad, qvel, sim.qvel))
        sim.sensors.masked_fill_(bad, 0.0)
        if self._tick % CHECK_EVERY == 0:
            self.capacities.warn(sim.take_use())
        self._tick += 1
        self.state = self._read()

    def set_props(self, env_ids: Tensor, props: Tensor) -> None:
        """Put free props into states; see the contract."""
        qpos, qvel = self._sim.qpos[env_ids], self._sim.qvel[env_ids]
        self.layout.slots.put(qpos, qvel, props)
        self._put(env_ids, qpos, qvel)
        self.state = self._read()

    def push(self, env_ids: Tensor, impulse: Tensor) -> None:
        """An impulse on the pelvis: the velocities change by M^-1 J' p; see the contract.

        The pelvis hangs on the free joint alone, so that J' p is the impulse itself, in the world
        frame, and its moment about the pelvis' origin, in the pelvis' own frame.
        """
        sim = self._sim
        given = sim.qvel.new_zeros(len(env_ids), self.layout.nv)
        given[:, :3] = impulse
        own = quat_rotate(quat_conj(sim.qpos[env_ids, 3:7]), impulse.to(given))
        given[:, 3:6] = torch.linalg.cross(self._centre.expand_as(own), own)
        everyone = torch.zeros_like(sim.qvel).index_copy(0, env_ids, given)
        sim.qvel.add_(sim.solve_mass(everyone))
        self.state = self._read()

    def snapshot(self) -> Dict[str, Tensor]:
        """All that decides how the simulation goes on, for :meth:`restore`."""
        return {"qpos": self._sim.qpos.clone(), "qvel": self._sim.qvel.clone()}

    def restore(self, snapshot: Dict[str, Tensor]) -> bool:
        """Go back to a snapshot; False, and nothing changed, where it is of another scene, size or
        engine.

        Contacts are known again after the next step.
        """
        sim = self._sim
        for name, present in (("qpos", sim.qpos), ("qvel", sim.qvel)):
            if name not in snapshot or snapshot[name].shape != present.shape:
                return False
        sim.qpos.copy_(snapshot["qpos"])
        sim.qvel.copy_(snapshot["qvel"])
        sim.sensors.zero_()
        self.state = self._read()
        return True

    def close(self) -> None:
        """Give back the device's memory."""
        self._sim = None  # type: ignore[assignment]

    # -- for ppp bench -------------------------------------------------------------------------
    def bare_step(self, pd_targets: Tensor) -> None:
        """One control step of the captured graph and nothing else; ``state`` is not renewed."""
        self._sim.control.copy_(pd_targets.detach())
        self._sim.step()

    # -- parts -------------------------------------------------------------------------------
    def _put(self, ids: Tensor, qpos: Tensor, qvel: Tensor) -> None:
        self._sim.qpos.index_copy_(0, ids, qpos)
        self._sim.qvel.index_copy_(0, ids, qvel)

    def _read(self) -> EngineState:
        """The present state of everybody; only copies leave this class."""
        sim = self._sim
        # a tap may be over within a control step, so a touch counts in any of the four
        touched = (sim.sensors[:, :, self._by_body] > 0.0).any(0)
        struck = (sim.sensors[:, :, self._by_sword] > 0.0).any(0)
        contact = sim.sensors[-1, :, :3 * NUM_BODIES]
        return self.layout.state(sim.qpos.clone(), sim.qvel.clone(), contact, touched, struck)

    def _try_out(self) -> None:
        """Everybody on the floor on each side in turn: PPPError where the capacities are too
        small for that. It also loads (and the first time compiles) all kernels."""
        count, sim = self.num_envs, self._sim
        zero = torch.zeros(count, NUM_DOFS, device=self.device)
        still = zero[:, :3]
        ids = torch.arange(count, device=self.device)
        half = 0.5 * torch.pi
        for lean in ((0.0, half, 0.0), (0.0, -half, 0.0), (half, 0.0, 0.0), (-half, 0.0, 0.0)):
            rot = exp_map_to_quat(torch.tensor([lean], device=self.device)).expand(count, -1)
            pos = still + torch.tensor([0.0, 0.0, LYING], device=self.device)
            self._put(ids, *self.layout.place(pos, rot, zero, zero, still, still))
            sim.step()
        self.capacities.check(sim.take_use())


#: height of the pelvis when the start-up check lays everybody down, m: limbs reach into the floor
LYING = 0.1
