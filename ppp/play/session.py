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
from ppp.planning.planner import PlanMaker
from ppp.planning.recording import Recording
from ppp.planning.scenario import Scenario
from ppp.planning.search import SearchMaker
from ppp.planning.skills import GAIT, role
from ppp.planning.validate import point
from ppp.play.errand import around, command_scenario, instruction_scenario
from ppp.play.errand_run import End, ErrandRun, Turn
from ppp.play.performer import LivePerformer
from ppp.play.pick import pick
from ppp.play.plan_view import PlanView
from ppp.play.recorder import Recorder
from ppp.play.resting import PATIENCE, Rest
from ppp.play.things import Place, coordinates_in, named_in, points_at
from ppp.play.views import Heard, View

#: a command or an instruction is no longer than this, characters
LONGEST_TEXT = 1000
#: what "push" gives the pelvis, N s (a man of 52 kg then moves at 0.8 m/s)
PUSH = 40.0
#: real time is slowed down by this
SLOW = 0.25
#: s that it stands before the show begins: the shipped policy, told to walk 0.5 s after it was put
#: on its feet, fell in 3 of 5 starts, after 4 s in none
SETTLE = 4.0
#: s without an answer of the executor after which the humanoid stands still and waits
THINKING = 0.3
#: the physics are put back to the start when the pelvis is higher, or further off, than this, m
HIGHEST, FARTHEST = 4.0, 60.0
#: speeds that the page offers, simulated seconds per second
SPEEDS = (1.0, SLOW)

#: gives the planner for an instruction, and a line that says which one
MakerFor = Callable[[Scenario], Tuple[PlanMaker, str]]


