"""Several performances at once: their humanoids take every step together, in one batch.

An executor asks its performer for a step and waits, as if it were alone. So each performance runs
in a thread of its own, of which only one is awake at any time: it runs until it wants a step, and
when all of them want one, it is taken for all (:func:`ppp.planning.physics.advance`). Nothing
depends on what the threads do meanwhile, and each performance is the one it would be alone.
"""
from __future__ import annotations

import threading
from typing import Any, Callable, Iterable, Iterator, List, Optional, TypeVar

from ppp.learning.bundle import Policy
from ppp.planning.performer import WorldState
from ppp.planning.physics import ROWS, PhysicsPerformer, advance

Task, Row = TypeVar("Task"), TypeVar("Row")


class Member(PhysicsPerformer):
    """A performer whose steps are taken by :func:`side_by_side`."""

    def __init__(self, policy: Policy) -> None:
        super().__init__(policy=policy)
        self.part: Optional[_Part] = None
        self.now: Optional[WorldState] = None

    def step(self) -> WorldState:
        """Wait until the step was taken with everybody's."""
        self.part.pause()
        return self.now


class _Part(threading.Thread):
    """A performance that pauses where it wants a step, until it is resumed."""

    def __init__(self, member: Member, work: Callable[[], Any]) -> None:
        super().__init__(daemon=True)  # ends with the program, also in the middle
        self.member, self._work = member, work
        self._go, self._stopped = threading.Semaphore(0), threading.Semaphore(0)
        self.over, self._row, self._error = False, None, None
        member.part = self
        self.start()

    def resume(self) -> None:
        """Let it run on to its next step, or to its end."""
        self._go.release()
        self._stopped.acquire()

    def pause(self) -> None:
        """Called in its own thread: give the turn back and wait for the next one."""
        self._stopped.release()
        self._go.acquire()

    def run(self) -> None:
        """The thread."""
        self._go.acquire()
        try:
            self._row = self._work()
        except BaseException as error:  # it is raised where the result is asked for
            self._error = error
        self.over = True
        self._stopped.release()

    def row(self) -> Any:
        """What came of it; raises what it raised."""
        if self._error is not None:
            raise self._error
        return self._row


def side_by_side(tasks: Iterable[Task], perform: Callable[[Task, PhysicsPerformer], Row],
                 policy: Policy, width: int = ROWS) -> Iterator[Row]:
    """``perform(task, performer)`` for every task, up to ``width`` at once, as they end.

    A task is taken from ``tasks`` when there is room for it. Raises what a performance raises.
    """
    coming = iter(tasks)
    idle = [Member(policy) for _ in range(width)]
    parts: List[_Part] = []
    while True:
        while idle:
            task = next(coming, None)
            if task is None:
                break
            member = idle.pop()
            parts.append(_Part(member, lambda t=task, m=member: perform(t, m)))
        if not parts:
            return
        for part in parts:
            part.resume()
            if part.over:
                idle.append(part.member)
                yield part.row()
        parts = [part for part in parts if not part.over]
        if parts:
            members = [part.member for part in parts]
            for member, state in zip(members, advance(members)):
                member.now = state
