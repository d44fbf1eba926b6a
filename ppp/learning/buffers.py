"""A ring of policy windows for the discriminator, with the skill each was made under."""
from __future__ import annotations

from typing import Any, Dict, Tuple

import torch
from torch import Tensor


class ReplayBuffer:
    """Up to ``size`` windows (W, 140) and skill ids; the oldest give way.

    Windows are kept in half precision: far finer than what the discriminator tells apart, and
    half the memory.
    """

    def __init__(self, size: int, window: int, frame: int, device: str = "cpu") -> None:
        self.size, self.filled, self._next = size, 0, 0
        self.windows = torch.zeros(size, window, frame, device=device, dtype=torch.half)
        self.skill = torch.zeros(size, dtype=torch.long, device=device)

    def add(self, windows: Tensor, skill: Tensor) -> None:
        """Store windows (n, W, 140) of skills (n,); a random subset when n exceeds the size."""
        count = min(len(windows), self.size)
        pick = torch.randperm(len(windows), device=windows.device)[:count]
        slot = (self._next + torch.arange(count, device=windows.device)) % self.size
        self.windows[slot], self.skill[slot] = windows[pick].half(), skill[pick]
        self._next = (self._next + count) % self.size
        self.filled = min(self.size, self.filled + count)

    def sample(self, count: int) -> Tuple[Tensor, Tensor]:
        """``count`` random windows and their skills."""
        pick = torch.randint(0, self.filled, (count,), device=self.skill.device)
        return self.windows[pick].float(), self.skill[pick]

    def state(self) -> Dict[str, Any]:
        """What is in it, for :meth:`load`."""
        return {"windows": self.windows[:self.filled].clone(),
                "skill": self.skill[:self.filled].clone(), "next": self._next}

    def load(self, state: Dict[str, Any]) -> None:
        """Take back what :meth:`state` gave; windows of another shape are left out."""
        count = len(state["skill"])
        if count > self.size or state["windows"].shape[1:] != self.windows.shape[1:]:
            return
        self.windows[:count], self.skill[:count] = state["windows"], state["skill"]
        self.filled, self._next = count, int(state["next"])
