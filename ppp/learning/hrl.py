"""A high-level policy over the skills of a finished one: what it sees, what it decides.

As in ASE and CALM (arXiv 2205.01906, section 5.2; 2305.02195, section 5) the skill policy is frozen
and another network commands it. A decision here is kept for some control steps and holds

- a mix of skills: z = normalise(sum_k w_k z_k) with w = softmax(sharpness * action), so that every
  decision lies between movements the skill policy knows (or, in the mode ``sphere``, z itself);
- the target that the skill policy is shown: the task's own, turned by an angle and moved nearer or
  farther.
"""
from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple, Union

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ppp.engines.base import EngineState
from ppp.errors import PPPError, unknown
from ppp.humanoid.observation import GOAL_SIZE, OBSERVATION_SIZE
from ppp.humanoid.rotations import rotate_xy, up_z, yaw_of
from ppp.learning.bundle import Policy
from ppp.learning.networks import mlp
from ppp.learning.normalizer import RunningNormalizer
from ppp.settings import ROOT, build, load_yaml
from ppp.tasks.config import TaskConfig
from ppp.tasks.env import HumanoidEnv

DEFAULT = "cfg/train/hrl.yaml"
MODES = ("skills", "sphere")
#: an unit of action moves the shown target by so much: rad, and m of distance
TURN, SHIFT = 1.0, 2.0
#: the farthest distance that the skill policy can tell, m
FARTHEST = 5.0


@dataclass
class HrlConfig:
    """Settings of a run; ``cfg/train/hrl.yaml`` says what each means."""

    num_envs: int = 128
    iterations: int = 400
    horizon: int = 16
    hold: int = 6
    mode: str = "skills"
    sharpness: float = 4.0
    start: str = "idle"
    network: List[int] = field(default_factory=lambda: [256, 128])
    log_sigma: float = -0.7
    epochs: int = 5
    minibatches: int = 4
    gamma: float = 0.95
    gae_lambda: float = 0.95
    clip: float = 0.2
    learning_rate: float = 5e-4
    kl_target: float = 0.02
    grad_norm: float = 1.0
    save_minutes: float = 3.0
    keep: int = 3


def load_hrl(path: Optional[Union[str, Path]] = None) -> HrlConfig:
    """Settings from a YAML (default: cfg/train/hrl.yaml); PPPError names a wrong field."""
    chosen = Path(path) if path else ROOT / DEFAULT
    config = build(HrlConfig, load_yaml(chosen), str(chosen))
    if config.mode not in MODES:
        raise PPPError(f"{chosen}: {unknown('mode', config.mode, MODES)}")
    for name in ("num_envs", "iterations", "horizon", "hold", "epochs", "minibatches", "keep"):
        if getattr(config, name) < 1:
            raise PPPError(f"{chosen}: field '{name}' must be 1 or more")
    for name in ("sharpness", "clip", "learning_rate", "kl_target", "grad_norm", "gamma"):
        if getattr(config, name) <= 0:
            raise PPPError(f"{chosen}: field '{name}' must be above 0")
    if not config.network or min(config.network) < 1:
        raise PPPError(f"{chosen}: field 'network' needs layers of 1 unit or more")
    return config


class Decisions:
    """From actions (N, A) to z (N, latent) and the target shown to the skill policy (N, 3)."""

    def __init__(self, low: Policy, config: HrlConfig, mix: Sequence[str] = ()) -> None:
        self.config = config
        self.skills = [s for s in low.skills if s in mix] or list(low.skills)
        self.table = low.z[[low.skills.index(s) for s in self.skills]]
        kinds = len(self.skills) if config.mode == "skills" else low.z.shape[1]
        self.size = kinds + 2
        #: the action of an untrained policy
        self.first = torch.zeros(self.size)
        start = self.skills.index(config.start) if config.start in self.skills else 0
        if config.mode == "skills":
            self.first[start] = 1.0
        else:
            self.first[:-2] = self.table[start]

    def latent(self, action: Tensor) -> Tensor:
        """z on the unit sphere."""
        z = action[:, :-2]
        if self.config.mode == "skills":
            z = (self.config.sharpness * z).softmax(-1) @ self.table
        return F.normalize(z, dim=-1)

    def goal(self, action: Tensor, goal: Tensor) -> Tensor:
        """The task's goal (N, 3: direction 2, distance / 5) turned and moved by the action."""
        turned = rotate_xy(goal[:, :2], TURN * action[:, -2])
        distance = (goal[:, 2:] + SHIFT / FARTHEST * action[:, -1:]).clamp(0.0, 1.0)
        return torch.cat((turned, distance), -1)


