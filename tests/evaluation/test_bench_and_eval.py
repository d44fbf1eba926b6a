"""The measuring programs run and their figures hang together."""
from __future__ import annotations

import json

import pytest
import torch

from ppp.errors import PPPError
from ppp.evaluation import bench, commands
from ppp.evaluation.task_test import heading_error, policy_from
from ppp.humanoid.kinematics import forward_kinematics
from ppp.humanoid.rotations import yaw_quat


@pytest.fixture(autouse=True)
def gradients_stay_on():
    yield
    torch.set_grad_enabled(True)


def test_bench_reports_consistent_ratios(tmp_path, capsys):
    settings = tmp_path / "train.yaml"
    settings.write_text("num_envs: 32\nppo: {horizon: 4, minibatch: 64, epochs: 1}\n"
                        "network: {actor: [32], critic: [32], discriminator: [32]}\n"
                        "discriminator: {batch: 64, replay: 500}\n")
    out = tmp_path / "bench.json"
    assert bench.main(["--num-envs", "32", "--rounds", "1", "--cfg-train", str(settings),
                       "--json", str(out)]) == 0
    figures = json.loads(out.read_text())
    assert figures["env_to_raw_ratio"] == pytest.approx(
        figures["env_steps_per_s"] / figures["raw_steps_per_s"])
    assert figures["train_to_raw_ratio"] == pytest.approx(
        figures["train_samples_per_s"] / figures["raw_steps_per_s"])
    assert figures["memory_mb"] > 50 and 0 < figures["rollout_share"] < 1


def test_bench_refuses_a_batch_that_does_not_divide():
    with pytest.raises(PPPError, match="do not divide"):
        bench.main(["--num-envs", "7"])


def test_unknown_part_names_the_choices():
    with pytest.raises(PPPError, match="language"):
        commands.main(["langage"])


def test_heading_error_by_hand():
    """Looking along x at a target on the y axis is 90 degrees off, or none with that offset."""
    zero = torch.zeros(1, 3)

    class State:
        bodies = forward_kinematics(zero, yaw_quat(torch.zeros(1)), torch.zeros(1, 31), zero, zero,
                                    torch.zeros(1, 31))
        root_pos, root_rot = bodies.pos[:, 0], bodies.rot[:, 0]

    target = torch.tensor([[0.0, 3.0]])
    error = heading_error(State, target, torch.zeros(1)).item()
    assert error == pytest.approx(torch.pi / 2, abs=1e-4)
    quarter = torch.full((1,), torch.pi / 2)
    assert heading_error(State, target, quarter).item() == pytest.approx(0.0, abs=1e-4)


def test_a_missing_checkpoint_is_one_sentence(tmp_path):
    with pytest.raises(PPPError, match="no such checkpoint"):
        policy_from(tmp_path / "x.pt")
