"""Who is told what: the commanded skill, its target and how long it is held."""
from __future__ import annotations

import math
from typing import Optional

import torch
from torch import Tensor

from ppp.errors import PPPError
from ppp.humanoid.rotations import yaw_of
from ppp.motion.library import MotionLibrary
from ppp.tasks.config import CommandConfig

RULES = ("random", "approach_and_strike")
#: a travelling environment gets a new target once it is this near, m
REACHED = 0.5
#: a pelvis above this has got up, m
UP = 0.7
#: memory of the skills' failure rates, control steps of one environment each
FAILURE_MEMORY = 300_000
#: a skill is drawn at most this much oftener or rarer for its failures
MOST_FOCUS = 3.0


class Commands:
    """The command of every environment: ``skill`` (N,), ``target`` (N, 2), ``left`` (N,) steps."""

    def __init__(self, library: MotionLibrary, config: CommandConfig, num_envs: int,
                 weights: Tensor, generator: torch.Generator) -> None:
        self.library, self.config, self.weights = library, config, weights
        self.generator = generator
        self.skill = torch.zeros(num_envs, dtype=torch.long)
        self.target = torch.zeros(num_envs, 2)
        self.left = torch.zeros(num_envs, dtype=torch.long)
        #: running counts of each skill, (2, K): steps performed, failures
        self.tally = torch.zeros(2, len(library.skills))
        if config.rule == "approach_and_strike":
            wanted = [s for s in ("walk_forward", "slash") if s not in library.skills]
            if wanted:
                raise PPPError(f"rule approach_and_strike needs the skill '{wanted[0]}' in "
                               "'skills'")
            self._walk = library.skills.index("walk_forward")
            self._strike = library.skills.index("slash")

    def _uniform(self, count: int, low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(count, generator=self.generator)

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
        self.left[ids] = torch.randint(low, high + 1, (len(ids),), generator=self.generator)

    def aim(self, ids: Tensor, root_pos: Tensor, root_rot: Tensor, frames: Optional[Tensor],
            prop_pos: Optional[Tensor] = None) -> None:
        """Give ``ids`` (n,) targets: where the reference frame goes, with noise, or anywhere.

        Under the rule ``approach_and_strike`` the target is the first prop, prop_pos (n, P, 3).
        """
        if self.config.rule == "approach_and_strike" and prop_pos is not None:
            self.target[ids] = prop_pos[:, 0, :2]
            return
        count = len(ids)
        ahead = torch.zeros(count) if frames is None else self.library.goal_angle[frames]
        noise = self.config.heading_noise * torch.randn(count, generator=self.generator)
        anywhere = self._uniform(count, -math.pi, math.pi)
        loose = torch.rand(count, generator=self.generator) < self.config.anywhere
        angle = yaw_of(root_rot) + torch.where(loose, anywhere, ahead + noise)
        distance = self._uniform(count, *self.config.distance[:2])
        direction = torch.stack((torch.cos(angle), torch.sin(angle)), -1)
        self.target[ids] = root_pos[:, :2] + distance[:, None] * direction

    def advance(self, root_pos: Tensor, root_rot: Tensor, prop_pos: Tensor) -> Tensor:
        """Count down; renew what has run out. Returns the ids whose skill changed, (n,).

        Who lies on the floor keeps a command that lets it: no other could be followed from there.
        """
        if self.config.rule == "approach_and_strike":
            return self._approach(root_pos, prop_pos)
        down = self.library.may_lie[self.skill] & (root_pos[:, 2] < UP)
        self.left = torch.where(down, self.left.clamp_min(2), self.left) - 1
        over = (self.left <= 0).nonzero().flatten()
        near = (self.target - root_pos[:, :2]).norm(dim=-1) < REACHED
        near = (near & self.library.travels[self.skill] & (self.left > 0)).nonzero().flatten()
        if len(near):
            self.aim(near, root_pos[near], root_rot[near], None)
        if not len(over):
            return over
        before = self.skill[over]
        self.skill[over] = self.draw_skills(len(over))
        self.hold(over)
        self.aim(over, root_pos[over], root_rot[over], None)
        return over[self.skill[over] != before]

    def _approach(self, root_pos: Tensor, prop_pos: Tensor) -> Tensor:
        self.target = prop_pos[:, 0, :2].clone()
        near = (self.target - root_pos[:, :2]).norm(dim=-1) < self.config.strike_distance
        wanted = torch.where(near, torch.full_like(self.skill, self._strike),
                             torch.full_like(self.skill, self._walk))
        changed = (wanted != self.skill).nonzero().flatten()
        self.skill = wanted
        return changed
