"""MuJoCo on the CPU: one model, a batch of states, stepped by ``mujoco.rollout``'s thread pool."""
from __future__ import annotations

import os
from dataclasses import replace
from typing import Dict, List, Optional, Sequence, Tuple, Union

import mujoco
import numpy as np
import torch
from mujoco.rollout import Rollout
from torch import Tensor

from ppp.engines.base import EngineState, merged
from ppp.engines.mujoco_model import build_model, touch_columns
from ppp.engines.mujoco_state import Layout
from ppp.engines.scene import Scene
from ppp.humanoid.kinematics import BodyState
from ppp.humanoid.skeleton import BODIES, NUM_BODIES, NUM_DOFS

PHYSICS_STEPS = 4
_STATE = mujoco.mjtState.mjSTATE_PHYSICS


class MujocoCpuEngine:
    """See :class:`ppp.engines.base.Engine`. ``threads``: of the stepping pool (default: all cores).
    ``iterations``: of the contact solver (default: the model's four).

    A state that is no longer finite is put back to the last finite one and marked in
    ``broken`` (N,) bool until the next step, so that one explosion cannot poison a run.
    """

    device = "cpu"
    control_dt = 1.0 / 30.0

    def __init__(self, num_envs: int, scene: Scene, threads: Optional[int] = None,
                 iterations: Optional[int] = None) -> None:
        self.num_envs, self.scene = int(num_envs), scene
        self.model = build_model(scene, iterations)
        self.layout = Layout(self.model, scene)
        count = max(1, min(int(threads or os.cpu_count() or 1), self.num_envs))
        self._data: List[mujoco.MjData] = [mujoco.MjData(self.model) for _ in range(count)]
        self._models = [self.model] * self.num_envs  # one entry an environment, all the same
        self._pool = Rollout(nthread=count)
        self._size = mujoco.mj_stateSize(self.model, mujoco.mjtState.mjSTATE_FULLPHYSICS)
        physics = mujoco.mj_stateSize(self.model, _STATE)
        self._head = self._size - physics  # time comes before positions and velocities
        self._nq, self._nv = self.model.nq, self.model.nv
        self._full = np.zeros((self.num_envs, self._size))
        self._full[:, self._head:self._head + self._nq] = self.model.qpos0
        self._out = np.zeros((self.num_envs, PHYSICS_STEPS, self._size))
        self._sensors = np.zeros((self.num_envs, PHYSICS_STEPS, self.model.nsensordata))
        self._control = np.zeros((self.num_envs, PHYSICS_STEPS, NUM_DOFS))
        self._by_body = touch_columns(self.model, scene, "body")
        self._by_sword = touch_columns(self.model, scene, "sword")
        self.broken = torch.zeros(self.num_envs, dtype=torch.bool)
        self.state = self._read()

    # -- the contract ------------------------------------------------------------------------
    def reset(self, env_ids: Tensor, root_pos: Tensor, root_rot: Tensor, joint_pos: Tensor,
              joint_vel: Tensor, root_lin_vel: Tensor, root_ang_vel: Tensor,
              props: Optional[Tensor] = None) -> None:
        """Put environments into a state; see the contract for shapes and frames."""
        ids = np.asarray(env_ids.cpu(), dtype=np.int64)
        qpos, qvel = self.layout.place(root_pos, root_rot, joint_pos, joint_vel, root_lin_vel,
                                       root_ang_vel, props)
        self._write(ids, qpos.numpy(), qvel.numpy())
        self._sensors[ids] = 0.0
        self.state = merged(self.state, env_ids, self._read(ids))

    def step(self, pd_targets: Tensor) -> None:
        """Four physics steps towards the joint targets (N, 31), rad."""
        self._advance(pd_targets)
        self.state = self._read()

    @staticmethod
    def step_together(engines: Sequence["MujocoCpuEngine"], pd_targets: Tensor) -> None:
        """``step`` of several engines, each with a scene of its own, to the same states.

        pd_targets: those of the first engine's environments, then of the next one's. What the
        humanoids' states are is worked out for all at once, which costs as much as for one.
        """
        counts = [engine.num_envs for engine in engines]
        for engine, targets in zip(engines, pd_targets.split(counts)):
            engine._advance(targets)
        raw = [engine._raw() for engine in engines]
        layout = engines[0].layout
        qpos = torch.cat([q[:, :layout.nq_humanoid] for q, *_ in raw])
        qvel = torch.cat([v[:, :layout.nv_humanoid] for _, v, *_ in raw])
        angles, speeds, bodies, force = layout.humanoid(qpos, qvel, torch.cat([r[2] for r in raw]))
        parts = zip(*(part.split(counts) for part in (angles, speeds, *bodies, force)))
        for engine, (q, v, _, *touches), (angle, speed, *body, pushed) in zip(engines, raw, parts):
            engine.state = EngineState(angle, speed, BodyState(*body), pushed,
                                       engine.layout.slots.read(q, v), *touches)

    def _advance(self, pd_targets: Tensor) -> None:
        """The physics of a step; ``state`` is not renewed."""
        self._control[:] = pd_targets.detach().numpy()[:, None, :]
        self._pool.rollout(self._models, self._data, self._full, self._control, nstep=PHYSICS_STEPS,
                           state=self._out, sensordata=self._sensors, skip_checks=True)
        last = self._out[:, -1]
        bad = ~np.isfinite(last).all(-1) | (np.abs(last[:, self._head:]) > 1e4).any(-1)
        self.broken = torch.from_numpy(bad)
        np.copyto(self._full, last, where=~bad[:, None])
        self._full[:, :self._head] = 0.0

    def set_props(self, env_ids: Tensor, props: Tensor) -> None:
        """Put free props into states; see the contract."""
        ids = np.asarray(env_ids.cpu(), dtype=np.int64)
        qpos, qvel = self._rows(ids)
        slots = self.layout.slots
        slots.put(torch.from_numpy(qpos), torch.from_numpy(qvel), props)
        self._write(ids, qpos, qvel)
        states = slots.read(torch.from_numpy(qpos.astype(np.float32)),
                            torch.from_numpy(qvel.astype(np.float32)))
        self.state = replace(self.state, prop_state=self.state.prop_state.index_copy(
            0, env_ids, states))

    def push(self, env_ids: Tensor, impulse: Tensor) -> None:
        """An impulse on the pelvis: the velocities change by M^-1 J' p; see the contract."""
        ids = np.asarray(env_ids.cpu(), dtype=np.int64)
        qpos, qvel = self._rows(ids)
        data, pelvis = self._data[0], self.model.body(BODIES[0].name).id
        jacobian, change = np.zeros((3, self._nv)), np.zeros((1, self._nv))
        for row, push in enumerate(impulse.double().numpy()):
            data.qpos[:], data.qvel[:] = qpos[row], qvel[row]
            mujoco.mj_forward(self.model, data)
            mujoco.mj_jacBodyCom(self.model, data, jacobian, None, pelvis)
            mujoco.mj_solveM(self.model, data, change, (jacobian.T @ push)[None])
            qvel[row] += change[0]
        self._write(ids, qpos, qvel)
        touched, struck = self.state.prop_touched, self.state.prop_struck
        force = self.state.contact_force
        self.state = replace(merged(self.state, env_ids, self._read(ids)), contact_force=force,
                             prop_touched=touched, prop_struck=struck)

    def _rows(self, ids: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
        """Copies of qpos (n, nq) and qvel (n, nv) of environments ``ids``."""
        start = self._head + self._nq
        return (self._full[ids, self._head:start].copy(),
                self._full[ids, start:start + self._nv].copy())

    def _write(self, ids: np.ndarray, qpos: np.ndarray, qvel: np.ndarray) -> None:
        self._full[ids, self._head:self._head + self._nq] = qpos
        self._full[ids, self._head + self._nq:self._head + self._nq + self._nv] = qvel

    def snapshot(self) -> Dict[str, Tensor]:
        """All that decides how the simulation goes on, for :meth:`restore`."""
        return {"full": torch.from_numpy(self._full.copy())}

    def restore(self, snapshot: Dict[str, Tensor]) -> bool:
        """Go back to a snapshot; False, and nothing changed, where it is of another scene, size or
        engine.

        Contacts are known again after the next step.
        """
        if "full" not in snapshot or snapshot["full"].shape != self._full.shape:
            return False
        full = snapshot["full"].numpy()
        self._full[:] = full
        self._sensors[:] = 0.0
        self.state = self._read()
        return True

    # -- for ppp bench -------------------------------------------------------------------------
    def bare_step(self, pd_targets: Tensor) -> None:
        """One control step of ``mujoco.rollout`` and nothing else; ``state`` is not renewed."""
        self._control[:] = pd_targets.numpy()[:, None, :]
        self._pool.rollout(self._models, self._data, self._full, self._control, nstep=PHYSICS_STEPS,
                           state=self._out, sensordata=self._sensors, skip_checks=True)
        self._full[:] = self._out[:, -1]

    def close(self) -> None:
        """Stop the thread pool."""
        self._pool.close()

    # -- reading -----------------------------------------------------------------------------
    def _read(self, ids: Union[slice, np.ndarray] = slice(None)) -> EngineState:
        """The state of environments ``ids`` as the contract describes it."""
        return self.layout.state(*self._raw(ids))

    def _raw(self, ids: Union[slice, np.ndarray] = slice(None)) -> Tuple[Tensor, ...]:
        """qpos (n, nq), qvel (n, nv), contact sensors (n, 51), touched and struck (n, P)."""
        start = self._head + self._nq
        qpos = torch.from_numpy(self._full[ids, self._head:start].astype(np.float32))
        qvel = torch.from_numpy(self._full[ids, start:start + self._nv].astype(np.float32))
        sensors = self._sensors[ids]
        last = torch.from_numpy(sensors[:, -1].astype(np.float32))
        # a tap may be over within a control step, so a touch counts in any of the four
        touched = torch.from_numpy((sensors[:, :, self._by_body] > 0.0).any(1))
        struck = torch.from_numpy((sensors[:, :, self._by_sword] > 0.0).any(1))
        return qpos, qvel, last[:, :3 * NUM_BODIES], touched, struck
