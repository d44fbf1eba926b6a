"""Plain English for the search planner's steps, in words that the matcher reads back correctly."""
from __future__ import annotations

from typing import Dict, Mapping, Sequence, Tuple

from ppp.errors import PPPError
from ppp.planning.geometry import XY, Box
from ppp.planning.situation import Matcher
from ppp.planning.skills import describe

#: ways to say a skill, the richest first; {object} is the thing it is about
_SAY: Mapping[str, Tuple[str, ...]] = {
    "idle": ("stand still",),
    "walk_forward": ("walk forward", "walk"),
    "run": ("run forward", "run"),
    "crouch_walk": ("walk forward crouching", "sneak forward"),
    "walk_backward": ("walk backward",),
    "strafe_left": ("side-step to the left", "strafe left"),
    "strafe_right": ("side-step to the right", "strafe right"),
    "turn_left": ("turn left towards the {object}", "turn left"),
    "turn_right": ("turn right towards the {object}", "turn right"),
    "slash": ("slash the {object} with the sword", "slash with the sword"),
    "stab": ("stab the {object} with the sword", "stab with the sword"),
    "kick": ("kick the {object}", "kick"),
    "shield_bash": ("bash the {object} with the shield", "bash with the shield"),
    "block": ("raise the shield to block", "block with the shield"),
    "taunt": ("taunt the opponent", "taunt"),
    "jump": ("jump",),
    "dodge_back": ("dodge backward", "dodge back"),
    "get_up": ("get up from the floor", "get up"),
}
_AROUND: Dict[str, str] = {
    "walk_forward": "walk around the {object} on its {side}",
    "run": "run around the {object} on its {side}",
    "crouch_walk": "sneak around the {object} on its {side}",
}
_TOWARDS: Dict[str, str] = {
    "walk_forward": "walk forward to the {object}",
    "run": "run to the {object}",
    "crouch_walk": "sneak to the {object}",
}


def say(skill: str, matcher: Matcher, thing: str = "", extra: Sequence[str] = ()) -> str:
    """A command that ``matcher`` reads as ``skill``; a thing is named where that does no harm.

    Raises PPPError when it reads none of our sentences, its label included, as that skill.
    """
    options = [*extra, *_SAY.get(skill, ()), skill.replace("_", " "), describe(skill)]
    for text in options:
        if "{object}" in text and not thing:
            continue
        # replace, not format: a name may hold braces
        command = text.replace("{object}", thing)
        match = matcher(command)
        if match.known and match.skill == skill:
            return command
    raise PPPError(f"no command for the skill '{skill}' is understood: fine-tune the text encoder")


def around(skill: str, matcher: Matcher, box: Box, start: XY, end: XY) -> str:
    """A command for a leg that rounds a box, with the side of the box that it passes on."""
    text = _AROUND.get(skill, "").replace("{side}", passing_side(box, start, end))
    return say(skill, matcher, box.name, [text] if text else [])


def towards(skill: str, matcher: Matcher, thing: str) -> str:
    """A command for a leg that ends at a thing."""
    return say(skill, matcher, thing, [_TOWARDS[skill]] if skill in _TOWARDS and thing else [])


def passing_side(box: Box, start: XY, end: XY) -> str:
    """'left' when a walker from start to end leaves the box on its right hand, else 'right'."""
    leg = (end[0] - start[0], end[1] - start[1])
    to_box = (box.centre[0] - start[0], box.centre[1] - start[1])
    return "left" if leg[0] * to_box[1] - leg[1] * to_box[0] < 0.0 else "right"
