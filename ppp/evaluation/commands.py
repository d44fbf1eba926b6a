"""``ppp eval``: which part of the chain to score."""
from __future__ import annotations

import importlib
from typing import List, Optional

from ppp.errors import unknown

#: what can be scored -> (module with ``main(argv)``, one line of help)
PARTS = {
    "language": ("ppp.language.evaluate", "commands to skills, on a phrase list"),
    "policy": ("ppp.evaluation.policy", "the skills of a policy bundle"),
    "curves": ("ppp.evaluation.curves", "training runs as one picture, with the healthy bands"),
    "ablation": ("ppp.evaluation.ablation", "declared training arms at equal samples, compared"),
    "pushes": ("ppp.evaluation.perturb", "pushes that a policy survives, by impulse and side"),
    "blows": ("ppp.evaluation.blows", "attacks: struck down, fallen, from how far"),
    "engines": ("ppp.evaluation.engines", "do two simulators agree, and a policy's scores on both"),
    "planning": ("ppp.evaluation.planning", "a planner on generated scenes: easy, middle, hard"),
    "demo": ("ppp.evaluation.demo", "a scenario over many seeds"),
}


def main(argv: Optional[List[str]] = None) -> int:
    """Entry point of ``ppp eval PART [options]``."""
    argv = list(argv or [])
    if not argv or argv[0] in ("-h", "--help"):
        print("usage: ppp eval PART [options]   (ppp eval PART --help explains one)\n")
        for name, (_, text) in PARTS.items():
            print(f"  {name:<12}{text}")
        return 0
    if argv[0] not in PARTS:
        raise unknown("part to score", argv[0], PARTS)
    return int(importlib.import_module(PARTS[argv[0]][0]).main(argv[1:]) or 0)
