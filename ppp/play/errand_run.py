"""An executor on a thread of its own that the live session steps, one control step at a time.

The executor of ``ppp plan`` drives a performer and decides when each step is over. Here the
session owns the simulation, because everybody's pushes and pauses go into it too; so the executor
gets a stand-in whose ``step`` hands the turn to the session and waits. While a planner thinks, a
second or a minute, the session goes on without it.
"""
from __future__ import annotations

import queue
import threading
from collections import deque
from dataclasses import dataclass, field, replace
from typing import Any, Deque, Dict, List, Optional, Sequence, Tuple

from ppp.engines.scene import Scene
from ppp.errors import PPPError
from ppp.planning.choosing import Maker, planner_of
from ppp.planning.executor import Executor
from ppp.planning.performer import CONTROL_DT, Poses, WorldState
from ppp.planning.physics import stacked
from ppp.planning.result import Result
from ppp.planning.scenario import Scenario
from ppp.planning.situation import Matcher

#: new plans that one errand may make
NEW_PLANS = 4


class _Stopped(Exception):
    """The session has given the errand up."""


@dataclass
class Turn:
    """What the executor wants done with the next control step."""

    command: Optional[Tuple[str, Tuple[float, float]]] = None
    moves: List[Tuple[str, Tuple[float, float]]] = field(default_factory=list)


@dataclass(frozen=True)
class End:
    """The errand is over: with a result, or with the reason why there is none."""

    result: Optional[Result] = None
    problem: str = ""


class _StandIn:
    """The performer that the executor sees; times count from the errand's own start."""

    control_dt = CONTROL_DT

    def __init__(self, run: "ErrandRun", skills: Sequence[str]) -> None:
        self._run, self.skills = run, tuple(skills)
        self._turn = Turn()

    def reset(self, scene: Scene, start_xy: Tuple[float, float], start_heading: float,
              seed: int) -> WorldState:
        """Nothing is reset: the humanoid sets out from where it is."""
        return self._run.now()

    def command(self, skill: str, target_xy: Tuple[float, float]) -> None:
        """Remembered until the next step."""
        self._turn.command = (skill, (float(target_xy[0]), float(target_xy[1])))

    def move(self, name: str, xy: Tuple[float, float]) -> None:
        """Remembered until the next step."""
        self._turn.moves.append((name, xy))

    def step(self) -> WorldState:
        """Hand the turn over, wait for the state after it."""
        turn, self._turn = self._turn, Turn()
        return self._run.exchange(turn)

    def poses(self) -> Poses:
        """The errand from its start."""
        return self._run.film()


class ErrandRun:
    """One errand under way.

    ``poll`` tells the session what is wanted, ``answer`` gives the state back; ``saw`` tells of a
    step that was taken while nothing was asked for.
    """

    def __init__(self, scenario: Scenario, maker: Maker, matcher: Matcher,
                 skills: Sequence[str], state: WorldState, pose: Poses) -> None:
        self.scenario = scenario
        self.planner = planner_of(maker, scenario, skills, limit=NEW_PLANS)
        self._begin, self._film = state.time, [pose]
        self._state = replace(state, time=0.0)
        self._touches: Dict[str, Tuple[bool, bool]] = {}
        self._asked: "queue.Queue[Any]" = queue.Queue()
        self._answers: "queue.Queue[Optional[WorldState]]" = queue.Queue()
        self._events: Deque[Any] = deque()
        self._stopped = threading.Event()
        stand_in = _StandIn(self, skills)
        self._executor = Executor(scenario, self.planner, stand_in, matcher, maker.name,
                                  on_event=self._events.append)
        self._thread = threading.Thread(target=self._work, name="errand", daemon=True)
        self._thread.start()

    # -- the session's side ------------------------------------------------------------------
    def poll(self, patience: Optional[float]) -> Any:
        """A Turn, an End, or None while it thinks; waits for ``patience`` s, None for ever."""
        try:
            return self._asked.get(timeout=patience)
        except queue.Empty:
            return None

    def answer(self, state: WorldState, pose: Poses) -> None:
        """The state after the step that was asked for."""
        self.saw(state, pose)
        self._touches = {}
        self._answers.put(self._state)

    def saw(self, state: WorldState, pose: Poses) -> None:
        """A step was taken; touches are kept until the executor has seen them."""
        props = {}
        for name, prop in state.props.items():
            touched, struck = self._touches.get(name, (False, False))
            props[name] = replace(prop, touched=prop.touched or touched,
                                  by_sword=prop.by_sword or struck)
            self._touches[name] = props[name].touched, props[name].by_sword
        self._state = replace(state, time=state.time - self._begin, props=props)
        self._film.append(pose)

    def events(self) -> List[Any]:
        """What the executor told since the last call, in order."""
        return [self._events.popleft() for _ in range(len(self._events))]

    def stop(self) -> None:
        """Give the errand up; its thread ends when it notices."""
        self._stopped.set()
        self._answers.put(None)

    # -- the executor's side -----------------------------------------------------------------
    def now(self) -> WorldState:
        """The latest state."""
        return self._state

    def exchange(self, turn: Turn) -> WorldState:
        """Ask for a step and wait for the state after it."""
        if self._stopped.is_set():
            raise _Stopped
        self._asked.put(turn)
        state = self._answers.get()
        if state is None or self._stopped.is_set():
            raise _Stopped
        return state

    def film(self) -> Poses:
        """All poses so far."""
        return stacked(list(self._film))

    def _work(self) -> None:
        try:
            end = End(self._executor.perform())
        except _Stopped:
            return
        except PPPError as error:
            end = End(problem=str(error))
        except Exception as error:  # a planner that fails must not take the page down
            end = End(problem=f"the planner failed ({type(error).__name__}: {error})")
        self._asked.put(end)
