"""Where a performance fell: what the humanoid had been told when it lost its balance."""
from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, Dict, Iterable, List, Sequence, Tuple

from ppp.planning.endings import Limits, stands
from ppp.planning.geometry import distance
from ppp.planning.performer import prop_positions
from ppp.planning.trace import Trace

#: the balance is lost when the pelvis leans further than this, cosine (37 degrees), for good
UPRIGHT = 0.8


@dataclass(frozen=True)
class Fall:
    """One fall. Times in s, distance in m.

    lost: when the balance went; lay: when the body touched the floor. skill, since: what it had
    been told and for how long; before: the skill before that. near, gap: the object nearest to
    the pelvis, and how far its centre was.
    """

    lost: float
    lay: float
    skill: str
    since: float
    before: str
    near: str
    gap: float


def falls(trace: Trace, told: Sequence[Tuple[float, str]]) -> List[Fall]:
    """Every fall from the feet; who rises and drops again before standing fell once.

    told: (time, s; skill) of every change of skill, in order.
    """
    found, stood, upright, limits = [], True, 0, Limits()
    for i, state in enumerate(trace.states):
        if state.root_up > UPRIGHT and not state.fallen:
            upright = i
        if state.fallen:
            if stood:
                found.append(_fall(trace, upright, state.time, told))
            stood = False
        elif stands(state, limits):
            stood = True
    return found


def _fall(trace: Trace, upright: int, lay: float, told: Sequence[Tuple[float, str]]) -> Fall:
    state = trace.states[upright]
    known = [(0.0, "idle"), *(entry for entry in told if entry[0] <= state.time + 1e-6)]
    gap, near = min(((distance(state.xy, xy), name) for name, xy in prop_positions(state).items()),
                    default=(0.0, ""))
    return Fall(round(state.time, 2), round(lay, 2), known[-1][1],
                round(state.time - known[-1][0], 2), known[-2][1] if len(known) > 1 else "",
                near, round(gap, 2))


def tally(rows: Iterable[Dict[str, Any]]) -> Dict[str, int]:
    """skill -> falls while it was told, most first; rows: episodes with ``fell``."""
    counted = Counter(fall["skill"] for row in rows for fall in row.get("fell", []))
    return dict(counted.most_common())
