"""Boxes thrown at the humanoids: when, from where, how fast, and which one."""
from __future__ import annotations

import math
from typing import List, Sequence

import torch
from torch import Tensor

from ppp.engines.base import Engine
from ppp.engines.scene import Prop
from ppp.tasks.config import ThrowConfig

GRAVITY = 9.81
#: height that a box is let go at, m
FROM_HEIGHT = 1.2


class Throws:
    """Per environment ``left`` (N,) control steps until the next box flies, ``impulse`` (N,) N s of
    the last one, 0 before the first, and ``age`` (N,) control steps since it was thrown."""

    def __init__(self, config: ThrowConfig, props: Sequence[Prop], num_envs: int,
                 generator: torch.Generator) -> None:
        self.config, self.generator, self.num_envs = config, generator, num_envs
        self.slots: List[int] = [i for i, prop in enumerate(props) if prop.name in config.props]
        self.device = generator.device
        self._mass = torch.tensor([props[i].kilograms for i in self.slots], device=self.device)
        self._slots = torch.tensor(self.slots, device=self.device)
        self.left = torch.zeros(num_envs, dtype=torch.long, device=self.device)
        self.age = torch.zeros_like(self.left)
        self.impulse = torch.zeros(num_envs, device=self.device)
        self.begin(torch.arange(num_envs, device=self.device))

    def _uniform(self, count: int, span: Sequence[float]) -> Tensor:
        return span[0] + (span[1] - span[0]) * torch.rand(count, generator=self.generator,
                                                          device=self.device)

    def begin(self, ids: Tensor) -> None:
        """New episodes of ``ids`` (n,)."""
        low, high = self.config.interval[:2]
        self.left[ids] = torch.randint(low, high + 1, (len(ids),), generator=self.generator,
                                       device=self.device)
        self.impulse[ids] = 0.0
        self.age[ids] = 0

    def advance(self, engine: Engine) -> Tensor:
        """Count down, and throw at those whose time has come; their ids (n,)."""
        self.left -= 1
        self.age += 1
        ids = (self.left <= 0).nonzero().flatten()
        if not len(ids):
            return ids
        count = len(ids)
        which = torch.randint(len(self.slots), (count,), generator=self.generator,
                              device=self.device)
        speed = self._uniform(count, self.config.speed)
        angle = self._uniform(count, (-math.pi, math.pi))
        aim = engine.state.root_pos[ids].clone()
        aim[:, 2] = self._uniform(count, self.config.height)
        flown = thrown(aim, engine.state.bodies.lin_vel[ids, 0], angle, self.config.distance, speed)
        props = engine.state.prop_state[ids].clone()
        props[torch.arange(count, device=self.device), self._slots[which]] = flown
        engine.set_props(ids, props)
        self.begin(ids)
        self.impulse[ids] = self._mass[which] * speed
        return ids


def thrown(aim: Tensor, velocity: Tensor, angle: Tensor, distance: float, speed: Tensor) -> Tensor:
    """States (n, 13) of boxes that will hit ``aim`` (n, 3), which moves at ``velocity`` (n, 3).

    Each is let go ``distance`` m away at ``angle`` (n,), rad, flies at the horizontal ``speed``
    (n,), m/s, towards where the aim will be, and is lobbed so that gravity brings it there:
    z(t) = z0 + w t - g t^2 / 2 with t = distance / speed.
    """
    time = distance / speed
    out = aim.new_zeros(len(aim), 13)
    way = torch.stack((angle.cos(), angle.sin()), -1)
    meets = aim[:, :2] + velocity[:, :2] * time[:, None]
    out[:, :2] = meets + distance * way
    out[:, 2] = FROM_HEIGHT
    out[:, 3], out[:, 6] = (0.5 * angle).cos(), (0.5 * angle).sin()
    out[:, 7:9] = -speed[:, None] * way
    out[:, 9] = (aim[:, 2] - FROM_HEIGHT) / time + 0.5 * GRAVITY * time
    return out
