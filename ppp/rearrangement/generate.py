"""Tasks from a seed: training, validation and the held-out splits. Nothing is stored."""
from __future__ import annotations

import random
from dataclasses import replace
from typing import Callable, Dict, Iterator, List, Sequence, Set, Tuple

from ppp.errors import PPPError, unknown
from ppp.rearrangement import wordings
from ppp.rearrangement.families import FAMILIES, Draft, Slotter
from ppp.rearrangement.layout import HELD_OUT_LAYOUTS, TRAIN_LAYOUTS, VALIDATION_LAYOUTS
from ppp.rearrangement.task import Task

SPLITS: Tuple[str, ...] = (
    "scene", "rephrasing", "context", "irrelevant", "referring", "spatial", "three_objects",
    "novel_objects", "all_of", "conditional",
)  # fmt: skip
#: the same behaviour in new words, and new behaviour (Szot et al., 2024)
PARAPHRASE: Tuple[str, ...] = SPLITS[1:6]
BEHAVIOUR: Tuple[str, ...] = SPLITS[6:]
#: the seed and the size of the published test set: ``make_tasks(split, TEST_COUNT, TEST_SEED)``
TEST_SEED, TEST_COUNT = 2024, 100

FRAMES: Dict[str, Tuple[str, ...]] = {**wordings.TRAIN, "situated": wordings.SITUATED}
_WEIGHTS = {name: share for name, (_, share) in FAMILIES.items()}


def sentence(frame: str, slots: Dict[str, str]) -> str:
    """A frame filled in, as a sentence: capital letter, full stop."""
    text = frame.format(**slots)
    end = "" if text[-1] in ".?!" else "."
    return text[0].upper() + text[1:] + end


def finish(draft: Draft, rng: random.Random, split: str, family: str, layout: int,
           text: str) -> Task:
    """A task from a draft and its text."""
    return Task(rng.getrandbits(48), split, family, text, layout, draft.stages, draft.steps,
                draft.keep, draft.look, draft.branches, draft.setup)


def trained_task(rng: random.Random, split: str, layouts: Sequence[int]) -> Task:
    """A task of the kinds and wordings of training, in one of some layouts."""
    names = list(_WEIGHTS)
    family = rng.choices(names, [_WEIGHTS[n] for n in names])[0]
    slotter = Slotter(rng, rng.choice(layouts))
    draft = FAMILIES[family][0](slotter)
    text = sentence(rng.choice(FRAMES[draft.frames]), draft.slots)
    return finish(draft, rng, split, family, slotter.number, text)


def make_tasks(split: str, count: int, seed: int) -> List[Task]:
    """``count`` tasks of "train", "validation" or a split of ``SPLITS``; the same for the same seed.

    PPPError for a split that there is not. The tasks of the held-out splits are checked one by
    one: false at the start, and solved by the search expert.
    """
    if count < 0:
        raise PPPError(f"tasks: count: must not be negative, not {count}")
    rng = random.Random(f"{split} {seed}")
    if split == "train":
        return [trained_task(rng, split, TRAIN_LAYOUTS) for _ in range(count)]
    if split == "validation":
        return [trained_task(rng, split, VALIDATION_LAYOUTS) for _ in range(count)]
    if split == "scene":
        return [trained_task(rng, split, HELD_OUT_LAYOUTS) for _ in range(count)]
    raise unknown("split", split, ("train", "validation", *SPLITS))


def train_texts(count: int, seed: int = 0) -> Iterator[str]:
    """``count`` different training instructions."""
    rng, seen = random.Random(f"texts {seed}"), set()  # type: ignore[var-annotated]
    while len(seen) < count:
        text = trained_task(rng, "train", TRAIN_LAYOUTS).instruction
        if text not in seen:
            seen.add(text)
            yield text


__all__ = ["BEHAVIOUR", "PARAPHRASE", "SPLITS", "Callable", "Set", "make_tasks", "replace"]
