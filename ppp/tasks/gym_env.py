"""The environment as a gymnasium vector environment, for anyone's own learner.

``gymnasium.make_vec("ppp.tasks.gym_env:HumanoidSkills-v0", num_envs=16)``, or the class itself.
"""
from __future__ import annotations

from typing import Any, Dict, Optional, Tuple

import gymnasium as gym
import numpy as np
import torch
from gymnasium.vector.utils import batch_space

from ppp.tasks.config import TASKS, load_task
from ppp.tasks.env import HumanoidEnv


class HumanoidVectorEnv(gym.vector.VectorEnv):
    """A PPP task: observations (N, 256) float32, actions (N, 31), arrays in and out.

    ``info["skill"]`` (N,) is the commanded skill; in HumanoidReach ``info["point"]`` (N, 3), m,
    is to be touched. Finished environments restart in the same step, and
    ``info["final_obs"]`` holds their true last observations.
    """

    metadata = {"autoreset_mode": gym.vector.AutoresetMode.SAME_STEP}

    def __init__(self, task: str = "HumanoidSkills", num_envs: int = 16, seed: int = 0,
                 engine: str = "mujoco_cpu", cfg_env: Optional[str] = None) -> None:
        self._config, self._engine = load_task(task, cfg_env), engine
        self.env = HumanoidEnv(self._config, num_envs, seed, engine)
        self.num_envs = num_envs
        self.single_observation_space = gym.spaces.Box(
            -np.inf, np.inf, (self.env.observation_size,), np.float32)
        self.single_action_space = gym.spaces.Box(-np.inf, np.inf, (self.env.action_size,),
                                                  np.float32)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)

    def reset(self, *, seed: Optional[int] = None, options: Optional[Dict[str, Any]] = None
              ) -> Tuple[np.ndarray, Dict[str, Any]]:
        """Start all environments anew."""
        if seed is not None:
            self.env.generator.manual_seed(int(seed))
        obs = self.env.reset()
        return obs.cpu().numpy(), self._info()

    def step(self, actions: np.ndarray
             ) -> Tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, Dict[str, Any]]:
        """Observations, task rewards, terminations, truncations, infos."""
        action = torch.as_tensor(np.asarray(actions), dtype=torch.float32).to(self.env.device)
        obs, reward, done, infos = self.env.step(action)
        final = np.full(self.num_envs, None, dtype=object)
        for i in done.nonzero().flatten().tolist():
            final[i] = infos["next_obs"][i].cpu().numpy()
        info = {**self._info(), "final_obs": final, "_final_obs": done.cpu().numpy()}
        arrays = (obs, reward, infos["terminated"], infos["timed_out"])
        return (*(part.cpu().numpy() for part in arrays), info)

    def _info(self) -> Dict[str, Any]:
        commands = self.env.commands
        info = {"skill": commands.skill.cpu().numpy().copy()}
        if self._config.command.rule == "reach":
            info["point"] = commands.point.cpu().numpy().copy()
        return info

    def close_extras(self, **kwargs: Any) -> None:
        """Stop the simulator's threads."""
        self.env.close()


for _task in TASKS:
    gym.register(f"{_task}-v0", vector_entry_point="ppp.tasks.gym_env:HumanoidVectorEnv",
                 kwargs={"task": _task})
