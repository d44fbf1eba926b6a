"""The environment: starts, commands, true next observations, errors in a task file."""
from __future__ import annotations

import dataclasses
import textwrap

import pytest
import torch

from ppp.errors import PPPError
from ppp.humanoid.rotations import quat_rotate
from ppp.tasks.config import TASKS, load_task
from ppp.tasks.env import HumanoidEnv


@pytest.fixture(scope="module")
def env():
    made = HumanoidEnv(load_task("HumanoidSkills"), 16, seed=3, threads=1)
    yield made
    made.close()


def still(env):
    return torch.zeros(env.num_envs, env.action_size)


def test_every_task_file_loads_and_steps():
    for name in TASKS:
        env = HumanoidEnv(load_task(name), 2, threads=1)
        assert env.reset().shape == (2, 256)
        obs, reward, done, infos = env.step(still(env))
        assert obs.shape == (2, 256) and reward.shape == done.shape == (2,)
        assert torch.isfinite(obs).all() and torch.isfinite(reward).all()
        env.close()


def test_starts_are_frames_of_clips_with_their_windows(env):
    env.reset()
    gap = (env.windows[:, -1, None] - env.library.frame[None]).abs().amax(-1).amin(-1)
    assert gap.max() < 1e-4


def test_same_seed_same_episode():
    runs = []
    for _ in range(2):
        env = HumanoidEnv(load_task("HumanoidSkills"), 4, seed=7, threads=1)
        obs = [env.reset()] + [env.step(still(env))[0] for _ in range(20)]
        runs.append(torch.stack(obs))
        env.close()
    assert torch.equal(*runs)


def test_the_next_observation_is_the_one_before_the_restart(env, monkeypatch):
    """A fallen humanoid's last observation shows it low; the returned one shows it standing."""
    monkeypatch.setattr(env.config.command, "rise", 0.0)
    env.reset()
    env.age[:] = 10
    env.commands.skill[0] = env.library.skills.index("idle")  # lying is no fall in getting up
    flat = torch.tensor([[0.7071, 0.0, 0.7071, 0.0]])
    zero = torch.zeros(1, 3)
    env.engine.reset(torch.tensor([0]), torch.tensor([[0.0, 0, 0.12]]), flat,
                     env.library.mean_pose[None], torch.zeros(1, 31), zero, zero)
    obs, _, done, infos = env.step(still(env))
    assert done[0] and infos["terminated"][0] and not infos["timed_out"][0]
    assert infos["next_obs"][0, 0] < 0.3 < obs[0, 0]
    assert env.age[0] == 0


def test_time_runs_out_without_termination(env):
    env.reset()
    env.age[:] = env.config.episode_length - 1
    _, _, done, infos = env.step(still(env))
    assert done.all() and (infos["timed_out"] | infos["terminated"]).all()
    assert infos["timed_out"].any()


def test_commands_change_when_their_hold_is_over(env):
    env.reset()
    env.commands.left[:] = 1
    seen = set()
    for _ in range(6):
        env.commands.left[:] = 1
        env.step(still(env))
        seen |= set(env.commands.skill.tolist())
    assert len(seen) >= 4


def test_strike_task_commands_follow_the_distance():
    env = HumanoidEnv(load_task("HumanoidStrike"), 4, seed=0, threads=1)
    env.reset()
    walk, slash = (env.library.skills.index(s) for s in ("walk_forward", "slash"))
    pos = env.engine.state.prop_state[:, 0, :2]
    assert torch.allclose(env.commands.target, pos)
    env.step(still(env))
    far = (pos - env.engine.state.root_pos[:, :2]).norm(dim=-1) > env.config.command.strike_distance
    assert far.all() and (env.commands.skill == walk).all()
    env.config.command.strike_distance = 100.0
    env.step(still(env))
    assert (env.commands.skill == slash).all()
    env.close()


def test_targets_lie_where_the_clip_goes():
    task = load_task("HumanoidSkills")
    quiet = dataclasses.replace(task.command, heading_noise=0.0, anywhere=0.0, switch_start=0.0)
    task = dataclasses.replace(task, command=quiet, skills=["walk_forward"])
    env = HumanoidEnv(task, 32, seed=1, threads=1)
    env.reset()
    state = env.engine.state
    to_target = env.commands.target - state.root_pos[:, :2]
    velocity = state.bodies.lin_vel[:, 0, :2]
    # the start clip begins at rest, so look at those already moving
    moving = velocity.norm(dim=-1) > 0.6
    cosine = torch.nn.functional.cosine_similarity(to_target, velocity)[moving]
    assert moving.sum() > 10 and cosine.min() > 0.7
    up = quat_rotate(state.root_rot, torch.tensor([0.0, 0, 1]).expand(32, 3))
    assert (up[:, 2] > 0.9).all()
    env.close()


@pytest.mark.parametrize("text, message", [
    ("name: x\nrewards: {facng: 1.0}", "did you mean 'facing'"),
    ("name: x\nepisode_lenght: 3", "did you mean 'episode_length'"),
    ("name: x\ncommand: {hold: [5, 2]}", "hold"),
    ("name: x\nwindow: 1", "window"),
    ("name: x\nskills: 7", "must be a list"),
    ("name: [x", "broken YAML at line"),
    ("- a\n- b", "top level"),
    ("name: x\nrewards: {facing: .inf}", "finite"),
    ("name: x\nprops: [{name: a, kind: wall, position: [0, 0]}]", "unknown kind of prop"),
])
def test_a_wrong_task_file_is_one_sentence(tmp_path, text, message):
    path = tmp_path / "task.yaml"
    path.write_text(textwrap.dedent(text))
    with pytest.raises(PPPError, match=message) as error:
        load_task("HumanoidSkills", path)
    assert str(path) in str(error.value) and "\n" not in str(error.value)


def test_unknown_task_names_the_choices():
    with pytest.raises(PPPError, match="HumanoidStrike"):
        load_task("HumanoidStirke")
