"""A BERT encoder as a prefix language model: texts both ways, what follows them causally.

A text attends to itself in both directions, as the encoder was trained to; a later token attends to
all of its text, to the later tokens before it and to itself (Raffel et al., arXiv 1910.10683,
figure 4, right). So a text's keys and values never depend on what follows and are computed once.
"""
from __future__ import annotations

from typing import Dict, List, Optional, Tuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ppp.language.encoders.bert import BertSize, Embeddings, mean_pool

#: names of a published checkpoint's parts of a layer -> ours
PARTS = {"attention.output.dense": "out", "attention.output.LayerNorm": "norm",
         "intermediate.dense": "up", "output.dense": "down", "output.LayerNorm": "norm2"}
Pair = Tuple[Tensor, Tensor]
#: texts that are read at once: what a layer makes of them should fit a processor's cache
TOGETHER = 64


class PrefixState:
    """Keys and values of n texts, padded to L tokens, and of the steps that followed them.

    In float32, which attention works in: converted once, not at every step. keys, values: one
    (n, H, L, d / H) a layer; step_keys, step_values: the same for steps, (n, H, room, d / H); bias
    (n, 1, 1, L): 0 at a token, minus infinity at padding; lengths (n,): tokens of each text; used:
    steps taken; pooled (n, d).
    """

    def __init__(self, pairs: List[Pair], mask: Tensor, pooled: Tensor, room: int) -> None:
        self.used, self.room, self.pooled, self.lengths = 0, room, pooled, mask.sum(1)
        self.bias = bias_of(mask[:, None, None, :])
        self.keys, self.values = [k for k, _ in pairs], [v for _, v in pairs]
        self.step_keys: List[Tensor] = []
        self.step_values: List[Tensor] = []

    def __len__(self) -> int:
        return len(self.lengths)

    def select(self, index: Tensor) -> "PrefixState":
        """The rows ``index`` (m,), copied; padding that no row needs any more is left out."""
        new = object.__new__(PrefixState)
        new.used, new.room = self.used, self.room
        new.pooled, new.lengths = self.pooled[index], self.lengths[index]
        most = int(new.lengths.max()) if len(index) else 0
        new.bias = self.bias[index, ..., :most]
        new.keys, new.values = ([part[:, :, :most][index] for part in parts]
                                for parts in (self.keys, self.values))
        new.step_keys, new.step_values = ([_room(part[:, :, :self.used][index], self.room)
                                           for part in parts]
                                          for parts in (self.step_keys, self.step_values))
        return new

    def add(self, layer: int, k: Tensor, v: Tensor) -> Pair:
        """Keep a step's key and value (n, H, 1, d / H); those of all steps so far."""
        if layer == len(self.step_keys):
            self.step_keys.append(_room(k[:, :, :0].float(), self.room))
            self.step_values.append(_room(v[:, :, :0].float(), self.room))
        keys, values = self.step_keys[layer], self.step_values[layer]
        keys[:, :, self.used], values[:, :, self.used] = k[:, :, 0], v[:, :, 0]
        return keys[:, :, :self.used + 1], values[:, :, :self.used + 1]

    def forget(self) -> None:
        """Let go of the steps, and of the room for them."""
        self.used, self.room, self.step_keys, self.step_values = 0, 0, [], []


def _room(x: Tensor, room: int) -> Tensor:
    """(n, H, t, ...) -> (n, H, room, ...), what is new not set."""
    made = x.new_empty(*x.shape[:2], room, x.shape[3])
    made[:, :, :x.shape[2]] = x
    return made


def bias_of(mask: Tensor) -> Tensor:
    """What is added to scores: 0 where ``mask`` holds, minus infinity elsewhere."""
    return torch.zeros(mask.shape).masked_fill_(~mask, float("-inf"))


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


def attend(q: Tensor, text: Pair, text_bias: Tensor, steps: Pair, bias: Optional[Tensor] = None
           ) -> Tensor:
    """Attention of steps (n, H, t, d / H) to their text and to steps, in float32.

    text_bias: of the text's tokens. bias (t, steps): of the steps; None: all are seen. By plain
    products: for one query, or a dozen with gradient, the fused kernel takes two to ten times as
    long on a CPU. Text and steps are kept apart, since only steps have a gradient.
    """
    scaled = q.float() * q.shape[-1] ** -0.5
    to_text = scaled @ text[0].transpose(-1, -2) + text_bias
    to_steps = scaled @ steps[0].transpose(-1, -2)
    if bias is not None:
        to_steps = to_steps + bias
    share = torch.cat([to_text, to_steps], -1).softmax(-1)
    length = to_text.shape[-1]
    return (share[..., :length] @ text[1] + share[..., length:] @ steps[1]).to(q.dtype)


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
        """(n, t) ids and bool mask -> the texts' state. Texts of like length go together."""
        (n, t), h, heads = mask.shape, self.size.hidden_size, self.size.num_attention_heads
        kept = [torch.zeros(n, heads, t, h // heads) for _ in range(2 * len(self.layers))]
        pooled = torch.zeros(n, h)
        for some in mask.sum(1).argsort(stable=True).split(TOGETHER):
            most = int(mask[some].sum(1).max())
            parts, pooled[some] = self._read(ids[some, :most], mask[some, :most])
            for whole, part in zip(kept, parts):
                whole[some, :, :most] = part.float()
        return PrefixState(list(zip(kept[0::2], kept[1::2])), mask, pooled, room)

    def _read(self, ids: Tensor, mask: Tensor) -> Tuple[List[Tensor], Tensor]:
        """Keys and values of every layer in turn, (n, H, t, d / H) each, and pooled (n, d)."""
        rows, parts = Rows(mask), []
        x = rows.gather(self.embeddings(ids).flatten(0, 1))
        for layer in self.layers:
            q, k, v = layer.split(x, rows)
            parts += [k, v]
            mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=mask[:, None, None, :])
            x = layer.finish(x, mixed, rows)
        return parts, mean_pool(rows.spread(x.float()).view(*mask.shape, -1), mask)

    def _enter(self, x: Tensor, positions: Tensor) -> Tensor:
        """Vectors in place of words, at their positions."""
        e = self.embeddings
        positions = positions.clamp(max=self.size.max_position_embeddings - 1)
        return e.LayerNorm(x.to(self.dtype) + e.position_embeddings(positions)
                           + e.token_type_embeddings.weight[0])

    def step(self, state: PrefixState, x: Tensor) -> Tensor:
        """(n, d) -> (n, d); keys and values go into ``state``."""
        rows = Rows(torch.ones(len(x), 1, dtype=torch.bool))
        x = self._enter(x, state.lengths + state.used)
        for number, layer in enumerate(self.layers):
            q, k, v = layer.split(x, rows)
            mixed = attend(q, (state.keys[number], state.values[number]), state.bias,
                           state.add(number, k, v))
            x = layer.finish(x, mixed, rows)
        state.used += 1
        return x.float()

    def sequence(self, state: PrefixState, x: Tensor, real: Tensor) -> Tensor:
        """(m, d) tokens at the m places of ``real`` (n, t) -> (m, d), with gradient."""
        rows, order = Rows(real), torch.arange(real.shape[1])
        x = self._enter(x, rows.gather((state.lengths[:, None] + order).flatten()))
        bias = bias_of(order <= order[:, None])
        for layer, keys, values in zip(self.layers, state.keys, state.values):
            q, k, v = layer.split(x, rows)
            mixed = attend(q, (keys, values), state.bias, (k.float(), v.float()), bias)
            x = layer.finish(x, mixed, rows)
        return x.float()
