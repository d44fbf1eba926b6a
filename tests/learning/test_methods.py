"""The published methods as settings: their formulas, that each runs, resumes and is tested."""
from __future__ import annotations

import contextlib
import dataclasses
import io
from types import SimpleNamespace

import pytest
import torch
from test_agent import codes, settings  # noqa: F401  (an autouse fixture)
from test_learning import toy_config
from test_resume import same
from toy import ToyEnv, ToyLibrary

from ppp.errors import PPPError
from ppp.evaluation.task_test import policy_from
from ppp.learning.chance import seed_everything
from ppp.learning.checkpoint import latest_checkpoint, load_checkpoint
from ppp.learning.config import check_batch, load_train
from ppp.learning.diagnostics import RunLog
from ppp.learning.discriminator import Discriminator, discriminator_loss, style_reward
from ppp.learning.latents import Latents, alignment_uniformity, directions, make_encoder, stretches
from ppp.learning.networks import GivenLatents, SkillEncoder
from ppp.learning.rlg_agent import PppAgent, build_params
from ppp.learning.rlg_model import RlgEnv, RlgModel, diversity_loss
from ppp.learning.style import StyleTrainer
from ppp.learning.train import Trainer, make_policy
from ppp.motion.library import MotionLibrary
from ppp.settings import ROOT
from ppp.tasks.config import load_task

METHODS = ("amp", "gail", "ase", "calm")


def method(name, iterations=2):
    """The shipped settings of a method with small networks."""
    config, small = load_train(ROOT / "cfg" / "train" / f"{name}.yaml"), settings(iterations)
    net = dataclasses.replace(config.network, actor=[64], critic=[64], discriminator=[64],
                              encoder=[32], latent=min(16, config.network.latent))
    ppo = dataclasses.replace(config.ppo, horizon=8, minibatch=32)
    disc = dataclasses.replace(config.discriminator, batch=64, replay=1000)
    return dataclasses.replace(config, num_envs=small.num_envs, network=net, ppo=ppo,
                               discriminator=disc, iterations=iterations)


def task(skills=("idle", "walk_forward", "slash")):
    plain = load_task("HumanoidSkills", ROOT / "cfg" / "env" / "skills_plain.yaml")
    return dataclasses.replace(plain, skills=list(skills))


# -- formulas --------------------------------------------------------------------------------
def test_least_squares_reward_by_hand():
    logits = torch.tensor([1.0, 0.0, -1.0, -5.0, 2.0])
    assert style_reward(logits, "lsgan").tolist() == [1.0, 0.75, 0.0, 0.0, 0.75]


def test_least_squares_loss_by_hand():
    """Logits fixed at 0.5: real (0.5 - 1)^2, fake (0.5 + 1)^2, halved."""
    net = Discriminator(2, torch.zeros(3), torch.ones(3), 0, [4])
    with torch.no_grad():
        net.head.weight.zero_()
        net.head.bias.fill_(0.5)
    config = dataclasses.replace(load_train().discriminator, loss="lsgan", mismatched=0.0)
    windows, z = torch.randn(6, 2, 3), torch.zeros(6, 1)
    loss, _ = discriminator_loss(net, windows, windows, z, z, z, config)
    assert loss.item() == pytest.approx(0.5 * (0.25 + 2.25))


def test_an_unconditional_discriminator_does_not_see_z():
    net = Discriminator(2, torch.zeros(3), torch.ones(3), 0, [8])
    windows = torch.randn(5, 2, 3)
    assert torch.equal(net(windows, directions(5, 4)), net(windows, directions(5, 4)))


def test_alignment_and_uniformity_by_hand():
    z = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    other = torch.tensor([[0.0, 1.0], [0.0, 1.0]])
    alignment, uniformity = alignment_uniformity(z, other)
    assert alignment.item() == pytest.approx(1.0)  # squared distances 2 and 0
    assert uniformity.item() == pytest.approx(-4.0)  # one pair at squared distance 2


def test_diversity_wants_actions_as_far_apart_as_z():
    z, other = torch.tensor([[1.0, 0.0]]), torch.tensor([[-1.0, 0.0]])  # d_z = 1
    mu = torch.zeros(1, 4)
    assert diversity_loss(mu, mu + 1.0, z, other).item() == pytest.approx(0.0, abs=1e-6)
    assert diversity_loss(mu, mu, z, other).item() == pytest.approx(1.0)


