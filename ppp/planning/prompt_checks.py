"""The success checks of a scenario in plain English, with the names of things in quotes."""
from __future__ import annotations

import json
import math
from typing import Any, Callable, Mapping

from ppp.planning.conditions import SIDES
from ppp.planning.reading import quoted
from ppp.planning.situation import Situation
from ppp.planning.skills import describe


def check_in_words(condition: Any, situation: Situation) -> str:
    """One check as a clause about the robot. Names are quoted, so they read as names only."""
    key = next(iter(type(condition).model_fields))
    if key == "in_order":
        parts = [check_in_words(c, situation) for c in condition.in_order]
        return "one after the other: " + "; then ".join(parts)
    if key not in _WORDS:  # a new kind of check is shown as it stands in the scenario
        return json.dumps(condition.model_dump(mode="json"), ensure_ascii=False)
    return _WORDS[key](condition, situation)


def _place(place: Any) -> str:
    return quoted(place) if isinstance(place, str) else f"[{place[0]:g}, {place[1]:g}]"


def _reached(check: Any, situation: Situation) -> str:
    text = f"the robot's middle comes within {check.within:g} m of {_place(check.reached)}"
    return text + (f", in this way: {describe(check.by)}" if check.by else "")


def _approached(check: Any, situation: Situation) -> str:
    """The side in world degrees, which a model need not derive from the object's rotation."""
    yaw = situation.prop(check.approached).yaw
    middle = math.degrees(yaw) + SIDES[check.side]
    middle -= 360.0 * math.ceil((middle - 180.0) / 360.0)
    return (
        f"as long as {quoted(check.approached)} stands, the robot comes nearer than "
        f"{check.near:g} m to its centre only on its side '{check.side}': that is, as seen from "
        f"the centre, at most {check.within:g} degrees off the direction of {middle:.0f} degrees"
    )


_WORDS: Mapping[str, Callable[[Any, Situation], str]] = {
    "reached": _reached,
    "facing": lambda c, s: (
        f"at the end the robot faces {quoted(c.facing)} within {c.within:g} degrees"
    ),
    "knocked_over": lambda c, s: f"{quoted(c.knocked_over)} lies on the floor, struck down",
    "never_touched": lambda c, s: (
        f"nothing of the robot, sword and shield included, ever touches {quoted(c.never_touched)}"
    ),
    "kept_away": lambda c, s: (
        f"the robot's middle is never nearer than {c.by:g} m to the sides of {quoted(c.kept_away)}"
    ),
    "approached": _approached,
    "performed": lambda c, s: f"the robot performs this to its end: {describe(c.performed)}",
    "never_fell": lambda c, s: "the robot never falls",
}
