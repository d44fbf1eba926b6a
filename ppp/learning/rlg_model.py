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

    ``skill`` (n,) is the context of the next forward: the rows of z the observations are under.
    ``diversity``: weight of ASE's loss that asks other actions of another z.
    """

    def __init__(self, policy: SkillPolicy, diversity: float = 0.0) -> None:
        super().__init__()
        self.a2c_network, self.diversity = policy, diversity
        self.skill: Optional[Tensor] = None
        self._aux: Optional[Dict[str, Tensor]] = None

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

    def get_aux_loss(self) -> Optional[Dict[str, Tensor]]:
        """Losses beyond PPO's of the last forward; the discriminator has its own optimiser."""
        return self._aux

    def forward(self, inputs: Dict[str, Any]) -> Dict[str, Optional[Tensor]]:
        """rl-games' dictionaries for acting (``is_train`` False) and for training."""
        mu, value = self.a2c_network(inputs["obs"], self.skill)
        log_sigma = self.a2c_network.actor.log_sigma.expand_as(mu)
        sigma = log_sigma.exp()
        out = {"mus": mu, "sigmas": sigma, "rnn_states": None}
        if inputs.get("is_train", True):
            out["prev_neglogp"] = _neglogp(inputs["prev_actions"], mu, sigma, log_sigma)
            out["values"] = value
            if self.diversity:
                self._aux = {"diversity": self.diversity * self._sameness(inputs["obs"], mu)}
            out["entropy"] = (log_sigma + 0.5 * math.log(2 * math.pi * math.e)).sum(-1)
            return out
        out["actions"] = mu + sigma * torch.randn_like(mu)
        out["neglogpacs"] = _neglogp(out["actions"], mu, sigma, log_sigma)
        out["values"] = self.a2c_network.value_norm.undo(value)
        return out

    def _sameness(self, obs: Tensor, mu: Tensor) -> Tensor:
        net, z = self.a2c_network, self.a2c_network.encoder(self.skill)
        other = z[torch.randperm(len(z))]
        return diversity_loss(mu, net.actor(net.see(obs), other), z, other)


def diversity_loss(mu: Tensor, other_mu: Tensor, z: Tensor, other_z: Tensor) -> Tensor:
    """(d_action / d_z - 1)^2, mean over the batch (ASE, arXiv 2205.01906, section 5).

    d_z = (1 - z'z_other) / 2; d_action: the mean squared difference of the mean actions, as in
    the published code (the paper writes their KL divergence).
    """
    apart = (mu - other_mu).square().mean(-1)
    gap = 0.5 - 0.5 * (z * other_z).sum(-1)
    return (apart / (gap + 1e-5) - 1.0).square().mean()


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