class Session:
    """patience: s that a tick waits for an executor that thinks; None waits until it has decided,
    which makes the session deterministic."""

    def __init__(self, scenario: Scenario, performer: LivePerformer, matcher: Any,
                 maker_for: MakerFor, seed: int = 0, patience: Optional[float] = None) -> None:
        self.scenario, self.performer, self.matcher = scenario, performer, matcher
        self.on_recording: Callable[[Recording], None] = lambda recording: None
        self._maker_for, self._seed, self._patience = maker_for, seed, patience
        self._inputs: "queue.Queue[Callable[[], None]]" = queue.Queue()
        self._chance = random.Random(seed)
        self._paused, self._speed, self._message = False, 1.0, ""
        self._heard: Tuple[Heard, ...] = ()
        self._recorder: Optional[Recorder] = None
        self._plan = PlanView()
        self._begin()

    # -- what visitors may ask for: from any thread, done by the next tick ---------------------
    def say(self, text: str) -> None:
        """Carry out a command in plain English."""
        self._inputs.put(lambda: self._say(str(text)))

    def press(self, skill: str) -> None:
        """Carry out a skill by its name."""
        self._inputs.put(lambda: self._press(str(skill)))

    def instruct(self, text: str) -> None:
        """Plan an instruction, and perform the plan."""
        self._inputs.put(lambda: self._instruct(str(text)))

    def click(self, origin: Sequence[float], direction: Sequence[float]) -> None:
        """Choose what a ray through the scene meets (both (3,), m, world frame) as the target."""
        self._inputs.put(lambda: self._click(tuple(origin), tuple(direction)))

    def aim(self, place: Optional[Place]) -> None:
        """Choose a target, or none."""
        self._inputs.put(lambda: self._aim(place))

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
        self._inputs.put(lambda: self._stop("stopped"))

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
        if not self._paused:
            self._advance()
        return self.view()

    def view(self) -> View:
        """What there is to see now."""
        recorder = self._recorder
        return View(
            state=self._state, pose=self._pose, skill=self._skill, goal=self._goal,
            target=self._target, heard=self._heard, task=self._plan.task,
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
        self._target: Optional[Place] = None
        self._pending, self._repeat = "", ""

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
    def _say(self, text: str) -> None:
        text = self._checked(text)
        matches = self.matcher.match_all(text)
        self._heard = tuple(Heard.of(match) for match in matches)
        self._pending = self._message = ""
        bad = next((m for m in matches if not m.performable), None)
        if bad is not None:
            raise PPPError(_advice(bad))
        if len(matches) > 1:
            pairs = [(match.text, match.skill) for match in matches]
            scenario = instruction_scenario(self.scenario, text, pairs, self._around())
            self._start(scenario, SearchMaker(self.matcher), "search")
        else:
            self._carry_out(text, matches[0].skill)

    def _press(self, skill: str) -> None:
        if skill not in self.performer.skills:
            raise PPPError(f"the policy has no skill '{skill[:40]}'")
        self._heard, self._pending, self._message = (), "", ""
        self._carry_out(skill.replace("_", " "), skill)

    def _carry_out(self, text: str, skill: str) -> None:
        """One skill at the place that the text or the last click names."""
        now = self._around()
        named = named_in(text, now.props, now.here) or coordinates_in(text)
        if points_at(text) and named is None and self._target is None:
            self._pending = text
            self._message = "click a point of the floor or an object: the command waits for it"
            return
        if skill == "idle":
            self._stop("stands still")
            return
        scenario = command_scenario(self.scenario, text, skill, now)
        self._start(scenario, SearchMaker(self.matcher), "search")
        self._repeat = text if role(skill) == GAIT and named is None else ""

    def _instruct(self, text: str) -> None:
        text = self._checked(text)
        own = text.split() == self.scenario.instruction.split()
        matches = [] if own else self.matcher.match_all(text)
        self._heard, self._pending, self._message = tuple(map(Heard.of, matches)), "", ""
        bad = next((m for m in matches if not m.performable), None)
        pairs = [] if bad else [(match.text, match.skill) for match in matches]
        scenario = self.scenario if own else instruction_scenario(
            self.scenario, text, pairs, self._around())
        maker, how = self._maker_for(scenario)
        if bad is not None and maker.name == "search":
            raise PPPError(f"{_advice(bad)} (the search planner reads one skill a clause)")
        self._start(scenario, maker, how)

    def _start(self, scenario: Scenario, maker: PlanMaker, how: str) -> None:
        self._drop()
        self._quiet = 0.0 if self._patience is None else THINKING
        self._run = ErrandRun(scenario, maker, self.matcher, self.performer.skills, self._state,
                              self._pose)
        self._plan = PlanView(scenario, how, self._run.planner)
        if self._recorder is not None:
            self._recorder.task(scenario.instruction)

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
        self._run, self._repeat = None, ""
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
        if self._target and not self._target.name and result.success:
            self._target = None  # the point was reached: the next walk goes straight ahead

    # -- the rest ------------------------------------------------------------------------------
    def _checked(self, text: str) -> str:
        text = " ".join(text.split())
        if not any(c.isalnum() for c in text):
            raise PPPError("write what to do in English, such as 'walk to the flag'")
        if len(text) > LONGEST_TEXT:
            raise PPPError(f"that is {len(text)} characters: at most {LONGEST_TEXT} are read")
        return text

    def _around(self) -> Any:
        return around(self.scenario, self._state, self._target)

    def _click(self, origin: Tuple[float, ...], direction: Tuple[float, ...]) -> None:
        props = self.scenario.scene()
        poses = {p.name: (self._pose.prop_pos[i], self._pose.prop_rot[i])
                 for i, p in enumerate(props.bodies)}
        self._aim(pick(origin, direction, props.props, poses))

    def _aim(self, place: Optional[Place]) -> None:
        self._target = place
        again, self._pending = self._pending or self._repeat, ""
        if place is None:
            self._message = "no target: gaits go straight ahead, blows seek the nearest target"
            return
        self._message = f"target: {place.name or point(place.xy)}"
        if again:
            self._say(again)

    def _push(self) -> None:
        angle = self._chance.uniform(-math.pi, math.pi)
        self.performer.push((PUSH * math.cos(angle), PUSH * math.sin(angle)))
        self._message = f"pushed with {PUSH:g} N s"

    def _stop(self, why: str) -> None:
        self._drop()
        self._message, self._pending = why, ""

    def _drop(self) -> None:
        if self._run is not None:
            self._run.stop()
            self._plan.failed("given up")
        self._run, self._repeat = None, ""
        self._rest = Rest(self.performer.skills)

    def _reset(self, why: str) -> None:
        self._drop()
        self._begin()
        self._plan, self._heard, self._message = PlanView(), (), why

    def _record(self, on: bool) -> None:
        if on and self._recorder is None:
            self._recorder = Recorder(self.scenario.name, self.performer.scene, self._state.time,
                                      self._pose)
            self._message = "recording"
        elif not on and self._recorder is not None:
            recorder, self._recorder = self._recorder, None
            self._message = f"recorded {recorder.seconds:.1f} s"
            self.on_recording(recorder.recording())


def _advice(match: Any) -> str:
    """What to do about a text that is refused; the nearest skills are shown beside it."""
    if match.known or match.skill is None:
        return match.reason
    return f"'{match.text[:60]}' names no skill: say it in other words, or press a skill"
