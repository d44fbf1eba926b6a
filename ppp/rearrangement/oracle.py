"""The privileged oracle: the fewest actions that fulfil a task, by A* over the true state.

It knows where everything lies and what is open, so its length is a lower bound of every policy's;
the search expert's excess over it is the price of having to look.
"""
from __future__ import annotations

import heapq
from itertools import count
from typing import Any, Iterator, List, Optional, Sequence, Set, Tuple

from ppp.rearrangement import actions as acts
from ppp.rearrangement import vocabulary as words
from ppp.rearrangement.furnish import furnish
from ppp.rearrangement.goals import Goal, candidates, compile_condition
from ppp.rearrangement.observe import LIMIT
from ppp.rearrangement.task import Task
from ppp.rearrangement.world import HELD, State, World, apply, why_not

#: states looked at before it gives up
MOST = 200_000


def optimal_plan(task: Task) -> Optional[List[acts.Action]]:
    """A shortest plan, or None where none has at most ``LIMIT`` actions."""
    world, state, _ = furnish(task)
    return _Oracle(task, world).plan(state)


def optimal_length(task: Task) -> Optional[int]:
    """The number of actions of a shortest plan, or None where there is none."""
    plan = optimal_plan(task)
    return None if plan is None else len(plan)


class _Oracle:
    """A* (Hart, Nilsson and Raphael, 1968) with a bound that counts what must yet be done."""

    def __init__(self, task: Task, world: World) -> None:
        self.world, self.task = world, task
        self.goal = Goal(world, task.stages, task.keep, task.steps)
        conditions = [c for stage in task.stages for c in stage]
        self._did = [compile_condition(world, c) for c in conditions if c[0] == "did"]
        self._tests = [[(c, compile_condition(world, c)) for c in stage] for stage in task.stages]
        self._things = sorted({i for c in conditions for thing in _things(c)
                               for i in candidates(world, thing)})
        self._actions = self._useful(conditions)

    def plan(self, first: State) -> Optional[List[acts.Action]]:
        """The actions of a shortest plan from a state."""
        self.goal.advance(first)
        ticket, best = count(), {self._key(first): 0}
        queue: List[Tuple[int, int, int, State, Tuple[acts.Action, ...]]] = [
            (self._left(first), 0, next(ticket), first, ())]
        while queue and len(best) < MOST:
            _, _, _, state, done = heapq.heappop(queue)
            if self.goal.reached(state):
                return list(done)
            if len(done) > best[self._key(state)] or len(done) >= LIMIT:
                continue
            for action, after in self._next(state):
                key, cost = self._key(after), len(done) + 1
                if cost < best.get(key, LIMIT + 1):
                    best[key] = cost
                    bound = cost + self._left(after)
                    # of equal bounds the one that is further first
                    heapq.heappush(queue, (bound, -cost, next(ticket), after, (*done, action)))
        return None

    def _next(self, state: State) -> Iterator[Tuple[acts.Action, State]]:
        for action in self._actions:
            if not why_not(self.world, state, action):
                after = state.copy()
                apply(self.world, after, action)
                self.goal.advance(after)
                after.step += 1
                if not self.goal.lost(after):
                    yield action, after

    def _key(self, state: State) -> Tuple[Any, ...]:
        return (state.at, state.hold, state.stage, tuple(state.lies[i] for i in self._things),
                tuple(state.open), tuple(state.down), tuple(test(state) for test in self._did))

    def _left(self, state: State) -> int:
        """Never more than what is missing: what each open condition needs for itself."""
        stage = self._tests[min(state.stage, len(self._tests) - 1)]
        missing = [c for c, test in stage if not test(state)]
        ends = {words.PLACE[c[2]] for c in missing if c[0] in ("on", "all_on")}
        return sum(self._needs(state, c, ends) for c in missing) + len(self._tests) - 1 - (
            state.stage)

    def _needs(self, state: State, condition: Sequence[Any], ends: Set[int]) -> int:
        name = condition[0]
        if name not in ("on", "all_on"):
            return 1
        ids, place = candidates(self.world, condition[1]), words.PLACE[condition[2]]
        costs = [self._carry(state, i, place, ends) for i in ids if state.lies[i] != place]
        return sum(costs) if name == "all_on" else min(costs)

    def _carry(self, state: State, i: int, place: int, ends: Set[int]) -> int:
        """Walk to it, take it, walk on, put it down; a walk may also be another one's last."""
        near = self.world.sight.near[state.at]
        if state.lies[i] == HELD:
            return 1 if near[place] else 2
        walk = 0 if near[state.lies[i]] or state.lies[i] in ends else 1
        return walk + 3

    def _useful(self, conditions: Sequence[Sequence[Any]]) -> List[acts.Action]:
        """The actions that a shortest plan can hold."""
        world, named = self.world, set(_strings(conditions))
        holders = {words.PLACES[world.first[i]] for i in self._things}
        careful = any(c[0] == "unburnt" for c in self.task.keep)
        goals = {*named, *holders, words.GATE, words.WALL, *(words.PLACES if careful else ())}
        skills = {s for c in conditions if c[0] == "did" for s in c[1]}
        moved = any(c[0] in ("on", "all_on", "holding") for c in conditions)
        wanted = []
        for action in acts.ACTIONS:
            skill, target = action.skill, action.target
            if skill == acts.GO:
                useful = target in goals
            elif skill == acts.PICK:
                useful = moved and target in named
            elif skill == acts.PLACE:
                useful = moved and target in named
            elif skill in (acts.OPEN, acts.CLOSE):
                useful = target in (*named, *holders, words.GATE)
            elif skill == acts.JUMP:
                useful = True
            else:
                useful = skill in skills and (not target or target in named)
            if useful:
                wanted.append(action)
        return wanted


def _things(condition: Sequence[Any]) -> List[Sequence[str]]:
    return [condition[1]] if condition[0] in ("on", "all_on", "holding", "near") else []


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    else:
        for entry in value:
            yield from _strings(entry)
