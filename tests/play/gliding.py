"""A session on a figure without physics, which is quick; and what one does with sessions."""
from __future__ import annotations

from dataclasses import replace

import numpy as np

from ppp.planning.kinematic import KinematicPerformer
from ppp.planning.performer import Poses
from ppp.planning.scenario import load_scenario
from ppp.planning.search import SearchMaker
from ppp.play.command import PLAYGROUND
from ppp.play.session import Session


class Gliding(KinematicPerformer):
    """What a session asks of its performer. ``spoil``: changes a state before it is handed on."""

    def __init__(self):
        super().__init__()
        self.pushes, self.broken, self.spoil = [], False, lambda state: state
        self.stood_up = 0

    def reset(self, scene, start_xy, start_heading, seed):
        self.scene = scene
        return super().reset(scene, start_xy, start_heading, seed)

    def step(self):
        state = super().step()
        del self._history[:-1], self._prop_history[:-1]
        return self.spoil(state)

    def latest(self):
        return Poses(*(part[-1] for part in self.poses()))

    def push(self, impulse):
        self.pushes.append(impulse)

    def stand_up(self, seed):
        self.stood_up += 1
        self.spoil = lambda state: state
        return self._state()

    def close(self):
        pass


def new_session(matcher, maker_for=None, patience=None):
    """A session in the playground; it decides before each tick ends unless patience says so."""
    maker_for = maker_for or (lambda scenario: (SearchMaker(matcher), "search"))
    return Session(load_scenario(PLAYGROUND), Gliding(), matcher, maker_for, patience=patience)


def until_done(session, seconds=60.0):
    """Tick until nothing is under way; the last view."""
    view = session.tick()
    for _ in range(round(seconds * 30)):
        if not view.busy:
            return view
        view = session.tick()
    raise AssertionError(f"not done after {seconds} s: {view.plan}")


def ticks(session, count):
    """The view after ``count`` ticks."""
    for _ in range(count):
        view = session.tick()
    return view


def lying(state):
    """The same state on the floor."""
    low = np.array([state.root_pos[0], state.root_pos[1], 0.2], dtype=np.float32)
    return replace(state, root_pos=low, root_up=0.1, fallen=True)
