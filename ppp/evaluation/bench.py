"""``ppp bench``: how fast physics, environment and training run, against the bare simulator."""
from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, Optional

from ppp.errors import PPPError, unknown
from ppp.outputs import check_file, write_json

#: what others reach on one GPU, and the shares of the bare simulator asked for on a CPU
GPU_TARGETS = {"env_steps_per_s": {"value": 238_000, "of": "mjlab, G1 tracking, RTX 4090"},
               "train_samples_per_s": {"value": 108_000, "of": "AMP on Isaac Gym, A100"}}
CPU_TARGETS = {"env_to_raw_ratio": {"value": 0.6, "of": "asked for"},
               "train_to_raw_ratio": {"value": 0.5, "of": "asked for"}}
#: columns of the table: figure, heading, format
COLUMNS = (("num_envs", "N", "{:,.0f}"), ("raw_steps_per_s", "bare", "{:,.0f}"),
           ("engine_steps_per_s", "engine", "{:,.0f}"), ("env_steps_per_s", "env", "{:,.0f}"),
           ("train_samples_per_s", "train", "{:,.0f}"),
           ("env_to_raw_ratio", "env/\nbare", "{:.2f}"),
           ("train_to_raw_ratio", "train/\nbare", "{:.2f}"),
           ("rollout_share", "roll-\nout", "{:.2f}"), ("memory_mb", "MB", "{:,.0f}"),
           ("device_memory_mb", "GPU\nMB", "{:,.0f}"))
#: the same shares by processor time, for a machine that is busy with something else
CPU_SHARES = {"env": "env_to_raw_cpu_ratio", "training": "train_to_raw_cpu_ratio"}


@dataclass
class Args:
    """Measure speed; every figure of one run, in control steps (30 a second) per second."""

    engine: str = "mujoco_cpu"
    """Simulator."""
    device: Optional[str] = None
    """Where it simulates and learns (default: cuda where there is one and the engine can)."""
    num_envs: Optional[List[int]] = None
    """Parallel humanoids, several numbers for the scaling (default: of the training settings)."""
    task: str = "HumanoidSkills"
    """Task whose environment and training are measured."""
    cfg_train: Optional[Path] = None
    """Training settings (default: cfg/train/ppp_cpu.yaml)."""
    checkpoint: Optional[Path] = None
    """A training's checkpoint (.pt), whose policy moves the humanoids; without it noise does, they
    fall all the time, and restarts cost more than in a training."""
    rounds: int = 5
    """Measurements of each kind; the median counts."""
    json: Optional[Path] = None
    """Also write the figures, the machine and the versions here."""
    plot: Optional[Path] = None
    """Also draw the rates over the number of humanoids into this PNG."""


def measure(args: Args) -> Dict[str, Any]:
    """All figures as a dictionary, as --json writes them: those of the last number of humanoids,
    and under ``scaling`` those of each."""
    from ppp.evaluation.bench_machine import machine
    from ppp.evaluation.bench_rates import bench_config
    from ppp.evaluation.bench_rates import measure as measure_one
    from ppp.learning.config import load_train
    from ppp.tasks.config import load_task

    device, config, task = _device(args), load_train(args.cfg_train), load_task(args.task)
    counts = args.num_envs or [config.num_envs]
    configs = [bench_config(config, count) for count in counts]  # a wrong one is told before
    if len(configs) == 1:
        rows = [measure_one(task, configs[0], args.engine, device, args.rounds,
                            args.checkpoint)]
    else:
        rows = [_apart(args, device, count) for count in counts]
    targets = GPU_TARGETS if device.startswith("cuda") else CPU_TARGETS
    return {"engine": args.engine, "task": args.task, "threads": machine(device)["torch_threads"],
            **rows[-1], "scaling": rows, "targets": targets, "machine": machine(device)}


