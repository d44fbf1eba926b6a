"""The physical performer as a live page needs it: pushed, watched, and never filling the memory."""
from __future__ import annotations

from pathlib import Path
from typing import Tuple, Union

import torch

from ppp.engines.scene import Scene
from ppp.humanoid.rotations import yaw_of
from ppp.planning.performer import Poses, WorldState
from ppp.planning.physics import PhysicsPerformer


class LivePerformer(PhysicsPerformer):
    """Keeps the latest pose only; who wants a recording collects :meth:`latest` step by step."""

    def __init__(self, bundle: Union[str, Path, None] = None) -> None:
        super().__init__(bundle)
        self._scene = Scene()

    def reset(self, scene: Scene, start_xy: Tuple[float, float], start_heading: float,
              seed: int) -> WorldState:
        """See :class:`PhysicsPerformer`."""
        self._scene = scene
        return super().reset(scene, start_xy, start_heading, seed)

    def step(self) -> WorldState:
        """One control step of the policy."""
        state = super().step()
        del self._snapshots[:-1]
        return state

    def latest(self) -> Poses:
        """The pose now: arrays (17, 3), (17, 4), (P, 3), (P, 4)."""
        return self._snapshots[-1]

    def push(self, impulse: Tuple[float, float]) -> None:
        """An impulse on the pelvis along x and y, N s, world frame."""
        self._engine.push(torch.zeros(1, dtype=torch.long), torch.tensor([[*impulse, 0.0]]))

    def stand_up(self, seed: int) -> WorldState:
        """Put the humanoid on its feet where it is, at rest; the props stay as they are."""
        state = self._engine.state
        self._stand(state.root_pos[:, :2], yaw_of(state.root_rot), seed,
                    state.prop_state[:1, :, :7].clone())
        state = self._observe()
        del self._snapshots[:-1]
        return state

    @property
    def broken(self) -> bool:
        """Whether the last step left the range of finite states and was taken back."""
        return bool(self._engine.broken[0])

    @property
    def scene(self) -> Scene:
        """What stands around since the last reset."""
        return self._scene

    def close(self) -> None:
        """Give back the engine's threads."""
        if self._engine is not None:
            self._engine.close()
