"""What the humanoid does while nobody wants anything: it stands, and gets up when it lies."""
from __future__ import annotations

from typing import Optional, Sequence, Tuple

from ppp.planning.endings import Limits
from ppp.planning.geometry import XY, ahead
from ppp.planning.performer import CONTROL_DT, WorldState
from ppp.planning.skills import SECONDS

#: m to the point that who stands still faces
_FACING = 5.0
#: s of trying to get up after which somebody should be told
PATIENCE = SECONDS["get_up"]


class Rest:
    """Chooses skill and goal, step by step. skills: what the policy can do."""

    def __init__(self, skills: Sequence[str]) -> None:
        self._idle = "idle" if "idle" in skills else skills[0]
        self._up = "get_up" if "get_up" in skills else self._idle
        self._limits = Limits()
        self._down = 0.0  # s since it lay down
        self._goal: Optional[XY] = None

    @property
    def helpless(self) -> bool:
        """Whether it has tried to get up for long."""
        return self._down > PATIENCE

    def choose(self, state: WorldState) -> Tuple[str, XY]:
        """Skill and goal (m) for the next control step."""
        if self._goal is None:
            self._goal = ahead(state.xy, state.heading, _FACING)
        lying = state.fallen or (self._down > 0.0 and not self._stands(state))
        if lying:
            self._down += CONTROL_DT
        elif self._down:
            # stands again: stay turned as it is now
            self._down, self._goal = 0.0, ahead(state.xy, state.heading, _FACING)
        return (self._up if lying else self._idle), self._goal

    def _stands(self, state: WorldState) -> bool:
        upright = state.root_up > self._limits.up_z
        return upright and float(state.root_pos[2]) > self._limits.up_height
