"""``ppp run --test``: perform a task with a trained policy and print success figures."""
from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, Callable, Dict, Optional

import torch
from rich.console import Console
from rich.table import Table

from ppp.errors import PPPError
from ppp.evaluation.episodes import Episodes, Film, heading_error, policy_from
from ppp.evaluation.high_level import test_high_level
from ppp.evaluation.perturb import test_perturb
from ppp.evaluation.travel import test_heading, test_location, test_strike
from ppp.evaluation.view_motion import test_view_motion
from ppp.learning.bundle import Policy
from ppp.learning.hrl_train import is_high_level
from ppp.tasks.config import TaskConfig, load_task

__all__ = ["Film", "heading_error", "policy_from", "print_figures", "run_test", "test_heading",
           "test_location", "test_skills", "test_strike"]


def hold_skill(policy: Policy, task: TaskConfig, skill: str, count: int, seconds: float,
               seed: int, film: Optional[Film] = None) -> Dict[str, float]:
    """Command one skill for ``seconds`` from its own clips, target fixed 50 m ahead.

    survived: share without a fall; imitation: mean over the time stood; speed m/s; heading error
    deg (of the second half; skills that turn: mean yaw rate, deg/s).
    """
    quiet = dataclasses.replace(task.command, rule="random", hold=[10 ** 6, 10 ** 6],
                                distance=[50.0, 50.0], heading_noise=0.0, anywhere=0.0,
                                switch_start=0.0, approach=0.0)
    task = dataclasses.replace(task, command=quiet, skills=[skill], props=[],
                               rewards={"imitation": 1.0}, episode_length=10 ** 6)
    run = Episodes(task, policy, count, seed, film)
    env, obs = run.env, None
    obs = env.reset()
    up = torch.ones(count, dtype=torch.bool)
    sums = {"imitation": 0.0, "speed": 0.0, "heading": 0.0, "yaw_rate": 0.0}
    alive, steps = 0.0, int(seconds * 30)
    for _ in range(steps):
        obs, _, _, infos = run.step(obs)
        state = infos["state"]
        up &= ~infos["terminated"]
        alive += float(up.sum())
        offset = env.travel_offset[infos["skill"]]
        values = {"imitation": infos["terms"]["imitation"],
                  "speed": state.bodies.lin_vel[:, 0, :2].norm(dim=-1),
                  "heading": heading_error(state, env.commands.target, offset),
                  "yaw_rate": state.bodies.ang_vel[:, 0, 2]}
        for name, value in values.items():
            sums[name] += float(value[up].sum())
    env.close()
    alive = max(alive, 1.0)
    return {"survived": float(up.float().mean()), "seconds_up": alive / count / 30.0,
            "imitation": sums["imitation"] / alive, "speed": sums["speed"] / alive,
            "heading_error_deg": sums["heading"] / alive * 180 / torch.pi,
            "yaw_rate_deg_s": sums["yaw_rate"] / alive * 180 / torch.pi}


def test_skills(policy: Policy, task: TaskConfig, episodes: int, seed: int,
                film: Optional[Film] = None) -> Dict[str, Any]:
    """Every skill held for 10 s."""
    each = max(1, episodes // len(policy.skills))
    rows = {s: hold_skill(policy, task, s, each, 10.0, seed, film) for s in policy.skills}
    return {"per_skill": rows,
            "survived": sum(r["survived"] for r in rows.values()) / len(rows)}


#: task -> its test: figures for a policy, a task, episodes, a seed and a film
TESTS: Dict[str, Callable[..., Dict[str, Any]]] = {
    "HumanoidSkills": test_skills, "HumanoidHeading": test_heading,
    "HumanoidLocation": test_location, "HumanoidStrike": test_strike,
    "HumanoidPerturb": test_perturb}


def run_test(task_name: str, checkpoint: Optional[Path], episodes: int, seed: int,
             cfg_env: Optional[Path] = None, motion_file: Optional[Path] = None,
             film: Optional[Film] = None, algo: Optional[str] = None) -> Dict[str, Any]:
    """Perform a task with a policy and return its figures; ``film`` also takes pictures.

    ``algo`` ``hrl``, or a checkpoint of it: the task by its high-level policy.
    """
    task = load_task(task_name, cfg_env)
    if motion_file:
        task = dataclasses.replace(task, motion_file=str(motion_file))
    with torch.no_grad():
        if (algo or task.algo) == "hrl" or (checkpoint and is_high_level(checkpoint)):
            figures = test_high_level(_high_level(checkpoint, task), task, episodes, seed, film)
        elif task_name == "HumanoidViewMotion":
            figures = test_view_motion(task, episodes, seed, film)
        else:
            figures = TESTS[task_name](policy_from(checkpoint), task, episodes, seed, film)
    return {"task": task_name, "seed": seed, "episodes": episodes, **figures}


def _high_level(checkpoint: Optional[Path], task: TaskConfig) -> Path:
    if checkpoint is None or Path(checkpoint).is_dir():
        raise PPPError(f"task {task.name}: no skill of a bundle does this by itself; train a "
                       f"high-level policy (ppp run --task {task.name} --algo hrl) and test its "
                       "--checkpoint")
    return Path(checkpoint)


def print_figures(figures: Dict[str, Any]) -> None:
    """Tables of what is broken down by skill, gait or push, and the other figures below them."""
    console = Console()
    for name, rows in figures.items():
        if not isinstance(rows, dict) or not rows:
            continue
        table = Table(title=f"{figures['task']}: {name.replace('_', ' ')}")
        columns = list(next(iter(rows.values())))
        table.add_column(name.replace("per_", "").replace("_", " "), no_wrap=True)
        for column in columns:
            table.add_column(column.replace("_", " "), justify="right")
        for row, values in rows.items():
            table.add_row(row.replace("_", " "), *(f"{values[c]:.2f}" for c in columns))
        console.print(table)
    for name, value in figures.items():
        if isinstance(value, float):
            console.print(f"{name.replace('_', ' ')}: {value:.3f}")
