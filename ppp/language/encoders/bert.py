"""The BERT encoder in plain torch (Devlin et al., arXiv 1810.04805), without pooler and heads.

Parameters carry the names of the published checkpoints, so that a safetensors file loads as is.
"""
from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F


@dataclass(frozen=True)
class BertSize:
    """Sizes of one BERT encoder; the defaults are all-MiniLM-L6-v2's."""

    vocab_size: int = 30522
    hidden_size: int = 384
    num_hidden_layers: int = 6
    num_attention_heads: int = 12
    intermediate_size: int = 1536
    max_position_embeddings: int = 512
    type_vocab_size: int = 2
    layer_norm_eps: float = 1e-12


class Embeddings(nn.Module):
    """Word + position + segment (always 0), normalised."""

    def __init__(self, size: BertSize) -> None:
        super().__init__()
        self.word_embeddings = nn.Embedding(size.vocab_size, size.hidden_size)
        self.position_embeddings = nn.Embedding(size.max_position_embeddings, size.hidden_size)
        self.token_type_embeddings = nn.Embedding(size.type_vocab_size, size.hidden_size)
        self.LayerNorm = nn.LayerNorm(size.hidden_size, eps=size.layer_norm_eps)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """(n, t) ids -> (n, t, h)."""
        position = self.position_embeddings.weight[: ids.shape[1]]
        return self.LayerNorm(self.word_embeddings(ids) + position
                              + self.token_type_embeddings.weight[0])


class _Projection(nn.Module):
    """Linear map, residual, normalisation: the tail of both halves of a layer."""

    def __init__(self, inputs: int, size: BertSize) -> None:
        super().__init__()
        self.dense = nn.Linear(inputs, size.hidden_size)
        self.LayerNorm = nn.LayerNorm(size.hidden_size, eps=size.layer_norm_eps)

    def forward(self, x: torch.Tensor, residual: torch.Tensor) -> torch.Tensor:
        return self.LayerNorm(self.dense(x) + residual)


class _SelfAttention(nn.Module):
    """Multi-head attention; padded keys are masked out."""

    def __init__(self, size: BertSize) -> None:
        super().__init__()
        self.heads = size.num_attention_heads
        self.query = nn.Linear(size.hidden_size, size.hidden_size)
        self.key = nn.Linear(size.hidden_size, size.hidden_size)
        self.value = nn.Linear(size.hidden_size, size.hidden_size)

    def forward(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        n, t, h = x.shape
        q, k, v = (part(x).view(n, t, self.heads, h // self.heads).transpose(1, 2)
                   for part in (self.query, self.key, self.value))
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=mask[:, None, None, :])
        return mixed.transpose(1, 2).reshape(n, t, h)


class _Layer(nn.Module):
    """One transformer layer, normalised after each residual; sub-names follow the checkpoint."""

    def __init__(self, size: BertSize) -> None:
        super().__init__()
        self.attention = nn.ModuleDict({
            "self": _SelfAttention(size), "output": _Projection(size.hidden_size, size)})
        self.intermediate = nn.ModuleDict({
            "dense": nn.Linear(size.hidden_size, size.intermediate_size)})
        self.output = _Projection(size.intermediate_size, size)

    def forward(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        x = self.attention["output"](self.attention["self"](x, mask), x)
        return self.output(F.gelu(self.intermediate["dense"](x)), x)


class Bert(nn.Module):
    """Token ids to hidden states."""

    def __init__(self, size: BertSize) -> None:
        super().__init__()
        self.size = size
        self.embeddings = Embeddings(size)
        layers = [_Layer(size) for _ in range(size.num_hidden_layers)]
        self.encoder = nn.ModuleDict({"layer": nn.ModuleList(layers)})

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """(n, t) int64 ids and (n, t) bool mask -> (n, t, h) hidden states of the last layer."""
        x = self.embeddings(ids)
        for layer in self.encoder["layer"]:
            x = layer(x, mask)
        return x


def mean_pool(hidden: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """(n, t, h) states, (n, t) mask -> (n, h): mean over the real tokens, scaled to length 1."""
    weight = mask.unsqueeze(-1).to(hidden.dtype)
    mean = (hidden * weight).sum(1) / weight.sum(1).clamp(min=1e-9)
    return F.normalize(mean, dim=-1)
