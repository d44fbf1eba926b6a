"""``ppp eval demo``: one scenario over many seeds, prompt to plan to performance."""
from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, Optional

from ppp.errors import PPPError
from ppp.outputs import check_file, write_json
from ppp.progress import progress
from ppp.settings import ROOT


@dataclass
class Args:
    """Perform a scenario with the search planner once a seed and count the successes."""

    scenario: Path = ROOT / "prompts" / "strike_behind_block.yaml"
    """Scenario."""
    bundle: Optional[Path] = None
    """Policy bundle; default: the shipped one."""
    seeds: int = 10
    """Seeds 0 to N - 1."""
    json: Optional[Path] = None
    """Also write the figures here."""


def perform_seeds(scenario_file: Path, bundle: Optional[Path], seeds: int) -> Dict[str, Any]:
    """success_rate and one row a seed: success, time_s, replans, ended, failed checks."""
    from ppp.planning.choosing import matcher_for
    from ppp.planning.executor import Executor
    from ppp.planning.physics import PhysicsPerformer
    from ppp.planning.planner import ListPlanner
    from ppp.planning.scenario import check_skills, load_scenario
    from ppp.planning.search import SearchMaker

    scenario = load_scenario(scenario_file)
    performer = PhysicsPerformer(bundle)
    check_skills(scenario, performer.skills, str(scenario_file))
    matcher = matcher_for(performer.skills)
    rows: List[Dict[str, Any]] = []
    for seed in progress(range(seeds), "seeds"):
        started = time.perf_counter()
        planner = ListPlanner(scenario, performer.skills, SearchMaker(matcher))
        executor = Executor(scenario, planner, performer, matcher, planner_name="search")
        result = executor.perform(seed).as_dict()
        failed = [check["check"] for check in result["checks"] if not check["passed"]]
        rows.append({"seed": seed, "success": result["success"], "time_s": result["time_s"],
                     "replans": result["replans"], "ended": result["ended"],
                     "failed": failed,
                     "wall_s": round(time.perf_counter() - started, 2)})
        row = rows[-1]
        print(f"seed {seed}: {'success' if row['success'] else 'failed '} after "
              f"{row['time_s']:.1f} s, {row['replans']} new plans  {row['ended']}", flush=True)
    return {"scenario": scenario.name, "seeds": seeds, "runs": rows,
            "success_rate": sum(bool(r["success"]) for r in rows) / len(rows)}


def main(argv: Optional[List[str]] = None) -> int:
    """Entry point of ``ppp eval demo``."""
    from ppp.options import read_options

    args = read_options(Args, argv, "ppp eval demo")
    if args.seeds < 1:
        raise PPPError("--seeds must be 1 or more")
    check_file(args.json)
    figures = perform_seeds(args.scenario, args.bundle, args.seeds)
    print(f"{figures['scenario']}: {figures['success_rate']:.0%} of {args.seeds} seeds")
    if args.json:
        write_json(figures, args.json)
    return 0
