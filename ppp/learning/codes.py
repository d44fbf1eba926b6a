"""The codebook entries e_k of a run's skills: what the skill encoder starts from."""
from __future__ import annotations

import random
from pathlib import Path
from typing import List, Tuple

import torch
from torch import Tensor

from ppp.errors import PPPError
from ppp.language.codebook import Codebook
from ppp.settings import ROOT

#: the codebook that ships with the project
SHIPPED = Path(__file__).resolve().parents[1] / "pretrained" / "language"


def load_codes(source: str, skills: List[str], labels: List[str]) -> Tensor:
    """(K, d) entries of ``skills`` from a codebook folder (``auto``: the shipped one).

    A codebook without one of the skills is a PPPError; ``encode`` makes entries from the labels
    with the embedded reference encoder, for skills that no codebook has yet.
    """
    if source == "encode":
        return _encode(skills, labels)
    folder = SHIPPED if source == "auto" else Path(source)
    book = Codebook.load(folder)
    missing = [skill for skill in skills if skill not in book.skills]
    if missing:
        raise PPPError(f"{folder}: the codebook has no skill '{missing[0]}'; add it with "
                       "'ppp skills add', or set 'codebook: encode' in the training settings")
    return book.codes[[book.index(skill) for skill in skills]]


def load_phrase_codes(path: str, skills: List[str], each: int, seed: int) -> Tuple[Tensor, Tensor]:
    """Raw encodings (P, d) of up to ``each`` training phrases a skill, and their skill (P,).

    By the embedded reference encoder, not quantised; the phrases are drawn with ``seed``.
    """
    from ppp.language.encoders.minilm import MiniLM
    from ppp.language.phrases import load_phrases

    source = Path(path) if Path(path).exists() else ROOT / path
    phrases, texts, owner = load_phrases(str(source)), [], []
    draw = random.Random(seed)
    for number, skill in enumerate(skills):
        known = phrases.train.get(skill, [])
        if not known:
            raise PPPError(f"{source}: skill '{skill}' has no phrases under 'train'; add some, or "
                           "set 'codes: quantised' in the training settings")
        chosen = draw.sample(known, min(each, len(known)))
        texts += chosen
        owner += [number] * len(chosen)
    return MiniLM.load().encode(texts).detach(), torch.tensor(owner)


def _encode(skills: List[str], labels: List[str]) -> Tensor:
    from ppp.language.encoders.minilm import MiniLM

    return Codebook.build(MiniLM.load(), dict(zip(skills, labels))).codes
