"""Drawing frames by skill and weight."""
from __future__ import annotations

import torch


def test_frames_are_drawn_by_the_weight_of_their_clips(library):
    skill = library.skills.index("slash")
    many = torch.full((40_000,), skill)
    rows = library.sample(many, torch.Generator().manual_seed(0))
    assert (library.skill[rows] == skill).all() and library.enterable[rows].all()
    share = torch.bincount(rows, minlength=library.size) / len(many)
    wanted = torch.where(library.skill == skill, library.weight * library.enterable, 0.0)
    wanted = wanted / wanted.sum()
    assert (share - wanted).abs().max() < 5 * (wanted.max() / len(many)) ** 0.5


def test_every_skill_gets_its_own_frames_and_a_seed_the_same_ones(library):
    skill = torch.arange(len(library.skills)).repeat(50)
    first, again = (library.sample(skill, torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(first, again)
    assert torch.equal(library.skill[first], skill)
