"""A high-level policy: its decisions, its environment, PPO on a toy, checkpoints."""
from __future__ import annotations

import dataclasses
import math
from types import SimpleNamespace

import pytest
import torch

from ppp.errors import PPPError
from ppp.learning.bundle import load_policy
from ppp.learning.checkpoint import list_checkpoints
from ppp.learning.hrl import DecisionEnv, Decisions, HrlConfig, load_hrl
from ppp.learning.hrl_train import HrlTrainer, is_high_level, load_high_level, read_state
from ppp.tasks.config import load_task

SMALL = HrlConfig(num_envs=4, iterations=2, horizon=3, hold=2, network=[16], epochs=1,
                  minibatches=2)


@pytest.fixture(scope="module")
def low():
    return load_policy()


class Toy:
    """One decision an episode step: the reward is exp(-|a - x|^2) for the observation x."""

    observation_size, num_envs = 2, 256

    def __init__(self):
        self.decisions = SimpleNamespace(first=torch.tensor([0.5, -0.5]))
        self.generator = torch.Generator().manual_seed(0)
        self.steps = 0

    def reset(self):
        self.obs = torch.randn(self.num_envs, 2, generator=self.generator)
        return self.obs

    def step(self, action):
        reward = (-(action - self.obs).square().sum(-1)).exp()
        self.steps += 1
        none = torch.zeros(self.num_envs, dtype=torch.bool)
        done = none if self.steps % 5 else ~none
        infos = {"terminated": none, "timed_out": done, "next_obs": self.obs.clone(),
                 "steps": torch.ones(self.num_envs)}
        return self.reset(), reward, done, infos

    def close(self):
        pass


def test_ppo_learns_the_toy(low, tmp_path):
    config = HrlConfig(num_envs=256, iterations=60, horizon=8, network=[32], gamma=0.5,
                       learning_rate=2e-3, keep=2)
    trainer = HrlTrainer(load_task("HumanoidReach"), low, config, tmp_path, env=Toy())
    obs = trainer.env.reset()
    rewards = []
    for _ in range(config.iterations):
        obs, row = trainer.iterate(obs)
        rewards.append(row["reward"])
    assert sum(rewards[:3]) / 3 < 0.3  # a constant action
    trainer.high.log_sigma.data.fill_(-3.0)
    points = torch.randn(500, 2, generator=torch.Generator().manual_seed(1))
    gap = (trainer.high.act(points) - points).norm(dim=-1)
    assert gap.median() < 0.4 and rewards[-1] > 0.45


def test_a_decision_is_a_mix_of_skills_and_a_moved_target(low):
    decisions = Decisions(low, SMALL, ["idle", "slash", "no_such_skill"])
    assert decisions.skills == ["idle", "slash"] and decisions.size == 4
    pure = decisions.latent(torch.tensor([[0.0, 9.0, 0.0, 0.0]]))
    assert torch.allclose(pure[0], low.z[low.index("slash")], atol=1e-4)
    even = decisions.latent(torch.zeros(1, 4))
    wanted = low.z[low.index("slash")] + low.z[low.index("idle")]
    assert torch.allclose(even[0], wanted / wanted.norm(), atol=1e-5)
    first = decisions.latent(decisions.first[None])
    assert first @ low.z[low.index("idle")] > first @ low.z[low.index("slash")]
    goal = torch.tensor([[1.0, 0.0, 0.6]])
    assert torch.equal(decisions.goal(torch.zeros(1, 4), goal), goal)
    moved = decisions.goal(torch.tensor([[0.0, 0.0, math.pi / 2, 0.5]]), goal)
    assert moved[0].tolist() == pytest.approx([0.0, 1.0, 0.8], abs=1e-6)
    far = decisions.goal(torch.tensor([[0.0, 0.0, 0.0, 9.0]]), goal)
    assert far[0, 2] == 1.0


def test_on_the_sphere_a_decision_is_z_itself(low):
    config = dataclasses.replace(SMALL, mode="sphere")
    decisions = Decisions(low, config)
    assert decisions.size == low.z.shape[1] + 2
    assert torch.allclose(decisions.latent(decisions.first[None])[0], low.z[low.index("idle")],
                          atol=1e-5)
    assert decisions.latent(torch.randn(5, decisions.size)).norm(dim=-1).tolist() == \
        pytest.approx([1.0] * 5, abs=1e-5)


