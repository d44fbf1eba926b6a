"""The one vectorised environment: N humanoids that follow (skill, target) commands."""
from __future__ import annotations

from typing import Any, Dict, Optional, Tuple, Union

import torch
from torch import Tensor

from ppp.engines import make_engine
from ppp.engines.base import Engine
from ppp.humanoid.kinematics import BodyState
from ppp.humanoid.observation import (
    DISCRIMINATOR_SIZE,
    GOAL_SIZE,
    OBSERVATION_SIZE,
    discriminator_frame,
    observe,
    observe_goal,
)
from ppp.humanoid.rotations import quat_mul, quat_rotate, wrap_angle, yaw_of, yaw_quat
from ppp.humanoid.skeleton import BODY_ID, NUM_DOFS
from ppp.motion.library import MotionLibrary
from ppp.tasks.actions import ActionMap
from ppp.tasks.approach import NEAREST_PROP, stand_off
from ppp.tasks.commands import UP, Commands
from ppp.tasks.config import TaskConfig
from ppp.tasks.context import Step
from ppp.tasks.reference import Reference
from ppp.tasks.rewards import REWARDS, imitation
from ppp.tasks.terminations import FALLS, TERMINATIONS
from ppp.tasks.throws import Throws

#: share of the newest step in the running imitation quality
QUALITY_RATE = 0.1
#: a prop that nobody strikes is this far away, m
OUT_OF_THE_WAY = 30.0


