"""Observations: sizes, invariance under a move and a turn of the world, goals by hand."""
from __future__ import annotations

import math

import pytest
import torch

from ppp.humanoid.kinematics import forward_kinematics
from ppp.humanoid.observation import FRAME, discriminator_frame, observe, observe_goal
from ppp.humanoid.rotations import normalise, quat_mul, quat_rotate, rotate_xy, yaw_quat
from ppp.humanoid.skeleton import NUM_DOFS


def state(seed=0, n=5):
    g = torch.Generator().manual_seed(seed)
    q, v = (0.5 * torch.randn(n, NUM_DOFS, generator=g) for _ in range(2))
    pos, lin, ang = (torch.randn(n, 3, generator=g) for _ in range(3))
    return pos, normalise(torch.randn(n, 4, generator=g)), q, lin, ang, v


def moved(pos, rot, q, lin, ang, v, yaw=1.1, shift=(4.0, -7.0)):
    turn = yaw_quat(torch.full((len(pos),), yaw))
    new = quat_rotate(turn, pos)
    new[:, :2] += torch.tensor(shift)
    return new, quat_mul(turn, rot), q, quat_rotate(turn, lin), quat_rotate(turn, ang), v


def test_sizes():
    s = state()
    bodies = forward_kinematics(*s)
    assert observe(bodies).shape == (5, 253)
    assert discriminator_frame(bodies, s[2], s[5]).shape == (5, 140)
    assert sum(c.stop - c.start for c in FRAME.values()) == 140


def test_nothing_changes_when_the_world_is_moved_and_turned():
    here, there = state(), moved(*state())
    a, b = forward_kinematics(*here), forward_kinematics(*there)
    assert torch.allclose(observe(a), observe(b), atol=2e-5)
    assert torch.allclose(discriminator_frame(a, here[2], here[5]),
                          discriminator_frame(b, there[2], there[5]), atol=2e-5)
    target = torch.randn(5, 2)
    turned = rotate_xy(target, torch.full((5,), 1.1)) + torch.tensor([4.0, -7.0])
    assert torch.allclose(observe_goal(here[0], here[1], target),
                          observe_goal(there[0], there[1], turned), atol=2e-5)


def test_height_does_change_the_observation():
    here = state()
    higher = (here[0] + torch.tensor([0, 0, 0.5]), *here[1:])
    gap = observe(forward_kinematics(*higher)) - observe(forward_kinematics(*here))
    assert gap[:, 0].tolist() == pytest.approx([0.5] * 5, abs=1e-5)
    assert gap[:, 1:].abs().max() < 1e-4


def test_goal_by_hand():
    """Standing at (1, 1) looking along y: a target at (1, 3) is 2 m straight ahead."""
    pos, rot = torch.tensor([[1.0, 1.0, 0.9]]), yaw_quat(torch.tensor([math.pi / 2]))
    goal = observe_goal(pos, rot, torch.tensor([[1.0, 3.0]]))
    assert torch.allclose(goal, torch.tensor([[1.0, 0.0, 0.4]]), atol=1e-5)
    left = observe_goal(pos, rot, torch.tensor([[-9.0, 1.0]]))
    assert torch.allclose(left, torch.tensor([[0.0, 1.0, 1.0]]), atol=1e-5)
