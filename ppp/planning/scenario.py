"""The scenario: where the humanoid starts, what stands around, what it is told, what counts."""
from __future__ import annotations

import math
from pathlib import Path
from typing import Any, List, Optional, Sequence, Tuple, Union

from pydantic import BeforeValidator, Field, ValidationError
from typing_extensions import Annotated

from ppp.engines.scene import KINDS, TARGET_SIZE, Prop, Scene
from ppp.errors import PPPError, nearest, unknown
from ppp.planning.conditions import (
    Approached,
    KeptAway,
    KnockedOver,
    NeverTouched,
    Performed,
    Point,
    Reached,
    named_object,
    on_wrong_side,
    parse_condition,
    simple_conditions,
)
from ppp.planning.geometry import BODY_RADIUS, Box, box_of, boxes_overlap, point_distance
from ppp.planning.reading import Strict, number, read_yaml, sentence, show, words

#: objects a scene may hold
MAX_OBJECTS = 64
#: events it may hold
MAX_EVENTS = 32


def _kind(value: Any) -> str:
    if value not in KINDS:
        guess = nearest(show(value), KINDS)
        hint = f"did you mean '{guess}'?" if guess else f"choose one of {', '.join(KINDS)}"
        raise ValueError(f"unknown kind '{show(value)}': {hint}")
    return value


def _size(value: Any) -> Any:
    if not isinstance(value, (list, tuple)) or len(value) != 3:
        raise ValueError(f"must be three numbers [x, y, z] in metres, not {show(value)}")
    return tuple(value)


Length = number(0.02, 40.0, "m")
Angle = number(-360.0, 360.0, "degrees")


class Start(Strict):
    """Where the humanoid stands at first: position in m, heading in degrees from the x axis."""

    position: Point = (0.0, 0.0)
    heading: Angle = 0.0


class Object(Strict):
    """A thing in the scene. ``size`` is the full extent in m, ``yaw`` its rotation in degrees."""

    name: words(60)
    kind: Annotated[str, BeforeValidator(_kind)]
    position: Point
    size: Optional[Annotated[Tuple[Length, Length, Length], BeforeValidator(_size)]] = None
    yaw: Angle = 0.0

    def prop(self) -> Prop:
        """The same thing as the engines know it."""
        size = self.size or TARGET_SIZE
        return Prop(self.name, self.kind, self.position, size, math.radians(self.yaw))


class Event(Strict):
    """Somebody moves a target: ``at`` s after the start it stands at ``to``, m.

    It waits while the humanoid is in the place, and does not happen to a target that lies.
    """

    at: number(0.0, 600.0, "s")
    move: words(60)
    to: Point

    def __str__(self) -> str:
        return f"at {self.at:g} s '{self.move}' is moved to [{self.to[0]:g}, {self.to[1]:g}]"


class Scenario(Strict):
    """One instruction in one scene, with the checks that decide whether it was carried out."""

    name: words(60)
    robot: words(500, lines=True) = (
        "a humanoid with a sword in its right hand and a shield on its left forearm"
    )
    instruction: words(1000, lines=True)
    start: Start = Start()
    objects: Annotated[List[Object], Field(max_length=MAX_OBJECTS)] = []
    constraints: Annotated[List[words(500, lines=True)], Field(max_length=32)] = []
    events: Annotated[List[Event], Field(max_length=MAX_EVENTS)] = []
    success: Annotated[
        List[Annotated[Any, BeforeValidator(parse_condition)]], Field(min_length=1, max_length=32)
    ]
    time_limit: number(1.0, 600.0, "s") = 60.0

    def scene(self) -> Scene:
        """The props in the order of the file."""
        return Scene(tuple(o.prop() for o in self.objects))

    def forbidden(self) -> Tuple[str, ...]:
        """Names of the objects that must never be touched."""
        return tuple(c.never_touched for c in self.success if isinstance(c, NeverTouched))

    def skills_named(self) -> Tuple[str, ...]:
        """Skills that a success check asks for."""
        found = list(simple_conditions(self.success))
        gaits = [c.by for c in found if isinstance(c, Reached) and c.by]
        return (*(c.performed for c in found if isinstance(c, Performed)), *gaits)


def load_scenario(path: Union[str, Path]) -> Scenario:
    """Read, parse and check a scenario file; PPPError names file, field and mend."""
    path = Path(path)
    return parse_scenario(read_yaml(path, "scenario"), str(path))


def parse_scenario(data: Any, source: str = "scenario") -> Scenario:
    """A scenario from plain data; ``source`` is what an error calls the file."""
    try:
        scenario = Scenario.model_validate(data)
    except ValidationError as error:
        raise PPPError(f"{source}: {sentence(error)}") from None
    for check in (_check_names, _check_references, _check_start, _check_zones, _check_overlaps,
                  _check_events):
        problem = check(scenario)
        if problem:
            raise PPPError(f"{source}: {problem}")
    return scenario


