"""Before PPO: distil a teacher that performs the clips into the policy.

The teacher (:mod:`ppp.learning.teacher`) follows the clips' targets and keeps the balance. The
policy sees no clock, so it is taught on the states it meets itself, as in DAgger (Ross et al.,
arXiv 1011.0686): roll out a mixture of teacher and policy, label every state with the teacher's
target. Regressing on the clips' states alone teaches "target = where I am", a body without
stiffness, and falls at once.
"""
from __future__ import annotations

import sys
import time
from typing import Any, Callable, Optional

import torch
from torch import Tensor

from ppp.learning import distributed
from ppp.learning.config import WarmStartConfig
from ppp.learning.latents import Latents
from ppp.learning.networks import SkillPolicy
from ppp.learning.teacher import Teacher
from ppp.tasks.env import HumanoidEnv

#: first iterations, which set the observation's statistics, or only fill the memory of one that
#: goes on
SETTLING = 10


class _Memory:
    """A ring of labelled states."""

    def __init__(self, size: int, obs: int, actions: int, device: str = "cpu") -> None:
        self.obs = torch.zeros(size, obs, device=device)
        self.label = torch.zeros(size, actions, device=device)
        self.skill, self.row = torch.zeros(2, size, dtype=torch.long, device=device)
        self.size, self.filled, self._next = size, 0, 0

    def add(self, obs: Tensor, skill: Tensor, label: Tensor, row: Tensor) -> None:
        slot = (self._next + torch.arange(len(obs), device=obs.device)) % self.size
        self.obs[slot], self.skill[slot], self.label[slot] = obs, skill, label
        self.row[slot] = row
        self._next = (self._next + len(obs)) % self.size
        self.filled = min(self.size, self.filled + len(obs))


def warm_start(policy: SkillPolicy, env: HumanoidEnv, config: WarmStartConfig,
               teacher: Optional[Teacher] = None, latents: Optional[Latents] = None,
               save_seconds: float = 180.0, save: Callable[[int], Any] = lambda done: None,
               first: int = 0, known: bool = False,
               stop: Callable[[], bool] = lambda: False) -> float:
    """Distil the teacher into the actor; returns the last loss (action units squared).

    Where the teacher is a regulator, an error counts by what it costs in the end: an elbow moves
    little but itself, an ankle topples the body.

    A share of the humanoids (``alone``) moves as it will in use, by the policy without noise: what
    noise and the teacher shake it out of they never show. Measured before: of 64 bodies told to
    turn left out of a walk 36 % stood still for good, with the noise of training 2 %.

    latents: whose z the policy acts under (default: the commanded skill's). ``save(iterations
    done)`` is called every ``save_seconds``, for the distillation may take long; ``first``: as many
    were done before; known: the weights know much already; stop: asked after every iteration
    whether to save and leave.
    """
    latents = latents or Latents("quantised", env.library)
    teacher = teacher or Teacher(env, feedback_of(config))
    saved = time.monotonic()
    memory = _Memory(config.memory, env.observation_size, env.action_size, env.device)
    parameters = [*policy.actor.parameters(), *policy.encoder.parameters()]
    optimizer = torch.optim.Adam(parameters, config.learning_rate)
    sigma, half = policy.actor.log_sigma.exp(), halves(config)
    harm = teacher.harm() if config.priced else None
    alone = torch.arange(env.num_envs, device=env.device) < config.alone * env.num_envs
    obs, loss = env.reset(), torch.zeros(())
    for iteration in range(first, config.iterations):
        done = iteration / config.iterations
        fading = 1.0 - done / config.fade if config.fade else 0.0
        share = torch.where(alone, fading, max(config.teacher_share, fading))
        replay = torch.rand(env.num_envs, device=env.device) < share
        own = (alone & ~replay).nonzero().flatten()
        env.reference.draw_back(own, env.windows[own, -1])
        noise = sigma * (replay | ~alone).float()[:, None]
        for _ in range(config.steps):
            obs = _roll(policy, env, memory, teacher, latents, replay, noise, obs)
        if iteration < first + SETTLING:
            if known or first:  # weights that know much are not fitted to a few states
                continue
            # statistics settle first, or the targets of the regression would move
            policy.obs_norm.update(memory.obs[:memory.filled][-4 * env.num_envs:])
        for group in optimizer.param_groups:
            group["lr"] = config.learning_rate * (1.0 - 0.9 * done)
        for _ in range(config.updates):
            loss = _fit(policy, memory, optimizer, config.batch, half, harm)
        if (iteration + 1) % 25 == 0 and distributed.world().first:
            print(f"warm start {iteration + 1}/{config.iterations}  loss {loss.item():.5f}  "
                  f"imitation {float(env.quality.mean()):.2f}", file=sys.stderr, flush=True)
        leaves = stop()
        if leaves or time.monotonic() - saved > save_seconds:
            save(iteration + 1)
            saved = time.monotonic()
        if leaves:
            break
    return float(loss.detach())


def halves(config: WarmStartConfig) -> bool:
    """Whether the regression multiplies in bfloat16: twice as fast where the CPU can, slower else.

    Only the products are rounded (to 8 bits); weights, their sums and the loss stay float32.
    """
    if config.precision != "auto":
        return config.precision == "bfloat16"
    able = (getattr(torch.cpu, f"_is_{name}_supported", lambda: False)
            for name in ("avx512_bf16", "amx_tile"))
    return any(check() for check in able)


def feedback_of(config: WarmStartConfig) -> str:
    """Which of the teacher's feedbacks the settings ask for."""
    if not config.feedback:
        return "none"
    return "regulator" if config.regulator else "legs"


@torch.no_grad()
def _roll(policy: SkillPolicy, env: HumanoidEnv, memory: _Memory, teacher: Teacher,
          latents: Latents, replay: Tensor, noise: Tensor, obs: Tensor) -> Tensor:
    """One step of the mixture with noise (N, 31); its states go into the memory with their labels.
    """
    skill = latents.now(env.commands)
    label = teacher.actions()
    memory.add(obs, skill, label, env.reference.index)
    action = torch.where(replay[:, None], label, policy.act(obs, skill))
    return env.step(action + noise * torch.randn_like(action))[0]


def _fit(policy: SkillPolicy, memory: _Memory, optimizer: torch.optim.Optimizer,
         batch: int, half: bool, harm: Optional[Tensor] = None) -> Tensor:
    """One step down the error of the actions; harm (F, 31, 31): the price of it in each frame."""
    pick = torch.randint(0, memory.filled, (batch,), device=memory.obs.device)
    with torch.autocast(memory.obs.device.type, torch.bfloat16, enabled=half):
        action = policy.act(memory.obs[pick], memory.skill[pick])
    error = action.float() - memory.label[pick]
    priced = error if harm is None else (harm[memory.row[pick]] @ error[..., None])[..., 0]
    loss = (error * priced).mean()
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    distributed.mean_gradients(optimizer.param_groups[0]["params"])
    optimizer.step()
    return loss
