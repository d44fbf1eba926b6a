"""What ``ppp plan`` prints: the plan, each step as it happens, the checks.

Text from a scenario or a reply is printed as text: rich's markup is never read from it.
"""
from __future__ import annotations

from typing import Any, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ppp.planning.checks import CheckResult
from ppp.planning.executor import Began, Ended, Replanned
from ppp.planning.plan_schema import Plan
from ppp.planning.scenario import Scenario
from ppp.planning.situation import Matcher
from ppp.planning.validate import point


class Report:
    """Prints to the terminal; plain text where there is none."""

    def __init__(self) -> None:
        self.console = Console(highlight=False)

    def line(self, text: str, style: str = "") -> None:
        """One line; the terminal wraps it."""
        self.console.print(Text(text, style=style), soft_wrap=True)

    def task(self, scenario: Scenario, planner: str) -> None:
        """What is to be done, and who plans it."""
        self.line(f"{scenario.name}: {scenario.instruction}", "bold")
        self.line(f"planner: {planner}")

    def plan(self, plan: Plan, matcher: Matcher, title: str = "plan") -> None:
        """A plan as a table: command, skill, target, until."""
        table = Table(title=title, title_justify="left")
        for column in ("#", "command", "skill", "target (m)", "until"):
            table.add_column(column)
        for number, step in enumerate(plan.steps, start=1):
            until = f"{step.until:g} s" if isinstance(step.until, float) else step.until or ""
            match = matcher(step.command)
            skill = match.skill if match.known else "unknown"
            cells = (str(number), step.command, skill, point(step.target), until)
            table.add_row(*(Text(cell) for cell in cells))
        self.console.print(table)

    def event(self, event: Any) -> None:
        """A step that begins or ends, or a change of plan."""
        if isinstance(event, Began):
            skill = event.skill or "?"
            place = point(event.command.target)
            self.line(f"{event.time:6.1f} s  {event.command.text}  [{skill}] -> {place}")
        elif isinstance(event, Ended):
            outcome = event.outcome
            style = "green" if outcome.ok else "yellow"
            self.line(f"{outcome.end:6.1f} s    {outcome.ended}", style)
        elif isinstance(event, Replanned):
            self.line(f"{event.time:6.1f} s  new plan {event.count}: {event.why}", "yellow")

    def checks(self, results: Sequence[CheckResult]) -> None:
        """Every success check with what was seen."""
        for result in results:
            mark, style = ("ok    ", "green") if result.passed else ("FAILED", "red")
            self.line(f"{mark} {result.check}: {result.detail}", style)
