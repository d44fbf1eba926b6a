"""What a running training tells: TensorBoard, a progress line, a saved history."""
from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional

import torch
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor

from ppp.learning import distributed


class RunLog:
    """An rl-games observer: collects episodes, writes scalars, shows progress, saves on time.

    history.jsonl in the run's folder has one line an iteration. With several ranks all of them
    count, the first one writes, and they save and stop after the same iteration.
    """

    def __init__(self, folder: Path, skills: List[str], iterations: int, save_minutes: float,
                 save: Callable[[], None]) -> None:
        self.folder, self.skills, self.iterations = Path(folder), skills, iterations
        self.save_seconds, self.save = 60.0 * save_minutes, save
        self.agent: Any = None
        self._episodes: List[Tensor] = []
        self._clear_counts()
        self._started = self._saved = self._printed = self._last = time.perf_counter()
        self._first = 0
        #: set from outside: leave (KeyboardInterrupt) when the present iteration is complete
        self.stopping = False
        self._progress: Optional[Progress] = None
        self._task: Any = None

    # -- rl-games' hooks ---------------------------------------------------------------------
    def before_init(self, base_name: str, config: Dict[str, Any], experiment_name: str) -> None:
        """Nothing to prepare."""

    def after_init(self, agent: Any) -> None:
        """Remember the agent whose numbers are shown, and count where it has its own."""
        self.agent = agent
        self._clear_counts()

    def start(self) -> None:
        """The clock starts; a resumed run has iterations behind it already."""
        self._first = self.agent.epoch_num
        self._started = self._saved = self._last = time.perf_counter()

    def process_infos(self, infos: Any, done_indices: Tensor) -> None:
        """Episodes are collected in ``after_env_step``, which sees the true infos."""

    def after_steps(self) -> None:
        """Nothing between roll-out and update."""

    def after_clear_stats(self) -> None:
        """Nothing is kept that rl-games would clear."""

    def after_env_step(self, infos: Dict[str, Tensor], done: Tensor) -> None:
        """Keep (skill, length, terminated) of the episodes that ended with this step."""
        kinds = len(self.skills)
        self._steps += torch.bincount(infos["skill"], minlength=kinds)
        self._failures += torch.bincount(infos["skill"][infos["terminated"]], minlength=kinds)
        self._imitation += torch.bincount(infos["skill"], infos["terms"].get(
            "imitation", torch.zeros_like(done, dtype=torch.float)).double(), minlength=kinds)
        ids = done.nonzero().flatten()
        if len(ids):
            self._episodes.append(torch.stack((infos["skill"][ids], infos["age"][ids],
                                               infos["terminated"][ids].long()), -1))

    def after_print_stats(self, frame: int, epoch: int, total_time: float) -> None:
        """Once an iteration: scalars, progress, and a checkpoint when it is time."""
        now = time.perf_counter()
        row = self._row(frame, epoch, now)
        if distributed.world().first:
            self._write(row, frame, now)
        self._last = now
        if distributed.of_first(now - self._saved > self.save_seconds):
            self.save()
            self._saved = time.perf_counter()
        self.stopping = distributed.any_rank(self.stopping)
        if self.stopping:
            raise KeyboardInterrupt

    def _write(self, row: Dict[str, float], frame: int, now: float) -> None:
        for name, value in row.items():
            if name not in ("iteration", "samples"):
                self.agent.writer.add_scalar(f"ppp/{name}", value, frame)
        with open(self.folder / "history.jsonl", "a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        self._show(row, now)

    def _clear_counts(self) -> None:
        device = getattr(self.agent, "ppo_device", "cpu")
        self._steps = torch.zeros(len(self.skills), device=device)
        self._failures = torch.zeros_like(self._steps)
        self._imitation = torch.zeros_like(self._steps)

    # -- parts -------------------------------------------------------------------------------
    def _row(self, frame: int, epoch: int, now: float) -> Dict[str, float]:
        agent = self.agent
        row = {"iteration": epoch, "samples": agent.frame,
               "seconds": now - self._started,
               "samples_per_s": agent.curr_frames / max(now - self._last, 1e-9),
               "kl": getattr(agent, "kl", 0.0), "actor_lr": agent.last_lr,
               "broken": distributed.total(torch.tensor(agent.vec_env.env.broken_count,
                                                         device=self._steps.device))}
        means = {f"reward/{name}": float(torch.stack(values).mean())
                 for name, values in agent.terms.items()}
        means.update((f"discriminator/{name}", value) for name, value in agent.style.info.items())
        table = distributed.mean(torch.tensor(list(means.values()), dtype=torch.float64,
                                              device=self._steps.device))
        row.update(zip(means, table.tolist()))
        row.update(self._episode_rows())
        steps, failures, imitation = distributed.total(
            torch.stack((self._steps, self._failures, self._imitation)))
        for k, name in enumerate(self.skills):
            # seconds a skill is performed between two failures under it
            row[f"seconds_to_failure/{name}"] = steps[k] / failures[k].clamp_min(1) / 30
            row[f"imitation/{name}"] = imitation[k] / steps[k].clamp_min(1)
        self._clear_counts()
        return {k: round(float(v), 6) for k, v in row.items()}

    def _episode_rows(self) -> Dict[str, float]:
        empty = torch.zeros(0, 3, dtype=torch.long, device=self._steps.device)
        table = distributed.joined(torch.cat([empty, *self._episodes]))
        self._episodes = []
        if not len(table):
            return {}
        rows = {"episode_length": table[:, 1].float().mean(),
                "falls": table[:, 2].float().mean()}
        for k, name in enumerate(self.skills):
            mine = table[table[:, 0] == k]
            if len(mine):
                rows[f"episode_length/{name}"] = mine[:, 1].float().mean()
        return rows

    def _show(self, row: Dict[str, float], now: float) -> None:
        text = (f"{row['samples'] / 1e6:.2f} M samples  {row['samples_per_s']:.0f}/s  "
                f"length {row.get('episode_length', 0):.0f}  "
                f"imitation {row.get('reward/imitation', 0):.2f}  "
                f"style {row.get('reward/style', 0):.2f}  "
                f"D {row.get('discriminator/logit_demo', 0):+.1f}/"
                f"{row.get('discriminator/logit_policy', 0):+.1f}  kl {row['kl']:.4f}")
        if sys.stderr.isatty():
            self._bar(int(row["iteration"]), text)
        elif now - self._printed > 15.0 or row["iteration"] <= 1:
            each = (now - self._started) / max(row["iteration"] - self._first, 1)
            left = (self.iterations - row["iteration"]) * each
            print(f"[{int(row['iteration'])}/{self.iterations}] {text}  {left / 60:.0f} min left",
                  file=sys.stderr, flush=True)
            self._printed = now

    def _bar(self, iteration: int, text: str) -> None:
        if self._progress is None:
            from rich.console import Console
            self._progress = Progress(BarColumn(20), TextColumn("{task.completed}/{task.total}"),
                                      TimeRemainingColumn(), TextColumn("{task.description}"),
                                      console=Console(stderr=True))
            self._progress.start()
            self._task = self._progress.add_task("", total=self.iterations)
        self._progress.update(self._task, completed=iteration, description=text)

    def close(self) -> None:
        """Leave the terminal as it was."""
        if self._progress is not None:
            self._progress.stop()
