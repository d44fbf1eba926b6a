"""Advantages, normaliser, discriminator, buffers: hand-computed values and invariances."""
from __future__ import annotations

import dataclasses
import math
import subprocess
import sys

import pytest
import torch

from ppp.errors import PPPError
from ppp.learning.advantages import gae, normalised
from ppp.learning.buffers import ReplayBuffer
from ppp.learning.config import DiscriminatorConfig, load_train
from ppp.learning.discriminator import (
    REWARD_FLOOR,
    Discriminator,
    discriminator_loss,
    style_reward,
)
from ppp.learning.networks import SkillEncoder, SkillPolicy
from ppp.learning.normalizer import RunningNormalizer


def column(*values):
    return torch.tensor(values, dtype=torch.float32)[:, None]


def test_gae_three_steps_by_hand():
    """gamma 0.5, lambda 0.5: delta = r + 0.5 v' - v, A_t = delta_t + 0.25 A_{t+1}."""
    out = gae(column(1, 2, 3), column(2, 4, 6), column(4, 6, 8), column(0, 0, 0), 0.5, 0.5)
    # deltas: 1+2-2 = 1, 2+3-4 = 1, 3+4-6 = 1
    assert out[:, 0].tolist() == pytest.approx([1 + 0.25 * 1.25, 1.25, 1.0])


def test_gae_terminated_step_has_no_future():
    out = gae(column(1, 2), column(2, 4), column(0, 0), column(1, 0), 0.9, 0.9)
    assert out[:, 0].tolist() == pytest.approx([1 - 2, 2 - 4])


def test_gae_timed_out_step_is_bootstrapped_but_cut():
    """The value of the true next state (10) counts, the next episode's advantage does not."""
    out = gae(column(1, 100), column(2, 4), column(10, 0), column(1, 0), 0.9, 0.9)
    assert out[0, 0].item() == pytest.approx(1 + 9 - 2)


def test_normaliser_equals_the_statistics_of_all_batches():
    torch.manual_seed(0)
    batches = [3.0 + 2.0 * torch.randn(500, 4) for _ in range(3)]
    norm = RunningNormalizer(4)
    for batch in batches:
        norm.update(batch)
    every = torch.cat(batches).double()
    assert norm.count.item() == 1501
    assert torch.allclose(norm.mean, every.mean(0), atol=0.01)
    assert torch.allclose(norm.var, every.var(0), rtol=0.02)
    x = torch.randn(7, 4)
    assert torch.allclose(norm.undo(norm(x)), x, atol=1e-4)


def test_style_reward_pays_the_better_imitation_more():
    logits = torch.tensor([-4.0, -1.0, 0.0, 1.0, 4.0])
    reward = style_reward(logits)
    assert (reward[1:] > reward[:-1]).all()
    assert reward[2].item() == pytest.approx(math.log(2.0))
    highest = style_reward(torch.tensor([50.0])).item()
    assert highest == pytest.approx(-math.log(REWARD_FLOOR), rel=1e-5)
    assert (reward >= 0).all()


def toy(mismatched):
    """Two skills whose real windows are +1 and -1 in every coordinate; the policy makes noise."""
    torch.manual_seed(0)
    config = DiscriminatorConfig(mismatched=mismatched, gradient_penalty=0.1, learning_rate=3e-3)
    net = Discriminator(2, torch.zeros(140), torch.ones(140), 8, [64])
    z = torch.nn.functional.normalize(torch.randn(2, 8), dim=-1)
    optimizer = torch.optim.Adam(net.parameters(), config.learning_rate)
    real = lambda s: (1.0 - 2.0 * s.float())[:, None, None] + 0.1 * torch.randn(len(s), 2, 140)  # noqa: E731
    for _ in range(60):
        skill = torch.randint(0, 2, (64,))
        loss, info = discriminator_loss(net, real(skill), torch.randn(64, 2, 140), z[skill],
                                        z[torch.randint(0, 2, (64,))], z[1 - skill], config)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    ones = torch.zeros(32, dtype=torch.long)
    with torch.no_grad():
        right, wrong = net(real(ones), z[ones]).mean(), net(real(ones), z[1 - ones]).mean()
        noise = net(torch.randn(32, 2, 140), z[ones]).mean()
    return right.item(), wrong.item(), noise.item(), info


def test_discriminator_learns_to_tell_real_from_made():
    right, _, noise, info = toy(0.5)
    assert right > 0 > noise
    assert info["accuracy_demo"] > 0.9 and info["accuracy_policy"] > 0.9


def test_mismatched_negatives_make_it_look_at_the_skill():
    """Without them the other skill's motion passes as real; with them it does not."""
    right, wrong, _, _ = toy(0.5)
    assert wrong < 0 < right
    _, free, _, _ = toy(0.0)
    assert free > wrong + 1.0


def test_replay_keeps_the_newest_and_pairs_windows_with_skills():
    ring = ReplayBuffer(8, 1, 1)
    for value in range(3):
        ring.add(torch.full((4, 1, 1), float(value)), torch.full((4,), value))
    windows, skill = ring.sample(100)
    assert set(skill.tolist()) == {1, 2}
    assert torch.equal(windows[:, 0, 0].long(), skill)


def test_z_is_on_the_unit_sphere_and_codes_are_frozen():
    encoder = SkillEncoder(torch.eye(3), [16], 8)
    assert torch.allclose(encoder.table().norm(dim=-1), torch.ones(3), atol=1e-6)
    assert not encoder.codebook.requires_grad and "codebook" in encoder.state_dict()


def test_untrained_policy_is_a_statue():
    policy = SkillPolicy(256, 31, torch.eye(3), [32], [32], [16], 8, -3.0)
    mu, _ = policy(torch.randn(10, 256), torch.zeros(10, dtype=torch.long))
    assert mu.abs().max() < 0.1


def test_presets_load_and_divide():
    from ppp.settings import ROOT
    for name in ("ppp.yaml", "ppp_cpu.yaml"):
        load_train(ROOT / "cfg" / "train" / name)


@pytest.mark.parametrize("text, message", [
    ("num_envs: 100", "do not divide by minibatch"),
    ("ppo: {epoch: 3}", "did you mean 'epochs'"),
    ("num_envs: many", "whole number"),
])
def test_wrong_training_settings_are_one_sentence(tmp_path, text, message):
    path = tmp_path / "train.yaml"
    path.write_text(text)
    with pytest.raises(PPPError, match=message):
        load_train(path)


def test_settings_round_trip_through_a_checkpoints_dictionary():
    from ppp.learning.config import TrainConfig
    from ppp.settings import build
    config = load_train()
    assert build(TrainConfig, dataclasses.asdict(config), "memory") == config


def test_acting_and_planning_never_import_rl_games():
    code = ("import sys, ppp.planning.physics, ppp.tasks.env, ppp.learning.train, ppp.cli; "
            "sys.exit('rl_games' in sys.modules)")
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_advantages_are_scaled_within_each_skill():
    """A skill with advantages ten times as large gets no larger a step."""
    small = torch.tensor([[-1.0], [1.0], [-1.0], [1.0]])
    both = torch.cat((small, 10.0 * small + 3.0, torch.tensor([[5.0]])))
    group = torch.tensor([0] * 4 + [2] * 4 + [1])
    out = normalised(both, group, 3)
    assert torch.allclose(out[:4], small) and torch.allclose(out[4:8], small)
    assert out[8] == 0.0  # alone in its skill: nothing to compare with
    one = normalised(both, torch.zeros(9, dtype=torch.long), 1)
    assert one.mean().abs() < 1e-6 and one.std(unbiased=False).item() == pytest.approx(1.0)
