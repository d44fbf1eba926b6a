"""One episode of a task, and several of them side by side."""
from __future__ import annotations

import random
from dataclasses import dataclass, field, fields
from typing import Any, Dict, List, Mapping, Sequence, Tuple

import numpy as np

from ppp.errors import PPPError, unknown
from ppp.rearrangement import actions as acts
from ppp.rearrangement import vocabulary as words
from ppp.rearrangement.expert import Search
from ppp.rearrangement.furnish import furnish
from ppp.rearrangement.goals import Goal
from ppp.rearrangement.observe import LIMIT, Eyes, Observation, tell
from ppp.rearrangement.task import Task
from ppp.rearrangement.world import HELD, OPENS, apply, possible, why_not

#: sets of actions: all, or those of the paper's counts
PRESETS = ("full", "parity")
#: rewards (Szot et al., 2024): for all sub-goals together, and for success
SUBGOALS_REWARD, SUCCESS_REWARD = 5.0, 10.0


@dataclass(frozen=True)
class Failures:
    """What goes wrong by itself; all rates are probabilities.

    skills: that an action of this skill has no effect. moved: a step, that some thing in no hand
    is moved to another surface. shut: a step, that an open container falls shut. share: of the
    episodes that have all this at all.
    """

    skills: Mapping[str, float] = field(default_factory=dict)
    moved: float = 0.0
    shut: float = 0.0
    share: float = 1.0

    def __post_init__(self) -> None:
        for skill in self.skills:
            if skill not in acts.SKILLS:
                raise unknown("skill", skill, acts.SKILLS)
        rates = {"moved": self.moved, "shut": self.shut, "share": self.share,
                 **{f"skills.{k}": v for k, v in self.skills.items()}}
        for name, rate in rates.items():
            if not isinstance(rate, (int, float)) or not 0.0 <= rate <= 1.0:
                raise PPPError(f"failures: {name}: must be a probability from 0 to 1, not {rate}")

    @staticmethod
    def from_dict(data: Mapping[str, Any]) -> "Failures":
        """From plain data, as a calibration writes it; PPPError names what is not known."""
        known = [f.name for f in fields(Failures)]
        for name in data:
            if name not in known:
                raise unknown("field of failures", name, known)
        return Failures(**data)


#: nothing goes wrong
NONE = Failures()
#: the robustness setting: a fifth of the episodes, every kind of failure
DISTURBED = Failures(
    {skill: 0.1 for skill in (*acts.MOVES, *acts.STRIKES, acts.PICK, acts.PLACE)},
    moved=0.03, shut=0.03, share=0.2,
)


