"""The control without pretraining: MiniLM's architecture and vocabulary with random weights.

It is trained with the same loss towards the same codes (those of the pretrained encoder), so that
what it lacks is what pretraining gives. Never offered in place of missing weights.
"""
from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Optional

import torch
from safetensors.torch import save

from ppp.errors import PPPError
from ppp.language.encoders.bert import Bert
from ppp.language.encoders.clip_weights import read_file
from ppp.language.encoders.minilm import MiniLM, find_weights, read_size
from ppp.language.encoders.wordpiece import WordPiece

CARRIED = "encoder.safetensors"
#: standard deviation of BERT's initial weights (Devlin et al., arXiv 1810.04805, their code)
SPREAD = 0.02


class Scratch(MiniLM):
    """A MiniLM that has never read anything."""

    name = "scratch"
    #: nothing to keep: its word vectors are random too
    frozen = ()
    carried = True
    #: encoder whose label codes it is trained towards
    reference: Optional[MiniLM] = None

    @classmethod
    def make(cls, seed: int, weights: Optional[str] = None) -> "Scratch":
        """Random weights from ``seed``; sizes, vocabulary and reference codes are the published
        encoder's, so that its files are needed."""
        place = find_weights(weights)
        model = random_bert(Bert(read_size(place / "config.json")), seed)
        identity = hashlib.sha256(f"scratch {seed}".encode()).hexdigest()
        made = cls(model, WordPiece.from_file(place / "vocab.txt"), identity)
        made.reference = MiniLM.load(weights)
        return made

    def save_whole(self, folder: Path) -> None:
        """Write all weights in half precision."""
        tensors = {name: value.half().contiguous()
                   for name, value in self.model.state_dict().items()}
        (folder / CARRIED).write_bytes(save(tensors))

    @classmethod
    def load_whole(cls, folder: Path, weights_hash: str, weights: Optional[str] = None,
                   ) -> "Scratch":
        """What ``save_whole`` wrote; the vocabulary is the published encoder's."""
        place = find_weights(weights)
        model = Bert(read_size(place / "config.json"))
        tensors = {name: value.float() for name, value in read_file(folder / CARRIED).items()}
        try:
            model.load_state_dict(tensors)
        except RuntimeError as error:
            raise PPPError(f"{folder / CARRIED}: its tensors do not fit, train the text part again "
                           "with ppp finetune-clip") from error
        return cls(model, WordPiece.from_file(place / "vocab.txt"), weights_hash)


def random_bert(model: Bert, seed: int) -> Bert:
    """``model`` with BERT's initialisation: normal weights of SPREAD, no biases."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "LayerNorm" in name:
                parameter.fill_(1.0 if name.endswith("weight") else 0.0)
            elif name.endswith("bias"):
                parameter.zero_()
            else:
                parameter.normal_(0.0, SPREAD, generator=generator)
    return model
