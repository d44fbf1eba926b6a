"""``ppp eval policy``: what a policy can do, over seeds and without assist."""
from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence, Tuple

import torch
import yaml

from ppp.errors import PPPError, unknown
from ppp.evaluation.classifier import (
    NONE,
    SkillClassifier,
    ceiling,
    train_classifier,
    unseen_variants,
)
from ppp.evaluation.episodes import policy_from
from ppp.evaluation.policy_arrival import travel
from ppp.evaluation.policy_figures import over_seeds, seed_figures
from ppp.evaluation.policy_goals import training_card, verdicts
from ppp.evaluation.policy_page import GAIT_HEADS, write_page
from ppp.evaluation.policy_skills import hold_skills
from ppp.evaluation.policy_transitions import switch_skills
from ppp.evaluation.travel import test_strike
from ppp.learning.bundle import SHIPPED, Policy
from ppp.motion.library import MotionLibrary
from ppp.outputs import check_file, write_json
from ppp.settings import load_yaml
from ppp.tasks.config import load_task

#: what is measured, in this order
PARTS = ("skills", "transitions", "arrival", "strike")
#: targets to strike for each episode of a skill
STRIKES = 3
Tick = Callable[[], None]


@dataclass
class Args:
    """Score a policy: skills recognised, switched, targets reached and struck down, falls."""

    bundle: Optional[Path] = None
    """Policy bundle (folder) or checkpoint (.pt); default: the shipped one."""
    seeds: int = 3
    """Seeds; figures are means over them, with the spread."""
    episodes: int = 17
    """Episodes a seed of each skill and each gait; three times as many of strikes."""
    parts: List[str] = field(default_factory=lambda: list(PARTS))
    """What to measure: skills, transitions, arrival, strike."""
    json: Optional[Path] = None
    """Also write the figures here."""
    html: Optional[Path] = None
    """Also write a page with matrices, plots and a strip of every skill."""
    variants: bool = False
    """Also train classifiers without a clip of each skill and try them on it (a minute)."""
    card: bool = False
    """Write the figures into the bundle's bundle.yaml too."""


@dataclass
class Report:
    """Everything a run leaves: figures for JSON, and the rows of the first seed for the page."""

    figures: Dict[str, Any]
    rows: Dict[str, Any]
    policy: Policy
    library: MotionLibrary


def score(bundle: Optional[Path], seeds: int, episodes: int, parts: Sequence[str] = PARTS,
          variants: bool = False, show: bool = False) -> Report:
    """Measure ``parts`` of a policy for seeds 0 … ``seeds`` - 1; see docs/evaluation.md."""
    started = time.perf_counter()
    policy = policy_from(bundle)
    path = load_task("HumanoidSkills").motion_path()
    everything, library = MotionLibrary(path), MotionLibrary(path, policy.skills)
    parts = [part for part in PARTS if part in parts and _can(part, policy, library)]
    runs, kept = [], {}
    with torch.no_grad(), _progress(show) as begin:
        tick = begin("classifier", 1)
        classifier = train_classifier(everything)
        known = ceiling(classifier, everything)
        figures: Dict[str, Any] = {"seeds": seeds, "episodes": episodes, "skills": policy.skills,
                                   "classifier_ceiling": known["ceiling"], "classifier": known}
        if variants:
            known["unseen_variants"] = unseen_variants(everything)
        tick()
        for seed in range(seeds):
            rows = {part: _measure(part, policy, library, classifier, episodes, seed,
                                   begin(f"{part}, seed {seed}", _STEPS[part])) for part in parts}
            runs.append(seed_figures(rows, library, classifier.skills + [NONE]))
            for part in rows.values():
                if "crowd" in part:
                    part["crowd"].close()
            kept = kept or rows
    figures.update(over_seeds(runs) if runs else {})
    figures["training"] = training_card(policy.card)
    figures["goals"] = [{"figure": v.goal.figure, "bound": v.goal.bound, "value": v.value,
                         "met": v.met} for v in verdicts(figures)]
    figures["seconds"] = time.perf_counter() - started
    return Report(figures, kept, policy, library)


def _can(part: str, policy: Policy, library: MotionLibrary) -> bool:
    """Whether a policy has the skills that a part needs."""
    if part == "strike":
        return {"walk_forward", "slash"} <= set(policy.skills)
    if part == "arrival":
        return bool(library.travels.any())
    return part != "transitions" or len(policy.skills) > 1


#: about how many control steps a part takes, for the progress bar
_STEPS = {"skills": 300, "transitions": 330, "arrival": 960, "strike": 1}


def _measure(part: str, policy: Policy, library: MotionLibrary, classifier: SkillClassifier,
             episodes: int, seed: int, tick: Tick) -> Dict[str, Any]:
    if part == "skills":
        return hold_skills(policy, library, classifier, episodes, seed, tick)
    if part == "transitions":
        return switch_skills(policy, library, classifier, seed, tick)
    if part == "arrival":
        return travel(policy, library, episodes, seed, tick)
    out = test_strike(policy, load_task("HumanoidStrike"), STRIKES * episodes, seed)
    tick()
    return out


