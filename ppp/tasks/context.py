"""What reward and termination terms may look at: one step of all environments."""
from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

from ppp.engines.base import EngineState


class Step(NamedTuple):
    """The state after a control step, the command it was taken under, and the reference.

    N environments; world frame, metres, radians.
    """

    state: EngineState
    frame: Tensor  # (N, 140) discriminator frame of the state
    reference: Tensor  # (N, 140) the clip's frame the state is compared with
    skill: Tensor  # (N,) index of the commanded skill
    travels: Tensor  # (N,) bool: the skill goes to its target
    turns: Tensor  # (N,) bool: the skill turns on the spot
    travel_offset: Tensor  # (N,) rad from facing to travel in the skill's clips
    speed: Tensor  # (N,) mean ground speed of the skill's clips, m/s
    yaw_rate: Tensor  # (N,) mean yaw rate of the skill's clips, rad/s
    target: Tensor  # (N, 2) m
    may_lie: Tensor  # (N,) bool: the skill starts on the floor (get_up), so lying is no fall
    quality: Tensor  # (N,) imitation term averaged over about the last third of a second
    age: Tensor  # (N,) control steps since the reset
    striking: Tensor  # (N,) bool: the first prop is there for this command to be struck down
    reaching: Tensor  # (N, 3) m: the body that is to touch ``point``
    point: Tensor  # (N, 3) m
