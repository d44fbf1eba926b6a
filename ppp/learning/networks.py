"""The networks: skill encoder, actor and critic. Plain torch."""
from __future__ import annotations

from typing import Dict, Optional, Sequence, Tuple, Union

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ppp.humanoid.observation import GOAL_SIZE
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

    def __init__(self, codebook: Tensor, hidden: Sequence[int], latent: int,
                 skill_of: Optional[Tensor] = None) -> None:
        super().__init__()
        self.register_buffer("codebook", codebook.clone())
        if skill_of is not None:  # rows are phrases, several a skill
            self.register_buffer("skill_of", skill_of.clone())
        self.body = mlp([codebook.shape[1], *hidden])
        self.head = nn.Linear(hidden[-1] if hidden else codebook.shape[1], latent)

    def table(self) -> Tensor:
        """z of every skill, (K, latent), unit length."""
        return F.normalize(self.head(self.body(self.codebook)), dim=-1)

    def forward(self, skill: Tensor) -> Tensor:
        """z of skills (n,), (n, latent)."""
        return self.table()[skill]


class GivenLatents(nn.Module):
    """z that nothing learns: rows of a table (R, latent), which may be drawn anew."""

    def __init__(self, z: Tensor) -> None:
        super().__init__()
        self.register_buffer("z", z.clone())

    def table(self) -> Tensor:
        """(R, latent)."""
        return self.z

    def forward(self, row: Tensor) -> Tensor:
        """(n, latent) of rows (n,)."""
        return self.z[row]


class MotionEncoder(nn.Module):
    """From a stretch of a clip to z on the unit sphere (CALM, arXiv 2305.02195, section 4).

    features (F, E): the stretch that ends at each frame of the library, normalised. The policy
    acts under ``table()``, which stands still between two calls of :meth:`refresh`. ``by_policy``:
    it learns from the policy's gradient, as in the code that CALM's authors published; else from
    what is done with :meth:`encode`.
    """

    def __init__(self, features: Tensor, hidden: Sequence[int], latent: int,
                 by_policy: bool = True) -> None:
        super().__init__()
        self.by_policy = by_policy
        self.body = mlp([features.shape[1], *hidden])
        self.head = nn.Linear(hidden[-1] if hidden else features.shape[1], latent)
        # both follow from the library and the weights: no checkpoint needs them
        self.register_buffer("features", features.clone(), persistent=False)
        self.register_buffer("z", torch.zeros(len(features), latent), persistent=False)
        self.refresh()

    def encode(self, row: Tensor) -> Tensor:
        """z (n, latent) of frames (n,), with its gradient."""
        return F.normalize(self.head(self.body(self.features[row])), dim=-1)

    @torch.no_grad()
    def refresh(self) -> None:
        """Encode every frame with the present weights."""
        self.z = self.encode(torch.arange(len(self.features), device=self.features.device))

    def table(self) -> Tensor:
        """z of every frame at the last refresh, (F, latent)."""
        return self.z

    def forward(self, row: Tensor) -> Tensor:
        """(n, latent) of frames (n,): encoded with a gradient where there is one to take."""
        if self.by_policy and torch.is_grad_enabled():
            known, back = torch.unique(row, return_inverse=True)  # a stretch is followed for long
            return self.encode(known)[back]
        return self.z[row]


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

    The z of an observation is not part of it: it is computed here from an index (``skill``: the
    number of a skill, or a row of whatever else the encoder's table lists), so that the encoder
    gets the policy's gradient. codebook: (K, d) entries, or an encoder that is already made.
    ``goal`` False: the last three numbers of an observation, its target, are not seen.
    """

    def __init__(self, obs: int, actions: int, codebook: Union[Tensor, nn.Module],
                 actor: Sequence[int], critic: Sequence[int], encoder: Sequence[int], latent: int,
                 log_sigma: float, goal: bool = True) -> None:
        super().__init__()
        self.encoder = SkillEncoder(codebook, encoder, latent) \
            if isinstance(codebook, Tensor) else codebook
        self.goal = goal
        self.actor = Actor(obs, latent, actions, actor, log_sigma)
        self.critic = Critic(obs, latent, critic)
        self.obs_norm = RunningNormalizer(obs)
        self.value_norm = RunningNormalizer(1)

    def forward(self, obs: Tensor, skill: Tensor) -> Tuple[Tensor, Tensor]:
        """Mean action (n, actions) and normalised value (n, 1) of raw obs and skills (n,)."""
        normal, z = self.see(obs), self.encoder(skill)
        # the critic must not shape z: its gradient would drown the policy's
        return self.actor(normal, z), self.critic(normal, z.detach())

    def act(self, obs: Tensor, skill: Tensor) -> Tensor:
        """The mean action alone."""
        return self.actor(self.see(obs), self.encoder(skill))

    def value(self, obs: Tensor, skill: Tensor) -> Tensor:
        """Value in the rewards' own scale, (n, 1)."""
        return self.value_norm.undo(self.critic(self.see(obs), self.encoder(skill)))

    def see(self, obs: Tensor) -> Tensor:
        """Observations (n, obs) as the networks get them."""
        normal = self.obs_norm(obs)
        if not self.goal:
            normal[:, -GOAL_SIZE:] = 0.0
        return normal

    def acting_state(self) -> Dict[str, Tensor]:
        """The state without what only training needs; blind to the goal by its weights alone."""
        state = {k: v for k, v in self.state_dict().items() if k != "encoder.z"}
        if not self.goal:
            first = state["actor.body.0.weight"].clone()
            first[:, self.obs_norm.mean.shape[0] - GOAL_SIZE:self.obs_norm.mean.shape[0]] = 0.0
            state["actor.body.0.weight"] = first
        return state
