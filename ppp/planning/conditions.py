"""The success checks of a scenario, as data. ``checks.py`` evaluates them over a performance."""
from __future__ import annotations

import math
from typing import Any, Dict, Iterator, List, Optional, Tuple, Type, Union

from pydantic import BeforeValidator, ValidationError
from typing_extensions import Annotated

from ppp.errors import nearest
from ppp.planning.geometry import ARENA, XY, bearing, distance, wrap
from ppp.planning.reading import Strict, number, sentence, show, words
from ppp.planning.skills import TRAVEL

#: checks that a scenario, or one order of them, may hold
MAX_CHECKS = 32

Coordinate = number(-ARENA, ARENA, "m")
Name = words(60)


def _point(value: Any) -> Any:
    if not isinstance(value, (list, tuple)) or len(value) != 2:
        raise ValueError(f"must be two numbers [x, y] in metres, not {show(value)}")
    return tuple(value)


#: [x, y], m, world frame
Point = Annotated[Tuple[Coordinate, Coordinate], BeforeValidator(_point)]


def _place(value: Any) -> Any:
    if not isinstance(value, (str, list, tuple)):
        raise ValueError(f"must be [x, y] in metres or an object's name, not {show(value)}")
    return value


def _true(value: Any) -> bool:
    if value is not True:
        raise ValueError(f"must be true, not {show(value)}: leave the check out to drop it")
    return True


def _one_of(options: Any, what: str) -> Any:
    """A validator for a word out of ``options``."""

    def check(value: Any) -> str:
        if not isinstance(value, str) or value not in options:
            guess = nearest(show(value), options)
            hint = f"did you mean '{guess}'?" if guess else f"choose one of {', '.join(options)}"
            raise ValueError(f"unknown {what} '{show(value)}': {hint}")
        return value

    return BeforeValidator(check)


class Reached(Strict):
    """The pelvis comes within ``within`` m of a point or of an object's centre.

    by: the gait in which it must arrive there; any without it.
    """

    reached: Annotated[Any, BeforeValidator(_place)]
    within: number(0.1, ARENA, "m") = 0.5
    by: Annotated[Optional[str], _one_of(TRAVEL, "gait")] = None

    def __str__(self) -> str:
        goal = self.reached
        place = goal if isinstance(goal, str) else f"[{goal[0]:g}, {goal[1]:g}]"
        gait = f" by {self.by}" if self.by else ""
        return f"reached: {place} within {self.within:g} m{gait}"


class Facing(Strict):
    """The heading points at an object within ``within`` degrees when the performance ends."""

    facing: Name
    within: number(1.0, 180.0, "degrees") = 20.0

    def __str__(self) -> str:
        return f"facing: {self.facing} within {self.within:g} degrees"


class KnockedOver(Strict):
    """A target lies on the floor."""

    knocked_over: Name

    def __str__(self) -> str:
        return f"knocked_over: {self.knocked_over}"


class NeverTouched(Strict):
    """No body of the humanoid, sword and shield included, touches the object."""

    never_touched: Name

    def __str__(self) -> str:
        return f"never_touched: {self.never_touched}"


class KeptAway(Strict):
    """The pelvis is never nearer than ``by`` m to the side of an object, or to a marker's point."""

    kept_away: Name
    by: number(0.1, ARENA, "m")

    def __str__(self) -> str:
        return f"kept_away: {self.kept_away} by {self.by:g} m"


#: side of an object -> direction from its centre, degrees from the object's own x axis (its yaw)
SIDES: Dict[str, float] = {"front": 0.0, "left": 90.0, "behind": 180.0, "right": -90.0}


class Approached(Strict):
    """While nearer than ``near`` m to the centre of an object, the pelvis is on one side of it.

    An object looks along its own x axis, that is where its ``yaw`` points; the side is the sector
    of ``within`` degrees to the left and to the right of that side's middle. It counts no longer
    once the object lies.
    """

    approached: Name
    side: Annotated[str, _one_of(SIDES, "side")]
    within: number(15.0, 120.0, "degrees") = 60.0
    near: number(1.0, 10.0, "m") = 2.5

    def __str__(self) -> str:
        return (f"approached: {self.approached} from its side '{self.side}' within "
                f"{self.within:g} degrees, from {self.near:g} m on")


