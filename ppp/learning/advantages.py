"""Generalised advantage estimation with true next values, and its normalisation."""
from __future__ import annotations

import torch
from torch import Tensor

from ppp.learning.distributed import total


def gae(rewards: Tensor, values: Tensor, next_values: Tensor, dones: Tensor, gamma: float,
        lam: float) -> Tensor:
    """Advantages (T, N) (Schulman et al., arXiv 1506.02438, equation 16).

    rewards, values (T, N); next_values (T, N): value of the state that the step really led to,
    0 where it terminated, bootstrapped where it merely timed out; dones (T, N): the episode ended
    with this step for either reason, so that nothing later belongs to it.
    """
    advantages = torch.zeros_like(rewards)
    running = torch.zeros_like(rewards[0])
    for t in reversed(range(rewards.shape[0])):
        delta = rewards[t] + gamma * next_values[t] - values[t]
        running = delta + gamma * lam * (1.0 - dones[t]) * running
        advantages[t] = running
    return advantages


def normalised(advantages: Tensor, group: Tensor, groups: int) -> Tensor:
    """Advantages (n, 1) with mean 0 and standard deviation 1 within each group (n,), here a skill.

    A skill that falls at once has advantages many times those of one that is nearly learnt; under
    one common scale it would take the whole step to itself (compare the per-task scale of PopArt:
    Hessel et al., arXiv 1809.04474). A group of one sample, or of equal ones, becomes 0. With
    several ranks a group is that of all of them.
    """
    flat = advantages.flatten()
    count = total(torch.bincount(group, minlength=groups)).clamp_min(1).to(flat)
    zeros = torch.zeros(groups, dtype=flat.dtype, device=flat.device)
    mean = total(zeros.index_add(0, group, flat))
    centred = flat - (mean / count)[group]
    square = total(zeros.index_add(0, group, centred.square()))
    return (centred / (square / count).sqrt().clamp_min(1e-6)[group]).reshape(advantages.shape)
