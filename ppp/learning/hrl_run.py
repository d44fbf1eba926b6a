"""``ppp run --algo hrl`` from settings to the last checkpoint."""
from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Optional

from ppp.learning.checkpoint import latest_checkpoint
from ppp.learning.hrl import load_hrl
from ppp.learning.hrl_train import HrlTrainer, read_state
from ppp.outputs import check_folder
from ppp.tasks.config import TaskConfig


def train_high_level(task: TaskConfig, low_level: Optional[Path], folder: Path, seed: int,
                     engine: str, cfg_train: Optional[Path], num_envs: Optional[int],
                     iterations: Optional[int], resume: bool, checkpoint: Optional[Path]) -> Path:
    """Train over the skill policy ``low_level`` (bundle or checkpoint; None: the shipped one).

    ``resume`` goes on with the newest checkpoint of ``folder``; ``checkpoint`` gives the first
    weights. Returns the last checkpoint.
    """
    from ppp.evaluation.episodes import policy_from

    config = load_hrl(cfg_train)
    changes = {"num_envs": num_envs, "iterations": iterations}
    config = dataclasses.replace(config, **{k: v for k, v in changes.items() if v})
    start = latest_checkpoint(folder) if resume else checkpoint
    if start:
        read_state(start)  # a file that does not fit is told before anything is built
    check_folder(folder)
    trainer = HrlTrainer(task, policy_from(low_level), config, folder, seed, engine)
    if start:
        trainer.restore(start, counters=resume)
    return trainer.run()
