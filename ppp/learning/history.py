"""A run's history.jsonl as curves."""
from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict, List, Optional

import numpy as np

from ppp.errors import PPPError

#: start and end of a run are means over this share of its iterations
EDGE = 0.1


class History:
    """One row an iteration; a run that was resumed from an earlier checkpoint replaces its rows."""

    def __init__(self, rows: List[Dict[str, float]]) -> None:
        latest = {}
        self.seconds, last = 0.0, 0.0
        for row in rows:
            if row["seconds"] < last:  # the clock of a resumed run starts again
                self.seconds += last
            last = row["seconds"]
            for gone in [n for n in latest if n >= row["iteration"]]:
                del latest[gone]
            latest[row["iteration"]] = row
        self.seconds += last
        self.rows = list(latest.values())

    @property
    def samples(self) -> np.ndarray:
        """Samples after each iteration."""
        return np.array([row["samples"] for row in self.rows])

    @property
    def skills(self) -> List[str]:
        """The skills of the run."""
        prefix = "seconds_to_failure/"
        return [k[len(prefix):] for k in self.rows[-1] if k.startswith(prefix)] if self.rows else []

    def curve(self, key: str) -> Optional[np.ndarray]:
        """Values of ``key``, NaN where an iteration has none; None where no iteration has it."""
        if key == "discriminator/apart":
            demo, wrong = (self.curve(f"discriminator/logit_{n}") for n in ("demo", "mismatch"))
            return None if demo is None or wrong is None else demo - wrong
        values = np.array([row.get(key, np.nan) for row in self.rows], dtype=float)
        return None if np.isnan(values).all() else values

    def start(self, key: str) -> Optional[float]:
        """Mean over the first tenth."""
        return self._mean(key, slice(None, self._edge()))

    def end(self, key: str) -> Optional[float]:
        """Mean over the last tenth."""
        return self._mean(key, slice(-self._edge(), None))

    def _edge(self) -> int:
        return max(1, int(EDGE * len(self.rows)))

    def _mean(self, key: str, part: slice) -> Optional[float]:
        values = self.curve(key)
        if values is None or np.isnan(values[part]).all():
            return None
        return float(np.nanmean(values[part]))


def read_history(folder: Path) -> History:
    """The history of a run's folder; PPPError where there is none."""
    path = Path(folder) / "history.jsonl"
    if not path.is_file():
        raise PPPError(f"{path}: no history there; name the folder of a training run")
    rows: List[Dict[str, Any]] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            row = json.loads(line)
            rows.append({**row, "iteration": int(row["iteration"]),
                         "samples": float(row["samples"]), "seconds": float(row["seconds"])})
        except (ValueError, KeyError, TypeError):
            if number > 1 and not line.endswith("}"):
                continue  # a run that was killed while it wrote
            raise PPPError(f"{path}: line {number} is no line of a run's history") from None
    if not rows:
        raise PPPError(f"{path}: is empty; let the run finish an iteration first")
    return History(rows)


def smooth(values: np.ndarray, width: int) -> np.ndarray:
    """Running mean over ``width`` iterations, NaN left out; ends use what there is."""
    good = ~np.isnan(values)
    kernel = np.ones(max(1, min(width, len(values))))
    total = np.convolve(np.where(good, values, 0.0), kernel, "same")
    count = np.convolve(good.astype(float), kernel, "same")
    return np.where(count > 0, total / np.maximum(count, 1e-9), np.nan)
