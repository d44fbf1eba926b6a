"""The search planner: the success checks say what to do, shortest paths say where to walk.

No model is asked. It is the default where no language model is configured, and the control arm for
the score of one.
"""
from __future__ import annotations

import math
from typing import Callable, Dict, Optional, Sequence

from ppp.engines.scene import Prop
from ppp.errors import PPPError
from ppp.planning.conditions import (
    Facing,
    KnockedOver,
    Performed,
    Reached,
)
from ppp.planning.drafting import Draft, turn, walk
from ppp.planning.geometry import XY, ahead, bearing, box_of, distance, point_distance, wrap
from ppp.planning.ordering import in_best_order
from ppp.planning.places import TOLERANCE, free, reach_places, strike_places
from ppp.planning.plan_schema import Plan
from ppp.planning.routes import Goal, find_route
from ppp.planning.run_up import run_up
from ppp.planning.situation import Matcher, Situation
from ppp.planning.skills import ATTACK, BEST, FORWARD, GAIT, REACH, TRAVEL, TURN, role
from ppp.planning.todo import Todo, comes_along, remaining
from ppp.planning.toppled import felled
from ppp.planning.validate import AIM, plan_errors, point
from ppp.planning.wording import say

#: lengths of a walk that is asked for as a skill, without a place to go to, m
_EXCURSIONS = (2.0, 1.5, 1.0)
#: an attack that starts turned away further than this turns first, rad
_SQUARE = math.radians(40.0)
#: where to stand for a blow: shares of its usual distance, and directions that are tried
_CLOSER = ((1.0, 32), (1.0, 48), (0.75, 48), (0.5, 48))


class SearchMaker:
    """Makes plans by search; deterministic. ``matcher`` must read its commands as intended."""

    name = "search"

    def __init__(self, matcher: Matcher) -> None:
        self.matcher = matcher

    def make(self, situation: Situation) -> Plan:
        """A plan for the checks that do not hold yet; PPPError says why there is none."""
        gait = next((s for s in FORWARD if s in situation.skills), "")
        draft = Draft(situation, self.matcher, gait, situation.xy, situation.heading)
        todos = in_best_order(remaining(situation), situation, draft.boxes(), draft.keeps())
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


def _wanted_gait(draft: Draft, todos: Sequence[Todo]) -> Optional[str]:
    """A gait that a check asks for and that no step has shown yet: any walk may show it."""
    wanted = [t.condition.performed for t in todos if isinstance(t.condition, Performed)]
    for skill in wanted:
        if skill in FORWARD and skill in draft.now.skills and skill not in draft.skills_used:
            return skill
    return None


def _reach(draft: Draft, todo: Todo) -> None:
    check = todo.condition
    boxes, keeps = draft.boxes(), draft.keeps()
    name = check.reached if isinstance(check.reached, str) else point(check.reached)
    if check.by and check.by not in draft.now.skills:
        raise PPPError(f"the policy has no skill '{check.by}': {', '.join(draft.now.skills)}")
    goals = reach_places(draft.now, check.reached, check.within, boxes, keeps)
    if not goals:
        raise PPPError(
            f"no place within {check.within:g} m of {name} has room for the humanoid"
            f"{draft.kept_from()}: move what stands there, or allow a larger 'within'"
        )
    thing = check.reached if isinstance(check.reached, str) else ""
    gait, draft.gait = draft.gait, check.by or draft.gait
    walk(draft, goals, f"reach {name}", thing)
    draft.gait = gait


def _strike(draft: Draft, todo: Todo) -> None:
    prop = draft.now.prop(todo.condition.knocked_over)
    if prop.name in draft.struck:
        return  # an earlier step of this plan does it
    if prop.name in draft.now.fallen:
        raise PPPError(f"'{prop.name}' fell before its turn in the order: it cannot fall again")
    if prop.name in draft.now.scenario.forbidden():
        raise PPPError(f"'{prop.name}' must be knocked over and never touched: drop one check")
    skill = _attack_skill(draft)
    _walk_to_strike(draft, prop, skill)
    turn(draft, prop.position, prop.name, _SQUARE)
    draft.add(skill, say(skill, draft.matcher, prop.name), prop.position, "done")
    draft.heading, draft.faced = bearing(draft.xy, prop.position), prop.position
    draft.struck[prop.name] = felled(prop, skill, draft.heading)


