"""``ppp eval curves``: the diagnostics of training runs in one picture, with the healthy bands."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, Optional

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from tyro.conf import Positional

from ppp.errors import PPPError
from ppp.learning.healthy import Band, bands
from ppp.learning.history import History, read_history, smooth
from ppp.options import read_options
from ppp.outputs import check_file, write_figure
from ppp.settings import load_yaml

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000", "#999999")
BAND_COLOUR = "#dff0df"
#: a curve is a running mean over this share of its iterations, the raw one behind it
SMOOTH = 0.03
COLUMNS = 4


@dataclass
class Args:
    """One picture of training runs, laid over each other; the green bands are healthy."""

    runs: Positional[List[Path]]
    """Folders of training runs (with history.jsonl)."""
    out: Path = Path("curves.png")
    """The picture."""


@dataclass
class Run:
    """A run as it is drawn."""

    name: str
    history: History
    settings: Dict[str, Any]
    colour: str


def load_runs(folders: List[Path]) -> List[Run]:
    """The runs of ``folders``; settings.yaml may be missing."""
    runs = []
    for number, folder in enumerate(folders):
        settings = folder / "settings.yaml"
        runs.append(Run(folder.resolve().name, read_history(folder),
                        load_yaml(settings) if settings.is_file() else {},
                        COLOURS[number % len(COLOURS)]))
    return runs


def draw(runs: List[Run], out: Path) -> Path:
    """Write the picture: one panel a curve, then seconds to failure and imitation by skill."""
    table = bands(runs[0].settings)
    speed = Band("samples_per_s", "samples per second", float("nan"), float("nan"), "", "")
    panels = [band for band in [*table, speed]
              if any(run.history.curve(band.key) is not None for run in runs)]
    rows = -(-len(panels) // COLUMNS)
    figure = Figure(figsize=(16, 3.0 * rows + 6.5), layout="constrained", dpi=90)
    grid = figure.add_gridspec(rows + 2, COLUMNS, height_ratios=[1.0] * rows + [1.1, 1.1])
    for number, band in enumerate(panels):
        _curve(figure.add_subplot(grid[number // COLUMNS, number % COLUMNS]), runs, band)
    _skills(figure.add_subplot(grid[rows, :]), runs, "seconds_to_failure",
            "seconds between two failures of a skill")
    _skills(figure.add_subplot(grid[rows + 1, :]), runs, "imitation", "imitation of a skill")
    handles = [figure.axes[0].plot([], [], color=run.colour, lw=2, label=run.name)[0]
               for run in runs]
    figure.legend(handles=handles, loc="outside upper center", ncols=min(len(runs), 6),
                  title="x: million samples; green: healthy", frameon=False)
    return write_figure(figure, out)


def _curve(axes: Axes, runs: List[Run], band: Band) -> None:
    """One diagnostic of all runs over its healthy band."""
    values = []
    for run in runs:
        curve = run.history.curve(band.key)
        if curve is None:
            continue
        x, line = run.history.samples / 1e6, smooth(curve, max(3, int(SMOOTH * len(curve))))
        if len(curve) < 4:
            line = curve
        axes.plot(x, curve, color=run.colour, alpha=0.2, lw=0.8)
        axes.plot(x, line, color=run.colour, lw=1.6, marker="o" if len(curve) < 4 else None)
        values.append(line[~np.isnan(line)])
    together = np.concatenate(values)
    low, high = float(together.min()), float(together.max())
    if band.low == band.low:  # not NaN: there is a band
        # seen also where no curve comes near it, without squeezing the curves
        low, high = min(low, band.low if band.low > low - 2 * (high - low) else low), max(
            high, band.high if band.high < high + 2 * (high - low) else high)
        axes.axhspan(band.low, band.high, color=BAND_COLOUR, zorder=0)
        wide = f"{band.low:g} to {band.high:g}" if band.high > band.low else f"{band.low:g}"
        axes.set_title(f"{band.title}\nhealthy {wide}", fontsize=9)
    else:
        axes.set_title(band.title, fontsize=9)
    margin = 0.06 * ((high - low) or abs(high) or 1.0)
    axes.set_ylim(low - margin, high + margin)
    axes.tick_params(labelsize=8)
    axes.grid(alpha=0.25)


def _skills(axes: Axes, runs: List[Run], kind: str, title: str) -> None:
    """Start (hollow) and end (filled) of every skill, runs side by side."""
    names: List[str] = []
    for run in runs:
        names += [skill for skill in run.history.skills if skill not in names]
    for number, run in enumerate(runs):
        shift = (number - (len(runs) - 1) / 2) * min(0.2, 0.7 / len(runs))
        for place, name in enumerate(names):
            start, end = (part(f"{kind}/{name}") for part in (run.history.start, run.history.end))
            if start is None or end is None:
                continue
            x = [place + shift] * 2
            axes.plot(x, [start, end], color=run.colour, lw=1.5, alpha=0.6)
            axes.plot(x[:1], [start], "o", color=run.colour, mfc="white", ms=5)
            axes.plot(x[:1], [end], "o", color=run.colour, ms=5)
    if kind == "seconds_to_failure":
        axes.set_yscale("log")
    axes.set_title(f"{title}: hollow at the start of the run, filled at its end", fontsize=9)
    axes.set_xticks(range(len(names)), [name.replace("_", "\n") for name in names], fontsize=8)
    axes.tick_params(axis="y", labelsize=8)
    axes.grid(alpha=0.25)


def main(argv: Optional[List[str]] = None) -> int:
    """Entry point of ``ppp eval curves``."""
    args = read_options(Args, argv, "ppp eval curves")
    if not args.runs:
        raise PPPError("no run named; give the folders of one or more training runs")
    if args.out.suffix != ".png":
        raise PPPError(f"--out {args.out}: the picture is a PNG; give a name that ends in .png")
    check_file(args.out, "picture")
    print(f"picture {draw(load_runs(args.runs), args.out)}")
    return 0
