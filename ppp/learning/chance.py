"""Chance: seeds, and the states of all random generators, so that a resumed run draws the same."""
from __future__ import annotations

from typing import Dict

import numpy as np
import torch
from torch import Tensor


def seed_everything(seed: int) -> None:
    """Seed torch and numpy; the environment has a generator of its own."""
    torch.manual_seed(seed)
    np.random.seed(seed % 2 ** 32)


def chance_of(generator: torch.Generator) -> Dict[str, Tensor]:
    """The states of all random generators: torch's, the environment's, and the GPU's."""
    kept = {"random": torch.get_rng_state(), "env_random": generator.get_state()}
    if generator.device.type == "cuda":
        kept["gpu_random"] = torch.cuda.get_rng_state(generator.device)
    return kept


def set_chance(kept: Dict[str, Tensor], generator: torch.Generator) -> None:
    """Inverse of :func:`chance_of`; those of another kind of device are left as they are."""
    torch.set_rng_state(kept["random"].cpu())
    if kept["env_random"].shape == generator.get_state().shape:
        generator.set_state(kept["env_random"].cpu())
    if "gpu_random" in kept and generator.device.type == "cuda":
        torch.cuda.set_rng_state(kept["gpu_random"].cpu(), generator.device)
