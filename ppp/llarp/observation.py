"""From what is in view to one token: entities pooled as a set, then the self state.

The appearance codes of ``ppp.rearrangement`` take the place of the frozen vision model's feature
(VC-1 in the paper): informative, and not aligned with language.
"""
from __future__ import annotations

from typing import NamedTuple, Optional, Sequence, Tuple

import numpy as np
import torch
from torch import Tensor, nn

from ppp.rearrangement.observe import ECHO_ENTITY, ECHO_OWN


class Obs(NamedTuple):
    """Observations with any leading dimensions (...): self_state (..., S), entities (..., E, F)
    float32, mask (..., E) bool of real entities, names (..., E) int64, index of a name."""

    self_state: Tensor
    entities: Tensor
    mask: Tensor
    names: Tensor

    def pick(self, index: Tensor) -> "Obs":
        """What ``index`` picks of the leading dimensions."""
        return Obs(*(part[index] for part in self))


class Seen(NamedTuple):
    """What an observation (...) became: its token (..., d), and the features (..., E, w) of the
    entities it was pooled from, with the mask (..., E) of real ones."""

    token: Tensor
    entities: Tensor
    mask: Tensor


def without_echo(obs: Obs) -> Obs:
    """The world as it is now, (...): nothing of the last action, nor of the time, copied."""
    own, entities = obs.self_state.clone(), obs.entities.clone()
    own[..., list(ECHO_OWN)] = 0.0
    entities[..., ECHO_ENTITY] = 0.0
    return obs._replace(self_state=own, entities=entities)


def to_obs(arrays: Sequence[np.ndarray]) -> Obs:
    """numpy arrays in the order of Obs -> tensors."""
    state, entities, mask, names = arrays
    return Obs(torch.as_tensor(state, dtype=torch.float32),
               torch.as_tensor(entities, dtype=torch.float32),
               torch.as_tensor(mask, dtype=torch.bool), torch.as_tensor(names, dtype=torch.long))


class ObservationEncoder(nn.Module):
    """Observation (..., Obs) -> what is seen of it, its token first.

    The last LayerNorm has a gain like the spread of word vectors: a backbone that normalises its
    input ignores scale, one that does not would drown in a token ten times a word's length.
    """

    def __init__(self, sizes: Tuple[int, int, int], d_model: int, spread: float, width: int = 192,
                 names: Optional[Tensor] = None, echo: bool = True) -> None:
        """sizes: (S, E, F). names: (M, e) frozen vectors of entity names, given to the entities'
        MLP as well ("perfect open-vocabulary detector"); None: appearance alone. echo: False:
        what observations say of the last action and of the time reads 0."""
        super().__init__()
        state, _, features = sizes
        self.table, self.echo = names, echo
        if names is not None:
            self.name = nn.Linear(names.shape[1], 64)
            features += 64
        self.entity = nn.Sequential(nn.Linear(features, width), nn.ReLU(),
                                    nn.Linear(width, width), nn.ReLU())
        self.own = nn.Sequential(nn.Linear(state, width), nn.ReLU())
        self.token = nn.Sequential(nn.Linear(3 * width, 512), nn.ReLU(), nn.Linear(512, d_model))
        self.norm = nn.LayerNorm(d_model)
        nn.init.constant_(self.norm.weight, spread)

    def forward(self, obs: Obs) -> Seen:
        """(...) observations -> Seen. The order of entities does not matter to the token."""
        obs = obs if self.echo else without_echo(obs)
        shape, real = obs.mask.shape, obs.mask.flatten()
        x = obs.entities.flatten(0, -2)[real]  # what is not there costs nothing
        if self.table is not None:
            x = torch.cat([x, self.name(self.table[obs.names.flatten()[real]])], -1)
        x = self.entity(x)
        x = x.new_zeros(len(real), x.shape[-1]).index_copy(0, real.nonzero()[:, 0], x)
        x = x.view(*shape, -1)
        mean = x.sum(-2) / obs.mask.sum(-1, keepdim=True).clamp(min=1)
        # entities are at least 0 behind the ReLU: one that is not there never is the largest
        token = self.token(torch.cat([mean, x.amax(-2), self.own(obs.self_state)], -1))
        return Seen(self.norm(token), x, obs.mask)
