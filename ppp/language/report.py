"""Tables for the terminal."""
from __future__ import annotations

from typing import Any, Dict, List, Optional, Sequence

from rich.console import Console
from rich.table import Table

#: a skill that loses more than this share by training is marked
FALL = 0.05
#: figures of ``scores.score`` in the order they are shown, with their names
FIGURES = (
    ("top1", "held-out, nearest skill right"), ("strict", "of these: no word shared with training"),
    ("natural", "natural phrasings right"), ("planner", "planner sentences right"),
    ("negation", "negations right"), ("negation_trap", "negations: fell for the negated word"),
    ("composite", "composite commands all right"),
    ("composite_clauses", "clauses of composite commands right"),
    ("auroc_far", "AUROC far out-of-set"),
    ("auroc_near", "AUROC near out-of-set"), ("refused_good", "good held-out commands refused"),
    ("refused_all_good", "all good commands refused"),
    ("refused_natural", "good natural phrasings refused"),
    ("refused_planner", "good planner sentences refused"),
    ("accepted_right", "right among accepted held-out"),
    ("accepted_far", "far out-of-set accepted"), ("accepted_near", "near out-of-set accepted"))


def percent(value: Optional[float]) -> str:
    """A share as a percentage with one decimal; '-' for None."""
    return "-" if value is None else f"{100 * value:.1f}"


def skill_table(columns: Dict[str, Dict[str, float]]) -> Table:
    """Share right per skill, one column for each run (the first is 'before', the last 'after')."""
    names = list(columns)
    table = Table("skill", *names, "change")
    for skill in columns[names[-1]]:
        values = [columns[name].get(skill) for name in names]
        table.add_row(skill, *[percent(value) for value in values], _change(values))
    return table


def _change(values: Sequence[Optional[float]]) -> str:
    """Last minus first in points, falls marked."""
    first, last = values[0], values[-1]
    if len(values) < 2 or first is None or last is None:
        return ""
    mark = "  FALL" if last < first - FALL else ""
    return f"{100 * (last - first):+.1f}{mark}"


def figure_table(columns: Dict[str, Dict[str, Any]]) -> Table:
    """The overall figures in %, one column for each run."""
    table = Table("figure (%)", *columns)
    for key, name in FIGURES:
        values: List[Optional[float]] = [scores.get(key) for scores in columns.values()]
        if any(value is not None for value in values):
            table.add_row(name, *[percent(value) for value in values])
    return table


def console(stderr: bool = False) -> Console:
    """A console that does not break lines of a log file at 80 columns."""
    return Console(stderr=stderr, soft_wrap=True, highlight=False)