def test_the_untrained_policy_stands_under_its_first_decision(low):
    """hold x 10 steps of the start skill: nobody falls, and the point is seen from the body."""
    config = dataclasses.replace(SMALL, hold=3, sharpness=20.0)
    env = DecisionEnv(load_task("HumanoidReach"), low, config, seed=2)
    obs = env.reset()
    assert obs.shape == (4, env.observation_size) == (4, 262)
    for _ in range(10):
        obs, reward, done, infos = env.step(env.decisions.first.expand(4, -1))
        assert (infos["steps"] == 3).all() or done.any()
    assert not infos["terminated"].any() and (reward > 0).all()
    state = env.env.engine.state
    tip = env.env.commands.point - state.bodies.pos[:, env.env.reaching]
    assert torch.allclose(obs[:, 259:262].norm(dim=-1), tip.norm(dim=-1), atol=1e-4)
    assert torch.allclose(obs[:, 261], tip[:, 2], atol=1e-4)
    env.close()


def test_an_episode_that_ends_within_a_decision_is_not_paid_for_the_next_one(low):
    config = dataclasses.replace(SMALL, hold=5)
    task = load_task("HumanoidReach")
    env = DecisionEnv(task, low, config, seed=2)
    env.reset()
    env.env.age[:] = 0
    env.env.age[1] = task.episode_length - 2
    action = env.decisions.first.expand(4, -1)
    obs, _, done, infos = env.step(action)
    assert infos["steps"].tolist() == [5, 2, 5, 5]
    assert done.tolist() == [False, True, False, False]
    assert infos["timed_out"][1] and not infos["terminated"][1]
    assert not torch.allclose(infos["next_obs"][1], obs[1], atol=1e-2)
    assert torch.allclose(infos["next_obs"][0], obs[0], atol=1e-5)
    env.close()


def test_a_run_saves_resumes_and_acts_from_its_checkpoint_alone(low, tmp_path):
    task = load_task("HumanoidReach")
    before = {k: v.clone() for k, v in low.weights.items()}
    path = HrlTrainer(task, low, SMALL, tmp_path, seed=1).run()
    assert all(torch.equal(v, low.weights[k]) for k, v in before.items())  # frozen
    loaded = load_high_level(path)
    assert loaded.counters["iteration"] == 2 and loaded.counters["samples"] > 0
    trainer = HrlTrainer(task, low, dataclasses.replace(SMALL, iterations=3), tmp_path, seed=1)
    trainer.restore(path)
    obs = torch.randn(5, trainer.env.observation_size)
    assert torch.equal(trainer.high.act(obs), loaded.high.act(obs))
    assert trainer.run().name == "iteration_0000003.pt"
    assert len(list_checkpoints(tmp_path / "checkpoints")) == 2
    rows = (tmp_path / "history.jsonl").read_text().splitlines()
    assert len(rows) == 3 and '"reward"' in rows[0]


def test_wrong_files_and_settings_are_one_sentence(low, tmp_path):
    torn = tmp_path / "torn.pt"
    torn.write_bytes(b"PK torn")
    other = tmp_path / "other.pt"
    torch.save({"skills": ["idle"]}, other)
    for path, words in ((tmp_path / "none.pt", "no such checkpoint"), (torn, "damaged"),
                        (other, "not a checkpoint of a high-level policy")):
        with pytest.raises(PPPError, match=words):
            read_state(path)
        assert not is_high_level(path)
    settings = tmp_path / "hrl.yaml"
    for text, words in (("hodl: 3", "did you mean 'hold'"), ("hold: 0", "'hold' must be 1"),
                        ("mode: spheer", "did you mean 'sphere'")):
        settings.write_text(text)
        with pytest.raises(PPPError, match=words):
            load_hrl(settings)
    with pytest.raises(PPPError, match="'high_level' is empty"):
        DecisionEnv(load_task("HumanoidSkills"), low, SMALL)
