"""Which held-out phrases share a content word with the training phrases?

A held-out list that repeats training words measures memory. Function words, directions, body parts
and the names of equipment and enemies are exempt: hardly any command does without them.
"""
from __future__ import annotations

import re
from typing import Dict, Iterable, List, Set

FUNCTION_WORDS = frozenset("""
a about across after again against ahead all along am an and any are around as at away be been
before behind beneath between beyond but by can could do does down during each even for from give
given got had has have he her here him his how i if in into is it its just keep let like make may me
more most move much must my near never next no not now of off on once one onto or other our out over
own past put so some such take than that the their them then there these they this those through
till to too toward towards two under until up upon us very was way we were what when where which
while who will with within without would yes you your yourself himself itself go get going come set
forward forwards back backward backwards left right side front rear straight low high
""".split())
THINGS = frozenset("""
sword blade shield buckler weapon enemy foe opponent target block warrior guard knight
head face arm hand foot leg knee body shoulder chest back belly heel toe
""".split())
SUFFIXES = ("ations", "ation", "ingly", "edly", "ing", "ies", "ers", "ed", "er", "es", "ly", "s")


def stem(word: str) -> str:
    """A crude stem: strips one ending, one doubled consonant and a final e or y."""
    for suffix in SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= 3:
            word = word[: -len(suffix)]
            break
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "aeious":
        word = word[:-1]
    return word[:-1] if len(word) > 3 and word[-1] in "ey" else word


EXEMPT = FUNCTION_WORDS | THINGS
EXEMPT_STEMS = frozenset(stem(word) for word in EXEMPT)


def content_stems(text: str) -> Set[str]:
    """Stems of the words that carry a phrase's meaning."""
    words = re.findall(r"[a-z]+", text.lower().replace("'", ""))
    return {stem(word) for word in words
            if word not in EXEMPT and stem(word) not in EXEMPT_STEMS}


def overlaps(train: Iterable[str], heldout: Iterable[str]) -> Dict[str, List[str]]:
    """held-out phrase -> the stems it shares with training, only for those that share any."""
    seen: Set[str] = set()
    for text in train:
        seen |= content_stems(text)
    shared = {text: sorted(content_stems(text) & seen) for text in heldout}
    return {text: words for text, words in shared.items() if words}
