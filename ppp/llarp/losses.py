"""The losses, as pure functions of what a pass over m real steps gave."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, Optional, Tuple

import torch
from torch import Tensor
from torch.nn import functional as F

from ppp.learning.advantages import gae


def imitation_loss(logits: Tensor, labels: Tensor, steps: int) -> Tuple[Tensor, int]:
    """Cross entropy with the expert's actions, summed and divided by ``steps``; how many agree.

    logits (m, A); labels (m,), -1 where there is none. steps: labels in the whole batch that this
    is a part of.
    """
    loss = F.cross_entropy(logits, labels, ignore_index=-1, reduction="sum")
    return loss / steps, int((logits.argmax(-1) == labels).sum())


def advantages_and_returns(rewards: Tensor, values: Tensor, lengths: Tensor, gamma: float,
                           lam: float) -> Tuple[Tensor, Tensor]:
    """(n, T) advantages and returns of whole episodes; 0 beyond their ends.

    The end is an end whatever its reason: the step limit belongs to the task, and the steps left
    are seen.
    """
    order = torch.arange(rewards.shape[1])
    real, last = order < lengths[:, None], order == lengths[:, None] - 1
    later = torch.cat([values[:, 1:], torch.zeros_like(values[:, :1])], 1) * ~last
    advantages = gae((rewards * real).T, (values * real).T, (later * real).T,
                     (last | ~real).float().T, gamma, lam).T * real
    return advantages, (advantages + values) * real


def normalised(advantages: Tensor) -> Tensor:
    """(m,) to mean 0 and deviation 1."""
    centred = advantages - advantages.mean()
    return centred / centred.square().mean().sqrt().clamp(min=1e-6)


@dataclass
class PpoBatch:
    """What an update knows of m steps, all (m,): actions; log_probs and values of the policy that
    is updated, before it; advantages; returns; log_reference (m, A) of the imitated policy."""

    actions: Tensor
    log_probs: Tensor
    values: Tensor
    advantages: Tensor
    returns: Tensor
    log_reference: Optional[Tensor] = None

    def pick(self, index: Tensor) -> "PpoBatch":
        """The steps ``index``."""
        return PpoBatch(*(None if part is None else part[index] for part in vars(self).values()))


def log_prob(logits: Tensor, actions: Tensor) -> Tensor:
    """Log probabilities (m,) of ``actions`` (m,) under logits (m, A)."""
    return logits.log_softmax(-1).gather(-1, actions[:, None])[:, 0]


def ppo_loss(logits: Tensor, values: Tensor, batch: PpoBatch, clip: float, entropy: float,
             value: float, kl: float) -> Tuple[Tensor, Dict[str, float]]:
    """The clipped surrogate (Schulman et al., arXiv 1707.06347, equation 7), half the squared error
    of clipped values, the entropy, and KL(policy, reference); and what they were.

    logits (m, A), values (m,).
    """
    log_all = logits.log_softmax(-1)
    change = log_all.gather(-1, batch.actions[:, None])[:, 0] - batch.log_probs
    ratio = change.exp()
    gain = torch.min(ratio * batch.advantages,
                     ratio.clamp(1 - clip, 1 + clip) * batch.advantages)
    near = batch.values + (values - batch.values).clamp(-clip, clip)
    error = torch.max((values - batch.returns).square(), (near - batch.returns).square())
    critic, spread = 0.5 * error.mean(), -(log_all.exp() * log_all).sum(-1).mean()
    loss = -gain.mean() + value * critic - entropy * spread
    drift = torch.zeros(())
    if batch.log_reference is not None:
        drift = (log_all.exp() * (log_all - batch.log_reference)).sum(-1).mean()
        loss = loss + kl * drift
    with torch.no_grad():
        off = (ratio - 1).abs()
        info = {"policy_loss": -gain.mean(), "value_loss": critic, "entropy": spread,
                "kl_reference": drift, "kl": (ratio - 1 - change).mean(),
                "clipped": (off > clip).float().mean(), "ratio_off": off.max()}
    return loss, {name: float(number.detach()) for name, number in info.items()}
