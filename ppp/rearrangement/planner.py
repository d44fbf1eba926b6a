"""The learned planner under the protocol of all planners: one action at a time, in closed loop."""
from __future__ import annotations

from typing import Any, Dict, List, Optional, Sequence, Union

from ppp.engines.scene import Scene
from ppp.errors import PPPError
from ppp.planning.conditions import LASTING
from ppp.planning.plan_schema import Plan, PlanStep
from ppp.planning.planner import Command, Done, unmet
from ppp.planning.scenario import Scenario
from ppp.planning.situation import (
    Matcher,
    Observation,
    Outcome,
    Situation,
    initial_observation,
    situation_of,
)
from ppp.rearrangement.actions import ACTIONS, Action
from ppp.rearrangement.observe import LIMIT
from ppp.rearrangement.scene import Bridge
from ppp.rearrangement.show import Chooser

#: an action whose step failed is tried again so often before the chooser hears of it
RETRIES = 2


class LearnedPlanner:
    """Asks a chooser for the next action after each one was performed.

    As in training an episode has ``LIMIT`` actions, those that cannot be done among them, and is
    over when the scenario's checks hold. Where it has none, because nobody could read the
    instruction, it is over once an action comes again or is in vain: there is nothing left to do.

    actions: their phrases so far; problems: what was in vain; plans: the steps of each action.
    """

    #: its plans follow each other, none replaces another
    stepwise = True

    def __init__(
        self, scenario: Scenario, skills: Sequence[str], chooser: Chooser, matcher: Matcher,
        mode: str = "appearance",
    ) -> None:
        self.scenario, self.skills, self.chooser = scenario, tuple(skills), chooser
        self.bridge = Bridge(scenario, matcher, mode)
        self.replans = 0
        self._checked = any(not isinstance(c, LASTING) for c in scenario.success)
        self.reset(scenario.instruction, scenario.scene())

    def reset(self, instruction: str, scene: Scene) -> None:
        """Begin a new episode; the instruction is the scenario's own."""
        self._scene = scene
        self._history: List[Outcome] = []
        self._rest: List[PlanStep] = []
        self._invalid, self._failed = False, False
        self._action: Optional[Action] = None
        self._tries = 0
        self.actions: List[str] = []
        self.problems: List[str] = []
        self.plans: List[Plan] = []
        self.chooser.reset(self.bridge.instruction)

    def prepare(self) -> Plan:
        """The steps of the first action, without performing it; PPPError where there is none."""
        self.reset(self.scenario.instruction, self.scenario.scene())
        problem = self._decide(self._situation(initial_observation(self.scenario)))
        if problem:
            raise PPPError(f"scenario '{self.scenario.name}': the learned planner {problem}")
        return self.plans[-1]

    def as_dict(self) -> Dict[str, Any]:
        """What it chose, as plain data."""
        return {"read": self.bridge.instruction, "actions": list(self.actions),
                "in_vain": list(self.problems)}

    def act(self, now: Observation) -> Union[Command, Done]:
        """The next step of the action on its way, or the first of a new action."""
        if self._took_in(now.last) and (unmet(self.scenario, now) or not self._checked):
            self._retry(self._situation(now))
        if not self._rest:
            if self._checked and not unmet(self.scenario, now):
                return Done("what was asked for holds")
            problem = self._decide(self._situation(now))
            if problem:
                return Done(problem)
        step = self._rest.pop(0)
        return Command(step.command, step.target, step.until)

    def _took_in(self, last: Optional[Outcome]) -> bool:
        """Note how the last step went; whether it failed, and with it its action."""
        if last is None:
            return False
        self._history.append(last)
        if not last.ok:
            self._failed, self._rest = True, []
            self.problems.append(f"{last.command}: {last.ended}")
        return not last.ok

    def _retry(self, now: Situation) -> None:
        """Do the same action from here, if it was not tried too often and still can be done."""
        if self._action is not None and self._tries < RETRIES:
            found = self._steps(self._action, now)
            self._tries += 1
            if not isinstance(found, str):
                self._begin(found)
                self._failed = False

    def _begin(self, steps: List[PlanStep]) -> None:
        self._rest = list(steps)
        self.plans.append(Plan(steps=steps))

    def _decide(self, now: Situation) -> str:
        """Ask until an action can be done; why not, when there were too many."""
        while len(self.actions) < LIMIT:
            seen = self.bridge.observe(now, len(self.actions), self._action, self._invalid,
                                       self._failed)
            action, before = ACTIONS[self.chooser.act(seen)], self._action
            if not self._checked and action == before:
                return f"chose '{action.phrase}' again: nothing is left to do"
            self.actions.append(action.phrase)
            self._action, self._tries, self._failed = action, 0, False
            found = self._steps(action, now)
            self._invalid = isinstance(found, str)
            if isinstance(found, str):
                self.problems.append(f"{action.phrase}: {found}")
                if not self._checked and before is not None:
                    return f"chose '{action.phrase}': {found}"
            else:
                self._begin(found)
                return ""
        return f"gave up after {LIMIT} actions: {'; '.join(self.problems[-3:])}"

    def _steps(self, action: Action, now: Situation) -> Union[List[PlanStep], str]:
        try:
            return self.bridge.steps(action, now)
        except PPPError as error:
            return str(error)

    def _situation(self, now: Observation) -> Situation:
        return situation_of(self.scenario, self.skills, self._scene, now, self._history)
