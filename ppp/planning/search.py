"""The search planner: the success checks say what to do, shortest paths say where to walk.

No model is asked. It is the default where no language model is configured, and the control arm for
the score of one.
"""
from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, List, Optional, Sequence

from ppp.errors import PPPError
from ppp.planning.conditions import (
    Facing,
    KnockedOver,
    Performed,
    Reached,
)
from ppp.planning.geometry import XY, Box, bearing, box_of, distance, point_distance, wrap
from ppp.planning.places import (
    TOLERANCE,
    ahead,
    escape,
    free,
    lying,
    reach_places,
    strike_places,
    walls,
)
from ppp.planning.plan_schema import Plan, PlanStep
from ppp.planning.routes import Goal, Route, find_route
from ppp.planning.situation import Matcher, Situation
from ppp.planning.skills import ATTACK, FORWARD, GAIT, REACH, TRAVEL, TURN, role
from ppp.planning.todo import Todo, comes_along, remaining
from ppp.planning.validate import AIM, plan_errors, point
from ppp.planning.wording import around, say, towards

#: lengths of a walk that is asked for as a skill, without a place to go to, m
_EXCURSIONS = (2.0, 1.5, 1.0)
#: an attack that starts turned away further than this turns first, rad
_SQUARE = math.radians(40.0)


@dataclass
class _Draft:
    """The plan so far and where it leaves the humanoid."""

    now: Situation
    matcher: Matcher
    gait: str
    xy: XY
    heading: float
    steps: List[PlanStep] = field(default_factory=list)
    skills_used: List[str] = field(default_factory=list)
    struck: List[str] = field(default_factory=list)
    faced: Optional[XY] = None

    def add(self, skill: str, command: str, target: XY, until: Any = None) -> None:
        """Append a step; coordinates are rounded to the millimetre."""
        xy = (round(target[0], 3) + 0.0, round(target[1], 3) + 0.0)
        self.steps.append(PlanStep(command=command, target=xy, until=until))
        self.skills_used.append(skill)

    def boxes(self) -> List[Box]:
        """What stands, without what this plan has struck down by then."""
        return [b for b in walls(self.now) if b.name not in self.struck]


class SearchMaker:
    """Makes plans by search; deterministic. ``matcher`` must read its commands as intended."""

    name = "search"

    def __init__(self, matcher: Matcher) -> None:
        self.matcher = matcher

    def make(self, situation: Situation) -> Plan:
        """A plan for the checks that do not hold yet; PPPError says why there is none."""
        gait = next((s for s in FORWARD if s in situation.skills), "")
        draft = _Draft(situation, self.matcher, gait, situation.xy, situation.heading)
        todos = remaining(situation)
        for i, todo in enumerate(todos):
            draft.gait = _wanted_gait(draft, todos) or gait
            if not comes_along(todo, todos[i + 1 :]):
                _DO[type(todo.condition)](draft, todo)
        _come_to_rest(draft)
        plan = Plan(steps=draft.steps)
        errors = plan_errors(plan, situation, self.matcher)
        if errors:
            raise PPPError(f"the search planner found no sound plan: {errors[0]}")
        return plan


def _wanted_gait(draft: _Draft, todos: Sequence[Todo]) -> Optional[str]:
    """A gait that a check asks for and that no step has shown yet: any walk may show it."""
    wanted = [t.condition.performed for t in todos if isinstance(t.condition, Performed)]
    for skill in wanted:
        if skill in FORWARD and skill in draft.now.skills and skill not in draft.skills_used:
            return skill
    return None


def _reach(draft: _Draft, todo: Todo) -> None:
    check = todo.condition
    boxes = draft.boxes()
    goals = reach_places(draft.now, check.reached, check.within, boxes)
    name = check.reached if isinstance(check.reached, str) else point(check.reached)
    if not goals:
        raise PPPError(
            f"no place within {check.within:g} m of {name} has room for the humanoid: "
            "move what stands there, or allow a larger 'within'"
        )
    thing = check.reached if isinstance(check.reached, str) else ""
    _walk(draft, goals, boxes, f"reach {name}", thing, until="reached")


