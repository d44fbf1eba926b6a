"""Why an episode ends early: pure functions of one step, (N,) bool each."""
from __future__ import annotations

from functools import lru_cache
from typing import Callable, Dict, Tuple

import torch
from torch import Tensor

from ppp.humanoid.observation import FRAME
from ppp.humanoid.skeleton import BODIES, FALL_HEIGHT, FALL_HEIGHT_BY_BODY, FEET
from ppp.tasks.context import Step

#: a body touches when the contact force on it exceeds this, N
CONTACT_FORCE = 0.1

#: mean imitation below which the clip has been lost
STRAYED = 0.35

_BODIES = [i for i in range(len(BODIES)) if i not in FEET]
_HEIGHTS = torch.tensor([FALL_HEIGHT_BY_BODY.get(BODIES[i].name, FALL_HEIGHT) for i in _BODIES])
#: sword and shield may touch the floor without the fighter having fallen
_SOLID = torch.tensor([BODIES[i].name not in ("sword", "shield") for i in _BODIES])


@lru_cache(maxsize=None)
def _tables(device: torch.device) -> Tuple[Tensor, Tensor, Tensor]:
    # kept: on a GPU each copy of a small table would take longer than its use
    return torch.tensor(_BODIES, device=device), _HEIGHTS.to(device), _SOLID.to(device)


def lies(contact_force: Tensor, body_pos: Tensor) -> Tensor:
    """A body other than the feet touches while one of them is close to the floor, (N,) bool.

    contact_force (N, 17, 3) N, body_pos (N, 17, 3) m. The rule of ASE and CALM;
    sword and shield are not counted.
    """
    bodies, heights, solid = _tables(body_pos.device)
    touch = contact_force.index_select(1, bodies).abs().amax(-1) > CONTACT_FORCE
    low = body_pos[..., 2].index_select(1, bodies) < heights
    return (touch & solid).any(-1) & (low & solid).any(-1)


def fell(step: Step) -> Tensor:
    """The humanoid lies; not in the first step, and not while the skill starts on the floor."""
    fallen = lies(step.state.contact_force, step.state.bodies.pos)
    return fallen & (step.age > 1) & ~step.may_lie


def toppled(step: Step) -> Tensor:
    """The pelvis is below 0.5 m or leans more than 60 degrees: sooner than ``fell``.

    It saves training the samples of a fall that can no longer be caught.
    """
    lean = step.frame[:, FRAME["rotation"]][:, 5]  # z component of the root's z axis
    low = step.state.root_pos[:, 2] < 0.5
    return (low | (lean < 0.5)) & (step.age > 1) & ~step.may_lie


def strayed(step: Step) -> Tensor:
    """The state has been far from its clip for a while: a statue that survives learns nothing.

    DeepMimic ends an episode at a fall; without a phase to follow, standing still is a local
    optimum of the imitation reward, and this closes it.
    """
    return (step.quality < STRAYED) & (step.age > 1)


TERMINATIONS: Dict[str, Callable[[Step], Tensor]] = {"fell": fell, "toppled": toppled,
                                                          "strayed": strayed}
#: those that tell of a fall
FALLS = ("fell", "toppled")
