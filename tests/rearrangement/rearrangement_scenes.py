"""Small hand-made tasks for the tests of the language suite."""
from __future__ import annotations

from typing import Any, List, NamedTuple, Optional

from ppp.rearrangement import ACTIONS, Task, TaskEnv
from ppp.rearrangement.actions import INDEX
from ppp.rearrangement.layout import make_layout
from ppp.rearrangement.task import Setup


def layout_with(*names: str, first: int = 0) -> int:
    """The first layout that has some places."""
    return next(n for n in range(first, 100) if len(make_layout(n).names(names)) == len(names))


def task(
    stages: List[List[List[Any]]], setup: Optional[Setup] = None, layout: int = 0,
    keep: Optional[List[List[Any]]] = None, steps: Optional[List[List[List[Any]]]] = None,
    preset: str = "full",
) -> Task:
    """A task with a goal and a scene; its sub-goals are its conditions unless given."""
    steps = steps or [[c] for stage in stages for c in stage]
    return Task(7, "train", "test", "Do it.", layout, stages, steps, keep or [],
                setup=setup or Setup(), preset=preset)


def act(env: TaskEnv, skill: str, target: str = ""):
    """Step by skill and target."""
    return env.step(env.actions.index(ACTIONS[INDEX[skill, target]]))


#: the first key that occurs names the skill
_SKILLS = (("turn left", "turn_left"), ("turn right", "turn_right"), ("crouch", "crouch_walk"),
           ("sneak", "crouch_walk"), ("slash", "slash"), ("stab", "stab"), ("kick", "kick"),
           ("bash", "shield_bash"), ("block", "block"), ("taunt", "taunt"), ("run", "run"),
           ("walk", "walk_forward"), ("stand still", "idle"))


class Read(NamedTuple):
    """What a command was understood as."""

    skill: str
    known: bool
    distance: float


def matcher(text: str) -> Read:
    """A stand-in for the language part."""
    for words, skill in _SKILLS:
        if words in text.lower():
            return Read(skill, True, 0.2)
    return Read("", False, 1.5)


class Script:
    """A chooser that does a list of (skill, target) and keeps what it was shown."""

    def __init__(self, *actions) -> None:
        self.actions = actions

    def reset(self, instruction: str) -> None:
        self.instruction, self.seen = instruction, []

    def act(self, observation) -> int:
        self.seen.append(observation)
        return INDEX[self.actions[min(len(self.seen), len(self.actions)) - 1]]
