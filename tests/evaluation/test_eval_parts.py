"""The measuring programs run and their figures hang together."""
from __future__ import annotations

import pytest
import torch

from ppp.errors import PPPError
from ppp.evaluation import commands
from ppp.evaluation.task_test import heading_error, policy_from
from ppp.humanoid.kinematics import forward_kinematics
from ppp.humanoid.rotations import yaw_quat


@pytest.fixture(autouse=True)
def gradients_stay_on():
    yield
    torch.set_grad_enabled(True)


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
