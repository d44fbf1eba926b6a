"""Tasks from a seed: training, validation and the held-out splits. Nothing is stored."""
from __future__ import annotations

import hashlib
import random
from typing import Dict, Iterable, Iterator, List, Sequence, Set, Tuple

from ppp.errors import PPPError, unknown
from ppp.rearrangement.env import PRESETS, TaskEnv
from ppp.rearrangement.families import Draft, Slotter, sentence
from ppp.rearrangement.layout import HELD_OUT_LAYOUTS, TRAIN_LAYOUTS, VALIDATION_LAYOUTS
from ppp.rearrangement.splits import BUILDERS, trained
from ppp.rearrangement.task import Task

SPLITS: Tuple[str, ...] = (
    "scene", "rephrasing", "context", "irrelevant", "referring", "spatial", "three_objects",
    "novel_objects", "all_of", "conditional",
)  # fmt: skip
#: the same behaviour in new words, and new behaviour (Szot et al., 2024)
PARAPHRASE: Tuple[str, ...] = SPLITS[1:6]
BEHAVIOUR: Tuple[str, ...] = SPLITS[6:]
#: beyond the paper, reported apart: nouns that no training text and no training scene has
EXTRA_SPLITS: Tuple[str, ...] = ("unseen_words",)
#: the published test set is ``make_tasks(split, TEST_COUNT, TEST_SEED)`` of every split
TEST_SEED, TEST_COUNT = 2024, 100


def finish(q: Slotter, split: str, drawn: Tuple[str, str, Draft]) -> Task:
    """A task from what was drawn for it."""
    family, frame, draft = drawn
    return Task(q.rng.getrandbits(48), split, family, sentence(frame, draft.slots), q.number,
                draft.stages, draft.steps, draft.keep, draft.look, draft.branches, draft.setup,
                q.preset)


def trained_task(
    rng: random.Random, split: str, layouts: Sequence[int], preset: str = "full"
) -> Task:
    """A task of the kinds and wordings of training, in one of some layouts."""
    q = Slotter(rng, rng.choice(layouts), preset)
    return finish(q, split, trained(q))


def make_tasks(split: str, count: int, seed: int, preset: str = "full") -> List[Task]:
    """``count`` tasks of "train", "validation" or a held-out split; the same for the same seed.

    preset: "full", or "parity": the paper's families alone, for ``TaskEnv(preset="parity")``.
    PPPError for a split or a preset that there is not. Those of the held-out splits have
    different texts and are tried one by one: the goal is false at first, and the search expert
    reaches it in time.
    """
    if count < 0:
        raise PPPError(f"tasks: count: must not be negative, not {count}")
    if preset not in PRESETS:
        raise unknown("preset", preset, PRESETS)
    rng = random.Random(f"{split} {seed}")
    if split in ("train", "validation"):
        layouts = TRAIN_LAYOUTS if split == "train" else VALIDATION_LAYOUTS
        return [trained_task(rng, split, layouts, preset) for _ in range(count)]
    if split not in BUILDERS:
        raise unknown("split", split, ("train", "validation", *SPLITS, *EXTRA_SPLITS))
    return _held_out(split, count, rng, preset)


def _held_out(split: str, count: int, rng: random.Random, preset: str) -> List[Task]:
    tasks: List[Task] = []
    texts: Set[str] = set()
    env, misses = TaskEnv(preset=preset), 0
    while len(tasks) < count:
        q = Slotter(rng, rng.choice(HELD_OUT_LAYOUTS), preset)
        task = finish(q, split, BUILDERS[split](q, len(tasks)))
        # a small family has fewer texts than a long list needs: then they come again
        if (task.instruction in texts and misses < 50) or not solvable(task, env):
            misses += 1
            continue
        tasks.append(task)
        texts.add(task.instruction)
        misses = 0
    return tasks


def solvable(task: Task, env: TaskEnv) -> bool:
    """Whether the goal is false at first and the search expert reaches it in time."""
    env.reset(task)
    if env.goal.reached(env.state):
        return False
    while not env.done:
        env.step(env.expert())
    return env.goal.reached(env.state)


def train_texts(count: int, seed: int = 0) -> Iterator[str]:
    """``count`` different training instructions, in the order in which they come up."""
    rng, seen = random.Random(f"texts {seed}"), set()  # type: Tuple[random.Random, Set[str]]
    while len(seen) < count:
        text = trained_task(rng, "train", TRAIN_LAYOUTS).instruction
        if text not in seen:
            seen.add(text)
            yield text


def digest(lines: Iterable[str]) -> str:
    """SHA-256 of some lines, to tell whether a generated set is the same as ever."""
    found = hashlib.sha256()
    for line in lines:
        found.update(line.encode() + b"\n")
    return found.hexdigest()


def describe(splits: Sequence[str] = SPLITS) -> Dict[str, str]:
    """The digest of the published test tasks of each split."""
    return {s: digest(t.to_json() for t in make_tasks(s, TEST_COUNT, TEST_SEED)) for s in splits}
