"""A picture of which skill is taken for which, and training curves for TensorBoard."""
from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List, Sequence

import numpy as np

from ppp.outputs import write_figure

#: column of refused commands
UNKNOWN = "unknown"


def confusion(answers: Sequence[Any], wanted: Sequence[str], skills: Sequence[str]) -> np.ndarray:
    """(K, K + 1) counts: row = wanted skill, column = skill answered, the last one "unknown".

    ``answers``: Match objects, one for each wanted skill id.
    """
    row = {skill: number for number, skill in enumerate(skills)}
    out = np.zeros((len(skills), len(skills) + 1), dtype=int)
    for match, skill in zip(answers, wanted):
        out[row[skill], row[match.skill] if match.known else len(skills)] += 1
    return out


def draw_confusion(counts: np.ndarray, skills: Sequence[str], title: str, path: Path) -> None:
    """Write a PNG of ``confusion`` counts as shares of each row.

    Raises PPPError where it cannot be written.
    """
    from matplotlib.figure import Figure

    share = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    side = 2.6 + 0.36 * len(skills)
    figure = Figure(figsize=(side + 0.6, side), layout="constrained", dpi=110)
    axes = figure.subplots()
    axes.imshow(share, cmap="Blues", vmin=0.0, vmax=1.0)
    for r, c in zip(*np.nonzero(counts)):
        axes.text(c, r, f"{100 * share[r, c]:.0f}", ha="center", va="center", fontsize=7,
                  color="white" if share[r, c] > 0.55 else "black")
    names: List[str] = [*skills, UNKNOWN]
    axes.set_xticks(range(len(names)), names, rotation=90, fontsize=8)
    axes.set_yticks(range(len(skills)), skills, fontsize=8)
    axes.axvline(len(skills) - 0.5, color="grey", linewidth=0.8)
    axes.set_xlabel("answered")
    axes.set_ylabel("wanted")
    axes.set_title(title, fontsize=9)
    write_figure(figure, path, "name another folder with --out")


def write_curves(losses: Sequence[float], scores: Dict[str, Dict[str, Any]], folder: Path) -> None:
    """TensorBoard scalars: ``fit/loss`` by epoch, and every figure before (0) and after (1)."""
    from torch.utils.tensorboard import SummaryWriter

    writer = SummaryWriter(str(folder))
    for epoch, loss in enumerate(losses, 1):
        writer.add_scalar("fit/loss", loss, epoch)
    for step, name in enumerate(("before", "after")):
        for key, value in scores.get(name, {}).items():
            if isinstance(value, (int, float)):
                writer.add_scalar(f"score/{key}", value, step)
        for skill, value in scores.get(name, {}).get("per_skill", {}).items():
            writer.add_scalar(f"skill/{skill}", value, step)
    writer.close()
