"""The codebook entries e_k of a run's skills: what the skill encoder starts from."""
from __future__ import annotations

from pathlib import Path
from typing import List

from torch import Tensor

from ppp.errors import PPPError
from ppp.language.codebook import Codebook

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


def _encode(skills: List[str], labels: List[str]) -> Tensor:
    from ppp.language.encoders.minilm import MiniLM

    return Codebook.build(MiniLM.load(), dict(zip(skills, labels))).codes
