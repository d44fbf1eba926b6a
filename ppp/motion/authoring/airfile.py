"""The parts of a skill file that let a clip leave the ground.

``air`` of a clip turns on the vertical path (see :mod:`flight`); a flight is wherever both feet are
in their swing. It is a mapping with
  heights    [[time s, height m], …]: of the centre of mass (about 0.93 m in the ready stance)
  swing      [[share 0..1, m, degrees], …]: how high the ankle is above its stance and how far the
             toes point down, on the way from lift-off to landing
  max_force  body weights that the ground may push with (default 3)
  roll_time  s before take-off in which the heel rises to 'toe_off' of the feet (default 0.07)
  steady     0..1: share of the moment about the centre of mass that turning the upper
             body takes in stance (default 0; in flight it takes all)
``feet: {kind: run}`` writes the steps: a loop from speed, turn_rate, step_time and flight (s
without a foot on the floor, in every step), or with ``rows`` a path that begins and ends in the
ready stance: [forward m, left m, turn degrees, step time s, flight s] for each step, a flight
below 0 being the time on both feet.
"""
from __future__ import annotations

from typing import List, Sequence

import numpy as np

from ppp.errors import PPPError, unknown
from ppp.motion.authoring.footsteps import LEFT, RIGHT, FootPlan, gait_start
from ppp.motion.authoring.paths import widened
from ppp.motion.authoring.running import Air, run_steps

RUN = {"kind": "run", "speed": 2.3, "turn_rate": 0.0, "step_time": 0.3333, "flight": 0.1,
       "steps": 2, "first": "right", "width": 0.12, "rows": None, "start": 0.5, "toe_off": 20.0,
       "heel": 0.0, "toe": 0.08, "inward": 0.0}
_AIR = ("heights", "swing", "max_force", "roll_time", "steady")


def air_of(spec: dict, feet: dict, where: str) -> Air:
    """The ``air`` of a clip, checked. PPPError names what is wrong."""
    air = spec["air"]
    if not isinstance(air, dict):
        raise PPPError(f"{where}: 'air' is {air!r}; write {{heights: [[time, m], …], swing: "
                       "[[share, m, degrees], …]}")
    for name in air:
        if name not in _AIR:
            raise unknown(f"field of 'air' in {where}", name, _AIR)
    if feet["kind"] not in ("run", "steps"):
        raise PPPError(f"{where}: 'air' needs feet of kind 'run' or 'steps', not '{feet['kind']}'")
    heights = _rows(air.get("heights"), 2, f"{where}: 'heights' of 'air'")
    swing = _rows(air.get("swing"), 3, f"{where}: 'swing' of 'air'")
    for name, rows in (("heights", heights), ("swing", swing)):
        if any(b[0] <= a[0] for a, b in zip(rows, rows[1:])):
            raise PPPError(f"{where}: the first numbers of '{name}' do not increase; sort its rows")
    if not 0.0 < swing[0][0] or not swing[-1][0] < 1.0:
        raise PPPError(f"{where}: the shares of 'swing' have to lie between 0 and 1")
    extra = {}
    for name, low, high in (("max_force", 1.1, 10.0), ("roll_time", 0.02, 0.5),
                            ("steady", 0.0, 1.0)):
        value = air.get(name)
        if value is None:
            continue
        if not isinstance(value, (int, float)) or not low <= value <= high:
            raise PPPError(f"{where}: '{name}' of 'air' is {value!r}; give {low:g} to {high:g}")
        extra[name] = float(value)
    return Air(tuple((r[0], r[1]) for r in heights),
               tuple((r[0], r[1], float(np.radians(r[2]))) for r in swing), **extra)


def run_plan(feet: dict, ready: np.ndarray, seconds: float, fps: int, where: str) -> FootPlan:
    """Footsteps of ``kind: run``: a loop that begins as a foot lands, or a path."""
    stance = widened(ready, feet["width"])
    first = RIGHT if feet["first"] == "right" else LEFT
    if feet["rows"] is None:
        time = round(feet["step_time"] * fps) / fps  # whole frames a step: the loop ends on one
        rows = [[feet["speed"] * time, 0.0, feet["turn_rate"] * time, time,
                 feet["flight"]]] * int(feet["steps"])
    else:
        rows = _rows(feet["rows"], 5, f"{where}: 'rows' of feet")
    for row in rows:
        if not 0.1 <= row[3] <= 3.0 or not -row[3] < row[4] < 0.8 * row[3]:
            raise PPPError(f"{where}: a step of {row[3]:g} s with {row[4]:g} s of flight cannot "
                           "be; give 0.1 to 3 s, of which less than 0.8 in the air")
    rows = [(x, y, float(np.radians(turn)), time, aloft) for x, y, turn, time, aloft in rows]
    toe_off = float(np.radians(feet["toe_off"]))
    if feet["rows"] is None:
        begin = gait_start(stance, rows[-1][:3], first)
        steps = run_steps(stance, rows, first, 0.0, -rows[-1][4])
        return FootPlan(begin, steps, sum(r[3] for r in rows), toe_off=toe_off)
    start = float(feet["start"])
    steps = run_steps(stance, rows, first, start, start)
    steps[-2:] = run_steps(ready, rows, first, start, start)[-2:]
    return FootPlan(ready, steps, seconds, toe_off=toe_off)


def _rows(value: object, width: int, where: str) -> List[Sequence[float]]:
    rows = value if isinstance(value, list) else []
    for row in rows:
        if not isinstance(row, list) or len(row) != width or not all(
                isinstance(v, (int, float)) and not isinstance(v, bool) for v in row):
            raise PPPError(f"{where}: {row!r} is not a list of {width} numbers")
    if not rows:
        raise PPPError(f"{where} has to be a list of rows of {width} numbers each")
    return [[float(v) for v in row] for row in rows]
