"""rl-games' view of our environment and model. Only this file and rlg_agent.py import rl-games.

The model class brings its own normaliser: the one in rl-games 1.6.5 moves with every minibatch
of every epoch, which breaks the probability ratio.
"""
from __future__ import annotations

import math
from typing import Any, Dict, Optional

import gymnasium as gym
import numpy as np
import torch
from rl_games.common.ivecenv import IVecEnv
from torch import Tensor, nn

from ppp.learning.networks import SkillPolicy
from ppp.tasks.env import HumanoidEnv


class RlgEnv(IVecEnv):
    """HumanoidEnv behind rl-games' vector-environment interface; tensors in and out."""

    def __init__(self, env: HumanoidEnv) -> None:
        self.env = env
        #: observations (N, 256) to go on from instead of a first reset: a resumed run's
        self.resumed: Optional[Tensor] = None

    def reset(self) -> Tensor:
        """Observations (N, 256) of new episodes; of those that a resumed run was in, once."""
        if self.resumed is None:
            return self.env.reset()
        obs, self.resumed = self.resumed, None
        return obs

    def step(self, actions: Tensor):
        """Observations, rewards, dones (uint8) and infos."""
        obs, reward, done, infos = self.env.step(actions)
        return obs, reward, done.to(torch.uint8), infos

    def get_number_of_agents(self) -> int:
        """One agent an environment."""
        return 1

    def get_env_info(self) -> Dict[str, Any]:
        """Spaces, as rl-games asks for them."""
        def box(size: int) -> gym.spaces.Box:
            return gym.spaces.Box(-np.inf, np.inf, (size,), np.float32)

        return {"observation_space": box(self.env.observation_size),
                "action_space": box(self.env.action_size)}


class FrozenValueNorm:
    """What rl-games calls value_mean_std: normalises, and only ``learn`` moves the statistics.

    rl-games passes old values first and returns second; both must be seen through the same
    statistics, so they are updated from outside, before.
    """

    def __init__(self, norm: nn.Module) -> None:
        self._norm = norm

    def train(self, mode: bool = True) -> None:
        """Nothing changes: the agent updates the statistics itself."""

    def eval(self) -> None:
        """See ``train``."""

    def __call__(self, values: Tensor, denorm: bool = False) -> Tensor:
        return self._norm.undo(values) if denorm else self._norm(values)


class RlgModel(nn.Module):
    """The interface of an rl-games model around :class:`SkillPolicy`.

    ``skill`` (n,) is the context of the next forward: which skills the observations are under.
    """

    def __init__(self, policy: SkillPolicy) -> None:
        super().__init__()
        self.a2c_network = policy
        self.skill: Optional[Tensor] = None

    @property
    def value_mean_std(self) -> FrozenValueNorm:
        """The value normaliser."""
        return FrozenValueNorm(self.a2c_network.value_norm)

    @property
    def running_mean_std(self) -> FrozenValueNorm:
        """The observation normaliser (rl-games only switches its mode)."""
        return FrozenValueNorm(self.a2c_network.obs_norm)

    def is_rnn(self) -> bool:
        """No recurrent state."""
        return False

    def get_aux_loss(self) -> None:
        """No loss beyond PPO's here; the discriminator has its own optimiser."""
        return None

    def forward(self, inputs: Dict[str, Any]) -> Dict[str, Optional[Tensor]]:
        """rl-games' dictionaries for acting (``is_train`` False) and for training."""
        mu, value = self.a2c_network(inputs["obs"], self.skill)
        log_sigma = self.a2c_network.actor.log_sigma.expand_as(mu)
        sigma = log_sigma.exp()
        out = {"mus": mu, "sigmas": sigma, "rnn_states": None}
        if inputs.get("is_train", True):
            out["prev_neglogp"] = _neglogp(inputs["prev_actions"], mu, sigma, log_sigma)
            out["values"] = value
            out["entropy"] = (log_sigma + 0.5 * math.log(2 * math.pi * math.e)).sum(-1)
            return out
        out["actions"] = mu + sigma * torch.randn_like(mu)
        out["neglogpacs"] = _neglogp(out["actions"], mu, sigma, log_sigma)
        out["values"] = self.a2c_network.value_norm.undo(value)
        return out


def _neglogp(action: Tensor, mu: Tensor, sigma: Tensor, log_sigma: Tensor) -> Tensor:
    """-log N(action; mu, sigma), summed over the last axis."""
    return (0.5 * ((action - mu) / sigma).square() + log_sigma
            + 0.5 * math.log(2 * math.pi)).sum(-1)


class ModelBuilder:
    """What rl-games calls a network builder; it hands over a model that is already made."""

    def __init__(self, model: RlgModel) -> None:
        self._model = model

    def build(self, config: Dict[str, Any]) -> RlgModel:
        """The model; rl-games' sizes are not needed."""
        return self._model
