"""WordPiece tokenizer for uncased BERT vocabularies (Devlin et al., arXiv 1810.04805)."""
from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import Dict, List, Sequence, Tuple

import torch

from ppp.errors import PPPError
from ppp.language.encoders.base import framed, padded

#: a word longer than this becomes one unknown token, as in the reference tokenizer
MAX_WORD_CHARS = 100
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")


def _is_punctuation(char: str) -> bool:
    """True for ASCII symbols and every Unicode punctuation mark."""
    code = ord(char)
    if 33 <= code <= 47 or 58 <= code <= 64 or 91 <= code <= 96 or 123 <= code <= 126:
        return True
    return unicodedata.category(char).startswith("P")


def _is_ideograph(char: str) -> bool:
    """True for the CJK blocks in which every character is a word of its own."""
    code = ord(char)
    return (0x4E00 <= code <= 0x9FFF or 0x3400 <= code <= 0x4DBF or 0xF900 <= code <= 0xFAFF
            or 0x20000 <= code <= 0x2CEAF or 0x2F800 <= code <= 0x2FA1F)


def _keep(char: str) -> str:
    """One character as the word splitter wants it: a space, nothing, or itself set apart."""
    if char in "\t\n\r":
        return " "
    category = unicodedata.category(char)
    if category == "Zs":
        return " "
    if char in "\0\ufffd" or category.startswith("C"):
        return ""
    if _is_ideograph(char) or _is_punctuation(char):
        return f" {char} "
    return char


def basic_words(text: str) -> List[str]:
    """Lower-case words without accents; punctuation marks are words of their own."""
    clean = "".join(_keep(char) for char in text)
    bare = unicodedata.normalize("NFD", clean.lower())
    return "".join(c for c in bare if unicodedata.category(c) != "Mn").split()


class WordPiece:
    """Greedy longest-match-first sub-word tokenizer over a vocabulary of pieces."""

    def __init__(self, vocabulary: Dict[str, int], max_tokens: int = 256) -> None:
        """``vocabulary`` maps a piece to its id; texts are cut after ``max_tokens`` tokens."""
        missing = [token for token in SPECIAL if token not in vocabulary]
        if missing:
            raise PPPError(f"vocabulary: token {missing[0]} is missing, use a BERT vocab.txt")
        self.vocabulary = vocabulary
        self.max_tokens = max_tokens
        self.pad, self.unknown, self.start, self.end = (vocabulary[t] for t in SPECIAL)

    @classmethod
    def from_file(cls, path: Path, max_tokens: int = 256) -> "WordPiece":
        """Read ``vocab.txt``: one piece a line, the line's number is its id."""
        pieces = path.read_text(encoding="utf-8").splitlines()
        return cls({piece: number for number, piece in enumerate(pieces)}, max_tokens)

    def pieces(self, word: str) -> List[int]:
        """Ids of one word's pieces; the unknown token when some part has no piece."""
        if len(word) > MAX_WORD_CHARS:
            return [self.unknown]
        ids: List[int] = []
        start = 0
        while start < len(word):
            prefix = "##" if start else ""
            for end in range(len(word), start, -1):
                found = self.vocabulary.get(prefix + word[start:end])
                if found is not None:
                    ids.append(found)
                    start = end
                    break
            else:
                return [self.unknown]
        return ids

    def ids(self, text: str) -> List[int]:
        """Token ids of one text, with the start and end tokens."""
        return framed(map(self.pieces, basic_words(text)), self.start, self.end, self.max_tokens)

    def batch(self, texts: Sequence[str]) -> Tuple[torch.Tensor, torch.Tensor]:
        """(n, t) int64 ids padded to the longest text, and the (n, t) bool mask of real tokens."""
        return padded([self.ids(text) for text in texts], self.pad)
