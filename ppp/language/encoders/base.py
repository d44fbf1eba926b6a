"""What every text encoder offers, and how its weights are checked."""
from __future__ import annotations

import hashlib
from pathlib import Path
from typing import List, Protocol

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


def file_sha256(path: Path) -> str:
    """sha256 of a file as 64 hex digits, read in blocks of 1 MiB."""
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        for block in iter(lambda: stream.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()
