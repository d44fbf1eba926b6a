"""Is a plan sound? Commands understood, coordinates inside, walks clear, blows within reach.

The errors are written for who made the plan, a model as a rule: each names the step, what is wrong
in figures, and what to do instead.
"""
from __future__ import annotations

from dataclasses import replace
from typing import List, Optional, Sequence

from ppp.engines.scene import Prop
from ppp.planning.conditions import KnockedOver, simple_conditions
from ppp.planning.geometry import (
    ARENA,
    XY,
    Polygon,
    box_of,
    distance,
    in_arena,
    point_distance,
    segment_distance,
)
from ppp.planning.hints import clear_points, places_to_strike, point
from ppp.planning.plan_schema import Plan, PlanStep
from ppp.planning.reading import quoted, show
from ppp.planning.situation import Match, Matcher, Situation
from ppp.planning.skills import ATTACK, GAIT, REACH, TRAVEL, role
from ppp.planning.zones import Keep, solid, zones

#: an attack's target is the object whose centre is this near to its coordinate, m
AIM = 0.6
#: a step may start this much beyond an attack's reach: a blow carries the humanoid along, m
REACH_SLACK = 0.15


def plan_errors(plan: Plan, situation: Situation, matcher: Matcher) -> List[str]:
    """Every mistake in the plan, one sentence each, in the order of its steps; empty when sound.

    The plan is followed as it means to go: a walk ends at its target, and what a blow is aimed at
    no longer stands in the way afterwards.
    """
    errors: List[str] = []
    now = situation
    for number, step in enumerate(plan.steps, start=1):
        match = matcher(step.command)
        problem = _step_error(step, match, now, situation)
        if problem:
            # a sentence that is read otherwise than it was meant is the mistake, not its target
            read = f", understood as {match.skill.replace('_', ' ')}" if match.known else ""
            errors.append(f"step {number} ({quoted(show(step.command))}{read}): {problem}")
        if match.known and match.skill in TRAVEL:
            now = replace(now, xy=step.target)
        elif match.known and role(match.skill) == ATTACK:
            struck = aimed_at(step.target, now.standing())
            now = replace(now, fallen=now.fallen | {struck.name}) if struck else now
    return errors


def _step_error(
    step: PlanStep, match: Match, now: Situation, before: Situation
) -> Optional[str]:
    """now: as the steps before this one leave it; before: as it is before the plan."""
    can = ", ".join(f"'{skill.replace('_', ' ')}'" for skill in now.skills)
    if not match.known:
        return f"no skill fits this command: say one of {can} in other words or in these"
    if match.skill not in now.skills:
        return f"this robot cannot do that: it can do {can}"
    if not in_arena(step.target):
        return (f"the target {point(step.target)} is outside the arena: both coordinates lie from "
                f"-{ARENA:g} to {ARENA:g} m")
    if role(match.skill) == GAIT:
        return _walk_error(step.target, now)
    if role(match.skill) == ATTACK:
        # a second blow at what the first was meant to fell is no mistake
        return _attack_error(match.skill, step.target, replace(now, fallen=before.fallen))
    return None


def _walk_error(there: XY, now: Situation) -> Optional[str]:
    here, keeps = now.xy, no_go(now)
    for keep in keeps:
        # who stands too close already may walk away, only not closer
        allowed = min(keep.room, float(point_distance(here, keep.shape))) - 1e-6
        if segment_distance(here, there, keep.shape) < allowed:
            end = float(point_distance(there, keep.shape))
            inner = end < allowed
            return (_end_error if inner else _way_error)(there, keep, now, keeps)
    kept = {keep.name for keep in keeps}
    for prop in now.standing():
        box = box_of(prop)
        inside = float(point_distance(here, box)) == 0.0
        if prop.name not in kept and not inside and segment_distance(here, there, box) == 0.0:
            return (
                f"the straight walk from {point(here)} to {point(there)} runs into "
                f"{quoted(prop.name)}, which stands there: stop at least 0.3 m from its side, or "
                "go round it"
            )
    return None


