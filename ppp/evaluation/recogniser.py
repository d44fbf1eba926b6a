"""Was the skill seen that a success check asks for? The classifier of ``ppp eval policy`` says."""
from __future__ import annotations

from functools import lru_cache
from typing import Optional

import numpy as np
import torch

from ppp.evaluation.classifier import SPAN, SkillClassifier, train_classifier
from ppp.evaluation.policy_skills import window_votes
from ppp.motion.library import MotionLibrary
from ppp.tasks.config import load_task


def recognise(frames: np.ndarray, skill: str) -> Optional[float]:
    """The share of the windows (of a second) of frames (T, 140) in which the skill is seen.

    None where there is no window, or the clips have no such skill. The first call trains the
    classifier on the clips, which takes some seconds; it is the same one every time.
    """
    return share_seen(_shipped(), frames, skill)


def share_seen(classifier: SkillClassifier, frames: np.ndarray, skill: str) -> Optional[float]:
    """:func:`recognise` by a classifier."""
    if len(frames) <= SPAN or skill not in classifier.skills:
        return None
    rows = torch.as_tensor(frames)[:, None]
    votes = window_votes(rows, classifier, torch.tensor([len(rows)]))[0]
    return float(votes[classifier.skills.index(skill)] / votes.sum())


@lru_cache(maxsize=1)
def _shipped() -> SkillClassifier:
    return train_classifier(MotionLibrary(load_task("HumanoidSkills").motion_path()))
