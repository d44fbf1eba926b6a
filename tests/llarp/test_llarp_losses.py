"""The losses against values worked by hand."""
from __future__ import annotations

import math

import pytest
import torch

from ppp.llarp.losses import (
    PpoBatch,
    advantages_and_returns,
    imitation_loss,
    normalised,
    ppo_loss,
)


def test_advantages_by_hand():
    """Two episodes of 2 and 1 steps, gamma 0.5, lambda 0.5; what lies beyond an end is ignored."""
    rewards = torch.tensor([[1.0, 4.0], [2.0, 99.0]])
    values = torch.tensor([[2.0, 3.0], [1.0, 99.0]])
    gains, returns = advantages_and_returns(rewards, values, torch.tensor([2, 1]), 0.5, 0.5)
    # last step: 4 - 3 = 1; first: 1 + 0.5 * 3 - 2 = 0.5, plus 0.25 * 1
    assert torch.allclose(gains, torch.tensor([[0.75, 1.0], [1.0, 0.0]]))
    assert torch.allclose(returns, torch.tensor([[2.75, 4.0], [2.0, 0.0]]))


def test_normalised():
    out = normalised(torch.tensor([1.0, 3.0]))
    assert torch.allclose(out, torch.tensor([-1.0, 1.0]))
    assert torch.equal(normalised(torch.full((3,), 2.0)), torch.zeros(3))


def test_imitation_loss_leaves_out_what_was_not_labelled():
    logits = torch.log(torch.tensor([[0.5, 0.25, 0.25], [0.1, 0.8, 0.1], [0.2, 0.2, 0.6]]))
    loss, right = imitation_loss(logits, torch.tensor([0, -1, 1]), 4)
    assert float(loss) == pytest.approx(-(math.log(0.5) + math.log(0.2)) / 4)
    assert right == 1


def batch(**changes):
    values = dict(actions=torch.tensor([0, 1]), log_probs=torch.log(torch.tensor([0.5, 0.5])),
                  values=torch.tensor([1.0, 1.0]), advantages=torch.tensor([1.0, -1.0]),
                  returns=torch.tensor([2.0, 1.0]), log_reference=None)
    return PpoBatch(**{**values, **changes})


def test_ppo_loss_is_clipped_on_the_side_that_gains():
    """Ratios 1.6 (advantage 1: clipped to 1.2) and 1.6 (advantage -1: not clipped)."""
    logits = torch.log(torch.tensor([[0.8, 0.2], [0.2, 0.8]])).requires_grad_()
    loss, info = ppo_loss(logits, torch.tensor([1.0, 1.0]), batch(), 0.2, 0.0, 0.0, 0.0)
    assert float(loss.detach()) == pytest.approx(-(1.2 - 1.6) / 2)
    assert info["clipped"] == 1.0 and info["ratio_off"] == pytest.approx(0.6)
    loss.backward()
    assert logits.grad[0].abs().max() == 0.0  # nothing more to gain there
    assert logits.grad[1].abs().max() > 0.0


def test_values_entropy_and_reference_by_hand():
    logits = torch.zeros(2, 2)
    # values moved by 0.5, clipped to 0.2: errors (2 - 1.2)^2 = 0.64 and (1.5 - 1)^2 = 0.25
    _, info = ppo_loss(logits, torch.tensor([1.5, 1.5]), batch(), 0.2, 0.0, 1.0, 0.0)
    assert info["value_loss"] == pytest.approx(0.5 * (0.64 + 0.25) / 2)
    assert info["entropy"] == pytest.approx(math.log(2))
    reference = torch.log(torch.tensor([[0.9, 0.1], [0.9, 0.1]]))
    one, info = ppo_loss(logits, torch.ones(2), batch(log_reference=reference), 0.2, 0, 0, 1.0)
    none, _ = ppo_loss(logits, torch.ones(2), batch(log_reference=reference), 0.2, 0, 0, 0.0)
    expected = 0.5 * math.log(0.5 / 0.9) + 0.5 * math.log(0.5 / 0.1)
    assert info["kl_reference"] == pytest.approx(expected)
    assert float(one - none) == pytest.approx(expected)
