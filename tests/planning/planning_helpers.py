"""Small parts that the planning tests share: a matcher by keywords and scenarios in a line."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, List, Optional, Sequence

import numpy as np

from ppp.planning.executor import Executor
from ppp.planning.geometry import Box
from ppp.planning.kinematic import KinematicPerformer
from ppp.planning.plan_schema import Plan
from ppp.planning.planner import ListPlanner
from ppp.planning.result import Result
from ppp.planning.scenario import Scenario, parse_scenario
from ppp.planning.search import SearchMaker
from ppp.planning.situation import Situation, initial_observation, situation_of
from ppp.planning.skills import SKILLS

#: the first key whose words all occur names the skill
KEYWORDS = [
    ("turn left", "turn_left"),
    ("turn right", "turn_right"),
    ("get up", "get_up"),
    ("step left", "strafe_left"),
    ("to the left", "strafe_left"),
    ("to the right", "strafe_right"),
    ("crouch", "crouch_walk"),
    ("sneak", "crouch_walk"),
    ("walk back", "walk_backward"),
    ("dodge", "dodge_back"),
    ("slash", "slash"),
    ("stab", "stab"),
    ("kick", "kick"),
    ("bash", "shield_bash"),
    ("block with", "block"),
    ("to block", "block"),
    ("taunt", "taunt"),
    ("jump", "jump"),
    ("run", "run"),
    ("walk", "walk_forward"),
    ("stand still", "idle"),
]


@dataclass(frozen=True)
class KeywordMatch:
    """What ``keyword_matcher`` found."""

    skill: str
    known: bool
    distance: float


def keyword_matcher(text: str) -> KeywordMatch:
    """A stand-in for the fine-tuned text encoder: exact, but for listed words only."""
    for words, skill in KEYWORDS:
        if words in text.lower():
            return KeywordMatch(skill, True, 0.25)
    return KeywordMatch("", False, 1.5)


def obstacle(name: str, x: float, y: float, sx: float, sy: float, yaw: float = 0.0) -> Dict:
    """A wall of 1 m height."""
    return {
        "name": name, "kind": "obstacle", "position": [x, y], "size": [sx, sy, 1.0], "yaw": yaw,
    }  # fmt: skip


def target(name: str, x: float, y: float) -> Dict:
    """A target of the default size."""
    return {"name": name, "kind": "target", "position": [x, y]}


def turned_boxes(seed: int, count: int) -> List[Box]:
    """Boxes drawn by chance on a floor of 8 m, turned any way; some overlap."""
    rng = np.random.default_rng(seed)
    return [
        Box(f"b{i}", tuple(c), tuple(rng.uniform(0.1, 0.8, 2)), rng.uniform(0, 3))
        for i, c in enumerate(rng.uniform(-4, 4, (count, 2)))
    ]


def scenario(success: List[Any], objects: Sequence[Dict] = (), **more: Any) -> Scenario:
    """A scenario from its checks and objects; the start is the origin, facing x."""
    data = {"name": "t", "instruction": "do it", "objects": list(objects), "success": success}
    return parse_scenario({**data, **more})


def situation(made: Scenario, skills: Sequence[str] = SKILLS) -> Situation:
    """The situation before the first step."""
    return situation_of(made, skills, made.scene(), initial_observation(made))


def search(made: Scenario, skills: Sequence[str] = SKILLS) -> Plan:
    """The search planner's plan."""
    return SearchMaker(keyword_matcher).make(situation(made, skills))


def perform(
    made: Scenario,
    performer: Optional[Any] = None,
    skills: Sequence[str] = SKILLS,
    plan: Optional[Plan] = None,
    seed: int = 0,
    limit: int = 12,
    **more: Any,
) -> Result:
    """Plan by search (or start with ``plan``) and perform without physics."""
    planner = ListPlanner(made, skills, SearchMaker(keyword_matcher), first=plan, limit=limit)
    performer = performer or KinematicPerformer(skills)
    executor = Executor(made, planner, performer, keyword_matcher, "search", **more)
    return executor.perform(seed)


STRIKE = {
    "objects": [obstacle("red block", 3, 0, 0.6, 2.0), target("target", 6, 0)],
    "success": [{"knocked_over": "target"}, {"never_touched": "red block"}],
}
