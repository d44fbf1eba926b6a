"""Pushes and thrown boxes: what counts as survived."""
from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
import torch

from ppp.errors import PPPError
from ppp.evaluation.perturb import STEADY, _Fates, down, main, upright
from ppp.humanoid.rotations import exp_map_to_quat


def state(height=0.9, tilt=0.0, touched=False):
    return SimpleNamespace(
        root_pos=torch.tensor([[0.0, 0.0, height]]),
        root_rot=exp_map_to_quat(torch.tensor([[tilt, 0.0, 0.0]])),
        contact_force=torch.zeros(1, 17, 3),
        bodies=SimpleNamespace(pos=torch.full((1, 17, 3), height)),
        prop_touched=torch.tensor([[touched]]))


def test_down_and_upright():
    assert upright(state()).item() and not down(state()).item()
    assert down(state(height=0.4)).item() and down(state(tilt=1.2)).item()
    leaning = state(tilt=0.8)  # 46 degrees: neither
    assert not upright(leaning).item() and not down(leaning).item()


def test_a_hit_counts_once_and_is_survived_unless_a_fall_follows_soon():
    fates = _Fates(1)
    for t in range(1, 31):  # the box bounces about: one hit
        fates.step(state(touched=t in (5, 6, 9)), torch.tensor([t]))
    assert (fates.hits, fates.falls, fates.felled) == (1, 0, 0)
    for t in range(0, 10):  # the next throw, and the fall
        fates.step(state(touched=t == 3, height=0.9 if t < 8 else 0.3), torch.tensor([t]))
    assert (fates.hits, fates.falls, fates.felled) == (2, 1, 1)
    for _ in range(STEADY + 5):
        fates.step(state(touched=True), torch.tensor([50]))  # a box that lies about is no hit
    assert (fates.hits, fates.rises, fates.falls) == (2, 1, 1)
    assert fates.stood == 30 + 8 + 6


def test_a_fall_long_after_a_hit_is_not_its_fault():
    fates = _Fates(1)
    fates.step(state(touched=True), torch.tensor([3]))
    for t in range(70):
        fates.step(state(), torch.tensor([4 + t]))
    fates.step(state(height=0.2), torch.tensor([80]))
    assert (fates.hits, fates.falls, fates.felled) == (1, 1, 0)


def test_the_table_of_pushes(tmp_path):
    """The shipped policy keeps its feet at 2 N s and loses them at 400."""
    out = tmp_path / "pushes.json"
    assert main(["--seeds", "1", "--each", "2", "--impulses", "2", "400", "--json", str(out)]) == 0
    table = json.loads(out.read_text())["survived"]
    assert set(table) == {"2 N s", "400 N s"}
    assert set(table["2 N s"]) == {"front", "back", "left", "right"}
    assert sum(table["2 N s"].values()) >= 3.0 and sum(table["400 N s"].values()) == 0.0


def test_wrong_arguments_are_named():
    with pytest.raises(PPPError, match="--impulses needs numbers above 0"):
        main(["--impulses", "-3"])
    with pytest.raises(PPPError, match="did you mean 'idle'"):
        main(["--skill", "idl"])
