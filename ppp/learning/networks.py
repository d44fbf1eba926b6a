"""The networks: skill encoder, actor and critic. Plain torch."""
from __future__ import annotations

from typing import Sequence, Tuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ppp.learning.normalizer import RunningNormalizer


def mlp(sizes: Sequence[int]) -> nn.Sequential:
    """Linear layers with ReLU between and after them (no output layer)."""
    layers = []
    for n_in, n_out in zip(sizes[:-1], sizes[1:]):
        layers += [nn.Linear(n_in, n_out), nn.ReLU()]
    return nn.Sequential(*layers)


class SkillEncoder(nn.Module):
    """From a codebook entry e_k to z on the unit sphere.

    codebook: (K, d) frozen reference encodings; it is a buffer and never trained.
    """

    def __init__(self, codebook: Tensor, hidden: Sequence[int], latent: int) -> None:
        super().__init__()
        self.register_buffer("codebook", codebook.clone())
        self.body = mlp([codebook.shape[1], *hidden])
        self.head = nn.Linear(hidden[-1] if hidden else codebook.shape[1], latent)

    def table(self) -> Tensor:
        """z of every skill, (K, latent), unit length."""
        return F.normalize(self.head(self.body(self.codebook)), dim=-1)

    def forward(self, skill: Tensor) -> Tensor:
        """z of skills (n,), (n, latent)."""
        return self.table()[skill]


def scaled(z: Tensor) -> Tensor:
    """z with components of about unit size, as an input beside normalised observations.

    On the unit sphere 64 components are 1/8 each and a network hardly sees them beside 256
    numbers of size 1: skills then blur into one (measured here: a slash was unlearnt).
    """
    return z * z.shape[-1] ** 0.5


class Actor(nn.Module):
    """Mean action for a normalised observation and z; the noise is a fixed log sigma."""

    def __init__(self, obs: int, latent: int, actions: int, hidden: Sequence[int],
                 log_sigma: float) -> None:
        super().__init__()
        self.body = mlp([obs + latent, *hidden])
        self.head = nn.Linear(hidden[-1], actions)
        # a nearly silent head: the untrained policy holds the mean pose
        nn.init.orthogonal_(self.head.weight, 0.01)
        nn.init.zeros_(self.head.bias)
        self.register_buffer("log_sigma", torch.full((actions,), float(log_sigma)))

    def forward(self, obs: Tensor, z: Tensor) -> Tensor:
        """(n, actions) for obs (n, obs) already normalised and z (n, latent)."""
        return self.head(self.body(torch.cat((obs, scaled(z)), -1)))


class Critic(nn.Module):
    """Normalised value of an observation and z, (n, 1)."""

    def __init__(self, obs: int, latent: int, hidden: Sequence[int]) -> None:
        super().__init__()
        self.body = mlp([obs + latent, *hidden])
        self.head = nn.Linear(hidden[-1], 1)

    def forward(self, obs: Tensor, z: Tensor) -> Tensor:
        """(n, 1)."""
        return self.head(self.body(torch.cat((obs, scaled(z)), -1)))


class SkillPolicy(nn.Module):
    """pi(a | s, z, target) with its critic, skill encoder and normalisers.

    The z of an observation is not part of it: it is computed here from the skill's index, so that
    the encoder gets the policy's gradient.
    """

    def __init__(self, obs: int, actions: int, codebook: Tensor, actor: Sequence[int],
                 critic: Sequence[int], encoder: Sequence[int], latent: int,
                 log_sigma: float) -> None:
        super().__init__()
        self.encoder = SkillEncoder(codebook, encoder, latent)
        self.actor = Actor(obs, latent, actions, actor, log_sigma)
        self.critic = Critic(obs, latent, critic)
        self.obs_norm = RunningNormalizer(obs)
        self.value_norm = RunningNormalizer(1)

    def forward(self, obs: Tensor, skill: Tensor) -> Tuple[Tensor, Tensor]:
        """Mean action (n, actions) and normalised value (n, 1) of raw obs and skills (n,)."""
        normal, z = self.obs_norm(obs), self.encoder(skill)
        # the critic must not shape z: its gradient would drown the policy's
        return self.actor(normal, z), self.critic(normal, z.detach())

    def act(self, obs: Tensor, skill: Tensor) -> Tensor:
        """The mean action alone."""
        return self.actor(self.obs_norm(obs), self.encoder(skill))

    def value(self, obs: Tensor, skill: Tensor) -> Tensor:
        """Value in the rewards' own scale, (n, 1)."""
        return self.value_norm.undo(self.critic(self.obs_norm(obs), self.encoder(skill)))
