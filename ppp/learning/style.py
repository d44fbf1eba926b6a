"""The adversarial side of training: style reward, replay and discriminator updates."""
from __future__ import annotations

import dataclasses
from typing import Any, Dict, List, Optional, Union

import torch
from torch import Tensor

from ppp.learning import distributed
from ppp.learning.buffers import ReplayBuffer
from ppp.learning.config import TrainConfig
from ppp.learning.discriminator import (
    Discriminator,
    Posterior,
    discriminator_loss,
    style_reward,
)
from ppp.learning.latents import Latents, alignment_uniformity, earlier
from ppp.learning.networks import SkillEncoder
from ppp.motion.library import MotionLibrary


class StyleTrainer:
    """Owns the discriminator, its Adam and its replay buffer; shares the encoder's z, detached.

    "Skills" of windows are rows of the encoder's table (:mod:`ppp.learning.latents`). With ASE's
    reward there is a posterior beside the discriminator; a motion encoder learns here too.
    """

    def __init__(self, library: MotionLibrary, window: int, config: TrainConfig,
                 device: str = "cpu", latents: Optional[Latents] = None) -> None:
        self.library, self.window, self.config = library, window, config.discriminator
        self.latents = latents or Latents("quantised", library)
        self.motion = config.motion if self.latents.kind == "motion" else None
        mean, std = library.frame.mean(0), library.frame.std(0)
        latent, hidden = config.network.latent, config.network.discriminator
        self.net = Discriminator(window, mean, std, latent if self.config.conditional else 0,
                                 hidden).to(device)
        self.posterior = Posterior(window * mean.shape[0], hidden, latent).to(device) \
            if self.config.posterior else None
        learning = [*self.net.parameters()]
        if self.posterior is not None:
            learning += self.posterior.parameters()
        if self.motion is not None:
            learning += self.latents.encoder.parameters()
        self._learning = learning
        self.optimizer = torch.optim.AdamW(learning, self.config.learning_rate,
                                           weight_decay=self.config.weight_decay)
        self.replay = ReplayBuffer(self.config.replay, window, mean.shape[0], device)
        self.z = torch.zeros(len(library.skills), config.network.latent, device=device)
        self.info: Dict[str, float] = {}

    @torch.no_grad()
    def refresh(self, encoder: SkillEncoder) -> None:
        """Take over the encoder's present z of every skill."""
        self.z = encoder.table().detach()

    @torch.no_grad()
    def reward(self, windows: Tensor, skill: Tensor) -> Tensor:
        """r_dis (T, N) of windows (T, N, W, 140) made under skills (T, N).

        With a posterior also its log-likelihood of z, without the constant.
        """
        shape, z = skill.shape, self.z[skill.flatten()]
        inputs = self.net.normalise(windows.flatten(0, 1))
        reward = style_reward(self.net.logits(inputs, z), self.config.loss)
        if self.posterior is not None:
            reward = reward + self.config.posterior * (self.posterior(inputs) * z).sum(-1)
        return reward.reshape(shape)

    def remember(self, buffer: Dict[str, Tensor]) -> None:
        """Keep the roll-out for the next update and a share of it for later ones."""
        self._fresh = (buffer["window"].flatten(0, 1), buffer["row"].flatten())
        if self.config.replay:
            count = len(self._fresh[1])
            keep = torch.randperm(count, device=self.z.device)[:max(1, count // 8)]
            self.replay.add(self._fresh[0][keep], self._fresh[1][keep])

    def _policy_batch(self):
        windows, skill = self._fresh
        count = self.config.batch
        old = int(count * self.config.replay_share) if self.replay.filled else 0
        pick = torch.randint(0, len(skill), (count - old,), device=self.z.device)
        if not old:
            return windows[pick], skill[pick]
        old_windows, old_skill = self.replay.sample(old)
        return torch.cat((windows[pick], old_windows)), torch.cat((skill[pick], old_skill))

    def update(self, encoder: SkillEncoder) -> None:
        """The iteration's discriminator steps; afterwards ``info`` holds their diagnostics."""
        self.refresh(encoder)
        for _ in range(self.config.steps):
            policy, policy_rows = self._policy_batch()
            last, rows, wrong = self.latents.demo(self.config.batch)
            demo = self.library.window(last, self.window)
            config = self.config if len(self.library.skills) > 1 else _without_mismatch(self.config)
            loss, self.info = discriminator_loss(
                self.net, demo, policy, self._demo_z(rows), self.z[policy_rows],
                self._demo_z(wrong), config)
            loss = loss + self._extra_loss(rows)
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            distributed.mean_gradients(self._learning)
            self.optimizer.step()

    def _demo_z(self, rows: Tensor) -> Tensor:
        """z of clips, (n, latent): with the encoder's gradient where it learns from this."""
        if self.motion is not None and self.motion.gradient == "discriminator":
            return self.latents.encoder.encode(rows)
        return self.z[rows]

    def _extra_loss(self, rows: Tensor) -> Union[Tensor, float]:
        """What a posterior and a motion encoder learn besides."""
        loss: Union[Tensor, float] = 0.0
        if self.posterior is not None:  # rows are drawn anew each roll-out: no replay
            pick = torch.randint(0, len(self._fresh[1]), (self.config.batch,),
                                 device=self.z.device)
            inputs = self.net.normalise(self._fresh[0][pick])
            likeness = (self.posterior(inputs) * self.z[self._fresh[1][pick]]).sum(-1).mean()
            self.info["posterior_cosine"] = float(likeness.detach())
            loss = loss - likeness
        if self.motion is not None:
            half = torch.randint(1, self.motion.frames // 2 + 2, rows.shape, device=rows.device)
            near, encode = earlier(self.library, rows, half), self.latents.encoder.encode
            alignment, uniformity = alignment_uniformity(encode(rows), encode(near))
            self.info["alignment"] = float(alignment.detach())
            self.info["uniformity"] = float(uniformity.detach())
            loss = loss + self.motion.alignment * alignment + self.motion.uniformity * uniformity
        return loss

    @torch.no_grad()
    def likeliest(self) -> Optional[Tensor]:
        """The posterior's mean z at every frame of the clips, (F, latent), where there is one."""
        if self.posterior is None:
            return None
        windows = self.library.window(torch.arange(self.library.size, device=self.z.device),
                                      self.window)
        return self.posterior(self.net.normalise(windows))

    def tensors(self) -> List[Tensor]:
        """All that its networks hold, for ranks that must be equal."""
        nets = [self.net] if self.posterior is None else [self.net, self.posterior]
        return [tensor for net in nets for tensor in net.state_dict().values()]

    def state_dict(self) -> Dict[str, Any]:
        """Weights and optimiser; the replay is kept apart (:mod:`ppp.learning.moment`)."""
        state = {"net": self.net.state_dict(), "optimizer": self.optimizer.state_dict()}
        if self.posterior is not None:
            state["posterior"] = self.posterior.state_dict()
        return state

    def load_state_dict(self, state: Dict[str, Any]) -> None:
        """Inverse of :meth:`state_dict`."""
        self.net.load_state_dict(state["net"])
        self.optimizer.load_state_dict(state["optimizer"])
        if self.posterior is not None:
            self.posterior.load_state_dict(state["posterior"])


def _without_mismatch(config):
    """A single skill has no wrong z."""
    return dataclasses.replace(config, mismatched=0.0)
