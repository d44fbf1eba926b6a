"""The policy: instruction, then one token an observation, through the backbone, to an action.

All policies here (this one and those of ``recurrent.py``) have the same three verbs: ``begin`` with
instructions, ``step`` with an observation each, ``sequence`` with whole episodes, for training.
"""
from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, List, Protocol, Tuple

import torch
from torch import Tensor, nn

from ppp.llarp.backbones import Backbone, instructions_of
from ppp.llarp.heads import ActionHead
from ppp.llarp.observation import Obs, ObservationEncoder, Seen

#: what is seen: everything; nothing at all; the first observation alone (an open-loop plan)
LOOKS = ("all", "none", "first")


@dataclass
class Memory:
    """What a policy keeps of n episodes: the instructions, the backbone's state, steps taken."""

    texts: List[str]
    state: Any
    steps: int = 0

    def select(self, index: Tensor) -> "Memory":
        """The rows ``index`` (m,), copied."""
        return replace(self, texts=[self.texts[i] for i in index.tolist()],
                       state=self.state.select(index))


class Planner(Protocol):
    """What training and evaluation need of a policy; also an nn.Module."""

    def begin(self, texts: List[str], room: int) -> Memory:
        """Read n instructions; at most ``room`` steps follow."""
        ...

    def step(self, memory: Memory, obs: Obs) -> Tensor:
        """Logits (n, A) for the observations (n, ...) of the next step; no gradient."""
        ...

    def sequence(self, memory: Memory, obs: Obs, real: Tensor) -> Tuple[Tensor, Tensor]:
        """Logits (m, A) and values (m,) of whole episodes, with gradient: ``obs`` (m, ...) are
        those of the m steps of ``real`` (n, T) bool, in their order."""
        ...


class LlarpPolicy(nn.Module):
    """Adapters around a backbone. ``state_dict`` holds the adapters, and the backbone's weights
    only where these are trained."""

    def __init__(self, backbone: Backbone, encoder: ObservationEncoder, head: ActionHead,
                 look: str = "all", remembers: bool = True) -> None:
        """look: one of LOOKS. remembers: False: a step sees the instruction and its own
        observation alone."""
        super().__init__()
        self._backbone = [backbone]  # in a list: a frozen module must not become part of this one
        if backbone.trained:
            self.language = backbone.module
        self.encoder, self.head = encoder, head
        self.look, self.remembers = look, remembers

    @property
    def backbone(self) -> Backbone:
        """The language model."""
        return self._backbone[0]

    def begin(self, texts: List[str], room: int) -> Memory:
        """See :class:`Planner`."""
        return Memory(list(texts), self.backbone.prefill(list(texts), room))

    def seen(self, obs: Obs, first: Tensor) -> Seen:
        """(m, ...) observations -> what of them is looked at; first (m,): which are those of a
        first step."""
        seen = self.encoder(obs)
        if self.look == "all":
            return seen
        looks = first if self.look == "first" else torch.zeros_like(first)
        return Seen(seen.token * looks[:, None], seen.entities, seen.mask & looks[:, None])

    @torch.no_grad()
    def step(self, memory: Memory, obs: Obs) -> Tensor:
        """See :class:`Planner`."""
        seen = self.seen(obs, torch.full((len(obs.mask),), memory.steps == 0))
        if self.remembers:
            hidden = self.backbone.step(memory.state, seen.token)
        else:
            every = obs.mask.new_ones(len(obs.mask), 1)
            hidden = self.backbone.sequence(memory.state, seen.token, every)
        memory.steps += 1
        return self.head(hidden, seen, instructions_of(memory.state))[0]

    def sequence(self, memory: Memory, obs: Obs, real: Tensor) -> Tuple[Tensor, Tensor]:
        """See :class:`Planner`."""
        row, step = real.nonzero(as_tuple=True)
        seen = self.seen(obs, step == 0)
        state = self.backbone.prefill(memory.texts) if self.backbone.trained else memory.state
        sentence = instructions_of(state)[row]
        if not self.remembers:  # every step is an episode of its own
            state, real = state.select(row), real.new_ones(len(row), 1)
        return self.head(self.backbone.sequence(state, seen.token, real), seen, sentence)
