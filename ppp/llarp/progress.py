"""What a running training tells: history.jsonl, TensorBoard, a progress line."""
from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any, Dict, Optional

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

#: seconds between two lines where there is no terminal to draw a bar on
QUIET = 30.0


class TrainingLog:
    """One line an iteration into ``folder``/history.jsonl; ``iterations`` in all, ``done`` before.
    """

    def __init__(self, folder: Path, iterations: int, done: int) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self.folder, self.iterations, self.first = folder, iterations, done
        folder.mkdir(parents=True, exist_ok=True)
        self._keep(done)
        self._writer = SummaryWriter(str(folder / "summaries"), purge_step=done)
        self._started, self._told = time.perf_counter(), 0.0
        self._bar: Optional[Progress] = None
        self._task: Any = None

    def _keep(self, done: int) -> None:
        """Lines of a run that ended after its last checkpoint are written again."""
        path = self.folder / "history.jsonl"
        lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
        path.write_text("".join(line + "\n" for line in lines
                                if json.loads(line)["iteration"] <= done), encoding="utf-8")

    def add(self, row: Dict[str, float]) -> None:
        """Write and show one iteration."""
        row = {name: round(float(value), 6) for name, value in row.items()}
        with open(self.folder / "history.jsonl", "a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        for name, value in row.items():
            if name != "iteration":
                self._writer.add_scalar(f"llarp/{name}", value, int(row["iteration"]))
        self._show(int(row["iteration"]), row)

    def _show(self, iteration: int, row: Dict[str, float]) -> None:
        names = ("success", "loss", "accuracy", "entropy", "kl_reference", "steps_per_s",
                 "validation")
        text = "  ".join(f"{name} {row[name]:.3g}" for name in names if name in row)
        if sys.stderr.isatty():
            self._draw(iteration, text)
            return
        now = time.perf_counter()
        if now - self._told > QUIET or "validation" in row or iteration == self.iterations:
            each = (now - self._started) / max(iteration - self.first, 1)
            left = (self.iterations - iteration) * each / 60
            print(f"[{iteration}/{self.iterations}] {text}  {left:.0f} min left",
                  file=sys.stderr, flush=True)
            self._told = now

    def _draw(self, iteration: int, text: str) -> None:
        if self._bar is None:
            self._bar = Progress(BarColumn(20), TextColumn("{task.completed}/{task.total}"),
                                 TimeRemainingColumn(), TextColumn("{task.description}"),
                                 console=Console(stderr=True))
            self._bar.start()
            self._task = self._bar.add_task("", total=self.iterations, completed=self.first)
        self._bar.update(self._task, completed=iteration, description=text)

    def close(self) -> None:
        """Leave terminal and files as they should be."""
        if self._bar is not None:
            self._bar.stop()
        self._writer.close()
