"""One call that turns an encoder and phrases into a TextModel with a threshold."""
from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Callable, List, Optional, Sequence, Tuple

import torch

from ppp.errors import PPPError, unknown
from ppp.language import SHIPPED
from ppp.language.adapter import AdaptedEncoder, fit_adapter
from ppp.language.codebook import Codebook
from ppp.language.encoders.base import Remembering, TextEncoder
from ppp.language.encoders.lexical import Lexical
from ppp.language.finetune import FitReport, FitSettings, finetune
from ppp.language.metrics import balanced_threshold
from ppp.language.model import NO_THRESHOLD, TextModel
from ppp.language.phrases import PhraseSet
from ppp.language.splits import halves, leave_words_out
from ppp.language.validation import hold_back, validated_threshold

METHODS = ("finetune", "adapter")
#: leave-words-out fits that choose the threshold of a method that is fast to fit
THRESHOLD_FITS = 3
#: share of phrases with unseen words that a sentence encoder's threshold accepts
ACCEPTED_UNSEEN = 0.95
#: just under the square root of 2, where the lexical encoder puts a text without one known word
LEXICAL_LIMIT = 1.41
DEFAULTS = FitSettings()
Pairs = Sequence[Tuple[str, str]]


@dataclass
class Fitted:
    """A model, and the report of its gradient training (None where nothing was trained by it)."""

    model: TextModel
    report: Optional[FitReport] = None


def nearest_distances(encoder: TextEncoder, book: Codebook, texts: Sequence[str]) -> List[float]:
    """Distance of each text to its nearest code."""
    if not texts:
        return []
    return torch.cdist(encoder.encode(list(texts)), book.codes).amin(-1).tolist()


def build_codebook(encoder: TextEncoder, phrases: PhraseSet, pairs: Pairs) -> Codebook:
    """Encoded labels; for the lexical encoder, whose labels say too little, means of phrases."""
    if not isinstance(encoder, Lexical):
        # A control without pretraining is trained towards the codes of a pretrained encoder.
        return Codebook.build(getattr(encoder, "reference", None) or encoder, phrases.labels,
                              Codebook.load(SHIPPED))
    texts = {skill: [t for t, other in pairs if other == skill] for skill in phrases.labels}
    return Codebook.from_centroids(encoder, phrases.labels, texts)


def _quick_fit(encoder: TextEncoder, phrases: PhraseSet, pairs: Pairs, oos: Sequence[str],
               book: Optional[Codebook] = None) -> Tuple[TextEncoder, Codebook]:
    """The fits without gradient: adapter for a sentence encoder, means for the lexical one."""
    if isinstance(encoder, Lexical):
        fitted = Lexical.fit([text for text, _ in pairs] + list(phrases.labels.values()))
        return fitted, build_codebook(fitted, phrases, pairs)
    book = book or build_codebook(encoder, phrases, pairs)
    return AdaptedEncoder(encoder, fit_adapter(encoder, book, pairs, oos), book.codes), book


def unseen_threshold(encoder: TextEncoder, phrases: PhraseSet, pairs: Pairs) -> float:
    """Threshold from fits that saw neither the words nor the out-of-set phrases they are asked.

    Uses training phrases only. A sentence encoder gets the distance that accepts ACCEPTED_UNSEEN of
    the leave-words-out phrases without one known word. The lexical one, which cannot know unseen
    words at all, gets the best balance between all of them and held back ``oos_train`` phrases.
    """
    known = set(pairs)
    kept = replace(phrases, train={skill: [t for t in texts if (t, skill) in known]
                                   for skill, texts in phrases.train.items()})
    inside: List[float] = []
    outside: List[float] = []
    for seed in range(THRESHOLD_FITS):
        split = leave_words_out(kept, seed)
        oos, held = halves(phrases.oos_train, seed)
        fitted, book = _quick_fit(encoder, phrases, split.train, oos)
        asked = split.test if isinstance(encoder, Lexical) else split.strict or split.test
        inside += nearest_distances(fitted, book, [text for text, _ in asked])
        outside += nearest_distances(fitted, book, held)
    if isinstance(encoder, Lexical):
        return min(balanced_threshold(inside, outside, NO_THRESHOLD), LEXICAL_LIMIT)
    return float(torch.tensor(inside).quantile(ACCEPTED_UNSEEN)) if inside else NO_THRESHOLD


def trained_threshold(model: TextModel, phrases: PhraseSet, pairs: Pairs) -> float:
    """Half-way between the far end of training distances and the near end of out-of-set ones.

    For phrase lists too short to hold any back.
    """
    if not phrases.oos_train:
        return NO_THRESHOLD
    near = nearest_distances(model.encoder, model.book, [text for text, _ in pairs])
    far = nearest_distances(model.encoder, model.book, phrases.oos_train)
    inner, outer = torch.tensor(near).quantile(0.99), torch.tensor(far).quantile(0.05)
    return float((inner + outer) / 2)


def fit_model(encoder: TextEncoder, phrases: PhraseSet, pairs: Pairs, method: str = "adapter",
              settings: FitSettings = DEFAULTS,
              on_epoch: Callable[[int, float], None] = lambda epoch, loss: None,
              book: Optional[Codebook] = None) -> Fitted:
    """Fit by ``method`` on ``pairs`` and the file's ``oos_train``; ``encoder`` may be changed.

    ``book``: codes to fit to (default: the encoder's own for the labels). Gradient training holds
    phrases back to choose its threshold on. The lexical encoder knows one way only (means of
    phrases). Raises PPPError for another method.
    """
    if method not in METHODS:
        raise unknown("method", method, METHODS)
    if isinstance(encoder, Lexical) or method == "adapter":
        name = "centroids" if isinstance(encoder, Lexical) else "adapter"
        # One memory for all fits: encoding the phrases takes most of the time.
        source = Remembering(encoder) if hasattr(encoder, "bags") else encoder
        fitted, book = _quick_fit(source, phrases, pairs, phrases.oos_train, book)
        threshold = unseen_threshold(source, phrases, pairs)
        if isinstance(fitted, AdaptedEncoder):
            fitted.base = encoder
        return Fitted(TextModel(fitted, book, name, threshold, phrases.rest, phrases.stand_ins))
    if not hasattr(encoder, "embed"):
        raise PPPError(f"--method finetune: encoder {encoder.name} cannot be trained, use minilm")
    book = book or build_codebook(encoder, phrases, pairs)
    held = hold_back(pairs, phrases.oos_train, settings.seed)
    report = finetune(encoder, book, held.train, held.oos, settings, on_epoch)
    model = TextModel(encoder, book, "finetune", NO_THRESHOLD, phrases.rest,
                      phrases.stand_ins)
    found = validated_threshold(
        nearest_distances(encoder, book, [text for text, _ in held.inside]),
        nearest_distances(encoder, book, held.outside), NO_THRESHOLD)
    model.threshold = trained_threshold(model, phrases, pairs) if found is None else found
    return Fitted(model, report)
