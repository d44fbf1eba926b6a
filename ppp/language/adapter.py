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
#: squared weights of the three parts of a feature: the sentence, the sentence in CARRIER, and the
#: bag of word vectors, which keeps single words audible. These and the numbers above were chosen
#: by leave-words-out splits of the training phrases.
PARTS = (0.5, 0.5, 0.36)
#: told that a body acts, the encoder reads "bolt" and "duck" as movements
CARRIER = "a person does: {}"
#: length of a stored feature: the principal axes of the training features
KEPT = 384


@dataclass(frozen=True)
class Adapter:
    """The fitted map. M = anchors, f = feature length, p = axes kept, d = embedding, K = skills."""

    anchors: torch.Tensor  # (M, p) features of the training phrases on the axes
    weights: torch.Tensor  # (M, K) what each anchor says about each skill
    centre: torch.Tensor  # (3, d) mean of each part, taken off before comparing
    axes: torch.Tensor  # (f, p) principal axes of the features
    nowhere: torch.Tensor  # (d,) unit direction that no code uses

    def tensors(self) -> Dict[str, torch.Tensor]:
        """What is stored: anchors and axes, nearly all of it, in half precision."""
        return {"anchors": self.anchors.half(), "weights": self.weights, "centre": self.centre,
                "axes": self.axes.half(), "nowhere": self.nowhere}


def kernel(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """(n, f), (m, f) -> (n, m) Gaussian similarities in 0 to 1."""
    squared = a.square().sum(-1)[:, None] + b.square().sum(-1) - 2.0 * a @ b.T
    return torch.exp(-GAMMA * squared.clamp(min=0.0))


def parts(encoder: Featured, texts: List[str]) -> torch.Tensor:
    """(3, n, d) unit rows: sentences, sentences in CARRIER, bags of words."""
    carried = [CARRIER.format(text) for text in texts]
    both = encoder.encode(texts + carried)
    return torch.stack([both[:len(texts)], both[len(texts):], encoder.bags(texts)])


def features(found: torch.Tensor, centre: torch.Tensor) -> torch.Tensor:
    """(3, n, d) parts -> (n, 3 d): centred, back to length 1, weighed by PARTS."""
    rows = F.normalize(found - centre[:, None], dim=-1)
    return torch.cat([weight ** 0.5 * part for weight, part in zip(PARTS, rows)], dim=-1)


def principal_axes(rows: torch.Tensor) -> torch.Tensor:
    """(n, f) -> (f, p): orthonormal axes along which the rows vary most, p at most KEPT."""
    values = rows.double()
    axes = torch.linalg.eigh(values.T @ values)[1].flip(-1)
    return axes[:, :KEPT].float().contiguous()


def solve(similarity: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """(M, M) kernel and (M, K) targets -> (M, K) ridge solution, in double precision."""
    ridge = RIDGE * torch.eye(len(similarity), dtype=torch.float64)
    lower = torch.linalg.cholesky(similarity.double() + ridge)
    return torch.cholesky_solve(targets.double(), lower).float()


def unused_direction(codes: torch.Tensor) -> torch.Tensor:
    """(K, d) -> (d,) unit vector as orthogonal to the codes as the space allows."""
    return torch.linalg.svd(codes, full_matrices=True)[2][-1].contiguous()


def fit_adapter(encoder: Featured, book: Codebook, pairs: Sequence[Tuple[str, str]],
                oos: Sequence[str] = ()) -> Adapter:
    """Fit on (text, skill) pairs, the labels, and ``oos`` texts that belong to no skill."""
    if not hasattr(encoder, "bags"):
        raise PPPError(f"--method adapter: encoder {encoder.name} has no word vectors, use minilm")
    texts = [text for text, _ in pairs] + list(book.labels) + list(oos)
    found = parts(encoder, texts)
    centre = found.mean(1)
    rows = features(found, centre)
    # Rounded to what is stored before solving, so that saving loses nothing.
    axes = principal_axes(rows).half().float()
    anchors = (rows @ axes).half().float()
    targets = torch.zeros(len(texts), len(book.skills))
    for row, skill in enumerate([name for _, name in pairs] + list(book.skills)):
        targets[row, book.index(skill)] = 1.0
    weights = solve(kernel(anchors, anchors), targets)
    return Adapter(anchors, weights, centre, axes, unused_direction(book.codes))


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
        found = features(parts(self.base, texts), self.adapter.centre) @ self.adapter.axes
        weights = kernel(found, self.adapter.anchors) @ self.adapter.weights
        return place(weights, self.codes, self.adapter.nowhere)
