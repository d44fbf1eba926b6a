"""Trained adapters as a planner: one chooser of actions an episode, and the planner around it."""
from __future__ import annotations

import functools
from pathlib import Path
from typing import Any, NamedTuple, Optional, Sequence

import numpy as np

from ppp.planning.scenario import Scenario
from ppp.planning.situation import Matcher
from ppp.rearrangement.observe import LIMIT, Observation
from ppp.rearrangement.planner import LearnedPlanner


class Adapters(NamedTuple):
    """A policy that was trained, what entities have to show it (``MODES``), and where it lay."""

    policy: Any
    mode: str
    path: Path


@functools.lru_cache(maxsize=2)  # a page asks for a planner at every instruction
def load_adapters(path: Optional[Path] = None, weights: Optional[str] = None) -> Adapters:
    """The adapters in a bundle or a run's folder, the shipped ones without one.

    weights: folder of MiniLM's files. PPPError where something is missing or does not fit.
    """
    from ppp.llarp import SHIPPED
    from ppp.llarp.evaluate import load_planner

    path = Path(path or SHIPPED)
    policy, saved = load_planner(path, weights)
    return Adapters(policy, saved.facts["settings"]["model"]["mode"], path)


class Learned:
    """Adapters as the chooser of one episode at a time.

    seed: actions are drawn by their probabilities, the same for the same seed, as in the figures of
    ``ppp llarp eval``; None: the likeliest each time.
    """

    def __init__(self, adapters: Adapters, seed: Optional[int] = None) -> None:
        self.policy, self.mode, self.seed = adapters.policy, adapters.mode, seed

    def reset(self, instruction: str) -> None:
        """Begin an episode."""
        self.memory = self.policy.begin([instruction], LIMIT)
        self._chance = np.random.default_rng(self.seed)

    def act(self, observation: Observation) -> int:
        """The next action."""
        from ppp.llarp.episodes import drawn, likeliest
        from ppp.llarp.observation import to_obs

        one = to_obs([part[None] for part in observation])
        logits = self.policy.step(self.memory, one).numpy()
        return int((likeliest(logits) if self.seed is None else drawn(logits, self._chance))[0])


class LearnedMaker:
    """Makes the learned planner of a scenario; it has no whole plans to give."""

    name = "learned"

    def __init__(self, matcher: Matcher, adapters: Adapters, seed: Optional[int] = None) -> None:
        self.matcher, self.adapters, self.seed = matcher, adapters, seed

    def planner(self, scenario: Scenario, skills: Sequence[str]) -> LearnedPlanner:
        """The planner of one scenario."""
        chooser = Learned(self.adapters, self.seed)
        return LearnedPlanner(scenario, skills, chooser, self.matcher, self.adapters.mode)
