"""Backbones: one file each. ``load_backbone`` finds one by its name."""
from __future__ import annotations

from typing import Callable, Dict, Optional

from ppp.errors import PPPError, unknown
from ppp.llarp.backbones.base import Backbone, State, instructions_of, weights_hash
from ppp.llarp.backbones.encoder import PRECISIONS, load_minilm, load_scratch, load_tiny

__all__ = ["BACKBONES", "Backbone", "State", "instructions_of", "load_backbone",
           "weights_hash"]

#: name -> (weights folder, precision, seed) -> backbone
BACKBONES: Dict[str, Callable[[Optional[str], str, int], Backbone]] = {
    "minilm": lambda folder, precision, seed: load_minilm(folder, precision),
    "scratch": lambda folder, precision, seed: load_scratch(folder, True, seed),
    "scratch-frozen": lambda folder, precision, seed: load_scratch(folder, False, seed, precision),
    "tiny": lambda folder, precision, seed: load_tiny(seed),
}


def load_backbone(name: str, weights: Optional[str] = None, precision: str = "bfloat16",
                  seed: int = 0) -> Backbone:
    """The backbone called ``name``: one of BACKBONES, or ``causal:NAME`` for any causal model of
    transformers (a hub's name or a folder).

    weights: folder of MiniLM's files. precision: of frozen weights. seed: of random ones.
    """
    if precision not in PRECISIONS:
        raise unknown("precision", precision, PRECISIONS)
    kind, _, rest = name.partition(":")
    if kind == "causal":
        from ppp.llarp.backbones.causal import load_causal

        if not rest:
            raise PPPError("--backbone causal: needs a name or a folder behind the colon, such as "
                           "causal:/models/llama-7b")
        return load_causal(rest, precision)
    if name not in BACKBONES:
        raise unknown("backbone", name, [*BACKBONES, "causal:FOLDER"])
    return BACKBONES[name](weights, precision, seed)
