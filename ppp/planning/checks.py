"""Did it succeed? Every success check over the trace of a performance, with what was seen."""
from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple

import numpy as np

from ppp.planning.conditions import (
    LASTING,
    Approached,
    Facing,
    InOrder,
    KeptAway,
    KnockedOver,
    NeverFell,
    Performed,
    Reached,
    on_wrong_side,
)
from ppp.planning.scenario import Scenario
from ppp.planning.trace import Trace

#: a skill was performed when it is seen in this share of the step: to begin and to end it also
#: takes its time
SEEN = 1.0 / 3.0


@dataclass(frozen=True)
class CheckResult:
    """check: the check in words. detail: what was seen, with figures and times."""

    check: str
    passed: bool
    detail: str

    def as_dict(self) -> Dict[str, Any]:
        """The check's entry in the result's JSON."""
        return {"check": self.check, "passed": self.passed, "detail": self.detail}


class Verdict(NamedTuple):
    """at: the index of the state in which a check came true, None if it did not."""

    at: Optional[int]
    detail: str


def evaluate(scenario: Scenario, trace: Trace) -> List[CheckResult]:
    """Judge every success check at the end of a performance, in the order of the scenario."""
    results = []
    for condition in scenario.success:
        verdict = _verdict(condition, scenario, trace)
        results.append(CheckResult(str(condition), verdict.at is not None, verdict.detail))
    return results


def progress(scenario: Scenario, trace: Trace) -> Tuple[int, ...]:
    """Per success check how many of its members hold by now: 0 or 1, more for ``in_order``."""
    counts = []
    for condition in scenario.success:
        if isinstance(condition, InOrder):
            counts.append(len(_in_order(condition, scenario, trace)[0]))
        else:
            counts.append(int(_verdict(condition, scenario, trace).at is not None))
    return tuple(counts)


def _verdict(condition: Any, scenario: Scenario, trace: Trace) -> Verdict:
    """A check on its own: facing is judged at the end, the others at any time before it."""
    if isinstance(condition, InOrder):
        times, detail = _in_order(condition, scenario, trace)
        complete = len(times) == len(condition.in_order)
        return Verdict(times[-1] if complete else None, detail)
    if isinstance(condition, (KeptAway, Approached)):
        return _LASTING[type(condition)](condition, scenario, trace)
    if isinstance(condition, LASTING):
        return _never(condition, trace)
    since = len(trace.states) - 1 if isinstance(condition, Facing) else 0
    return _FIRST[type(condition)](condition, scenario, trace, since)


def _in_order(
    condition: InOrder, scenario: Scenario, trace: Trace
) -> Tuple[List[int], str]:
    """The states in which the members came true one after the other, and the story of it."""
    times: List[int] = []
    for member in condition.in_order:
        since = times[-1] if times else 0
        verdict = _FIRST[type(member)](member, scenario, trace, since)
        if verdict.at is None:
            return times, f"stopped at '{member}': {verdict.detail}"
        times.append(verdict.at)
    moments = ", ".join(f"{trace.states[i].time:.1f} s" for i in times)
    return times, f"came true at {moments}"


def _at(trace: Trace, index: int) -> str:
    return f"at {trace.states[index].time:.1f} s"


def _first(holds: np.ndarray, since: int) -> Optional[int]:
    found = np.flatnonzero(holds[since:])
    return since + int(found[0]) if len(found) else None


def _place(name_or_point: Any, scenario: Scenario, trace: Trace) -> np.ndarray:
    """(T, 2) of an object, or (2,) of a point or a marker, m."""
    if not isinstance(name_or_point, str):
        return np.array(name_or_point)
    if name_or_point in trace.now.props:
        return trace.prop_xy(name_or_point)
    return np.array(next(o.position for o in scenario.objects if o.name == name_or_point))


def _reached(check: Reached, scenario: Scenario, trace: Trace, since: int) -> Verdict:
    gaps = np.linalg.norm(trace.xy() - _place(check.reached, scenario, trace), axis=-1)
    there = gaps <= check.within
    if check.by:
        moving = trace.performing(check.by)
        if there[since:].any() and not (there & moving)[since:].any():
            return Verdict(None, f"came there, but not by {check.by}")
        there &= moving
    nearest = since + int(gaps[since:].argmin())
    seen = f"nearest {gaps[nearest]:.2f} m {_at(trace, nearest)}"
    return Verdict(_first(there, since), seen)


