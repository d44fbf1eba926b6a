"""Prompt, plan, perform: the demo with the shipped policy, as the README runs it."""
from __future__ import annotations

import json
from pathlib import Path

from ppp import plan

ROOT = Path(__file__).resolve().parents[1]


def test_the_demo_scenario_succeeds_with_the_shipped_policy(tmp_path):
    result, page = tmp_path / "demo.json", tmp_path / "demo.html"
    status = plan.main([str(ROOT / "prompts" / "strike_behind_block.yaml"), "--planner", "search",
                        "--perform", "--json", str(result), "--html", str(page)])
    figures = json.loads(result.read_text())
    assert status == 0 and figures["success"] is True
    assert all(check["passed"] for check in figures["checks"])
    skills = [step["skill"] for step in figures["steps"]]
    assert "walk_forward" in skills and "slash" in skills
    assert figures["time_s"] < 40 and page.stat().st_size > 50_000


def test_the_same_seed_performs_the_same(tmp_path):
    runs = []
    for name in ("a", "b"):
        out = tmp_path / f"{name}.json"
        plan.main([str(ROOT / "prompts" / "walk_to_point.yaml"), "--planner", "search", "--perform",
                   "--seed", "3", "--json", str(out)])
        runs.append(json.loads(out.read_text()))
    assert runs[0] == runs[1]
