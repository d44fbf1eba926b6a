"""Tasks that the humanoid can do, as scenarios: the yards of held-out layouts, new texts.

``python -m ppp.rearrangement.physical --out DIR`` writes them as files for ``ppp plan``.
"""
from __future__ import annotations

import argparse
import math
import random
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Tuple

import numpy as np
import yaml

from ppp.errors import PPPError, run_entry
from ppp.outputs import check_folder, whole
from ppp.planning.scenario import Scenario, parse_scenario
from ppp.rearrangement import actions as acts
from ppp.rearrangement import families as fam
from ppp.rearrangement import heldout, wordings
from ppp.rearrangement import vocabulary as words
from ppp.rearrangement.families import Draft, Slotter, sentence
from ppp.rearrangement.layout import HELD_OUT_LAYOUTS, YARD, Layout
from ppp.rearrangement.task import Setup

#: families without a thing to carry or open, and their shares
FAMILIES: Dict[str, float] = {
    "go": 1, "run": 1, "sneak": 1, "strike": 3, "strike_avoid": 1, "block_strike": 2, "ordered": 2,
}  # fmt: skip
#: requests of an order that the humanoid can do
CLAUSES: Tuple[str, ...] = ("go", "run", "strike", "strike_by", "block", "taunt")
#: a landmark and the guard are boxes of this size, m
LANDMARK_SIZE, GUARD_SIZE = (0.5, 0.5, 1.4), (0.4, 0.4, 1.7)
#: from the fire's middle, m
FIRE = 0.6
#: where a walk to a thing may end, m from its centre: before its side, and what a walk misses
ARRIVED = 1.6
#: one begins at least so far from what one is sent to, m
AWAY = ARRIVED + 0.3
#: the yards are drawn out by this, for a walker who is less exact than one on a floor plan
SPREAD = 1.3
#: from the middle of anything where one begins, m
SWING = 1.5
SECONDS = 90.0


def make_scenarios(count: int, seed: int, wording: str = "trained") -> List[Scenario]:
    """Scenarios with different texts, the same for the same seed.

    wording: "trained" takes frames of training, "rephrased" those that training does not have.
    """
    if wording not in ("trained", "rephrased"):
        raise PPPError(f"wording: must be trained or rephrased, not '{wording}'")
    rng = random.Random(f"physical {wording} {seed}")
    made: Dict[str, Scenario] = {}
    while len(made) < count:
        layout = rng.choice(HELD_OUT_LAYOUTS)
        family = rng.choices(list(FAMILIES), list(FAMILIES.values()))[0]
        q = Slotter(rng, layout)
        q.names = _yard(q.layout)
        draft = fam.ordered(q, CLAUSES) if family == "ordered" else fam.FAMILIES[family][0](q)
        frames = (wordings.TRAIN if wording == "trained" else heldout.REPHRASED)[draft.frames]
        text = sentence(rng.choice(frames), draft.slots)
        found = _scenario(q, draft, text, f"{family} {len(made)}") if text not in made else None
        if found is not None:
            made[text] = found
    return list(made.values())


def _yard(layout: Layout) -> Dict[str, Tuple[str, ...]]:
    """What instructions may name: what stands in the yard."""
    outside = [n for n in (*words.LANDMARKS, *words.DUMMIES)
               if layout.exists[words.PLACE[n]] and layout.room[words.PLACE[n]] == YARD]
    dummies = tuple(n for n in outside if n in words.DUMMIES)
    return {"place": tuple(outside), "gait": tuple(outside), "dummy": dummies}


def _scenario(q: Slotter, draft: Draft, text: str, name: str) -> Optional[Scenario]:
    """The draft as a scenario; None where it cannot be checked or begun there."""
    goals = [[c for c in stage if c[0] == "did"] or stage for stage in draft.stages]
    stages = [[_check(c) for c in stage] for stage in goals]
    if any(check is None for stage in stages for check in stage):
        return None
    flat = [check for stage in stages for checks in stage for check in checks or ()]
    success: List[Any] = [{"in_order": flat}] if len(stages) > 1 and len(flat) > 1 else flat
    if ["unburnt"] in draft.keep:
        success = [*success, {"kept_away": words.HAZARD, "by": FIRE}]
    start = draft.setup.start or ("" if draft.setup.burning else _start(q, draft))
    if not start or not _away(q, start, draft):
        return None
    x, y = _begin(q.layout, start)
    try:
        return parse_scenario({
            "name": name, "instruction": text, "success": success, "time_limit": SECONDS,
            "start": {"position": [round(float(x), 3), round(float(y), 3)],
                      "heading": round(math.degrees(math.atan2(-y, -x)), 1)},
            "objects": objects(q, draft.setup),
        }, name)
    except PPPError:  # the guard stands in the way of the start, or the like: draw another
        return None


