"""Many humanoids in one simulator, each told its own (skill, target), all of it remembered.

Unlike the training environment nothing restarts: who has fallen stays down, and its record ends.
"""
from __future__ import annotations

from types import SimpleNamespace
from typing import Callable, Dict, List, Sequence, Union

import torch
from torch import Tensor

from ppp.engines import make_engine
from ppp.engines.base import Engine, EngineState
from ppp.engines.scene import Scene
from ppp.humanoid.observation import discriminator_frame, observe, observe_goal
from ppp.humanoid.rotations import quat_mul, quat_rotate, up_z, wrap_angle, yaw_of, yaw_quat
from ppp.learning.bundle import Policy
from ppp.motion.library import LYING, MotionLibrary
from ppp.tasks.reference import Reference
from ppp.tasks.rewards import imitation
from ppp.tasks.terminations import lies

#: control steps a second
RATE = 30
#: fallen: the pelvis below this, m, or up.z below this (60 degrees), or lying
LOW, LEAN = 0.5, 0.5
#: standing: the pelvis above this, m, and upright within 30 degrees
STANDS, UPRIGHT = 0.7, 0.866
#: falls count from this step on: a body put into a pose may touch the floor in the first
GRACE = 2
#: what a crowd can remember
RECORDED = ("frame", "body_pos", "body_rot", "root_vel", "imitation")


