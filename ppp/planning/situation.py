"""What a planner knows: the scene as it is now, what was achieved, and what was tried."""
from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any, Dict, FrozenSet, Mapping, Optional, Protocol, Sequence, Tuple

from ppp.engines.scene import Prop, Scene
from ppp.planning.geometry import FALLEN_UP_Z, XY
from ppp.planning.scenario import Scenario


class Match(Protocol):
    """A command's skill: ``known`` is false where no skill fits, ``distance`` to its code."""

    skill: str
    known: bool
    distance: float


class Matcher(Protocol):
    """Classifies a command; ``ppp.language.load_matcher`` makes one."""

    def __call__(self, text: str) -> Match:
        """The skill that ``text`` names."""
        ...


def remembered(matcher: Matcher) -> Matcher:
    """The same matcher, which reads no sentence twice: a search says the same ones again."""
    known: Dict[str, Match] = {}

    def match(text: str) -> Match:
        if text not in known:
            known[text] = matcher(text)
        return known[text]

    return match


@dataclass(frozen=True)
class PropView:
    """A prop on the floor plan: centre in m, whether it lies on its side, and to where its top
    points then, rad (None: nobody saw how it lies)."""

    xy: XY
    fallen: bool = False
    along: Optional[float] = None


@dataclass(frozen=True)
class Outcome:
    """How one step of a plan went.

    skill: '' when the command was not understood. distance: from the command to its skill's code.
    start, end: s. ended: why it ended, in words. ok: it did what it was for. remaining: m from the
    humanoid to the target at the end. toppled: objects that fell during the step.
    """

    command: str
    skill: str
    target: XY
    distance: float
    start: float
    end: float
    ended: str
    ok: bool
    remaining: float
    toppled: Tuple[str, ...] = ()

    def as_dict(self) -> Dict[str, Any]:
        """The step's entry in the result's JSON."""
        return {
            "command": self.command,
            "skill": self.skill or None,
            "target": [round(v, 4) for v in self.target],
            "distance": round(self.distance, 4) if math.isfinite(self.distance) else None,
            "time": round(self.end - self.start, 3),
            "start": round(self.start, 3),
            "end": round(self.end, 3),
            "ended": self.ended,
            "ok": self.ok,
            "remaining": round(self.remaining, 3),
        }


@dataclass(frozen=True)
class Observation:
    """What ``act`` is given: the state after the previous command, and how that one went.

    time: s. xy: pelvis, m. heading: rad. props: by name, those with a body.
    progress: per success check of the scenario, how many of its members hold (0 or 1; for
    ``in_order`` the number of members that came true in order).
    """

    time: float
    xy: XY
    heading: float
    props: Mapping[str, PropView]
    progress: Tuple[int, ...]
    last: Optional[Outcome] = None


@dataclass(frozen=True)
class Situation:
    """Everything a plan is made from. Positions in m, heading in rad, world frame.

    along: of what lies, by name, to where its top points, rad, where that was seen.
    """

    scenario: Scenario
    skills: Tuple[str, ...]
    xy: XY
    heading: float
    props: Tuple[Prop, ...]
    fallen: FrozenSet[str]
    progress: Tuple[int, ...]
    history: Tuple[Outcome, ...] = ()
    note: str = ""
    along: Mapping[str, float] = field(default_factory=dict)

    def prop(self, name: str) -> Prop:
        """The prop of that name, where it is now; the scenario has checked that it exists."""
        return next(p for p in self.props if p.name == name)

    def standing(self) -> Tuple[Prop, ...]:
        """The props with a body that stand upright."""
        return tuple(p for p in self.props if p.kind != "marker" and p.name not in self.fallen)


def initial_observation(scenario: Scenario) -> Observation:
    """The observation before the first step, from the scenario alone."""
    scene = scenario.scene()
    return Observation(
        time=0.0,
        xy=scenario.start.position,
        heading=math.radians(scenario.start.heading),
        props={p.name: PropView(p.position) for p in scene.bodies},
        progress=(0,) * len(scenario.success),
    )


def situation_of(
    scenario: Scenario,
    skills: Sequence[str],
    scene: Scene,
    now: Observation,
    history: Sequence[Outcome] = (),
    note: str = "",
) -> Situation:
    """The situation in which ``now`` was observed; props are where they are seen."""
    moved = [
        replace(p, position=now.props[p.name].xy) if p.name in now.props else p
        for p in scene.props
    ]
    fallen = frozenset(name for name, view in now.props.items() if view.fallen)
    along = {name: view.along for name, view in now.props.items() if view.along is not None}
    return Situation(
        scenario, tuple(skills), now.xy, now.heading, tuple(moved), fallen, now.progress,
        tuple(history), note, along,
    )  # fmt: skip


def lies(up_z: float) -> bool:
    """Whether a prop whose own z axis points up by ``up_z`` has been knocked over."""
    return up_z < FALLEN_UP_Z
