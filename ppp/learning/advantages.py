"""Generalised advantage estimation with true next values."""
from __future__ import annotations

import torch
from torch import Tensor


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
