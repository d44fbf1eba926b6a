"""What the session shows: plain values that a page, or a test, can read and compare."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Optional, Tuple

from ppp.planning.performer import Poses, WorldState
from ppp.play.things import Place

#: marks of a step or a check
TODO, NOW, DONE, FAILED = "todo", "now", "done", "failed"


@dataclass(frozen=True)
class Heard:
    """What a text was understood as. alternatives: (skill, distance) of the next nearest.

    advice: what to do about a text that cannot be carried out, '' where it can. verb: the word that
    decided on the skill instead of the nearest code, '' for none.
    """

    text: str
    skill: str
    known: bool
    distance: float
    alternatives: Tuple[Tuple[str, float], ...]
    advice: str = ""
    verb: str = ""

    @classmethod
    def of(cls, match: Any, verb: str = "") -> "Heard":
        """From a ``ppp.language`` match."""
        return cls(match.text, match.skill or "", bool(match.performable), float(match.distance),
                   tuple((s, float(d)) for s, d in match.alternatives), match.reason, verb)


@dataclass(frozen=True)
class Line:
    """One step of a plan, or one check: what it is, how it stands, what was seen."""

    text: str
    mark: str = TODO
    note: str = ""


@dataclass(frozen=True)
class View:
    """The session after a tick. goal: where the skill under way is headed, m, None for nowhere.

    plan, checks: of the errand under way or the last one; planner: who planned it. recording: s
    recorded so far, None while nothing is recorded.
    """

    state: WorldState
    pose: Poses
    skill: str
    goal: Optional[Tuple[float, float]]
    target: Optional[Place]
    heard: Tuple[Heard, ...]
    task: str
    planner: str
    plan: Tuple[Line, ...]
    checks: Tuple[Line, ...]
    message: str
    paused: bool
    speed: float
    recording: Optional[float]
    busy: bool
