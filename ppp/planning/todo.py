"""What is left to be done: the success checks that do not hold yet, in a sensible order."""
from __future__ import annotations

from typing import Any, List, NamedTuple, Sequence

from ppp.planning.conditions import LASTING, Facing, InOrder, KnockedOver, Reached
from ppp.planning.situation import Situation
from ppp.planning.skills import FORWARD, REACH


class Todo(NamedTuple):
    """A check to make true. chain: the number of its ``in_order``, -1 outside of any."""

    condition: Any
    chain: int = -1

    @property
    def ordered(self) -> bool:
        """Whether it stands in an ``in_order``."""
        return self.chain >= 0


def remaining(situation: Situation) -> List[Todo]:
    """The checks still to be made true; a facing comes after the last walk that could undo it."""
    todos: List[Todo] = []
    for chain, condition in enumerate(situation.scenario.success):
        done = situation.progress[chain]
        if isinstance(condition, InOrder):
            todos += [Todo(c, chain) for c in condition.in_order[done:]]
        elif not isinstance(condition, LASTING) and not done:
            todos.append(Todo(condition))
    moving = [i for i, t in enumerate(todos) if isinstance(t.condition, (Reached, KnockedOver))]
    last = moving[-1] if moving else -1
    early = [t for t in todos[:last] if isinstance(t.condition, Facing) and not t.ordered]
    kept = [t for t in todos[: last + 1] if t not in early]
    return kept + early + todos[last + 1 :]


def comes_along(todo: Todo, later: Sequence[Todo]) -> bool:
    """Whether a gait or a blow asked for in any order is shown by a walk or a strike to come."""
    skill = getattr(todo.condition, "performed", None)
    if skill is None or todo.ordered:
        return False
    shown_by = (Reached, KnockedOver) if skill in FORWARD else KnockedOver
    useful = skill in FORWARD or skill in REACH
    return useful and any(isinstance(t.condition, shown_by) for t in later)
