"""From a hidden state to logits over the actions, and to a value."""
from __future__ import annotations

from typing import Optional, Tuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ppp.llarp.gaze import FOUND, Gaze
from ppp.llarp.observation import Seen

#: flat: one row of weights an action (the paper's); text: a query against the action's phrase, as
#: SemLang does in the model's own vocabulary (Szot et al. 2024, "Grounding Multimodal LLMs in
#: Actions"); both: their sum
HEADS = ("flat", "text", "both")
#: shared: a linear map of the decoder's features (the paper's); separate: a network of its own that
#: sends no gradient into the adapters
CRITICS = ("shared", "separate")
WIDTH = 512


def action_keys(phrases: Tensor) -> Tensor:
    """(A, e) frozen phrase vectors -> (A, e), their mean taken off and of length 1.

    All phrases share a large component, which would only add a constant to all logits. Longer keys
    would make an optimiser's step on the query move the logits by tens.
    """
    return F.normalize(phrases - phrases.mean(0), dim=-1)


class ActionHead(nn.Module):
    """The paper's decoder: two layers of 512 with LayerNorm and ReLU, then logits and value."""

    def __init__(self, d_model: int, actions: int, kind: str = "flat", critic: str = "shared",
                 keys: Optional[Tensor] = None, token: int = 0, gaze: int = 0,
                 sentence: int = 0) -> None:
        """keys: (A, e) of ``action_keys``, for text and both. token: length of the observation's
        token, which a separate critic sees beside the hidden state. gaze: numbers of an entity,
        for a decoder that looks at them once more; 0: it does not. sentence: length of the
        instruction's vector, for a decoder that has it beside the hidden state; 0: it has not."""
        super().__init__()
        self.kind, self.critic_kind, self.keys, self.sentence = kind, critic, keys, sentence > 0
        told = d_model + sentence
        self.gaze = Gaze(told, gaze) if gaze else None
        self.body = nn.Sequential(
            nn.Linear(told + (FOUND if gaze else 0), WIDTH), nn.LayerNorm(WIDTH), nn.ReLU(),
            nn.Linear(WIDTH, WIDTH), nn.LayerNorm(WIDTH), nn.ReLU())
        if kind in ("flat", "both"):
            self.flat = _last(nn.Linear(WIDTH, actions), 0.01)
        if kind in ("text", "both"):
            assert keys is not None, "a text head needs the phrases' keys"
            self.query = _last(nn.Linear(WIDTH, keys.shape[1]), 0.01)
            self.bias = nn.Parameter(torch.zeros(actions))
        if critic == "shared":
            self.value = nn.Linear(WIDTH, 1)
        else:
            self.critic = nn.Sequential(nn.LayerNorm(d_model + token),
                                        nn.Linear(d_model + token, 256), nn.ReLU(),
                                        nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 1))

    def logits(self, features: Tensor) -> Tensor:
        """(..., 512) -> (..., A)."""
        out = self.flat(features) if self.kind != "text" else torch.zeros(())
        if self.kind != "flat":
            out = out + self.query(features) @ self.keys.T + self.bias
        return out

    def forward(self, hidden: Tensor, seen: Seen, sentence: Tensor) -> Tuple[Tensor, Tensor]:
        """(m, d) hidden states at m observations, (m, s) vectors of their instructions -> logits
        (m, A), values (m,)."""
        told = torch.cat([hidden, sentence], -1) if self.sentence else hidden
        found = [] if self.gaze is None else [self.gaze(told, seen)]
        features = self.body(torch.cat([told, *found], -1))
        if self.critic_kind == "shared":
            value = self.value(features)
        else:
            value = self.critic(torch.cat([hidden, seen.token], -1).detach())
        return self.logits(features), value[..., 0]


def _last(layer: nn.Linear, gain: float) -> nn.Linear:
    nn.init.orthogonal_(layer.weight, gain)
    nn.init.zeros_(layer.bias)
    return layer
