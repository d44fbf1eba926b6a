"""One live simulation: what visitors ask for goes in, what there is to see comes out.

No page is needed: every public method only queues what is asked, from any thread, and ``tick``
does it and advances by one control step.
"""
from __future__ import annotations

import math
import queue
import random
from typing import Any, Callable, Optional, Sequence, Tuple

from ppp.errors import PPPError
from ppp.planning.executor import Began, Ended, Replanned
from ppp.planning.performer import Poses, WorldState
from ppp.planning.recording import Recording
from ppp.planning.scenario import Scenario
from ppp.play.desk import Answer, Desk, MakerFor
from ppp.play.errand_run import End, ErrandRun, Turn
from ppp.play.performer import LivePerformer
from ppp.play.pick import pick
from ppp.play.plan_view import PlanView
from ppp.play.recorder import Recorder
from ppp.play.resting import PATIENCE, Rest
from ppp.play.things import Place
from ppp.play.views import View

#: what "push" gives the pelvis, N s (52 kg then move at 0.4 m/s)
PUSH = 20.0
#: real time is slowed down by this
SLOW = 0.25
#: s that it stands before the show begins: the shipped policy, told to walk 0.5 s after it was put
#: on its feet, fell in 3 of 5 starts, after 4 s in none
SETTLE = 4.0
#: s without an answer of the executor after which the humanoid stands still and waits
THINKING = 0.3
#: the physics are put back to the start when the pelvis is higher, or further off, than this, m
HIGHEST, FARTHEST = 4.0, 60.0


