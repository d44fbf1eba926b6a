"""From the policy's numbers to joint targets."""
from __future__ import annotations

import torch
from torch import Tensor

from ppp.humanoid.skeleton import DOF_NAMES, dof_limits
from ppp.tasks.config import ActionConfig


def joint_scales(config: ActionConfig) -> Tensor:
    """Radians per unit of action for every DoF, (31,)."""
    def of(name: str) -> float:
        if "ankle" in name:
            return config.ankles
        if "hip" in name or "knee" in name:
            return config.legs
        return config.trunk if "abdomen" in name or "neck" in name else config.arms

    return torch.tensor([of(name) for name in DOF_NAMES])


class ActionMap:
    """target = offset + scale * action, kept within the joints' ranges (plus a little slack).

    The offset is the clips' mean pose, so that an untrained policy stands like a statue; the
    published map (mid-range, 70 % of the range) starts it in a pose that falls at once.
    """

    def __init__(self, config: ActionConfig, offset: Tensor) -> None:
        limits = torch.tensor(dof_limits(), device=offset.device)
        self.offset, self.scale = offset.clone(), joint_scales(config).to(offset.device)
        self.low = limits[:, 0] - config.slack
        self.high = limits[:, 1] + config.slack

    def targets(self, action: Tensor) -> Tensor:
        """Joint targets (N, 31), rad, for actions (N, 31)."""
        return (self.offset + self.scale * action).clamp(self.low, self.high)
