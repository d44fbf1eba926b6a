"""Train or test a task: `python ppp/run.py --task HumanoidStrike [--test]` or `ppp run`."""
from __future__ import annotations

import dataclasses
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, Optional

if __package__ in (None, ""):  # run as a file: the checkout's root, not ppp/, is importable
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from ppp.engines.isaac_gym_order import import_first  # noqa: E402
from ppp.errors import PPPError, run_entry, unknown  # noqa: E402
from ppp.options import read_options  # noqa: E402
from ppp.outputs import check_file, check_folder, write_json  # noqa: E402
from ppp.tasks.config import ALGOS, TaskConfig, load_task  # noqa: E402


@dataclass
class Args:
    """Train a policy (default) or test one."""

    task: str = "HumanoidSkills"
    """HumanoidSkills, -Heading, -Location, -Reach, -Strike, -Perturb or -ViewMotion."""
    algo: Optional[str] = None
    """ppp trains the skill policy, hrl a high-level policy over one (default: the task's own)."""
    low_level: Optional[Path] = None
    """Of hrl: the skill policy, a bundle or checkpoint (default: the shipped bundle)."""
    test: bool = False
    """Perform with a trained policy and print success figures instead of training."""
    num_envs: Optional[int] = None
    """Parallel humanoids in training (default: from the training settings)."""
    seed: int = 0
    """Seed of networks, environments and noise."""
    checkpoint: Optional[Path] = None
    """Start from (or test) this checkpoint (.pt) or policy bundle (folder)."""
    resume: bool = False
    """Go on with the newest checkpoint of the run folder."""
    warm_start: bool = False
    """With --checkpoint: distil the teacher into its weights too (else only into new ones)."""
    max_iterations: Optional[int] = None
    """Iterations in all (default: from the training settings)."""
    headless: bool = True
    """No pictures. With --test --no-headless a video is written to the run's folder."""
    motion_file: Optional[Path] = None
    """Another motion library (library.yaml)."""
    cfg_train: Optional[Path] = None
    """Training settings (default: cfg/train/ppp_cpu.yaml; of hrl: cfg/train/hrl.yaml)."""
    cfg_env: Optional[Path] = None
    """Task settings (default: the task's own in cfg/env)."""
    device: str = "cpu"
    """Device of the learner."""
    engine: str = "mujoco_cpu"
    """Simulator: mujoco_cpu, mujoco_warp (GPU; `pip install 'ppp[warp]'`) or isaac_gym."""
    nconmax: Optional[int] = None
    """Of mujoco_warp: room for contacts, for each humanoid (default: what the scene needs)."""
    njmax: Optional[int] = None
    """Of mujoco_warp: rows of constraints of one humanoid (default: what the scene needs)."""
    run_dir: Optional[Path] = None
    """Folder of the run (default: runs/TASK, or runs/TASK_hrl)."""
    export: Optional[Path] = None
    """Also write a policy bundle to this folder at the end."""
    episodes: int = 64
    """Episodes of a test."""
    json: Optional[Path] = None
    """Also write a test's figures here."""


def _check(args: Args) -> None:
    if args.device != "cpu":
        import torch
        try:
            torch.zeros(1, device=args.device)
        except (RuntimeError, AssertionError, ValueError):
            raise PPPError(f"--device {args.device[:40]}: not available here; use --device cpu"
                           ) from None
        if args.engine == "mujoco_cpu":
            raise PPPError("--engine mujoco_cpu runs on --device cpu only; leave --device out")
    if args.algo not in (None, *ALGOS):
        raise unknown("algo", str(args.algo), ALGOS)
    from ppp.engines import ENGINES
    if args.engine not in ENGINES:
        raise unknown("engine", args.engine, ENGINES)
    if args.test and args.engine != "mujoco_cpu":
        raise PPPError(f"--test performs on mujoco_cpu: leave --engine {args.engine} out (ppp eval "
                       "engines scores a policy on two)")
    if (args.nconmax, args.njmax) != (None, None) and args.engine != "mujoco_warp":
        raise PPPError("--nconmax and --njmax belong to --engine mujoco_warp")
    if not args.headless and not args.test:
        raise PPPError("--no-headless: a training has nothing to show; use it with --test")
    for name in ("num_envs", "max_iterations", "episodes"):
        value = getattr(args, name)
        if value is not None and value < 1:
            raise PPPError(f"--{name.replace('_', '-')} is {value}; it must be 1 or more")
    if not 0 <= args.seed < 2**31:
        raise PPPError(f"--seed is {args.seed}; it must be a whole number from 0 to 2147483647")
    if args.warm_start and (args.resume or args.test or not args.checkpoint):
        raise PPPError("--warm-start distils into the weights of --checkpoint: give that, and "
                       "neither --resume nor --test (a run that was interrupted goes on by itself)")
    check_file(args.json)
    if args.export:
        check_folder(args.export)


