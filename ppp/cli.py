"""The ``ppp`` command: a table of sub-commands, each loaded only when it is called."""
from __future__ import annotations

import importlib
import sys
from typing import List, Optional

from ppp.engines.isaac_gym_order import import_first
from ppp.errors import run_entry, unknown

#: sub-command -> (module with ``main(argv) -> int``, one line of help)
COMMANDS = {
    "plan": ("ppp.plan", "plan an instruction for a scenario and perform it"),
    "play": ("ppp.play.command", "watch it live in a browser and tell it what to do"),
    "scenarios": ("ppp.scenarios", "list, show, draw or generate scenarios"),
    "run": ("ppp.run", "train or test a task"),
    "classify": ("ppp.language.classify", "which skill does a command name?"),
    "finetune-clip": ("ppp.finetune_clip", "fine-tune the text encoder to a phrase list"),
    "skills": ("ppp.language.skills_commands", "list the skills of the codebook, or add one"),
    "motions": ("ppp.motion.commands", "author, import, check and list motion clips"),
    "llarp": ("ppp.llarp.commands", "train, score or show the learned planner"),
    "doctor": ("ppp.doctor", "what is installed, which engines run here, what to do about gaps"),
    "bench": ("ppp.evaluation.bench", "measure physics, environment and training speed"),
    "eval": ("ppp.evaluation.commands", "score the policy, the planner or the language part"),
}


def usage() -> str:
    """The text of ``ppp --help``."""
    lines = ["usage: ppp COMMAND [options]   (ppp COMMAND --help explains one)", ""]
    lines += [f"  {name:<15}{text}" for name, (_, text) in COMMANDS.items()]
    return "\n".join(lines)


def dispatch(argv: List[str]) -> int:
    """Run the sub-command named by ``argv[0]`` with the rest as its arguments."""
    if not argv or argv[0] in ("-h", "--help", "help"):
        print(usage())
        return 0
    name = argv[0].replace("_", "-")
    if name not in COMMANDS:
        raise unknown("command", argv[0], COMMANDS)
    import_first(argv[1:])  # before the sub-command imports torch
    return int(importlib.import_module(COMMANDS[name][0]).main(argv[1:]) or 0)


def main(argv: Optional[List[str]] = None) -> None:
    """Console entry point: exits with the sub-command's status."""
    sys.exit(run_entry(lambda: dispatch(sys.argv[1:] if argv is None else argv)))


if __name__ == "__main__":
    main()