def _check(condition: Sequence[Any]) -> Optional[List[Dict[str, Any]]]:
    """Checks of a scenario for a condition of a task; None where there is none so exact."""
    name, *rest = condition
    if name == "at":
        return [{"reached": rest[0], "within": ARRIVED}]
    skills, place = rest
    if skills[0] in acts.MOVES:
        return [{"reached": place, "within": ARRIVED, "by": acts.HUMANOID[skills[0]]}]
    if skills[0] in acts.STRIKES:
        down = {"knocked_over": place}
        if len(skills) == len(acts.STRIKES):
            return [down]
        return [{"performed": acts.HUMANOID[skills[0]]}, down] if len(skills) == 1 else None
    reached = [{"reached": place, "within": ARRIVED}] if place else []
    return [*reached, {"performed": acts.HUMANOID[skills[0]]}]


def _start(q: Slotter, draft: Draft) -> str:
    """A place of the yard that the goal is not about, '' where there is none."""
    named = [c[-1] for stage in draft.stages for c in stage]
    free = [n for n in q.names["place"] if n not in named]
    return q.rng.choice(free) if free else ""


def _away(q: Slotter, start: str, draft: Draft) -> bool:
    """Whether no place that the goal is about is reached at first, and nothing is too near."""
    here, named = _begin(q.layout, start), [c[-1] for stage in draft.stages for c in stage if c[-1]]
    gaps = {n: math.dist(here, _spread(q.layout, q.layout.xy[words.PLACE[n]]))
            for n in q.names["place"]}
    return all(gaps[n] > AWAY for n in named) and min(gaps.values()) > SWING - 1e-6


def _spread(layout: Layout, xy: Any, spread: float = SPREAD) -> np.ndarray:
    """A point of the house in the scenario, whose origin is the middle of the yard, m."""
    x0, y0, x1, y1 = layout.rooms[YARD]
    return spread * (np.asarray(xy) - [0.5 * (x0 + x1), 0.5 * (y0 + y1)])


def _begin(layout: Layout, start: str) -> np.ndarray:
    """Where one begins: before a place, far enough back from it to swing a sword, m."""
    place = words.PLACE[start]
    heading = float(layout.heading[place])
    back = SWING * np.array([math.cos(heading), math.sin(heading)])
    return _spread(layout, layout.xy[place]) - back


def objects(q: Slotter, setup: Setup, spread: float = SPREAD) -> List[Dict[str, Any]]:
    """What stands in the yard, around its middle; distances are ``spread`` times the yard's."""

    def entry(name: str, kind: str, xy: Any, size: Any = None) -> Dict[str, Any]:
        place = [round(float(v), 3) for v in _spread(q.layout, xy, spread)]
        made = {"name": name, "kind": kind, "position": place}
        return {**made, "size": list(size)} if size else made

    layout = q.layout
    found = [
        entry(n, "target", layout.xy[words.PLACE[n]]) if n in words.DUMMIES
        else entry(n, "obstacle", layout.xy[words.PLACE[n]], LANDMARK_SIZE)
        for n in q.names["place"]
    ]
    if setup.burning:
        found.append(entry(words.HAZARD, "marker", layout.hazard))
    if setup.guarded and layout.guard[0] > layout.rooms[YARD][0]:
        found.append(entry(words.GUARD, "obstacle", layout.guard, GUARD_SIZE))
    return found


def main(argv: Optional[List[str]] = None) -> int:
    """Write scenarios as YAML files."""
    parser = argparse.ArgumentParser(prog="python -m ppp.rearrangement.physical",
                                     description=make_scenarios.__doc__)
    parser.add_argument("--count", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--wording", choices=("trained", "rephrased"), default="trained")
    parser.add_argument("--out", type=Path, required=True, help="folder")
    args = parser.parse_args(argv)
    check_folder(args.out)
    for i, scenario in enumerate(make_scenarios(args.count, args.seed, args.wording)):
        with whole(args.out / f"{i:03d}.yaml") as part:
            part.write_text(as_yaml(scenario), encoding="utf-8")
    print(f"{args.count} scenarios in {args.out}")
    return 0


def as_yaml(scenario: Scenario) -> str:
    """The scenario as a file that ``load_scenario`` reads back."""
    data = scenario.model_dump(mode="json", exclude={"success"}, exclude_none=True,
                               exclude_defaults=True)
    data["success"] = [_plain(c) for c in scenario.success]
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True)


def _plain(check: Any) -> Dict[str, Any]:
    if hasattr(check, "in_order"):
        return {"in_order": [_plain(c) for c in check.in_order]}
    return check.model_dump(mode="json", exclude_none=True)


if __name__ == "__main__":
    raise SystemExit(run_entry(main))
