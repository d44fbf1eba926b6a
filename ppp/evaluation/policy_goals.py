"""What the shipped policy should reach, and what others reached: the figures to measure it by."""
from __future__ import annotations

from typing import Any, Dict, List, NamedTuple, Optional

#: CALM (Tessler et al., arXiv 2305.02195): samples and hours of its training
CALM_SAMPLES, CALM_HOURS = 5.0e9, 37.0


class Goal(NamedTuple):
    """One line: a figure, what it should be at least (or at most), and what others have."""

    figure: str
    meaning: str
    bound: float
    at_least: bool
    unit: str
    others: str


class Verdict(NamedTuple):
    """A goal, what was measured (None: this part was not run) and its spread over seeds."""

    goal: Goal
    value: Optional[float]
    spread: Optional[float]

    @property
    def met(self) -> Optional[bool]:
        """Whether the goal is reached; None where it was not measured."""
        if self.value is None or self.value != self.value:
            return None
        return self.value >= self.goal.bound if self.goal.at_least else \
            self.value <= self.goal.bound

    def text(self, value: Optional[float]) -> str:
        """A value in the goal's unit."""
        if value is None or value != value:
            return "–"
        return f"{100 * value:.1f} %" if self.goal.unit == "%" else \
            f"{value:.1f} {self.goal.unit}".strip()

    def bound_text(self) -> str:
        """What is asked for."""
        return ("at least " if self.goal.at_least else "at most ") + self.text(self.goal.bound)


GOALS = (
    Goal("skill_accuracy", "skill accuracy", 0.85, True, "%", "CALM 78 % (judged by people)"),
    Goal("worst_skill", "the worst skill", 0.60, True, "%", ""),
    Goal("worst_gait", "arrival, the worst gait", 0.90, True, "%",
         "CALM 81 to 99 %, CLoSD 100 %"),
    Goal("worst_gait_turning", "the same, turning on the spot first", 0.90, True, "%", ""),
    Goal("heading_error_deg", "heading error, median", 10.0, False, "°", ""),
    Goal("transitions", "transitions", 0.85, True, "%", "SuperPADL 91 to 93 %"),
    Goal("falls_per_100s", "falls in 100 s", 1.0, False, "", ""),
    Goal("strike", "strike (CALM's rule)", 0.85, True, "%", "CALM 96 to 100 %, CLoSD 90 %"),
)


def verdicts(figures: Dict[str, Any]) -> List[Verdict]:
    """Every goal against the figures of a report."""
    known = dict(figures)
    if "per_skill" in figures:
        known["worst_skill"] = min(row["right"] for row in figures["per_skill"].values())
    for name, source in (("worst_gait", "arrival"), ("worst_gait_turning", "arrival_turning")):
        if source in figures:
            known[name] = min(figures[source].values())
    return [Verdict(goal, known.get(goal.figure), known.get(f"{goal.figure}_spread"))
            for goal in GOALS]


def training_card(card: Dict[str, Any]) -> Dict[str, Any]:
    """Samples, hours and samples per second of a bundle's training, beside CALM's.

    Those of the warm start count, and those behind the weights that the run began with.
    """
    facts = card.get("training") or {}
    before = facts.get("before") or {"samples": 0, "seconds": 0.0}
    samples = (facts.get("samples") or 0) + facts.get("warm_samples", 0) + before["samples"] or None
    seconds = (facts.get("seconds") or 0.0) + before["seconds"]
    out: Dict[str, Any] = {"calm_samples": CALM_SAMPLES, "calm_hours": CALM_HOURS,
                           "samples": samples, "hours": None, "samples_per_s": None}
    if samples:
        out["share_of_calm_samples"] = samples / CALM_SAMPLES
    if seconds:
        out["hours"] = seconds / 3600.0
    if samples and seconds:
        out["samples_per_s"] = samples / seconds
    return out
