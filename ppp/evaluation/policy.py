"""``ppp eval policy``: what a policy bundle can do, over seeds."""
from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, Optional

import torch
import yaml

from ppp.errors import PPPError
from ppp.evaluation.task_test import policy_from, test_heading, test_skills, test_strike
from ppp.learning.bundle import SHIPPED, Policy
from ppp.outputs import check_file
from ppp.settings import load_yaml
from ppp.tasks.config import load_task


@dataclass
class Args:
    """Score a policy: every skill held for 10 s, targets reached, targets struck down."""

    bundle: Optional[Path] = None
    """Policy bundle (folder) or checkpoint (.pt); default: the shipped one."""
    seeds: int = 3
    """Seeds; figures are means over them, with the spread."""
    episodes: int = 48
    """Episodes a seed and part."""
    json: Optional[Path] = None
    """Also write the figures here."""
    card: bool = False
    """Write the figures into the bundle's bundle.yaml too."""


def score(bundle: Optional[Path], seeds: int, episodes: int) -> Dict[str, Any]:
    """Means over seeds: per_skill, survived, arrival, heading_error_deg, strike, and *_spread."""
    policy = policy_from(bundle)
    runs: List[Dict[str, Any]] = []
    with torch.no_grad():
        for seed in range(seeds):
            runs.append(_one_seed(policy, episodes, seed))
    return _summary(runs)


def _one_seed(policy: Policy, episodes: int, seed: int) -> Dict[str, Any]:
    skills = test_skills(policy, load_task("HumanoidSkills"), episodes, seed)
    run: Dict[str, Any] = {"per_skill": skills["per_skill"], "survived": skills["survived"]}
    if "walk_forward" in policy.skills:
        heading = test_heading(policy, load_task("HumanoidHeading"), episodes, seed)
        run.update(arrival=heading["arrival"], heading_error_deg=heading["heading_error_deg"])
    if {"walk_forward", "slash"} <= set(policy.skills):
        strike = test_strike(policy, load_task("HumanoidStrike"), episodes, seed)
        run.update(strike=strike["strike"], strike_by_sword=strike["by_sword"])
    return run


def write_scores(folder: Path, figures: Dict[str, Any]) -> None:
    """Put measured figures, rounded, under ``scores`` of a bundle's card."""
    path = Path(folder) / "bundle.yaml"
    card = load_yaml(path)
    card["scores"] = {name: round(value, 3) for name, value in figures.items()
                      if isinstance(value, (int, float))}
    card["scores"]["per_skill"] = {
        skill: {name: round(value, 3) for name, value in row.items()}
        for skill, row in figures["per_skill"].items()}
    path.write_text(yaml.safe_dump(card, sort_keys=False), encoding="utf-8")


def _summary(runs: List[Dict[str, Any]]) -> Dict[str, Any]:
    out: Dict[str, Any] = {"seeds": len(runs), "per_skill": {}}
    for name in runs[0]:
        if name == "per_skill":
            continue
        values = [run[name] for run in runs]
        out[name] = sum(values) / len(values)
        out[f"{name}_spread"] = max(values) - min(values)
    for skill, row in runs[0]["per_skill"].items():
        out["per_skill"][skill] = {
            figure: sum(run["per_skill"][skill][figure] for run in runs) / len(runs)
            for figure in row}
    stood = sum(row["seconds_up"] for row in out["per_skill"].values())
    falls = sum(1.0 - row["survived"] for row in out["per_skill"].values())
    out["falls_per_100s"] = 100.0 * falls / max(stood, 1e-9)
    return out


def main(argv: Optional[List[str]] = None) -> int:
    """Entry point of ``ppp eval policy``."""
    import tyro
    from rich.console import Console

    args = tyro.cli(Args, args=argv, prog="ppp eval policy", description=Args.__doc__)
    if args.seeds < 1 or args.episodes < 1:
        raise PPPError("--seeds and --episodes must be 1 or more")
    check_file(args.json)
    figures = score(args.bundle, args.seeds, args.episodes)
    console = Console()
    for skill, row in figures["per_skill"].items():
        console.print(f"{skill:<14}" + "  ".join(f"{k.replace('_', ' ')} {v:.2f}"
                                                 for k, v in row.items()))
    for name, value in figures.items():
        if name != "per_skill":
            console.print(f"{name.replace('_', ' ')}: {value:.3f}")
    if args.card:
        write_scores(args.bundle or SHIPPED, figures)
    if args.json:
        args.json.write_text(json.dumps(figures, indent=1))
    return 0
