"""The physical performer: the trained policy on a simulator, one humanoid, recorded.

Several of them, each in a scene of its own, can take a step together (:func:`advance`): that costs
little more than one alone, and leads each to the same states, bit by bit.
"""
from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Tuple, Union

import numpy as np
import torch
from torch import Tensor

from ppp.engines import make_engine
from ppp.engines.base import Engine, EngineState
from ppp.engines.scene import Scene
from ppp.humanoid.kinematics import BodyState
from ppp.humanoid.observation import discriminator_frame, observe, observe_goal
from ppp.humanoid.rotations import quat_mul, up_z, yaw_of, yaw_quat
from ppp.humanoid.skeleton import NUM_DOFS
from ppp.learning.bundle import Policy, load_policy
from ppp.planning.performer import CONTROL_DT, Poses, PropState, WorldState
from ppp.tasks.terminations import lies

#: the seed shakes the start: joint angles by this much, rad (standard deviation)
START_NOISE = 0.02
#: rows that the policy is always asked for, most of them empty for one humanoid: products of
#: matrices of other sizes are rounded otherwise, and a step off by a bit ends in another fight
ROWS = 16


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
        xy = torch.tensor([start_xy], dtype=torch.float32)
        self._stand(xy, torch.tensor([float(start_heading)]), seed)
        self._time, self._snapshots = 0.0, []
        ahead = torch.tensor([math.cos(start_heading), math.sin(start_heading)])
        self._target = xy + 5.0 * ahead
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
        return advance([self])[0]

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

    def _stand(self, xy: Tensor, heading: Tensor, seed: int, props: Optional[Tensor] = None
               ) -> None:
        """Put the humanoid on its feet at rest, a little shaken by the seed: xy (1, 2) m, heading
        (1,) rad; props (1, P, 7): where they are put, the scene's places without."""
        start, zero = self.policy.start, torch.zeros(1, 3)
        noise = START_NOISE * torch.randn(NUM_DOFS, generator=torch.Generator().manual_seed(seed))
        self._engine.reset(torch.zeros(1, dtype=torch.long), torch.cat((xy, start[None, :1]), -1),
                           quat_mul(yaw_quat(heading), start[None, 1:5]),
                           (start[5:] + noise)[None], torch.zeros(1, NUM_DOFS), zero, zero, props)

    def _observe(self) -> WorldState:
        return _observed([self])[0]

    def _props(self) -> Dict[str, PropState]:
        state = self._engine.state
        values = state.prop_state[0].numpy()
        touched, struck = state.prop_touched[0].tolist(), state.prop_struck[0].tolist()
        w, x, y, z = values[:, 3:7].T
        up = (1.0 - 2.0 * (x * x + y * y)).tolist()
        lean = (2.0 * (x * z + w * y)).tolist(), (2.0 * (y * z - w * x)).tolist()
        return {prop.name: PropState(values[i, :3].copy(), up[i], touched[i], struck[i],
                                     (lean[0][i], lean[1][i]))
                for i, prop in enumerate(self._engine.scene.bodies)}


def advance(performers: Sequence[PhysicsPerformer]) -> List[WorldState]:
    """One control step of up to ``ROWS`` performers with the same policy; their new states."""
    engines = [performer._engine for performer in performers]
    states = [engine.state for engine in engines]
    bodies = BodyState(*(torch.cat(parts) for parts in zip(*(s.bodies for s in states))))
    target = torch.cat([performer._target for performer in performers])
    goal = observe_goal(bodies.pos[:, 0], bodies.rot[:, 0], target)
    skill = torch.cat([performer._skill for performer in performers])
    targets = _targets(performers[0].policy, torch.cat((observe(bodies), goal), -1), skill)
    kinds = {type(engine) for engine in engines}
    together = getattr(kinds.pop(), "step_together", None) if len(kinds) == 1 else None
    if together:
        together(engines, targets)
    else:
        for engine, row in zip(engines, targets.split(1)):
            engine.step(row)
    for performer in performers:
        performer._time += performer.control_dt
    return _observed(performers)


def _targets(policy: Policy, obs: Tensor, skill: Tensor) -> Tensor:
    """The policy's joint targets (n, 31), asked for in ``ROWS`` rows."""
    n = len(obs)
    rows, skills = obs.new_zeros(ROWS, obs.shape[1]), skill.new_zeros(ROWS)
    rows[:n], skills[:n] = obs, skill
    return policy.targets(rows, skills)[:n]


def _observed(performers: Sequence[PhysicsPerformer]) -> List[WorldState]:
    """What each sees of its world now; it goes into the recording."""
    states = [performer._engine.state for performer in performers]
    bodies = BodyState(*(torch.cat(parts) for parts in zip(*(s.bodies for s in states))))
    angles, speeds, force = (torch.cat(parts) for parts in zip(*(
        (s.joint_pos, s.joint_vel, s.contact_force) for s in states)))
    rot = bodies.rot[:, 0]
    heading, up = yaw_of(rot).tolist(), up_z(rot).tolist()
    down = lies(force, bodies.pos).tolist()
    frames = discriminator_frame(bodies, angles, speeds).numpy()
    found = []
    for i, (performer, state) in enumerate(zip(performers, states)):
        performer._snapshots.append(snapshot(state))
        found.append(WorldState(performer._time, state.root_pos[0].numpy().copy(), heading[i],
                                up[i], down[i], performer._props(), frames[i]))
    return found


def _options(engine: str) -> Dict[str, Any]:
    # one humanoid needs one thread
    return {"threads": 1} if engine == "mujoco_cpu" else {}
