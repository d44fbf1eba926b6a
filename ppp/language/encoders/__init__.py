"""Text encoders: one file each. ``load_encoder`` finds one by its name."""
from __future__ import annotations

from typing import Callable, Dict, Optional, Sequence

from ppp.errors import unknown
from ppp.language.encoders.base import TextEncoder
from ppp.language.encoders.lexical import Lexical
from ppp.language.encoders.minilm import MiniLM

#: name -> maker(weights folder or None, texts to fit a vocabulary on)
ENCODERS: Dict[str, Callable[[Optional[str], Sequence[str]], TextEncoder]] = {
    "minilm": lambda weights, texts: MiniLM.load(weights),
    "lexical": lambda weights, texts: Lexical.fit(texts),
}


def load_encoder(name: str, weights: Optional[str] = None, texts: Sequence[str] = (),
                 ) -> TextEncoder:
    """The encoder called ``name``; ``texts`` matter only to one that is fitted (lexical).

    Raises PPPError for an unknown name, WeightsNotFound where weights are missing.
    """
    if name not in ENCODERS:
        raise unknown("encoder", name, ENCODERS)
    return ENCODERS[name](weights, texts)
