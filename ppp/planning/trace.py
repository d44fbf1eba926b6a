"""What happened, step by step, as arrays that the success checks read."""
from __future__ import annotations

import math
from typing import Dict, List, Optional, Protocol, Tuple

import numpy as np

from ppp.engines.scene import Scene
from ppp.planning.geometry import box_of, point_distance
from ppp.planning.performer import PropState, WorldState
from ppp.planning.situation import Observation, Outcome, PropView, lies


class Recogniser(Protocol):
    """Looks at a motion; ``ppp.evaluation.recogniser`` has one that was trained on the clips."""

    def __call__(self, frames: np.ndarray, skill: str) -> Optional[float]:
        """The share of the motion in which the skill is seen, None where that cannot be told.

        frames: (T, 140), one a control step, see :class:`ppp.planning.performer.WorldState`.
        """
        ...


class Trace:
    """The states of one performance, in order, and the outcomes of its steps.

    recognise: says what is seen of a motion; without it a step counts as what it was meant to be.
    """

    def __init__(self, recognise: Optional[Recogniser] = None) -> None:
        self.states: List[WorldState] = []
        self.outcomes: List[Outcome] = []
        self._recognise = recognise
        self._seen: Dict[Tuple[str, float, float], Optional[float]] = {}

    def add(self, state: WorldState) -> None:
        """Append the state after a control step."""
        self.states.append(state)

    @property
    def now(self) -> WorldState:
        """The latest state."""
        return self.states[-1]

    @property
    def last(self) -> Optional[Outcome]:
        """How the latest step of the plan ended, None before the first."""
        return self.outcomes[-1] if self.outcomes else None

    def times(self) -> np.ndarray:
        """(T,) s."""
        return np.array([s.time for s in self.states])

    def xy(self) -> np.ndarray:
        """(T, 2) pelvis, m."""
        return np.array([s.root_pos[:2] for s in self.states], dtype=float)

    def headings(self) -> np.ndarray:
        """(T,) rad."""
        return np.array([s.heading for s in self.states])

    def fell(self) -> np.ndarray:
        """(T,) bool."""
        return np.array([s.fallen for s in self.states])

    def prop_xy(self, name: str) -> np.ndarray:
        """(T, 2) centre of a prop with a body, m."""
        return np.array([s.props[name].position[:2] for s in self.states], dtype=float)

    def prop_lies(self, name: str) -> np.ndarray:
        """(T,) bool, knocked over."""
        return np.array([lies(s.props[name].up_z) for s in self.states])

    def performing(self, skill: str) -> np.ndarray:
        """(T,) bool: during a step of the plan that performs the skill."""
        times = self.times()
        found = np.zeros(len(times), dtype=bool)
        for outcome in self.outcomes:
            if outcome.skill == skill:
                found |= (times >= outcome.start - 1e-6) & (times <= outcome.end + 1e-6)
        return found

    def seen(self, outcome: Outcome) -> Optional[float]:
        """The share of a step in which its skill is seen, None where that cannot be told."""
        key = (outcome.skill, outcome.start, outcome.end)
        if key not in self._seen:
            during = [s.frame for s in self.states
                      if outcome.start - 1e-6 <= s.time <= outcome.end + 1e-6]
            sound = self._recognise and during and all(f is not None for f in during)
            self._seen[key] = self._recognise(np.stack(during), outcome.skill) if sound else None
        return self._seen[key]

    def gaps(self, scene: Scene, name: str) -> np.ndarray:
        """(T,) distance of the pelvis to the side of an object, or to a marker's point, m."""
        prop = next(p for p in scene.props if p.name == name)
        box = box_of(prop)
        if prop.kind == "marker":
            return point_distance(self.xy(), box)
        # a box that moves: the pelvis as seen from it
        moved = self.xy() - self.prop_xy(name) + np.array(box.centre)
        return point_distance(moved, box)

    def touches(self, name: str) -> np.ndarray:
        """(T,) bool, touched by the humanoid."""
        return np.array([s.props[name].touched for s in self.states])


def views(state: WorldState) -> Dict[str, PropView]:
    """The props as planners see them."""
    return {name: _view(p) for name, p in state.props.items()}


def _view(prop: PropState) -> PropView:
    down = lies(prop.up_z)
    along = math.atan2(prop.lean[1], prop.lean[0]) if down and any(prop.lean) else None
    return PropView((float(prop.position[0]), float(prop.position[1])), down, along)


def observe(trace: Trace, progress: Tuple[int, ...], last: Optional[Outcome]) -> Observation:
    """The observation of the latest state; ``last`` is how the planner's last command went."""
    state = trace.now
    return Observation(state.time, state.xy, state.heading, views(state), progress, last)
