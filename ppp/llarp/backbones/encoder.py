"""Backbones of BERT's kind: MiniLM, the same without pretraining, and a tiny one for tests."""
from __future__ import annotations

import zlib
from typing import List, Optional, Sequence, Tuple, Union

import torch
from torch import Tensor

from ppp.errors import PPPError
from ppp.language.encoders.base import file_sha256, framed, padded
from ppp.language.encoders.bert import BertSize
from ppp.language.encoders.minilm import (
    WEIGHTS_SHA256,
    find_weights,
    read_parameters,
    read_size,
)
from ppp.language.encoders.scratch import SPREAD
from ppp.language.encoders.wordpiece import WordPiece, basic_words
from ppp.llarp.backbones.base import freeze
from ppp.llarp.backbones.prefix import PrefixBert, PrefixState

#: tokens of an instruction; longer ones are cut
MAX_TOKENS = 64
PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}
TINY = BertSize(vocab_size=512, hidden_size=64, num_hidden_layers=2, num_attention_heads=4,
                intermediate_size=128, max_position_embeddings=128)


class HashedWords:
    """A tokenizer that needs no file: a word's id is a hash of its letters."""

    def __init__(self, size: int, max_tokens: int = MAX_TOKENS) -> None:
        self.size, self.max_tokens = size, max_tokens

    def batch(self, texts: Sequence[str]) -> Tuple[Tensor, Tensor]:
        """(n, t) ids, 0 where padded, 1 and 2 at start and end; the (n, t) mask."""
        return padded([framed(([3 + zlib.crc32(word.encode()) % (self.size - 3)]
                               for word in basic_words(text)), 1, 2, self.max_tokens)
                       for text in texts], 0)


class EncoderBackbone:
    """A PrefixBert with its tokenizer; see :class:`ppp.llarp.backbones.base.Backbone`."""

    def __init__(self, name: str, module: PrefixBert, tokenizer: Union[WordPiece, HashedWords],
                 trained: bool, precision: str = "float32") -> None:
        self.name, self.trained, self.tokenizer = name, trained, tokenizer
        self.module = module.to(PRECISIONS["float32" if trained else precision])
        if not trained:
            freeze(self.module)
        self.d_model = module.size.hidden_size
        self.spread = float(module.embeddings.word_embeddings.weight.detach().float().std())

    def embed(self, texts: List[str]) -> Tuple[Tensor, Tensor]:
        """(n, t, d) word vectors with position, normalised; (n, t) mask."""
        ids, mask = self.tokenizer.batch(texts)
        return self.module.embeddings(ids), mask

    def prefill(self, texts: List[str], room: int = 0) -> PrefixState:
        """The texts' state; with gradient where the backbone is trained."""
        ids, mask = self.tokenizer.batch(texts)
        with torch.set_grad_enabled(self.trained and torch.is_grad_enabled()):
            return self.module.prefill(ids, mask, room)

    @torch.no_grad()
    def step(self, state: PrefixState, x: Tensor) -> Tensor:
        """(n, d) -> (n, d) float32."""
        return self.module.step(state, x)

    def sequence(self, state: PrefixState, x: Tensor, real: Tensor) -> Tensor:
        """(m, d) at the places of ``real`` (n, t) -> (m, d) float32."""
        return self.module.sequence(state, x, real)


def load_minilm(folder: Optional[str] = None, precision: str = "bfloat16") -> EncoderBackbone:
    """all-MiniLM-L6-v2, its file's hash checked. Raises WeightsNotFound, PPPError."""
    place = find_weights(folder)
    weights = place / "model.safetensors"
    found = file_sha256(weights)
    if found != WEIGHTS_SHA256:
        raise PPPError(f"{weights}: sha256 {found[:12]}.. is not the expected "
                       f"{WEIGHTS_SHA256[:12]}.., fetch all-MiniLM-L6-v2 again")
    module = PrefixBert(read_size(place / "config.json"))
    module.load_published(read_parameters(weights))
    return EncoderBackbone("minilm", module, _words(place), False, precision)


def load_scratch(folder: Optional[str] = None, trained: bool = True, seed: int = 0,
                 precision: str = "bfloat16") -> EncoderBackbone:
    """MiniLM's sizes and vocabulary with BERT's initial weights, drawn from ``seed``."""
    place = find_weights(folder)
    module = random_weights(PrefixBert(read_size(place / "config.json")), seed)
    return EncoderBackbone("scratch" if trained else "scratch-frozen", module, _words(place),
                           trained, precision)


def load_tiny(seed: int = 0, trained: bool = False) -> EncoderBackbone:
    """Two random layers of 64 units and hashed words: for tests, nothing is needed."""
    return EncoderBackbone("tiny", random_weights(PrefixBert(TINY), seed),
                           HashedWords(TINY.vocab_size), trained)


def _words(place) -> WordPiece:
    return WordPiece.from_file(place / "vocab.txt", MAX_TOKENS)


def random_weights(module: PrefixBert, seed: int) -> PrefixBert:
    """BERT's initial weights: normal with deviation SPREAD, no biases, norms 1 and 0."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            if "norm" in name.lower():
                parameter.fill_(1.0 if name.endswith("weight") else 0.0)
            elif name.endswith("bias"):
                parameter.zero_()
            else:
                parameter.normal_(0.0, SPREAD, generator=generator)
    return module