@contextmanager
def _progress(show: bool) -> Iterator[Callable[[str, int], Tick]]:
    """Gives a function that begins a line (name, steps) and returns what a step calls."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    console, started = Console(stderr=True), time.perf_counter()
    bar = Progress(TextColumn("{task.description:<22}"), BarColumn(30),
                   TimeRemainingColumn(elapsed_when_finished=True),
                   console=console, disable=not (show and console.is_terminal))

    def begin(name: str, steps: int) -> Tick:
        if show and not console.is_terminal:
            print(f"{time.perf_counter() - started:5.0f} s  {name}", file=sys.stderr, flush=True)
        for task in bar.tasks:
            bar.update(task.id, completed=task.total)
        line = bar.add_task(name, total=steps)
        return lambda: bar.advance(line)

    with bar:
        yield begin


def write_scores(folder: Path, figures: Dict[str, Any]) -> None:
    """Put measured figures, rounded, under ``scores`` of a bundle's card."""
    path = Path(folder) / "bundle.yaml"
    card = load_yaml(path)
    scores = {name: round(value, 3) for name, value in figures.items()
              if isinstance(value, (int, float)) and value == value}
    if "arrival" in figures:
        scores["arrival"] = round(figures["arrival_mean"], 3)
        for name in ("arrival", "arrival_turning"):
            scores[f"{name}_by_gait"] = {k: round(v, 3) for k, v in figures[name].items()}
    if "per_skill" in figures:
        scores["per_skill"] = {
            skill: {name: round(value, 3) for name, value in row.items() if value == value}
            for skill, row in figures["per_skill"].items()}
    card["scores"] = scores
    path.write_text(yaml.safe_dump(card, sort_keys=False), encoding="utf-8")


def print_report(figures: Dict[str, Any]) -> None:
    """Tables: the goals, each skill, each gait, and what else was measured."""
    from rich.console import Console
    from rich.table import Table

    # a file or a pipe has no width of its own, and 80 columns would break these tables
    console = Console(width=None if sys.stdout.isatty() else 110)

    def table(heads: Sequence[str], rows: Sequence[Tuple[str, ...]]) -> None:
        out = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
        for number, head in enumerate(heads):
            out.add_column(head, justify="right" if number else "left", no_wrap=True)
        for row in rows:
            out.add_row(*row)
        console.print(out)
        console.print()

    known = figures["classifier"]
    console.print(f"classifier: {known['ceiling']:.1%} of held-out windows of clips (the ceiling); "
                  f"refuses {known['statues_refused']:.0%} of statues")
    shown = {"right": "right %", "recognised": "seen %", "windows": "windows %",
             "survived": "up %", "imitation": "imitation", "speed": "m/s",
             "foot_skate": "skate", "log_jerk": "jerk"}
    if "per_skill" in figures:
        table(["skill", *shown.values()],
              [(skill, *(_cell(row[key], head) for key, head in shown.items()))
               for skill, row in figures["per_skill"].items()])
    if "arrival_details" in figures:
        table(["gait", *GAIT_HEADS.values()],
              [(gait, *(_cell(row[key], head) for key, head in GAIT_HEADS.items()))
               for gait, row in figures["arrival_details"].items()])
    table(["figure", "measured", "spread", "asked for", ""],
          [(v.goal.meaning, v.text(v.value), v.text(v.spread if figures["seeds"] > 1 else None),
            v.bound_text(), {True: "met", False: "NOT MET", None: "–"}[v.met])
           for v in verdicts(figures)])
    for name, value in figures.items():
        if isinstance(value, float) and not name.endswith("_spread"):
            console.print(f"{name.replace('_', ' ')}: {value:.3f}", highlight=False)


def _cell(value: float, head: str) -> str:
    if value != value:
        return "–"
    return f"{100 * value:.0f}" if head.endswith("%") else f"{value:.2f}"


def _check(args: Args) -> None:
    if args.seeds < 1 or args.episodes < 1:
        raise PPPError("--seeds and --episodes must be 1 or more")
    for part in args.parts:
        if part not in PARTS:
            raise unknown("part", part, PARTS)
    check_file(args.json)
    check_file(args.html)
    if args.card and not Path(args.bundle or SHIPPED).is_dir():
        raise PPPError(f"{args.bundle}: --card writes into a bundle's bundle.yaml; give a "
                       "bundle's folder, or leave --card out")


def main(argv: Optional[List[str]] = None) -> int:
    """Entry point of ``ppp eval policy``."""
    from ppp.options import read_options

    args = read_options(Args, argv, "ppp eval policy")
    _check(args)
    report = score(args.bundle, args.seeds, args.episodes, args.parts, args.variants, show=True)
    print_report(report.figures)
    if args.card:
        write_scores(args.bundle or SHIPPED, report.figures)
    if args.json:
        write_json(report.figures, args.json)
    if args.html:
        name = Path(args.bundle).name if args.bundle else "shipped policy"
        print(f"page: {write_page(report.figures, report.rows, name, args.html)}")
    return 0
