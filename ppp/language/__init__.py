"""Language: from a command in English to a skill id. ``load_matcher`` is all that others need.

    matcher = load_matcher(skills=["idle", "walk_forward", "slash"])
    matcher("strike him down").skill            # "slash"
    [m.skill for m in matcher.match_all("walk up to him and slash")]

Nothing heavy is imported until it is called.
"""
from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Optional, Sequence

if TYPE_CHECKING:
    from ppp.language.matcher import Matcher

#: the shipped text part, and the one for machines without encoder weights
SHIPPED = Path(__file__).resolve().parent.parent / "pretrained" / "language"
SHIPPED_LEXICAL = SHIPPED / "lexical"

__all__ = ["SHIPPED", "SHIPPED_LEXICAL", "load_matcher"]


def load_matcher(skills: Optional[Sequence[str]] = None, folder: Optional[str] = None,
                 weights: Optional[str] = None) -> "Matcher":
    """A ready Matcher.

    ``skills``: ids that the policy can perform; a command for another skill is answered with
    ``supported`` False, the nearest skill it can do and the reason. ``folder``: a text part saved
    by ``ppp finetune-clip`` (default: the shipped one). ``weights``: folder of the encoder.

    Where the shipped part's encoder weights are missing, the lexical one answers, with a note on
    stderr; weights or a folder asked for by name are never replaced (WeightsNotFound, a PPPError).
    """
    from ppp.language.encoders.lexical import NOTE, Lexical
    from ppp.language.encoders.minilm import WeightsNotFound
    from ppp.language.matcher import Matcher
    from ppp.language.model import load_model

    try:
        model = load_model(str(folder or SHIPPED), weights)
    except WeightsNotFound:
        if folder is not None or weights is not None:
            raise
        model = load_model(str(SHIPPED_LEXICAL))
    if model.encoder.name == Lexical.name:
        print(NOTE, file=sys.stderr)
    return Matcher(model, skills)
