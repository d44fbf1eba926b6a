"""Real time: ticks as they fall due, and how well that is kept."""
from __future__ import annotations

import time
from collections import deque
from typing import Callable, Deque, Optional, Tuple

from ppp.planning.performer import CONTROL_DT
from ppp.play.session import Session
from ppp.play.views import View

#: s that the simulation may fall behind before it gives up catching up
BEHIND = 0.25
#: s over which the real-time factor is taken
WINDOW = 2.0


class Meter:
    """The real-time factor of late: 1 when every tick was in time, less on a slow machine."""

    def __init__(self) -> None:
        self._ticks: Deque[Tuple[float, float]] = deque()

    def tick(self, now: float, speed: float) -> None:
        """A control step was taken at ``now`` s while the show ran at ``speed``."""
        self._ticks.append((now, CONTROL_DT / speed))
        while self._ticks[0][0] < now - WINDOW:
            self._ticks.popleft()

    def clear(self) -> None:
        """Begin anew, after a pause."""
        self._ticks.clear()

    @property
    def factor(self) -> float:
        """Time that was shown per time that went by; 0 while nothing is known yet."""
        if len(self._ticks) < 10:
            return 0.0
        gone = self._ticks[-1][0] - self._ticks[0][0]
        return sum(t for _, t in list(self._ticks)[1:]) / max(gone, 1e-9)


def run(session: Session, show: Callable[[View, float], None], goes_on: Callable[[], bool],
        clock: Callable[[], float] = time.perf_counter,
        sleep: Callable[[float], None] = time.sleep) -> None:
    """Tick in real time until ``goes_on`` says no.

    A slow machine shows fewer pictures first: a frame is left out while ticks are overdue.
    """
    meter, due, left_out = Meter(), clock(), 0
    while goes_on():
        view = session.tick()
        now = clock()
        if view.paused:
            meter.clear()
        else:
            meter.tick(now, view.speed)
        if now <= due + CONTROL_DT or left_out >= 3:
            show(view, meter.factor)
            left_out = 0
        else:
            left_out += 1
        due = _next(due + CONTROL_DT / view.speed, clock(), sleep)


def _next(due: float, now: float, sleep: Callable[[float], None]) -> float:
    """Wait until ``due``; the time from which the next tick counts."""
    if due > now:
        sleep(due - now)
        return due
    return due if now - due < BEHIND else now


def measure(session: Session, show: Callable[[View, float], None], seconds: float,
            script: Optional[Callable[[float], None]] = None) -> Tuple[float, float]:
    """As fast as it goes: (simulated s per s of wall clock, per s of processor time).

    Every control step is shown. script: told the simulated time before each tick.
    """
    wall, processor = time.perf_counter(), time.process_time()
    steps = round(seconds / CONTROL_DT)
    for step in range(steps):
        if script is not None:
            script(step * CONTROL_DT)
        show(session.tick(), 0.0)
    return (steps * CONTROL_DT / (time.perf_counter() - wall),
            steps * CONTROL_DT / (time.process_time() - processor))