def _strike(draft: _Draft, todo: Todo) -> None:
    prop = draft.now.prop(todo.condition.knocked_over)
    if prop.name in draft.now.fallen:
        raise PPPError(f"'{prop.name}' fell before its turn in the order: it cannot fall again")
    if prop.name in draft.now.scenario.forbidden():
        raise PPPError(f"'{prop.name}' must be knocked over and never touched: drop one check")
    skill = _attack_skill(draft)
    boxes = draft.boxes()
    gap = _stand_off(draft, skill, prop.position)
    goals = strike_places(draft.now, prop, gap, boxes)
    if not goals:
        raise PPPError(f"no place in reach of '{prop.name}' is free: move what stands around it")
    near = float(point_distance(draft.xy, box_of(prop)))
    in_place = 0.2 <= near <= gap + 0.1 and any(distance(draft.xy, g.xy) < 0.5 for g in goals)
    if not in_place:
        _walk(draft, goals, boxes, f"strike '{prop.name}'", prop.name, until="reached")
    _turn(draft, prop.position, prop.name, _SQUARE)
    draft.add(skill, say(skill, draft.matcher, prop.name), prop.position, "done")
    draft.struck.append(prop.name)
    draft.heading, draft.faced = bearing(draft.xy, prop.position), prop.position


def _attack_skill(draft: _Draft) -> str:
    """An attack that a check asks for, else the first that the policy has."""
    wanted = [s for s in draft.now.scenario.skills_named() if s in REACH]
    for skill in (*wanted, *REACH):
        if skill in draft.now.skills:
            return skill
    raise PPPError(
        "nothing can be knocked over: this policy has none of the skills " + ", ".join(REACH)
    )


def _stand_off(draft: _Draft, skill: str, target: XY) -> float:
    """Distance to the side of the struck object, m; every miss so far shortens it."""
    misses = sum(
        1
        for o in draft.now.history
        if o.skill in REACH and not o.ok and distance(o.target, target) <= 2 * AIM
    )
    # a walk stops up to TOLERANCE short of its end, so even 0.1 m is not inside the object
    return max(0.1, REACH[skill] - TOLERANCE - 0.2 * misses)


def _face(draft: _Draft, todo: Todo) -> None:
    check = todo.condition
    prop = draft.now.prop(check.facing)
    off = abs(wrap(bearing(draft.xy, prop.position) - draft.heading))
    if off > math.radians(0.5 * check.within) and not _turn(draft, prop.position, prop.name, 0.0):
        _face_by_walking(draft, prop.position, prop.name)
    draft.faced = prop.position


def _turn(draft: _Draft, target: XY, name: str, tolerance: float) -> bool:
    """Add a turn towards a point when it is further off than ``tolerance`` rad and can be done."""
    off = wrap(bearing(draft.xy, target) - draft.heading)
    wanted = "turn_left" if off >= 0.0 else "turn_right"
    if abs(off) <= tolerance or wanted not in draft.now.skills:
        return False
    draft.add(wanted, say(wanted, draft.matcher, name), target, "done")
    draft.heading = bearing(draft.xy, target)
    return True


def _face_by_walking(draft: _Draft, target: XY, name: str) -> None:
    """Without a turn, a few steps towards the object also face it."""
    boxes = draft.boxes()
    length = min(0.8, distance(draft.xy, target) - 0.8)
    goal = ahead(draft.xy, bearing(draft.xy, target), length)
    if length < 0.4 or not draft.gait or not free(goal, boxes):
        raise PPPError(f"the policy cannot turn, and there is no room to walk towards '{name}'")
    _walk(draft, [Goal(goal)], boxes, f"face '{name}'", name, until="reached")


