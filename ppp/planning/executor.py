"""Performs a plan in closed loop: command to skill, skill to performer, outcome to the planner."""
from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any, Callable, Dict, List, Optional, Tuple

from ppp.engines.scene import Prop, Scene
from ppp.planning import checks
from ppp.planning.curves import curve, leads_into
from ppp.planning.endings import (
    IN_THE_WAY,
    Arrival,
    Ending,
    Limits,
    Rule,
    Strike,
    Turned,
    Up,
    Walk,
    arrival_tolerance,
    goes_over,
    in_place,
    turn_tolerance,
)
from ppp.planning.geometry import XY, distance
from ppp.planning.performer import Performer, WorldState, prop_positions
from ppp.planning.planner import MOVED, Command, Done, Planner
from ppp.planning.recording import Recording
from ppp.planning.result import Result, recorded_steps
from ppp.planning.scenario import Scenario
from ppp.planning.settling import recover, right_of, settle, turn_round
from ppp.planning.situation import Matcher, Outcome, lies
from ppp.planning.skills import ATTACK, FORWARD, GAIT, LEFT, REACH, TRAVEL, TURN, role
from ppp.planning.staging import Staged
from ppp.planning.trace import Recogniser, Trace, observe, views
from ppp.planning.validate import aimed_at
from ppp.planning.zones import MARGIN, Keep, outside, solid, zones

#: the performer is steered anew when the point to steer at has moved so far, m
FOLLOW = 0.02
#: a walk that ends this near to a standing target leads up to it, m: reach and half its breadth
LEADS_UP = max(REACH.values()) + 0.3
#: steps a performance may have, so that a planner that never stops does
MAX_STEPS = 200
#: tries to get up after one fall
RISES = 3


@dataclass(frozen=True)
class Began:
    """A step begins."""

    number: int
    command: Command
    skill: str
    time: float


@dataclass(frozen=True)
class Ended:
    """A step is over."""

    number: int
    outcome: Outcome


@dataclass(frozen=True)
class Replanned:
    """The planner changed its plan for the ``count``-th time, and why."""

    count: int
    why: str
    time: float


@dataclass(frozen=True)
class _Step:
    """One command on its way: its skill, what it strikes, and the rule that ends it."""

    command: Command
    skill: str
    distance: float
    rule: Rule
    struck: Optional[Prop] = None


