"""The one protocol of all planners, and the plan list as an open-loop planner under it."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, List, Optional, Protocol, Sequence, Tuple, Union

from ppp.engines.scene import Scene
from ppp.errors import PPPError
from ppp.planning.conditions import LASTING, InOrder
from ppp.planning.geometry import XY, distance
from ppp.planning.plan_schema import Plan, PlanStep
from ppp.planning.scenario import Scenario
from ppp.planning.situation import (
    Observation,
    Outcome,
    Situation,
    initial_observation,
    situation_of,
)
from ppp.planning.toppled import under_foot

#: an object further than this from where a plan assumed it makes the plan stale, m
MOVED = 0.3


@dataclass(frozen=True)
class Command:
    """The next thing to do: a sentence, the coordinate it is about (m), ``until`` as in a plan."""

    text: str
    target: XY
    until: Union[float, str, None] = None


@dataclass(frozen=True)
class Done:
    """Nothing more to do; ``reason`` is what the result says."""

    reason: str


class Planner(Protocol):
    """Decides the next command from what is observed. replans: how often it changed its plan."""

    replans: int

    def reset(self, instruction: str, scene: Scene) -> None:
        """Begin a new episode."""
        ...

    def act(self, now: Observation) -> Union[Command, Done]:
        """The next command, given the state and how the previous one went."""
        ...


class PlanMaker(Protocol):
    """Makes whole plans: by search, or by asking a model."""

    name: str

    def make(self, situation: Situation) -> Plan:
        """A sound plan for the situation; PPPError says why there is none."""
        ...


class ListPlanner:
    """Pops the steps of a plan; makes a new one when a step failed or the scene is not as assumed.

    plans: every plan so far. replans: how many of them came after the first; reasons: why, for
    each of those. limit: new plans allowed in one episode.
    """

    def __init__(
        self,
        scenario: Scenario,
        skills: Sequence[str],
        maker: PlanMaker,
        first: Optional[Plan] = None,
        limit: int = 12,
    ) -> None:
        self.scenario, self.skills, self.maker, self.limit = scenario, tuple(skills), maker, limit
        self._first = first
        self.reset(scenario.instruction, scenario.scene())

    def reset(self, instruction: str, scene: Scene) -> None:
        """Begin a new episode with the first plan; the instruction is the scenario's own."""
        self._scene = scene
        self.plans: List[Plan] = []
        self.reasons: List[str] = []
        self._history: List[Outcome] = []
        self._rest: List[PlanStep] = []
        self._assumed: Dict[str, XY] = {}

    @property
    def replans(self) -> int:
        """Plans made after the first one."""
        return max(0, len(self.plans) - 1)

    def prepare(self) -> Plan:
        """Make the first plan from the scenario alone and keep it for the episode."""
        if self._first is None:
            now = initial_observation(self.scenario)
            self._first = self.maker.make(self._situation(now, ""))
        return self._first

    def act(self, now: Observation) -> Union[Command, Done]:
        """The next step of the plan, after making a new plan where one is needed."""
        if now.last is not None:
            self._history.append(now.last)
        if not self.plans:
            # who has not prepared may stand anywhere by now, and things may have moved
            self._adopt(self._first or self.maker.make(self._situation(now, "")), now)
        else:
            done = self._revise(now)
            if done:
                return done
        step = self._rest.pop(0)
        return Command(step.command, step.target, step.until)

    def _revise(self, now: Observation) -> Optional[Done]:
        """Make a new plan if the old one failed, is stale or ran out; Done when it is over."""
        note = self._reason(now)
        if not note and self._rest:
            return None
        if not note:
            missing = unmet(self.scenario, now)
            if not missing:
                return Done("the plan is finished")
            note = f"the plan is finished, but this does not hold: {'; '.join(missing)}"
        if self.replans >= self.limit:
            return Done(f"gave up after {self.limit} new plans: {note}")
        try:
            self._adopt(self.maker.make(self._situation(now, note)), now)
        except PPPError as error:
            return Done(f"no further plan ({note}): {error}")
        self.reasons.append(note)
        return None

    def _reason(self, now: Observation) -> str:
        """Why the plan no longer fits, '' when it does."""
        last = now.last
        if last is not None and not last.ok:
            return f"'{last.command}' failed: {last.ended}"
        for name, view in now.props.items():
            # what an attack knocked over was meant to fall: the plan counts on it no longer
            if last is not None and name in last.toppled:
                self._assumed.pop(name, None)
            gone = distance(view.xy, self._assumed.get(name, view.xy))
            if gone > MOVED:
                return f"'{name}' moved {gone:.2f} m"
        if last is not None and last.toppled:
            name = under_foot(self._situation(now, ""), self._rest)
            return f"'{name}' lies in the way" if name else ""
        return ""

    def _adopt(self, plan: Plan, now: Observation) -> None:
        self.plans.append(plan)
        self._rest = list(plan.steps)
        self._assumed = {name: view.xy for name, view in now.props.items()}

    def _situation(self, now: Observation, note: str) -> Situation:
        return situation_of(
            self.scenario, self.skills, self._scene, now, self._history, note
        )


def unmet(scenario: Scenario, now: Observation) -> Tuple[str, ...]:
    """The checks that a plan could still make true, in words."""
    found: List[Any] = []
    for condition, done in zip(scenario.success, now.progress):
        needed = len(condition.in_order) if isinstance(condition, InOrder) else 1
        if done < needed and not isinstance(condition, LASTING):
            found.append(condition)
    return tuple(str(c) for c in found)
