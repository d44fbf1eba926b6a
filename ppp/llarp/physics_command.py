"""``ppp llarp physics``: the humanoid fulfils new instructions in yards that training never had."""
from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, Optional, Tuple

from rich.console import Console
from rich.table import Table
from typing_extensions import Literal

from ppp.errors import PPPError
from ppp.evaluation.book import Book
from ppp.evaluation.planning import bundle_of, performer_for
from ppp.evaluation.planning_falls import falls
from ppp.evaluation.recogniser import recognise
from ppp.evaluation.side_by_side import side_by_side
from ppp.llarp import SHIPPED, store
from ppp.llarp.evaluate import wilson
from ppp.options import read_options
from ppp.outputs import check_file
from ppp.planning.choosing import matcher_for
from ppp.planning.executor import Executor
from ppp.planning.performer import Performer
from ppp.planning.physics import PhysicsPerformer
from ppp.planning.situation import Matcher
from ppp.rearrangement.learned import Adapters, LearnedMaker, load_adapters
from ppp.rearrangement.physical import make_scenarios

#: number of the scenario, executor
Task = Tuple[int, str]


@dataclass
class Args:
    """Instructions of the trained kinds without things to carry, in yards of held-out layouts: how
    many does the learned planner fulfil with the humanoid, or with a gliding figure?"""

    episodes: int = 50
    """Scenes, no two with the same text."""
    seed: int = 0
    """Of the scenes, and of the actions that are drawn."""
    wording: Literal["trained", "rephrased"] = "trained"
    """Frames of training, or others."""
    executor: Literal["kinematic", "physics"] = "physics"
    """A gliding figure that does everything right, or the policy in the simulator."""
    greedy: bool = False
    """The likeliest action each time, in place of drawn ones."""
    checkpoint: Optional[Path] = None
    """Bundle or run folder of adapters; the shipped ones without it."""
    bundle: Optional[Path] = None
    """Policy bundle for --executor physics; the shipped one without it."""
    json: Optional[Path] = None
    """Keep figures and episodes here after every episode; what it holds already is not done
    again, so that a measurement can be stopped and continued, and both executors fit in one."""
    minutes: Optional[float] = None
    """Stop after this time; the same command goes on where it stopped."""
    weights: Optional[str] = None
    """Folder of MiniLM's files (default: the installed package)."""


@dataclass(frozen=True)
class Cast:
    """Who takes part."""

    adapters: Adapters
    matcher: Matcher
    performer: Performer


class Fulfilled(Book):
    """Episodes by number and executor."""

    command = "ppp llarp physics"

    def key(self, row: Dict[str, Any]) -> Task:
        """Number and executor."""
        return row["number"], row["executor"]

    def figures(self) -> Dict[str, Any]:
        """executor -> figures of what was measured so far."""
        return figures(self.rows)


def episode(number: int, args: Args, cast: Cast) -> Dict[str, Any]:
    """Perform scene ``number``; its row as plain data."""
    scenario = make_scenarios(number + 1, args.seed, args.wording)[number]
    seed = None if args.greedy else 1000 * args.seed + number
    maker = LearnedMaker(cast.matcher, cast.adapters, seed)
    planner = maker.planner(scenario, cast.performer.skills)
    # the gliding figure has no motion to look at
    seen = recognise if isinstance(cast.performer, PhysicsPerformer) else None
    executor = Executor(scenario, planner, cast.performer, cast.matcher, maker.name,
                        recognise=seen)
    result = executor.perform(args.seed)
    return {"number": number, "executor": args.executor, "family": scenario.name.split()[0],
            "instruction": scenario.instruction, "success": result.success,
            "ended": result.ended, "failed": [c.check for c in result.checks if not c.passed],
            **planner.as_dict(), "time_s": round(result.time_s, 2),
            "falls": len(falls(executor.trace, executor.told))}


