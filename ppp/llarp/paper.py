"""The paper's own figures, and what a comparison with them has to say.

Success in percent on Language Rearrangement, read off the authors' bar chart (error about half a
point): Szot et al., ICLR 2024, arXiv 2310.17722.
"""
from __future__ import annotations

from typing import Dict, Tuple

from ppp.rearrangement import BEHAVIOUR, PARAPHRASE, SPLITS

_ROWS: Tuple[str, ...] = ("train", *SPLITS)
_CHART = {
    "LLaRP (7 B)": (99, 96, 92, 34, 32, 26, 8, 0, 95, 47, 39),
    "LLaRP-Scratch": (90, 90, 59, 4, 13, 3, 3, 0, 58, 15, 1),
    "LSTM-Flan": (98, 95, 85, 15, 5, 6, 4, 0, 83, 19, 10),
    "LSTM-LLaMA": (31, 15, 12, 0, 0, 1, 2, 0, 1, 0, 0),
    "zero-shot ChatGPT": (57, 52, 58, 10, 11, 24, 0, 2, 61, 24, 5),
    "zero-shot LLaMA": (54, 41, 34, 5, 6, 3, 0, 0, 50, 6, 0),
    "zero-shot Flamingo": (24, 14, 18, 0, 2, 0, 0, 2, 24, 8, 0),
}
#: method -> split -> success, a share
FIGURES: Dict[str, Dict[str, float]] = {
    name: {split: value / 100 for split, value in zip(_ROWS, values)}
    for name, values in _CHART.items()}

DIFFERS = (
    "The tasks are ours: our own generator, houses, wordings and objects, in the paper's splits. "
    "There is no Habitat and there are no camera images: an observation is a set of entities with "
    "appearance codes that have no tie to language. The backbone is a sentence encoder of 22 "
    "million parameters in place of LLaMA's 7 billion. Adapters were trained for core-hours "
    "instead of 200 million steps, by imitation of a search expert where the regime says so (the "
    "paper: reinforcement learning alone). The paper's figures stand beside ours for orientation; "
    "they are not the same benchmark.")


def means(by_split: Dict[str, float]) -> Dict[str, float]:
    """pr, bg and total: plain means over the paraphrase splits, the behaviour splits, and both;
    NaN where one of them was not run."""
    out = {}
    for name, splits in (("pr", PARAPHRASE), ("bg", BEHAVIOUR), ("total", PARAPHRASE + BEHAVIOUR)):
        out[name] = sum(by_split.get(split, float("nan")) for split in splits) / len(splits)
    return out
