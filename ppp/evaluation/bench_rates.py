"""What ``ppp bench`` measures: simulator, engine, environment and training, from the same states.

The parts of a round come one right after the other, so that another load on the machine slows all
of them alike; what counts is the median over the rounds. On the CPU the shares are also given by
processor time, summed over the threads, which another load changes little.

An engine whose bare simulator can be timed has a method ``bare_step(pd_targets)`` beside those of
:class:`ppp.engines.base.Engine`: one control step of the simulator towards targets (N, 31), rad,
and nothing else; ``state`` is not renewed. ``snapshot`` and ``restore`` set it right again.
"""
from __future__ import annotations

import copy
import dataclasses
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Tuple

import torch

from ppp.learning.config import TrainConfig, check_batch
from ppp.learning.moment import env_state, load_env_state
from ppp.learning.train import Trainer
from ppp.tasks.config import TaskConfig

#: control steps that are timed at once
STEPS = 8
#: control steps before the first measurement: from the clips' frames into ordinary disorder
SETTLING = 16
#: physics steps of a control step
PHYSICS_STEPS = 4
#: noise of the actions, the size of a policy's
NOISE = 0.05


def measure(task: TaskConfig, config: TrainConfig, engine: str, device: str, rounds: int,
            checkpoint: Optional[Path] = None) -> Dict[str, float]:
    """All figures for one number of humanoids, in control steps a second over all of them.

    checkpoint: whose policy moves them and is trained; without it noise does, and they fall.
    """
    held = _device_memory(device)
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(task, config, Path(folder) / "run", engine=engine, device=device)
        figures: Dict[str, float] = {"num_envs": config.num_envs}
        if checkpoint is None:
            figures.update(steps(trainer.env, rounds))
        else:
            trainer.restore(checkpoint, counters=False)
            figures.update(steps(trainer.env, rounds, lambda env: driven(trainer)))
        figures.update(training(trainer, rounds))
        figures["device_memory_mb"] = _device_memory(device) - held
        trainer.env.close()
    _compare(figures, device)
    figures["physics_steps_per_s"] = PHYSICS_STEPS * figures["engine_steps_per_s"]
    figures["memory_mb"] = peak_memory()
    return figures


def _compare(figures: Dict[str, float], device: str) -> None:
    """Add the shares of the bare simulator, or of the engine where that cannot be had."""
    rates = {"engine": "engine_steps_per_s", "env": "env_steps_per_s",
             "train": "train_samples_per_s"}
    ceiling = "raw" if "raw_steps_per_s" in figures else "engine"
    for name, rate in rates.items():
        figures[f"{name}_to_raw_ratio"] = figures[rate] / figures[f"{ceiling}_steps_per_s"]
    spent = {name: figures.pop(f"{name}_cpu") for name in (ceiling, *rates)
             if f"{name}_cpu" in figures}
    if device == "cpu":
        for name in rates:
            figures[f"{name}_to_raw_cpu_ratio"] = spent[ceiling] / spent[name]


def bench_config(config: TrainConfig, count: int) -> TrainConfig:
    """The settings for ``count`` humanoids: no warm start, minibatches of the samples at most."""
    ppo = dataclasses.replace(config.ppo, minibatch=min(config.ppo.minibatch,
                                                        count * config.ppo.horizon))
    warm = dataclasses.replace(config.warm_start, iterations=0, critic_iterations=0)
    config = dataclasses.replace(config, num_envs=count, ppo=ppo, warm_start=warm,
                                 iterations=10 ** 6)
    check_batch(config, "--num-envs")
    return config


def noise(env: Any) -> List[torch.Tensor]:
    """Actions (N, 31) for ``STEPS`` control steps: noise about the mean pose."""
    return [NOISE * torch.randn(env.num_envs, env.action_size, device=env.device)
            for _ in range(STEPS)]


@torch.no_grad()
def driven(trainer: Trainer) -> List[torch.Tensor]:
    """Actions (N, 31) of the trainer's policy, with noise, for ``STEPS`` control steps to come."""
    env, actions = trainer.env, []
    begin = copy.deepcopy(env_state(env))
    for shake in noise(env):
        known = trainer.style.latents.now(env.commands)
        actions.append(trainer.policy.act(env.observe(), known) + shake)
        env.step(actions[-1])
    load_env_state(env, begin)
    return actions


def steps(env: Any, rounds: int, drive: Callable[[Any], List[torch.Tensor]] = noise
          ) -> Dict[str, float]:
    """Bare simulator, engine and environment, each over the same states and targets.

    The environment's step holds observations, discriminator frames, rewards and restarts. drive:
    gives the actions of the next ``STEPS``, and leaves the environment as it is.
    """
    engine, count = env.engine, env.num_envs
    env.reset()
    for _ in range(SETTLING // STEPS):
        for action in drive(env):
            env.step(action)
    kinds: Dict[str, Callable[[torch.Tensor], Any]] = {"engine": lambda a: engine.step(
        env.actions.targets(a)), "env": env.step}
    if hasattr(engine, "bare_step"):
        kinds = {"raw": lambda a: engine.bare_step(env.actions.targets(a)), **kinds}
    times: Dict[str, List[Tuple[float, float]]] = {name: [] for name in kinds}
    for number in range(rounds + 1):
        actions, begin = drive(env), engine.snapshot()
        for name, step in kinds.items():
            engine.restore(begin)
            spent = _seconds(env.device, lambda: [step(action) for action in actions])  # noqa: B023
            if number:  # the first round warms up
                times[name].append(spent)
    figures = {}
    for name, values in times.items():
        wall, cpu = (statistics.median(part) for part in zip(*values))
        figures[f"{name}_steps_per_s"] = STEPS * count / wall
        figures[f"{name}_cpu"] = cpu / (STEPS * count)
    return figures


def training(trainer: Trainer, rounds: int) -> Dict[str, float]:
    """Whole iterations (roll-out, PPO, discriminator), and the roll-out's share of them."""
    agent = trainer.build_agent()
    agent.init_tensors()
    agent.obs = agent.env_reset()
    agent.curr_frames = agent.batch_size_envs
    trainer.log.start()
    shares: List[float] = []
    times: List[Tuple[float, float]] = []
    for number in range(rounds + 1):
        result: List[Any] = []
        spent = _seconds(trainer.device, lambda: result.extend(agent.train_epoch()))  # noqa: B023
        if number:
            times.append(spent)
            shares.append(result[1] / max(spent[0], 1e-9))
    wall, cpu = (statistics.median(part) for part in zip(*times))
    return {"train_samples_per_s": agent.batch_size / wall, "train_cpu": cpu / agent.batch_size,
            "rollout_share": statistics.median(shares)}


def _seconds(device: str, work: Callable[[], Any]) -> Tuple[float, float]:
    """Wall clock and processor time of ``work``, what it left to the device included."""
    _wait(device)
    start, cpu = time.perf_counter(), time.process_time()
    work()
    _wait(device)
    return time.perf_counter() - start, time.process_time() - cpu


def _wait(device: str) -> None:
    if str(device).startswith("cuda"):
        torch.cuda.synchronize()


def peak_memory() -> float:
    """The process's largest resident memory so far, MB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return peak / (1024 if sys.platform == "darwin" else 1)  # bytes there, KiB elsewhere


def _device_memory(device: str) -> float:
    """What is taken of the GPU's memory, MB, by torch's and the simulator's stores, which do not
    shrink; 0 on the CPU."""
    if not str(device).startswith("cuda"):
        return 0.0
    free, size = torch.cuda.mem_get_info()
    return (size - free) / 2 ** 20