def _end_error(there: XY, keep: Keep, now: Situation, keeps: Sequence[Keep]) -> str:
    """A walk that ends where nobody may stand."""
    gap, name = float(point_distance(there, keep.shape)), quoted(keep.name)
    if isinstance(keep.shape, Polygon):
        return f"the target {point(there)} is on a forbidden side of {name}: {keep.rule}"
    place = f"lies inside {name}" if gap == 0.0 else f"is {gap:.2f} m from the side of {name}"
    return (
        f"the target {point(there)} {place}: choose one at least {keep.room:g} m off its sides"
        + clear_points(keep, [there], now, keeps)
    )


def _way_error(there: XY, keep: Keep, now: Situation, keeps: Sequence[Keep]) -> str:
    """A walk between two good places that comes too near to something."""
    gap, name = segment_distance(now.xy, there, keep.shape), quoted(keep.name)
    if isinstance(keep.shape, Polygon):
        what = f"crosses a forbidden side of {name}"
    else:
        what = f"goes through {name}" if gap == 0.0 else f"passes {gap:.2f} m from {name}"
    return (
        f"the straight walk from {point(now.xy)} to {point(there)} {what}: {keep.rule}"
        + clear_points(keep, [now.xy, there], now, keeps)
    )


def _attack_error(skill: str, there: XY, now: Situation) -> Optional[str]:
    here, struck = now.xy, aimed_at(there, now.standing())
    if struck is None:
        return _empty_blow(skill, there, now)
    name = quoted(struck.name)
    if struck.name in now.scenario.forbidden():
        return f"would touch {name}, which must never be touched: aim at something else"
    gap = float(point_distance(here, box_of(struck)))
    if gap > REACH[skill] + REACH_SLACK:
        return (
            f"starts at {point(here)}, {gap:.2f} m from {name}: walk to within "
            f"{REACH[skill]:g} m of its side first"
            + places_to_strike(struck, skill, here, now, no_go(now))
        )
    for keep in solid(now.scenario, now.props):
        if keep.name != struck.name and segment_distance(here, there, keep.shape) == 0.0:
            return (
                f"{quoted(keep.name)} stands between {point(here)} and {name}: strike from where "
                "nothing is between" + places_to_strike(struck, skill, here, now, no_go(now))
            )
    return None


def _empty_blow(skill: str, there: XY, now: Situation) -> Optional[str]:
    """A blow at nothing is a mistake where something has to fall and the blow is not asked for."""
    forbidden = now.scenario.forbidden()
    for prop in now.props:
        if prop.name in forbidden and float(point_distance(there, box_of(prop))) == 0.0:
            return (f"would touch {quoted(prop.name)}, which must never be touched: aim at "
                    "something else")
    wanted = {
        c.knocked_over for c in simple_conditions(now.scenario.success)
        if isinstance(c, KnockedOver)
    }  # fmt: skip
    stand = [p for p in now.standing() if p.name in wanted]
    if not stand or skill in now.scenario.skills_named():
        return None
    prop = min(stand, key=lambda p: distance(p.position, there))
    return (
        f"nothing that can be struck stands at {point(there)}: {quoted(prop.name)} stands at "
        f"{point(prop.position)}, which is then the target to give"
    )


def no_go(situation: Situation) -> List[Keep]:
    """What a walk must keep away from: obstacles, objects never to be touched, and zones."""
    scenario, props = situation.scenario, situation.props
    return [*solid(scenario, props), *zones(scenario, props, situation.fallen)]


def aimed_at(target: XY, props: "tuple[Prop, ...]") -> Optional[Prop]:
    """The target object that an attack at a coordinate is meant for, if one stands there."""
    near = [p for p in props if p.kind == "target" and distance(p.position, target) <= AIM]
    return min(near, key=lambda p: distance(p.position, target)) if near else None