class HighLevel(nn.Module):
    """Actor and critic over decisions; the noise is a learned log sigma an action."""

    def __init__(self, obs: int, first: Tensor, config: HrlConfig) -> None:
        super().__init__()
        self.norm = RunningNormalizer(obs)
        self.value_norm = RunningNormalizer(1)
        self.actor = nn.Sequential(mlp([obs, *config.network]),
                                   nn.Linear(config.network[-1], len(first)))
        self.critic = nn.Sequential(mlp([obs, *config.network]), nn.Linear(config.network[-1], 1))
        self.log_sigma = nn.Parameter(torch.full((len(first),), config.log_sigma))
        nn.init.orthogonal_(self.actor[1].weight, 0.01)
        with torch.no_grad():
            self.actor[1].bias.copy_(first)

    def forward(self, obs: Tensor) -> Tuple[Tensor, Tensor]:
        """Mean action (n, A) and normalised value (n,) of observations (n, O)."""
        normal = self.norm(obs)
        return self.actor(normal), self.critic(normal)[:, 0]

    def value(self, obs: Tensor) -> Tensor:
        """Value in the rewards' own scale, (n,)."""
        return self.value_norm.undo(self.critic(self.norm(obs)))[:, 0]

    @torch.no_grad()
    def act(self, obs: Tensor) -> Tensor:
        """The mean action, (n, A)."""
        return self.actor(self.norm(obs))


class DecisionEnv:
    """A task at the pace of decisions: N humanoids under a frozen skill policy.

    Observations (N, O): body 253, goal 3, and where the task has them the point to touch (from the
    pelvis 3 and from what is to touch it 3, in the heading frame) and how upright the first prop
    is (1). Rewards are means
    over the control steps of a decision of the task's ``high_level`` terms.
    """

    def __init__(self, task: TaskConfig, low: Policy, config: HrlConfig, seed: int = 0,
                 engine: str = "mujoco_cpu", num_envs: Optional[int] = None) -> None:
        if not task.high_level:
            raise PPPError(f"task {task.name}: field 'high_level' is empty: a high-level policy "
                           "needs rewards; name some")
        ends = [name for name in task.terminations if name != "strayed"]
        task = dataclasses.replace(task, rewards=task.high_level, terminations=ends)
        self.env = HumanoidEnv(task, num_envs or config.num_envs, seed, engine)
        self.env.actions = low.action_map
        self.num_envs, self.low, self.hold = self.env.num_envs, low, config.hold
        self.decisions = Decisions(low, config, task.mix)
        self.reaches = task.command.rule == "reach"
        self.props = bool(task.scene().bodies)
        #: called with the engine's state before every control step, for a film
        self.watch: Optional[Callable[[EngineState], None]] = None
        self.observation_size = OBSERVATION_SIZE + GOAL_SIZE + 6 * self.reaches + self.props

    def reset(self) -> Tensor:
        """Start every humanoid anew; observations (N, O)."""
        return self._full(self.env.reset(), self.env.engine.state, self.env.commands.point)

    def observe(self) -> Tensor:
        """The present observations (N, O)."""
        return self._full(self.env.observe(), self.env.engine.state, self.env.commands.point)

    def _full(self, obs: Tensor, state: EngineState, point: Tensor) -> Tensor:
        parts = [obs]
        if self.reaches:
            back = -yaw_of(state.root_rot)
            for place in (state.root_pos, state.bodies.pos[:, self.env.reaching]):
                gap = point - place
                parts += [rotate_xy(gap[:, :2], back), gap[:, 2:]]
        if self.props:
            parts.append(up_z(state.prop_state[:, 0, 3:7])[:, None])
        return torch.cat(parts, -1)

    @torch.no_grad()
    def step(self, action: Tensor) -> Tuple[Tensor, Tensor, Tensor, Dict[str, Any]]:
        """One decision: observations, rewards (N,), dones (N,) bool, infos.

        A humanoid whose episode ends within the decision begins the next one with what is left of
        it unpaid. infos: ``terminated`` and ``timed_out`` (N,) bool, ``next_obs`` (N, O) before any
        restart, ``steps`` (N,) control steps paid, ``state`` of the last control step.
        """
        z = self.decisions.latent(action)
        open_ = torch.ones(self.num_envs, dtype=torch.bool)
        reward, steps = torch.zeros(self.num_envs), torch.zeros(self.num_envs)
        ended = {"terminated": ~open_, "timed_out": ~open_}
        following = torch.zeros(self.num_envs, self.observation_size)
        state: Any = None
        for _ in range(self.hold):
            if self.watch is not None:
                self.watch(self.env.engine.state)
            obs, point = self.env.observe(), self.env.commands.point.clone()
            goal = self.decisions.goal(action, obs[:, OBSERVATION_SIZE:])
            obs = torch.cat((obs[:, :OBSERVATION_SIZE], goal), -1)
            _, paid, done, infos = self.env.step(self.low.action_under(obs, z))
            state = infos["state"]
            reward += paid * open_
            steps += open_
            full = self._full(infos["next_obs"], state, point)
            following = torch.where(open_[:, None], full, following)
            for name in ended:
                ended[name] = ended[name] | (infos[name] & open_)
            open_ &= ~done
        infos = {**ended, "next_obs": following, "steps": steps, "state": state}
        return self.observe(), reward / steps, ~open_, infos

    def close(self) -> None:
        """Give back what the engine holds."""
        self.env.close()


def gaussian_neglogp(action: Tensor, mean: Tensor, log_sigma: Tensor) -> Tensor:
    """-log N(action; mean, exp(log_sigma)), summed over the last axis, (n,)."""
    return (0.5 * ((action - mean) / log_sigma.exp()).square() + log_sigma
            + 0.5 * math.log(2 * math.pi)).sum(-1)
