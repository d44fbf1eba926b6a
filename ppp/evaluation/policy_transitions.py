"""Every skill into every other one, switched in mid-motion."""
from __future__ import annotations

from typing import Any, Callable, Dict

import torch
from torch import Tensor

from ppp.evaluation.classifier import SPAN, STRIDE, SkillClassifier, window_at
from ppp.evaluation.crowd import RATE, Crowd
from ppp.evaluation.policy_skills import RISE, aim_ahead, start_frames
from ppp.learning.bundle import Policy
from ppp.motion.library import MotionLibrary

#: the first skill is held for this long, s, from lowest to highest
BEFORE = (1.5, 3.0)
#: who got up stands for this long before the switch, s
SETTLE = 0.5
#: no fall within AFTER, recognised by a window that begins within WITHIN, s after the switch
AFTER, WITHIN = 5.0, 1.0


def pairs(library: MotionLibrary) -> Tensor:
    """Ordered pairs (P, 2) of different skills; one that starts lying comes first only."""
    kinds = len(library.skills)
    both = torch.cartesian_prod(torch.arange(kinds), torch.arange(kinds)).reshape(-1, 2)
    return both[(both[:, 0] != both[:, 1]) & ~library.may_lie[both[:, 1]]]


def switch_skills(policy: Policy, library: MotionLibrary, classifier: SkillClassifier, seed: int,
                  tick: Callable[[], None] = lambda: None, engine: str = "mujoco_cpu"
                  ) -> Dict[str, Any]:
    """Switch once through all pairs; rows (P,): source, goal, reached (stood until the switch),
    upright (no fall within AFTER of it), recognised, right (all three), latency (s from the
    switch to the beginning of the window that shows the new skill, inf without), and the crowd.
    """
    generator = torch.Generator().manual_seed(seed)
    pair = pairs(library)
    source, goal = pair[:, 0], pair[:, 1]
    crowd = Crowd(policy, library, start_frames(library, source, generator), source, generator,
                  engine, keep=("frame",))
    aim_ahead(crowd, generator)
    low, high = (int(RATE * s) for s in BEFORE)
    when = torch.randint(low, high + 1, (len(pair),), generator=generator)
    lying = library.may_lie[source]
    when[lying] = int(RISE * RATE)
    switched = torch.zeros(len(pair), dtype=torch.bool)
    reached = switched.clone()
    while not switched.all() or crowd.time < int(when.max()) + int(AFTER * RATE):
        crowd.step()
        tick()
        # who rises is told the next thing soon after it stands
        stands = lying & ~switched & crowd.standing
        when[stands] = torch.minimum(when[stands],
                                     torch.tensor(crowd.time + int(SETTLE * RATE)))
        now = (when == crowd.time) & ~switched
        if now.any():
            reached |= now & crowd.up & crowd.standing
            _switch(crowd, now, goal, generator)
            switched |= now
    fall = torch.where(crowd.up, torch.full_like(when, 10 ** 6), crowd.fell_at)
    own = torch.tensor([classifier.skills.index(s) for s in policy.skills])[goal]
    latency = recognition_latency(crowd.record("frame"), classifier, when, own)
    upright = reached & (fall > when + int(AFTER * RATE))
    recognised = reached & (latency <= WITHIN)
    return {"source": source, "goal": goal, "reached": reached, "upright": upright,
            "recognised": recognised, "right": upright & recognised, "latency": latency,
            "crowd": crowd}


def _switch(crowd: Crowd, now: Tensor, goal: Tensor, generator: torch.Generator) -> None:
    """Give the new skill, and a target about where it goes."""
    ids, kept = now.nonzero().flatten(), crowd.target.clone()
    crowd.command(ids, goal[ids])
    aim_ahead(crowd, generator)
    crowd.target = torch.where(now[:, None], crowd.target, kept)


def recognition_latency(frames: Tensor, classifier: SkillClassifier, when: Tensor, own: Tensor
                        ) -> Tensor:
    """Time from the switch at step ``when`` (N,) to being seen as class ``own`` (N,), s.

    It is where the first window begins that holds no frame from before the switch and is seen as
    the new skill, as is the next one a tenth of a second later; inf where none of those looked at
    (beginning up to WITHIN after the switch) is. frames (T, N, 140), row t after step t + 1.
    """
    offsets = range(0, int(WITHIN * RATE) + STRIDE + 1, STRIDE)
    hits = torch.zeros(len(offsets), len(when), dtype=torch.bool)
    for row, offset in enumerate(offsets):
        for first in when.unique().tolist():
            mine = (when == first).nonzero().flatten()
            end = first + offset + SPAN
            if end < len(frames):
                window = window_at(frames[:, mine], end)
                hits[row, mine] = classifier(window).argmax(-1) == own[mine]
    twice = hits[:-1] & hits[1:]
    first_row = torch.where(twice.any(0), twice.float().argmax(0), torch.tensor(10 ** 6))
    seconds = first_row.float() * STRIDE / RATE
    return torch.where(twice.any(0), seconds, torch.full_like(seconds, float("inf")))
