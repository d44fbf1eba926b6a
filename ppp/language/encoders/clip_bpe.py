"""CLIP's tokenizer: byte-pair encoding (Sennrich et al., arXiv 1508.07909) over lower-case words.

The vocabulary is the published list of merges, ``bpe_simple_vocab_16e6.txt.gz`` (in the open_clip
and CLIP packages) or the ``merges.txt`` of a transformers checkpoint. Id order, from Radford et al.
(arXiv 2103.00020): 256 bytes, the same 256 as word ends, one id for each merge, start, end.
"""
from __future__ import annotations

import gzip
import html
import importlib.util
import unicodedata
import zlib
from pathlib import Path
from typing import Dict, List, Optional, Sequence, Tuple

import torch

from ppp.errors import PPPError
from ppp.language.encoders.base import WeightsNotFound, framed, padded

FILE = "bpe_simple_vocab_16e6.txt.gz"
#: names under which the merges lie beside weights
FILES = (FILE, "merges.txt")
PACKAGES = ("open_clip", "clip")
#: merges of CLIP: 49408 ids less 512 bytes and the two marks; the published file holds more lines
MERGES = 48894
#: bytes that a list of merges may have when unpacked
LARGEST = 16_000_000
CONTRACTIONS = ("'s", "'t", "'re", "'ve", "'m", "'ll", "'d")
WORD_END = "</w>"


def byte_letters() -> List[str]:
    """The 256 bytes as printable letters, in id order: printable Latin-1 bytes stand for themselves
    and come first, the others take the letters from 256 on."""
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [byte for byte in range(256) if byte not in shown]
    return [chr(byte) for byte in shown] + [chr(256 + n) for n in range(len(hidden))]


def byte_table() -> Dict[int, str]:
    """byte -> its letter."""
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    order = shown + [byte for byte in range(256) if byte not in shown]
    return dict(zip(order, byte_letters()))


def find_vocabulary(path: Optional[str] = None, beside: Optional[Path] = None) -> Path:
    """The list of merges: ``path``, a file in folder ``beside``, or an installed package's.

    Packages are located, never imported. Raises WeightsNotFound with the ways to get the file.
    """
    if path is not None:
        if not Path(path).is_file():
            raise WeightsNotFound(f"--vocabulary {path}: no such file, give {FILE} of CLIP or "
                                  "open_clip, or merges.txt of a transformers checkpoint")
        return Path(path)
    places = [beside / name for name in FILES] if beside is not None else []
    for package in PACKAGES:
        spec = importlib.util.find_spec(package)
        if spec is not None and spec.origin:
            places.append(Path(spec.origin).parent / FILE)
    for place in places:
        if place.is_file():
            return place
    raise WeightsNotFound(
        f"CLIP vocabulary: {FILE} is not on this machine, either run 'pip install --no-deps "
        "open-clip-torch' (it carries the file) or pass --vocabulary FILE (that file, or merges.txt"
        " of a transformers checkpoint)")


def read_merges(path: Path) -> List[Tuple[str, str]]:
    """The pairs of a merge list, best first. Raises PPPError for anything else."""
    mend = f"take {FILE} of CLIP or open_clip"
    try:
        data = path.read_bytes()
        if data[:2] == b"\x1f\x8b":
            with gzip.open(path) as stream:
                data = stream.read(LARGEST + 1)
        if len(data) > LARGEST:
            raise PPPError(f"{path}: larger than any list of merges, {mend}")
        lines = data.decode("utf-8").split("\n")
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise PPPError(f"{path}: not a readable list of merges ({error}), {mend}") from error
    pairs = [tuple(line.split()) for line in lines[1:] if line.strip()][:MERGES]
    if not pairs or any(len(pair) != 2 for pair in pairs):
        raise PPPError(f"{path}: not a list of merges (a header line, then two pieces a line), "
                       f"{mend}")
    return [(first, second) for first, second in pairs]


def _kind(char: str) -> str:
    """'L' for letters, 'N' for numbers, ' ' for space, '.' for all others."""
    if char.isspace():
        return " "
    category = unicodedata.category(char)[0]
    return category if category in "LN" else "."


def words(text: str) -> List[str]:
    """Lower-case words as CLIP parts them: runs of letters, single digits, runs of other marks;
    contractions ("'ll") are pieces of their own."""
    text = html.unescape(html.unescape(unicodedata.normalize("NFC", text))).lower()
    out: List[str] = []
    at = 0
    while at < len(text):
        kind = _kind(text[at])
        short = next((c for c in CONTRACTIONS if text.startswith(c, at)), None)
        end = at + 1
        if short is not None:
            end = at + len(short)
        elif kind in "L.":
            while end < len(text) and _kind(text[end]) == kind:
                end += 1
        if kind != " ":
            out.append(text[at:end])
        at = end
    return out


class BytePairs:
    """The tokenizer of one list of merges."""

    def __init__(self, merges: Sequence[Tuple[str, str]], context: int = 77) -> None:
        """``merges``: pairs, best first; texts are cut to ``context`` tokens, both marks included.
        """
        letters = byte_letters()
        pieces = [*letters, *(letter + WORD_END for letter in letters),
                  *(first + second for first, second in merges)]
        self.merges = list(merges)
        self.context = context
        self.letters = byte_table()
        self.rank = {pair: number for number, pair in enumerate(merges)}
        self.id = {piece: number for number, piece in enumerate(pieces)}
        # Counted, not len(self.id): two merges may give the same piece.
        self.start, self.end = len(pieces), len(pieces) + 1
        self.size = len(pieces) + 2
        self.known: Dict[str, List[int]] = {}

    @classmethod
    def from_file(cls, path: Path, context: int = 77) -> "BytePairs":
        """Read a published list of merges."""
        return cls(read_merges(path), context)

    def save(self, path: Path) -> None:
        """Write the merges as plain text that ``read_merges`` reads."""
        lines = ["#version: 0.2", *(f"{first} {second}" for first, second in self.merges)]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def pieces(self, word: str) -> List[int]:
        """Ids of one word: its bytes, then the best known pair joined until none is left."""
        if word not in self.known:
            parts = [self.letters[byte] for byte in word.encode("utf-8")]
            parts[-1] += WORD_END
            while len(parts) > 1:
                pairs = list(zip(parts, parts[1:]))
                best = min(pairs, key=lambda pair: self.rank.get(pair, len(self.rank)))
                if best not in self.rank:
                    break
                parts = _joined(parts, best)
            self.known[word] = [self.id[part] for part in parts]
        return self.known[word]

    def ids(self, text: str) -> List[int]:
        """Token ids of one text between the start and the end mark."""
        return framed(map(self.pieces, words(text)), self.start, self.end, self.context)

    def batch(self, texts: Sequence[str]) -> Tuple[torch.Tensor, torch.Tensor]:
        """(n, t) int64 ids padded with 0 to the longest text, and the (n, t) bool mask."""
        return padded([self.ids(text) for text in texts], 0)


def _joined(parts: List[str], pair: Tuple[str, str]) -> List[str]:
    """``parts`` with every occurrence of ``pair``, from the left, made one piece."""
    out: List[str] = []
    at = 0
    while at < len(parts):
        if at + 1 < len(parts) and (parts[at], parts[at + 1]) == pair:
            out.append(parts[at] + parts[at + 1])
            at += 2
        else:
            out.append(parts[at])
            at += 1
    return out
