"""Which clip frame each environment is compared with: a clock that may slip a little.

The policy sees neither clip nor phase, so it cannot keep time exactly; every third step the
reference may wait a frame or skip one, whichever is nearer to the state.
"""
from __future__ import annotations

import torch
from torch import Tensor

from ppp.motion.library import MotionLibrary
from ppp.motion.steering import STRAIGHT

#: steps between two chances to slip
SLIP_EVERY = 3
#: a target further to the side than this is turned to, and further than the second sharply, rad
STEER, SHARP = 0.2, 0.8


class Reference:
    """``index`` (N,): row of the library's frame table for each environment."""

    def __init__(self, library: MotionLibrary, num_envs: int, steer: float = STEER,
                 sharp: float = SHARP) -> None:
        self.library, self.steer_from, self.sharp_from = library, steer, sharp
        self.index = torch.zeros(num_envs, dtype=torch.long)

    def put(self, ids: Tensor, frames: Tensor) -> None:
        """Start environments ``ids`` at ``frames``."""
        self.index[ids] = frames

    def rephase(self, ids: Tensor, skill: Tensor, frame: Tensor) -> None:
        """Move ``ids`` to the frame of their skill most like their state (n, 140)."""
        if len(ids):
            self.index[ids] = self.library.nearest(skill, frame)

    def steer(self, angle: Tensor) -> None:
        """Choose the curve of each gait by the target's direction (N,), rad from the heading.

        The variants share their phase, so that the reference turns towards the target without
        losing step; without this the imitation reward would fight the steering. A gentle curve
        would circle round a near target at its side, so that one is turned to sharply.
        """
        size = angle.abs()
        turn = (size > self.steer_from).long() + (size > self.sharp_from).long()
        side = STRAIGHT + torch.where(angle < 0, -turn, turn)
        self.index = self.library.variants[side, self.index]

    def advance(self, frame: Tensor, skill: Tensor, tick: int) -> None:
        """One control step on; ``frame`` (N, 140) is the state after it."""
        following = self._after(self.index)
        if tick % SLIP_EVERY == 0:
            choices = torch.stack((following, self.index, self._after(following)))
            gap = (self.library.frame[choices] - frame[None]) / self.library.scale
            following = choices.gather(0, gap.square().sum(-1).argmin(0)[None])[0]
        over = (self.library.next[self.index] < 0) & ~self.library.rest[self.index]
        ended = over.nonzero().flatten()
        self.index = following
        self.rephase(ended, skill[ended], frame[ended])

    def _after(self, index: Tensor) -> Tensor:
        following = self.library.next[index]
        return torch.where(following >= 0, following, index)
