"""Who is told what: the commanded skill, its target and how long it is held."""
from __future__ import annotations

import math
from typing import Optional

import torch
from torch import Tensor

from ppp.humanoid.rotations import yaw_of
from ppp.motion.library import MotionLibrary
from ppp.tasks.approach import AFTER, Approach
from ppp.tasks.config import CommandConfig

RULES = ("random", "approach_and_strike", "reach")
#: a travelling environment gets a new target once it is this near, m
REACHED = 0.25
#: a pelvis above this has got up, m
UP = 0.7
#: memory of the skills' failure rates, control steps of one environment each
FAILURE_MEMORY = 300_000
#: a skill is drawn at most this much oftener or rarer for its failures
MOST_FOCUS = 3.0


class Commands:
    """The command of every environment: ``skill`` (N,), ``target`` (N, 2), ``left`` (N,) steps.

    ``striking`` (N,) bool: the first prop is there for this command to be struck down. ``point``
    (N, 3), m: what is to be touched under the rule reach.
    """

    def __init__(self, library: MotionLibrary, config: CommandConfig, num_envs: int,
                 weights: Tensor, generator: torch.Generator) -> None:
        self.library, self.config, self.weights = library, config, weights
        self.generator, self.device = generator, generator.device
        self.skill = torch.zeros(num_envs, dtype=torch.long, device=self.device)
        self.target = torch.zeros(num_envs, 2, device=self.device)
        self.left = torch.zeros_like(self.skill)
        #: running counts of each skill, (2, K): steps performed, failures
        self.tally = torch.zeros(2, len(library.skills), device=self.device)
        self.approach = Approach(library, config, num_envs, generator)
        self.striking = self.approach.active.clone()
        self.point = torch.zeros(num_envs, 3, device=self.device)

    def _uniform(self, count: int, low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(count, generator=self.generator,
                                               device=self.device)

    def draw_skills(self, count: int) -> Tensor:
        """Skills for ``count`` environments by weight, and by how often they fail (``focus``)."""
        return torch.multinomial(self.weights * self._focus(), count, replacement=True,
                                 generator=self.generator)

    def record(self, failed: Tensor) -> None:
        """Count a step of every environment under its skill, and the failures, (N,) bool."""
        kinds = self.tally.shape[1]
        now = torch.stack((torch.bincount(self.skill, minlength=kinds),
                           torch.bincount(self.skill[failed], minlength=kinds))).float()
        self.tally = self.tally * (1.0 - len(failed) / max(FAILURE_MEMORY, len(failed))) + now

    def _focus(self) -> Tensor:
        """Factor on each skill's weight, (K,): its failure rate against the mean one."""
        if not self.config.focus:
            return torch.ones_like(self.tally[0])
        # a skill without steps yet counts as an average one
        rate = (self.tally[1] + 10.0) / (self.tally[0] + 1000.0)
        factor = (rate / rate.mean()) ** self.config.focus
        return factor.clamp(1.0 / MOST_FOCUS, MOST_FOCUS)

    def hold(self, ids: Tensor) -> None:
        """Draw how many steps the commands of ``ids`` last."""
        low, high = self.config.hold[:2]
        self.left[ids] = torch.randint(low, high + 1, (len(ids),), generator=self.generator,
                                       device=self.device)

    def aim(self, ids: Tensor, root_pos: Tensor, root_rot: Tensor, frames: Optional[Tensor],
            prop_pos: Optional[Tensor] = None) -> None:
        """Give ``ids`` (n,) targets: where the reference frame goes, with noise, or anywhere.

        Under the rule ``approach_and_strike`` the target is the first prop, prop_pos (n, P, 3).
        """
        if self.config.rule == "approach_and_strike" and prop_pos is not None:
            self.target[ids] = prop_pos[:, 0, :2]
            return
        if self.config.rule == "reach":
            self._place_point(ids, root_pos, root_rot)
            return
        count = len(ids)
        ahead = root_pos.new_zeros(count) if frames is None else self.library.goal_angle[frames]
        noise = self.config.heading_noise * torch.randn(count, generator=self.generator,
                                                        device=self.device)
        anywhere = self._uniform(count, -math.pi, math.pi)
        loose = self._uniform(count, 0.0, 1.0) < self.config.anywhere
        angle = yaw_of(root_rot) + torch.where(loose, anywhere, ahead + noise)
        distance = self._uniform(count, *self.config.distance[:2])
        direction = torch.stack((torch.cos(angle), torch.sin(angle)), -1)
        self.target[ids] = root_pos[:, :2] + distance[:, None] * direction

    def _place_point(self, ids: Tensor, root_pos: Tensor, root_rot: Tensor) -> None:
        where, count = self.config.point, len(ids)
        angle = yaw_of(root_rot) + self._uniform(count, *where.bearing[:2])
        distance = self._uniform(count, *where.distance[:2])
        direction = torch.stack((torch.cos(angle), torch.sin(angle)), -1)
        self.point[ids, :2] = root_pos[:, :2] + distance[:, None] * direction
        self.point[ids, 2] = self._uniform(count, *where.height[:2])
        self.target[ids] = self.point[ids, :2]

    def begin(self, ids: Tensor, approach: Tensor, in_reach: Tensor, props: Optional[Tensor],
              depth: float) -> None:
        """New episodes ``ids`` (n,): which walk up to the first prop and strike it, and which have
        it in reach at once, (n,) bool; props (n, P, 7) at rest; its depth, m."""
        self.approach.begin(ids, approach, depth)
        aimed = (approach | in_reach).nonzero().flatten()
        self.striking[ids] = self.approach.active[ids] | in_reach
        if props is not None:
            self.target[ids[aimed]] = props[aimed, 0, :2]

    def advance(self, root_pos: Tensor, root_rot: Tensor, props: Tensor) -> Tensor:
        """Count down; renew what has run out. Returns the ids whose skill changed, (n,).

        props (N, P, 13): the engine's states of the props. Who lies on the floor keeps a command
        that lets it: no other could be followed from there.
        """
        changed = self._approach(root_pos, props)
        if self.approach.always:
            return changed
        keeps = self.library.may_lie[self.skill] & (root_pos[:, 2] < UP)
        keeps |= self.approach.active & ~self.approach.tipped
        self.left = torch.where(keeps, self.left.clamp_min(2), self.left) - 1
        over = (self.left <= 0).nonzero().flatten()
        near = (self.target - root_pos[:, :2]).norm(dim=-1) < REACHED
        near &= self.library.travels[self.skill] & (self.left > 0) & ~self.approach.active
        near = near.nonzero().flatten()
        if len(near):
            self.aim(near, root_pos[near], root_rot[near], None)
        if not len(over):
            return changed
        self.approach.leave(over)
        self.striking[over] = False
        before = self.skill[over]
        self.skill[over] = self.draw_skills(len(over))
        self.hold(over)
        self.aim(over, root_pos[over], root_rot[over], None)
        return torch.cat((changed, over[self.skill[over] != before])).unique()

    def _approach(self, root_pos: Tensor, props: Tensor) -> Tensor:
        """Commands of those who walk up to the first prop; the ids whose skill changed, (n,)."""
        active = self.approach.active
        if not active.any():
            return active.nonzero().flatten()
        place = props[:, 0, :2]
        self.target = torch.where(active[:, None], place, self.target)
        self.left[self.approach.newly_tipped(props)] = AFTER
        wanted = self.approach.skill((place - root_pos[:, :2]).norm(dim=-1), self.skill)
        changed = (wanted != self.skill).nonzero().flatten()
        self.skill = wanted
        return changed
