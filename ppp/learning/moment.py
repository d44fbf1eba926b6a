"""The moment at which a run was left: what a resumed run needs to go on as if never stopped.

A checkpoint holds what was learnt; this file, ``checkpoints/moment.pt``, holds where every
humanoid stands, what it is told, and the discriminator's replay. It is larger, so only the newest
is kept. It is written before its checkpoint: a crash between the two leaves a moment that belongs
to no checkpoint, and the environments simply start anew. With several ranks each keeps its own,
``moment_1.pt`` and so on, on its own machine, with its random state.
"""
from __future__ import annotations

from operator import attrgetter
from pathlib import Path
from typing import Any, Dict, Optional

import torch
from torch import Tensor

from ppp.learning.checkpoint import UNREADABLE
from ppp.outputs import whole

NAME = "moment.pt"
#: parts of an environment that change while it runs; a tensor or whole number of theirs is kept
_PARTS = ("commands", "commands.approach", "reference", "throws")
#: these follow from the settings, which may have been changed on purpose
_SETTINGS = ("num_envs", "seed", "weights", "travel_offset", "gait", "_blows", "_weights",
             "_starts", "_slots", "_reach", "_mass", "reaching", "sharp_from")


def env_state(env: Any) -> Optional[Dict[str, Any]]:
    """Everything in ``env`` that moves; None where its engine cannot be put back into a state."""
    if not hasattr(env.engine, "snapshot"):
        return None
    parts = {name: _moving(owner) for name, owner in _owners(env).items()}
    return {"engine": env.engine.snapshot(), "env": _moving(env), "library": env.library.size,
            **parts}


def load_env_state(env: Any, state: Dict[str, Any]) -> bool:
    """Inverse of :func:`env_state`; False, and nothing changed, where ``env`` is not as it was."""
    if not hasattr(env.engine, "snapshot") or state["library"] != env.library.size:
        return False
    owners = {"env": env, **_owners(env)}
    for name, owner in owners.items():
        for field, value in state.get(name, {}).items():
            present = getattr(owner, field, None)
            if type(present) is not type(value) or (
                    isinstance(value, Tensor) and present.shape != value.shape):
                return False
    if not env.engine.restore(state["engine"]):
        return False
    for name, owner in owners.items():
        for field, value in state.get(name, {}).items():
            setattr(owner, field, _like(value, getattr(owner, field)))
    return True


def _like(value: Any, present: Any) -> Any:
    return value.to(present.device, copy=True) if isinstance(value, Tensor) else value


def _owners(env: Any) -> Dict[str, Any]:
    """The parts that this environment has; not every task throws boxes."""
    parts = {name: attrgetter(name)(env) for name in _PARTS}
    return {name: part for name, part in parts.items() if part is not None}


def _moving(owner: Any) -> Dict[str, Any]:
    return {name: value for name, value in vars(owner).items()
            if (isinstance(value, Tensor) or type(value) is int) and name not in _SETTINGS}


def moment_name(rank: int) -> str:
    """The file of a rank."""
    return f"moment_{rank}.pt" if rank else NAME


def save_moment(folder: Path, iteration: int, state: Dict[str, Any], rank: int = 0) -> None:
    """Write the moment of ``iteration`` beside its checkpoint, whole or not at all."""
    with whole(folder / moment_name(rank)) as part:
        torch.save({"iteration": iteration, **state}, part)


def load_moment(folder: Path, iteration: int, rank: int = 0) -> Optional[Dict[str, Any]]:
    """The moment that belongs to the checkpoint of ``iteration``; None where there is none."""
    path = folder / moment_name(rank)
    if not path.is_file():
        return None
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except UNREADABLE:
        return None  # a lost moment costs nothing that was learnt
    return state if isinstance(state, dict) and state.get("iteration") == iteration else None
