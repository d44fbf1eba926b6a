"""Small stand-ins: an encoder with chosen vectors, and a BERT of a few hundred parameters."""
from __future__ import annotations

from typing import Dict, List, Sequence

import pytest
import torch
from torch.nn import functional as F

from ppp.language.codebook import Codebook
from ppp.language.encoders.bert import Bert, BertSize
from ppp.language.encoders.minilm import MiniLM, WeightsNotFound, find_weights
from ppp.language.encoders.wordpiece import SPECIAL, WordPiece
from ppp.language.matcher import Matcher
from ppp.language.model import TextModel


def have_weights() -> bool:
    """Are the published MiniLM weights installed?"""
    try:
        find_weights()
    except WeightsNotFound:
        return False
    return True


needs_weights = pytest.mark.skipif(not have_weights(), reason="MiniLM weights are not installed")


class TableEncoder:
    """Looks vectors up by text; anything else is along the last axis."""

    name, weights_hash = "table", "0" * 64

    def __init__(self, table: Dict[str, Sequence[float]], dim: int) -> None:
        self.table, self.dim = table, dim

    def encode(self, texts: List[str]) -> torch.Tensor:
        default = [0.0] * (self.dim - 1) + [1.0]
        rows = [list(self.table.get(text, default)) for text in texts]
        values = torch.tensor(rows, dtype=torch.float32).reshape(len(texts), self.dim)
        return F.normalize(values, dim=-1)


@pytest.fixture
def table_matcher():
    """Factory of a Matcher over idle, walk and slash on three axes of a 4-d space."""
    def make(table=None, threshold=0.9, skills=None, rest="idle") -> Matcher:
        axes = {"stand idle": (1, 0, 0, 0), "walk": (0, 1, 0, 0), "slash": (0, 0, 1, 0)}
        encoder = TableEncoder({**axes, **(table or {})}, 4)
        labels = {"idle": "stand idle", "walk": "walk", "slash": "slash"}
        model = TextModel(encoder, Codebook.build(encoder, labels), "none", threshold, rest)
        return Matcher(model, skills)
    return make


WORDS = "stand idle walk go march slash cut hit swing rest wait sing cook read".split()


@pytest.fixture
def tiny():
    """Factory of a seeded one-layer MiniLM whose vocabulary is WORDS."""
    def make(seed: int = 0) -> MiniLM:
        torch.manual_seed(seed)
        pieces = [*SPECIAL, *WORDS]
        size = BertSize(vocab_size=len(pieces), hidden_size=16, num_hidden_layers=1,
                        num_attention_heads=2, intermediate_size=32, max_position_embeddings=16)
        tokenizer = WordPiece({piece: number for number, piece in enumerate(pieces)}, 16)
        return MiniLM(Bert(size), tokenizer, "tiny")
    return make
