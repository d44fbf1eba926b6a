"""``python -m ppp.rearrangement.table``: how long and how chancy the test tasks are."""
from __future__ import annotations

import argparse
from typing import List, Optional

import numpy as np
from rich.console import Console
from rich.table import Table

from ppp.errors import run_entry
from ppp.rearrangement.env import TaskEnv
from ppp.rearrangement.generate import EXTRA_SPLITS, SPLITS, TEST_COUNT, TEST_SEED, make_tasks
from ppp.rearrangement.oracle import optimal_length
from ppp.rearrangement.task import Task


def expert_length(task: Task) -> float:
    """Steps of the search expert; nan where it fails."""
    env = TaskEnv(preset=task.preset)
    env.reset(task)
    while not env.done:
        env.step(env.expert())
    return env.state.step if env.goal.reached(env.state) else float("nan")


def chance(task: Task, rng: np.random.Generator) -> bool:
    """Whether actions drawn evenly solve it."""
    env = TaskEnv(preset=task.preset)
    env.reset(task)
    while not env.done:
        env.step(int(rng.integers(len(env.actions))))
    return env.goal.reached(env.state)


def main(argv: Optional[List[str]] = None) -> int:
    """Print one line a split."""
    parser = argparse.ArgumentParser(prog="python -m ppp.rearrangement.table", description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="of the random actions")
    rng = np.random.default_rng(parser.parse_args(argv).seed)
    table = Table("split", "texts", "shortest plan", "search expert", "solved by it", "by chance")
    solved = []
    for split in (*SPLITS, *EXTRA_SPLITS):
        tasks = make_tasks(split, TEST_COUNT, TEST_SEED)
        best = [optimal_length(task) for task in tasks]
        expert = np.asarray([expert_length(task) for task in tasks])
        lucky = float(np.mean([chance(task, rng) for task in tasks]))
        solved += [lucky] if split in SPLITS else []
        table.add_row(split, str(len({t.instruction for t in tasks})),
                      f"{np.mean(best):.1f} ({min(best)} to {max(best)})",
                      f"{np.nanmean(expert):.1f}", f"{np.isfinite(expert).mean():.0%}",
                      f"{lucky:.0%}")
    console = Console()
    console.print(table)
    console.print(f"mean of the ten splits by chance: {np.mean(solved):.1%}")
    return 0


if __name__ == "__main__":
    raise SystemExit(run_entry(main))