@dataclass
class Executor:
    """Drives a performer by a planner's commands. Deterministic for a seed.

    on_event is told when a step begins (Began) or ends (Ended) and of every Replanned. recognise:
    says whether a skill that a check asks for was seen; without it, to be carried out is enough.
    """

    scenario: Scenario
    planner: Planner
    performer: Performer
    matcher: Matcher
    planner_name: str = "list"
    limits: Limits = field(default_factory=Limits)
    on_event: Callable[[Any], None] = lambda event: None
    recognise: Optional[Recogniser] = None

    def perform(self, seed: int = 0) -> Result:
        """Perform until the planner is done, the time is up or the humanoid stays down."""
        self.scene: Scene = self.scenario.scene()
        self.trace = Trace(self.recognise)
        self._stage = Staged(self.performer, self.scenario.events)
        start = self.scenario.start
        heading = math.radians(start.heading)
        self.trace.add(self._stage.reset(self.scene, start.position, heading, seed))
        self.planner.reset(self.scenario.instruction, self.scene)
        ended = self._loop()
        return self._result(seed, ended)

    @property
    def told(self) -> List[Tuple[float, str]]:
        """Every change of skill so far, also those between steps: (time, s; skill)."""
        return self._stage.told

    def _loop(self) -> str:
        """Ask, perform, report, until something ends it; returns why."""
        last: Optional[Outcome] = None
        for number in range(1, MAX_STEPS + 1):
            now = observe(self.trace, checks.progress(self.scenario, self.trace), last)
            before = self.planner.replans
            move = self.planner.act(now)
            if isinstance(move, Done):
                return move.reason
            if self.planner.replans > before:
                why = (getattr(self.planner, "reasons", None) or [""])[-1]
                self.on_event(Replanned(self.planner.replans, why, now.time))
            last = self._perform_step(number, move)
            if self._time_is_up():
                return f"the time limit of {self.scenario.time_limit:g} s is up"
            if self.trace.now.fallen:
                problem = self._get_up(number)
                if problem:
                    return problem
        return f"stopped after {MAX_STEPS} steps"

    def _perform_step(self, number: int, command: Command) -> Outcome:
        match = self.matcher(command.text)
        skill = match.skill if match.known else ""
        self.on_event(Began(number, command, skill, self.trace.now.time))
        if not match.known:
            outcome = self._outcome(command, "", match.distance, Ending("unknown command", False))
        elif skill not in self.performer.skills:
            ending = Ending(f"the policy has no skill '{skill}'", False)
            outcome = self._outcome(command, skill, match.distance, ending)
        else:
            until = self.scenario.time_limit
            last = self.trace.last
            if last and role(last.skill) == ATTACK and role(skill) == GAIT:
                recover(self._stage, self.trace, until)
            settle(self._stage, self.trace, skill, command.target, until, self._free)
            straight = role(skill) == GAIT and self._wants_straight(skill, command)
            turn_round(self._stage, self.trace, skill, command.target, until, straight)
            outcome = self._run(self._prepare(command, skill, match.distance))
        self.trace.outcomes.append(outcome)
        self.on_event(Ended(number, outcome))
        return outcome

    def _wants_straight(self, skill: str, command: Command) -> bool:
        """Whether a gait should not begin with a curve: one that leads up to what will be struck,
        or whose curve has no room."""
        if command.until is not None and self._to_strike(command.target) is not None:
            return True
        now = self.trace.now
        way = curve(now.xy, now.heading + TRAVEL[skill], command.target)
        return leads_into(way, self._no_go())

    def _prepare(self, command: Command, skill: str, code_distance: float) -> _Step:
        """Choose the rule that ends the step."""
        struck: Optional[Prop] = None
        kind, timed = role(skill), isinstance(command.until, float)
        rule: Rule = in_place(skill, command.until)
        if kind == GAIT and not timed:
            exact = command.until is not None
            onward = self._to_strike(command.target) if exact and skill in FORWARD else None
            strict = exact or self._drifted()  # else it were reached, and the next leg as closed
            walk = Walk(self.trace.now.xy, command.target, strict, onward)
            tolerance = self.limits.tolerance  # of a way point, which nobody stops at
            if exact:
                places = {p.name: p.position for p in self.scene.props}
                places.update(prop_positions(self.trace.now))
                tolerance = arrival_tolerance(self.scenario, places, command.target)
            rule = Arrival(walk, tolerance, self._no_go(), self.limits)
        elif kind == TURN and not timed:
            rule = Turned(command.target, turn_tolerance(self.scenario), self.limits)
        elif kind == ATTACK:
            struck = aimed_at(command.target, self._standing())
            if struck and not timed:
                rule = Strike(skill, struck, self.limits)
        elif skill == "get_up":
            rule = Up(self.limits)
        return _Step(command, skill, code_distance, rule, struck)

    def _drifted(self) -> bool:
        """Whether the step before was a walk that had no free way from where it began or got to."""
        last = self.trace.last
        return last is not None and not last.ok and last.ended.endswith(IN_THE_WAY)

    def _to_strike(self, end: XY) -> Optional[XY]:
        """What to face at ``end``, where a walk ends, to strike a standing target there; None
        where none is near. Which blow will come is not known yet: the usual one."""
        near = [(distance(p.position, end), p.position) for p in self._standing()
                if p.kind == "target"]
        gap, place = min(near, default=(math.inf, end))
        return right_of(end, place, LEFT[next(iter(REACH))]) if gap < LEADS_UP else None

    def _run(self, step: _Step) -> Outcome:
        """Perform one step to its end."""
        start = self.trace.now
        ending = step.rule(start, 0.0)
        aim = self._aim(step, start)
        if ending is None:
            self._stage.command(step.skill, aim)
        blows, spent = 0, 0.0  # s between the blows
        while ending is None:
            state = self._stage.step()
            self.trace.add(state)
            elapsed = state.time - start.time - spent
            ending = self._interrupted(step, start, state) or step.rule(state, elapsed)
            blow = int(elapsed / self.limits.swing_seconds)
            if step.struck and ending is None and blow > blows \
                    and not goes_over(state.props[step.struck.name]):
                blows, before = blow, state.time
                self._face_again(step.skill, self._aim(step, state))
                spent += self.trace.now.time - before
                aim = self._aim(step, self.trace.now)
                self._stage.command(step.skill, aim)
            now = self.trace.now  # later than ``state`` where the body has faced its target anew
            if distance(aim, self._aim(step, now)) > FOLLOW and ending is None:
                aim = self._aim(step, now)
                self._stage.command(step.skill, aim)
        return self._outcome(step.command, step.skill, step.distance, ending, start)

    def _face_again(self, skill: str, aim: XY) -> None:
        """Between two blows: one that missed turned the body, and the next would miss as well."""
        settle(self._stage, self.trace, skill, aim, self.scenario.time_limit, self._free)

    def _free(self, xy: XY) -> bool:
        """Whether no zone and nothing solid forbids the pelvis to be at ``xy``."""
        return outside(xy, self._no_go())

    def _interrupted(self, step: _Step, start: WorldState, state: WorldState) -> Optional[Ending]:
        """A fall, the end of time or a moved object ends any step."""
        if state.fallen and step.skill != "get_up":
            return Ending("fell", False)
        if self._time_is_up():
            return Ending("the time of the scenario is up", False)
        # what an attack does to its object is its own business; who gets up may push what is near
        if step.struck is not None or step.skill == "get_up":
            return None
        before = prop_positions(start)
        for name, xy in prop_positions(state).items():
            if lies(start.props[name].up_z):  # it may be pushed
                continue
            if distance(before[name], xy) > MOVED:
                return Ending(f"'{name}' was moved {distance(before[name], xy):.2f} m", False)
        return None

    def _aim(self, step: _Step, state: WorldState) -> XY:
        """Where to steer: an attack at its object, a walk along its leg, the rest at the target."""
        if step.struck:
            return prop_positions(state)[step.struck.name]
        if isinstance(step.rule, Arrival):
            return step.rule.aim(state.xy)
        return step.command.target

    def _get_up(self, number: int) -> str:
        """Get up after a fall; returns why the performance is over, '' when it goes on."""
        if "get_up" not in self.performer.skills:
            return "fell, and this policy has no get_up skill"
        for _ in range(RISES):
            command = Command("get up", self.trace.now.xy)
            self.on_event(Began(number, command, "get_up", self.trace.now.time))
            outcome = self._run(_Step(command, "get_up", 0.0, Up(self.limits)))
            self.trace.outcomes.append(outcome)
            self.on_event(Ended(number, outcome))
            if outcome.ok or self._time_is_up():
                break
        return "" if outcome.ok else f"fell and did not get up: {outcome.ended}"

    def _outcome(
        self,
        command: Command,
        skill: str,
        code_distance: float,
        ending: Ending,
        start: Optional[WorldState] = None,
    ) -> Outcome:
        now = self.trace.now
        before = views(start or now)
        toppled = tuple(
            n for n, v in views(now).items() if v.fallen and not before[n].fallen
        )
        return Outcome(
            command=command.text,
            skill=skill,
            target=command.target,
            distance=float(code_distance),
            start=(start or now).time,
            end=now.time,
            ended=ending.why,
            ok=ending.ok,
            remaining=distance(now.xy, command.target),
            toppled=toppled,
        )

    def _no_go(self) -> List[Keep]:
        """What a walk must not pass too near to."""
        seen = views(self.trace.now)
        props = [replace(p, position=seen[p.name].xy) if p.name in seen else p
                 for p in self.scene.props]
        fallen = {name for name, view in seen.items() if view.fallen}
        return [*solid(self.scenario, props), *zones(self.scenario, props, fallen, MARGIN)]

    def _standing(self) -> Tuple[Prop, ...]:
        """The targets that stand, where they are now."""
        seen = views(self.trace.now)
        return tuple(
            Prop(p.name, p.kind, seen[p.name].xy, p.size, p.yaw)
            for p in self.scene.bodies
            if not seen[p.name].fallen
        )

    def _time_is_up(self) -> bool:
        return self.trace.now.time >= self.scenario.time_limit - 1e-6

    def _result(self, seed: int, ended: str) -> Result:
        judged = tuple(checks.evaluate(self.scenario, self.trace))
        success = all(c.passed for c in judged)
        steps = tuple(self.trace.outcomes)
        recording = self._recording(steps, [c.as_dict() for c in judged], success)
        return Result(
            scenario=self.scenario.name,
            instruction=self.scenario.instruction,
            planner=self.planner_name,
            seed=seed,
            success=success,
            checks=judged,
            plans=tuple(getattr(self.planner, "plans", ())),
            steps=steps,
            replans=self.planner.replans,
            time_s=self.trace.now.time,
            ended=ended,
            reasons=tuple(getattr(self.planner, "reasons", ())),
            events=tuple(self._stage.happened),
            recording=recording,
        )

    def _recording(
        self, steps: Tuple[Outcome, ...], judged: "list[Dict[str, Any]]", success: bool
    ) -> Recording:
        poses = self.performer.poses()
        return Recording(
            self.scenario.name,
            self.scenario.instruction,
            1.0 / self.performer.control_dt,
            self.scene,
            *poses,
            steps=recorded_steps(steps),
            checks=judged,
            success=success,
        )
