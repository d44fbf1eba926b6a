"""The phrase file: what teaches and what tests the text encoder."""
from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Collection, Dict, Iterator, List, Optional, Tuple

import yaml

from ppp.errors import PPPError, nearest, unknown
from ppp.language import things
from ppp.language.encoders.base import file_sha256

SIDES = ("left", "right")
OOS_LISTS = ("oos_train", "oos_near", "oos_far")
FIELDS = ("skills", "mirrored", "things", "rest", "stand_ins", *OOS_LISTS, "negation", "composite",
          "planner")
#: lists of one skill; ``heldout`` is the strict one, ``natural`` may repeat words of training
SKILL_LISTS = ("train", "natural", "heldout")
SKILL_FIELDS = ("label", *SKILL_LISTS)


@dataclass
class PhraseSet:
    """One phrase file, mirrored entries written out for both sides."""

    path: str
    sha256: str
    #: skill id -> label, in the file's order
    labels: Dict[str, str] = field(default_factory=dict)
    #: skill id -> phrases
    train: Dict[str, List[str]] = field(default_factory=dict)
    heldout: Dict[str, List[str]] = field(default_factory=dict)
    natural: Dict[str, List[str]] = field(default_factory=dict)
    #: what a command that only forbids something means
    rest: Optional[str] = None
    #: skill -> what to do where a policy lacks it, best first
    stand_ins: Dict[str, List[str]] = field(default_factory=dict)
    oos_train: List[str] = field(default_factory=list)
    oos_near: List[str] = field(default_factory=list)
    oos_far: List[str] = field(default_factory=list)
    #: (text, right skill, skill that the negated word names)
    negation: List[Tuple[str, str, str]] = field(default_factory=list)
    composite: List[Tuple[str, List[str]]] = field(default_factory=list)
    planner: List[Tuple[str, str]] = field(default_factory=list)

    def pairs(self, split: str) -> List[Tuple[str, str]]:
        """(text, skill) of ``train``, ``natural`` or ``heldout``."""
        if split not in SKILL_LISTS:
            raise unknown("phrase list", split, SKILL_LISTS)
        lists: Dict[str, List[str]] = getattr(self, split)
        return [(text, skill) for skill, texts in lists.items() for text in texts]

    def ids(self) -> Iterator[Tuple[str, str]]:
        """(field, skill id) for every id that the file mentions."""
        yield from (("skills", skill) for skill in self.labels)
        for _, right, trap in self.negation:
            yield from (("negation", right), ("negation", trap))
        yield from (("composite", skill) for _, skills in self.composite for skill in skills)
        yield from (("planner", skill) for _, skill in self.planner)
        for skill, others in self.stand_ins.items():
            yield from (("stand_ins", name) for name in (skill, *others))
        if self.rest is not None:
            yield "rest", self.rest

    def check_ids(self, known: Collection[str]) -> None:
        """Raise PPPError at the first id outside ``known``."""
        for where, skill in self.ids():
            if skill not in known:
                raise unknown(f"skill in {self.path}, field {where}:", skill, known)


def _texts(value: Any, where: str, carriers: bool = False) -> List[str]:
    """A list of non-empty strings, in the file's order and without repeats; ``{thing}`` only where
    it holds ``carriers``."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise PPPError(f"{where}: expected a list of phrases, write one phrase a line after '- '")
    for number, text in enumerate(value):
        if not isinstance(text, str) or not text.strip():
            raise PPPError(f"{where}[{number}]: {text!r} is not a phrase, write it in quotes")
        if things.THING in text and not carriers:
            raise PPPError(f"{where}[{number}]: {things.THING} is written out under things only, "
                           "move the phrase there")
    return list(dict.fromkeys(" ".join(text.split()) for text in value))


def _row(value: Any, where: str, length: int) -> List[Any]:
    """One entry of negation, composite or planner."""
    good = isinstance(value, list) and len(value) == length and isinstance(value[0], str)
    if not good:
        raise PPPError(f"{where}: expected {length} items starting with the text, "
                       f"got {str(value)[:60]!r}")
    return value


def _mapping(value: Any, where: str, allowed: Collection[str] = ()) -> Dict[str, Any]:
    """A mapping with string keys, all of them ``allowed`` (any when empty)."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise PPPError(f"{where}: expected a mapping, got {type(value).__name__}")
    for key in value:
        if allowed and key not in allowed:
            guess = nearest(key, allowed)
            hint = f"did you mean '{guess}'?" if guess else f"use one of {', '.join(allowed)}"
            raise PPPError(f"{where}: unknown field '{str(key)[:80]}', {hint}")
    return {str(key): item for key, item in value.items()}


