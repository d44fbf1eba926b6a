"""What the policy asks of a language model, whatever model it is."""
from __future__ import annotations

import hashlib
from typing import List, Protocol, Tuple, TypeVar

import torch
from torch import Tensor, nn

S = TypeVar("S", bound="State")


class State(Protocol):
    """What a backbone remembers of n texts and of the tokens that followed them."""

    #: (n, d) float32 unit rows: mean of the text's last hidden states
    pooled: Tensor

    def select(self: S, index: Tensor) -> S:
        """The rows ``index`` (m,) int64 alone, as a copy."""
        ...

    def forget(self) -> None:
        """Go back to what ``prefill`` left, without room for steps."""
        ...

    def __len__(self) -> int:
        """n."""
        ...


class Backbone(Protocol):
    """A language model that reads texts, then vectors in place of further tokens."""

    #: as in ``--backbone``
    name: str
    #: d, length of a token's vector and of a hidden state
    d_model: int
    #: standard deviation of the word vectors: what a token's vector is scaled to
    spread: float
    #: False: frozen, nothing of it is trained or saved
    trained: bool
    #: the weights
    module: nn.Module

    def embed(self, texts: List[str]) -> Tuple[Tensor, Tensor]:
        """(n, t, d) vectors of the tokens and the (n, t) bool mask of real ones."""
        ...

    def prefill(self, texts: List[str], room: int = 0) -> State:
        """Read the texts; ``room``: how many calls of ``step`` may follow."""
        ...

    def step(self, state: State, x: Tensor) -> Tensor:
        """One more token (n, d) each: hidden states (n, d). Changes ``state``; no gradient."""
        ...

    def sequence(self, state: State, x: Tensor, real: Tensor) -> Tensor:
        """Tokens that follow the texts: (m, d) at the m places of ``real`` (n, t) bool, each row's
        from the left -> hidden states (m, d), with gradient to ``x``.

        A token sees its text and the tokens before it. ``state`` is as ``prefill`` left it: what
        ``step`` added is not looked at.
        """
        ...


def instructions_of(state: State) -> Tensor:
    """(n, d) pooled vectors of the texts, their entries of about unit size."""
    return state.pooled * state.pooled.shape[-1] ** 0.5


def weights_hash(module: nn.Module) -> str:
    """sha256 (hex) over all parameters and buffers with their names: equal means untouched."""
    digest = hashlib.sha256()
    for name, value in sorted(module.state_dict().items()):
        digest.update(name.encode())
        digest.update(value.detach().cpu().contiguous().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def freeze(module: nn.Module) -> None:
    """No parameter of ``module`` takes a gradient from here on; dropout is off."""
    module.eval()
    for parameter in module.parameters():
        parameter.requires_grad_(False)
