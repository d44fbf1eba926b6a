"""A finished text part in one folder: encoder, what changed in it, codebook, threshold, card."""
from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional

import torch
import yaml
from safetensors import SafetensorError
from safetensors.torch import load_file, save

from ppp.errors import PPPError, unknown
from ppp.language.adapter import AdaptedEncoder, Adapter
from ppp.language.codebook import Codebook
from ppp.language.encoders import Lexical, MiniLM, OpenClip, Scratch
from ppp.language.encoders.base import TextEncoder, Trainable, trainable

FORMAT = 1
CARD = "card.yaml"
CHANGED = "changed.safetensors"
VOCABULARY = "vocabulary.json"
#: largest distance between two unit vectors: a threshold that refuses nothing
NO_THRESHOLD = 2.0


@dataclass
class TextModel:
    """What a Matcher needs."""

    encoder: TextEncoder
    book: Codebook
    #: how the encoder was changed: none, adapter, finetune or centroids
    method: str = "none"
    #: a text further than this from every code is unknown
    threshold: float = NO_THRESHOLD
    #: skill meant by a command that only forbids something
    rest: Optional[str] = None
    #: skill -> what to do where a policy lacks it, best first
    stand_ins: Dict[str, List[str]] = field(default_factory=dict)
    #: figures, command and origin, for people
    card: Dict[str, Any] = field(default_factory=dict)

    def save(self, folder: str) -> int:
        """Write the folder, file by file through temporary names; returns its size in bytes."""
        target = Path(folder)
        target.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=str(target), prefix=".saving-") as temporary:
            place = Path(temporary)
            self.book.save(place)
            self._save_changed(place)
            text = yaml.safe_dump(self._card(), sort_keys=False, allow_unicode=True)
            (place / CARD).write_text(text, encoding="utf-8")
            # The card comes last: a folder without a fresh card is seen to be unfinished.
            files = sorted(place.iterdir(), key=lambda path: path.name == CARD)
            size = sum(path.stat().st_size for path in files)
            for path in files:
                os.replace(str(path), str(target / path.name))
        return size

    def _card(self) -> Dict[str, Any]:
        return {"format": FORMAT,
                "encoder": {"name": self.encoder.name, "sha256": self.encoder_hash()},
                "method": self.method, "threshold": round(float(self.threshold), 4),
                "rest": self.rest, "stand_ins": self.stand_ins,
                "codebook_sha256": self.book.sha256, **self.card}

    def encoder_hash(self) -> str:
        """sha256 of the unchanged encoder."""
        return self.encoder.weights_hash

    def _save_changed(self, place: Path) -> None:
        """What differs from the published weights, in half precision; of an encoder that no package
        provides, everything, so that the folder loads anywhere."""
        if isinstance(self.encoder, Lexical):
            self.encoder.save(place / VOCABULARY)
            return
        base = self.encoder.base if isinstance(self.encoder, AdaptedEncoder) else self.encoder
        if getattr(base, "carried", False):
            base.save_whole(place)
        tensors: Dict[str, torch.Tensor] = {}
        if isinstance(self.encoder, AdaptedEncoder):
            tensors = self.encoder.adapter.tensors()
        elif self.method == "finetune" and not self.encoder.carried:
            tensors = {name: p.detach().half() for name, p in trainable(self.encoder).items()}
        if tensors:
            data = save({name: value.contiguous() for name, value in tensors.items()})
            (place / CHANGED).write_bytes(data)


def read_card(folder: Path) -> Dict[str, Any]:
    """The card of a saved folder. Raises PPPError when there is none, or of another format."""
    path = folder / CARD
    try:
        card = yaml.safe_load(path.read_text(encoding="utf-8"))
        if card["format"] != FORMAT:
            raise PPPError(f"{path}: format {card['format']} is not {FORMAT}, train the text part "
                           "again with ppp finetune-clip")
        str(card["encoder"]["name"]), str(card["method"]), float(card["threshold"])
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError) as error:
        raise PPPError(f"{path}: not the card of a saved text part ({type(error).__name__}), give "
                       "a folder written by ppp finetune-clip") from error
    return card


def _read_changed(folder: Path) -> Dict[str, torch.Tensor]:
    """The changed tensors as float32."""
    path = folder / CHANGED
    try:
        return {name: value.float() for name, value in load_file(str(path)).items()}
    except (SafetensorError, OSError) as error:
        raise PPPError(f"{path}: not readable ({error}), train the text part again with "
                       "ppp finetune-clip") from error


def _apply_changes(encoder: Trainable, book: Codebook, method: str, folder: Path) -> TextEncoder:
    """The encoder as it was after training."""
    if method == "none" or (method == "finetune" and encoder.carried):
        return encoder
    changed = _read_changed(folder)
    try:
        if method == "adapter":
            return AdaptedEncoder(encoder, Adapter(**changed), book.codes)
        missing = encoder.model.load_state_dict(changed, strict=False)
        if missing.unexpected_keys or set(changed) != set(trainable(encoder)):
            raise TypeError("names differ")
    except (TypeError, RuntimeError) as error:
        raise PPPError(f"{folder / CHANGED}: its tensors do not fit method {method}, train the "
                       "text part again with ppp finetune-clip") from error
    return encoder


#: kind of encoder (its name up to a colon) -> loader(folder, card's encoder entry, weights)
LOADERS: Dict[str, Callable[[Path, Dict[str, Any], Optional[str]], TextEncoder]] = {
    "lexical": lambda folder, about, weights: Lexical.load(folder / VOCABULARY),
    "minilm": lambda folder, about, weights: MiniLM.load(weights),
    # The card's hash is of the tower before training: without any, that of the file must equal it.
    "openclip": lambda folder, about, weights: OpenClip.load_whole(
        folder, about["name"], about["sha256"] if about["method"] == "finetune" else None),
    "scratch": lambda folder, about, weights: Scratch.load_whole(
        folder, str(about["sha256"]), weights),
}


def load_model(folder: str, weights: Optional[str] = None) -> TextModel:
    """Load a saved folder; ``weights`` names the encoder's folder when it is not installed.

    Raises WeightsNotFound where the encoder's weights are missing, PPPError for anything that does
    not fit: another encoder than it was trained with, another codebook, damaged files.
    """
    place = Path(folder)
    card = read_card(place)
    book = Codebook.load(place)
    if card.get("codebook_sha256") != book.sha256:
        raise PPPError(f"{place / 'codebook.safetensors'}: not the codebook that {CARD} names, "
                       "take both from one run")
    method = card["method"]
    about = {"sha256": None, **card["encoder"], "method": method}
    kind = str(about["name"]).partition(":")[0]
    if kind not in LOADERS:
        raise unknown(f"encoder in {place / CARD}, field encoder.name:", about["name"], LOADERS)
    encoder = LOADERS[kind](place, about, weights)
    if encoder.weights_hash != about["sha256"]:
        raise PPPError(f"{place / CARD}: field encoder.sha256 is of other weights than those "
                       "loaded, use the encoder it was trained with")
    if not isinstance(encoder, Lexical):
        encoder = _apply_changes(encoder, book, method, place)
    if encoder.dim != book.codes.shape[1]:
        raise PPPError(f"{place / 'codebook.safetensors'}: codes of length {book.codes.shape[1]} do"
                       f" not fit the encoder's {encoder.dim}, take both from one run")
    return TextModel(encoder, book, method, float(card["threshold"]), card.get("rest"),
                     card.get("stand_ins") or {}, card)
