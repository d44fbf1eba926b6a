"""``ppp eval planning``: a planner on generated scenes, performed without or with physics."""
from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, Optional, Tuple

import tyro
from typing_extensions import Literal

from ppp.errors import PPPError
from ppp.evaluation.book import Book
from ppp.evaluation.planning_episode import Cast, closed_episode, episode
from ppp.evaluation.planning_figures import SET, key, show, summary
from ppp.evaluation.recogniser import recognise
from ppp.evaluation.side_by_side import side_by_side
from ppp.options import read_options
from ppp.outputs import check_file
from ppp.planning.choosing import ModelOptions, choose_planner, matcher_for, recorder_for
from ppp.planning.kinematic import KinematicPerformer
from ppp.planning.levels import LEVELS
from ppp.planning.performer import Performer
from ppp.planning.physics import PhysicsPerformer
from ppp.planning.planner import PlanMaker
from ppp.planning.scenario import Scenario

#: level, seed, executor, and open or closed
Task = Tuple[str, int, str, str]


@dataclass
class Args:
    """Plan and perform generated scenes and score the planner: valid plans, repairs, the way's
    length against the shortest one, success, new plans, falls, touches and time."""

    planner: Literal["auto", "llm", "search"] = "search"
    """Who plans; auto asks a language model where one is configured."""
    level: Literal["all", "easy", "middle", "hard"] = "all"
    """Which scenes."""
    episodes: int = 50
    """Scenes a level and set of seeds."""
    seed: int = 0
    """First set of seeds; set s has the scenes s * 1000, s * 1000 + 1, ..."""
    seeds: int = 1
    """How many sets."""
    closed: int = 0
    """Scenes without any way, a level and set, that the planner must refuse."""
    executor: Literal["kinematic", "physics"] = "kinematic"
    """A gliding figure that does everything right, or the policy in the simulator."""
    bundle: Optional[Path] = None
    """Policy bundle for --executor physics; default: the shipped one."""
    json: Optional[Path] = None
    """Keep figures and episodes here after every episode; what it holds already is not done
    again, so that a measurement can be stopped and continued, and both executors fit in one."""
    minutes: Optional[float] = None
    """Stop after this time; the same command goes on where it stopped."""
    record: Optional[Path] = None
    """Keep the model's replies in a new file, those of all scenes in one."""
    llm: tyro.conf.OmitArgPrefixes[ModelOptions] = field(default_factory=ModelOptions)


class Levels(Book):
    """Episodes by level."""

    command, section = "ppp eval planning", "levels"

    def __init__(self, path: Optional[Path], head: Dict[str, Any], levels: List[str]) -> None:
        self.levels = levels
        super().__init__(path, head)

    def key(self, row: Dict[str, Any]) -> Task:
        """Level, seed, executor and kind."""
        return key(row)

    def figures(self) -> Dict[str, Any]:
        """level -> figures of what was measured so far."""
        return summary(self.rows, self.levels)

    def take(self, data: Dict[str, Any]) -> None:
        """The file's levels are kept beside those that are asked for."""
        summary(self.rows, list(data["levels"]))
        self.levels = [n for n in LEVELS if n in self.levels or n in data["levels"]]


def tasks(args: Args) -> Iterator[Task]:
    """Every episode that is asked for, set by set and level by level."""
    levels = list(LEVELS) if args.level == "all" else [args.level]
    for s in range(args.seed, args.seed + args.seeds):
        for level in levels:
            for i in range(args.episodes):
                yield level, s * SET + i, args.executor, "open"
            for i in range(args.closed):
                yield level, s * SET + i, args.executor, "closed"


def performer_for(args: Args) -> Performer:
    """The policy in the simulator, or the gliding figure."""
    return PhysicsPerformer(args.bundle) if args.executor == "physics" else KinematicPerformer()


def cast_for(args: Args, performer: Performer) -> Cast:
    """Planner, matcher and performer."""
    matcher, recorder = matcher_for(performer.skills), recorder_for(args.record)

    def maker(scenario: Scenario) -> PlanMaker:
        return choose_planner(args.planner, args.llm, scenario.name, matcher, recorder)[0]

    moves = isinstance(performer, PhysicsPerformer)  # the gliding figure has no motion to look at
    return Cast(maker, matcher, performer, args.executor, recognise if moves else None)


def perform(task: Task, cast: Cast) -> Dict[str, Any]:
    """The row of one episode."""
    level, seed, _, kind = task
    return episode(level, seed, cast) if kind == "open" else closed_episode(level, seed, cast)


def rows(coming: Iterable[Task], cast: Cast) -> Iterator[Dict[str, Any]]:
    """Each task's row when it is done; with physics many are performed side by side."""
    if not isinstance(cast.performer, PhysicsPerformer):
        return (perform(task, cast) for task in coming)
    return side_by_side(coming, lambda task, member: perform(task, replace(cast, performer=member)),
                        cast.performer.policy)


def told(row: Dict[str, Any]) -> str:
    """One line about an episode."""
    closed = row["kind"] == "closed"
    good = row["refused"] if closed else row["success"]
    return (f"{row['level']} {row['seed']}{' closed' if closed else ''}: "
            f"{'ok' if good else 'FAILED'}  {row['ended']}")


def measure(args: Args, book: Levels, cast: Cast) -> bool:
    """Do what is missing; False when the time was up before."""
    return book.fill(book.missing(tasks(args)), lambda coming: rows(coming, cast), told,
                     args.minutes)


def bundle_of(args: Args, performer: Performer) -> Optional[str]:
    """The policy's name and what tells its weights from others', None without physics."""
    if not isinstance(performer, PhysicsPerformer):
        return None
    parts = sorted(performer.policy.weights.items())
    weights = b"".join(name.encode() + part.numpy().tobytes() for name, part in parts)
    return f"{args.bundle or 'shipped'} {hashlib.sha256(weights).hexdigest()[:8]}"


def main(argv: Optional[List[str]] = None) -> int:
    """Entry point of ``ppp eval planning``."""
    args = read_options(Args, argv, "ppp eval planning")
    _check(args)
    check_file(args.json)
    levels = list(LEVELS) if args.level == "all" else [args.level]
    performer = performer_for(args)
    book = Levels(args.json, {"planner": args.planner, "model": args.llm.model,
                              "bundle": bundle_of(args, performer)}, levels)
    done = measure(args, book, cast_for(args, performer))
    book.write(done)
    show(book.figures(), args.planner)
    if not done:
        print(f"stopped after {args.minutes:g} minutes"
              + (": the same command goes on" if args.json else ""))
    return 0


def _check(args: Args) -> None:
    if args.episodes < 1 or args.seeds < 1 or args.closed < 0:
        raise PPPError("--episodes and --seeds must be 1 or more, --closed 0 or more")
    if args.episodes > SET or args.closed > SET:
        raise PPPError(f"--episodes and --closed must be {SET} or less: use --seeds for more")
    if not 0 <= args.seed < 2**20 or args.seed + args.seeds > 2**20:
        raise PPPError("--seed must be a whole number from 0 to 1048575")
    if args.minutes is not None and not args.minutes > 0.0:
        raise PPPError("--minutes must be more than 0")
