"""What makes a generated scene easy, middle or hard: numbers, nothing else."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, Tuple

from ppp.errors import unknown


@dataclass(frozen=True)
class Level:
    """Numbers of a level. Pairs are the least and the most; metres."""

    goals: Tuple[int, int]  # targets to strike and markers to reach
    obstacles: Tuple[int, int]
    constraints: Tuple[int, int]  # beside that no obstacle in the way may be touched
    gap: float  # between the sides of any two obstacles there is so much room, or more
    floor: float  # everything is inside |x|, |y| <= floor
    in_order: float  # share of scenes whose goals have an order
    moved: float  # share of scenes with a target that somebody moves
    last: float  # share of scenes that end with a turn to a target and a raised shield


LEVELS: Dict[str, Level] = {
    "easy": Level((1, 1), (1, 2), (0, 1), 1.8, 4.0, 0.0, 0.0, 0.25),
    "middle": Level((2, 2), (3, 5), (1, 2), 1.3, 5.0, 0.5, 0.0, 0.25),
    "hard": Level((3, 3), (6, 9), (2, 3), 1.0, 6.0, 0.5, 0.35, 0.25),
}


def level_of(name: str) -> Level:
    """The level of that name; PPPError for another one."""
    if name not in LEVELS:
        raise unknown("level", name, LEVELS)
    return LEVELS[name]
