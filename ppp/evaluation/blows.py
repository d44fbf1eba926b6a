"""``ppp eval blows``: who strikes down what stands ahead, from how far, and stays on its feet.

The figures behind the stand-offs of planning (``ppp.planning.skills.BEST``). Each blow is performed
as a step of a plan is: faced, struck up to three times, and stood after.
"""
from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, Hashable, Iterator, List, Optional, Sequence, Tuple, Union

import numpy as np
from rich.console import Console
from rich.table import Table

from ppp.engines.scene import Scene
from ppp.errors import PPPError, unknown
from ppp.evaluation.book import Book
from ppp.evaluation.planning import bundle_of
from ppp.evaluation.planning_falls import falls
from ppp.evaluation.side_by_side import side_by_side
from ppp.options import read_options
from ppp.outputs import check_file
from ppp.planning.executor import Executor
from ppp.planning.geometry import XY
from ppp.planning.physics import PhysicsPerformer
from ppp.planning.planner import Command, Done
from ppp.planning.scenario import Scenario, parse_scenario
from ppp.planning.situation import Observation
from ppp.planning.skills import ATTACK, REACH, role
from ppp.planning.trace import Trace

#: stood before the blow, and after it, s
BEFORE, AFTER = 1.0, 3.0
#: who walks up to the blow begins turned aside by up to this, degrees
TURNED = 60.0
#: skill, distance in m, angle to the left in degrees, seed
Task = Tuple[str, float, float, int]


@dataclass
class Args:
    """Measure the attacks: how often what stands ahead is struck down, and the body with it, by
    the distance of its centre and its angle. Bumped: it lay before the blow began."""

    skills: List[str] = field(default_factory=lambda: list(REACH))
    """Attacks to measure."""
    distances: List[float] = field(default_factory=lambda: [0.75, 0.85, 0.95, 1.05, 1.2])
    """From the pelvis to the centre of what is struck, m."""
    angles: List[float] = field(default_factory=lambda: [0.0])
    """How far aside it stands at first, degrees to the left."""
    walk: float = 0.0
    """Walk so far up to the place of the blow, m, begun turned up to 60 degrees to either side."""
    episodes: int = 16
    """Blows of each skill, distance and angle."""
    bundle: Optional[Path] = None
    """Policy bundle; default: the shipped one."""
    json: Optional[Path] = None
    """Keep the figures here after every blow; a stopped measurement goes on from it."""


@dataclass(frozen=True)
class Itself:
    """A skill called by its own name; see :class:`ppp.planning.situation.Match`."""

    skill: str
    known: bool = True
    distance: float = 0.0


class Blow:
    """A planner for one blow: stand or walk up, strike, stand. Calls each skill by its own name.

    place: where to walk to, m, None to stand; target: what is struck, m.
    """

    replans = 0

    def __init__(self, skill: str, target: XY, place: Optional[XY] = None) -> None:
        before = Command("idle", target, BEFORE) if place is None else \
            Command("walk_forward", place, "reached")
        self._coming = iter([before, Command(skill, target), Command("idle", target, AFTER)])

    def reset(self, instruction: str, scene: Scene) -> None:
        """There is nothing to forget."""

    def act(self, now: Observation) -> Union[Command, Done]:
        """The next of the three, whatever came of the one before."""
        return next(self._coming, None) or Done("the blow is over")


class Blows(Book):
    """Blows by skill, distance, angle and seed."""

    command = "ppp eval blows"

    def key(self, row: Dict[str, Any]) -> Hashable:
        """What the blow was."""
        return row["skill"], row["distance"], row["angle"], row["seed"]

    def figures(self) -> Dict[str, Any]:
        """skill -> its cells, as :func:`cells` has them."""
        return {skill: cells(self.rows, skill)
                for skill in dict.fromkeys(row["skill"] for row in self.rows)}


def cells(rows: List[Dict[str, Any]], skill: str) -> List[Dict[str, Any]]:
    """For each distance and angle: the shares struck down by the blow, bumped over before it,
    fallen, struck and not fallen; s."""
    found = []
    places = sorted({(r["distance"], r["angle"]) for r in rows if r["skill"] == skill})
    for distance, angle in places:
        mine = [r for r in rows
                if (r["skill"], r["distance"], r["angle"]) == (skill, distance, angle)]
        share = {name: round(sum(map(bool, values)) / len(mine), 4) for name, values in {
            "struck": [r["struck"] for r in mine],
            "bumped": [r["bumped"] for r in mine], "fell": [r["fell"] for r in mine],
            "good": [r["struck"] and not r["fell"] for r in mine]}.items()}
        found.append({"distance": distance, "angle": angle, "blows": len(mine), **share,
                      "seconds": round(sum(r["seconds"] for r in mine) / len(mine), 2)})
    return found