def on_wrong_side(check: Approached, centre: XY, yaw: float, xy: XY) -> bool:
    """Whether a pelvis at ``xy`` m breaks the check for an object at ``centre``, ``yaw`` in rad."""
    if distance(xy, centre) >= check.near:
        return False
    middle = yaw + math.radians(SIDES[check.side])
    return abs(wrap(bearing(centre, xy) - middle)) > math.radians(check.within)


class Performed(Strict):
    """A skill was performed to its end."""

    performed: Name

    def __str__(self) -> str:
        return f"performed: {self.performed}"


class NeverFell(Strict):
    """The humanoid stays on its feet."""

    never_fell: Annotated[bool, BeforeValidator(_true)]

    def __str__(self) -> str:
        return "never_fell"


class InOrder(Strict):
    """The checks come true one after the other."""

    in_order: List[Any]

    def __str__(self) -> str:
        return "in_order: " + ", then ".join(str(c) for c in self.in_order)


Simple = Union[
    Reached, Facing, KnockedOver, NeverTouched, KeptAway, Approached, Performed, NeverFell
]
Condition = Union[Simple, InOrder]

#: checks that must hold all the time: no step of a plan makes them true
LASTING = (NeverTouched, KeptAway, Approached, NeverFell)

#: the key that names a check -> its model
CONDITIONS: Dict[str, Type[Strict]] = {
    "reached": Reached,
    "facing": Facing,
    "knocked_over": KnockedOver,
    "never_touched": NeverTouched,
    "kept_away": KeptAway,
    "approached": Approached,
    "performed": Performed,
    "in_order": InOrder,
    "never_fell": NeverFell,
}


def parse_condition(raw: Any) -> Any:
    """A success check from its YAML mapping; ValueError with one sentence for a mistake."""
    if isinstance(raw, tuple(CONDITIONS.values())):
        return raw
    if not isinstance(raw, dict) or not raw:
        raise ValueError(f"must be a check such as {{reached: [1, 2]}}, not {show(raw)}")
    found = [key for key in raw if key in CONDITIONS]
    if len(found) > 1:
        raise ValueError(f"holds two checks, {found[0]} and {found[1]}: write them as two entries")
    if not found:
        key = show(next(iter(raw)))
        guess = nearest(key, CONDITIONS)
        hint = f"did you mean '{guess}'?" if guess else f"the checks are {', '.join(CONDITIONS)}"
        raise ValueError(f"unknown check '{key}': {hint}")
    try:
        return _complete(CONDITIONS[found[0]].model_validate(raw))
    except ValidationError as error:
        raise ValueError(sentence(error)) from None


def _complete(check: Strict) -> Strict:
    """Parse what pydantic left open: the place of ``reached`` and the members of ``in_order``."""
    if isinstance(check, Reached):
        kind = PlaceName if isinstance(check.reached, str) else PlacePoint
        return check.model_copy(update={"reached": kind(reached=check.reached).reached})
    if isinstance(check, InOrder):
        return check.model_copy(update={"in_order": _members(check.in_order)})
    return check


class PlaceName(Strict):
    """A place given as an object's name."""

    reached: Name


class PlacePoint(Strict):
    """A place given as a coordinate."""

    reached: Point


def _members(raw: List[Any]) -> Tuple[Any, ...]:
    if len(raw) < 2:
        raise ValueError("in_order: needs two checks or more")
    if len(raw) > MAX_CHECKS:
        raise ValueError(f"in_order: has {len(raw)} checks: shorten it to {MAX_CHECKS}")
    members = []
    for i, item in enumerate(raw):
        if isinstance(item, dict) and "in_order" in item:  # however deep: not read any further
            raise ValueError(f"in_order[{i}]: an order has no place in an order: write one list")
        try:
            member = parse_condition(item)
        except ValueError as error:
            raise ValueError(f"in_order[{i}]: {error}") from None
        if isinstance(member, (InOrder, *LASTING)):
            key = next(iter(type(member).model_fields))
            raise ValueError(f"in_order[{i}]: {key} has no place in an order: move it out")
        members.append(member)
    return tuple(members)


def simple_conditions(conditions: Any) -> Iterator[Simple]:
    """Every check of a list, those of ``in_order`` one by one."""
    for condition in conditions:
        if isinstance(condition, InOrder):
            yield from condition.in_order
        else:
            yield condition


def named_object(condition: Simple) -> str:
    """The object that a check names, or '' for none."""
    for key in ("reached", "facing", "knocked_over", "never_touched", "kept_away", "approached"):
        value = getattr(condition, key, None)
        if isinstance(value, str):
            return value
    return ""
