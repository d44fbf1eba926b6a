"""In which order to go to several places: the shortest tour that keeps what is ordered."""
from __future__ import annotations

from typing import Dict, List, NamedTuple, Sequence, Set, Tuple

import numpy as np

from ppp.planning.conditions import KnockedOver, Reached
from ppp.planning.geometry import XY, Box
from ppp.planning.routes import lengths_between
from ppp.planning.situation import Situation
from ppp.planning.todo import Todo
from ppp.planning.zones import Keep

#: up to so many places the best order is found, beyond by going to the nearest
EXACT = 9
#: stands for a way that is closed, m: the walk itself says why
CLOSED = 1e4


class _Groups(NamedTuple):
    """head: done first, where the humanoid stands. groups: a place and what is done there.
    tail: done last. before: per group those that must come earlier."""

    head: List[Todo]
    groups: List[List[Todo]]
    tail: List[Todo]
    before: List[Set[int]]


def in_best_order(
    todos: Sequence[Todo], situation: Situation, boxes: Sequence[Box], keeps: Sequence[Keep]
) -> List[Todo]:
    """The todos with their places in the order of the shortest tour; what is ordered stays so."""
    head, groups, tail, before = _grouped(todos)
    if len(groups) < 2:
        return list(todos)
    centres = [_centre(group[0], situation) for group in groups]
    visited = {_named(group[0]) for group in groups}
    standing = [b for b in boxes if b.name not in visited]
    lengths = lengths_between([situation.xy, *centres], standing, keeps)
    lengths = np.minimum(lengths, CLOSED)
    order = _best(lengths, before) if len(groups) <= EXACT else _nearest(lengths, before)
    return [*head, *(todo for i in order for todo in groups[i]), *tail]


def _named(todo: Todo) -> str:
    condition = todo.condition
    place = condition.reached if isinstance(condition, Reached) else condition.knocked_over
    return place if isinstance(place, str) else ""


def _centre(todo: Todo, situation: Situation) -> XY:
    name = _named(todo)
    return situation.prop(name).position if name else todo.condition.reached


def _grouped(todos: Sequence[Todo]) -> _Groups:
    moving = [i for i, t in enumerate(todos) if isinstance(t.condition, (Reached, KnockedOver))]
    if not moving:
        return _Groups(list(todos), [], [], [])
    end = len(todos)
    while end > moving[-1] + 1 and not todos[end - 1].ordered:
        end -= 1
    groups = [list(todos[a:b]) for a, b in zip(moving, [*moving[1:], end])]
    return _Groups(list(todos[: moving[0]]), groups, list(todos[end:]), _before(groups))


def _before(groups: Sequence[Sequence[Todo]]) -> List[Set[int]]:
    last: Dict[int, int] = {}
    before: List[Set[int]] = []
    for i, group in enumerate(groups):
        chains = {todo.chain for todo in group if todo.ordered}
        before.append({last[c] for c in chains if c in last})
        last.update({c: i for c in chains})
    return before


def _best(lengths: np.ndarray, before: Sequence[Set[int]]) -> List[int]:
    """The shortest order by dynamic programming over subsets (Bellman 1962; Held and Karp 1962).

    lengths: (G + 1, G + 1) m, row 0 the start. Of equal orders the first in the file's.
    """
    best: Dict[Tuple[int, int], Tuple[float, Tuple[int, ...]]] = {(0, -1): (0.0, ())}
    for _ in before:
        longer: Dict[Tuple[int, int], Tuple[float, Tuple[int, ...]]] = {}
        for (done, at), (cost, order) in best.items():
            for i, needed in enumerate(before):
                if done >> i & 1 or any(not done >> n & 1 for n in needed):
                    continue
                found = (round(cost + float(lengths[at + 1, i + 1]), 6), (*order, i))
                key = (done | 1 << i, i)
                if key not in longer or found < longer[key]:
                    longer[key] = found
        best = longer
    return list(min(best.values())[1])


def _nearest(lengths: np.ndarray, before: Sequence[Set[int]]) -> List[int]:
    order: List[int] = []
    while len(order) < len(before):
        at = order[-1] + 1 if order else 0
        free = [i for i, needed in enumerate(before)
                if i not in order and needed <= set(order)]
        order.append(min(free, key=lambda i: (float(lengths[at, i + 1]), i)))
    return order
