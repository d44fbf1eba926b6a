"""Which clip frame each environment is compared with: a clock that may slip a little.

The policy sees neither clip nor phase, so it cannot keep time exactly; every third step the
reference may wait a frame or skip one, whichever is nearer to the state.
"""
from __future__ import annotations

import math
from typing import Callable, Optional, Sequence

import torch
from torch import Tensor

from ppp.humanoid.observation import FRAME
from ppp.motion.library import MotionLibrary
from ppp.motion.steering import LEVELS, STRAIGHT
from ppp.tasks.lying import Lying

#: steps between two chances to slip
SLIP_EVERY = 3
#: a new command's frames begin up to so many steps late, each at this price in scaled distance
WAIT, PRICE = 24, 0.05
#: a target further to the side than this is turned to, and further than the second as sharply as
#: the gait can, rad
STEER, SHARP = 0.2, 0.8
#: control steps from one level of turn to the next
EASE = 8
#: who is so much lower than the frame on the way up, or at its end, tries again, m
LOW = 0.25
#: a reference is drawn back to a body that stays behind where some frame of its clip is nearer than
#: this share of its own distance
NEARER = 0.7
#: a gait's clip without a loop is left for one where they are nearer than this, in scaled distance:
#: as near as a loop's straight steps are to its curved ones
JOIN = 3.0


