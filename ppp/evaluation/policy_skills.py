"""Is the commanded skill the one that is seen? Every skill held for ten seconds."""
from __future__ import annotations

from typing import Any, Callable, Dict, List

import torch
from torch import Tensor

from ppp.evaluation.classifier import SPAN, SkillClassifier
from ppp.evaluation.crowd import RATE, STANDS, UPRIGHT, Crowd, heading_errors
from ppp.humanoid.rotations import up_z
from ppp.learning.bundle import Policy
from ppp.motion.library import LYING, MotionLibrary

#: s that a skill is held; who starts on the floor has to stand by RISE (by the clips, who lies on
#: the back rolls over first and stands after 7.3 s)
HOLD, RISE = 10.0, 9.0
#: share of the starts of a skill that are frames of idle (none for a skill that starts lying)
FROM_IDLE = 0.3
#: control steps between two windows that are classified
EVERY = 5
#: targets are this far to the side of where the skill goes or faces at most, rad, and this far
#: away, m; a gait's target is out of reach
SIDE, NEAR, FAR, BEYOND = torch.pi / 4, 2.0, 8.0, 60.0


def start_frames(library: MotionLibrary, skill: Tensor, generator: torch.Generator) -> Tensor:
    """Start frames (n,) of skills (n,): any of their clips; a skill that lies starts lying."""
    frames = library.sample(skill, generator)
    for i in library.may_lie[skill].nonzero().flatten().tolist():
        lying = ((library.skill == skill[i]) & (library.root_pos[:, 2] < LYING)).nonzero().flatten()
        frames[i] = lying[torch.randint(len(lying), (1,), generator=generator)]
    return frames


def aim_ahead(crowd: Crowd, generator: torch.Generator) -> None:
    """Targets about where each skill goes or faces, a gait's out of reach."""
    def uniform(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(crowd.count, generator=generator)

    distance = uniform(NEAR, FAR)
    distance = torch.where(crowd.library.travels[crowd.skill], distance + BEYOND, distance)
    crowd.aim(uniform(-SIDE, SIDE), distance)


def hold_skills(policy: Policy, library: MotionLibrary, classifier: SkillClassifier, each: int,
                seed: int, tick: Callable[[], None] = lambda: None, engine: Any = "mujoco_cpu"
                ) -> Dict[str, Any]:
    """Hold every skill of the policy ``each`` times; one row an episode, and the crowd itself.

    Rows (N,): skill (commanded), seen (the class of most of its windows, -1 without one), share (of
    its windows that are of the commanded skill), up (not fallen), lies (began on the floor), rose
    (stands after RISE), right, seconds (on the feet); means over that time: imitation, speed m/s,
    heading_error_deg, yaw_rate_deg_s. ``confusion`` (K, C): windows by commanded and seen skill.
    """
    generator = torch.Generator().manual_seed(seed)
    kinds = len(policy.skills)
    skill = torch.arange(kinds).repeat_interleave(each)
    starter = skill.clone()
    if "idle" in library.skills:
        late = torch.arange(each).repeat(kinds) >= round(each * (1.0 - FROM_IDLE))
        starter[late & ~library.may_lie[skill]] = library.skills.index("idle")
    crowd = Crowd(policy, library, start_frames(library, starter, generator), starter, generator,
                  engine)
    crowd.command((starter != skill).nonzero().flatten(), skill[starter != skill])
    aim_ahead(crowd, generator)
    rose = torch.zeros(len(skill), dtype=torch.bool)
    stood_at = torch.full_like(skill, -1)
    errors: List[Tensor] = []
    for t in range(int(HOLD * RATE)):
        crowd.step()
        tick()
        stood_at[(stood_at < 0) & crowd.standing] = t + 1
        if t + 1 == int(RISE * RATE):
            state = crowd.state
            rose = crowd.up & (state.root_pos[:, 2] > STANDS) & (up_z(state.root_rot) > UPRIGHT)
        errors.append(heading_errors(crowd.state, crowd.target, crowd.travel_offset[skill]))
    lies = library.may_lie[skill]
    # rising is over where one stands; a performance is over where one falls
    last = torch.where(crowd.up, torch.full_like(skill, crowd.time), crowd.fell_at)
    last = torch.where(lies & (stood_at > 0), stood_at + SPAN // 2, last)
    votes = window_votes(crowd.record("frame"), classifier, last)
    own = torch.tensor([classifier.skills.index(s) for s in policy.skills])[skill]
    rows: Dict[str, Any] = {"skill": skill, **judged(votes, own, crowd.up, rose, lies)}
    rows.update(_means(crowd, torch.stack(errors)), up=crowd.up, rose=rose, lies=lies,
                seconds=crowd.seconds_stood())
    rows["confusion"] = torch.zeros(kinds, votes.shape[1]).index_add_(0, skill, votes)
    rows["crowd"] = crowd
    return rows


def window_votes(frames: Tensor, classifier: SkillClassifier, last: Tensor) -> Tensor:
    """How many windows of each record are seen as which skill, (N, C).

    frames (T, N, 140); only windows that end by step ``last`` (N,) count, one in EVERY steps.
    """
    ends = range(SPAN, len(frames), EVERY)
    seen = classifier.recognise(frames, ends)
    counts = torch.stack([(end < last) for end in ends]).float()
    votes = torch.nn.functional.one_hot(seen, len(classifier.skills) + 1) * counts[..., None]
    return votes.sum(0)


def judged(votes: Tensor, own: Tensor, up: Tensor, rose: Tensor, lies: Tensor
           ) -> Dict[str, Tensor]:
    """Verdicts on episodes (N,) from votes (N, C) and the commanded class ``own`` (N,).

    seen: the class with most windows, -1 without a window; share: of windows of the own class;
    right: seen is own and it has not fallen; of who started on the floor only that it rose (a body
    that lies still looks as if it were about to get up).
    """
    total = votes.sum(-1)
    seen = torch.where(total > 0, votes.argmax(-1), torch.full_like(own, -1))
    share = votes.gather(1, own[:, None])[:, 0] / total.clamp_min(1.0)
    return {"seen": seen, "recognised": seen == own, "share": share,
            "right": torch.where(lies, rose, (seen == own) & up)}


def _means(crowd: Crowd, errors: Tensor) -> Dict[str, Tensor]:
    """Means over the time each stood, (N,)."""
    steps = torch.arange(1, crowd.time + 1)[:, None]
    alive = (steps < torch.where(crowd.up, torch.full_like(crowd.fell_at, crowd.time + 1),
                                 crowd.fell_at)[None]).float()
    count = alive.sum(0).clamp_min(1.0)
    velocity = crowd.record("root_vel")
    values = {"imitation": crowd.record("imitation"), "speed": velocity[..., :2].norm(dim=-1),
              "heading_error_deg": torch.rad2deg(errors),
              "yaw_rate_deg_s": torch.rad2deg(velocity[..., 5])}
    return {name: (value * alive).sum(0) / count for name, value in values.items()}
