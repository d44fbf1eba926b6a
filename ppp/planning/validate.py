"""Is a plan sound? Commands understood, coordinates inside, walks clear, blows within reach."""
from __future__ import annotations

from typing import List, Optional

from ppp.engines.scene import Prop
from ppp.planning.geometry import (
    ARENA,
    XY,
    box_of,
    distance,
    in_arena,
    point_distance,
    segment_distance,
)
from ppp.planning.plan_schema import Plan, PlanStep
from ppp.planning.reading import show
from ppp.planning.situation import Matcher, Situation
from ppp.planning.skills import ATTACK, GAIT, REACH, TRAVEL, role
from ppp.planning.zones import Keep, solid, zones

#: an attack's target is the object whose centre is this near to its coordinate, m
AIM = 0.6
#: a step may start this much beyond an attack's reach: a blow carries the humanoid along, m
REACH_SLACK = 0.15


def plan_errors(plan: Plan, situation: Situation, matcher: Matcher) -> List[str]:
    """Every mistake in the plan, one sentence each, in the order of its steps; empty when sound."""
    errors: List[str] = []
    here = situation.xy
    for number, step in enumerate(plan.steps, start=1):
        problem = _step_error(step, here, situation, matcher)
        if problem:
            errors.append(f"step {number} ('{show(step.command)}'): {problem}")
        match = matcher(step.command)
        if match.known and match.skill in TRAVEL:
            here = step.target
    return errors


def _step_error(
    step: PlanStep, here: XY, situation: Situation, matcher: Matcher
) -> Optional[str]:
    match = matcher(step.command)
    if not match.known:
        return f"no skill fits this command: use one of {', '.join(situation.skills)}"
    if match.skill not in situation.skills:
        can = ", ".join(situation.skills)
        return f"means {match.skill}, which this policy cannot do: it can do {can}"
    if not in_arena(step.target):
        return f"the target {point(step.target)} is outside the arena of ±{ARENA:g} m"
    if role(match.skill) == GAIT:
        return _walk_error(here, step.target, situation)
    if role(match.skill) == ATTACK:
        return _attack_error(match.skill, here, step.target, situation)
    return None


def _walk_error(here: XY, there: XY, situation: Situation) -> Optional[str]:
    for keep in no_go(situation):
        # who stands too close already may walk away, only not closer
        allowed = min(keep.room, float(point_distance(here, keep.shape)))
        gap = segment_distance(here, there, keep.shape)
        if gap < allowed - 1e-6:
            what = "goes through" if gap == 0.0 else f"passes {gap:.2f} m from"
            return (
                f"the straight walk from {point(here)} to {point(there)} {what} '{keep.name}': "
                f"{keep.rule}"
            )
    return None


def _attack_error(skill: str, here: XY, there: XY, situation: Situation) -> Optional[str]:
    struck = aimed_at(there, situation.standing())
    if struck is None:
        return None
    if struck.name in situation.scenario.forbidden():
        return f"would touch '{struck.name}', which must never be touched"
    gap = float(point_distance(here, box_of(struck)))
    if gap > REACH[skill] + REACH_SLACK:
        return (
            f"starts at {point(here)}, {gap:.2f} m from '{struck.name}': walk to within "
            f"{REACH[skill]:g} m of its side first"
        )
    for keep in solid(situation.scenario, situation.props):
        if keep.name != struck.name and segment_distance(here, there, keep.shape) == 0.0:
            return f"'{keep.name}' stands between {point(here)} and '{struck.name}': walk around it"
    return None


def no_go(situation: Situation) -> List[Keep]:
    """What a walk must keep away from: obstacles, objects never to be touched, and zones."""
    scenario, props = situation.scenario, situation.props
    return [*solid(scenario, props), *zones(scenario, props, situation.fallen)]


def aimed_at(target: XY, props: "tuple[Prop, ...]") -> Optional[Prop]:
    """The target object that an attack at a coordinate is meant for, if one stands there."""
    near = [p for p in props if p.kind == "target" and distance(p.position, target) <= AIM]
    return min(near, key=lambda p: distance(p.position, target)) if near else None


def point(xy: XY) -> str:
    """A coordinate as it stands in a sentence."""
    return f"[{xy[0]:.2f}, {xy[1]:.2f}]"
