"""What every text encoder offers, and how its weights are checked."""
from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Callable, Dict, Iterable, List, Protocol, Sequence, Tuple

import torch

from ppp.errors import PPPError


class WeightsNotFound(PPPError):
    """The encoder's weights are not on this machine; the message names the two ways to get them."""


class TextEncoder(Protocol):
    """Maps texts to unit vectors. Anything with these four members is an encoder."""

    #: short name, as in ``--encoder``
    name: str
    #: d, length of one embedding
    dim: int
    #: sha256 (hex) of what decides the output: the weights, or the fitted vocabulary
    weights_hash: str

    def encode(self, texts: List[str]) -> torch.Tensor:
        """(n, d) float32 on the CPU, every row of length 1."""
        ...


class Featured(TextEncoder, Protocol):
    """An encoder that also tells which words a text has: what an adapter needs."""

    def bags(self, texts: List[str]) -> torch.Tensor:
        """(n, d) float32 unit rows that depend on the words, hardly on their order."""
        ...


class Trainable(Featured, Protocol):
    """An encoder that gradient fine-tuning can change."""

    model: torch.nn.Module
    #: parameters whose names contain one of these stay as they are
    frozen: Tuple[str, ...]
    #: does a saved text part carry the whole encoder, so that it loads without the weights file?
    carried: bool

    def embed(self, texts: List[str]) -> torch.Tensor:
        """(n, d) unit rows of one batch, with gradient."""
        ...


def trainable(encoder: Trainable) -> Dict[str, torch.nn.Parameter]:
    """The parameters that fine-tuning changes.

    Freezing pretrained word embeddings halves the file and costs no accuracy.
    """
    return {name: parameter for name, parameter in encoder.model.named_parameters()
            if not any(part in name for part in encoder.frozen)}


#: texts of one encode() call that share a forward pass
BATCH = 64


@torch.no_grad()
def in_batches(texts: List[str], dim: int, embed: Callable[[List[str]], torch.Tensor],
               ) -> torch.Tensor:
    """(n, dim) rows of ``embed`` applied in batches of similar length: little padding."""
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    out = torch.zeros(len(texts), dim)
    for start in range(0, len(order), BATCH):
        part = order[start:start + BATCH]
        out[part] = embed([texts[i] for i in part])
    return out


class Remembering:
    """A frozen encoder that embeds every text once, however often it is asked."""

    def __init__(self, base: Featured) -> None:
        self.base = base
        self.name, self.dim, self.weights_hash = base.name, base.dim, base.weights_hash
        self.vectors: Dict[str, torch.Tensor] = {}
        self.words: Dict[str, torch.Tensor] = {}

    def encode(self, texts: List[str]) -> torch.Tensor:
        """(n, d) unit rows of the base encoder."""
        return self._recall(texts, self.vectors, self.base.encode)

    def bags(self, texts: List[str]) -> torch.Tensor:
        """(n, d) word rows of the base encoder."""
        return self._recall(texts, self.words, self.base.bags)

    def _recall(self, texts: List[str], memory: Dict[str, torch.Tensor],
                embed: Callable[[List[str]], torch.Tensor]) -> torch.Tensor:
        new = [text for text in dict.fromkeys(texts) if text not in memory]
        memory.update(zip(new, embed(new)))
        rows = [memory[text] for text in texts]
        return torch.stack(rows) if rows else torch.zeros(0, self.dim)


def framed(pieces: Iterable[List[int]], start: int, end: int, most: int) -> List[int]:
    """Token ids of a text's words between the start and the end mark, cut to ``most`` in all."""
    inner: List[int] = []
    for word in pieces:
        inner += word
        if len(inner) >= most - 2:
            break
    return [start, *inner[:most - 2], end]


def padded(rows: Sequence[List[int]], pad: int) -> Tuple[torch.Tensor, torch.Tensor]:
    """(n, t) int64 ids filled up with ``pad`` to the longest row, and the (n, t) bool mask of
    tokens."""
    ids = torch.full((len(rows), max(len(row) for row in rows)), pad, dtype=torch.long)
    mask = torch.zeros_like(ids, dtype=torch.bool)
    for number, row in enumerate(rows):
        ids[number, :len(row)] = torch.tensor(row)
        mask[number, :len(row)] = True
    return ids, mask


def file_sha256(path: Path) -> str:
    """sha256 of a file as 64 hex digits, read in blocks of 1 MiB."""
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        for block in iter(lambda: stream.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()
