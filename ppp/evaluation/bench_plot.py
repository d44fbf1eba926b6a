"""The rates of ``ppp bench`` over the number of humanoids, as a picture."""
from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List

from ppp.outputs import write_figure

#: figure -> its line's label and colour (Okabe and Ito's, which colour-blind readers can tell)
LINES = {"raw_steps_per_s": ("bare simulator", "#000000"),
         "engine_steps_per_s": ("engine", "#0072B2"),
         "env_steps_per_s": ("environment", "#009E73"),
         "train_samples_per_s": ("training", "#D55E00")}


def plot(figures: Dict[str, Any], path: Path) -> None:
    """Write a PNG of the figures as ``ppp bench --json`` has them."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    rows: List[Dict[str, float]] = figures["scaling"]
    counts = [row["num_envs"] for row in rows]
    chart, axes = plt.subplots(figsize=(7.0, 4.4), dpi=120)
    for name, (label, colour) in LINES.items():
        if name in rows[0]:
            axes.plot(counts, [row[name] for row in rows], "o-", color=colour, label=label)
    for name, target in figures["targets"].items():
        if name in LINES:
            label, colour = LINES[name]
            axes.axhline(target["value"], color=colour, linestyle=":", linewidth=1.2,
                         label=f"{target['of']}: {target['value'] / 1000:.0f} k")
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    for which in (axes.yaxis.set_major_formatter, axes.yaxis.set_minor_formatter):
        which(lambda value, _: f"{value:,.0f}")
    axes.set_xticks(counts)
    axes.set_xticklabels([f"{count:d}" for count in counts])
    axes.set_xlabel("humanoids")
    axes.set_ylabel("control steps per second (30 = real time of one)")
    axes.grid(True, which="both", alpha=0.25)
    axes.legend(fontsize=8)
    facts = figures["machine"]
    axes.set_title(f"{figures['engine']} on {facts.get('gpu', facts['cpu'])}, "
                   f"{facts['cores']} cores", fontsize=9)
    chart.tight_layout()
    write_figure(chart, path)
    plt.close(chart)