def scene_of(distance: float, angle: float, walk: float = 0.0, seed: int = 0) -> Scenario:
    """A target ``distance`` m from the place of the blow at (0, 0), ``angle`` degrees to the left.

    The humanoid stands there, or ``walk`` m behind it and turned aside as the seed draws.
    """
    turn = math.radians(angle)
    place = [round(distance * math.cos(turn), 4), round(distance * math.sin(turn), 4)]
    heading = float(np.random.default_rng(seed).uniform(-TURNED, TURNED)) if walk else 0.0
    return parse_scenario({
        "name": "blow", "instruction": "Strike the target.",
        "start": {"position": [-walk, 0.0], "heading": heading}, "time_limit": 60.0,
        "objects": [{"name": "target", "kind": "target", "position": place}],
        "success": [{"knocked_over": "target"}, {"never_fell": True}]}, "ppp eval blows")


def perform(task: Task, performer: PhysicsPerformer, walk: float = 0.0) -> Dict[str, Any]:
    """One blow as plain data."""
    skill, distance, angle, seed = task
    scenario = scene_of(distance, angle, walk, seed)
    planner = Blow(skill, scenario.scene().props[0].position, (0.0, 0.0) if walk else None)
    executor = Executor(scenario, planner, performer, Itself)
    result = executor.perform(seed)
    blow = next((step for step in result.steps if step.skill == skill), None)
    fell = falls(executor.trace, executor.told)
    return {"skill": skill, "distance": distance, "angle": angle, "seed": seed,
            "struck": bool(blow and blow.ended.startswith("struck down")),
            "bumped": _down_at(executor.trace, blow.start if blow else math.inf),
            "fell": len(fell), "seconds": result.time_s,
            "fell_in": [fall.skill for fall in fell],
            "ended": blow.ended if blow else result.ended}


def _down_at(trace: Trace, time: float) -> bool:
    """Whether the target lies at ``time``, s: before the blow it can only have been walked into."""
    return bool(trace.prop_lies("target")[trace.times() <= time + 1e-6].any())


def show(book: Blows) -> None:
    """Print a table."""
    table = Table(title="blows", title_justify="left")
    for column in ("skill", "distance", "aside", "blows", "struck down", "bumped", "fell",
                   "struck, not fallen"):
        table.add_column(column, justify="left" if column == "skill" else "right")
    for skill, found in book.figures().items():
        for cell in found:
            table.add_row(skill, f"{cell['distance']:.2f} m", f"{cell['angle']:.0f}°",
                          str(cell["blows"]), *(f"{100 * cell[name]:.0f} %"
                                                for name in ("struck", "bumped", "fell", "good")))
    Console(highlight=False).print(table)


def main(argv: Optional[List[str]] = None) -> int:
    """Entry point of ``ppp eval blows``."""
    args = read_options(Args, argv, "ppp eval blows")
    performer = PhysicsPerformer(args.bundle)
    _check(args, performer.skills)
    check_file(args.json)
    book = Blows(args.json, {"bundle": bundle_of(args, performer), "walk": args.walk})
    tasks: List[Task] = [(skill, d, a, seed) for skill in args.skills for d in args.distances
                         for a in args.angles for seed in range(args.episodes)]

    def rows(coming: Any) -> Iterator[Dict[str, Any]]:
        return side_by_side(coming, lambda task, own: perform(task, own, args.walk),
                            performer.policy)

    done = book.fill(book.missing(tasks), rows, lambda row: (
        f"{row['skill']} {row['distance']:g} m {row['angle']:g}°: {row['ended']}"
        + (", fell" if row["fell"] else "")))
    book.write(done)
    show(book)
    return 0


def _check(args: Args, skills: Sequence[str]) -> None:
    attacks = [name for name in skills if role(name) == ATTACK]
    for name in args.skills:
        if name not in attacks:
            raise unknown("attack", name, attacks)
    if args.episodes < 1:
        raise PPPError(f"--episodes is {args.episodes}; it must be 1 or more")
    if not 0.0 <= args.walk <= 10.0 or 0.0 < args.walk < 0.5:
        raise PPPError(f"--walk is {args.walk:g} m; it must be 0, or 0.5 to 10")
    for distance in args.distances:
        if not 0.5 <= distance <= 5.0:
            raise PPPError(f"--distances: {distance:g} m must be 0.5 to 5")
    for angle in args.angles:
        if not -180.0 <= angle <= 180.0:
            raise PPPError(f"--angles: {angle:g} degrees must be -180 to 180")
