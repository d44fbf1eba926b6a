"""The contract between a simulator and everything else.

Metres, seconds, radians; z up; quaternions w, x, y, z; float32 tensors on ``device``; N
environments, B = 17 bodies, P props with a body (``scene.bodies``). World frame unless said.
"""
from __future__ import annotations

from dataclasses import dataclass
from typing import Optional, Protocol

from torch import Tensor

from ppp.engines.scene import Scene
from ppp.humanoid.kinematics import BodyState


@dataclass
class EngineState:
    """The state after the last control step (or reset). Tensors are never overwritten in place."""

    joint_pos: Tensor  # (N, 31) exponential maps of ball joints, hinge angles, rad
    joint_vel: Tensor  # (N, 31) rad/s; of a ball joint: angular velocity in the child's frame
    bodies: BodyState  # poses and velocities of all bodies; index 0 is the root
    contact_force: Tensor  # (N, 17, 3) net contact force on each body, N, last physics step
    prop_state: Tensor  # (N, P, 13) position 3, rotation 4, linear 3 and angular velocity 3
    prop_touched: Tensor  # (N, P) bool: a body of the humanoid touched the prop in this step
    prop_struck: Tensor  # (N, P) bool: the sword did

    @property
    def root_pos(self) -> Tensor:
        """(N, 3)."""
        return self.bodies.pos[:, 0]

    @property
    def root_rot(self) -> Tensor:
        """(N, 4)."""
        return self.bodies.rot[:, 0]


def merged(state: EngineState, ids: Tensor, new: EngineState) -> EngineState:
    """A copy of ``state`` with the rows ``ids`` of ``new``; the tensors handed out stay as they
    were."""
    def put(old: Tensor, rows: Tensor) -> Tensor:
        return old.index_copy(0, ids, rows)

    return EngineState(
        put(state.joint_pos, new.joint_pos), put(state.joint_vel, new.joint_vel),
        BodyState(*(put(a, b) for a, b in zip(state.bodies, new.bodies))),
        put(state.contact_force, new.contact_force), put(state.prop_state, new.prop_state),
        put(state.prop_touched, new.prop_touched), put(state.prop_struck, new.prop_struck))


class Engine(Protocol):
    """N independent copies of the humanoid with the props of one scene."""

    num_envs: int
    scene: Scene
    device: str
    control_dt: float  # 1/30 s
    state: EngineState
    broken: Tensor  # (N,) bool: no longer finite after the last step, and put back to before it

    def reset(self, env_ids: Tensor, root_pos: Tensor, root_rot: Tensor, joint_pos: Tensor,
              joint_vel: Tensor, root_lin_vel: Tensor, root_ang_vel: Tensor,
              props: Optional[Tensor] = None) -> None:
        """Put environments ``env_ids`` (n,) into a state.

        root_pos (n, 3), root_rot (n, 4), joint_pos (n, 31), joint_vel (n, 31), root_lin_vel and
        root_ang_vel (n, 3); props (n, P, 7) position and rotation at rest, or None for the places
        the scene gives them. ``state`` describes the new state on return.
        """

    def step(self, pd_targets: Tensor) -> None:
        """One control step: four physics steps towards joint targets (N, 31), rad."""

    def set_props(self, env_ids: Tensor, props: Tensor) -> None:
        """Put the free props of environments ``env_ids`` (n,) into states (n, P, 13), as in
        ``EngineState.prop_state``; the humanoid goes on undisturbed."""

    def push(self, env_ids: Tensor, impulse: Tensor) -> None:
        """Give the pelvis of ``env_ids`` (n,) an impulse (n, 3), N s, world frame, at once.

        It acts at the pelvis' centre of mass; the joints pass it on to the other bodies.
        """

    def close(self) -> None:
        """Give back threads and device memory."""
