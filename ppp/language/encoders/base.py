"""What every text encoder offers, and how its weights are checked."""
from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Callable, Dict, List, Protocol

import torch


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


def file_sha256(path: Path) -> str:
    """sha256 of a file as 64 hex digits, read in blocks of 1 MiB."""
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        for block in iter(lambda: stream.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()
