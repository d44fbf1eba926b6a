"""A plan in the making: where it leaves the humanoid, and the walks and turns that it takes."""
from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Dict, List, Optional, Sequence

from ppp.errors import PPPError
from ppp.planning.geometry import BODY_RADIUS, XY, Box, bearing, distance, wrap
from ppp.planning.places import escape, free, walls
from ppp.planning.plan_schema import PlanStep
from ppp.planning.routes import Goal, Route, find_route
from ppp.planning.situation import Matcher, Situation
from ppp.planning.skills import FORWARD, TRAVEL
from ppp.planning.toppled import lying
from ppp.planning.validate import point
from ppp.planning.wording import around, say, towards
from ppp.planning.zones import MARGIN, Keep, zones


@dataclass
class Draft:
    """The plan so far and where it leaves the humanoid."""

    now: Situation
    matcher: Matcher
    gait: str
    xy: XY
    heading: float
    steps: List[PlanStep] = field(default_factory=list)
    skills_used: List[str] = field(default_factory=list)
    #: what this plan has struck down by then, and where it probably lies
    struck: Dict[str, Box] = field(default_factory=dict)
    faced: Optional[XY] = None

    def add(self, skill: str, command: str, target: XY, until: Any = None) -> None:
        """Append a step; coordinates are rounded to the millimetre."""
        xy = (round(target[0], 3) + 0.0, round(target[1], 3) + 0.0)
        self.steps.append(PlanStep(command=command, target=xy, until=until))
        self.skills_used.append(skill)

    def boxes(self) -> List[Box]:
        """What stands, without what this plan has struck down by then."""
        return [b for b in walls(self.now) if b.name not in self.struck]

    def obstructions(self) -> List[Box]:
        """What stands, and where something lies that was or will be struck down by then."""
        return [*self.boxes(), *self.on_the_floor()]

    def on_the_floor(self) -> List[Box]:
        """Where something lies that was or will be struck down by then."""
        return [*lying(self.now), *self.struck.values()]

    def keeps(self) -> List[Keep]:
        """The zones to stay out of, with the room that plans like."""
        down = self.now.fallen.union(self.struck)
        return zones(self.now.scenario, self.now.props, down, MARGIN)

    def kept_from(self) -> str:
        """What the zones add to the reason for no way, '' without any."""
        named = sorted({k.name for k in self.keeps()})
        return f" out of the zones around {', '.join(repr(n) for n in named)}" if named else ""


def walk(draft: Draft, goals: Sequence[Goal], what: str, thing: str) -> None:
    """Add the legs of the best way to one of the goals; PPPError says why there is none.

    what: the walk is for, in words. thing: the object that it leads to, '' for none.
    """
    boxes, keeps = draft.boxes(), draft.keeps()
    if not draft.gait:
        raise PPPError(f"cannot {what}: this policy has none of the skills {', '.join(FORWARD)}")
    _step_away(draft, boxes)
    floor = draft.on_the_floor()
    clear = [goal for goal in goals if free(goal.xy, floor)]
    route = find_route(draft.xy, clear, [*boxes, *floor], keeps) if clear else None
    route = route or find_route(draft.xy, goals, boxes, keeps)
    if route is None:
        raise PPPError(_no_way(draft, what, thing))
    _add_legs(draft, route, {b.name: b for b in boxes}, thing)


def _no_way(draft: Draft, what: str, thing: str) -> str:
    names = ", ".join(f"'{b.name}'" for b in draft.boxes()[:6] if b.name != thing)
    return (
        f"there is no way to {what} from {point(draft.xy)}{draft.kept_from()}: "
        f"{names or 'these'} leave no path for a body of radius {BODY_RADIUS:g} m: open a gap of "
        f"{2.0 * BODY_RADIUS:g} m or more"
    )


def _step_away(draft: Draft, boxes: Sequence[Box]) -> None:
    """Who has come too near to something that must not be touched first gets away from it."""
    never = draft.now.scenario.forbidden()
    careful = [
        b for b in boxes if draft.now.prop(b.name).kind == "obstacle" or b.name in never
    ]
    place = escape(draft.xy, careful, boxes)
    if place is not None:
        draft.add(draft.gait, say(draft.gait, draft.matcher), place, "reached")
        draft.heading, draft.xy = bearing(draft.xy, place) - TRAVEL[draft.gait], place


def _add_legs(draft: Draft, route: Route, boxes: Dict[str, Box], thing: str) -> None:
    for i, (end, beside) in enumerate(zip(route.points, route.beside)):
        last = i == len(route.points) - 1
        if beside in boxes:
            command = around(draft.gait, draft.matcher, boxes[beside], draft.xy, end)
        elif last and thing:
            command = towards(draft.gait, draft.matcher, thing)
        else:
            command = say(draft.gait, draft.matcher)
        draft.add(draft.gait, command, end, "reached" if last else None)
        if distance(draft.xy, end) > 1e-6:
            draft.heading = bearing(draft.xy, end) - TRAVEL[draft.gait]
        draft.xy = end


def turn(draft: Draft, target: XY, name: str, tolerance: float) -> bool:
    """Add a turn towards a point when it is further off than ``tolerance`` rad and can be done."""
    off = wrap(bearing(draft.xy, target) - draft.heading)
    wanted = "turn_left" if off >= 0.0 else "turn_right"
    if abs(off) <= tolerance or wanted not in draft.now.skills:
        return False
    draft.add(wanted, say(wanted, draft.matcher, name), target, "done")
    draft.heading = bearing(draft.xy, target)
    return True
