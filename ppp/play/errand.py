"""From a visitor's sentence to a small scenario of its own, which any planner can plan.

A command is one skill with a place, an instruction several of them in order. Both become success
checks, so that ways round obstacles, blows in reach and getting up again are the planner's and the
executor's work, as in ``ppp plan``.
"""
from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, List, Optional, Sequence, Tuple

from ppp.engines.scene import Prop
from ppp.language.clauses import read_command
from ppp.planning.conditions import (
    LASTING,
    Facing,
    InOrder,
    KnockedOver,
    NeverTouched,
    Performed,
    Reached,
)
from ppp.planning.geometry import XY, box_of
from ppp.planning.performer import WorldState, prop_positions
from ppp.planning.places import TOLERANCE
from ppp.planning.scenario import Object, Scenario
from ppp.planning.situation import lies
from ppp.planning.skills import ATTACK, GAIT, TURN, role
from ppp.play.things import Place, coordinates_in, forbidden_in, named_in

#: what a clicked point of the floor is called in a plan
POINT = "marked point"
#: a walk to a point ends this near to it, m; to an object, this far from its outermost corner
NEAR_POINT, NEAR_OBJECT = 0.5, 0.5
#: how exactly to face what a taunt or a blow at nothing is meant for, degrees
FACING = 20.0
#: s that an errand may take
TIME_LIMIT = 120.0


class Asked(Scenario):
    """A scenario in which planners use the attack ``by`` where something has to fall.

    As a success check it would ask for a second blow when the first fell the target by chance.
    """

    by: str = ""

    def skills_named(self) -> Tuple[str, ...]:
        """Skills that a check asks for, or the visitor did."""
        return (*super().skills_named(), *([self.by] if self.by else []))


@dataclass(frozen=True)
class Around:
    """What a sentence is read against. props: where they are now; fallen: names of those that lie.

    here: the pelvis, m. target: what was clicked last, None for nothing.
    """

    props: Tuple[Prop, ...]
    fallen: "frozenset[str]"
    here: XY
    target: Optional[Place] = None

    def prop(self, name: str) -> Optional[Prop]:
        """The object of that name."""
        return next((p for p in self.props if p.name == name), None)

    def opponent(self) -> Optional[Place]:
        """The nearest target that stands."""
        standing = [p for p in self.props if p.kind == "target" and p.name not in self.fallen]
        found = min(standing, key=lambda p: math.dist(p.position, self.here), default=None)
        return Place(found.position, found.name) if found else None


def around(scenario: Scenario, state: WorldState, target: Optional[Place]) -> Around:
    """The surroundings in a world state; markers stand where the scenario puts them."""
    places = prop_positions(state)
    props = tuple(replace(p, position=places[p.name]) if p.name in places else p
                  for p in scenario.scene().props)
    fallen = frozenset(n for n, p in state.props.items() if lies(p.up_z))
    if target and target.name:  # a thing that was clicked may have been moved since
        moved = next((p for p in props if p.name == target.name), None)
        target = Place(moved.position, target.name) if moved else None
    return Around(props, fallen, state.xy, target)


def place_of(text: str, now: Around) -> Optional[Place]:
    """Where a sentence is to be carried out: what it names, else what was clicked."""
    named = named_in(text, now.props, now.here)
    if named is not None:
        return Place(named.position, named.name)
    return coordinates_in(text) or now.target


def wishes(skill: str, place: Optional[Place], now: Around) -> List[Any]:
    """The checks that hold when ``skill`` was performed at ``place``, in the order to be met."""
    kind = role(skill)
    if kind == ATTACK:
        return _blow(skill, place or now.opponent(), now)
    if place is None:
        return [Performed(performed=skill)]
    if kind == GAIT:
        return [_reach(place, now, skill)]
    facing = Facing(facing=place.name or POINT, within=FACING)
    return [facing] if kind == TURN else [facing, Performed(performed=skill)]


def _reach(place: Place, now: Around, gait: Optional[str]) -> Reached:
    prop = now.prop(place.name) if place.name else None
    within = NEAR_POINT
    if prop is not None and prop.kind != "marker":
        # what lies reaches half its length from its centre
        radius = 0.5 * math.hypot(*prop.size) if prop.name in now.fallen else box_of(prop).radius
        within = round(radius + NEAR_OBJECT + TOLERANCE, 2)
    asked = {"by": gait} if gait else {}
    return Reached(reached=place.name or place.xy, within=within, **asked)


def _blow(skill: str, place: Optional[Place], now: Around) -> List[Any]:
    """Fell a target that stands; go to anything else, face it and strike."""
    if place is None:
        return [Performed(performed=skill)]
    prop = now.prop(place.name) if place.name else None
    if prop is not None and prop.kind == "target" and prop.name not in now.fallen:
        return [KnockedOver(knocked_over=prop.name)]
    facing = Facing(facing=place.name or POINT, within=FACING)
    near = [_reach(place, now, None)] if prop is not None else []
    return [*near, facing, Performed(performed=skill)]


def command_scenario(scenario: Scenario, text: str, skill: str, now: Around) -> Scenario:
    """A scenario in which carrying out one command is the success."""
    place = place_of(text, now)
    return _with(scenario, text, wishes(skill, place, now), [], place, [skill])


def instruction_scenario(scenario: Scenario, text: str, skills: Sequence[Tuple[str, str]],
                         now: Around) -> Scenario:
    """The same for an instruction whose clauses were read as ``skills`` (clause, skill).

    What the scenario itself asks for all the time stays; what the text forbids comes to it.
    """
    checks: List[Any] = []
    place = spot = now.target
    for clause, skill in skills:
        # "it" and "there" mean what the clause before was about
        place = place_of(clause, Around(now.props, now.fallen, now.here, place))
        spot = place if place and not place.name else spot
        felled = frozenset(c.knocked_over for c in checks if isinstance(c, KnockedOver))
        if role(skill) == ATTACK and place and not place.name:
            place = None
        checks += wishes(skill, place, Around(now.props, now.fallen | felled, now.here, place))
    lasting = [c for c in scenario.success if isinstance(c, LASTING)]
    never = forbidden_in(read_command(text).forbidden, now.props, now.here)
    lasting += [NeverTouched(never_touched=name) for name in never
                if name not in scenario.forbidden()]
    return _with(scenario, text, checks, lasting, spot, [skill for _, skill in skills])


def _with(scenario: Scenario, text: str, checks: Sequence[Any], lasting: Sequence[Any],
          place: Optional[Place], skills: Sequence[str]) -> Scenario:
    """A copy of the scenario that asks for ``checks`` in order, and for ``lasting`` all the time.

    place: a point that was clicked becomes a marker. skills: the first attack among them fells.
    """
    ordered = [InOrder(in_order=tuple(checks))] if len(checks) > 1 else list(checks)
    objects = [o for o in scenario.objects if o.name != POINT]
    if place is not None and not place.name:
        objects.append(Object(name=POINT, kind="marker", position=place.xy))
    blow = next((skill for skill in skills if role(skill) == ATTACK), "")
    # not validated again: the text is longer than a scenario's may be, its objects have moved
    return Asked.model_construct(**{
        **dict(scenario), "instruction": text, "success": [*ordered, *lasting],
        "objects": objects, "events": [], "time_limit": TIME_LIMIT, "by": blow})
