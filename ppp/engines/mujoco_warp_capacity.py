"""Room for contacts and constraints: MuJoCo-Warp allocates it once, and leaves out what does not
fit, which lets bodies sink into each other."""
from __future__ import annotations

import math
import sys
from typing import List, NamedTuple, Optional, Tuple

from ppp.engines.scene import Scene
from ppp.errors import PPPError

#: of a humanoid (lying flat it has 28 contacts and 100 rows), and for each prop
CONTACTS, CONTACTS_EACH_PROP = 48, 12
ROWS, ROWS_EACH_PROP = 192, 32


class Use(NamedTuple):
    """The most that was used at once since the last look; more than fits where some was lost."""

    contacts: int  # of all environments together
    pairs: int  # candidates of the broad phase, of all environments together; they share the room
    rows: int  # constraint rows of one environment
    lost: int  # bits of MuJoCo-Warp's OverflowType that say that something was left out


def default_capacities(scene: Scene) -> Tuple[int, int]:
    """nconmax and njmax for a scene."""
    props = len(scene.bodies)
    return CONTACTS + CONTACTS_EACH_PROP * props, ROWS + ROWS_EACH_PROP * props


class Capacities:
    """``nconmax`` contacts for each of ``num_envs`` environments in one store, ``njmax`` rows of
    constraints in each; None: what the scene needs."""

    def __init__(self, num_envs: int, scene: Scene, nconmax: Optional[int] = None,
                 njmax: Optional[int] = None) -> None:
        self.num_envs, self._usual = num_envs, default_capacities(scene)
        self.nconmax = self._usual[0] if nconmax is None else int(nconmax)
        self.njmax = self._usual[1] if njmax is None else int(njmax)
        for name, value in (("nconmax", self.nconmax), ("njmax", self.njmax)):
            if value < 1:
                raise PPPError(f"engine mujoco_warp: option '{name}' is {value}; it must be 1 or "
                               "more")
        self._told = Use(0, 0, 0, 0)

    def lacking(self, use: Use) -> List[str]:
        """One sentence for each capacity that was too small."""
        found, room = [], self.nconmax * self.num_envs
        for number, what in ((use.contacts, "contacts"), (use.pairs, "pairs of near shapes")):
            if number > room:
                # a pair that was lost is not in the count of contacts: the usual room at least
                enough = max(_rounded(number / self.num_envs), self._usual[0])
                found.append(f"{number} {what} in {self.num_envs} environments do not fit option "
                             f"'nconmax' ({self.nconmax} each, {room} in all); give --nconmax "
                             f"{enough}")
                break
        if use.rows > self.njmax:
            found.append(f"{use.rows} rows of constraints in one environment do not fit option "
                         f"'njmax' ({self.njmax}); give --njmax "
                         f"{max(_rounded(use.rows), self._usual[1])}")
        if use.lost and not found:  # a store that follows from these two
            found.append(f"a store that follows from options 'nconmax' ({self.nconmax}) and "
                         f"'njmax' ({self.njmax}) was too small (overflow bits {use.lost:#x}); "
                         f"give --nconmax {_rounded(1.5 * self.nconmax)} --njmax "
                         f"{_rounded(1.5 * self.njmax)}")
        return found

    def check(self, use: Use) -> None:
        """PPPError where something did not fit."""
        for sentence in self.lacking(use):
            raise PPPError(f"engine mujoco_warp: {sentence}")

    def warn(self, use: Use) -> None:
        """Say on stderr that contacts were lost, once, and again only when it gets worse."""
        worse = [now > 1.2 * before for now, before in zip(use, self._told)]
        sentences = self.lacking(use)
        if sentences and any(worse):
            self._told = Use(*(max(pair) for pair in zip(use, self._told)))
            for sentence in sentences:
                print(f"warning: engine mujoco_warp: contacts were lost, bodies may have sunk into "
                      f"each other: {sentence}", file=sys.stderr, flush=True)


def _rounded(number: float) -> int:
    """The next multiple of 16 with a fifth to spare."""
    return 16 * math.ceil(1.2 * number / 16)
