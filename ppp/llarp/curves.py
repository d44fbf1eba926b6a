"""``ppp llarp curves``: how fast trainings learn, by episodes and by CPU time; regimes apart."""
from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from tyro.conf import Positional

from ppp.errors import PPPError
from ppp.evaluation.curves import COLOURS
from ppp.llarp import store
from ppp.options import read_options
from ppp.outputs import check_file, write_figure

TITLES = {"imitation": "imitation of the search expert, then PPO",
          "rl": "reinforcement learning alone"}
#: x axes: key of history.jsonl, name, divisor
AXES = (("episodes", "thousand episodes", 1e3), ("cpu_seconds", "CPU minutes", 60.0))


@dataclass
class Args:
    """One picture of trainings: success on validation tasks against episodes and CPU time."""

    runs: Positional[List[Path]]
    """Folders of trainings."""
    out: Path = Path("out/llarp_curves.png")
    """The picture."""


class Run(NamedTuple):
    """A training as it is drawn."""

    name: str
    regime: str
    rows: List[Dict[str, Any]]


def load_run(folder: Path) -> Run:
    """A run's rows that have a validation score; PPPError where there is none."""
    facts = store.read(folder / store.CHECKPOINT).facts
    path = folder / "history.jsonl"
    try:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, ValueError):
        raise PPPError(f"{path}: missing or damaged; name the folder of a training") from None
    rows = [row for row in rows if "validation" in row]
    if not rows:
        raise PPPError(f"{path}: no validation score yet; wait, or train with a smaller "
                       "--validate-every")
    return Run(folder.resolve().name, facts["settings"]["regime"], rows)


def draw(runs: List[Run], out: Path) -> Path:
    """Write the picture: a row of panels for each regime."""
    regimes = [regime for regime in TITLES if any(run.regime == regime for run in runs)]
    figure = Figure(figsize=(11, 3.6 * len(regimes)), layout="constrained", dpi=100)
    grid = figure.subplots(len(regimes), len(AXES), squeeze=False)
    for regime, panels in zip(regimes, grid):
        for axes, (key, name, divisor) in zip(panels, AXES):
            _panel(axes, [run for run in runs if run.regime == regime], key, divisor)
            axes.set_title(TITLES[regime], fontsize=10)
            axes.set_xlabel(name)
    return write_figure(figure, out)


def _panel(axes: Axes, runs: List[Run], key: str, divisor: float) -> None:
    for number, run in enumerate(runs):
        axes.plot([row[key] / divisor for row in run.rows],
                  [100 * row["validation"] for row in run.rows], marker="o", ms=3,
                  color=COLOURS[number % len(COLOURS)], label=run.name)
    axes.set_ylim(0, 100)
    axes.set_xlim(left=0)
    axes.set_ylabel("validation tasks fulfilled, %")
    axes.grid(alpha=0.25)
    axes.legend(frameon=False, fontsize=8)


def main(argv: List[str]) -> int:
    """Entry point of ``ppp llarp curves``."""
    args = read_options(Args, argv, "ppp llarp curves")
    if not args.runs:
        raise PPPError("no run named; give the folders of one or more trainings")
    if args.out.suffix != ".png":
        raise PPPError(f"--out {args.out}: the picture is a PNG; give a name that ends in .png")
    check_file(args.out, "picture")
    print(f"picture {draw([load_run(run) for run in args.runs], args.out)}")
    return 0