def _apart(args: Args, device: str, count: int) -> Dict[str, float]:
    """The figures of one number in a process of its own, whose peak memory is then its own."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "figures.json"
        command = [sys.executable, "-m", "ppp.cli", "bench", "--engine", args.engine, "--device",
                   device, "--num-envs", str(count), "--task", args.task, "--rounds",
                   str(args.rounds), "--json", str(out)]
        if args.cfg_train:
            command += ["--cfg-train", str(args.cfg_train)]
        if args.checkpoint:
            command += ["--checkpoint", str(args.checkpoint)]
        print(f"{count} humanoids …", file=sys.stderr, flush=True)
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                              check=False)
        if done.returncode or not out.is_file():
            told = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise PPPError(f"--num-envs {count}: the measurement failed ({told[:300]}); "
                           "leave it out or mend that")
        return json.loads(out.read_text())["scaling"][0]


def _device(args: Args) -> str:
    """Where to measure."""
    import torch

    from ppp.engines import CPU_ONLY, ENGINES

    if args.engine not in ENGINES:
        raise unknown("engine", args.engine, ENGINES)
    if args.device is None:
        able = args.engine not in CPU_ONLY and torch.cuda.is_available()
        return "cuda" if able else "cpu"
    if args.device != "cpu" and args.engine in CPU_ONLY:
        raise PPPError(f"--engine {args.engine} runs on --device cpu only; leave --device out")
    if args.device.startswith("cuda") and not torch.cuda.is_available():
        raise PPPError(f"--device {args.device[:40]}: no GPU available here; leave --device out")
    return args.device


def verdicts(figures: Dict[str, Any]) -> List[str]:
    """Each figure that is asked for beside its best value over the numbers of humanoids."""
    lines = []
    for name, target in figures["targets"].items():
        best = max(row[name] for row in figures["scaling"])
        shown = [f"{value:.2f}" if value < 10 else f"{value:,.0f}"
                 for value in (best, target["value"])]
        held = "reached" if best >= target["value"] else "NOT reached"
        lines.append(f"{name.replace('_', ' ')}: {shown[0]}, {target['of']} {shown[1]}: {held}")
    return lines


def busy(figures: Dict[str, Any]) -> List[str]:
    """What to read where the load says that others were at work too."""
    facts = figures["machine"]
    if facts.get("load", 0.0) <= facts["cores"] + 0.5:
        return []
    shares = [f"{name} " + " ".join(f"{row[key]:.2f}" for row in figures["scaling"])
              for name, key in CPU_SHARES.items() if key in figures["scaling"][0]]
    return [f"the machine was busy (load {facts['load']} on {facts['cores']} cores): do not trust "
            "the rates" + (f"; shares by processor time: {', '.join(shares)}" if shares else "")]


def show(figures: Dict[str, Any]) -> None:
    """The figures as a table on the terminal."""
    from rich.console import Console
    from rich.table import Table

    facts = figures["machine"]
    place = f"{facts.get('gpu', facts['cpu'])}, {facts['cores']} cores"
    table = Table(title=f"{figures['engine']} on {place}: control steps per second (median)")
    columns = [c for c in COLUMNS if any(row.get(c[0]) for row in figures["scaling"])]
    for _, heading, _ in columns:
        table.add_column(heading, justify="right")
    for row in figures["scaling"]:
        table.add_row(*(text.format(row[name]) for name, _, text in columns))
    console = Console()
    console.print(table)
    for line in [*verdicts(figures), *busy(figures)]:
        console.print(line)


def main(argv: Optional[List[str]] = None) -> int:
    """Entry point of ``ppp bench``."""
    from ppp.options import read_options

    args = read_options(Args, argv, "ppp bench")
    if args.rounds < 1 or any(count < 1 for count in args.num_envs or []):
        name = "--rounds" if args.rounds < 1 else "--num-envs"
        raise PPPError(f"{name} must be 1 or more")
    check_file(args.json)
    check_file(args.plot, "picture")
    figures = measure(args)
    show(figures)
    if args.json:
        write_json(figures, args.json)
    if args.plot:
        from ppp.evaluation.bench_plot import plot

        plot(figures, args.plot)
    return 0
