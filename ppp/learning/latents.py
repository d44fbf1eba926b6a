"""Which z every environment acts under. What z is made from is a setting, ``codes``:

- ``quantised``: the codebook entry of the commanded skill (PPP);
- ``raw``: the text encoding of a phrase of that skill, drawn at each command, not quantised;
- ``motion``: a stretch of one of its clips, through a motion encoder (CALM, arXiv 2305.02195);
- ``sphere``: nothing: a random direction (ASE, arXiv 2205.01906);
- ``none``: there is no z (AMP, GAIL).

In each case the policy's encoder has a table of z, and an environment acts under one row of it.
"""
from __future__ import annotations

from typing import Any, Dict, Optional, Tuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ppp.learning.codes import load_phrase_codes
from ppp.learning.config import TrainConfig
from ppp.learning.networks import GivenLatents, MotionEncoder, SkillEncoder
from ppp.motion.library import MotionLibrary

#: random directions kept: those that nobody acts under are drawn anew before each roll-out
POOL = 8192


def make_encoder(config: TrainConfig, codes: Tensor, library: MotionLibrary, seed: int
                 ) -> nn.Module:
    """The policy's encoder for the settings; codes (K, d) are the skills' codebook entries."""
    net = config.network
    if config.codes == "motion":
        return MotionEncoder(stretches(library, config.motion.frames, config.motion.stride).cpu(),
                             net.encoder, net.latent, config.motion.gradient == "policy")
    if config.codes == "sphere":
        return GivenLatents(directions(POOL, net.latent))
    if config.codes == "none":
        return GivenLatents(torch.zeros(1, net.latent))
    if config.codes == "raw":
        codes, owner = load_phrase_codes(config.phrases, library.skills, config.phrases_per_skill,
                                         seed)
        return SkillEncoder(codes, net.encoder, net.latent, owner)
    return SkillEncoder(codes, net.encoder, net.latent)


def directions(count: int, latent: int) -> Tensor:
    """Random unit vectors (count, latent), uniform on the sphere."""
    return F.normalize(torch.randn(count, latent), dim=-1)


def stretches(library: MotionLibrary, frames: int, stride: int) -> Tensor:
    """Every ``stride``-th of the ``frames`` frames that end at each frame, normalised, (F, E)."""
    mean, std = library.frame.mean(0), library.frame.std(0).clamp_min(0.05)
    normal = ((library.frame - mean) / std).clamp(-8.0, 8.0)
    index, kept = torch.arange(library.size, device=library.frame.device), []
    for _ in range(0, frames, stride):
        kept.append(normal[index])
        index = earlier(library, index, torch.full_like(index, stride))
    return torch.cat(kept, -1)