def _facing(check: Facing, scenario: Scenario, trace: Trace, since: int) -> Verdict:
    to = _place(check.facing, scenario, trace) - trace.xy()
    off = np.arctan2(to[:, 1], to[:, 0]) - trace.headings()
    off = np.abs(np.degrees(np.arctan2(np.sin(off), np.cos(off))))
    best = since + int(off[since:].argmin())
    return Verdict(
        _first(off <= check.within, since), f"{off[best]:.0f} degrees off {_at(trace, best)}"
    )


def _knocked_over(check: KnockedOver, scenario: Scenario, trace: Trace, since: int) -> Verdict:
    lying = trace.prop_lies(check.knocked_over)
    fell = _first(lying, 0)
    if fell is None:
        tilt = min(s.props[check.knocked_over].up_z for s in trace.states)
        angle = math.degrees(math.acos(max(-1.0, min(1.0, tilt))))
        return Verdict(None, f"tipped by {angle:.0f} degrees at most")
    # in an order the fall itself must come in its turn
    return Verdict(fell if fell >= since else None, f"fell {_at(trace, fell)}")


def _performed(check: Performed, scenario: Scenario, trace: Trace, since: int) -> Verdict:
    begun = trace.states[since].time - 1e-6
    times = trace.times()
    tried = [o for o in trace.outcomes if o.skill == check.performed and o.start >= begun]
    shares = []
    for outcome in (o for o in tried if o.ok):
        share = trace.seen(outcome)
        if share is None or share >= SEEN:
            index = min(int(np.searchsorted(times, outcome.end - 1e-6)), len(times) - 1)
            seen = "" if share is None else f", seen in {share:.0%} of it"
            return Verdict(index, f"carried out from {outcome.start:.1f} to {outcome.end:.1f} s"
                                  + seen)
        shares.append(share)
    if shares:
        return Verdict(None, f"carried out, but seen in {max(shares):.0%} of it only")
    return Verdict(None, f"{len(tried)} tries, none to its end" if tried else "not performed")


def _never(condition: Any, trace: Trace) -> Verdict:
    if isinstance(condition, NeverFell):
        index, what = _first(trace.fell(), 0), "fell"
    else:
        name = condition.never_touched
        index, what = _first(trace.touches(name), 0), "touched"
        if index is not None and trace.states[index].props[name].by_sword:
            what = "touched by the sword"
    if index is None:
        return Verdict(len(trace.states) - 1, f"never {what}")
    return Verdict(None, f"{what} {_at(trace, index)}")


def _kept_away(check: KeptAway, scenario: Scenario, trace: Trace) -> Verdict:
    gaps = trace.gaps(scenario.scene(), check.kept_away)
    nearest = int(gaps.argmin())
    # rounded down: what is reported as far enough was
    seen = f"nearest {math.floor(100.0 * gaps[nearest]) / 100.0:.2f} m {_at(trace, nearest)}"
    return Verdict(None if gaps[nearest] < check.by else len(gaps) - 1, seen)


def _approached(check: Approached, scenario: Scenario, trace: Trace) -> Verdict:
    """Judged while the object stands; its own heading is the one the scenario gives it."""
    name = check.approached
    yaw = next(p.yaw for p in scenario.scene().props if p.name == name)
    places = np.broadcast_to(_place(name, scenario, trace), trace.xy().shape)
    lying = trace.prop_lies(name) if name in trace.now.props else np.zeros(len(places), bool)
    for i, (xy, centre) in enumerate(zip(trace.xy(), places)):
        if lying[i]:
            break
        if on_wrong_side(check, tuple(centre), yaw, tuple(xy)):
            return Verdict(None, f"on another side, {np.linalg.norm(xy - centre):.2f} m from it, "
                                 f"{_at(trace, i)}")
    return Verdict(len(trace.states) - 1, "never on another side")


_LASTING: Dict[type, Callable[[Any, Scenario, Trace], Verdict]] = {
    KeptAway: _kept_away,
    Approached: _approached,
}
_FIRST: Dict[type, Callable[[Any, Scenario, Trace, int], Verdict]] = {
    Reached: _reached,
    Facing: _facing,
    KnockedOver: _knocked_over,
    Performed: _performed,
}
