"""The adversarial side of training: style reward, replay and discriminator updates."""
from __future__ import annotations

import dataclasses
from typing import Any, Dict

import torch
from torch import Tensor

from ppp.learning.buffers import ReplayBuffer
from ppp.learning.config import TrainConfig
from ppp.learning.discriminator import Discriminator, discriminator_loss, style_reward
from ppp.learning.networks import SkillEncoder
from ppp.motion.library import MotionLibrary


class StyleTrainer:
    """Owns the discriminator, its Adam and its replay buffer; shares the encoder's z, detached."""

    def __init__(self, library: MotionLibrary, window: int, config: TrainConfig,
                 device: str = "cpu") -> None:
        self.library, self.window, self.config = library, window, config.discriminator
        mean, std = library.frame.mean(0), library.frame.std(0)
        self.net = Discriminator(window, mean, std, config.network.latent,
                                 config.network.discriminator).to(device)
        decay = self.config.weight_decay
        self.optimizer = torch.optim.AdamW(self.net.parameters(), self.config.learning_rate,
                                           weight_decay=decay)
        self.replay = ReplayBuffer(self.config.replay, window, mean.shape[0], device)
        self.z = torch.zeros(len(library.skills), config.network.latent, device=device)
        self.info: Dict[str, float] = {}

    @torch.no_grad()
    def refresh(self, encoder: SkillEncoder) -> None:
        """Take over the encoder's present z of every skill."""
        self.z = encoder.table().detach()

    @torch.no_grad()
    def reward(self, windows: Tensor, skill: Tensor) -> Tensor:
        """r_dis (T, N) of windows (T, N, W, 140) made under skills (T, N)."""
        shape = skill.shape
        flat = self.net(windows.flatten(0, 1), self.z[skill.flatten()])
        return style_reward(flat).reshape(shape)

    def remember(self, buffer: Dict[str, Tensor]) -> None:
        """Keep the roll-out for the next update and a share of it for later ones."""
        self._fresh = (buffer["window"].flatten(0, 1), buffer["skill"].flatten())
        if self.config.replay:
            keep = torch.randperm(len(self._fresh[1]))[:max(1, len(self._fresh[1]) // 8)]
            self.replay.add(self._fresh[0][keep], self._fresh[1][keep])

    def _policy_batch(self):
        windows, skill = self._fresh
        count = self.config.batch
        old = int(count * self.config.replay_share) if self.replay.filled else 0
        pick = torch.randint(0, len(skill), (count - old,))
        if not old:
            return windows[pick], skill[pick]
        old_windows, old_skill = self.replay.sample(old)
        return torch.cat((windows[pick], old_windows)), torch.cat((skill[pick], old_skill))

    def update(self, encoder: SkillEncoder) -> None:
        """The iteration's discriminator steps; afterwards ``info`` holds their diagnostics."""
        self.refresh(encoder)
        kinds = len(self.library.skills)
        for _ in range(self.config.steps):
            policy, policy_skill = self._policy_batch()
            skill = torch.randint(0, kinds, (self.config.batch,))
            demo = self.library.window(self.library.sample(skill), self.window)
            wrong = (skill + torch.randint(1, max(kinds, 2), skill.shape)) % kinds
            loss, self.info = discriminator_loss(
                self.net, demo, policy, self.z[skill], self.z[policy_skill], self.z[wrong],
                self.config if kinds > 1 else _without_mismatch(self.config))
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            self.optimizer.step()

    def state_dict(self) -> Dict[str, Any]:
        """Weights and optimiser (the replay buffer refills within a few iterations)."""
        return {"net": self.net.state_dict(), "optimizer": self.optimizer.state_dict()}

    def load_state_dict(self, state: Dict[str, Any]) -> None:
        """Inverse of :meth:`state_dict`."""
        self.net.load_state_dict(state["net"])
        self.optimizer.load_state_dict(state["optimizer"])


def _without_mismatch(config):
    """A single skill has no wrong z."""
    return dataclasses.replace(config, mismatched=0.0)
