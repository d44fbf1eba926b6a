"""The agent at rl-games' seams, checkpoints, bundles, and that training improves."""
from __future__ import annotations

import dataclasses
import inspect
from pathlib import Path

import pytest
import torch

from ppp.errors import PPPError
from ppp.learning.bundle import load_policy
from ppp.learning.checkpoint import latest_checkpoint, load_checkpoint, save_checkpoint
from ppp.learning.config import load_train
from ppp.learning.export import export_bundle
from ppp.learning.train import Trainer
from ppp.tasks.config import load_task

ENVS, HORIZON = 16, 8


def settings(iterations=2, **ppo):
    config = load_train()
    net = dataclasses.replace(config.network, actor=[64], critic=[64], discriminator=[64],
                              encoder=[32], latent=16)
    ppo = dataclasses.replace(config.ppo, **{"horizon": HORIZON, "minibatch": 32, "epochs": 2,
                                             **ppo})
    disc = dataclasses.replace(config.discriminator, batch=64, replay=1000)
    warm = dataclasses.replace(config.warm_start, iterations=0, critic_iterations=0)
    return dataclasses.replace(config, num_envs=ENVS, warm_start=warm, iterations=iterations,
                               network=net, ppo=ppo, discriminator=disc, codebook="encode_test")


@pytest.fixture(autouse=True)
def codes(monkeypatch):
    """Training needs some fixed codebook; these tests need no text encoder."""
    def fake(source, skills, labels):
        generator = torch.Generator().manual_seed(len(skills))
        return torch.nn.functional.normalize(torch.randn(len(skills), 24, generator=generator))
    monkeypatch.setattr("ppp.learning.train.load_codes", fake)


@pytest.fixture
def trainer(tmp_path):
    made = Trainer(load_task("HumanoidSkills"), settings(), tmp_path / "run", seed=1)
    yield made
    made.env.close()


def started(trainer):
    agent = trainer.build_agent()
    agent.init_tensors()
    agent.obs = agent.env_reset()
    agent.curr_frames = agent.batch_size_envs
    agent.epoch_num = 1  # as train() would have it: past the critic's warm-up
    trainer.log.start()
    return agent


def test_first_minibatch_ratio_is_exactly_one(trainer):
    """Catches stale z, moving statistics, wrong skills and wrong log-probabilities at once."""
    agent = started(trainer)
    agent.train_epoch()  # statistics and z have moved since the start
    ratios = []
    original = agent.actor_loss_func
    agent.actor_loss_func = lambda old, new, *rest: (
        ratios.append((old - new).exp().detach()), original(old, new, *rest))[1]
    agent.train_epoch()
    assert torch.allclose(ratios[0], torch.ones_like(ratios[0]), atol=1e-4)
    assert not torch.allclose(ratios[-1], torch.ones_like(ratios[-1]), atol=1e-4)


def test_the_encoder_gets_the_policys_gradient(trainer):
    agent = started(trainer)
    before = [p.clone() for p in trainer.policy.encoder.parameters()]
    agent.train_epoch()
    after = list(trainer.policy.encoder.parameters())
    assert any(not torch.equal(a, b) for a, b in zip(before, after))


def test_statistics_are_updated_once_an_iteration(trainer):
    agent = started(trainer)
    for n in (1, 2):
        agent.train_epoch()
        assert trainer.policy.obs_norm.count.item() == 1 + n * ENVS * HORIZON
        assert trainer.policy.value_norm.count.item() == 1 + n * ENVS * HORIZON


def test_rewards_are_the_weighted_sum_of_task_and_style(trainer):
    agent = started(trainer)
    trainer.style.reward = lambda windows, skill: torch.full(skill.shape, 3.0)
    seen = {}
    original = agent.discount_values

    def watch(fdones, last, mb, values, rewards):
        task = rewards.clone()
        out = original(fdones, last, mb, values, rewards)
        seen["gap"] = rewards - task
        return out

    agent.discount_values = watch
    agent.train_epoch()
    weight = trainer.config.discriminator.reward_weight
    assert torch.allclose(seen["gap"], torch.full_like(seen["gap"], 3.0 * weight), atol=1e-5)


def test_timed_out_steps_are_bootstrapped_and_falls_are_not(trainer):
    agent = started(trainer)
    infos = {"timed_out": torch.zeros(ENVS, dtype=torch.bool),
             "next_obs": torch.randn(ENVS, 256), "skill": torch.zeros(ENVS, dtype=torch.long)}
    infos["timed_out"][3] = True
    values = agent._timeout_values(infos, infos["skill"])
    expected = trainer.policy.value(infos["next_obs"][3:4], infos["skill"][3:4])
    assert torch.allclose(values[3:4], expected)
    assert values.count_nonzero() == 1


def test_actor_and_critic_gradients_are_clipped_apart(trainer):
    """A huge critic gradient leaves the actor's step as it was."""
    agent = started(trainer)
    for p in agent._actor_params:
        p.grad = torch.full_like(p, 1e-4)
    for p in agent._critic_params:
        p.grad = torch.full_like(p, 1e6)
    agent.trancate_gradients_and_step()
    actor_norm = torch.stack([p.grad.norm() for p in agent._actor_params]).norm()
    untouched = torch.stack([torch.full_like(p, 1e-4).norm() for p in agent._actor_params]).norm()
    assert actor_norm.item() == pytest.approx(min(untouched.item(), 1.0), rel=1e-4)