class Reference:
    """``index`` (N,): row of the library's frame table for each environment."""

    def __init__(self, library: MotionLibrary, num_envs: int, steer: float = STEER,
                 sharp: float = SHARP, gentle: Sequence[str] = ()) -> None:
        self.library = library
        self.ways = ways(library)
        self.lying = Lying(library)
        device = library.frame.device
        levels = len(LEVELS)
        #: angles from which each skill (K, levels) turns by which level; none is beyond pi
        spread = [steer + (sharp - steer) * n / (levels - 1) for n in range(levels)]
        tame = [steer] + [math.inf] * (levels - 1)
        self.turn_from = torch.tensor([tame if skill in gentle else spread
                                       for skill in library.skills], device=device)
        self.index = torch.zeros(num_envs, dtype=torch.long, device=device)
        #: how sharply each (N,) turns now, and for how many control steps
        self.level, self.held = torch.zeros_like(self.index), torch.zeros_like(self.index)
        #: control steps (N,) before the frames of a new command begin
        self.waiting = torch.zeros_like(self.index)
        #: who knows more than looks (environments, frames found, states) -> frames to begin in
        self.refine: Optional[Callable[[Tensor, Tensor, Tensor], Tensor]] = None

    def put(self, ids: Tensor, frames: Tensor) -> None:
        """Start environments ``ids`` at ``frames``."""
        self.waiting[ids] = 0
        self._enter(ids, frames)

    def _enter(self, ids: Tensor, frames: Tensor) -> None:
        """``ids`` go on in ``frames``, turning as those do."""
        self.index[ids] = frames
        self.level[ids], self.held[ids] = self.library.level[frames], EASE

    def change(self, ids: Tensor, skill: Tensor, frame: Tensor) -> None:
        """Commands of ``ids`` (n,) change to ``skill``: their frames begin at the best moment.

        A leg in the air has to come down first: among the next WAIT frames of the clip under way
        that one is chosen which is nearest to a frame of the new skill, a later one at a price.
        """
        if not len(ids):
            return
        far = self.library.entry_distances()
        row, prices = self.index[ids], []
        for step in range(WAIT + 1):
            prices.append(far[skill, row] + step * PRICE)
            row = self.library.after(row)
        self.waiting[ids] = wait = torch.stack(prices).argmin(0)
        now = wait == 0
        self.rephase(ids[now], skill[now], frame[now])

    def rephase(self, ids: Tensor, skill: Tensor, frame: Tensor, stopping: bool = True) -> None:
        """Move ``ids`` to the frame of their skill most like their state (n, 140).

        A body at another pace than the skill's comes to a stop first, by a clip that shows how:
        from a walk no blow or turn can be begun, and a reference that begins it at once throws the
        body over (measured: 80 % of the teacher's switches out of a walk ended in a fall). Without
        ``stopping`` it begins at once.
        """
        if not len(ids):
            return
        rows = self.library.nearest(skill, frame, stopping)
        rows = self.refine(ids, rows, frame) if self.refine else rows
        self._enter(ids, self.lying.begin(rows, skill, frame))

    def draw_back(self, ids: Tensor, frame: Tensor) -> None:
        """Move ``ids`` (n,) to the frame of their clip most like their state (n, 140).

        Only where it is much nearer than their own. A body that stands or lies still is otherwise
        told all of the clip that goes on without it, whose mean is to stay where it is.
        """
        library, now = self.library, self.index[ids]
        follows = self.waiting[ids] == 0
        ids, frame, now = ids[follows], frame[follows] / library.scale, now[follows]
        gap = torch.cdist(frame, library.scaled)
        own = gap.gather(1, now[:, None])[:, 0]
        best = gap.masked_fill(library.clip != library.clip[now][:, None], math.inf).min(-1)
        late = best.values < NEARER * own
        self.index[ids[late]] = best.indices[late]

    def steer(self, angle: Tensor) -> None:
        """Choose the curve of each gait by the target's direction (N,), rad from the heading.

        The variants share their phase, so that the reference turns towards the target without
        losing step; without this the imitation reward would fight the steering. A gentle curve
        would circle round a near target at its side, so the further to the side, the sharper it
        is; from level to level, EASE steps each, for a body cannot change its way at once. A clip
        that sets off or weaves is left for a curve where it comes near to one (:func:`ways`).
        """
        skill = self.library.skill[self.index]
        wanted = (angle.abs()[:, None] > self.turn_from[skill]).sum(-1)
        wanted = torch.where(angle < 0, -wanted, wanted)
        # in a clip that is no loop nothing has been turned yet
        wanted = torch.where(self.library.looped[self.index], wanted, wanted.clamp(-1, 1))
        follows = self.waiting == 0
        moves = (wanted != self.level) & (self.held >= EASE) & follows
        self.level = torch.where(moves, self.level + (wanted - self.level).clamp(-1, 1), self.level)
        self.held = torch.where(moves, 1, self.held + 1)
        self.index = torch.where(follows, self.ways[STRAIGHT + self.level, self.index], self.index)

    def advance(self, frame: Tensor, skill: Tensor, tick: int) -> None:
        """One control step on; ``frame`` (N, 140) is the state after it."""
        following = self.library.after(self.index)
        if tick % SLIP_EVERY == 0:
            choices = torch.stack((following, self.index, self.library.after(following)))
            gap = (self.library.frame[choices] - frame[None]) / self.library.scale
            following = choices.gather(0, gap.square().sum(-1).argmin(0)[None])[0]
        library = self.library
        over = (library.next[self.index] < 0) & ~library.rest[self.index]
        stopped = library.stops[self.index] & ~library.stops[following]
        stopped &= skill != library.skill[self.index]  # who was told to stand sees the clip's end
        height = FRAME["height"]
        low = (library.frame[self.index, height] - frame[:, height] > LOW).any(-1)
        rising = library.may_lie[library.skill[self.index]] & library.may_lie[skill]
        over |= stopped | ((library.rest[self.index] | rising) & low)
        ended = (over | (self.waiting == 1)).nonzero().flatten()
        self.waiting = torch.where(over, 0, (self.waiting - 1).clamp_min(0))
        self.index = self.lying.wait(following, self.index, frame)
        # who has come to a stop begins: a turn is never still, so it would be stopped for for good
        ready = stopped[ended]
        self.rephase(ended[~ready], skill[ended[~ready]], frame[ended[~ready]])
        self.rephase(ended[ready], skill[ended[ready]], frame[ended[ready]], stopping=False)


def ways(library: MotionLibrary) -> Tensor:
    """``library.variants`` (9, F) with ways out of the gaits' clips that are no loops.

    Such a clip would end in the frame most like it, often one of its own, and so never turn to the
    target: frames within JOIN of a loop lead to its curves, and the last one to the straight loop.
    """
    table = library.variants.clone()
    for kind in library.travels.nonzero().flatten():
        own, looped = library.skill == kind, library.looped
        loop, other = ((own & which).nonzero().flatten() for which in (looped, ~looped))
        if not (len(loop) and len(other)):
            continue
        gap = torch.cdist(library.scaled[other], library.scaled[loop]).min(-1)
        joined = library.variants[:, loop[gap.indices]]
        curved = torch.arange(len(table), device=table.device)[:, None] != STRAIGHT
        leaves = torch.where(curved, gap.values < JOIN, library.next[other] < 0)
        table[:, other] = torch.where(leaves, joined, other)
    return table