# -- who acts under what -----------------------------------------------------------------------
def test_a_row_is_held_as_long_as_its_command():
    latents = Latents("sphere", None, GivenLatents(directions(1000, 8)))
    commands = SimpleNamespace(skill=torch.tensor([0, 0, 1]), left=torch.tensor([5, 5, 5]))
    first = latents.now(commands).clone()
    commands.left -= 1
    assert torch.equal(latents.now(commands), first)
    commands.left[1] = 20  # a new hold of the same skill
    commands.skill = torch.tensor([1, 0, 1])  # another skill
    second = latents.now(commands)
    assert (second != first).tolist() == [True, True, False]


def test_directions_in_use_stay_while_the_others_are_drawn_anew():
    latents = Latents("sphere", None, GivenLatents(directions(100, 8)))
    rows = latents.now(SimpleNamespace(skill=torch.zeros(4, dtype=torch.long)))
    before = latents.encoder.z.clone()
    latents.refresh()
    changed = (latents.encoder.z != before).any(-1)
    assert not changed[rows].any() and changed.sum() == 100 - len(set(rows.tolist()))
    assert torch.allclose(latents.encoder.z.norm(dim=-1), torch.ones(100))


def test_raw_rows_are_phrases_of_the_commanded_skill():
    owner = torch.tensor([0, 0, 0, 1, 2, 2])
    encoder = SkillEncoder(torch.randn(6, 5), [8], 4, owner)
    latents = Latents("raw", SimpleNamespace(skills=["a", "b", "c"]), encoder)
    skill = torch.arange(3).repeat(200)
    rows = latents.draw(skill)
    assert torch.equal(owner[rows], skill) and len(set(rows.tolist())) == 6


def test_a_stretch_is_the_frames_before_it():
    library = MotionLibrary(ROOT / "motions" / "library.yaml", ["idle", "slash"])
    features = stretches(library, 60, 6)
    assert features.shape == (library.size, 10 * 140)
    row = int((library.prev < 0).nonzero()[0]) + 12
    assert torch.equal(features[row, 280:420], features[row - 12, :140])


@pytest.mark.parametrize("change, field", [
    ({"codes": "sphere"}, "conditional"), ({"codes": "squared"}, "kind of codes")])
def test_parts_that_do_not_go_together_are_told(change, field):
    with pytest.raises(PPPError, match=field):
        check_batch(dataclasses.replace(load_train(), **change), "mine.yaml")


# -- each method -------------------------------------------------------------------------------
@pytest.mark.parametrize("name", METHODS)
def test_a_method_trains_resumes_and_is_tested(name, tmp_path):
    def run(folder, iterations, resume=False):
        trainer = Trainer(task(), method(name, iterations), folder, seed=1)
        if resume:
            trainer.restore(latest_checkpoint(folder))
        return trainer, trainer.run()

    trainer, halves = run(tmp_path / "halves", 1)
    if name in ("ase", "calm"):  # whose z change under way
        _, whole = run(tmp_path / "whole", 2)
        trainer, halves = run(tmp_path / "halves", 2, resume=True)
        first, second = load_checkpoint(whole), load_checkpoint(halves)
        assert same(first["policy"], second["policy"]) and same(first["style"], second["style"])
    policy = policy_from(halves)
    assert policy.card["codes"] == trainer.config.codes
    assert policy.z.shape == (3, trainer.config.network.latent)
    if name in ("ase", "calm"):  # skills get z of their own
        assert torch.allclose(policy.z.norm(dim=-1), torch.ones(3), atol=1e-5)
        assert (policy.z[0] - policy.z[1]).norm() > 1e-4
    obs = torch.randn(4, 256)
    moved = obs.clone()
    moved[:, -3:] += 1.0
    skill = torch.zeros(4, dtype=torch.long)
    sees = not torch.equal(policy.action(obs, skill), policy.action(moved, skill))
    assert sees == trainer.config.network.goal


def test_raw_encodings_train_and_give_each_skill_one_z(tmp_path, monkeypatch):
    owner = torch.tensor([0, 0, 1, 1, 1, 2])
    monkeypatch.setattr("ppp.learning.latents.load_phrase_codes",
                        lambda *_: (torch.nn.functional.normalize(torch.randn(6, 24)), owner))
    config = dataclasses.replace(settings(1), codes="raw")
    trainer = Trainer(task(), config, tmp_path / "run")
    policy = policy_from(trainer.run())
    with torch.no_grad():
        table = trainer.policy.encoder.table()
    assert table.shape == (6, 16) and policy.z.shape == (3, 16)
    assert torch.allclose(policy.z[2], table[5], atol=1e-6)
    both = torch.nn.functional.normalize(table[0] + table[1], dim=0)
    assert torch.allclose(policy.z[0], both, atol=1e-6)