def test_seams_of_rl_games_still_have_the_expected_shape():
    from rl_games.algos_torch.a2c_continuous import A2CAgent
    expected = {"env_step": ["self", "actions"], "get_action_values": ["self", "obs"],
                "discount_values": ["self", "fdones", "last_extrinsic_values", "mb_fdones",
                                    "mb_extrinsic_values", "mb_rewards"],
                "train_actor_critic": ["self", "input_dict"],
                "prepare_dataset": ["self", "batch_dict"],
                "trancate_gradients_and_step": ["self"], "load_networks": ["self", "params"]}
    for name, arguments in expected.items():
        assert list(inspect.signature(getattr(A2CAgent, name)).parameters) == arguments


def test_run_saves_and_resumes_with_its_counters(tmp_path):
    task = load_task("HumanoidSkills")
    first = Trainer(task, settings(2), tmp_path / "run", seed=1)
    path = first.run()
    assert path.name == "iteration_0000002.pt" and (tmp_path / "run" / "history.jsonl").exists()
    second = Trainer(task, settings(3), tmp_path / "run", seed=1)
    second.restore(latest_checkpoint(tmp_path / "run"))
    for a, b in zip(first.policy.state_dict().values(), second.policy.state_dict().values()):
        assert torch.equal(a, b)
    state = load_checkpoint(second.run())
    assert state["counters"]["iteration"] == 3
    assert state["counters"]["samples"] == 3 * ENVS * HORIZON


def test_bundle_acts_like_the_policy_it_was_made_from(tmp_path):
    made = Trainer(load_task("HumanoidSkills"), settings(1), tmp_path / "run")
    path = made.run()
    policy = load_policy(export_bundle(path, tmp_path / "bundle", {"seed": 0}))
    obs = torch.randn(6, 256)
    skill = torch.arange(6) % len(made.skills)
    with torch.no_grad():
        expected = made.env.actions.targets(made.policy.act(obs, skill))
    assert torch.allclose(policy.targets(obs, skill), expected, atol=1e-6)
    assert policy.skills == made.skills


def test_bundle_of_another_layout_is_refused(tmp_path):
    path = Trainer(load_task("HumanoidSkills"), settings(1), tmp_path / "run").run()
    folder = export_bundle(path, tmp_path / "bundle", {})
    card = (folder / "bundle.yaml").read_text()
    (folder / "bundle.yaml").write_text(card.replace("observation: 253", "observation: 250"))
    with pytest.raises(PPPError, match="layout.observation"):
        load_policy(folder)
    (folder / "bundle.yaml").write_text(card)
    (folder / "weights.safetensors").write_bytes(b"cut short")
    with pytest.raises(PPPError, match="damaged"):
        load_policy(folder)
    with pytest.raises(PPPError, match="no policy bundle"):
        load_policy(tmp_path / "nothing")


def test_wrong_checkpoints_are_one_sentence(tmp_path):
    with pytest.raises(PPPError, match="no such checkpoint"):
        load_checkpoint(tmp_path / "a.pt")
    (tmp_path / "b.pt").write_bytes(b"PK\x03\x04 truncated")
    with pytest.raises(PPPError, match="damaged"):
        load_checkpoint(tmp_path / "b.pt")
    torch.save({"model": torch.zeros(3)}, tmp_path / "c.pt")
    with pytest.raises(PPPError, match="field 'layout' is missing"):
        load_checkpoint(tmp_path / "c.pt")
    fields = ("skills", "task", "settings", "policy", "optimizer", "style", "counters", "poses")
    save_checkpoint(tmp_path / "d.pt", {**dict.fromkeys(fields, 0), "skills": ["idle"]})
    trainer = Trainer(load_task("HumanoidSkills"), settings(), tmp_path / "run")
    with pytest.raises(PPPError, match="field 'skills'"):
        trainer.restore(tmp_path / "d.pt")
    trainer.env.close()


def test_a_checkpoint_that_would_run_code_is_refused(tmp_path):
    import pickle

    class Evil:
        def __reduce__(self):
            return (Path(tmp_path / "ran").touch, ())

    (tmp_path / "evil.pt").write_bytes(pickle.dumps(Evil()))
    with pytest.raises(PPPError):
        load_checkpoint(tmp_path / "evil.pt")
    assert not (tmp_path / "ran").exists()


def test_saving_is_atomic(tmp_path, monkeypatch):
    """A crash while writing leaves the earlier checkpoint as it was."""
    fields = ("skills", "task", "settings", "policy", "optimizer", "style", "counters", "poses")
    good = dict.fromkeys(fields, 1)
    save_checkpoint(tmp_path / "x.pt", good)

    def crash(state, path):
        Path(path).write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(torch, "save", crash)
    with pytest.raises(KeyboardInterrupt):
        save_checkpoint(tmp_path / "x.pt", good)
    assert load_checkpoint(tmp_path / "x.pt")["skills"] == 1


def test_a_checkpoint_keeps_its_poses_when_the_library_grows(trainer, tmp_path):
    """The actions are offsets from the mean pose that the policy was trained with."""
    started(trainer)
    trainer.env.actions.offset = trainer.env.actions.offset + 0.1
    path = trainer.save()
    other = Trainer(load_task("HumanoidSkills"), settings(), tmp_path / "other")
    assert not torch.allclose(other.env.actions.offset, trainer.env.actions.offset)
    other.restore(path)
    assert torch.equal(other.env.actions.offset, trainer.env.actions.offset)
    other.env.close()
    policy = load_policy(export_bundle(path, tmp_path / "bundle", {}))
    assert torch.allclose(policy.action_map.offset, trainer.env.actions.offset)
