"""The table and the picture of an ablation, from the folders of its runs."""
from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Tuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ppp.evaluation.ablation_plan import Arm, Declaration
from ppp.evaluation.curves import COLOURS
from ppp.learning.history import History, read_history, smooth
from ppp.outputs import finite, write_figure, write_json

#: columns of the table: key, heading, digits; `train/...` are ends of the training curves
COLUMNS = [("skill_accuracy", "skill accuracy", 2), ("recognised", "recognised", 2),
           ("survived", "survived 10 s", 2), ("imitation", "imitation", 2),
           ("gait_heading_error_deg", "gait heading error, °", 0),
           ("train/reward/facing", "facing", 2), ("train/episode_length", "episode, steps", 0),
           ("minutes", "minutes", 0)]
PANELS = [("reward/style", "style reward"), ("reward/imitation", "imitation"),
          ("reward/facing", "facing"), ("episode_length", "episode length, steps")]
SMOOTH = 0.05


@dataclass
class Result:
    """The finished runs of one arm."""

    arm: Arm
    scores: List[Dict[str, Any]]
    histories: List[History]

    def values(self, key: str) -> List[float]:
        """One number a seed."""
        if key == "minutes":
            return [h.seconds / 60.0 for h in self.histories]
        if key.startswith("train/"):
            ends = [h.end(key[len("train/"):]) for h in self.histories]
            return [math.nan if end is None else end for end in ends]
        return [math.nan if s.get(key) is None else float(s[key]) for s in self.scores]


def collect(arms: List[Arm], out: Path) -> List[Result]:
    """What is finished under ``out``, in the declaration's order."""
    results = []
    for arm in arms:
        done = sorted((out / arm.home).glob("seed_*/done.json"))
        if done:
            results.append(Result(arm, [json.loads(p.read_text())["scores"] for p in done],
                                  [read_history(p.parent) for p in done]))
    return results


def summary(values: Sequence[Optional[float]]) -> Tuple[float, float]:
    """Mean, and half the range over the seeds; None and NaN are left out."""
    known = [v for v in values if v is not None and v == v]
    if not known:
        return math.nan, math.nan
    return sum(known) / len(known), (max(known) - min(known)) / 2


def figures(results: List[Result]) -> Dict[str, Any]:
    """Everything of the table, for JSON: study -> arm -> key -> mean, half_range, values."""
    out: Dict[str, Any] = {}
    for result in results:
        row: Dict[str, Any] = {"title": result.arm.title, "seeds": len(result.scores),
                               "samples": result.arm.samples}
        for key, _, _ in COLUMNS:
            mean, spread = summary(result.values(key))
            row[key] = {"mean": mean, "half_range": spread, "values": result.values(key)}
        row["per_skill"] = {
            skill: {name: summary([s["per_skill"][skill][name] for s in result.scores])[0]
                    for name in columns}
            for skill, columns in result.scores[0]["per_skill"].items()}
        out.setdefault(result.arm.study, {})[result.arm.name] = row
    return finite(out)


def markdown(declared: Declaration, results: List[Result]) -> str:
    """The tables, a study each."""
    lines = []
    for study, settings in declared.studies.items():
        mine = [result for result in results if result.arm.study == study]
        if not mine:
            continue
        seeds = sorted({len(result.scores) for result in mine})
        lines += [f"### {settings.title or study}", "",
                  f"{mine[0].arm.samples / 1e6:.3g} M samples a run, "
                  f"{'-'.join(map(str, seeds))} seed{'s' if seeds != [1] else ''}; mean ± half the "
                  "range.", "",
                  "| | " + " | ".join(title for _, title, _ in COLUMNS) + " |",
                  "|---" * (len(COLUMNS) + 1) + "|"]
        for result in mine:
            cells = [_cell(*summary(result.values(key)), digits, len(result.scores))
                     for key, _, digits in COLUMNS]
            lines.append(f"| {result.arm.title} | " + " | ".join(cells) + " |")
        lines.append("")
    return "\n".join(lines)


def _cell(mean: float, spread: float, digits: int, seeds: int) -> str:
    if mean != mean:
        return "–"
    return f"{mean:.{digits}f}" + (f" ± {spread:.{digits}f}" if seeds > 1 else "")


def picture(declared: Declaration, results: List[Result], out: Path) -> Path:
    """Curves against samples: a row a study, mean over the seeds and their range."""
    studies = [s for s in declared.studies if any(r.arm.study == s for r in results)]
    figure = Figure(figsize=(16, 3.3 * len(studies)), layout="constrained", dpi=90)
    parts = figure.subfigures(len(studies), 1, squeeze=False)[:, 0]
    for part, study in zip(parts, studies):
        part.suptitle(declared.studies[study].title or study, x=0.01, ha="left", fontsize=11)
        row = part.subplots(1, len(PANELS))
        mine = [result for result in results if result.arm.study == study]
        for axes, (key, title) in zip(row, PANELS):
            for number, result in enumerate(mine):
                _band(axes, result, key, COLOURS[number % len(COLOURS)])
            axes.set_title(title, fontsize=9)
            axes.tick_params(labelsize=8)
            axes.grid(alpha=0.25)
        row[0].legend(fontsize=7)
        row[0].set_xlabel("million samples, warm start included", fontsize=8)
    return write_figure(figure, out)


def _band(axes: Axes, result: Result, key: str, colour: str) -> None:
    lines = []
    warm = result.arm.train.warm_start
    before = warm.iterations * warm.steps * result.arm.train.num_envs
    ends = min(len(h.rows) for h in result.histories)
    x = (result.histories[0].samples[:ends] + before) / 1e6
    for history in result.histories:
        curve = history.curve(key)
        if curve is not None:
            lines.append(smooth(curve[:ends], max(1, int(SMOOTH * ends))))
    if not lines:
        return
    table = np.stack(lines)
    axes.plot(x, table.mean(0), color=colour, lw=1.6, label=result.arm.title)
    axes.fill_between(x, table.min(0), table.max(0), color=colour, alpha=0.2, lw=0)


def write(declared: Declaration, arms: List[Arm], out: Path) -> str:
    """ablation.md, ablation.json and ablation.png of what is finished; returns the tables."""
    results = collect(arms, out)
    if not results:
        return "no run is finished yet\n"
    text = markdown(declared, results)
    (out / "ablation.md").write_text(text, encoding="utf-8")
    write_json(figures(results), out / "ablation.json")
    picture(declared, results, out / "ablation.png")
    return text