@pytest.mark.parametrize("gradient", ["policy", "discriminator"])
def test_a_motion_encoder_learns_from_the_one_it_is_told(gradient, tmp_path):
    """Alignment and uniformity off: what is left moves it, and nothing does without that."""
    moved = {}
    for teaching in (True, False):
        config = method("calm", 1)
        motion = dataclasses.replace(config.motion, gradient=gradient, alignment=0.0,
                                     uniformity=0.0)
        disc = dataclasses.replace(config.discriminator, weight_decay=0.0)
        config = dataclasses.replace(config, motion=motion, discriminator=disc)
        if not teaching and gradient == "policy":  # the actor stands still
            warm = dataclasses.replace(config.warm_start, critic_iterations=9)
            config = dataclasses.replace(config, warm_start=warm)
        if not teaching and gradient == "discriminator":
            config = dataclasses.replace(config, discriminator=dataclasses.replace(disc, steps=0))
        trainer = Trainer(task(), config, tmp_path / str(teaching), seed=1)
        before = [p.clone() for p in trainer.policy.encoder.parameters()]
        trainer.run()
        after = trainer.policy.encoder.parameters()
        moved[teaching] = any(not torch.equal(a, b) for a, b in zip(before, after))
    assert moved == {True: True, False: False}


def on_toy(config, folder, clips=4):
    """Train on the toy with its first clips; the policy, its environment, the style trainer."""
    seed_everything(0)
    env, library = ToyEnv(), ToyLibrary()
    library.skills = library.skills[:clips]
    encoder = make_encoder(config, torch.eye(4), library, 0)
    policy = make_policy(config, encoder, 2, 2)
    style = StyleTrainer(library, 2, config, latents=Latents(config.codes, library, encoder))
    log = RunLog(folder, env.library.skills, config.iterations, 1e9, lambda: None)
    model = RlgModel(policy, config.ppo.diversity)
    params = build_params(config, RlgEnv(env), model, log, str(folder), "run", "cpu")
    with contextlib.redirect_stdout(io.StringIO()):
        agent = PppAgent(params, config, style)
        style.refresh(policy.encoder)
        log.start()
        agent.train()
    return policy, env, style


def velocities(policy, env, rows):
    """Where the deterministic policy ends, (N, 2) m/s."""
    obs = env.reset()
    env.age[:] = 0
    for _ in range(30):
        with torch.no_grad():
            obs = env.step(policy.act(obs, rows))[0]
    return env.velocity


@pytest.mark.parametrize("loss", ["bce", "lsgan"])
def test_without_z_a_policy_learns_what_the_clips_have_in_common(tmp_path, loss):
    """GAIL and AMP's prior, with clips of one direction: 1 m/s along x, whatever is commanded."""
    base = toy_config(40)
    config = dataclasses.replace(
        base, codes="none", network=dataclasses.replace(base.network, latent=1),
        ppo=dataclasses.replace(base.ppo, advantage_by_skill=False),
        discriminator=dataclasses.replace(base.discriminator, conditional=False, mismatched=0.0,
                                          loss=loss))
    policy, env, _ = on_toy(config, tmp_path, clips=1)
    end = velocities(policy, env, torch.zeros(env.num_envs, dtype=torch.long))
    assert (end - torch.tensor([1.0, 0.0])).norm(dim=-1).mean() < 0.4


def test_random_directions_come_to_mean_different_motions(tmp_path):
    """ASE: the posterior tells from the motion which z was followed."""
    base = toy_config(40)
    config = dataclasses.replace(
        base, codes="sphere", network=dataclasses.replace(base.network, latent=2),
        ppo=dataclasses.replace(base.ppo, diversity=0.01),
        discriminator=dataclasses.replace(base.discriminator, conditional=False, mismatched=0.0,
                                          posterior=1.0))
    policy, env, style = on_toy(config, tmp_path)
    assert style.info["posterior_cosine"] > 0.6
    spread = velocities(policy, env, torch.arange(env.num_envs)).std(0)
    assert spread.min() > 0.2