def train(args: Args) -> int:
    """Train to the end or to Ctrl-C."""
    from ppp.learning import distributed
    from ppp.learning.checkpoint import load_checkpoint
    from ppp.learning.config import check_batch, load_train
    from ppp.learning.export import export_bundle
    from ppp.learning.train import Trainer

    task = _task(args)
    world = distributed.world()
    if (args.algo or task.algo) == "hrl":
        if world.size > 1:
            raise PPPError("--algo hrl trains in one process: start it without torchrun")
        return train_hrl(args, task)
    if args.low_level:
        raise PPPError("--low-level belongs to --algo hrl; to start from a policy give "
                       "--checkpoint")
    if "reach" in task.rewards:
        raise PPPError(f"task {task.name}: a skill policy does not see the point to touch; train "
                       "with --algo hrl")
    config = load_train(args.cfg_train)
    if args.max_iterations:
        config = dataclasses.replace(config, iterations=args.max_iterations)
    if args.num_envs:
        samples = args.num_envs * config.ppo.horizon
        ppo = dataclasses.replace(config.ppo, minibatch=min(config.ppo.minibatch, samples))
        config = dataclasses.replace(config, num_envs=args.num_envs, ppo=ppo)
        check_batch(config, "--num-envs")
    folder = _folder(args, task)
    start = _start(args, folder)
    if start and world.first:
        load_checkpoint(start)  # a file that does not fit is told before anything is built
    check_folder(folder)
    room = {"nconmax": args.nconmax, "njmax": args.njmax}
    trainer = Trainer(task, config, folder, args.seed, args.engine, args.device,
                      {name: value for name, value in room.items() if value is not None})
    if start:
        trainer.restore(start, counters=args.resume, distil=args.warm_start)
    path = trainer.run()
    if not world.first:
        return 0
    print(f"saved {path}")
    if args.export:
        export_bundle(path, args.export, run_facts(args))
        print(f"bundle {args.export}")
    return 0


def _start(args: Args, folder: Path) -> Optional[Path]:
    """The checkpoint to begin with; with several machines only the first needs to have it."""
    from ppp.learning.checkpoint import latest_checkpoint
    from ppp.learning.distributed import from_first

    if not args.resume:
        return args.checkpoint
    return Path(from_first(lambda: str(latest_checkpoint(folder))))


def _task(args: Args) -> TaskConfig:
    task = load_task(args.task, args.cfg_env)
    return dataclasses.replace(task, motion_file=str(args.motion_file)) if args.motion_file \
        else task


def train_hrl(args: Args, task: TaskConfig) -> int:
    """Train a high-level policy over a skill policy."""
    if args.device != "cpu":
        raise PPPError("--algo hrl trains on the CPU: leave --device out")
    from ppp.learning.hrl_run import train_high_level

    if args.export:
        raise PPPError("--export writes a bundle of skills; a high-level policy is used from its "
                       "checkpoint")
    path = train_high_level(task, args.low_level, _folder(args, task), args.seed, args.engine,
                            args.cfg_train, args.num_envs, args.max_iterations, args.resume,
                            args.checkpoint)
    print(f"saved {path}")
    return 0


def _folder(args: Args, task: TaskConfig) -> Path:
    """The run's folder; a high-level policy where the task has skills of its own lies apart."""
    apart = args.algo == "hrl" and task.algo != "hrl"
    return args.run_dir or Path("runs") / (args.task + ("_hrl" if apart else ""))


def run_facts(args: Args) -> Dict[str, Any]:
    """What a model card says of how a policy was made."""
    import platform

    import torch

    versions = {"python": platform.python_version(), "torch": str(torch.__version__)}
    if args.engine.startswith("mujoco"):
        import mujoco

        versions["mujoco"] = mujoco.__version__
    return {"task": args.task, "engine": args.engine, "versions": versions,
            "command": " ".join(["python ppp/run.py", *sys.argv[1:]])}


def test(args: Args) -> int:
    """Perform the task and print figures; with a video unless headless."""
    from ppp.evaluation.task_test import Film, print_figures, run_test

    film = None if args.headless else Film()
    figures = run_test(args.task, args.checkpoint, args.episodes, args.seed, args.cfg_env,
                       args.motion_file, film, args.algo)
    print_figures(figures)
    if args.json:
        write_json(figures, args.json)
    if film is not None:
        from ppp.view.video import write_video

        folder = _folder(args, load_task(args.task, args.cfg_env))
        folder.mkdir(parents=True, exist_ok=True)
        print(f"video {write_video(film.recording(args.task), folder / 'test.mp4')}")
    return 0


def main(argv: Optional[List[str]] = None) -> int:
    """Entry point of ``ppp run``; returns the exit status."""
    import_first(sys.argv[1:] if argv is None else argv)
    args = read_options(Args, argv, "ppp run", __doc__)
    _check(args)
    if args.test:
        return test(args)
    if "WORLD_SIZE" not in os.environ:  # torch takes its time: not before it is needed
        return train(args)
    from ppp.learning.distributed import started

    with started(args.device):
        return train(args)


if __name__ == "__main__":
    sys.exit(run_entry(lambda: main()))
