"""The fixed list of actions: a skill and what it is done to."""
from __future__ import annotations

from typing import Dict, NamedTuple, Tuple

from ppp.rearrangement import vocabulary as words

GO, RUN, SNEAK, PICK, PLACE, OPEN, CLOSE = "go", "run", "sneak", "pick", "place", "open", "close"
SLASH, STAB, KICK, BASH = "slash", "stab", "kick", "bash"
BLOCK, JUMP, TAUNT, WAIT = "block", "jump", "taunt", "wait"
MOVES: Tuple[str, ...] = (GO, RUN, SNEAK)
STRIKES: Tuple[str, ...] = (SLASH, STAB, KICK, BASH)
SKILLS: Tuple[str, ...] = (
    *MOVES, PICK, PLACE, OPEN, CLOSE, *STRIKES, BLOCK, JUMP, TAUNT, WAIT,
)  # fmt: skip
#: the policy's skill that performs each on the humanoid; the other four are done by being near
HUMANOID: Dict[str, str] = {
    GO: "walk_forward", RUN: "run", SNEAK: "crouch_walk", SLASH: "slash", STAB: "stab",
    KICK: "kick", BASH: "shield_bash", BLOCK: "block", JUMP: "jump", TAUNT: "taunt", WAIT: "idle",
}  # fmt: skip


class Action(NamedTuple):
    """skill: of ``SKILLS``. target: a place, an object's category, or ''. phrase: in English."""

    skill: str
    target: str
    phrase: str


def preposition(holder: str) -> str:
    """In English things lie on surfaces and in containers."""
    return "in" if holder in words.CONTAINERS else "on"


_PHRASES = {
    GO: "walk to the {}", RUN: "run to the {}", SNEAK: "sneak to the {}", PICK: "pick up the {}",
    OPEN: "open the {}", CLOSE: "close the {}", SLASH: "slash the {} with the sword",
    STAB: "stab the {} with the sword", KICK: "kick the {}", BASH: "hit the {} with the shield",
    JUMP: "jump over the {}",
}  # fmt: skip


def _actions(skill: str, targets: Tuple[str, ...]) -> Tuple[Action, ...]:
    if skill == PLACE:
        phrases = [f"put it down {preposition(t)} the {t}" for t in targets]
    else:
        phrases = [_PHRASES[skill].format(t) for t in targets]
    return tuple(Action(skill, t, p) for t, p in zip(targets, phrases))


_GAIT_TARGETS = (*words.LANDMARKS, *words.DUMMIES)
ACTIONS: Tuple[Action, ...] = (
    *_actions(GO, words.PLACES),
    *_actions(RUN, _GAIT_TARGETS),
    *_actions(SNEAK, _GAIT_TARGETS),
    *_actions(PICK, words.CATEGORIES),
    *_actions(PLACE, words.HOLDERS),
    *_actions(OPEN, words.OPENABLE),
    *_actions(CLOSE, words.OPENABLE),
    *(a for skill in STRIKES for a in _actions(skill, words.DUMMIES)),
    Action(BLOCK, "", "raise the shield and block"),
    *_actions(JUMP, (words.WALL,)),
    Action(TAUNT, "", "taunt the opponent"),
    Action(WAIT, "", "wait"),
)
INDEX: Dict[Tuple[str, str], int] = {(a.skill, a.target): i for i, a in enumerate(ACTIONS)}


def _parity() -> Tuple[int, ...]:
    """The paper's 70 actions: 16 walks, 33 picks, 11 places, 2 and 8 for what opens."""
    # Its fridge is the pantry, its four cabinets the other containers; things may be put down on
    # eight surfaces and in three containers, its fridge and two drawers.
    targets = {
        GO: (*words.HOLDERS, *words.LANDMARKS),
        PICK: (*words.TRAINED, *words.WITHHELD),
        PLACE: (*words.SURFACES, "pantry", "chest", "cupboard"),
        OPEN: words.CONTAINERS,
        CLOSE: words.CONTAINERS,
    }
    return tuple(INDEX[skill, t] for skill, names in targets.items() for t in names)


#: indices into ``ACTIONS`` of the preset with the paper's counts
PARITY: Tuple[int, ...] = _parity()
