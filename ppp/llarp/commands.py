"""``ppp llarp train|eval|physics|show|curves``: the learned planner on a frozen language model."""
from __future__ import annotations

import importlib
import sys
from typing import List, Optional

from ppp.errors import unknown

USAGE = """usage: ppp llarp train [--regime imitation|rl] [--run-dir DIR] [--resume] [--export DIR]
       ppp llarp eval [--split all] [--checkpoint DIR ...] [--seeds 3] [--json FILE]
       ppp llarp physics [--executor physics|kinematic] [--episodes 50] [--json FILE]
       ppp llarp show [--split SPLIT] [--seed N] [--number N] [--checkpoint DIR]
       ppp llarp curves RUN... [--out FILE.png]
       (ppp llarp train --help explains one)"""
#: command -> module with ``main(argv)``
COMMANDS = {"train": "ppp.llarp.train_command", "eval": "ppp.llarp.eval_command",
            "physics": "ppp.llarp.physics_command",
            "show": "ppp.rearrangement.show", "curves": "ppp.llarp.curves"}


def main(argv: Optional[List[str]] = None) -> int:
    """Entry point of ``ppp llarp``."""
    argv = list(sys.argv[1:] if argv is None else argv)
    if not argv or argv[0] in ("-h", "--help"):
        print(USAGE)
        return 0
    if argv[0] not in COMMANDS:
        raise unknown("llarp command", argv[0], COMMANDS)
    return int(importlib.import_module(COMMANDS[argv[0]]).main(argv[1:]) or 0)
