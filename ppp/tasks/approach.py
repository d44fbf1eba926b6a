"""Walk up to the first prop and strike it down: who does so, with which blow, from how near."""
from __future__ import annotations

from typing import List

import torch
from torch import Tensor

from ppp.engines.scene import TIPPED
from ppp.errors import PPPError, unknown
from ppp.humanoid.rotations import up_z
from ppp.motion.library import MotionLibrary, read_library
from ppp.settings import ROOT
from ppp.tasks.config import CommandConfig

#: the gait that leads to the prop, and the skills whose clips such an episode starts in
GAIT, STARTS = "walk_forward", ("idle", "walk_forward")
#: a walking body rolls on by about this when it is told to strike, m
ROLL_ON = 0.2
#: a prop stands no nearer to the pelvis than this, m
NEAREST_PROP = 0.45
#: who has begun to strike goes on until the prop is this much farther than where it began, m
GO_AFTER = 0.4
#: the blow is commanded for so many control steps after the prop was tipped
AFTER = 30
#: the library that a blow of the settings may come from though the user's own lacks it
SHIPPED = ROOT / "motions" / "library.yaml"


class Approach:
    """Per environment: ``active`` (N,) bool, ``blow`` (N,) skill, ``near`` (N,) m, ``begun`` and
    ``tipped`` (N,) bool.

    Under the rule ``approach_and_strike`` every environment is active for good; under ``random``
    it is ``CommandConfig.approach`` of the episodes, until a moment after the prop was tipped.
    Without the gait or any of the blows among the library's skills no episode is of this kind.
    """

    def __init__(self, library: MotionLibrary, config: CommandConfig, num_envs: int,
                 generator: torch.Generator) -> None:
        self.config, self.generator = config, generator
        self.always = config.rule == "approach_and_strike"
        skills = library.skills
        blows = [name for name in config.blows if name in skills]
        if config.approach and len(blows) < len(config.blows):
            _check_names(config, library)
        if self.always and (GAIT not in skills or not blows):
            lacking = GAIT if GAIT not in skills else next(iter(config.blows))
            raise PPPError(f"rule approach_and_strike needs the skill '{lacking}' in 'skills'")
        self.share = config.approach if GAIT in skills and blows and not self.always else 0.0
        self.gait = skills.index(GAIT) if GAIT in skills else 0
        self.starts: List[int] = [skills.index(name) for name in STARTS if name in skills]
        self.device = device = generator.device
        self._blows = torch.tensor([skills.index(name) for name in blows], device=device)
        self._weights = torch.tensor([float(config.blows[name]) for name in blows], device=device)
        self._starts = torch.tensor(self.starts, dtype=torch.long, device=device)
        self._reach = library.reach
        self.active = torch.full((num_envs,), self.always, device=device)
        self.blow = self._draw_blows(num_envs) if blows else torch.zeros(
            num_envs, dtype=torch.long, device=device)
        self.near = torch.full((num_envs,), float(config.strike_distance), device=device)
        self.begun = torch.zeros(num_envs, dtype=torch.bool, device=device)
        self.tipped = torch.zeros_like(self.begun)

    def _draw_blows(self, count: int) -> Tensor:
        pick = torch.multinomial(self._weights, count, replacement=True, generator=self.generator)
        return self._blows[pick]

    def draw(self, count: int) -> Tensor:
        """Which of ``count`` new episodes are of this kind, (count,) bool."""
        if not self.share:
            return torch.zeros(count, dtype=torch.bool, device=self.device)
        return torch.rand(count, generator=self.generator, device=self.device) < self.share

    def start_skills(self, count: int) -> Tensor:
        """Skills to start such episodes in, (count,)."""
        pick = torch.randint(len(self.starts), (count,), generator=self.generator,
                             device=self.device)
        return self._starts[pick]

    def begin(self, ids: Tensor, chosen: Tensor, depth: float) -> None:
        """Episodes ``ids`` (n,) begin, ``chosen`` (n,) bool of this kind; depth of the prop, m.

        The blow begins where the prop's near side is 60 to 100 % of the blow's reach away, and by
        as much earlier as the body rolls on.
        """
        self.begun[ids] = self.tipped[ids] = False
        if self.always:
            return
        self.active[ids] = chosen
        mine = ids[chosen]
        if len(mine):
            blow = self._draw_blows(len(mine))
            self.blow[mine] = blow
            self.near[mine] = ROLL_ON + 0.5 * depth + stand_off(self._reach[blow], self.generator)

    def leave(self, ids: Tensor) -> None:
        """``ids`` follow other commands from now on."""
        self.active[ids] = False

    def skill(self, distance: Tensor, now: Tensor) -> Tensor:
        """Skills (N,): of active ones the gait or the blow by the prop's ``distance`` (N,), m, of
        the others what they are told now."""
        near = self.near if not self.always else torch.full_like(
            self.near, self.config.strike_distance)
        self.begun = (distance < near) | (self.begun & (distance < near + GO_AFTER)) | self.tipped
        wanted = torch.where(self.begun, self.blow, torch.full_like(now, self.gait))
        return torch.where(self.active, wanted, now)

    def newly_tipped(self, props: Tensor) -> Tensor:
        """Active environments whose first prop (N, P, 13) has gone over in this step, (N,) bool."""
        over = self.active & ~self.tipped & (up_z(props[:, 0, 3:7]) < TIPPED)
        self.tipped = self.tipped | over
        return over


def _check_names(config: CommandConfig, library: MotionLibrary) -> None:
    # a library of one's own need not have every blow that the settings list
    known = {**read_library(library.path).skills, **read_library(SHIPPED).skills}
    for name in config.blows:
        if name not in known:
            raise PPPError(f"field 'blows' of 'command': {unknown('skill', name, known)}")


def stand_off(reach: Tensor, generator: torch.Generator) -> Tensor:
    """How far the near side of a prop is from who strikes it, m, (n,), for blows' reach (n,), m."""
    share = torch.rand(len(reach), generator=generator, device=reach.device)
    return (reach * (0.6 + 0.4 * share)).clamp_min(NEAREST_PROP)
