"""The result of a performance, and its JSON."""
from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Dict, List, Tuple

from ppp.planning.checks import CheckResult
from ppp.planning.plan_schema import Plan
from ppp.planning.recording import Recording
from ppp.planning.situation import Outcome


@dataclass(frozen=True)
class Result:
    """One performance. plans: the first plan and every later one. time_s: simulated seconds.

    ended: why the performance was over. reasons: why each new plan was made. events: what happened
    in the scene by itself.
    """

    scenario: str
    instruction: str
    planner: str
    seed: int
    success: bool
    checks: Tuple[CheckResult, ...]
    plans: Tuple[Plan, ...]
    steps: Tuple[Outcome, ...]
    replans: int
    time_s: float
    ended: str
    reasons: Tuple[str, ...]
    recording: Recording = field(repr=False, compare=False)
    events: Tuple[Dict[str, Any], ...] = ()

    def as_dict(self) -> Dict[str, Any]:
        """Plain data with the keys of the design: success, checks, plan, steps, replans, time_s."""
        return {
            "scenario": self.scenario,
            "instruction": self.instruction,
            "planner": self.planner,
            "seed": self.seed,
            "performed": True,
            "success": self.success,
            "ended": self.ended,
            "checks": [c.as_dict() for c in self.checks],
            "plan": self.plans[0].as_dict() if self.plans else None,
            "later_plans": [p.as_dict() for p in self.plans[1:]],
            "steps": [s.as_dict() for s in self.steps],
            "replans": self.replans,
            "replan_reasons": list(self.reasons),
            "events": list(self.events),
            "time_s": round(self.time_s, 3),
        }


def recorded_steps(steps: Tuple[Outcome, ...]) -> List[Dict[str, Any]]:
    """The steps as a recording holds them."""
    return [
        {
            "command": s.command,
            "skill": s.skill,
            "target": [float(v) for v in s.target],
            "start": s.start,
            "end": s.end,
            "ended": s.ended,
        }
        for s in steps
    ]
