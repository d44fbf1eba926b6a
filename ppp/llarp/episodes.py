"""Playing episodes with a policy, and what training needs of them."""
from __future__ import annotations

from dataclasses import dataclass
from typing import List, Optional, Sequence, Tuple

import numpy as np
import torch
from torch import Tensor

from ppp.llarp.observation import Obs, to_obs
from ppp.llarp.policy import Memory, Planner
from ppp.rearrangement import DISTURBED, LIMIT, NONE, Task, TaskEnv

#: once fewer than this share of the rows is still at it, the others are dropped from the batch
DENSE = 0.75


@dataclass
class Episodes:
    """n episodes of up to T steps; entries beyond an episode's length are 0.

    obs (n, T, ...); actions, labels (n, T) int64: what was done, and what the expert would have
    done (-1 where it was not asked); rewards (n, T); lengths (n,); success (n,) bool; memory: the
    instructions' state.
    """

    tasks: List[Task]
    memory: Memory
    obs: Obs
    actions: Tensor
    labels: Tensor
    rewards: Tensor
    lengths: Tensor
    success: Tensor

    @property
    def real(self) -> Tensor:
        """(n, T) bool: steps that were taken."""
        return torch.arange(self.actions.shape[1]) < self.lengths[:, None]

    def __len__(self) -> int:
        return len(self.tasks)

    def pick(self, index: Tensor) -> "Episodes":
        """The episodes ``index`` (m,), cut to the longest of them."""
        lengths = self.lengths[index]
        most = int(lengths.max())
        cut = (part[index, :most] for part in (self.actions, self.labels, self.rewards))
        obs = Obs(*(part[index, :most] for part in self.obs))
        return Episodes([self.tasks[i] for i in index.tolist()], self.memory.select(index), obs,
                        *cut, lengths, self.success[index])

    def judged_by(self, policy: Planner) -> Tuple[Tensor, Tensor]:
        """The policy's logits (m, A) and values (m,) at the m real steps."""
        real = self.real
        return policy.sequence(self.memory, self.obs.pick(real), real)


@dataclass
class Choice:
    """How actions are chosen.

    greedy: the likeliest; else drawn. expert: (n,) share of the steps that the expert acts itself.
    ask: label every state with the expert's action.
    """

    greedy: bool = False
    expert: Optional[np.ndarray] = None
    ask: bool = False


class Players:
    """Environments that play a batch of tasks at a time, whatever its size."""

    def __init__(self, mode: str = "appearance", failures: str = "none") -> None:
        """mode: what entities show. failures: none or disturbed."""
        self._options = {"mode": mode, "failures": DISTURBED if failures == "disturbed" else NONE}
        self.envs: List[TaskEnv] = []

    def sit(self, tasks: Sequence[Task], seed: int) -> List[TaskEnv]:
        """One environment a task; what fails in them depends on ``seed`` and the task's place."""
        self.envs = [TaskEnv(**self._options, seed=seed + i) for i in range(len(tasks))]
        return self.envs

    def play(self, policy: Planner, tasks: Sequence[Task], seed: int,
             choice: Optional[Choice] = None) -> Episodes:
        """Play every task once, to its end; the same arguments give the same episodes."""
        choice = choice or Choice()
        envs = self.sit(tasks, seed)
        table = _Table([env.reset(task) for env, task in zip(envs, tasks)])
        chance = np.random.default_rng([seed, 1])
        memory = policy.begin([task.instruction for task in tasks], LIMIT)
        # the rows that the policy computes; those that are over stay among them until it pays to
        # copy the others together
        seats, alive, rows = np.arange(len(tasks)), np.ones(len(tasks), dtype=bool), memory
        led_throughout = choice.expert is not None and bool((choice.expert >= 1.0).all())
        while alive.any():
            if alive.sum() < DENSE * len(alive):
                rows = rows.select(torch.from_numpy(np.flatnonzero(alive)))
                seats, alive = seats[alive], np.ones(int(alive.sum()), dtype=bool)
            if led_throughout:
                chosen = np.zeros(len(seats), np.int64)
            else:
                logits = policy.step(rows, table.now(seats)).numpy()
                chosen = likeliest(logits) if choice.greedy else drawn(logits, chance)
            turn = chance.random(len(seats))
            for k in np.flatnonzero(alive):
                i = seats[k]
                led = choice.expert is not None and turn[k] < choice.expert[i]
                label = envs[i].expert() if led or choice.ask else -1
                alive[k] = not table.add(i, envs[i], int(label if led else chosen[k]), label)
        return table.episodes(list(tasks), memory)


def likeliest(logits: np.ndarray) -> np.ndarray:
    """(n, A) -> (n,)."""
    return logits.argmax(-1)


def drawn(logits: np.ndarray, chance: np.random.Generator) -> np.ndarray:
    """(n, A) -> (n,) drawn from the softmax, by Gumbel's trick."""
    return (logits + chance.gumbel(size=logits.shape)).argmax(-1)


class _Table:
    """What happened so far, as arrays that grow no more."""

    def __init__(self, first: Sequence[Sequence[np.ndarray]]) -> None:
        n = len(first)
        self.obs = [np.zeros((n, LIMIT, *part.shape), part.dtype) for part in first[0]]
        self.actions = np.zeros((n, LIMIT), np.int64)
        self.labels = np.full((n, LIMIT), -1, np.int64)
        self.rewards = np.zeros((n, LIMIT), np.float32)
        self.lengths, self.success = np.zeros(n, np.int64), np.zeros(n, bool)
        for i, obs in enumerate(first):
            self._see(i, obs)

    def _see(self, i: int, obs: Sequence[np.ndarray]) -> None:
        for table, part in zip(self.obs, obs):
            table[i, self.lengths[i]] = part

    def now(self, rows: np.ndarray) -> Obs:
        """The newest observations of ``rows``."""
        newest = np.minimum(self.lengths[rows], LIMIT - 1)  # of one that is over: anything
        return to_obs([part[rows, newest] for part in self.obs])

    def add(self, i: int, env: TaskEnv, action: int, label: int) -> bool:
        """Act in the environment of row i; whether its episode is over."""
        obs, reward, done, info = env.step(action)
        t = self.lengths[i]
        self.actions[i, t], self.labels[i, t], self.rewards[i, t] = action, label, reward
        self.lengths[i] += 1
        self.success[i] = bool(info["success"])
        if not done and self.lengths[i] < LIMIT:
            self._see(i, obs)
            return False
        return True

    def episodes(self, tasks: List[Task], memory: Memory) -> Episodes:
        """As tensors, cut to the longest episode."""
        most = int(self.lengths.max())
        memory.state.forget()
        return Episodes(tasks, memory, to_obs([part[:, :most] for part in self.obs]),
                        *(torch.from_numpy(part[:, :most]) for part in
                          (self.actions, self.labels, self.rewards)),
                        torch.from_numpy(self.lengths), torch.from_numpy(self.success))
