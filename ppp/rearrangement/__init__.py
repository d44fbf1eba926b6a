"""Language rearrangement: tasks in words, a symbolic house to do them in, an expert to learn from.

After LLaRP (Szot et al., ICLR 2024): 32 steps, sparse reward with sub-goals, partial observation,
ten held-out splits. See docs/rearrangement.md.
"""
from ppp.rearrangement.actions import ACTIONS, PARITY, Action
from ppp.rearrangement.env import DISTURBED, NONE, Failures, TaskEnv, VectorEnv
from ppp.rearrangement.generate import (
    BEHAVIOUR,
    PARAPHRASE,
    SPLITS,
    TEST_COUNT,
    TEST_SEED,
    make_tasks,
    train_texts,
)
from ppp.rearrangement.observe import LIMIT, OBS, Observation
from ppp.rearrangement.task import Task
from ppp.rearrangement.vocabulary import NAMES

#: the five paraphrase splits and the four of new behaviour, for short
PR, BG = PARAPHRASE, BEHAVIOUR

__all__ = [
    "ACTIONS", "BEHAVIOUR", "BG", "DISTURBED", "LIMIT", "NAMES", "NONE", "OBS", "PARAPHRASE",
    "PARITY", "PR", "SPLITS", "TEST_COUNT", "TEST_SEED", "Action", "Failures", "Observation",
    "Task", "TaskEnv", "VectorEnv", "make_tasks", "train_texts",
]  # fmt: skip
