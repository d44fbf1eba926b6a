"""A policy bundle: one folder with everything needed to act, and nothing to train.

``weights.safetensors`` and ``bundle.yaml`` (the model card's facts). Acting never imports
rl-games.
"""
from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List, Union

import torch
import yaml
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from ppp.errors import PPPError, unknown
from ppp.humanoid.observation import GOAL_SIZE, OBSERVATION_SIZE
from ppp.humanoid.skeleton import NUM_DOFS
from ppp.learning.networks import Actor
from ppp.learning.normalizer import RunningNormalizer
from ppp.settings import load_yaml
from ppp.tasks.actions import ActionMap
from ppp.tasks.config import ActionConfig

LAYOUT = {"format": 1, "observation": OBSERVATION_SIZE, "goal": GOAL_SIZE, "actions": NUM_DOFS,
          "control_hz": 30}
#: the policy this repository ships
SHIPPED = Path(__file__).resolve().parents[1] / "pretrained" / "policy"


class Policy:
    """The deterministic policy: joint targets for an observation and a skill."""

    def __init__(self, card: Dict[str, Any], weights: Dict[str, Tensor]) -> None:
        self.card, self.weights = card, weights
        self.skills: List[str] = list(card["skills"])
        self.z = weights["z"]
        #: a standing pose to start from: root height 1, root rotation 4, joint angles 31
        self.start = weights["start"]
        hidden = [int(n) for n in card["actor"]]
        self._actor = Actor(OBSERVATION_SIZE + GOAL_SIZE, self.z.shape[1], NUM_DOFS, hidden, 0.0)
        self._norm = RunningNormalizer(OBSERVATION_SIZE + GOAL_SIZE)
        self._actor.load_state_dict(_part(weights, "actor."))
        self._norm.load_state_dict(_part(weights, "obs_norm."))
        self.action_map = ActionMap(ActionConfig(**card["action"]), weights["action_offset"])

    def index(self, skill: str) -> int:
        """Number of a skill; PPPError with the nearest name when this policy lacks it."""
        if skill not in self.skills:
            raise unknown("skill", skill, self.skills)
        return self.skills.index(skill)

    @torch.no_grad()
    def action(self, obs: Tensor, skill: Tensor) -> Tensor:
        """Mean action (N, 31) for observations (N, 256) under skills (N,)."""
        return self._actor(self._norm(obs), self.z[skill])

    @torch.no_grad()
    def action_under(self, obs: Tensor, z: Tensor) -> Tensor:
        """Mean action (N, 31) for observations (N, 256) under any z (N, latent), unit length."""
        return self._actor(self._norm(obs), z)

    def targets(self, obs: Tensor, skill: Tensor) -> Tensor:
        """Joint targets (N, 31), rad."""
        return self.action_map.targets(self.action(obs, skill))


def _part(weights: Dict[str, Tensor], prefix: str) -> Dict[str, Tensor]:
    return {k[len(prefix):]: v for k, v in weights.items() if k.startswith(prefix)}


def save_bundle(folder: Union[str, Path], policy_state: Dict[str, Tensor], z: Tensor,
                action_offset: Tensor, start: Tensor, card: Dict[str, Any]) -> Path:
    """Write a bundle from a SkillPolicy's state, its z table (K, latent) and the card's facts.

    start (36,): root height, root rotation and joint angles of a standing pose.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    kept = {k: v.contiguous() for k, v in policy_state.items()
            if k.startswith(("actor.", "obs_norm.", "encoder."))}
    kept["z"] = z.detach().contiguous()
    kept["action_offset"], kept["start"] = action_offset.contiguous(), start.contiguous()
    save_file(kept, str(folder / "weights.safetensors"))
    card = {"layout": dict(LAYOUT), **card}
    (folder / "bundle.yaml").write_text(yaml.safe_dump(card, sort_keys=False), encoding="utf-8")
    return folder


def load_policy(folder: Union[str, Path, None] = None) -> Policy:
    """Read a bundle (default: the shipped one); PPPError names what does not fit."""
    folder = Path(folder) if folder else SHIPPED
    if not (folder / "bundle.yaml").is_file():
        raise PPPError(f"{folder}: no policy bundle (bundle.yaml is missing); give its folder")
    card = load_yaml(folder / "bundle.yaml")
    _check_layout(card, folder)
    try:
        weights = load_file(str(folder / "weights.safetensors"))
        return Policy(card, weights)
    except (OSError, SafetensorError):
        raise PPPError(f"{folder}/weights.safetensors: missing or damaged; export the bundle "
                       "again") from None
    except (KeyError, RuntimeError, TypeError) as error:
        raise PPPError(f"{folder}: weights and bundle.yaml do not fit ({str(error)[:120]}); export "
                       "the bundle again") from None


def _check_layout(card: Dict[str, Any], folder: Path) -> None:
    layout = card.get("layout")
    if not isinstance(layout, dict):
        raise PPPError(f"{folder}/bundle.yaml: field 'layout' is missing; export the bundle again")
    for field, value in LAYOUT.items():
        if layout.get(field) != value:
            raise PPPError(f"{folder}/bundle.yaml: field 'layout.{field}' is {layout.get(field)}, "
                           f"this version has {value}; export the bundle with this version")
    for field in ("skills", "actor", "action"):
        if field not in card:
            raise PPPError(f"{folder}/bundle.yaml: field '{field}' is missing; export it again")


