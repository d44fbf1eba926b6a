"""A BERT encoder as a prefix language model: texts both ways, what follows them causally.

A text attends to itself in both directions, as the encoder was trained to; a later token attends to
all of its text, to the later tokens before it and to itself (Raffel et al., arXiv 1910.10683,
figure 4, right). So a text's keys and values never depend on what follows and are computed once.
"""
from __future__ import annotations

from typing import Dict, List, Tuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ppp.language.encoders.bert import BertSize, Embeddings, mean_pool

#: names of a published checkpoint's parts of a layer -> ours
PARTS = {"attention.output.dense": "out", "attention.output.LayerNorm": "norm",
         "intermediate.dense": "up", "output.dense": "down", "output.LayerNorm": "norm2"}
Pair = Tuple[Tensor, Tensor]


class PrefixState:
    """Keys and values of n texts, padded to L tokens, with room for more.

    keys, values: one (n, H, L + room, d / H) a layer; mask (n, L + room): places that are taken;
    lengths (n,): tokens of each text; text: L; used: steps taken; pooled (n, d).
    """

    def __init__(self, pairs: List[Pair], mask: Tensor, pooled: Tensor, room: int) -> None:
        self.text, self.used, self.pooled = mask.shape[1], 0, pooled
        self.lengths = mask.sum(1)
        self.keys = [_with_room(k, room) for k, _ in pairs]
        self.values = [_with_room(v, room) for _, v in pairs]
        self.mask = F.pad(mask, (0, room), value=False)

    def __len__(self) -> int:
        return len(self.mask)

    def select(self, index: Tensor) -> "PrefixState":
        """The rows ``index`` (m,), copied."""
        new = object.__new__(PrefixState)
        new.text, new.used = self.text, self.used
        new.pooled, new.lengths, new.mask = (
            part[index] for part in (self.pooled, self.lengths, self.mask))
        new.keys, new.values = [k[index] for k in self.keys], [v[index] for v in self.values]
        return new

    def forget(self) -> None:
        """Let go of the steps, and of the room for them."""
        self.used, self.mask = 0, self.mask[:, :self.text]
        self.keys = [k[:, :, :self.text] for k in self.keys]
        self.values = [v[:, :, :self.text] for v in self.values]


def _with_room(x: Tensor, room: int) -> Tensor:
    return F.pad(x, (0, 0, 0, room)) if room else x


class Layer(nn.Module):
    """One encoder layer, normalised after each residual; query, key and value in one product."""

    def __init__(self, size: BertSize) -> None:
        super().__init__()
        h, self.heads = size.hidden_size, size.num_attention_heads
        self.qkv, self.out = nn.Linear(h, 3 * h), nn.Linear(h, h)
        self.up = nn.Linear(h, size.intermediate_size)
        self.down = nn.Linear(size.intermediate_size, h)
        self.norm = nn.LayerNorm(h, eps=size.layer_norm_eps)
        self.norm2 = nn.LayerNorm(h, eps=size.layer_norm_eps)

    def split(self, x: Tensor, rows: "Rows") -> Tuple[Tensor, Tensor, Tensor]:
        """(m, h) -> queries, keys, values (n, H, t, h / H)."""
        parts = rows.spread(self.qkv(x)).view(rows.n, rows.t, 3, self.heads, -1)
        q, k, v = parts.permute(2, 0, 3, 1, 4)
        return q, k, v

    def finish(self, x: Tensor, mixed: Tensor, rows: "Rows") -> Tensor:
        """The rest of the layer behind attention (n, H, t, h / H): (m, h) -> (m, h)."""
        mixed = rows.gather(mixed.transpose(1, 2).reshape(rows.n * rows.t, -1))
        x = self.norm(self.out(mixed) + x)
        return self.norm2(self.down(F.gelu(self.up(x))) + x)


class Rows:
    """Which of n * t places hold a token: m of them are computed, padding costs nothing."""

    def __init__(self, real: Tensor) -> None:
        """real: (n, t) bool."""
        self.n, self.t = real.shape
        self.full = bool(real.all())
        self.index = real.flatten().nonzero()[:, 0]

    def spread(self, x: Tensor) -> Tensor:
        """(m, ...) -> (n * t, ...), 0 where there is no token."""
        if self.full:
            return x
        return x.new_zeros(self.n * self.t, *x.shape[1:]).index_copy(0, self.index, x)

    def gather(self, x: Tensor) -> Tensor:
        """(n * t, ...) -> (m, ...)."""
        return x if self.full else x[self.index]


def attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> Tensor:
    """Attention (n, H, t, h / H) where ``mask`` (n, 1 or t, keys) holds; the fused kernel."""
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask[:, None])


def attend_with_gradient(q: Tensor, k: Tensor, v: Tensor, bias: Tensor) -> Tensor:
    """The same in float32 by plain products; ``bias`` (n, t, keys) is 0 or minus infinity.

    For a dozen queries the fused kernel's backward pass takes ten times as long on a CPU.
    """
    scores = (q.float() * q.shape[-1] ** -0.5) @ k.float().transpose(-1, -2) + bias[:, None]
    return (scores.softmax(-1) @ v.float()).to(q.dtype)


class PrefixBert(nn.Module):
    """A stack of layers over BERT's embeddings; see the module's text for who sees whom."""

    def __init__(self, size: BertSize) -> None:
        super().__init__()
        self.size = size
        self.embeddings = Embeddings(size)
        self.layers = nn.ModuleList(Layer(size) for _ in range(size.num_hidden_layers))

    def load_published(self, weights: Dict[str, Tensor]) -> None:
        """Take a published checkpoint's tensors (without pooler). Raises KeyError, RuntimeError."""
        state = {n: v for n, v in weights.items() if n.startswith("embeddings.")}
        for number in range(len(self.layers)):
            old, new = f"encoder.layer.{number}.", f"layers.{number}."
            for kind in ("weight", "bias"):
                state[f"{new}qkv.{kind}"] = torch.cat(
                    [weights[f"{old}attention.self.{part}.{kind}"]
                     for part in ("query", "key", "value")])
                for theirs, ours in PARTS.items():
                    state[f"{new}{ours}.{kind}"] = weights[f"{old}{theirs}.{kind}"]
        self.load_state_dict(state)

    @property
    def dtype(self) -> torch.dtype:
        """Of the weights."""
        return self.embeddings.word_embeddings.weight.dtype

    def prefill(self, ids: Tensor, mask: Tensor, room: int) -> PrefixState:
        """(n, t) ids and bool mask -> the texts' state."""
        rows = Rows(mask)
        x = rows.gather(self.embeddings(ids).flatten(0, 1))
        pairs: List[Pair] = []
        for layer in self.layers:
            q, k, v = layer.split(x, rows)
            pairs.append((k, v))
            x = layer.finish(x, attend(q, k, v, mask[:, None, :]), rows)
        hidden = rows.spread(x.float()).view(*mask.shape, -1)
        return PrefixState(pairs, mask, mean_pool(hidden, mask), room)

    def _enter(self, x: Tensor, positions: Tensor) -> Tensor:
        """Vectors in place of words, at their positions."""
        e = self.embeddings
        positions = positions.clamp(max=self.size.max_position_embeddings - 1)
        return e.LayerNorm(x.to(self.dtype) + e.position_embeddings(positions)
                           + e.token_type_embeddings.weight[0])

    def step(self, state: PrefixState, x: Tensor) -> Tensor:
        """(n, d) -> (n, d); keys and values go into ``state``."""
        place = state.text + state.used
        x, rows = self._enter(x, state.lengths + state.used), Rows(state.mask.new_ones(len(x), 1))
        state.mask[:, place] = True
        mask = state.mask[:, None, :place + 1]
        for layer, keys, values in zip(self.layers, state.keys, state.values):
            q, k, v = layer.split(x, rows)
            keys[:, :, place], values[:, :, place] = k[:, :, 0], v[:, :, 0]
            mixed = attend(q, keys[:, :, :place + 1], values[:, :, :place + 1], mask)
            x = layer.finish(x, mixed, rows)
        state.used += 1
        return x.float()

    def sequence(self, state: PrefixState, x: Tensor, real: Tensor) -> Tensor:
        """(m, d) tokens at the m places of ``real`` (n, t) -> (m, d), with gradient."""
        rows, (n, t) = Rows(real), real.shape
        order = torch.arange(t)
        x = self._enter(x, rows.gather((state.lengths[:, None] + order).flatten()))
        mask = torch.cat([state.mask[:, None, :state.text].expand(n, t, state.text),
                          (order <= order[:, None]).expand(n, t, t)], dim=-1)
        bias = torch.zeros(mask.shape).masked_fill_(~mask, float("-inf"))
        for layer, keys, values in zip(self.layers, state.keys, state.values):
            q, k, v = layer.split(x, rows)
            mixed = attend_with_gradient(q, torch.cat([keys[:, :, :state.text], k], 2),
                                         torch.cat([values[:, :, :state.text], v], 2), bias)
            x = layer.finish(x, mixed, rows)
        return x.float()
