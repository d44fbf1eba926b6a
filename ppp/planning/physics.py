"""The physical performer: the trained policy on a simulator, one humanoid, recorded."""
from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Tuple, Union

import numpy as np
import torch

from ppp.engines import make_engine
from ppp.engines.base import Engine, EngineState
from ppp.engines.scene import Scene
from ppp.humanoid.observation import observe, observe_goal
from ppp.humanoid.rotations import quat_mul, up_z, yaw_of, yaw_quat
from ppp.humanoid.skeleton import NUM_DOFS
from ppp.learning.bundle import Policy, load_policy
from ppp.planning.performer import CONTROL_DT, Poses, PropState, WorldState
from ppp.tasks.terminations import lies

#: the seed shakes the start: joint angles by this much, rad (standard deviation)
START_NOISE = 0.02


def snapshot(state: EngineState) -> Poses:
    """The poses of the first environment, one entry of a recording (no leading T)."""
    parts = (state.bodies.pos, state.bodies.rot, state.prop_state[..., :3],
             state.prop_state[..., 3:7])
    return Poses(*(part[0].numpy().copy() for part in parts))


def stacked(snapshots: Sequence[Poses]) -> Poses:
    """Snapshots one after another, as :class:`Poses` describes them."""
    return Poses(*(np.stack(parts) for parts in zip(*snapshots)))


class PhysicsPerformer:
    """See :class:`ppp.planning.performer.Performer`. bundle: a folder, None for the shipped one."""

    control_dt = CONTROL_DT

    def __init__(self, bundle: Union[str, Path, None] = None, engine: str = "mujoco_cpu",
                 policy: Optional[Policy] = None) -> None:
        self.policy = policy or load_policy(bundle)
        self.skills: Sequence[str] = tuple(self.policy.skills)
        self._engine_name = engine
        self._engine: Optional[Engine] = None
        self._skill = torch.zeros(1, dtype=torch.long)
        self._target = torch.zeros(1, 2)
        self._snapshots: List[Poses] = []

    def reset(self, scene: Scene, start_xy: Tuple[float, float], start_heading: float,
              seed: int) -> WorldState:
        """Build the scene and stand the humanoid in it, a little shaken by the seed."""
        if self._engine is not None:
            self._engine.close()
        self._engine = make_engine(self._engine_name, 1, scene, **_options(self._engine_name))
        start = self.policy.start
        noise = START_NOISE * torch.randn(NUM_DOFS, generator=torch.Generator().manual_seed(seed))
        turn = yaw_quat(torch.tensor([float(start_heading)]))
        pos = torch.tensor([[start_xy[0], start_xy[1], float(start[0])]], dtype=torch.float32)
        zero = torch.zeros(1, 3)
        self._engine.reset(torch.zeros(1, dtype=torch.long), pos, quat_mul(turn, start[None, 1:5]),
                           (start[5:] + noise)[None], torch.zeros(1, NUM_DOFS), zero, zero)
        self._time, self._snapshots = 0.0, []
        ahead = torch.tensor([math.cos(start_heading), math.sin(start_heading)])
        self._target = pos[:, :2] + 5.0 * ahead
        self._skill[0] = self.policy.skills.index("idle") if "idle" in self.skills else 0
        return self._observe()

    def command(self, skill: str, target_xy: Tuple[float, float]) -> None:
        """Follow another (skill, target) from the next step on."""
        if skill not in self.skills:
            raise KeyError(skill)
        self._skill = torch.tensor([self.policy.skills.index(skill)])
        self._target = torch.tensor([target_xy], dtype=torch.float32)

    def step(self) -> WorldState:
        """One control step of the policy."""
        state = self._engine.state
        goal = observe_goal(state.root_pos, state.root_rot, self._target)
        obs = torch.cat((observe(state.bodies), goal), -1)
        self._engine.step(self.policy.targets(obs, self._skill))
        self._time += self.control_dt
        return self._observe()

    def move(self, name: str, xy: Tuple[float, float]) -> None:
        """Stand a target upright and still at another place, m."""
        bodies = self._engine.scene.bodies
        i = next(i for i, prop in enumerate(bodies) if prop.name == name)
        states = self._engine.state.prop_state[:1].clone()
        pose = replace(bodies[i], position=(float(xy[0]), float(xy[1]))).pose
        states[0, i] = torch.tensor([*pose, *[0.0] * 6], dtype=states.dtype)
        self._engine.set_props(torch.zeros(1, dtype=torch.long), states)

    def poses(self) -> Poses:
        """The recording since the last reset."""
        return stacked(self._snapshots)

    def _observe(self) -> WorldState:
        state = self._engine.state
        self._snapshots.append(snapshot(state))
        props = {}
        for i, prop in enumerate(self._engine.scene.bodies):
            props[prop.name] = PropState(
                state.prop_state[0, i, :3].numpy().copy(), float(up_z(state.prop_state[0, i, 3:7])),
                bool(state.prop_touched[0, i]), bool(state.prop_struck[0, i]))
        return WorldState(self._time, state.root_pos[0].numpy().copy(),
                          float(yaw_of(state.root_rot)[0]), float(up_z(state.root_rot[0])),
                          bool(lies(state.contact_force, state.bodies.pos)[0]), props)


def _options(engine: str) -> Dict[str, Any]:
    # one humanoid needs one thread
    return {"threads": 1} if engine == "mujoco_cpu" else {}