def check_skills(scenario: Scenario, skills: Sequence[str], source: str) -> None:
    """Raise PPPError when a success check asks for a skill that the policy does not have."""
    for check in simple_conditions(scenario.success):
        key = "performed" if isinstance(check, Performed) else "by"
        skill = getattr(check, key, None)
        if isinstance(check, (Performed, Reached)) and skill and skill not in skills:
            raise PPPError(f"{source}: success: {key}: {unknown('skill', skill, skills)}")


def _check_names(scenario: Scenario) -> Optional[str]:
    names: List[str] = []
    for i, thing in enumerate(scenario.objects):
        if thing.name in names:
            first = names.index(thing.name)
            return (
                f"objects[{i}].name: '{thing.name}' is also the name of objects[{first}]: "
                "give each object its own name"
            )
        names.append(thing.name)
        if thing.kind == "obstacle" and thing.size is None:
            return f"objects[{i}].size: is missing: an obstacle needs size [x, y, z] in metres"
    return None


def _check_references(scenario: Scenario) -> Optional[str]:
    kinds = {o.name: o.kind for o in scenario.objects}
    for i, entry in enumerate(scenario.success):
        for condition in simple_conditions([entry]):
            name = named_object(condition)
            problem = _check_reference(condition, name, kinds) if name else None
            if problem:
                return f"success[{i}]: {condition}: {problem}"
    return None


def _check_reference(condition: Any, name: str, kinds: Any) -> Optional[str]:
    if name not in kinds:
        if not kinds:
            return f"there is no object '{name}': add it to objects"
        return str(unknown("object", name, kinds))
    kind = kinds[name]
    if isinstance(condition, KnockedOver) and kind != "target":
        return f"'{name}' is of kind {kind}: only a target can be knocked over"
    if isinstance(condition, NeverTouched) and kind == "marker":
        return f"'{name}' is a marker without a body: name an obstacle or a target"
    return None


def _check_start(scenario: Scenario) -> Optional[str]:
    for i, prop in enumerate(scenario.scene().props):
        if prop.kind == "marker":
            continue
        gap = float(point_distance(scenario.start.position, box_of(prop)))
        if gap < BODY_RADIUS:
            x, y = scenario.start.position
            return (
                f"objects[{i}].position: '{prop.name}' stands on the start [{x:g}, {y:g}]: move it "
                f"so that its side is {BODY_RADIUS:g} m away or more (now {gap:.2f} m)"
            )
    return None


def _check_zones(scenario: Scenario) -> Optional[str]:
    """A check that is broken before the first step can never hold."""
    props, start = {p.name: p for p in scenario.scene().props}, scenario.start.position
    for i, check in enumerate(scenario.success):
        if isinstance(check, KeptAway):
            gap = float(point_distance(start, box_of(props[check.kept_away])))
            if gap < check.by:
                return (
                    f"success[{i}]: {check}: the start is only {gap:.2f} m away from it: "
                    "move one of the two, or ask for less"
                )
        elif isinstance(check, Approached):
            prop = props[check.approached]
            if on_wrong_side(check, prop.position, prop.yaw, start):
                return (
                    f"success[{i}]: {check}: the start is on another side already: move it "
                    f"{check.near:g} m away from the centre of '{prop.name}'"
                )
    return None


def _check_events(scenario: Scenario) -> Optional[str]:
    kinds = {o.name: o.kind for o in scenario.objects}
    props = {p.name: p for p in scenario.scene().bodies}
    for i, event in enumerate(scenario.events):
        if event.move not in kinds:
            return f"events[{i}].move: {unknown('object', event.move, kinds)}" if kinds else (
                f"events[{i}].move: there is no object '{event.move}': add it to objects")
        if kinds[event.move] != "target":
            return f"events[{i}].move: '{event.move}' is no target: only a target can be moved"
        old = box_of(props[event.move])
        new = Box(old.name, event.to, old.half, old.yaw)
        for prop in props.values():
            if prop.kind == "obstacle" and boxes_overlap(new, box_of(prop)):
                return (f"events[{i}].to: is inside '{prop.name}': choose a free place for "
                        f"'{event.move}'")
    return None


def _check_overlaps(scenario: Scenario) -> Optional[str]:
    props = scenario.scene().props
    for i, prop in enumerate(props):
        for other in props:
            # obstacles may overlap: that is how walls with corners are built
            if other is prop or prop.kind == "obstacle" or other.kind == "marker":
                continue
            if prop.kind == "marker" and other.kind == "target":
                continue
            if boxes_overlap(box_of(prop), box_of(other)):
                return (
                    f"objects[{i}].position: '{prop.name}' is inside '{other.name}': "
                    "move one of the two"
                )
    return None

