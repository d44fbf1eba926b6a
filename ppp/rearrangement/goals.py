"""Goals as data: what must hold, in words a file can keep, and what tests it.

A goal is a list of stages, each a list of conditions; the stages must come true in their order.
A condition is a list whose first entry names it, ``["on", thing, "sofa"]``; a thing is
``[category, paint or "", holder or ""]``: every instance that has that paint and lies there at
first.
"""
from __future__ import annotations

from typing import Any, Callable, Container, Dict, List, Sequence, Tuple

from ppp.errors import PPPError, unknown
from ppp.rearrangement import vocabulary as words
from ppp.rearrangement.actions import STRIKES
from ppp.rearrangement.world import _FIRST_DUMMY, HELD, OPENS, State, World, closed, place_at

Condition = Sequence[Any]
Test = Callable[[State], bool]


def candidates(world: World, thing: Sequence[str]) -> Tuple[int, ...]:
    """The instances that ``[category, paint, holder]`` means in a world."""
    category, paint, holder = thing
    return tuple(
        i for i, kind in enumerate(world.kinds)
        if kind == category and (not paint or world.paints[i] == paint)
        and (not holder or world.first[i] == words.PLACE[holder])
    )  # fmt: skip


def _on(world: World, thing: Sequence[str], holder: str) -> Test:
    ids, place = candidates(world, thing), words.PLACE[holder]
    return lambda s: any(s.lies[i] == place for i in ids)


def _all_on(world: World, thing: Sequence[str], holder: str) -> Test:
    ids, place = candidates(world, thing), words.PLACE[holder]
    return lambda s: bool(ids) and all(s.lies[i] == place for i in ids)


def _holding(world: World, thing: Sequence[str]) -> Test:
    ids = candidates(world, thing)
    return lambda s: s.hold in ids


def _near(world: World, thing: Sequence[str]) -> Test:
    """One stands before it and sees it, or holds it."""
    ids, near = candidates(world, thing), world.sight.near

    def test(s: State) -> bool:
        for i in ids:
            holder = s.lies[i]
            if holder == HELD or (near[s.at, holder] and not closed(s, holder)):
                return True
        return False

    return test


def _before(world: World, thing: Sequence[str]) -> Test:
    """One stands where it lies, be it seen or not."""
    ids, near = candidates(world, thing), world.sight.near
    return lambda s: any(s.lies[i] == HELD or near[s.at, s.lies[i]] for i in ids)


def _at(world: World, place: str) -> Test:
    index = words.PLACE[place]
    return lambda s: place_at(s.at) == index


def _open(world: World, place: str) -> Test:
    index = OPENS[words.PLACE[place]]
    return lambda s: s.open[index]


def _shut(world: World, place: str) -> Test:
    index = OPENS[words.PLACE[place]]
    return lambda s: not s.open[index]


def _did(world: World, skills: Sequence[str], target: str) -> Test:
    """One of some skills was done to, or at, a place, since the stage began."""
    keys = [(skill, target) for skill in skills]

    def test(s: State) -> bool:
        return any(s.events.get(key, -1) >= s.since for key in keys)

    return test


def _down(world: World, dummy: str) -> Test:
    index = words.PLACE[dummy] - _FIRST_DUMMY
    return lambda s: s.down[index]


def _stay(world: World, thing: Sequence[str]) -> Test:
    ids = candidates(world, thing)
    return lambda s: all(s.lies[i] == world.first[i] for i in ids)


def _unseen(world: World) -> Test:
    return lambda s: not s.noticed


def _unburnt(world: World) -> Test:
    return lambda s: not s.burnt


def _up(world: World, dummy: str) -> Test:
    index = words.PLACE[dummy] - _FIRST_DUMMY
    return lambda s: not s.down[index]


_CONDITIONS: Dict[str, Callable[..., Test]] = {
    "on": _on, "all_on": _all_on, "holding": _holding, "near": _near, "before": _before,
    "at": _at, "open": _open, "shut": _shut, "did": _did, "down": _down, "up": _up,
    "stay": _stay, "unseen": _unseen, "unburnt": _unburnt,
}  # fmt: skip
#: what has gone wrong for good when it is broken
FINAL: Tuple[str, ...] = ("unseen", "unburnt", "up")


def compile_condition(world: World, condition: Condition) -> Test:
    """The test of one condition in a world; PPPError for one that is not known."""
    name, *rest = condition
    if name not in _CONDITIONS:
        raise unknown("condition", str(name), _CONDITIONS)
    try:
        return _CONDITIONS[name](world, *rest)
    except (KeyError, TypeError, ValueError):
        raise PPPError(f"goal: {list(condition)} is no '{name}': name things and places of the "
                       "vocabulary") from None


def _is_strike(condition: Condition) -> bool:
    return condition[0] == "did" and condition[1][0] in STRIKES


def _strike(world: World, condition: Condition) -> Tuple[int, Test]:
    """The dummy to be struck, and whether it was, as is wanted."""
    return words.PLACE[condition[2]] - _FIRST_DUMMY, compile_condition(world, condition)


class Goal:
    """A task's goal, tested on states: ``advance`` after every step, then ``reached``.

    stages: conditions in their order. keep: conditions that must hold at the end. steps: for
    each sub-goal the conditions that make it, in any order.
    """

    def __init__(
        self, world: World, stages: Sequence[Sequence[Condition]], keep: Sequence[Condition],
        steps: Sequence[Sequence[Condition]],
    ) -> None:
        self._stages = [[compile_condition(world, c) for c in stage] for stage in stages]
        self._keep = [compile_condition(world, c) for c in keep]
        self._final = [compile_condition(world, c) for c in keep if c[0] in FINAL]
        self._strikes = [[_strike(world, c) for c in stage if _is_strike(c)] for stage in stages]
        self._steps = [[compile_condition(world, c) for c in step] for step in steps]
        self.count = len(self._steps)

    def advance(self, state: State) -> None:
        """Pass every stage but the last that holds now."""
        last = len(self._stages) - 1
        while state.stage < last and all(test(state) for test in self._stages[state.stage]):
            state.stage += 1
            state.since = state.step + 1  # what comes next must be done after this step

    def reached(self, state: State) -> bool:
        """Whether the last stage and everything to keep hold now."""
        last = len(self._stages) - 1
        return (
            state.stage == last and all(test(state) for test in self._stages[last])
            and all(test(state) for test in self._keep)
        )  # fmt: skip

    def lost(self, state: State) -> bool:
        """Whether the goal is out of reach for good: nobody raises what lies, or unsees."""
        if not all(test(state) for test in self._final):
            return True
        return any(
            state.down[dummy] and not test(state)
            for stage in self._strikes[state.stage:] for dummy, test in stage
        )  # fmt: skip

    def achieved(self, state: State, known: Container[int] = ()) -> List[int]:
        """The sub-goals that hold now, but for those that are known."""
        return [
            i for i, tests in enumerate(self._steps)
            if i not in known and all(test(state) for test in tests)
        ]  # fmt: skip
