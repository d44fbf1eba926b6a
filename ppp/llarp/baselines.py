"""Planners that learn nothing here: random, the search expert, text scoring, a prompted model."""
from __future__ import annotations

import json
from typing import Any, Callable, Dict, List, Optional, Sequence

import numpy as np

from ppp.errors import PPPError, nearest
from ppp.llarp.build import sentence_vectors
from ppp.llarp.episodes import Players
from ppp.rearrangement import ACTIONS, LIMIT, Task, TaskEnv

#: chooses the next action of one episode
Actor = Callable[[TaskEnv], int]
#: makes the actors of some tasks; the generator belongs to the seed
Maker = Callable[[Sequence[Task], np.random.Generator], List[Actor]]


def play(players: Players, make: Maker, tasks: Sequence[Task], seed: int) -> np.ndarray:
    """Play every task to its end; (n,) bool success."""
    envs = players.sit(tasks, seed)
    actors = make(tasks, np.random.default_rng([seed, 1]))
    return np.array([_episode(env, task, actor) for env, task, actor in zip(envs, tasks, actors)])


def _episode(env: TaskEnv, task: Task, actor: Actor) -> bool:
    env.reset(task)
    for _ in range(LIMIT):
        _, _, done, info = env.step(actor(env))
        if done:
            return bool(info["success"])
    return False


def random_actions(tasks: Sequence[Task], chance: np.random.Generator) -> List[Actor]:
    """Any action, whether possible or not."""
    return [lambda env: int(chance.integers(len(ACTIONS))) for _ in tasks]


def expert_actions(tasks: Sequence[Task], chance: np.random.Generator) -> List[Actor]:
    """The search expert: the ceiling for whoever imitates it."""
    return [lambda env: int(env.expert()) for _ in tasks]


class TextScoring:
    """Zero-shot: the possible action whose phrase is nearest to the instruction, by the cosine of
    frozen sentence vectors; one already done gives way to those that are not."""

    def __init__(self, backbone: Any) -> None:
        self._backbone = backbone
        self._phrases = sentence_vectors(backbone, [a.phrase for a in ACTIONS]).numpy()

    def __call__(self, tasks: Sequence[Task], chance: np.random.Generator) -> List[Actor]:
        texts = sentence_vectors(self._backbone, [task.instruction for task in tasks]).numpy()
        return [self._actor(self._phrases @ text) for text in texts]

    def _actor(self, scores: np.ndarray) -> Actor:
        done = np.zeros(len(scores))

        def act(env: TaskEnv) -> int:
            # cosines lie within 2: one more time done counts more than any of them
            order = np.where(env.valid(), scores - 3.0 * done, -np.inf)
            chosen = int(order.argmax())
            done[chosen] += 1
            return chosen

        return act


class PromptPlanner:
    """Zero-shot: a language model writes the whole list of actions from the instruction alone, and
    it is carried out without looking (an open-loop plan)."""

    def __init__(self, ask: Any, record: Optional[Any] = None) -> None:
        """ask: anything with ``ask(messages) -> str``. record: where replies are kept."""
        self._ask, self._record = ask, record
        self.unreadable = 0

    def __call__(self, tasks: Sequence[Task], chance: np.random.Generator) -> List[Actor]:
        return [self._actor(task.instruction) for task in tasks]

    def _actor(self, instruction: str) -> Actor:
        plan = iter(self.plan(instruction))
        wait = next(i for i, action in enumerate(ACTIONS) if action.skill == "wait")
        return lambda env: next(plan, wait)

    def plan(self, instruction: str) -> List[int]:
        """Indices of the actions; [] for a reply that is no list of them."""
        messages = [{"role": "user", "content": prompt(instruction)}]
        reply = self._ask.ask(messages)
        if self._record is not None:
            self._record.add("llarp", messages, reply)
        try:
            return read_plan(reply)
        except PPPError:
            self.unreadable += 1
            return []


def prompt(instruction: str) -> str:
    """What the model is asked. The form of the answer is that of ``ppp plan``, whose client asks
    servers for it; targets are not used."""
    listed = "\n".join(f"- {action.phrase}" for action in ACTIONS)
    return (
        "You control a humanoid in a house and its yard. It can do exactly these things:\n"
        f"{listed}\n\n"
        "Things may lie on furniture or in closed containers; you do not see where. To pick "
        "something up you must stand before what it lies on or in, with an empty hand; a container "
        "must be open. You carry one thing at a time. Nothing tells you how an action went, so "
        f"plan a search that works wherever things are, in at most {LIMIT} actions.\n\n"
        f"Instruction: {json.dumps(instruction)}\n\n"
        'Answer with JSON alone: {"steps": [{"command": "<one of the list, word for word>", '
        '"target": [0, 0]}, ...]}')


def read_plan(reply: str) -> List[int]:
    """Action indices of a reply; PPPError where it is no plan. Unknown commands become the action
    of the nearest wording, or are left out where none is near."""
    from ppp.planning.plan_schema import parse_plan

    phrases: Dict[str, int] = {a.phrase: i for i, a in enumerate(ACTIONS)}
    found = []
    for step in parse_plan(reply).steps:
        text = step.command.strip().lower().rstrip(".")
        best = text if text in phrases else nearest(text, phrases)
        if best is not None:
            found.append(phrases[best])
    return found[:LIMIT]
