"""Running mean and variance in float64, updated once per iteration by whoever owns it."""
from __future__ import annotations

import torch
from torch import Tensor, nn

from ppp.learning.distributed import joined_moments


class RunningNormalizer(nn.Module):
    """(x - mean) / std, clipped; statistics merge batch by batch (Chan et al.'s formula)."""

    def __init__(self, size: int, clip: float = 8.0) -> None:
        super().__init__()
        self.clip = clip
        self.register_buffer("mean", torch.zeros(size, dtype=torch.float64))
        self.register_buffer("var", torch.ones(size, dtype=torch.float64))
        self.register_buffer("count", torch.tensor(1.0, dtype=torch.float64))

    @torch.no_grad()
    def update(self, batch: Tensor) -> None:
        """Take a batch (n, size) into the statistics; with several ranks, the batches of all."""
        batch = batch.reshape(-1, self.mean.shape[0])
        var, mean = (part.double() for part in torch.var_mean(batch, 0, unbiased=False))
        n, mean, var = joined_moments(batch.shape[0], mean, var)
        total = self.count + n
        delta = mean - self.mean
        self.var.copy_((self.var * self.count + var * n
                        + delta.square() * self.count * n / total) / total)
        self.mean.add_(delta * n / total)
        self.count.fill_(total)

    def _std(self) -> Tensor:
        return (self.var + 1e-5).sqrt().float()

    def forward(self, x: Tensor) -> Tensor:
        """The normalised x, within ±clip."""
        return ((x - self.mean.float()) / self._std()).clamp(-self.clip, self.clip)

    def undo(self, x: Tensor) -> Tensor:
        """Back to the original scale."""
        return x * self._std() + self.mean.float()