class Session:
    """patience: s that a tick waits for an executor that thinks; None waits until it has decided,
    which makes the session deterministic."""

    def __init__(self, scenario: Scenario, performer: LivePerformer, matcher: Any,
                 maker_for: MakerFor, seed: int = 0, patience: Optional[float] = None) -> None:
        self.scenario, self.performer, self.matcher = scenario, performer, matcher
        self.on_recording: Callable[[Recording], None] = lambda recording: None
        self._desk = Desk(scenario, matcher, performer.skills, maker_for)
        self._seed, self._patience = seed, patience
        self._inputs: "queue.Queue[Callable[[], None]]" = queue.Queue()
        self._chance = random.Random(seed)
        self._paused, self._speed, self._message = False, 1.0, ""
        self._recorder: Optional[Recorder] = None
        self._plan = PlanView()
        self._begin()

    # -- what visitors may ask for: from any thread, done by the next tick ---------------------
    def say(self, text: str) -> None:
        """Carry out a command in plain English."""
        self._ask(lambda: self._desk.say(str(text), self._state))

    def press(self, skill: str) -> None:
        """Carry out a skill by its name."""
        self._ask(lambda: self._desk.press(str(skill), self._state))

    def instruct(self, text: str) -> None:
        """Plan an instruction, and perform the plan."""
        self._ask(lambda: self._desk.instruct(str(text), self._state))

    def click(self, origin: Sequence[float], direction: Sequence[float]) -> None:
        """Choose what a ray through the scene meets (both (3,), m, world frame) as the target."""
        self._ask(lambda: self._desk.aim(self._pick(origin, direction), self._state))

    def aim(self, place: Optional[Place]) -> None:
        """Choose a target, or none."""
        self._ask(lambda: self._desk.aim(place, self._state))

    def pause(self, paused: bool) -> None:
        """Stop the simulation, or let it go on."""
        self._inputs.put(lambda: setattr(self, "_paused", bool(paused)))

    def slow(self, slow: bool) -> None:
        """Slow motion, or real time."""
        self._inputs.put(lambda: setattr(self, "_speed", SLOW if slow else 1.0))

    def push(self) -> None:
        """Push the humanoid from a side that chance chooses."""
        self._inputs.put(self._push)

    def stop(self) -> None:
        """Give up what is under way and stand still."""
        self._ask(lambda: Answer("stopped", stop=True))

    def reset(self) -> None:
        """Put everything back to the start."""
        self._inputs.put(lambda: self._reset("put back to the start"))

    def record(self, on: bool) -> None:
        """Begin to record, or end the recording and hand it to ``on_recording``."""
        self._inputs.put(lambda: self._record(bool(on)))

    # -- the simulation ------------------------------------------------------------------------
    @property
    def paused(self) -> bool:
        """Whether ticks leave the simulation as it is."""
        return self._paused

    @property
    def speed(self) -> float:
        """Simulated seconds per second."""
        return self._speed

    def tick(self) -> View:
        """Do what was asked for, advance by one control step unless paused, and look."""
        while True:
            try:
                wanted = self._inputs.get_nowait()
            except queue.Empty:
                break
            try:
                wanted()
            except PPPError as error:
                self._message = str(error)
            except Exception as error:  # one visitor's odd wish must not end the show for all
                self._message = f"that could not be done ({type(error).__name__}: {error})"
        if not self._paused:
            self._advance()
        return self.view()

    def view(self) -> View:
        """What there is to see now."""
        recorder = self._recorder
        return View(
            state=self._state, pose=self._pose, skill=self._skill, goal=self._goal,
            target=self._desk.target, heard=self._desk.heard, task=self._plan.task,
            planner=self._plan.planner, plan=self._plan.steps(), checks=self._plan.checks(),
            message=self._message, paused=self._paused, speed=self._speed,
            recording=recorder.seconds if recorder else None, busy=self._run is not None)

    def close(self) -> None:
        """End threads; a recording under way is handed over."""
        self._record(False)
        if self._run is not None:
            self._run.stop()
        self.performer.close()

    def _begin(self) -> None:
        start = self.scenario.start
        self._state: WorldState = self.performer.reset(
            self.scenario.scene(), start.position, math.radians(start.heading), self._seed)
        self._run: Optional[ErrandRun] = None
        self._rest = Rest(self.performer.skills)
        self._settle()
        self._quiet = 0.0  # s since the executor asked for something
        self._skill, self._goal = self._rest.choose(self._state)

    def _settle(self) -> None:
        """Let it find its stance unseen: a policy told to walk sooner falls more often."""
        self.performer.command(*self._rest.choose(self._state))
        for _ in range(round(SETTLE / self.performer.control_dt)):
            self._state = self.performer.step()
            if self._state.fallen:
                break
        self._pose: Poses = self.performer.latest()

    def _advance(self) -> None:
        turn = self._turn()
        try:
            self._state = self.performer.step()
        except (ValueError, RuntimeError, FloatingPointError) as error:
            self._reset(f"the simulation failed ({type(error).__name__}) and was put back")
            return
        self._pose = self.performer.latest()
        if self._run is not None:
            (self._run.answer if turn else self._run.saw)(self._state, self._pose)
        if self._recorder is not None:
            self._recorder.add(self._pose)
            if self._recorder.full:
                self._record(False)
        self._guard()

    def _turn(self) -> bool:
        """Set skill and goal for the next step; whether the executor asked for it."""
        asked = self._run.poll(self._waits()) if self._run else None
        for event in self._run.events() if self._run else ():
            self._on(event)
        if isinstance(asked, End):
            self._finish(asked)
        if isinstance(asked, Turn):
            self._quiet = 0.0
            for name, xy in asked.moves:
                self.performer.move(name, xy)
            if asked.command is not None:
                self._follow(*asked.command)
            return True
        self._quiet += self.performer.control_dt
        if self._run is None or self._quiet > THINKING:
            skill, goal = self._rest.choose(self._state)
            if (skill, goal) != (self._skill, self._goal):
                self._follow(skill, goal)
        return False

    def _waits(self) -> Optional[float]:
        # at first it plans, which may take long; later its answers come at once
        if self._patience is None:
            return None
        return self._patience if self._quiet <= THINKING else 0.001

    def _follow(self, skill: str, goal: Tuple[float, float]) -> None:
        self.performer.command(skill, goal)
        self._skill, self._goal = skill, goal

    def _guard(self) -> None:
        """One explosion must not end the show."""
        x, y, z = (float(v) for v in self._state.root_pos)
        if self.performer.broken or not (z < HIGHEST and math.hypot(x, y) < FARTHEST):
            self._reset("the physics left their range: put back to the start")
        elif self._run is None and self._rest.helpless:
            self._state = self.performer.stand_up(self._seed)
            self._pose, self._rest = self.performer.latest(), Rest(self.performer.skills)
            self._message = f"it did not get up in {PATIENCE:g} s: put back on its feet"

    # -- errands -------------------------------------------------------------------------------
    def _ask(self, request: Callable[[], Answer]) -> None:
        """Queue a request for the desk; the tick that takes it does what the answer says."""
        self._inputs.put(lambda: self._answered(request()))

    def _answered(self, answer: Answer) -> None:
        self._message = answer.message
        if answer.stop:
            self._drop()
        if answer.errand is None:
            return
        self._drop()
        errand = answer.errand
        self._quiet = 0.0 if self._patience is None else THINKING
        self._run = ErrandRun(errand.scenario, errand.maker, self.matcher, self.performer.skills,
                              self._state, self._pose)
        self._plan = PlanView(errand.scenario, errand.how, self._run.planner)
        if self._recorder is not None:
            self._recorder.task(errand.scenario.instruction)

    def _on(self, event: Any) -> None:
        """A step begins or ends, or the plan changes."""
        self._plan.on(event)
        if isinstance(event, Replanned):
            self._message = f"new plan: {event.why}"
        elif isinstance(event, Began) and self._recorder is not None:
            self._recorder.step(event.command.text, event.skill, event.command.target)
        elif isinstance(event, Ended) and self._recorder is not None:
            outcome = event.outcome
            self._recorder.step("", "", outcome.target, outcome.ended)

    def _finish(self, end: End) -> None:
        self._run = None
        self._desk.over(end.result is not None and end.result.success)
        if end.result is None:
            self._plan.failed(end.problem)
            self._message = end.problem
            return
        result = end.result
        self._plan.judged(result)
        verdict = "done" if result.success else "not done"
        self._message = f"{verdict} after {result.time_s:.1f} s: {result.ended}"
        if self._recorder is not None:
            self._recorder.checks(list(self._plan.checks()))

    # -- the rest ------------------------------------------------------------------------------
    def _pick(self, origin: Sequence[float], direction: Sequence[float]) -> Optional[Place]:
        scene = self.scenario.scene()
        poses = {p.name: (self._pose.prop_pos[i], self._pose.prop_rot[i])
                 for i, p in enumerate(scene.bodies)}
        return pick(origin, direction, scene.props, poses)

    def _push(self) -> None:
        angle = self._chance.uniform(-math.pi, math.pi)
        self.performer.push((PUSH * math.cos(angle), PUSH * math.sin(angle)))
        self._message = f"pushed with {PUSH:g} N s"

    def _drop(self) -> None:
        if self._run is not None:
            self._run.stop()
            self._plan.failed("given up")
        self._run = None
        self._rest = Rest(self.performer.skills)

    def _reset(self, why: str) -> None:
        self._drop()
        self._begin()
        self._desk.clear()
        self._plan, self._message = PlanView(), why

    def _record(self, on: bool) -> None:
        if on and self._recorder is None:
            self._recorder = Recorder(self.scenario.name, self.performer.scene, self._pose)
            self._message = "recording"
        elif not on and self._recorder is not None:
            recorder, self._recorder = self._recorder, None
            self._message = f"recorded {recorder.seconds:.1f} s"
            self.on_recording(recorder.recording())