def rows(coming: Iterable[Task], args: Args, cast: Cast) -> Iterator[Dict[str, Any]]:
    """Each task's row when it is done; with physics many are performed side by side."""
    if not isinstance(cast.performer, PhysicsPerformer):
        return (episode(number, args, cast) for number, _ in coming)
    return side_by_side(
        coming, lambda task, own: episode(task[0], args, Cast(cast.adapters, cast.matcher, own)),
        cast.performer.policy)


def told(row: Dict[str, Any]) -> str:
    """One line about an episode."""
    good = row["success"]
    return (f"{row['family']}: {'ok' if good else 'FAILED'}  {row['instruction']}"
            + ("" if good else f"  ({row['ended']})"))


def measure(args: Args, book: Fulfilled, cast: Cast) -> bool:
    """Do what is missing; False when the time was up before."""
    missing = book.missing((n, args.executor) for n in range(args.episodes))
    return book.fill(missing, lambda coming: rows(coming, args, cast), told, args.minutes)


def figures(found: List[Dict[str, Any]]) -> Dict[str, Any]:
    """executor -> figures: success with Wilson's interval (95 %), by family, means an episode."""
    out: Dict[str, Any] = {}
    for executor in ("kinematic", "physics"):
        own = [row for row in found if row["executor"] == executor]
        if not own:
            continue
        families = sorted({row["family"] for row in own})
        by_family = {f: [row["success"] for row in own if row["family"] == f] for f in families}
        share = sum(row["success"] for row in own) / len(own)
        out[executor] = {
            "episodes": len(own), "success": share, "interval": list(wilson(share, len(own))),
            "families": {f: [sum(done), len(done)] for f, done in by_family.items()},
            **{name: round(sum(row[name] for row in own) / len(own), 3)
               for name in ("time_s", "falls")},
            "actions": round(sum(len(row["actions"]) for row in own) / len(own), 3),
        }
    return out


def table(found: Dict[str, Any]) -> Table:
    """Executors, and below each its families."""
    made = Table()
    for column in ("executor", "instructions", "fulfilled", "actions", "falls", "time"):
        made.add_column(column, justify="left" if column == "executor" else "right")
    for executor, own in found.items():
        low, high = (f"{100 * bound:.0f}" for bound in own["interval"])
        made.add_row(executor, str(own["episodes"]),
                     f"{100 * own['success']:.0f} % ({low} to {high})", f"{own['actions']:.1f}",
                     f"{own['falls']:.2f}", f"{own['time_s']:.1f} s")
        for family, (done, count) in own["families"].items():
            made.add_row(f"  {family}", str(count), str(done), "", "", "")
    return made


def _head(args: Args, performer: Performer) -> Dict[str, Any]:
    """What a measurement is of; None where it does not matter."""
    file = store.find(args.checkpoint or SHIPPED)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()[:8] if file.is_file() else ""
    return {"adapters": digest, "seed": args.seed, "wording": args.wording,
            "actions": "likeliest" if args.greedy else "drawn",
            "bundle": bundle_of(args, performer)}


def _check(args: Args) -> None:
    if args.episodes < 1:
        raise PPPError(f"--episodes is {args.episodes}; it must be 1 or more")
    if not 0 <= args.seed < 2**20:
        raise PPPError("--seed must be a whole number from 0 to 1048575")
    if args.minutes is not None and not args.minutes > 0.0:
        raise PPPError("--minutes must be more than 0")
    check_file(args.json)


def main(argv: List[str]) -> int:
    """Entry point of ``ppp llarp physics``."""
    args = read_options(Args, argv, "ppp llarp physics")
    _check(args)
    adapters = load_adapters(args.checkpoint, args.weights)
    performer = performer_for(args)
    book = Fulfilled(args.json, _head(args, performer))
    done = measure(args, book, Cast(adapters, matcher_for(performer.skills), performer))
    book.write(done)
    Console(highlight=False).print(table(book.figures()))
    if not done:
        print(f"stopped after {args.minutes:g} minutes"
              + (": the same command goes on" if args.json else ""))
    return 0
