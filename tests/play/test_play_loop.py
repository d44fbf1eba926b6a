"""Real time, kept by a clock that the test turns."""
from __future__ import annotations

import pytest

from ppp.play.loop import Meter, run

from .gliding import new_session


class Clock:
    """Time goes by when somebody sleeps, and ``cost`` s with every look at it."""

    def __init__(self, cost=0.0):
        self.now, self.cost, self.slept = 0.0, cost, 0.0

    def __call__(self):
        self.now += self.cost
        return self.now

    def sleep(self, seconds):
        assert seconds >= 0.0
        self.now += seconds
        self.slept += seconds


def shown_in(session, clock, loops):
    """(number of frames, last factor) of so many ticks."""
    frames = []
    left = iter(range(loops))
    run(session, lambda view, factor: frames.append((view.state.time, factor)),
        lambda: next(left, None) is not None, clock, clock.sleep)
    return frames


@pytest.fixture
def session(matcher):
    made = new_session(matcher)
    yield made
    made.close()


def test_a_fast_machine_waits(session):
    clock = Clock()
    frames = shown_in(session, clock, 90)
    assert clock.now == pytest.approx(3.0) and len(frames) == 90
    assert frames[-1][1] == pytest.approx(1.0)


def test_a_slow_machine_leaves_pictures_out_before_it_falls_behind_for_ever(session):
    clock = Clock(cost=0.05)  # two looks a tick: 0.1 s for 1/30 s
    frames = shown_in(session, clock, 60)
    assert clock.slept == 0.0 and 60 / 4 <= len(frames) <= 20
    assert frames[-1][1] == pytest.approx(1.0 / 3.0, rel=0.1)


def test_slow_motion_takes_four_times_as_long(session):
    session.slow(True)
    clock = Clock()
    frames = shown_in(session, clock, 30)
    assert clock.now == pytest.approx(4.0) and frames[-1][1] == pytest.approx(1.0)


def test_the_meter_by_hand():
    meter = Meter()
    for i in range(20):
        meter.tick(i / 15.0, 1.0)  # 30 steps a second are due, 15 were made
    assert meter.factor == pytest.approx(0.5)
    meter.clear()
    assert meter.factor == 0.0
