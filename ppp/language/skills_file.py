"""A skill's entry in a phrase file: what may be added, and the file's text with it."""
from __future__ import annotations

import re
from typing import TYPE_CHECKING, Dict, List, Tuple

import yaml

from ppp.errors import PPPError

if TYPE_CHECKING:
    from ppp.language.phrases import PhraseSet


def check_id(skill: str, known: Tuple[str, ...]) -> None:
    """Refuse an id that is none, or that exists."""
    if not re.fullmatch(r"[a-z][a-z0-9_]*", skill):
        raise PPPError(f"skill id '{skill[:40]}': write small letters, digits and _, such as roll")
    if skill in known:
        raise PPPError(f"skill id '{skill}': exists already, choose another or add its phrases to "
                       "the phrase file")


def _plain(text: str) -> str:
    """A phrase for comparison: small letters, single spaces, no closing mark."""
    return " ".join(text.lower().split()).strip(" .!?")


def check_phrases(new: List[str], phrases: "PhraseSet") -> None:
    """Refuse phrases that are none, or that the file already gives another meaning."""
    used: Dict[str, str] = {}
    for split in ("train", "natural", "heldout"):
        for skill, texts in (getattr(phrases, split, None) or {}).items():
            used.update({_plain(text): f"a {split} phrase of {skill}" for text in texts})
    for text in new:
        if not any(char.isalpha() for char in text):
            raise PPPError(f"--phrase {text[:40]!r}: has no word in it, write a command in English")
        if _plain(text) in used:
            raise PPPError(f"--phrase '{text}': is {used[_plain(text)]} in {phrases.path}, leave it"
                           " out or take it away there")


def quoted(text: str) -> str:
    """A text as a YAML double-quoted scalar."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def with_skill(yaml_text: str, skill: str, label: str, train: List[str], heldout: List[str],
               where: str) -> str:
    """The text of a phrase file with one more entry at the end of its ``skills``.

    Everything else, comments included, stays as it is. PPPError for a file without a ``skills``
    block in the usual style.
    """
    lines = yaml_text.split("\n")
    start = next((n for n, line in enumerate(lines) if re.match(r"skills:\s*(#.*)?$", line)), None)
    if start is None:
        raise PPPError(f"{where}: has no line 'skills:' with entries below it, write it so")
    inner = [n for n in range(start + 1, len(lines)) if re.match(r"\s+[^#\s]", lines[n])]
    stop = next((n for n in range(start + 1, len(lines)) if re.match(r"[^#\s]", lines[n])),
                len(lines))
    last = max((n for n in inner if n < stop), default=start)
    first = next((lines[n] for n in inner if n < stop), "  ")
    pad = first[:len(first) - len(first.lstrip())] or "  "
    entry = [f"{pad}{skill}:", f"{pad}  label: {quoted(label)}"]
    for name, texts in (("train", train), ("heldout", heldout)):
        if texts:
            entry += [f"{pad}  {name}:", *(f"{pad}    - {quoted(text)}" for text in texts)]
    return "\n".join(lines[:last + 1] + entry + lines[last + 1:])


def without_outsiders(yaml_text: str, new: List[str]) -> Tuple[str, List[str]]:
    """The text of a phrase file whose ``oos_`` lists no longer name ``new`` phrases, and those that
    they named: what a skill fits now is no command that none fits."""
    taken = {_plain(text) for text in new}
    kept, dropped, outside = [], [], False
    for line in yaml_text.split("\n"):
        if re.match(r"[^#\s-]", line):
            outside = line.startswith("oos_")
        item = re.match(r"\s*-\s+(.+)$", line) if outside else None
        text = yaml.safe_load(item.group(1)) if item else None
        if isinstance(text, str) and _plain(text) in taken:
            dropped.append(text)
        else:
            kept.append(line)
    return "\n".join(kept), dropped