def _perform(draft: _Draft, todo: Todo) -> None:
    skill = todo.condition.performed
    if skill not in draft.now.skills:
        raise PPPError(f"the policy has no skill '{skill}': {', '.join(draft.now.skills)}")
    if skill in draft.skills_used and not todo.ordered:
        return
    if role(skill) == GAIT:
        _excursion(draft, skill)
    elif role(skill) == TURN:
        sense = 0.5 * math.pi if skill == "turn_left" else -0.5 * math.pi
        draft.heading += sense
        draft.add(skill, say(skill, draft.matcher), ahead(draft.xy, draft.heading, 2.0), "done")
    else:
        # a blow at nothing keeps its target further off than anything it could be meant for
        target = draft.faced or ahead(draft.xy, draft.heading, 2.0)
        if role(skill) == ATTACK:
            target = ahead(draft.xy, draft.heading, 1.0)
        draft.add(skill, say(skill, draft.matcher), target, "done")


def _excursion(draft: _Draft, skill: str) -> None:
    """A short walk in a gait's own direction; a forward gait may choose another way out."""
    boxes = draft.boxes()
    turns = [0.0] if skill not in FORWARD else [0.0, 0.8, -0.8, 1.6, -1.6, 2.4, -2.4, math.pi]
    for off in turns:
        for length in _EXCURSIONS:
            direction = draft.heading + TRAVEL[skill] + off
            goal = ahead(draft.xy, direction, length)
            route = find_route(draft.xy, [Goal(goal)], boxes) if free(goal, boxes) else None
            if route and len(route.points) == 1:
                draft.add(skill, say(skill, draft.matcher), goal, "reached")
                draft.xy, draft.heading = goal, direction - TRAVEL[skill]
                return
    raise PPPError(f"there is no free floor to perform '{skill}' at {point(draft.xy)}: make room")


def _walk(
    draft: _Draft, goals: Sequence[Goal], boxes: Sequence[Box], what: str, thing: str, until: str
) -> None:
    """Add the legs of the best way to one of the goals."""
    if not draft.gait:
        raise PPPError(f"cannot {what}: this policy has none of the skills {', '.join(FORWARD)}")
    _step_away(draft, boxes)
    route = find_route(draft.xy, goals, [*boxes, *lying(draft.now)])
    route = route or find_route(draft.xy, goals, boxes)
    if route is None:
        names = ", ".join(f"'{b.name}'" for b in boxes[:6] if b.name != thing)
        raise PPPError(
            f"there is no way to {what} from {point(draft.xy)}: {names} leave no path for a "
            "body of radius 0.4 m: open a gap of 0.8 m or more"
        )
    _add_legs(draft, route, {b.name: b for b in boxes}, thing, until)


def _step_away(draft: _Draft, boxes: Sequence[Box]) -> None:
    """Who has come too near to something that must not be touched first gets away from it."""
    careful = [b for b in boxes if draft.now.prop(b.name).kind == "obstacle"]
    place = escape(draft.xy, careful, boxes)
    if place is not None:
        draft.add(draft.gait, say(draft.gait, draft.matcher), place, "reached")
        draft.heading, draft.xy = bearing(draft.xy, place), place


def _add_legs(
    draft: _Draft, route: Route, boxes: Dict[str, Box], thing: str, until: str
) -> None:
    for i, (end, beside) in enumerate(zip(route.points, route.beside)):
        last = i == len(route.points) - 1
        if beside in boxes:
            command = around(draft.gait, draft.matcher, boxes[beside], draft.xy, end)
        elif last and thing:
            command = towards(draft.gait, draft.matcher, thing)
        else:
            command = say(draft.gait, draft.matcher)
        draft.add(draft.gait, command, end, until if last else None)
        if distance(draft.xy, end) > 1e-6:
            draft.heading = bearing(draft.xy, end)
        draft.xy = end


def _come_to_rest(draft: _Draft) -> None:
    """End a walk on its feet; a plan for checks that hold already only stands."""
    used = draft.skills_used
    if (not used or role(used[-1]) == GAIT) and "idle" in draft.now.skills:
        draft.add("idle", say("idle", draft.matcher), ahead(draft.xy, draft.heading, 1.0), 1.0)
    if not draft.steps:
        raise PPPError("nothing is left to do: every check that a plan could fulfil holds")


_DO: Dict[type, Callable[[_Draft, Todo], None]] = {
    Reached: _reach,
    KnockedOver: _strike,
    Facing: _face,
    Performed: _perform,
}
