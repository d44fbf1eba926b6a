"""A toy with the environment's interface: point masses whose skills are directions of travel.

A frame is (vx, vy, 0, …); a skill's clip is a steady velocity. The action is an acceleration.
Everything between a roll-out and an update is the real code.
"""
from __future__ import annotations

import math
from types import SimpleNamespace

import torch

FRAME = 140
SKILLS = 4


class ToyLibrary:
    """Frames of steady travel at 1 m/s in four directions, with a little noise."""

    skills = [f"go_{i}" for i in range(SKILLS)]
    info = [SimpleNamespace(label=name) for name in skills]

    def __init__(self):
        g = torch.Generator().manual_seed(0)
        self.skill = torch.arange(SKILLS).repeat_interleave(50)
        angle = self.skill * (2 * math.pi / SKILLS)
        self.velocity = torch.stack((angle.cos(), angle.sin()), -1)
        self.frame = torch.zeros(len(self.skill), FRAME)
        self.frame[:, :2] = self.velocity + 0.05 * torch.randn(self.velocity.shape, generator=g)

    def sample(self, skill, generator=None):
        return skill * 50 + torch.randint(0, 50, skill.shape, generator=generator)

    def window(self, last, length):
        return self.frame[last][:, None].expand(-1, length, -1)


class ToyEnv:
    """N points; observation (vx, vy), action (ax, ay)."""

    observation_size, action_size = 2, 2

    def __init__(self, num_envs=128, seed=0):
        self.num_envs, self.library = num_envs, ToyLibrary()
        self.generator = torch.Generator().manual_seed(seed)
        self.commands = SimpleNamespace(skill=torch.zeros(num_envs, dtype=torch.long))
        self.windows = torch.zeros(num_envs, 2, FRAME)
        self.broken_count = 0

    def _start(self, ids):
        n = len(ids)
        self.velocity[ids] = torch.randn(n, 2, generator=self.generator)
        self.age[ids] = torch.randint(0, 30, (n,), generator=self.generator)
        self.commands.skill = self.commands.skill.clone()
        self.commands.skill[ids] = torch.randint(0, SKILLS, (n,), generator=self.generator)
        self.windows[ids] = self._frame()[ids][:, None].expand(-1, 2, -1)

    def _frame(self):
        frame = torch.zeros(self.num_envs, FRAME)
        frame[:, :2] = self.velocity
        return frame

    def reset(self):
        self.velocity = torch.zeros(self.num_envs, 2)
        self.age = torch.zeros(self.num_envs, dtype=torch.long)
        self._start(torch.arange(self.num_envs))
        return self.velocity.clone()

    def step(self, action):
        self.velocity = self.velocity + 0.5 * action.clamp(-2, 2)
        self.age = self.age + 1
        self.windows = torch.cat((self.windows[:, 1:], self._frame()[:, None]), 1)
        timed_out = self.age >= 50
        infos = {"terminated": torch.zeros(self.num_envs, dtype=torch.bool), "timed_out": timed_out,
                 "window": self.windows, "skill": self.commands.skill, "age": self.age.clone(),
                 "terms": {}, "next_obs": self.velocity.clone()}
        ids = timed_out.nonzero().flatten()
        if len(ids):
            self.windows = self.windows.clone()
            self.velocity = self.velocity.clone()
            self._start(ids)
        return self.velocity.clone(), torch.zeros(self.num_envs), timed_out, infos

    def error(self, policy, steps=30):
        """Mean |v - v of the commanded skill| of the deterministic policy, m/s."""
        obs, errors = self.reset(), []
        self.age[:] = 0
        for t in range(steps):
            with torch.no_grad():
                obs = self.step(policy.act(obs, self.commands.skill))[0]
            if t >= steps // 2:
                wanted = self.library.velocity[self.commands.skill * 50]
                errors.append((self.velocity - wanted).norm(dim=-1).mean())
        return float(torch.stack(errors).mean())

    def close(self):
        pass
