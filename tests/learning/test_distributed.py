"""Two ranks update as one process does with the joined batch."""
from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from ranks import BATCH, HALF, HORIZON, train

from ppp.learning import distributed
from ppp.learning.advantages import normalised

HERE = Path(__file__).resolve().parent


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start_ranks(command, size=2):
    """Processes with the variables that torchrun sets."""
    common = {**os.environ, "WORLD_SIZE": str(size), "LOCAL_WORLD_SIZE": str(size),
              "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port()), "OMP_NUM_THREADS": "1",
              "PYTHONPATH": os.pathsep.join([str(HERE.parents[1]),
                                             os.environ.get("PYTHONPATH", "")])}
    return [subprocess.Popen([sys.executable, *map(str, command)], text=True,
                             stderr=subprocess.PIPE,
                             env={**common, "RANK": str(rank), "LOCAL_RANK": str(rank)})
            for rank in range(size)]


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """What two ranks learnt, and what one process learnt from the joined batch."""
    folder = tmp_path_factory.mktemp("ranks")
    for rank in (0, 1, "one"):
        (folder / str(rank)).mkdir()
    processes = start_ranks([HERE / "ranks.py", folder])
    single = train([0, 1], folder / "one")
    for process in processes:
        errors = process.communicate(timeout=240)[1]
        assert process.returncode == 0, errors[-3000:]
    ranks = [torch.load(folder / f"rank_{rank}.pt") for rank in (0, 1)]
    return folder, [r["arithmetic"] for r in ranks], [r["train"] for r in ranks], single


def test_the_joined_batchs_gradients_and_weights(results):
    _, _, (first, second), single = results
    assert len(single["gradients"]) == 4  # two iterations of two epochs
    for ours, whole in zip(first["gradients"], single["gradients"]):
        assert (ours - whole).norm() < 2e-4 * whole.norm()
    for part in ("policy", "style"):
        for name, value in single[part].items():
            assert torch.allclose(first[part][name], value, rtol=1e-3, atol=1e-4), (part, name)
            assert torch.equal(first[part][name], second[part][name]), (part, name)


def test_statistics_rate_and_counters_are_those_of_all_samples(results):
    _, _, (first, second), single = results
    for name in ("obs_norm", "value_norm"):
        assert first["policy"][f"{name}.count"] == 1 + 2 * 2 * HALF * HORIZON
        for part in ("mean", "var"):
            whole = single["policy"][f"{name}.{part}"]
            assert torch.allclose(first["policy"][f"{name}.{part}"], whole, rtol=1e-5), (name, part)
    assert first["kl"] == pytest.approx(single["kl"], rel=1e-3)
    assert first["kl"] == second["kl"] and first["kl"] > 0
    assert first["lr"] == second["lr"] == single["lr"] != 1e-3  # it has been adapted
    assert first["frame"] == second["frame"] == single["frame"] == 2 * 2 * HALF * HORIZON


def test_the_warm_starts_regression_is_that_of_all_states(results):
    _, _, (first, second), single = results
    for name, value in single["regression"].items():
        assert torch.allclose(first["regression"][name], value, rtol=1e-4, atol=1e-6), name
        assert torch.equal(first["regression"][name], second["regression"][name]), name
    assert len(single["regression"]["gradient"]) > BATCH


def test_one_rank_writes_and_counts_for_all(results):
    folder, _, _, _ = results
    files = {rank: [p.name for p in (folder / rank).rglob("*") if p.is_file()]
             for rank in ("0", "1")}
    assert files["1"] == [] and "history.jsonl" in files["0"]
    ours, whole = ([json.loads(line) for line in (folder / n / "history.jsonl").open()]
                   for n in ("0", "one"))
    assert [row["samples"] for row in ours] == [row["samples"] for row in whole]
    assert set(ours[0]) == set(whole[0])
    for key in set(ours[0]) - {"seconds", "samples_per_s"}:
        assert ours[1][key] == pytest.approx(whole[1][key], rel=2e-3, abs=1e-4), key


def test_the_helpers_by_hand(results):
    for result in results[1]:
        count, mean, var = result["moments"]
        assert count == 3 and mean.tolist() == pytest.approx([4.0, 14.0])  # of 1, 3, 8; 10, 30, 2
        assert var.tolist() == pytest.approx([26 / 3, 416 / 3])
        assert result["gradient"].tolist() == [1.5, 7.5] and result["idle"] is None
        assert result["fill"].tolist() == [0.0, 0.0]
        assert result["kept"]["who"] == 0 and result["kept"]["a"].tolist() == [0, 1, 2]
        assert result["refused"].startswith("PPPError: rank 1 has other settings")
        assert result["rows"].tolist() == [[1.0], [3.0]]
        assert result["any"] is True and result["of_first"] is False


def test_one_process_passes_through_untouched(monkeypatch):
    """No copy, no rounding: what was trained before is trained the same now."""
    values = torch.randn(3)
    for same in (distributed.total, distributed.mean, distributed.joined):
        assert same(values) is values
    assert distributed.joined_moments(3, values, values) == (3, values, values)
    monkeypatch.setenv("WORLD_SIZE", "1")
    with distributed.started() as world:
        assert world == distributed.World() and world.seed(7) == 7 and world.threads() is None


def test_advantages_of_one_process_by_hand():
    advantages = torch.tensor([[1.0], [3.0], [5.0]])
    scaled = normalised(advantages, torch.tensor([0, 0, 1]), 3)
    assert scaled.flatten().tolist() == pytest.approx([-1.0, 1.0, 0.0])
