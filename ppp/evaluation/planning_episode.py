"""One generated scene, planned and performed: the row that ``ppp eval planning`` keeps of it."""
from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Callable, Dict, List, Optional

import numpy as np

from ppp.errors import PPPError
from ppp.evaluation.planning_falls import falls
from ppp.planning.conditions import NeverTouched
from ppp.planning.executor import Executor
from ppp.planning.generate import generate
from ppp.planning.geometry import XY, distance
from ppp.planning.optimum import rounded, ruled, shortest
from ppp.planning.performer import Performer
from ppp.planning.plan_schema import Plan
from ppp.planning.planner import ListPlanner, PlanMaker
from ppp.planning.scenario import Scenario
from ppp.planning.server import NoAnswer
from ppp.planning.situation import Matcher
from ppp.planning.skills import ATTACK, GAIT, role
from ppp.planning.trace import Recogniser, Trace
from ppp.planning.validate import aimed_at


@dataclass(frozen=True)
class Cast:
    """Who takes part: the planner's maker for a scenario, the matcher, the performer."""

    maker: Callable[[Scenario], PlanMaker]
    matcher: Matcher
    performer: Performer
    executor: str  # kinematic or physics
    recognise: Optional[Recogniser] = None


def episode(level: str, seed: int, cast: Cast) -> Dict[str, Any]:
    """Plan and perform one scene; the figures of it as plain data.

    No sound plan is a figure too. A model's server that does not answer is none: NoAnswer.
    """
    scenario = generate(level, seed)
    row: Dict[str, Any] = {"level": level, "seed": seed, "executor": cast.executor, "kind": "open"}
    maker = cast.maker(scenario)
    planner = ListPlanner(scenario, cast.performer.skills, maker)
    try:
        plan = planner.prepare()
    except NoAnswer:
        raise
    except PPPError as error:
        row.update(valid=False, success=False, ended=f"no plan: {error}", failed=["no plan"])
        return {**row, "repairs": _repairs(maker)}
    row.update(valid=True, repairs=_repairs(maker), plan_steps=len(plan.steps))
    row.update(lengths(scenario, plan, cast.matcher))
    executor = Executor(scenario, planner, cast.performer, cast.matcher, maker.name,
                        recognise=cast.recognise)
    result = executor.perform(seed)
    fell = falls(executor.trace, executor.told)
    row.update(
        success=result.success,
        ended=result.ended,
        failed=[c.check for c in result.checks if not c.passed],
        replans=result.replans,
        reasons=list(result.reasons),
        time_s=round(result.time_s, 2),
        walked_m=round(_walked(executor.trace), 2),
        falls=len(fell),
        fell=[asdict(fall) for fall in fell],
        touches=touches(scenario, executor.trace),
    )
    return row


def closed_episode(level: str, seed: int, cast: Cast) -> Dict[str, Any]:
    """A scene without any way: did the planner refuse it, and why?"""
    scenario = generate(level, seed, solvable=False)
    row = {"level": level, "seed": seed, "executor": cast.executor, "kind": "closed"}
    try:
        ListPlanner(scenario, cast.performer.skills, cast.maker(scenario)).prepare()
    except NoAnswer:
        raise
    except PPPError as error:
        return {**row, "refused": True, "ended": str(error)}
    return {**row, "refused": False, "ended": "made a plan"}


def _repairs(maker: PlanMaker) -> int:
    """Replies that a model needed beyond its first one; 0 for a search."""
    return max(0, int(getattr(maker, "attempts", 1)) - 1)


def lengths(scenario: Scenario, plan: Plan, matcher: Matcher) -> Dict[str, Optional[float]]:
    """plan_m: the length of all walks, m; optimum_m: of the shortest walks through the same stops.

    A stop is where a walk ends that is not followed by another, or that must be reached. The
    optimum stays ``BODY_RADIUS`` off everything that stands and keeps the zones of the scenario; a
    plan that passes wider is longer by that.
    """
    props = scenario.scene().props
    here: XY = scenario.start.position
    stop, gone, planned, best, leg = here, [], 0.0, 0.0, 0.0
    skills = [matcher(step.command).skill for step in plan.steps]
    for i, step in enumerate(plan.steps):
        if role(skills[i]) == ATTACK:
            standing = tuple(p for p in props if p.name not in gone)
            struck = aimed_at(step.target, standing)
            gone += [struck.name] if struck else []
        if role(skills[i]) != GAIT:
            continue
        leg += distance(here, step.target)
        here = step.target
        last = i + 1 == len(skills) or role(skills[i + 1]) != GAIT
        if last or step.until == "reached":
            boxes, sectors = ruled(scenario, props, gone)
            walls = [*rounded([p for p in props if p.name not in gone]), *boxes]
            planned, leg = planned + leg, 0.0
            best += float(shortest(stop, [here], walls, sectors)[0])
            stop = here
    found = {"plan_m": round(planned, 3), "optimum_m": round(best, 3)}
    return found if np.isfinite(best) else {**found, "optimum_m": None}


def touches(scenario: Scenario, trace: Trace) -> int:
    """Things that must never be touched and were."""
    named: List[str] = [c.never_touched for c in scenario.success if isinstance(c, NeverTouched)]
    return sum(bool(trace.touches(name).any()) for name in named)


def _walked(trace: Trace) -> float:
    return float(np.linalg.norm(np.diff(trace.xy(), axis=0), axis=1).sum())
