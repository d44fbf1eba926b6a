"""``ppp bench``: how fast physics, environment and training run, against the bare simulator."""
from __future__ import annotations

import dataclasses
import json
import resource
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional

import numpy as np
import torch

from ppp.errors import PPPError
from ppp.outputs import check_file


@dataclass
class Args:
    """Measure speed; every figure of one run, in control steps (30 a second) per second."""

    engine: str = "mujoco_cpu"
    """Simulator."""
    num_envs: Optional[int] = None
    """Parallel humanoids (default: those of the training settings)."""
    task: str = "HumanoidSkills"
    """Task whose environment and training are measured."""
    cfg_train: Optional[Path] = None
    """Training settings (default: cfg/train/ppp_cpu.yaml)."""
    rounds: int = 5
    """Measurements of each kind; the median counts."""
    json: Optional[Path] = None
    """Also write the figures here."""


def _median_rate(samples: int, rounds: int, work: Callable[[], None]) -> float:
    """Samples per second: the median over rounds after one that warms up."""
    work()
    times: List[float] = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return samples / statistics.median(times)


def raw_rate(env: Any, rounds: int) -> float:
    """The ceiling: bare ``mujoco.rollout`` on the environment's own model and states."""
    engine = env.engine
    if not hasattr(engine, "bare_rollout"):
        raise PPPError(f"engine {type(engine).__name__}: has no bare simulator to compare with")
    env.reset()
    states = engine.full_state()
    targets = np.repeat(env.actions.targets(torch.zeros(env.num_envs, 31)).numpy()[:, None], 4, 1)
    steps = 8

    def work() -> None:
        state = states
        for _ in range(steps):
            state = engine.bare_rollout(state, targets)

    return _median_rate(steps * env.num_envs, rounds, work)


def env_rate(env: Any, rounds: int) -> float:
    """Environment steps with observations, discriminator frames, rewards and restarts."""
    env.reset()
    steps = 8

    def work() -> None:
        for _ in range(steps):
            env.step(0.05 * torch.randn(env.num_envs, env.action_size))

    return _median_rate(steps * env.num_envs, rounds, work)


def train_rate(trainer: Any, rounds: int) -> Dict[str, float]:
    """Whole training iterations (roll-out, PPO, discriminator), and the roll-out's share."""
    agent = trainer.build_agent()
    agent.init_tensors()
    agent.obs = agent.env_reset()
    agent.curr_frames = agent.batch_size_envs
    trainer.log.start()
    shares: List[float] = []

    def work() -> None:
        result = agent.train_epoch()
        shares.append(result[1] / max(result[3], 1e-9))

    rate = _median_rate(agent.batch_size, rounds, work)
    return {"train_samples_per_s": rate, "rollout_share": statistics.median(shares[1:])}


def measure(args: Args) -> Dict[str, Any]:
    """All figures as a dictionary, as --json writes them."""
    from ppp.learning.config import check_batch, load_train
    from ppp.learning.train import Trainer
    from ppp.tasks.config import load_task

    config = load_train(args.cfg_train)
    warm = dataclasses.replace(config.warm_start, iterations=5)
    count = args.num_envs or config.num_envs
    config = dataclasses.replace(config, num_envs=count, warm_start=warm, iterations=10 ** 6)
    check_batch(config, "--num-envs")
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(load_task(args.task), config, Path(folder) / "run", engine=args.engine)
        raw = raw_rate(trainer.env, args.rounds)
        env = env_rate(trainer.env, args.rounds)
        train = train_rate(trainer, args.rounds)
        trainer.env.close()
    rate = train["train_samples_per_s"]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    peak /= 1024 if sys.platform == "darwin" else 1  # bytes there, KiB elsewhere
    return {"engine": args.engine, "num_envs": count, "task": args.task,
            "threads": torch.get_num_threads(), "raw_steps_per_s": raw,
            "physics_steps_per_s": 4 * raw, "env_steps_per_s": env, "train_samples_per_s": rate,
            "env_to_raw_ratio": env / raw, "train_to_raw_ratio": rate / raw,
            "rollout_share": train["rollout_share"], "memory_mb": peak}


def main(argv: Optional[List[str]] = None) -> int:
    """Entry point of ``ppp bench``."""
    import tyro
    from rich.console import Console
    from rich.table import Table

    args = tyro.cli(Args, args=argv, prog="ppp bench", description=Args.__doc__)
    for name in ("num_envs", "rounds"):
        value = getattr(args, name)
        if value is not None and value < 1:
            raise PPPError(f"--{name.replace('_', '-')} must be 1 or more")
    check_file(args.json)
    figures = measure(args)
    table = Table(title="control steps per second (median)")
    table.add_column("figure")
    table.add_column("value", justify="right")
    for name, value in figures.items():
        text = f"{value:,.3f}" if isinstance(value, float) and value < 10 else (
            f"{value:,.0f}" if isinstance(value, (int, float)) else str(value))
        table.add_row(name.replace("_", " "), text)
    Console().print(table)
    if args.json:
        args.json.write_text(json.dumps(figures, indent=1))
    return 0