class Latents:
    """The row of each environment's z, ``now`` (N,), renewed with its command."""

    def __init__(self, kind: str, library: Any, encoder: Optional[nn.Module] = None,
                 frames: int = 1) -> None:
        self.kind, self.library, self.encoder = kind, library, encoder
        #: control steps that a row of ``motion`` stands for
        self.frames = frames
        self._rows: Optional[Tensor] = None
        self._skill = self._left = torch.zeros(0, dtype=torch.long)

    # -- acting ------------------------------------------------------------------------------
    def now(self, commands: Any) -> Tensor:
        """Rows (N,) for the present commands; a new command, or a new hold of it, draws anew."""
        if self.kind == "quantised":
            return commands.skill
        left = getattr(commands, "left", commands.skill)
        if self._rows is None or len(self._rows) != len(commands.skill):
            self._rows = self.draw(commands.skill)
        else:
            fresh = (commands.skill != self._skill) | (left > self._left)
            self._rows = torch.where(fresh, self.draw(commands.skill), self._rows)
        self._skill, self._left = commands.skill.clone(), left.clone()
        return self._rows

    def draw(self, skill: Tensor) -> Tensor:
        """A row for each of the skills (n,)."""
        if self.kind == "quantised":
            return skill
        if self.kind == "motion":
            return self.library.sample(skill)
        if self.kind == "raw":
            owner = self.encoder.skill_of  # sorted: a skill's phrases lie together
            count = torch.bincount(owner, minlength=len(self.library.skills))
            first = count.cumsum(0) - count
            return first[skill] + (torch.rand_like(skill, dtype=torch.float) * count[skill]).long()
        return torch.randint(len(self.encoder.table()), skill.shape, device=skill.device)

    @torch.no_grad()
    def refresh(self) -> None:
        """Before a roll-out: encode the clips again, or draw the directions nobody acts under."""
        if self.kind == "motion":
            self.encoder.refresh()
        elif self.kind == "sphere":
            z = self.encoder.z
            idle = torch.ones(len(z), dtype=torch.bool, device=z.device)
            if self._rows is not None:
                idle[self._rows] = False
            z[idle] = directions(int(idle.sum()), z.shape[1]).to(z)

    # -- the discriminator's side --------------------------------------------------------------
    def demo(self, count: int) -> Tuple[Tensor, Tensor, Tensor]:
        """Last frames (n,) of demo windows, the rows they are shown with, and wrong rows."""
        kinds = len(self.library.skills)
        device = self.library.frame.device
        skill = torch.randint(0, kinds, (count,), device=device)
        last = self.library.sample(skill)
        if self.kind == "motion":  # as in CALM: no label; another motion of the batch is wrong
            back = torch.randint(0, self.frames, (count,), device=device)
            return earlier(self.library, last, back), last, last[torch.randperm(count)]
        wrong = (skill + torch.randint(1, max(kinds, 2), skill.shape, device=device)) % kinds
        if self.kind in ("sphere", "none"):
            none = torch.zeros_like(last)
            return last, none, none
        return last, self.draw(skill), self.draw(wrong)

    # -- keeping -----------------------------------------------------------------------------
    def state(self) -> Dict[str, Tensor]:
        """Who acts under what, for :meth:`load`."""
        if self._rows is None:
            return {}
        return {"rows": self._rows, "skill": self._skill, "left": self._left}

    def load(self, state: Dict[str, Tensor]) -> None:
        """Inverse of :meth:`state`."""
        if state:
            self._rows, self._skill, self._left = (
                state[name].to(self.library.frame.device) for name in ("rows", "skill", "left"))


def earlier(library: MotionLibrary, frame: Tensor, steps: Tensor) -> Tensor:
    """Frames (n,) that lie ``steps`` (n,) before ``frame`` in its clip; its first where it ends."""
    for step in range(int(steps.max())):
        before = library.prev[frame]
        frame = torch.where((steps > step) & (before >= 0), before, frame)
    return frame


def alignment_uniformity(near: Tensor, other: Tensor) -> Tuple[Tensor, Tensor]:
    """The two losses of Wang & Isola (arXiv 2005.10242) for unit vectors (n, latent).

    near and other: z of stretches that overlap, row by row. Alignment: mean squared distance of
    the pairs; uniformity: log of the mean of exp(-2 d^2) over all pairs of ``near``.
    """
    alignment = (near - other).square().sum(-1).mean()
    gap = 2.0 - 2.0 * near @ near.T  # squared distances of unit vectors
    rows, columns = torch.triu_indices(len(near), len(near), 1)
    return alignment, torch.exp(-2.0 * gap[rows, columns]).mean().log()


def skill_table(kind: str, encoder: nn.Module, library: MotionLibrary,
                posterior: Optional[Tensor] = None) -> Tensor:
    """One z for each skill, (K, latent), by which a bundle's skills are called.

    quantised: that of its entry; raw, motion: the mean direction over its phrases or clips; sphere:
    the mean over its clips of ``posterior`` (F, latent), q's mean at each frame; none: zeros.
    """
    kinds = len(library.skills)
    if kind == "quantised":
        return encoder.table()
    if kind == "none":
        return encoder.table().expand(kinds, -1)
    z = posterior if kind == "sphere" else encoder.table()
    owner = encoder.skill_of if kind == "raw" else library.skill
    total = z.new_zeros(kinds, z.shape[1]).index_add(0, owner, z)
    return F.normalize(total, dim=-1)
