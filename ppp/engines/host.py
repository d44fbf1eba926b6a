"""An engine on a GPU for code that works on the CPU: what goes in and out is carried over."""
from __future__ import annotations

from typing import Optional

from torch import Tensor

from ppp.engines.base import Engine, EngineState
from ppp.humanoid.kinematics import BodyState


class OnHost:
    """See :class:`ppp.engines.base.Engine`; tensors are on the CPU, the simulation where it was.

    For scoring and comparing; training would spend its time on copying.
    """

    device = "cpu"

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.num_envs, self.scene = engine.num_envs, engine.scene
        self.control_dt = engine.control_dt
        self._take()

    def reset(self, env_ids: Tensor, root_pos: Tensor, root_rot: Tensor, joint_pos: Tensor,
              joint_vel: Tensor, root_lin_vel: Tensor, root_ang_vel: Tensor,
              props: Optional[Tensor] = None) -> None:
        """See the contract."""
        parts = (env_ids, root_pos, root_rot, joint_pos, joint_vel, root_lin_vel, root_ang_vel)
        self._engine.reset(*(self._there(part) for part in parts),
                           None if props is None else self._there(props))
        self._take()

    def step(self, pd_targets: Tensor) -> None:
        """See the contract."""
        self._engine.step(self._there(pd_targets))
        self._take()

    def set_props(self, env_ids: Tensor, props: Tensor) -> None:
        """See the contract."""
        self._engine.set_props(self._there(env_ids), self._there(props))
        self._take()

    def push(self, env_ids: Tensor, impulse: Tensor) -> None:
        """See the contract."""
        self._engine.push(self._there(env_ids), self._there(impulse))
        self._take()

    def close(self) -> None:
        """See the contract."""
        self._engine.close()

    def _there(self, value: Tensor) -> Tensor:
        return value.to(self._engine.device)

    def _take(self) -> None:
        state = self._engine.state
        self.state = EngineState(
            state.joint_pos.cpu(), state.joint_vel.cpu(),
            BodyState(*(part.cpu() for part in state.bodies)), state.contact_force.cpu(),
            state.prop_state.cpu(), state.prop_touched.cpu(), state.prop_struck.cpu())
        self.broken = self._engine.broken.cpu()
