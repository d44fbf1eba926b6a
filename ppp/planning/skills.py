"""What planning knows about skills: how a step of each begins and ends. Not how they are learnt.

A skill that is in none of these tables (a user's own clip) is performed in place.
"""
from __future__ import annotations

import math
from typing import Dict, Mapping, Tuple

#: the skills of the project, in the order of the codebook
SKILLS: Tuple[str, ...] = (
    "idle", "walk_forward", "walk_backward", "run", "crouch_walk", "strafe_left", "strafe_right",
    "turn_left", "turn_right", "slash", "stab", "kick", "shield_bash", "block", "taunt", "jump",
    "dodge_back", "get_up",
)  # fmt: skip

#: gaits, with the direction they travel in, rad from where the humanoid faces
TRAVEL: Mapping[str, float] = {
    "walk_forward": 0.0,
    "run": 0.0,
    "crouch_walk": 0.0,
    "walk_backward": math.pi,
    "strafe_left": 0.5 * math.pi,
    "strafe_right": -0.5 * math.pi,
}
#: gaits that face where they go, the usual one first
FORWARD: Tuple[str, ...] = ("walk_forward", "run", "crouch_walk")
#: turns on the spot, with their sense about z
TURNS: Mapping[str, float] = {"turn_left": 1.0, "turn_right": -1.0}

#: attacks, the one that planners prefer first: how far the pelvis may be from the side of the
#: struck object, m, when the walk before the blow ends. The tip of the shipped slash sweeps 1.24 m
#: ahead of the pelvis at 8 m/s and the body rolls on a little until it stands. The others: arm
#: 0.53 m, blade 0.74 m past the hand, leg 0.83 m, minus a margin.
REACH: Mapping[str, float] = {"slash": 1.35, "stab": 1.0, "shield_bash": 0.5, "kick": 0.6}
#: and from where a blow does best: plans walk to that less ``TOLERANCE``, which is 0.85 m from the
#: centre of the usual target. After a walk the shipped slash throws 25 to 40 % of the bodies over
#: from 1.05 to 1.2 m, 4 to 8 % from 0.85 to 0.95 m (``ppp eval blows --walk 2``, docs/method.md)
BEST: Mapping[str, float] = {**REACH, "slash": 1.0}
#: where the centre of the usual target comes to lie, m ahead of where it stood and to the left: a
#: slash comes from the right. Medians of 48 blows in generated scenes; 39 of them lay within 0.5 m
#: of this. What is not named throws it over straight ahead
FELLS: Mapping[str, Tuple[float, float]] = {"slash": (0.3, 1.1)}
#: how far the side that is struck should be turned to the left from facing the fighter, rad, and by
#: how much more or less does no harm, and all of it. The slash throws the body back where it is
#: not: of 1,540 after a walk 1 to 3 % fell with -5 to 15 degrees, 8 to 9 % ten degrees further to
#: either side, 12 to 33 % beyond (docs/method.md). Sides come back every quarter turn
SIDE: Mapping[str, float] = {"slash": math.radians(4.0)}
SIDE_NEAR, SIDE_FAR = math.radians(8.0), math.radians(25.0)
#: how far to the left of straight ahead what is struck should be as a blow begins, rad, 0 where it
#: is not named: the sword comes from the right, the shield is at the left. Of 330 slashes after a
#: walk 12 % threw the body over where the target was to the right of straight ahead, 1 % where it
#: was to the left (docs/method.md)
LEFT: Mapping[str, float] = {"slash": math.radians(3.0), "shield_bash": math.radians(9.0),
                             "kick": math.radians(5.0)}

#: how long an in-place skill takes when a plan does not say, s
SECONDS: Mapping[str, float] = {
    "idle": 1.0,
    "block": 2.0,
    "taunt": 2.5,
    "jump": 1.5,
    "dodge_back": 1.5,
    "get_up": 12.0,
}
DEFAULT_SECONDS = 2.0

#: roles: what ends a step
GAIT, TURN, ATTACK, IN_PLACE = "gait", "turn", "attack", "in place"


def role(skill: str) -> str:
    """GAIT, TURN, ATTACK or IN_PLACE."""
    if skill in TRAVEL:
        return GAIT
    if skill in TURNS:
        return TURN
    return ATTACK if skill in REACH else IN_PLACE


#: one line a skill for the planner's prompt
DESCRIPTIONS: Dict[str, str] = {
    "idle": "stand still",
    "walk_forward": "walk to the target coordinate",
    "walk_backward": "walk backwards to the target coordinate",
    "run": "run to the target coordinate",
    "crouch_walk": "walk to the target coordinate crouching",
    "strafe_left": "side-step to the left",
    "strafe_right": "side-step to the right",
    "turn_left": "turn left on the spot until the target coordinate is straight ahead",
    "turn_right": "turn right on the spot until the target coordinate is straight ahead",
    "slash": "slash with the sword at what stands at the target coordinate",
    "stab": "stab with the sword at what stands at the target coordinate",
    "kick": "kick what stands at the target coordinate",
    "shield_bash": "hit what stands at the target coordinate with the shield",
    "block": "raise the shield and block",
    "taunt": "taunt the opponent",
    "jump": "jump on the spot",
    "dodge_back": "dodge backwards",
    "get_up": "get up from the floor",
}


def describe(skill: str) -> str:
    """One line of plain English for a skill; a user's own skill is described by its id."""
    return DESCRIPTIONS.get(skill, skill.replace("_", " "))