class HumanoidEnv:
    """Batch environment. Observations are (N, 256): body 253 and goal 3.

    ``commands.skill`` (N,) is the commanded skill that the next action is taken under;
    ``windows`` (N, W, 140) the last W discriminator frames.
    """

    def __init__(self, config: TaskConfig, num_envs: int, seed: int = 0,
                 engine: str = "mujoco_cpu", library: Optional[MotionLibrary] = None,
                 **engine_options: Any) -> None:
        self.config, self.num_envs, self.seed = config, int(num_envs), int(seed)
        self.engine: Engine = make_engine(engine, self.num_envs, config.scene(), **engine_options)
        self.device = self.engine.device
        self.library = library or MotionLibrary(config.motion_path(), config.skills or None,
                                                self.device)
        self.generator = torch.Generator(self.device).manual_seed(self.seed)
        weights = torch.tensor([config.skill_weights.get(s, 1.0) for s in self.library.skills],
                               device=self.device)
        self.commands = Commands(self.library, config.command, self.num_envs, weights,
                                 self.generator)
        self.reference = Reference(self.library, self.num_envs, config.command.steer,
                                   config.command.sharp, config.command.gentle)
        self.actions = ActionMap(config.action, self.library.mean_pose)
        self.reaching = BODY_ID[config.command.reach_with]
        self.throws = self._make_throws()
        self.age = torch.zeros(self.num_envs, dtype=torch.long, device=self.device)
        self.windows = torch.zeros(self.num_envs, config.window, DISCRIMINATOR_SIZE,
                                   device=self.device)
        self.travel_offset = self._mean_travel()
        #: skills that begin on the floor
        self._risers = self.library.may_lie.nonzero().flatten()
        self.quality = torch.ones(self.num_envs, device=self.device)
        self._tick = 0
        self.broken_count = 0

    observation_size = OBSERVATION_SIZE + GOAL_SIZE
    action_size = NUM_DOFS

    def _make_throws(self) -> Optional[Throws]:
        bodies = self.engine.scene.bodies
        if not self.config.throw.props or not bodies:
            return None
        return Throws(self.config.throw, bodies, self.num_envs, self.generator)

    def _mean_travel(self) -> Tensor:
        """Weighted mean travel offset of each skill's clips, rad, (K,)."""
        totals = torch.zeros(len(self.library.skills), 2)
        for entry in self.library.entries:
            k = self.library.skills.index(entry.skill)
            totals[k] += entry.weight * torch.tensor([entry.travel, 1.0])
        totals = totals.to(self.device)
        # only a skill that travels has a direction of travel
        return torch.where(self.library.travels, totals[:, 0] / totals[:, 1], totals[:, 0] * 0.0)

    # -- life --------------------------------------------------------------------------------
    def reset(self) -> Tensor:
        """Start every environment anew; observations (N, 256).

        The first episodes start at different ages, so that resets do not come in waves.
        """
        ids = torch.arange(self.num_envs, device=self.device)
        self._reset(ids)
        self.age = torch.randint(0, self.config.episode_length, (self.num_envs,),
                                 generator=self.generator, device=self.device)
        return self.observe()

    def observe(self, ids: Union[slice, Tensor] = slice(None)) -> Tensor:
        """The current observations of environments ``ids`` (default: all), (n, 256)."""
        bodies = BodyState(*(part[ids] for part in self.engine.state.bodies))
        goal = observe_goal(bodies.pos[:, 0], bodies.rot[:, 0], self.commands.target[ids])
        return torch.cat((observe(bodies), goal), -1)

    def step(self, action: Tensor) -> Tuple[Tensor, Tensor, Tensor, Dict[str, Any]]:
        """One control step: observations, task rewards (N,), dones (N,) bool and infos.

        Finished environments restart within the step. infos: ``next_obs`` (N, 256) the true next
        observation before any restart, ``terminated`` (N,) bool, ``timed_out`` (N,) bool,
        ``window`` (N, W, 140), ``skill`` (N,) the skill the action was taken under, ``terms``
        name -> (N,), ``state`` the engine's state before any restart, ``reference`` (N,) the
        library's row it was compared with, ``age`` (N,) steps; where
        boxes are thrown ``thrown`` (n,): the ids that one was thrown at in this step.
        """
        self.engine.step(self.actions.targets(action))
        self.age += 1
        self._tick += 1
        state, skill = self.engine.state, self.commands.skill.clone()
        frame = discriminator_frame(state.bodies, state.joint_pos, state.joint_vel)
        self.reference.advance(frame, skill, self._tick)
        step = self._step(frame)
        like = imitation(step)
        self.quality = (1 - QUALITY_RATE) * self.quality + QUALITY_RATE * like
        # who comes to rest on the floor is not like the clip yet, and has not strayed from it
        self.quality = self.quality.masked_fill(self.reference.lying.waits(self.reference.index),
                                                1.0)
        step = step._replace(quality=self.quality)
        terms = {name: like if name == "imitation" else REWARDS[name](step)
                 for name in self.config.rewards}
        reward = sum(self.config.rewards[name] * value for name, value in terms.items())
        self.windows = torch.cat((self.windows[:, 1:], frame[:, None]), 1)
        terminated, fallen = self._terminated(step)
        self.commands.record(terminated)
        timed_out = (self.age >= self.config.episode_length) & ~terminated
        infos = {"terminated": terminated, "timed_out": timed_out, "window": self.windows,
                 "skill": skill, "terms": terms, "state": state,
                 "reference": self.reference.index.clone()}
        self._renew_commands(frame)
        if self.throws is not None:
            infos["thrown"] = self.throws.advance(self.engine)
        infos["next_obs"] = obs = self.observe()
        self._steer(obs)
        done = terminated | timed_out
        lies = self._left_lying(fallen)
        ids = (done & ~lies).nonzero().flatten()
        infos["age"] = self.age.clone()
        if len(ids):
            self.windows = self.windows.clone()
            self._reset(ids)
            obs = obs.index_copy(0, ids, self.observe(ids))
        if lies.any():
            self._rise(lies.nonzero().flatten(), frame)
        return obs, reward, done, infos

    def close(self) -> None:
        """Give back what the engine holds."""
        self.engine.close()

    # -- parts -------------------------------------------------------------------------------
    def _step(self, frame: Tensor) -> Step:
        skill, library = self.commands.skill, self.library
        return Step(self.engine.state, frame, library.frame[self.reference.index], skill,
                    library.travels[skill], library.turns[skill], self.travel_offset[skill],
                    library.speed[skill], library.yaw_rate[skill], self.commands.target,
                    library.may_lie[skill], self.quality, self.age, self.commands.striking,
                    self.engine.state.bodies.pos[:, self.reaching], self.commands.point)

    def _terminated(self, step: Step) -> Tuple[Tensor, Tensor]:
        """Whose episode ends early, and who of them fell without breaking, (N,) bool each."""
        broken = getattr(self.engine, "broken", None)  # not every engine tells
        ended = torch.zeros_like(step.may_lie) if broken is None else broken.clone()
        self.broken_count += int(ended.sum())
        whole, fallen = ~ended, torch.zeros_like(ended)
        for name in self.config.terminations:
            found = TERMINATIONS[name](step)
            ended |= found
            if name in FALLS:
                fallen |= found
        return ended, fallen & whole

    def _renew_commands(self, frame: Tensor) -> None:
        state = self.engine.state
        changed = self.commands.advance(state.root_pos, state.root_rot, state.prop_state)
        if len(changed):
            self.reference.change(changed, self.commands.skill[changed], frame[changed])
            self.quality = self.quality.clone()
            self.quality[changed] = 1.0  # a new command is given time to be met

    def _steer(self, obs: Tensor) -> None:
        """Turn the references of gaits towards their targets."""
        ahead = torch.atan2(obs[:, OBSERVATION_SIZE + 1], obs[:, OBSERVATION_SIZE])
        self.reference.steer(wrap_angle(ahead - self.travel_offset[self.commands.skill]))

    def _reset(self, ids: Tensor) -> None:
        """Start ``ids`` on frames of clips, turned anywhere, most in the commanded skill."""
        count, library = len(ids), self.library
        skill, start_skill, approach = self._draw_commands(count)
        frames = library.sample(start_skill, self.generator)
        # from the floor only a skill that begins there can be followed
        lying = library.may_lie[start_skill] & (library.root_pos[frames, 2] < UP)
        skill = torch.where(lying, start_skill, skill)
        yaw = 2 * torch.pi * self._rand(count)
        turn = yaw_quat(yaw)
        pos = library.root_pos[frames].clone()
        pos[:, :2] = 0.0
        noise = self.config.reset_noise * torch.randn(count, NUM_DOFS, generator=self.generator,
                                                      device=self.device)
        rot = quat_mul(turn, library.root_rot[frames])
        props, ahead = self._place_props(frames, rot, approach)
        self.engine.reset(ids, pos, rot, library.joint_pos[frames] + noise,
                          library.joint_vel[frames],
                          quat_rotate(turn, library.root_lin_vel[frames]),
                          quat_rotate(turn, library.root_ang_vel[frames]), props)
        self.age[ids] = 0
        self.quality[ids] = 1.0
        self.windows[ids] = library.window(frames, self.config.window)
        self.commands.skill[ids] = skill
        self.commands.hold(ids)
        self.commands.aim(ids, pos, rot, frames, self.engine.state.prop_state[ids, :, :3])
        bodies = self.engine.scene.bodies
        if self.throws is not None:
            self.throws.begin(ids)
        self.commands.begin(ids, approach, ahead, props, bodies[0].size[0] if bodies else 0.0)
        self.reference.put(ids, frames)
        switched = (skill != start_skill).nonzero().flatten()
        self.reference.rephase(ids[switched], skill[switched], library.frame[frames[switched]])

    def _left_lying(self, fallen: Tensor) -> Tensor:
        """Of those who fell, (N,) bool, the share ``rise``: their next episode begins there."""
        if not (self.config.command.rise and len(self._risers)):
            return torch.zeros_like(fallen)
        return fallen & (self._rand(self.num_envs) < self.config.command.rise)

    def _rise(self, ids: Tensor, frame: Tensor) -> None:
        """Begin an episode in which ``ids``, as they fell, are told to get up; frame (N, 140)."""
        skill = self._risers[torch.randint(len(self._risers), (len(ids),),
                                           generator=self.generator, device=self.device)]
        self.age[ids], self.quality[ids] = 0, 1.0
        self.commands.skill[ids] = skill
        self.commands.hold(ids)
        self.commands.approach.leave(ids)
        self.commands.striking[ids] = False
        self.reference.waiting[ids] = 0
        self.reference.rephase(ids, skill, frame[ids])

    def _draw_commands(self, count: int) -> Tuple[Tensor, Tensor, Tensor]:
        """Of ``count`` new episodes: the commanded skill (count,), that of the start's clip, and
        which walk up to the first prop, (count,) bool."""
        commands, rules = self.commands, self.commands.approach
        skill = commands.draw_skills(count)
        other = self._rand(count) < self.config.command.switch_start
        start_skill = torch.where(other, commands.draw_skills(count), skill)
        approach = torch.zeros_like(other)
        if rules.share and self.engine.scene.bodies:
            approach = rules.draw(count)
            skill = torch.where(approach, torch.full_like(skill, rules.gait), skill)
            start_skill = torch.where(approach, rules.start_skills(count), start_skill)
        return skill, start_skill, approach

    def _place_props(self, frames: Tensor, rot: Tensor, approach: Tensor
                     ) -> Tuple[Optional[Tensor], Tensor]:
        """Props at rest, (n, B, 7), and where the first one stands in reach of a blow, (n,) bool.

        The others stand at their own distance in any direction; so does the first one for those
        who ``approach`` it (n,); where a task wants blows to land (``in_reach``) it is within
        their reach, otherwise out of the way.
        """
        bodies, count = self.engine.scene.bodies, len(frames)
        ahead = torch.zeros_like(approach)
        if not bodies:
            return None, ahead
        poses = rot.new_zeros(count, len(bodies), 7)
        low, high = self.config.command.distance[:2]
        for i, prop in enumerate(bodies):
            if self.throws is not None and i in self.throws.slots:
                poses[:, i, 0], poses[:, i, 1] = OUT_OF_THE_WAY, 2.0 * i
                poses[:, i, 2], poses[:, i, 3] = 0.5 * prop.size[2], 1.0
                continue
            angle = 2 * torch.pi * self._rand(count)
            distance = low + (high - low) * self._rand(count)
            if i == 0 and (self.config.command.in_reach or self.commands.approach.share):
                ahead, gap = self._in_reach(frames, approach)
                goal = yaw_of(rot) + self.library.goal_angle[frames]
                angle = torch.where(ahead, goal, angle)
                near, far = self.config.command.approach_distance[:2]
                away = torch.where(approach, near + (far - near) * self._rand(count),
                                   torch.full_like(gap, OUT_OF_THE_WAY))
                distance = torch.where(ahead, gap + 0.5 * prop.size[0], away)
            poses[:, i, 0], poses[:, i, 1] = distance * angle.cos(), distance * angle.sin()
            poses[:, i, 2] = 0.5 * prop.size[2]
            poses[:, i, 3:] = yaw_quat(angle)
        return poses, ahead

    def _in_reach(self, frames: Tensor, approach: Tensor) -> Tuple[Tensor, Tensor]:
        """Who gets something to strike, (n,) bool, and how far its near side is, m, (n,).

        Not who would already stand in it: the arm may be stretched at the start.
        """
        reach = self.library.reach[self.library.skill[frames]]
        gap = stand_off(reach, self.generator)
        wanted = self._rand(len(frames)) < self.config.command.in_reach
        clear = self.library.extent[frames] + 0.05 < gap
        return wanted & clear & (reach > NEAREST_PROP) & ~approach, gap

    def _rand(self, count: int) -> Tensor:
        return torch.rand(count, generator=self.generator, device=self.device)
