"""The gymnasium face of a task."""
from __future__ import annotations

import gymnasium as gym
import numpy as np

from ppp.tasks.config import TASKS
from ppp.tasks.gym_env import HumanoidVectorEnv


def test_steps_like_a_gymnasium_vector_environment():
    env = HumanoidVectorEnv("HumanoidSkills", num_envs=3, seed=1)
    first, info = env.reset(seed=5)
    again, _ = env.reset(seed=5)
    assert np.array_equal(first, again)
    assert env.observation_space.contains(first) and info["skill"].shape == (3,)
    env.env.age[0] = env.env.config.episode_length - 1
    obs, reward, terminated, truncated, info = env.step(np.zeros((3, 31), np.float32))
    assert obs.shape == (3, 256) and reward.shape == terminated.shape == truncated.shape == (3,)
    assert truncated[0] and info["final_obs"][0].shape == (256,)
    assert not np.array_equal(info["final_obs"][0], obs[0])
    env.close()


def test_every_task_is_made_by_its_name():
    for task in TASKS:
        env = gym.make_vec(f"ppp.tasks.gym_env:{task}-v0", num_envs=2, seed=4)
        obs, info = env.reset(seed=1)
        assert obs.shape == (2, 256) and env.num_envs == 2
        assert ("point" in info) == (task == "HumanoidReach")
        obs, reward, *_ = env.step(env.action_space.sample() * 0.0)
        assert np.isfinite(obs).all() and np.isfinite(reward).all()
        env.close()
