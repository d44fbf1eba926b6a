"""From a training checkpoint to the bundle that acts without the learner."""
from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, Dict

import torch
from torch import Tensor, nn

from ppp.learning.bundle import save_bundle
from ppp.learning.checkpoint import load_checkpoint
from ppp.learning.config import TrainConfig
from ppp.learning.latents import Latents, make_encoder, skill_table
from ppp.learning.networks import GivenLatents, SkillEncoder
from ppp.learning.style import StyleTrainer
from ppp.learning.train import make_policy
from ppp.motion.library import MotionLibrary
from ppp.settings import build
from ppp.tasks.config import TaskConfig
from ppp.tasks.env import HumanoidEnv


def export_bundle(checkpoint: Path, folder: Path, facts: Dict[str, Any]) -> Path:
    """Write a policy bundle from a training checkpoint; ``facts`` go into the card."""
    state = load_checkpoint(checkpoint)
    task = build(TaskConfig, state["task"], str(checkpoint))
    config = build(TrainConfig, state["settings"], str(checkpoint))
    library = MotionLibrary(task.motion_path(), state["skills"])
    encoder = _stored_encoder(config, state["policy"], library)
    policy = make_policy(config, encoder, HumanoidEnv.observation_size,
                         HumanoidEnv.action_size)
    policy.load_state_dict(state["policy"])
    style = StyleTrainer(library, task.window, dataclasses.replace(
        config, discriminator=dataclasses.replace(config.discriminator, replay=0)),
        latents=Latents(config.codes, library, encoder))
    if style.posterior is not None:
        style.load_state_dict(state["style"])
    style.latents.refresh()
    with torch.no_grad():
        z = skill_table(config.codes, encoder, library, style.likeliest())
    card = {"skills": list(state["skills"]),
            "labels": {s: i.label for s, i in zip(library.skills, library.info)},
            "modes": {s: i.mode for s, i in zip(library.skills, library.info)},
            "actor": list(config.network.actor), "action": dataclasses.asdict(task.action),
            "window": task.window, "codes": config.codes,
            "training": {**state["counters"], **facts}}
    return save_bundle(folder, policy.acting_state(), z,
                       state["poses"]["mean"], state["poses"]["standing"], card)


def _stored_encoder(config: TrainConfig, policy: Dict[str, Tensor], library: MotionLibrary
                    ) -> nn.Module:
    """An encoder of the size that a checkpoint's policy holds."""
    if config.codes in ("sphere", "none"):
        return GivenLatents(policy["encoder.z"])
    if "encoder.skill_of" in policy:
        return SkillEncoder(policy["encoder.codebook"], config.network.encoder,
                            config.network.latent, policy["encoder.skill_of"])
    return make_encoder(config, policy.get("encoder.codebook"), library, 0)
