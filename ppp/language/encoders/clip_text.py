"""The text tower of CLIP in plain torch (Radford et al., arXiv 2103.00020, section 2.4).

A causal transformer over byte pairs, normalised before each half of a layer; the state at the end
mark is the text's embedding. Parameters carry the names of OpenAI's and open_clip's checkpoints.
"""
from __future__ import annotations

from dataclasses import dataclass
from typing import Dict

import torch
from torch import nn
from torch.nn import functional as F

from ppp.errors import unknown

#: width of one attention head in every published text tower
HEAD = 64
QUICK = "-quickgelu"


@dataclass(frozen=True)
class ClipSize:
    """Sizes of one text tower; the defaults are ViT-B-32's."""

    embed_dim: int = 512
    width: int = 512
    layers: int = 12
    context: int = 77
    vocabulary: int = 49408
    #: OpenAI's activation x * sigmoid(1.702 x) instead of the Gaussian one
    quick_gelu: bool = False
    #: without it (transformers' CLIPTextModel) the pooled state itself is the embedding
    projected: bool = True

    @property
    def dim(self) -> int:
        """Length of an embedding."""
        return self.embed_dim if self.projected else self.width


#: published architectures (Radford et al., table 20; open_clip's model configurations):
#: embedding, width, layers of the text tower
ARCHITECTURES: Dict[str, ClipSize] = {
    name: ClipSize(*sizes) for name, sizes in {
        "ViT-B-32": (512, 512, 12), "ViT-B-16": (512, 512, 12), "ViT-L-14": (768, 768, 12),
        "ViT-L-14-336": (768, 768, 12), "ViT-H-14": (1024, 1024, 24),
        "ViT-g-14": (1024, 1024, 24), "ViT-bigG-14": (1280, 1280, 32),
        "RN50": (1024, 512, 12), "RN101": (512, 512, 12), "RN50x4": (640, 640, 12),
        "RN50x16": (768, 768, 12), "RN50x64": (1024, 1024, 12)}.items()}


def architecture(name: str) -> ClipSize:
    """Sizes of ``ViT-B-32``, ``ViT-B-32-quickgelu``, ...; PPPError with the nearest name."""
    base = name.replace("/", "-")
    quick = base.endswith(QUICK)
    base = base[:-len(QUICK)] if quick else base
    if base not in ARCHITECTURES:
        raise unknown("CLIP architecture", name, ARCHITECTURES)
    size = ARCHITECTURES[base]
    return ClipSize(size.embed_dim, size.width, size.layers, quick_gelu=quick)


class _Attention(nn.Module):
    """Causal multi-head attention; one matrix holds queries, keys and values."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.heads = max(1, width // HEAD)
        self.in_proj_weight = nn.Parameter(torch.empty(3 * width, width))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * width))
        self.out_proj = nn.Linear(width, width)
        nn.init.normal_(self.in_proj_weight, std=width ** -0.5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, t, w) -> (n, t, w); a token sees itself and those before it."""
        n, t, w = x.shape
        parts = F.linear(x, self.in_proj_weight, self.in_proj_bias).chunk(3, dim=-1)
        q, k, v = (part.view(n, t, self.heads, w // self.heads).transpose(1, 2) for part in parts)
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.out_proj(mixed.transpose(1, 2).reshape(n, t, w))


class _Layer(nn.Module):
    """One transformer layer, normalised before each residual."""

    def __init__(self, size: ClipSize) -> None:
        super().__init__()
        self.quick = size.quick_gelu
        self.ln_1 = nn.LayerNorm(size.width)
        self.attn = _Attention(size.width)
        self.ln_2 = nn.LayerNorm(size.width)
        self.mlp = nn.ModuleDict({"c_fc": nn.Linear(size.width, 4 * size.width),
                                  "c_proj": nn.Linear(4 * size.width, size.width)})

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x + self.attn(self.ln_1(x))
        wide = self.mlp["c_fc"](self.ln_2(x))
        wide = wide * torch.sigmoid(1.702 * wide) if self.quick else F.gelu(wide)
        return x + self.mlp["c_proj"](wide)


class ClipText(nn.Module):
    """Token ids to embeddings that are not yet scaled to length 1."""

    def __init__(self, size: ClipSize) -> None:
        super().__init__()
        self.size = size
        self.token_embedding = nn.Embedding(size.vocabulary, size.width)
        self.positional_embedding = nn.Parameter(torch.empty(size.context, size.width))
        layers = [_Layer(size) for _ in range(size.layers)]
        self.transformer = nn.ModuleDict({"resblocks": nn.ModuleList(layers)})
        self.ln_final = nn.LayerNorm(size.width)
        if size.projected:
            self.text_projection = nn.Parameter(torch.empty(size.width, size.embed_dim))
            nn.init.normal_(self.text_projection, std=size.width ** -0.5)
        nn.init.normal_(self.token_embedding.weight, std=0.02)
        nn.init.normal_(self.positional_embedding, std=0.01)

    def hidden(self, ids: torch.Tensor) -> torch.Tensor:
        """(n, t) int64 ids, t at most ``context`` -> (n, t, w) normalised states of the last layer.
        """
        x = self.token_embedding(ids) + self.positional_embedding[:ids.shape[1]]
        for layer in self.transformer["resblocks"]:
            x = layer(x)
        return self.ln_final(x)

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """(n, t) ids and (n, t) mask of real tokens -> (n, d): the state at the last real token.

        Padding behind the end mark changes nothing: no token looks ahead.
        """
        x = self.hidden(ids)
        pooled = x[torch.arange(len(ids)), mask.sum(1) - 1]
        return pooled @ self.text_projection if self.size.projected else pooled
