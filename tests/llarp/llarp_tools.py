"""Small policies, observations and settings for the tests of ppp.llarp."""
from __future__ import annotations

import dataclasses
import importlib.util

import pytest
import torch

from ppp.language.encoders.minilm import PACKAGE
from ppp.llarp.backbones import load_backbone
from ppp.llarp.build import build_policy
from ppp.llarp.config import ImitationConfig, LlarpConfig, ModelConfig, PpoConfig
from ppp.llarp.observation import Obs
from ppp.rearrangement import NAMES, OBS

TEXTS = ["Put the apple on the table.", "Open the chest, please, and then go to the sofa.", "Go."]
needs_minilm = pytest.mark.skipif(importlib.util.find_spec(PACKAGE) is None,
                                  reason="the weights of MiniLM are not installed")


def model(**changes) -> ModelConfig:
    return dataclasses.replace(ModelConfig(backbone="tiny", precision="float32", width=16),
                               **changes)


def policy(seed: int = 0, **changes):
    config = model(**changes)
    return build_policy(config, seed, load_backbone(config.backbone, None, config.precision, seed))


def settings(**changes) -> LlarpConfig:
    """Three iterations of imitation and two of PPO on a tiny backbone."""
    base = LlarpConfig(
        model=model(critic="separate"), validate_every=0, validation=4,
        imitation=ImitationConfig(iterations=3, episodes=6, batch=4, lead=2, expert_share=0.5),
        ppo=PpoConfig(iterations=2, episodes=6, minibatches=2, kl=0.1, value_iterations=1))
    return dataclasses.replace(base, **changes)


def observations(*lead: int, seed: int = 0) -> Obs:
    """Random observations with the leading dimensions ``lead``."""
    chance = torch.Generator().manual_seed(seed)
    mask = torch.rand(*lead, OBS.E, generator=chance) < 0.5
    mask[..., 0] = True
    entities = torch.randn(*lead, OBS.E, OBS.F, generator=chance) * mask[..., None]
    names = torch.randint(len(NAMES), (*lead, OBS.E), generator=chance) * mask
    return Obs(torch.randn(*lead, OBS.S, generator=chance), entities, mask, names)


def places(*lengths: int) -> torch.Tensor:
    """(n, longest) bool: as many steps as ``lengths`` say."""
    return torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]