def _walk_to_strike(draft: Draft, prop: Prop, skill: str) -> None:
    """To where a blow reaches: at the usual distance where there is room, else nearer."""
    gap = _stand_off(draft, skill, prop.position)
    problem = PPPError(
        f"no place in reach of '{prop.name}' is free{draft.kept_from()}: "
        "move what stands around it"
    )
    boxes, keeps = draft.boxes(), draft.keeps()
    for share, directions in _CLOSER:
        goals = strike_places(draft.now, prop, skill, share * gap, boxes, keeps, directions)
        near = float(point_distance(draft.xy, box_of(prop)))
        close = any(distance(draft.xy, g.xy) < 0.5 for g in goals)
        if 0.2 <= near <= gap + 0.1 and close and free(draft.xy, [], keeps):
            return
        try:
            if goals:
                goals = run_up(draft, prop, goals)
                walk(draft, goals, f"strike '{prop.name}'", prop.name)
                return
        except PPPError as error:
            problem = error
    raise problem


def _attack_skill(draft: Draft) -> str:
    """An attack that a check asks for, else the first that the policy has."""
    wanted = [s for s in draft.now.scenario.skills_named() if s in REACH]
    for skill in (*wanted, *REACH):
        if skill in draft.now.skills:
            return skill
    raise PPPError(
        "nothing can be knocked over: this policy has none of the skills " + ", ".join(REACH)
    )


def _stand_off(draft: Draft, skill: str, target: XY) -> float:
    """Distance to the side of the struck object, m; every miss so far shortens it."""
    misses = sum(
        1
        for o in draft.now.history
        if o.skill in REACH and not o.ok and distance(o.target, target) <= 2 * AIM
    )
    # a walk stops up to TOLERANCE short of its end, so even 0.1 m is not inside the object
    return max(0.1, BEST[skill] - TOLERANCE - 0.2 * misses)


def _face(draft: Draft, todo: Todo) -> None:
    check = todo.condition
    prop = draft.now.prop(check.facing)
    off = abs(wrap(bearing(draft.xy, prop.position) - draft.heading))
    if off > math.radians(0.5 * check.within) and not turn(draft, prop.position, prop.name, 0.0):
        _face_by_walking(draft, prop.position, prop.name)
    draft.faced = prop.position


def _face_by_walking(draft: Draft, target: XY, name: str) -> None:
    """Without a turn, a few steps towards the object also face it."""
    length = min(0.8, distance(draft.xy, target) - 0.8)
    goal = ahead(draft.xy, bearing(draft.xy, target), length)
    if length < 0.4 or not draft.gait or not free(goal, draft.boxes(), draft.keeps()):
        raise PPPError(f"the policy cannot turn, and there is no room to walk towards '{name}'")
    walk(draft, [Goal(goal)], f"face '{name}'", name)


def _perform(draft: Draft, todo: Todo) -> None:
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


def _excursion(draft: Draft, skill: str) -> None:
    """A short walk in a gait's own direction; a forward gait may choose another way out."""
    boxes, keeps = draft.boxes(), draft.keeps()
    turns = [0.0] if skill not in FORWARD else [0.0, 0.8, -0.8, 1.6, -1.6, 2.4, -2.4, math.pi]
    for off in turns:
        for length in _EXCURSIONS:
            direction = draft.heading + TRAVEL[skill] + off
            goal = ahead(draft.xy, direction, length)
            fits = free(goal, boxes, keeps)
            route = find_route(draft.xy, [Goal(goal)], boxes, keeps) if fits else None
            if route and len(route.points) == 1:
                draft.add(skill, say(skill, draft.matcher), goal, "reached")
                draft.xy, draft.heading = goal, direction - TRAVEL[skill]
                return
    raise PPPError(f"there is no free floor to perform '{skill}' at {point(draft.xy)}: make room")


def _come_to_rest(draft: Draft) -> None:
    """End a walk on its feet; a plan for checks that hold already only stands."""
    used = draft.skills_used
    if (not used or role(used[-1]) == GAIT) and "idle" in draft.now.skills:
        draft.add("idle", say("idle", draft.matcher), ahead(draft.xy, draft.heading, 1.0), 1.0)
    if not draft.steps:
        raise PPPError("nothing is left to do: every check that a plan could fulfil holds")


_DO: Dict[type, Callable[[Draft, Todo], None]] = {
    Reached: _reach,
    KnockedOver: _strike,
    Facing: _face,
    Performed: _perform,
}
