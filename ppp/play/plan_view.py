"""The plan as it is shown: its steps with how each stands, and the success checks."""
from __future__ import annotations

from typing import Any, List, Optional, Tuple

from ppp.planning.executor import Began, Ended
from ppp.planning.plan_schema import Plan
from ppp.planning.planner import Planner
from ppp.planning.result import Result
from ppp.planning.scenario import Scenario
from ppp.planning.validate import point
from ppp.play.views import DONE, FAILED, NOW, TODO, Line


class PlanView:
    """Follows one errand by its events; without arguments, nothing was asked for yet."""

    def __init__(self, scenario: Optional[Scenario] = None, how: str = "",
                 planner: Optional[Planner] = None) -> None:
        self.task = scenario.instruction if scenario else ""
        self.planner = how
        self._source = planner
        self._plan: Optional[Plan] = None
        self._lines: List[Line] = []
        self._index, self._first = -1, 0
        self._between = ""
        self._checks = tuple(Line(str(c)) for c in scenario.success) if scenario else ()

    def steps(self) -> Tuple[Line, ...]:
        """The steps of the latest plan; what happens between two of them comes last."""
        between = (Line(self._between, NOW),) if self._between else ()
        return (*self._lines, *between)

    def checks(self) -> Tuple[Line, ...]:
        """The success checks."""
        return self._checks

    def on(self, event: Any) -> None:
        """A step begins or ends."""
        if isinstance(event, Began):
            self._began(event)
        elif isinstance(event, Ended):
            mark = DONE if event.outcome.ok else FAILED
            if self._between:
                self._between = ""
            elif 0 <= self._index < len(self._lines):
                self._mark(self._index, mark, event.outcome.ended)

    def _began(self, event: Began) -> None:
        plans = getattr(self._source, "plans", [])
        if plans and plans[-1] is not self._plan:
            self._plan = plans[-1]
            # a planner that goes step by step adds to what was done; a new plan replaces an old one
            done = self._lines[:self._index + 1] if hasattr(self._source, "stepwise") else []
            self._first, self._index = len(done), len(done) - 1
            self._lines = done + [Line(f"{s.command} \u2192 {point(s.target)}")
                                  for s in plans[-1].steps]
        following = self._index + 1
        steps = [None] * self._first + (list(self._plan.steps) if self._plan else [])
        planned = following < len(steps) and steps[following].command == event.command.text
        if planned:
            self._index = following
            self._mark(following, NOW)
        else:  # getting up is in no plan
            self._between = event.command.text

    def _mark(self, index: int, mark: str, note: str = "") -> None:
        self._lines[index] = Line(self._lines[index].text, mark, note)

    def judged(self, result: Result) -> None:
        """The errand is over, and this is how its checks came out."""
        self._between = ""
        self._checks = tuple(Line(c.check, DONE if c.passed else FAILED, c.detail)
                             for c in result.checks)

    def failed(self, why: str) -> None:
        """The errand is over without a result."""
        self._between = ""
        self._lines = [Line(s.text, FAILED, why) if s.mark == NOW else s for s in self._lines]
        self._checks = tuple(Line(c.text, FAILED, why) if c.mark == TODO else c
                             for c in self._checks)
