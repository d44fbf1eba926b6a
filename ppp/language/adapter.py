"""The adapter: closed-form kernel ridge regression from frozen sentence features to the codebook.

Every training phrase is an anchor. A new text is pulled to the codes of the anchors it resembles;
one that resembles none, or resembles the out-of-set anchors, is sent to a direction of the space
that no skill uses, so that its distance to every code is large and it is refused.
"""
from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, List, Sequence, Tuple

import torch
from torch.nn import functional as F

from ppp.errors import PPPError
from ppp.language.codebook import Codebook
from ppp.language.encoders.base import Featured

#: width of the Gaussian kernel, exp(-GAMMA * squared distance)
GAMMA = 0.7
#: ridge on the kernel matrix
RIDGE = 0.1
#: weight of the bag of word vectors beside the sentence vector: it keeps single words audible.
#: All three were chosen by leave-words-out splits of the training phrases.
WORD_WEIGHT = 0.6


@dataclass(frozen=True)
class Adapter:
    """The fitted map. M = anchors, f = feature length, d = embedding length, K = skills."""

    anchors: torch.Tensor  # (M, f) features of the training phrases
    weights: torch.Tensor  # (M, K) what each anchor says about each skill
    word_mean: torch.Tensor  # (d,) mean bag of words, taken off before comparing
    nowhere: torch.Tensor  # (d,) unit direction that no code uses

    def tensors(self) -> Dict[str, torch.Tensor]:
        """What is stored: the anchors, nearly all of it, in half precision."""
        return {"anchors": self.anchors.half(), "weights": self.weights,
                "word_mean": self.word_mean, "nowhere": self.nowhere}


def kernel(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """(n, f), (m, f) -> (n, m) Gaussian similarities in 0 to 1."""
    return torch.exp(-GAMMA * torch.cdist(a, b).square())


def features(encoder: Featured, texts: List[str], word_mean: torch.Tensor) -> torch.Tensor:
    """(n, 2 d): sentence vectors, and centred bags of word vectors scaled to WORD_WEIGHT."""
    words = F.normalize(encoder.bags(texts) - word_mean, dim=-1)
    return torch.cat([encoder.encode(texts), WORD_WEIGHT * words], dim=-1)


def solve(similarity: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """(M, M) kernel and (M, K) targets -> (M, K) ridge solution, in double precision."""
    ridge = RIDGE * torch.eye(len(similarity), dtype=torch.float64)
    return torch.linalg.solve(similarity.double() + ridge, targets.double()).float()


def unused_direction(codes: torch.Tensor) -> torch.Tensor:
    """(K, d) -> (d,) unit vector as orthogonal to the codes as the space allows."""
    return torch.linalg.svd(codes, full_matrices=True)[2][-1].contiguous()


def fit_adapter(encoder: Featured, book: Codebook, pairs: Sequence[Tuple[str, str]],
                oos: Sequence[str] = ()) -> Adapter:
    """Fit on (text, skill) pairs, the labels, and ``oos`` texts that belong to no skill."""
    if not hasattr(encoder, "bags"):
        raise PPPError(f"--method adapter: encoder {encoder.name} has no word vectors, use minilm")
    texts = [text for text, _ in pairs] + list(book.labels) + list(oos)
    word_mean = encoder.bags(texts).mean(0)
    # Rounded to what is stored before solving, so that saving loses nothing.
    anchors = features(encoder, texts, word_mean).half().float()
    targets = torch.zeros(len(texts), len(book.skills))
    for row, skill in enumerate([name for _, name in pairs] + list(book.skills)):
        targets[row, book.index(skill)] = 1.0
    weights = solve(kernel(anchors, anchors), targets)
    return Adapter(anchors, weights, word_mean, unused_direction(book.codes))


def place(found: torch.Tensor, codes: torch.Tensor, nowhere: torch.Tensor) -> torch.Tensor:
    """(n, K) skill weights -> (n, d) unit rows: a mixture of codes, filled up with ``nowhere``.

    A mixture of length 1 or more stays as it is; the shorter it is, the less is known.
    """
    mixture = found @ codes
    missing = (1.0 - mixture.norm(dim=-1, keepdim=True)).clamp(min=0.0)
    return F.normalize(mixture + missing * nowhere, dim=-1)


class AdaptedEncoder:
    """A frozen encoder followed by an adapter; itself a TextEncoder."""

    def __init__(self, base: Featured, adapter: Adapter, codes: torch.Tensor) -> None:
        self.base = base
        self.adapter = adapter
        self.codes = codes
        self.name: str = base.name
        self.dim: int = base.dim
        self.weights_hash: str = base.weights_hash

    def encode(self, texts: List[str]) -> torch.Tensor:
        """(n, d) unit rows; n may be 0."""
        if not texts:
            return torch.zeros(0, self.dim)
        found = features(self.base, texts, self.adapter.word_mean)
        weights = kernel(found, self.adapter.anchors) @ self.adapter.weights
        return place(weights, self.codes, self.adapter.nowhere)