class TaskEnv:
    """One episode at a time: ``reset`` with a task, ``step`` with an index into ``actions``.

    mode: "appearance" or "names" (:mod:`ppp.rearrangement.observe`). failures: what goes wrong by
    itself. seed: of those failures. preset: "full" (``ACTIONS``) or "parity" (the paper's 70).
    """

    def __init__(
        self, mode: str = "appearance", failures: Failures = NONE, seed: int = 0,
        preset: str = "full",
    ) -> None:
        if preset not in PRESETS:
            raise unknown("preset", preset, PRESETS)
        indices = acts.PARITY if preset == "parity" else range(len(acts.ACTIONS))
        self.actions: Tuple[acts.Action, ...] = tuple(acts.ACTIONS[i] for i in indices)
        self._index = {action: i for i, action in enumerate(self.actions)}
        self.mode, self.failures, self.done = mode, failures, True
        self._rng = random.Random(seed)

    def reset(self, task: Task) -> Observation:
        """Begin the task's episode; the same task gives the same scene."""
        if task.preset == "full" and len(self.actions) < len(acts.ACTIONS):
            raise PPPError("task: it is for preset full: this environment has preset parity")
        self.task = task
        self.world, self.state, noise = furnish(task)
        self.goal = Goal(self.world, task.stages, task.keep, task.steps)
        self._eyes = Eyes(self.world, noise, self.mode)
        self._achieved = set(self.goal.achieved(self.state))
        self._disturbed = self._rng.random() < self.failures.share
        self._search = Search(self.world, task, self.actions)
        self.done = False
        self.seen, observation = self._eyes.look(self.state)
        self._search.observe(self.seen, self.state)
        return observation

    def step(self, action: int) -> Tuple[Observation, float, bool, Dict[str, Any]]:
        """Do one action: observation, reward, whether the episode is over, info.

        info: success; invalid (the action was impossible: nothing happened); failed (it was
        possible and came to nothing); subgoals: how many have been achieved; reason: in words,
        why nothing happened or why the episode ended, '' otherwise.
        """
        if self.done:
            raise PPPError("the episode is over: reset the environment with a task")
        state, chosen = self.state, self.actions[action]
        reason = why_not(self.world, state, chosen)
        invalid, failed = bool(reason), False
        if self._disturbed:
            failed = not invalid and self._fails(chosen.skill)
            reason = "it failed" if failed else reason
        if not invalid and not failed:
            apply(self.world, state, chosen)
        if self._disturbed:
            self._happen()
        self.goal.advance(state)
        success, lost = self.goal.reached(state), self.goal.lost(state)
        new = self._new_subgoals()
        state.step += 1
        self.done = success or lost or state.step >= LIMIT
        if self.done and not success:
            reason = self._ending(lost, reason)
        self.seen, observation = self._eyes.look(state)
        tell(observation, chosen, invalid, failed)
        self._search.observe(self.seen, state)
        reward = SUBGOALS_REWARD * new / self.goal.count + SUCCESS_REWARD * success
        info = {"success": success, "invalid": invalid, "failed": failed,
                "subgoals": len(self._achieved), "reason": reason}
        return observation, reward, self.done, info

    def expert(self) -> int:
        """What the search expert would do now, in any state: an index into ``actions``."""
        return self._index[self._search.act(self.state)]

    def valid(self) -> np.ndarray:
        """Which actions are possible now, (A,) bool."""
        return possible(self.world, self.state, self.actions)

    def _new_subgoals(self) -> int:
        new = self.goal.achieved(self.state, self._achieved)
        self._achieved.update(new)
        return len(new)

    def _ending(self, lost: bool, reason: str) -> str:
        if not lost:
            return reason or f"not done after {LIMIT} steps"
        if self.world.guarded and self.state.noticed:
            return "noticed by the guard"
        burnt = self.world.burning and self.state.burnt
        return "stepped into the fire" if burnt else "what should be struck, or not, lies already"

    def _fails(self, skill: str) -> bool:
        return self._rng.random() < self.failures.skills.get(skill, 0.0)

    def _happen(self) -> None:
        """Somebody moves a thing, or a container falls shut."""
        state, layout = self.state, self.world.layout
        if self._rng.random() < self.failures.moved:
            loose = [i for i, holder in enumerate(state.lies) if holder != HELD]
            surfaces = layout.names(words.SURFACES)
            state.lies[self._rng.choice(loose)] = words.PLACE[self._rng.choice(surfaces)]
        if self._rng.random() < self.failures.shut:
            ajar = [n for n in layout.names(words.CONTAINERS) if state.open[OPENS[words.PLACE[n]]]]
            if ajar:
                state.open[OPENS[words.PLACE[self._rng.choice(ajar)]]] = False


class VectorEnv:
    """N episodes stepped together; arrays have a leading N. An ended one holds still."""

    def __init__(self, envs: Sequence[TaskEnv]) -> None:
        self.envs = list(envs)
        self._last: List[Observation] = []

    def reset(self, tasks: Sequence[Task]) -> Observation:
        """Begin one task in each environment."""
        if len(tasks) != len(self.envs):
            raise PPPError(f"{len(tasks)} tasks for {len(self.envs)} environments: give one each")
        self._last = [env.reset(task) for env, task in zip(self.envs, tasks)]
        return stack(self._last)

    def reset_at(self, index: int, task: Task) -> Observation:
        """Begin another task in one environment: its observation alone, without a leading N."""
        self._last[index] = self.envs[index].reset(task)
        return self._last[index]

    def step(
        self, actions: Sequence[int]
    ) -> Tuple[Observation, np.ndarray, np.ndarray, List[Dict[str, Any]]]:
        """Step those that are not over: observation, reward (N,), done (N,) bool, infos.

        One that was over before gives its last observation, reward 0, done and an empty info.
        """
        rewards = np.zeros(len(self.envs), dtype=np.float32)
        done = np.ones(len(self.envs), dtype=bool)
        infos: List[Dict[str, Any]] = [{} for _ in self.envs]
        for i, (env, action) in enumerate(zip(self.envs, actions)):
            if not env.done:
                self._last[i], rewards[i], done[i], infos[i] = env.step(int(action))
        return stack(self._last), rewards, done, infos


def stack(observations: Sequence[Observation]) -> Observation:
    """Observations with a leading N."""
    return Observation(*(np.stack(parts) for parts in zip(*observations)))
