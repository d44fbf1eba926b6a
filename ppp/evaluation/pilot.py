"""Commands that lead humanoids to their targets with the skills there are: no learning in it.

What the executor of a plan does for one humanoid (``ppp.planning``), for a batch: turn on the spot
when the way lies behind, walk, come to rest, act.
"""
from __future__ import annotations

import torch
from torch import Tensor

from ppp.humanoid.rotations import wrap_angle, yaw_of
from ppp.planning.settling import RESTING, STANDING, TURN_FROM, TURN_TO
from ppp.tasks.env import HumanoidEnv

#: phases of a humanoid
GO, REST, ACT = 0, 1, 2
#: longest rest and longest act before another approach, control steps
LONGEST_REST, LONGEST_ACT = 60, 150
#: after an act that did not do it the next one begins so much nearer, m; no nearer than
CLOSER, NEAREST = 0.15, 0.9
#: who stands this much farther off than the act began goes after the target, m
GO_AFTER = 0.4
#: nearer than this a target is not turned to, m
AT_IT = 0.3
#: share of the newest step in the running velocity
_RATE = 0.2


class Pilot:
    """Sets the skill and target of every environment before a step.

    gait: the skill that travels; act: the one performed at rest within ``stop`` m of the target
    (by default it stands there). Turns and standing are used where the environment has them.
    """

    def __init__(self, env: HumanoidEnv, gait: str, stop: float, act: str = STANDING) -> None:
        names, count = env.library.skills, env.num_envs
        self.env, self.gait = env, names.index(gait)
        self._stand = names.index(STANDING) if STANDING in names else self.gait
        self._act = names.index(act) if act in names else self._stand
        self._turns = [names.index(n) if n in names else -1 for n in ("turn_left", "turn_right")]
        self._acts = self._act != self._stand
        self.stop = torch.full((count,), float(stop))
        self.phase = torch.zeros(count, dtype=torch.long)
        self.timer = torch.zeros(count, dtype=torch.long)
        self.turning = torch.zeros(count)
        self._velocity = torch.zeros(count, 2)

    def restart(self, ids: Tensor) -> None:
        """``ids`` (n,) set out anew: they have another target or another body."""
        self.phase[ids] = GO
        self.turning[ids] = 0.0

    def command(self, goal: Tensor) -> None:
        """The next step's commands for targets (N, 2), m."""
        state = self.env.engine.state
        gap = goal - state.root_pos[:, :2]
        distance = gap.norm(dim=-1)
        self._velocity += _RATE * (state.bodies.lin_vel[:, 0, :2] - self._velocity)
        self._change_phase(distance, self._velocity.norm(dim=-1) < RESTING)
        facing = yaw_of(state.root_rot) + self.env.travel_offset[self.gait]
        self._turn(wrap_angle(torch.atan2(gap[:, 1], gap[:, 0]) - facing), distance)
        skill = torch.full_like(self.phase, self.gait)
        for sense, turn in zip((1.0, -1.0), self._turns):
            skill[self.turning == sense] = turn
        skill[self.phase == REST] = self._stand
        skill[self.phase == ACT] = self._act
        self.env.commands.skill, self.env.commands.target = skill, goal.clone()

    def _change_phase(self, distance: Tensor, resting: Tensor) -> None:
        self.timer += 1
        arrived = (self.phase == GO) & (distance < self.stop)
        rested = (self.phase == REST) & (resting | (self.timer > LONGEST_REST))
        if not self._acts:
            rested &= False
        late = (self.phase == ACT) & (self.timer > LONGEST_ACT)
        away = (self.phase != GO) & (distance > self.stop + GO_AFTER)
        self.stop = torch.where(late, (self.stop - CLOSER).clamp_min(NEAREST), self.stop)
        for who, phase in ((arrived, REST), (rested, ACT), (late | away, GO)):
            self.phase[who] = phase
            self.timer[who] = 0

    def _turn(self, off: Tensor, distance: Tensor) -> None:
        """Begin and end turns on the spot for targets ``off`` (N,), rad, from the way."""
        going = (self.phase == GO) & (distance > AT_IT)
        begin = going & (off.abs() > TURN_FROM) & (self.turning == 0)
        self.turning = torch.where(begin, off.sign(), self.turning)
        over = ~going | (off.abs() < TURN_TO) | (off.sign() != self.turning)
        self.turning = torch.where(over, torch.zeros_like(self.turning), self.turning)
        for sense, turn in zip((1.0, -1.0), self._turns):
            if turn < 0:
                self.turning[self.turning == sense] = 0.0
