"""Who lies anyhow comes to rest as a clip begins: on the back or on the front.

A fall ends in some heap, and no clip begins there. But servos that hold the pose in which a clip
begins on the floor bring the body to it within a second, from the side as well (measured: of 219
falls all but one). So the reference waits in that first frame until the body is near, and a body
that drops on the way up begins again.
"""
from __future__ import annotations

import torch
from torch import Tensor

from ppp.humanoid.observation import FRAME
from ppp.motion.library import MotionLibrary

#: clips that begin with the pelvis below this begin flat; a body below the second is down, m
FLAT, DOWN = 0.3, 0.55
#: a body rests as a clip begins when the columns of its joints' rotations are as near, on average
#: and at most, and the joints as slow, rad/s on average. A policy comes to rest about 0.1 away:
#: told to come nearer first, it lay for good.
NEAR, NEAR_ALL, SLOW = 0.15, 0.9, 0.6
#: so many frames of the clip are left out then: a policy without a clock that sees a body at rest
#: has to be told to move, and they hardly do
ONSET = 8
#: a frame of the clip nearer than this, in scaled distance, is gone on from
GOES_ON = 3.5


class Lying:
    """The first frames of clips that begin flat on the floor, and who waits in them."""

    def __init__(self, library: MotionLibrary) -> None:
        self.library = library
        # loops have no frame before which there is none
        first = (library.prev < 0) & library.may_lie[library.skill]
        self._begins = (first & (library.root_pos[:, 2] < FLAT)
                        & (_side(library.frame).abs() > 0.7))
        self.rows = self._begins.nonzero().flatten()

    def begin(self, rows: Tensor, skill: Tensor, frame: Tensor) -> Tensor:
        """Frames (n,) to begin in instead of ``rows`` for states (n, 140): who lies, and far from
        the frame found, rests first as a clip of the skill (n,) begins."""
        if not len(self.rows):
            return rows
        library = self.library
        gap = (library.scaled[rows] - frame / library.scale).norm(dim=-1)
        down = (frame[:, FRAME["height"]][:, 0] < DOWN) & library.may_lie[skill]
        return torch.where(down & (gap > GOES_ON), self._like(skill, frame), rows)

    def wait(self, following: Tensor, index: Tensor, frame: Tensor) -> Tensor:
        """The frames that follow ``index`` (N,), but the same while the body (N, 140) is on its
        way to rest there; who has rolled over meanwhile rests as the other clip begins."""
        ids = self._begins[index].nonzero().flatten()
        if not len(ids):
            return following
        library, row = self.library, self._like(self.library.skill[index[ids]], frame[ids])
        pose = (frame[ids] - library.frame[row])[:, FRAME["joints"]].abs()
        speed = frame[ids][:, FRAME["joint_vel"]].abs()
        away = (pose.mean(-1) > NEAR) | (pose.amax(-1) > NEAR_ALL) | (speed.mean(-1) > SLOW)
        return following.index_copy(0, ids, torch.where(away, row, row + ONSET))

    def waits(self, index: Tensor) -> Tensor:
        """Who rests as a clip begins, (N,) bool."""
        return self._begins[index]

    def _like(self, skill: Tensor, frame: Tensor) -> Tensor:
        rows = self.rows
        other = (self.library.skill[rows] != skill[:, None]).float() * 10.0
        turned = (_side(self.library.frame[rows]) - _side(frame)[:, None]).abs()
        return rows[(turned + other).argmin(-1)]


def _side(frame: Tensor) -> Tensor:
    """Which side is up (n,): 1 on the back, -1 on the front; the z component of the pelvis' x."""
    return frame[:, FRAME["rotation"]][:, 2]
