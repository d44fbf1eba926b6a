"""Text encoders: one file each. ``load_encoder`` finds one by its name."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Dict, Optional, Sequence

from ppp.errors import PPPError, unknown
from ppp.language.encoders.base import TextEncoder, WeightsNotFound
from ppp.language.encoders.lexical import Lexical
from ppp.language.encoders.minilm import MiniLM
from ppp.language.encoders.openclip import DEFAULT, OpenClip
from ppp.language.encoders.scratch import Scratch

__all__ = ["ENCODERS", "Lexical", "MiniLM", "OpenClip", "Request", "Scratch", "TextEncoder",
           "WeightsNotFound", "load_encoder"]


@dataclass(frozen=True)
class Request:
    """What an encoder may be asked to be made from."""

    #: behind the colon of the name: an architecture
    arch: str = ""
    #: file or folder of weights
    weights: Optional[str] = None
    #: texts to fit a vocabulary on
    texts: Sequence[str] = ()
    #: file with CLIP's merges, and a tag of the open_clip package
    vocabulary: Optional[str] = None
    pretrained: Optional[str] = None
    #: of random weights
    seed: int = 0


ENCODERS: Dict[str, Callable[[Request], TextEncoder]] = {
    "minilm": lambda ask: MiniLM.load(ask.weights),
    "openclip": lambda ask: OpenClip.load(ask.arch or DEFAULT, ask.weights, ask.vocabulary,
                                          ask.pretrained),
    "lexical": lambda ask: Lexical.fit(ask.texts),
    "scratch": lambda ask: Scratch.make(ask.seed, ask.weights),
}


def load_encoder(name: str, weights: Optional[str] = None, texts: Sequence[str] = (),
                 vocabulary: Optional[str] = None, pretrained: Optional[str] = None,
                 seed: int = 0) -> TextEncoder:
    """The encoder called ``name``; an architecture may follow a colon (``openclip:ViT-B-32``).

    ``texts`` matter only to one that is fitted (lexical), ``vocabulary`` and ``pretrained`` to
    openclip, ``seed`` to scratch. Raises PPPError for an unknown name or an option that the encoder
    has no use for, WeightsNotFound where weights are missing.
    """
    kind, _, arch = name.partition(":")
    if kind not in ENCODERS:
        raise unknown("encoder", name, ENCODERS)
    if kind != "openclip":
        if arch:
            raise PPPError(f"--encoder {name}: {kind} has one architecture, write --encoder {kind}")
        for flag, value in (("vocabulary", vocabulary), ("pretrained", pretrained)):
            if value is not None:
                raise PPPError(f"--{flag}: is for --encoder openclip, leave it out with {kind}")
    return ENCODERS[kind](Request(arch, weights, texts, vocabulary, pretrained, seed))
