"""A task: one instruction in one furnished house, small enough for a line of JSON."""
from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any, Dict, List

from ppp.errors import PPPError


@dataclass(frozen=True)
class Setup:
    """What a task demands of its scene; the rest is drawn from the task's seed.

    things: [category, paint or "", holder or ""] that must be there, '' where it may lie
    anywhere. off: [category, holder]: none of that category lies there at first. only: categories
    with no instance beside ``things``. without: categories that are not in the scene. state: for
    what opens, whether it is open at first. down: dummies that lie at first. start: the place
    one stands at, '' for any. guarded, burning: whether guard and fire are there.
    """

    things: List[List[str]] = field(default_factory=list)
    off: List[List[str]] = field(default_factory=list)
    only: List[str] = field(default_factory=list)
    without: List[str] = field(default_factory=list)
    state: Dict[str, bool] = field(default_factory=dict)
    down: List[str] = field(default_factory=list)
    start: str = ""
    guarded: bool = False
    burning: bool = False


@dataclass(frozen=True)
class Task:
    """An instruction, where it is given, and what fulfils it.

    stages, keep, steps: see :mod:`ppp.rearrangement.goals`. look: the condition that an "if" asks
    about, else []. branches: for an "if", the stages of its two outcomes (true, false); ``stages``
    is the one that applies. preset: "full" or "parity" (the paper's counts of actions).
    """

    seed: int
    split: str
    family: str
    instruction: str
    layout: int
    stages: List[List[List[Any]]]
    steps: List[List[List[Any]]]
    keep: List[List[Any]] = field(default_factory=list)
    look: List[Any] = field(default_factory=list)
    branches: List[List[List[List[Any]]]] = field(default_factory=list)
    setup: Setup = field(default_factory=Setup)
    preset: str = "full"

    def to_json(self) -> str:
        """One line of JSON."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @staticmethod
    def from_json(line: str) -> "Task":
        """The task of a line; PPPError where it is none."""
        try:
            data = json.loads(line)
            data["setup"] = Setup(**data["setup"])
            return Task(**data)
        except (ValueError, TypeError, KeyError) as error:
            raise PPPError(f"task: not the JSON of a task ({error}): write it with "
                           "Task.to_json") from None