def _add_skill(phrases: PhraseSet, skill: str, entry: Dict[str, Any], where: str) -> None:
    """Add one skill's label and phrases to what is already there."""
    label = entry.get("label")
    if label is not None and (not isinstance(label, str) or not label.strip()):
        raise PPPError(f"{where}.label: {label!r} is not a text, write what the skill is called")
    if label or skill not in phrases.labels:
        phrases.labels[skill] = label or skill.replace("_", " ")
    for split in SKILL_LISTS:
        lists: Dict[str, List[str]] = getattr(phrases, split)
        new = _texts(entry.get(split), f"{where}.{split}")
        lists[skill] = list(dict.fromkeys(lists.get(skill, []) + new))


def _for_side(entry: Dict[str, Any], side: str) -> Dict[str, Any]:
    """An entry with ``{d}`` written as ``side`` in its label and phrases."""
    def fill(value: Any) -> Any:
        if isinstance(value, list):
            return [fill(item) for item in value]
        return value.replace("{d}", side) if isinstance(value, str) else value
    return {key: fill(value) for key, value in entry.items()}


def _side_of(skill: str) -> Optional[str]:
    """'left' or 'right' when the id ends so."""
    return next((side for side in SIDES if skill.endswith(side)), None)


def _add_mirrored(phrases: PhraseSet, data: Any) -> None:
    """``mirrored``: a mapping of id patterns, or only a list of pairs (nothing to add then)."""
    if isinstance(data, list):
        return
    for pattern, entry in _mapping(data, f"{phrases.path}: mirrored").items():
        where = f"{phrases.path}: mirrored.{pattern}"
        fields = _mapping(entry, where, SKILL_FIELDS)
        name = pattern if "{d}" in pattern else pattern + "_{d}"
        for side in SIDES:
            _add_skill(phrases, name.replace("{d}", side), _for_side(fields, side), where)


def _add_things(phrases: PhraseSet, data: Any) -> None:
    """``things``: carriers written out, into the training phrases and ``oos_train``."""
    where = f"{phrases.path}: things"
    fields = _mapping(data, where, things.FIELDS)
    writer = things.Writer(_texts(fields.get("names"), f"{where}.names"), f"{where}.names")

    def add(texts: List[str], value: Any, place: str, side: str = "") -> List[str]:
        carriers = [text.replace("{d}", side) for text in _texts(value, place, carriers=True)]
        return list(dict.fromkeys(texts + writer.write(carriers, place)))

    for pattern, value in _mapping(fields.get("train"), f"{where}.train").items():
        place = f"{where}.train.{pattern}"
        for side in SIDES if "{d}" in pattern else ("",):
            skill = pattern.replace("{d}", side)
            if skill not in phrases.labels:
                raise unknown(f"skill in {where}.train:", skill, phrases.labels)
            phrases.train[skill] = add(phrases.train[skill], value, place, side)
    phrases.oos_train = add(phrases.oos_train, fields.get("oos_train"), f"{where}.oos_train")


def _add_rows(phrases: PhraseSet, data: Dict[str, Any]) -> None:
    """The lists whose entries carry their answer."""
    for name, length in (("negation", 3), ("composite", 2), ("planner", 2)):
        rows = data.get(name) or []
        if not isinstance(rows, list):
            raise PPPError(f"{phrases.path}: {name}: expected a list")
        for number, row in enumerate(rows):
            where = f"{phrases.path}: {name}[{number}]"
            text, *answer = _row(row, where, length)
            if name == "composite" and not isinstance(answer[0], list):
                raise PPPError(f"{where}: the second item must be a list of skill ids")
            getattr(phrases, name).append((text, *answer))


def read_yaml(path: str) -> Any:
    """The content of a YAML file; PPPError when it is missing or not YAML."""
    try:
        return yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise PPPError(f"{path}: {error.strerror or error}, give the path of a readable file"
                       ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        line = getattr(getattr(error, "problem_mark", None), "line", None)
        place = f" at line {line + 1}" if line is not None else ""
        raise PPPError(f"{path}: not valid YAML{place}, mend its syntax") from error


def load_phrases(path: str) -> PhraseSet:
    """Read and check a phrase file. Raises PPPError naming the file, the field and the mend."""
    data = _mapping(read_yaml(path), path, FIELDS)
    phrases = PhraseSet(path=str(path), sha256=file_sha256(Path(path)), rest=data.get("rest"))
    for skill, entry in _mapping(data.get("skills"), f"{path}: skills").items():
        where = f"{path}: skills.{skill}"
        fields = _mapping(entry, where, SKILL_FIELDS)
        side = _side_of(skill)
        _add_skill(phrases, skill, _for_side(fields, side) if side else fields, where)
    _add_mirrored(phrases, data.get("mirrored"))
    for skill, others in _mapping(data.get("stand_ins"), f"{path}: stand_ins").items():
        phrases.stand_ins[skill] = _texts(others, f"{path}: stand_ins.{skill}")
    for name in OOS_LISTS:
        setattr(phrases, name, _texts(data.get(name), f"{path}: {name}"))
    _add_things(phrases, data.get("things"))
    _add_rows(phrases, data)
    if not phrases.labels:
        raise PPPError(f"{path}: skills is empty, list at least one skill with phrases")
    return phrases
