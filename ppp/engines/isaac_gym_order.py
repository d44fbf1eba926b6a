"""Isaac Gym must be imported before torch: this module does so and itself needs neither."""
from __future__ import annotations

import importlib
import importlib.util
import sys
from types import ModuleType
from typing import List, Sequence, Tuple

from ppp.errors import PPPError

#: how one asks for it on a command line
ENGINE = "isaac_gym"


def wants_isaac_gym(words: Sequence[str]) -> bool:
    """Does a command line ask for this engine: ``--engine isaac_gym``, ``--engine=isaac_gym``?"""
    pairs = list(zip(words, list(words[1:]) + [""]))
    return any(word == f"--engine={ENGINE}" or (word == "--engine" and following == ENGINE)
               for word, following in pairs)


def import_first(words: Sequence[str]) -> None:
    """Import isaacgym now if the command line will need it; call it before torch is imported."""
    if wants_isaac_gym(words):
        load_isaacgym()


def load_isaacgym() -> Tuple[ModuleType, ModuleType]:
    """The modules ``isaacgym.gymapi`` and ``isaacgym.gymtorch``.

    Raises PPPError where it is not installed, or where torch came first.
    """
    if "isaacgym.gymapi" not in sys.modules:
        _check_first()
    found: List[ModuleType] = []
    for name in ("gymapi", "gymtorch"):
        try:
            found.append(importlib.import_module(f"isaacgym.{name}"))
        except ImportError as error:
            if isinstance(error, ModuleNotFoundError) and str(error.name).startswith("isaacgym"):
                raise _absent() from None
            raise PPPError(f"engine isaac_gym: importing isaacgym failed ({str(error)[:200]}); it "
                           "needs Python 3.8 and the libraries of its own manual") from None
    return found[0], found[1]


def _check_first() -> None:
    """Isaac Gym refuses to load after torch; say how to mend that, not only that it is so."""
    if "torch" not in sys.modules:
        return
    try:
        absent = importlib.util.find_spec("isaacgym") is None
    except (ImportError, ValueError):
        absent = True
    if absent:
        raise _absent()
    raise PPPError("engine isaac_gym: torch was imported before isaacgym; start with 'python "
                   "ppp/run.py --engine isaac_gym', or write 'import isaacgym' as the first line "
                   "of your own program")


def _absent() -> PPPError:
    return PPPError("engine isaac_gym: isaacgym is not installed; it is NVIDIA's Isaac Gym Preview "
                    "4 with Python 3.8 (docs/isaac_gym.md), or use --engine mujoco_warp or "
                    "mujoco_cpu")
