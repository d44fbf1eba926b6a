"""A run in two halves gives the same numbers as in one."""
from __future__ import annotations

import json

import pytest
import torch
from test_agent import codes, settings  # noqa: F401  (an autouse fixture)

from ppp.learning.buffers import ReplayBuffer
from ppp.learning.checkpoint import latest_checkpoint, load_checkpoint
from ppp.learning.moment import NAME, load_moment
from ppp.learning.train import Trainer
from ppp.tasks.config import load_task


def run(folder, iterations, resume=False, seed=3):
    trainer = Trainer(load_task("HumanoidSkills"), settings(iterations), folder, seed=seed)
    if resume:
        trainer.restore(latest_checkpoint(folder))
    return load_checkpoint(trainer.run())


def curves(folder):
    rows = [json.loads(line) for line in (folder / "history.jsonl").read_text().splitlines()]
    return [{k: v for k, v in row.items() if not k.startswith(("seconds", "samples_per"))
             or k.startswith("seconds_to")} for row in rows]


def same(a, b):
    if isinstance(a, torch.Tensor):
        return torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    return len(a) == len(b) and all(map(same, a, b)) if isinstance(a, list) else a == b


def test_two_and_two_iterations_are_four_bit_for_bit(tmp_path):
    whole = run(tmp_path / "whole", 4)
    run(tmp_path / "halves", 2)
    halves = run(tmp_path / "halves", 4, resume=True, seed=99)  # the seed is the checkpoint's
    for part in ("policy", "optimizer", "style", "random", "env_random"):
        assert same(whole[part], halves[part]), part
    assert curves(tmp_path / "whole") == curves(tmp_path / "halves")


def test_without_its_moment_a_run_resumes_with_new_episodes(tmp_path, capsys):
    run(tmp_path / "run", 2)
    (tmp_path / "run" / "checkpoints" / NAME).write_bytes(b"torn")
    state = run(tmp_path / "run", 3, resume=True)
    assert state["counters"]["iteration"] == 3
    assert "starts a new episode" in capsys.readouterr().err


def test_a_moment_belongs_to_one_checkpoint(tmp_path):
    run(tmp_path / "run", 1)
    folder = tmp_path / "run" / "checkpoints"
    assert load_moment(folder, 1) is not None
    assert load_moment(folder, 2) is None


@pytest.mark.parametrize("size", [8, 20])
def test_a_replay_taken_back_gives_the_same_draws(size):
    old, new = ReplayBuffer(size, 2, 3), ReplayBuffer(size, 2, 3)
    for n in range(3):
        old.add(torch.full((5, 2, 3), float(n)), torch.full((5,), n))
    new.load(old.state())
    draws = []
    for ring in (old, new):
        torch.manual_seed(0)
        ring.add(torch.ones(3, 2, 3), torch.full((3,), 7))
        draws.append(ring.sample(50))
    assert all(map(torch.equal, *draws))