class Crowd:
    """N humanoids that start on ``frames`` (N,) of the library under skills (N,), turned anywhere.

    ``skill`` (N,), numbers in ``library.skills``, which are the policy's, and ``target`` (N, 2), m,
    may be changed between steps. ``standing`` (N,) bool: has stood, at the start or since (not who
    starts on the floor); ``fell_at`` (N,): step of the first fall of one who stood, -1 for none.
    engine: its name, or what makes it for a number of humanoids and a scene.
    keep: what :meth:`record` is asked for later; all of it takes 9 MB a second for 300 bodies.
    """

    def __init__(self, policy: Policy, library: MotionLibrary, frames: Tensor, skill: Tensor,
                 generator: torch.Generator,
                 engine: Union[str, Callable[[int, Scene], Engine]] = "mujoco_cpu",
                 keep: Sequence[str] = RECORDED) -> None:
        self.policy, self.library, self.count = policy, library, len(frames)
        self.skill, self.time = skill.clone(), 0
        self.travel_offset = travel_offsets(library)
        self.engine = make_engine(engine, self.count, Scene()) if isinstance(engine, str) \
            else engine(self.count, Scene())
        self.reference = Reference(library, self.count) if "imitation" in keep else None
        if self.reference is not None:
            self.reference.put(torch.arange(self.count), frames)
        self._put(frames, generator)
        self.target = self.state.root_pos[:, :2].clone()
        self.standing = library.root_pos[frames, 2] > LYING
        self.fell_at = torch.full((self.count,), -1)
        self._stood = torch.zeros(self.count)
        self._log: Dict[str, List[Tensor]] = {name: [] for name in keep}

    def _put(self, frames: Tensor, generator: torch.Generator) -> None:
        library, count = self.library, self.count
        turn = yaw_quat(2 * torch.pi * torch.rand(count, generator=generator))
        pos = library.root_pos[frames].clone()
        pos[:, :2] = 0.0
        self.engine.reset(torch.arange(count), pos, quat_mul(turn, library.root_rot[frames]),
                          library.joint_pos[frames], library.joint_vel[frames],
                          quat_rotate(turn, library.root_lin_vel[frames]),
                          quat_rotate(turn, library.root_ang_vel[frames]))

    @property
    def state(self) -> EngineState:
        """The engine's present state."""
        return self.engine.state

    @property
    def up(self) -> Tensor:
        """Who has not fallen, (N,) bool."""
        return self.fell_at < 0

    def aim(self, angle: Tensor, distance: Tensor) -> None:
        """Targets (N,) m away, at angles (N,), rad, from where each skill travels or faces."""
        state = self.state
        way = yaw_of(state.root_rot) + self.travel_offset[self.skill] + angle
        step = distance[:, None] * torch.stack((way.cos(), way.sin()), -1)
        self.target = state.root_pos[:, :2] + step

    def command(self, ids: Tensor, skill: Tensor) -> None:
        """From the next step on ``ids`` (n,) follow skills (n,); their targets stay."""
        if len(ids):
            self.skill[ids] = skill
            if self.reference is not None:
                self.reference.change(ids, skill, self._frame()[ids])

    def _frame(self) -> Tensor:
        return discriminator_frame(self.state.bodies, self.state.joint_pos, self.state.joint_vel)

    def step(self) -> None:
        """One control step of the deterministic policy, and its record."""
        state = self.state
        goal = observe_goal(state.root_pos, state.root_rot, self.target)
        obs = torch.cat((observe(state.bodies), goal), -1)
        self.engine.step(self.policy.targets(obs, self.skill))
        self.time += 1
        self._judge(self.state)
        if self._log:
            self._note(goal)

    def _note(self, goal: Tensor) -> None:
        bodies, frame = self.state.bodies, self._frame()
        values = {"frame": frame, "body_pos": bodies.pos, "body_rot": bodies.rot,
                  "root_vel": torch.cat((bodies.lin_vel[:, 0], bodies.ang_vel[:, 0]), -1)}
        if "imitation" in self._log:
            values["imitation"] = self._imitation(goal, frame)
        for name, rows in self._log.items():
            rows.append(values[name])

    def _imitation(self, goal: Tensor, frame: Tensor) -> Tensor:
        """Nearness to the clips, (N,), as in training; the reference goes on by a step."""
        ahead = torch.atan2(goal[:, 1], goal[:, 0])
        self.reference.steer(wrap_angle(ahead - self.travel_offset[self.skill]))
        self.reference.advance(frame, self.skill, self.time)
        wanted = self.library.frame[self.reference.index]
        # of a step the imitation term looks at these two only
        return imitation(SimpleNamespace(frame=frame, reference=wanted))  # type: ignore[arg-type]

    def _judge(self, state: EngineState) -> None:
        upright, height = up_z(state.root_rot), state.root_pos[:, 2]
        down = (lies(state.contact_force, state.bodies.pos) | (height < LOW) | (upright < LEAN)
                | self.engine.broken)
        self.fell_at[down & self.standing & self.up & (self.time >= GRACE)] = self.time
        self.standing = self.standing | ((height > STANDS) & (upright > UPRIGHT))
        self._stood += (self.standing & self.up) / RATE

    def record(self, name: str) -> Tensor:
        """Every step so far of one quantity, (T, N, ...).

        frame (140), body_pos (17, 3) m, body_rot (17, 4), root_vel (6: m/s and rad/s), imitation;
        after the step, in the world frame. Only what is kept.
        """
        return torch.stack(self._log[name])

    def seconds_stood(self) -> Tensor:
        """How long each has been on its feet, from when it first stood to its fall, s, (N,)."""
        return self._stood

    def close(self) -> None:
        """Stop the simulator."""
        self.engine.close()


def travel_offsets(library: MotionLibrary) -> Tensor:
    """Mean angle from facing to travel of each skill's clips, rad, (K,); 0 where none travels.

    The circular mean: clips of walking backward lie on both sides of half a turn.
    """
    total = torch.zeros(len(library.skills), 2)
    for entry in library.entries:
        way = torch.tensor(entry.travel)
        total[library.skills.index(entry.skill)] += entry.weight * torch.stack((way.cos(),
                                                                               way.sin()))
    return torch.where(library.travels, torch.atan2(total[:, 1], total[:, 0]), 0.0 * total[:, 0])


def heading_errors(state: EngineState, target: Tensor, offset: Tensor) -> Tensor:
    """Angle between the pelvis, turned by the travel offset, and the target, rad, (N,)."""
    gap = target - state.root_pos[:, :2]
    way = yaw_of(state.root_rot) + offset
    return wrap_angle(torch.atan2(gap[:, 1], gap[:, 0]) - way).abs()
