"""``ppp eval ablation``: declared training arms at equal samples, as tables and curves.

One process after the other; what is finished is kept, what was interrupted goes on.
"""
from __future__ import annotations

import dataclasses
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

import yaml

from ppp.errors import PPPError
from ppp.evaluation.ablation_arm import INTERRUPTED
from ppp.evaluation.ablation_plan import DEFAULT, Arm, read
from ppp.evaluation.ablation_report import write
from ppp.outputs import check_folder
from ppp.settings import load_yaml


@dataclass
class Args:
    """Train and compare the arms of cfg/ablations.yaml at equal samples.

    Tables (ablation.md, ablation.json) and curves (ablation.png) are in the folder --out. The same
    command goes on where it was stopped.
    """

    only: List[str] = field(default_factory=list)
    """Studies, or study/arm (default: all)."""
    samples: Optional[int] = None
    """Samples of each run, the warm start's included (default: the file's)."""
    seeds: Optional[int] = None
    """Runs of each arm (default: the file's)."""
    out: Path = Path("runs/ablation")
    """Folder of the runs."""
    file: Path = DEFAULT
    """The declaration."""
    episodes: int = 10
    """Episodes of each skill when an arm is scored."""
    list: bool = False
    """Only say what would run."""


def arm_settings(arm: Arm, seed: int, episodes: int) -> Dict[str, Any]:
    """What a run is told."""
    return {"seed": seed, "samples": arm.samples, "episodes": episodes,
            "task": dataclasses.asdict(arm.task), "train": dataclasses.asdict(arm.train)}


def prepare(arms: List[Arm], seeds: int, episodes: int, out: Path) -> List[Tuple[Path, bool]]:
    """Folders of all runs, seeds outermost, and whether each is finished.

    A run with other settings than those of its folder is a PPPError before anything is run.
    """
    runs = []
    for seed in range(seeds):
        for arm in arms:
            folder = out / arm.home / f"seed_{seed}"
            if any(folder == other for other, _ in runs):
                continue
            path, told = folder / "arm.yaml", arm_settings(arm, seed, episodes)
            if path.is_file():
                if load_yaml(path) != told:
                    raise PPPError(f"{folder}: was run with other settings; name another folder "
                                   "with --out, or remove this one")
            else:
                folder.mkdir(parents=True, exist_ok=True)
                path.write_text(yaml.safe_dump(told, sort_keys=False), encoding="utf-8")
            runs.append((folder, (folder / "done.json").is_file()))
    return runs


def run_all(runs: List[Tuple[Path, bool]]) -> Optional[Path]:
    """Run what is not finished, in order; the folder that failed, None when all went well."""
    for number, (folder, done) in enumerate(runs, 1):
        name = "/".join(folder.parts[-3:])
        print(f"[{number}/{len(runs)}] {name}" + (": kept" if done else ""), file=sys.stderr,
              flush=True)
        if done:
            continue
        with open(folder / "log.txt", "a", encoding="utf-8") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "ppp.evaluation.ablation_arm", str(folder)],
                stdout=log, stderr=subprocess.STDOUT)
            try:
                status = process.wait()
            except KeyboardInterrupt:  # the run has got the signal too: it saves and leaves
                process.wait()
                raise
        if status in (INTERRUPTED, 130):  # 130: before there was anything to save
            raise KeyboardInterrupt
        if status:
            return folder
    return None


def main(argv: Optional[List[str]] = None) -> int:
    """Entry point of ``ppp eval ablation``."""
    from ppp.options import read_options

    args = read_options(Args, argv, "ppp eval ablation")
    for name in ("samples", "seeds", "episodes"):
        value = getattr(args, name)
        if value is not None and value < 1:
            raise PPPError(f"--{name} is {value}; it must be 1 or more")
    declared, arms = read(args.file, args.only, args.samples)
    seeds = args.seeds or declared.seeds
    if args.list:
        for arm in arms:
            shared = "" if arm.home == f"{arm.study}/{arm.name}" else f" (the runs of {arm.home})"
            print(f"{arm.study}/{arm.name}: {arm.title}; {arm.samples} samples x {seeds} seeds"
                  + shared)
        return 0
    check_folder(args.out)
    runs = prepare(arms, seeds, args.episodes, args.out)
    try:
        failed = run_all(runs)
    except KeyboardInterrupt:
        print(write(declared, arms, args.out))
        print("interrupted; the same command goes on", file=sys.stderr)
        return 130
    print(write(declared, arms, args.out))
    print(f"{args.out}/ablation.md, ablation.json, ablation.png")
    if failed is not None:
        raise PPPError(f"{failed}: this run failed, see its log.txt; the others are kept")
    return 0
