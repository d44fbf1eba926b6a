"""Ways to divide a phrase file into training and test phrases. All are seeded."""
from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import List, Sequence, Set, Tuple

from ppp.errors import PPPError, unknown
from ppp.language.overlap import content_stems, overlaps
from ppp.language.phrases import PhraseSet

Pairs = List[Tuple[str, str]]
#: share of each skill's phrases (soft) or words (leave-words-out) that are kept from training
HELD_SHARE = 0.3
#: at most so many words of a skill are left out: words are shared between skills, and with long
#: lists a fixed share would take most phrases from training
MOST_WORDS = 15


@dataclass
class Split:
    """Phrases to train on and phrases to score, as (text, skill)."""

    train: Pairs
    test: Pairs
    #: the test phrases that share no content word with training; empty where all do, or by intent
    strict: Pairs = field(default_factory=list)


def by_file(phrases: PhraseSet, seed: int = 0) -> Split:
    """The file's own held-out lists."""
    return Split(phrases.pairs("train"), phrases.pairs("heldout"))


def soft(phrases: PhraseSet, seed: int = 0) -> Split:
    """Unseen phrasing, words mostly seen: a random part of every skill's training phrases."""
    order = random.Random(seed)
    split = Split([], [])
    for skill, texts in phrases.train.items():
        held = set(order.sample(texts, int(HELD_SHARE * len(texts))))
        split.test += [(text, skill) for text in texts if text in held]
        split.train += [(text, skill) for text in texts if text not in held]
    return split


def leave_words_out(phrases: PhraseSet, seed: int = 0) -> Split:
    """Unseen words: a part of every skill's words leaves training with all phrases that use them.

    Words of the labels stay, for without them a skill would have no name.
    """
    order = random.Random(seed)
    labels: Set[str] = set().union(*map(content_stems, phrases.labels.values()))
    held: Set[str] = set()
    for texts in phrases.train.values():
        words = sorted(set().union(*map(content_stems, texts)) - labels)
        held |= set(order.sample(words, min(MOST_WORDS, int(HELD_SHARE * len(words)))))
    pairs = phrases.pairs("train")
    train = [(text, skill) for text, skill in pairs if not content_stems(text) & held]
    test = [(text, skill) for text, skill in pairs if content_stems(text) & held]
    shared = overlaps((text for text, _ in train), (text for text, _ in test))
    return Split(train, test, [pair for pair in test if pair[0] not in shared])


SPLITS = {"file": by_file, "soft": soft, "leave-words-out": leave_words_out}


def make_split(name: str, phrases: PhraseSet, seed: int = 0) -> Split:
    """The split called ``name``. Raises PPPError for an unknown name or an empty training side."""
    if name not in SPLITS:
        raise unknown("split", name, SPLITS)
    split = SPLITS[name](phrases, seed)
    for skill in phrases.labels:
        if not any(other == skill for _, other in split.train):
            raise PPPError(f"{phrases.path}: skill {skill} has no training phrases left, "
                           "add some under train")
    return split


def halves(texts: Sequence[str], seed: int = 0) -> Tuple[List[str], List[str]]:
    """Two thirds and one third of ``texts`` in a seeded random order."""
    order = random.Random(seed).sample(list(texts), len(texts))
    cut = len(order) - len(order) // 3
    return order[:cut], order[cut:]
