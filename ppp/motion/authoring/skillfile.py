"""Skill files: YAML that says what each clip is made of, turned into scores."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Dict, List, Tuple

import numpy as np

from ppp.errors import PPPError, unknown
from ppp.motion.authoring.airfile import RUN, air_of, run_plan
from ppp.motion.authoring.compose import CLIP_FPS, Score
from ppp.motion.authoring.footsteps import (
    LEFT,
    RIGHT,
    FootPlan,
    Step,
    gait,
    gait_start,
    rotate,
    standing_feet,
)
from ppp.motion.authoring.paths import path_steps, widened
from ppp.motion.authoring.pose import KeyPose, PoseBook
from ppp.settings import load_yaml

SKILLS = Path(__file__).with_name("skills")
_CLIP_FIELDS = ("name", "about", "seconds", "loop", "weight", "hits", "feet", "keys", "height",
                "window", "skill", "reverse", "air", "start", "help", "ends")
_ROLL = {"clearance": 0.06, "toe_off": 20.0, "heel": 0.03, "toe": 0.09, "inward": 0.01}
_GAIT = {"kind": "gait", "speed": 0.9, "sideways": 0.0, "turn_rate": 0.0, "step_time": 0.4667,
         "steps": 2, "double_support": 0.2, "first": "right", "moves": None, "width": 0.0, **_ROLL}
_PATH = {"kind": "path", "start": 0.5, "step_time": 0.4667, "double_support": 0.2,
         "first": "right", "moves": (), "width": 0.0, "tempo": None, **_ROLL}
_STAND = {"kind": "stand", "stance": None}
_STEPS = {"kind": "steps", "steps": (), "stance": None, "clearance": 0.05, "toe_off": 0.0,
          "heel": 0.02, "toe": 0.05, "inward": 0.01}
_FEET = {"gait": _GAIT, "path": _PATH, "stand": _STAND, "steps": _STEPS, "run": RUN,
         "floor": {"kind": "floor"}}
_SIDES = {"right": RIGHT, "left": LEFT}


@dataclass
class Part:
    """One clip to author: its entry in the skill file and the skill it belongs to."""

    skill: str
    spec: dict
    where: str

    @property
    def name(self) -> str:
        """File name without its ending."""
        return str(self.spec["name"])


@dataclass
class SkillFile:
    """A skill's label and mode, its own poses and its clips."""

    skill: str
    label: str
    mode: str
    poses: Dict[str, dict]
    parts: List[Part]


def read_skill(path: Path) -> SkillFile:
    """A skill file, its fields checked."""
    data = load_yaml(path)
    for name in ("skill", "label", "mode", "clips"):
        if name not in data:
            raise PPPError(f"{path}: the field '{name}' is missing; add it")
    if data["mode"] not in ("travel", "turn", "face"):
        raise unknown(f"mode in {path}", data["mode"], ("travel", "turn", "face"))
    parts = []
    for number, spec in enumerate(_mappings(data["clips"], f"{path}: 'clips'")):
        where = f"{path}: clip {number + 1}"
        for name in spec:
            if name not in _CLIP_FIELDS:
                raise unknown(f"field of {where}", name, _CLIP_FIELDS)
        for name in ("name", "feet", "keys"):
            if name not in spec:
                raise PPPError(f"{where}: the field '{name}' is missing; add it")
        for name in ("seconds", "weight", "height"):
            if name in spec and not (_is_number(spec[name]) and spec[name] > 0):
                raise PPPError(f"{where}: '{name}' is {spec[name]!r}; give a number above 0")
        _mappings(spec["keys"], f"{where}: 'keys'")
        parts.append(Part(str(spec.get("skill", data["skill"])), spec, where))
    return SkillFile(str(data["skill"]), str(data["label"]), str(data["mode"]),
                     dict(data.get("poses") or {}), parts)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _mappings(value: object, where: str) -> List[dict]:
    """The value, if it is a list of mappings that is not empty."""
    if not isinstance(value, list) or not value or not all(isinstance(v, dict) for v in value):
        raise PPPError(f"{where} has to be a list of mappings; write one '- {{…}}' line for each")
    return value


class Author:
    """Turns parts into scores; keeps resolved poses."""

    def __init__(self, body: dict) -> None:
        self.body = body
        stance = body["stance"]
        self.ready = standing_feet(stance["width"], np.radians(stance["toe_out"]))
        self.height = float(body["height"])
        self.book = PoseBook(self.ready, self.height,
                             {**body["poses"]["ready"], **body["guess"]})
        self._cache: Dict[str, KeyPose] = {}

    def score(self, part: Part, poses: Dict[str, dict]) -> Score:
        """The score of a clip; ``poses`` are its skill's own."""
        spec = part.spec
        feet = _defaults(dict(spec["feet"]), part.where)
        plan = self._plan(feet, spec, part.where)
        times, keys = self._keys(part, {**self.body["poses"], **poses})
        if spec.get("loop", False) and len(times) > 1 and abs(times[-1] - plan.seconds) > 1e-3:
            raise PPPError(f"{part.where}: the last key is at {times[-1]:g} s but the loop ends at "
                           f"{plan.seconds:g} s; give the last key that time")
        if spec.get("loop", False) and np.abs(keys[0].vector() - keys[-1].vector()).max() > 1e-6:
            raise PPPError(f"{part.where}: a loop has to end as it begins; give the last key the "
                           "pose of the first")
        extra = {n: float(feet[n]) for n in ("heel", "toe", "inward") if n in feet}
        if "air" in spec:
            extra.update(air=air_of(spec, feet, part.where), where=part.where)
        return Score(plan, times, keys, bool(spec.get("loop", False)),
                     float(spec.get("height", self.height)), **extra)

    def _keys(self, part: Part, poses: Dict[str, dict]) -> Tuple[List[float], List[KeyPose]]:
        times, keys = [], []
        for number, key in enumerate(part.spec["keys"]):
            where = f"{part.where}, key {number + 1}"
            if "t" not in key:
                raise PPPError(f"{where}: the field 't' (seconds) is missing; add it")
            if "pose" in key and key["pose"] not in poses:
                raise unknown(f"pose in {where}", key["pose"], poses)
            named = poses[key["pose"]] if "pose" in key else {}
            spec = {**named, **{n: v for n, v in key.items() if n not in ("t", "pose")}}
            text = repr(sorted(spec.items(), key=str))
            if text not in self._cache:
                self._cache[text] = self.book.resolve(spec, where)
            times.append(float(key["t"]))
            keys.append(self._cache[text])
        if any(b <= a for a, b in zip(times, times[1:])):
            raise PPPError(f"{part.where}: the times of its keys do not increase; sort the keys")
        return times, keys

    def _plan(self, feet: dict, spec: dict, where: str) -> FootPlan:
        if feet["kind"] == "gait":
            return _gait_plan(feet, widened(self.ready, feet["width"]), where)
        if feet["kind"] == "run":
            if "air" not in spec:
                raise PPPError(f"{where}: feet of kind 'run' need the field 'air'; add it")
            return run_plan(feet, self.ready, float(spec.get("seconds", 5.0)), CLIP_FPS, where)
        if "seconds" not in spec:
            raise PPPError(f"{where}: the field 'seconds' is missing; add the clip's length")
        steps: List[Step] = []
        start = _stance(feet["stance"], where) if feet.get("stance") else self.ready
        if feet["kind"] == "steps":
            steps = _written_steps(feet["steps"], start, where)
        elif feet["kind"] == "path":
            steps = self._path(feet, where)
        roll = feet.get("double_support", 0.2) * feet.get("step_time", 0.5)
        return FootPlan(start, steps, float(spec["seconds"]), feet.get("clearance", 0.0),
                        np.radians(feet.get("toe_off", 0.0)), roll)

    def _path(self, feet: dict, where: str) -> List[Step]:
        moves, first = _moves(feet["moves"], where), _SIDES[feet["first"]]
        if feet["tempo"] is None and not feet["width"]:
            return gait(self.ready, moves, feet["step_time"], feet["double_support"], first,
                        float(feet["start"]))
        tempo = feet["tempo"] or [feet["step_time"]] * len(moves)
        if not isinstance(tempo, list) or len(tempo) != len(moves) \
                or not all(_is_number(time) and 0.1 <= time <= 5.0 for time in tempo):
            raise PPPError(f"{where}: 'tempo' of feet has to give one number of seconds, 0.1 to 5, "
                           f"for each of the {len(moves)} moves")
        return path_steps(self.ready, feet["width"], moves, tempo, feet["double_support"], first,
                          float(feet["start"]))


def _defaults(feet: dict, where: str) -> dict:
    kind = str(feet.get("kind"))
    if kind not in _FEET:
        raise unknown(f"kind of feet in {where}", kind, _FEET)
    for name in feet:
        if name not in _FEET[kind]:
            raise unknown(f"field of feet in {where}", name, _FEET[kind])
        if _is_number(_FEET[kind][name]) and not _is_number(feet[name]):
            raise PPPError(f"{where}: '{name}' of feet is {feet[name]!r}; give a number")
    full = {**_FEET[kind], **feet}
    if full.get("first", "right") not in _SIDES:
        raise unknown(f"first foot in {where}", full["first"], _SIDES)
    if not 0.0 <= full.get("width", 0.0) <= 0.6:
        raise PPPError(f"{where}: 'width' of feet is {full['width']}; give 0 (as the ready stance) "
                       "to 0.6 m")
    if kind in ("gait", "run") and not 1 <= full["steps"] <= 100:
        raise PPPError(f"{where}: 'steps' of feet is {full['steps']}; give 1 to 100")
    if not 0.1 <= full.get("step_time", 0.5) <= 5.0 or not 0 < full.get("double_support", 0.2) < 1:
        raise PPPError(f"{where}: 'step_time' has to be 0.1 to 5 s and 'double_support' a share "
                       "between 0 and 1")
    return full


def _moves(rows: list, where: str) -> List[Tuple[float, float, float]]:
    """Moves as written, [forward m, left m, turn degrees], in radians."""
    for row in rows:
        if not isinstance(row, list) or len(row) != 3 or not all(map(_is_number, row)):
            raise PPPError(f"{where}: the move {row!r} is not [forward m, left m, turn degrees]")
    return [(float(x), float(y), float(np.radians(turn))) for x, y, turn in rows]


def _stance(value: object, where: str) -> np.ndarray:
    """Feet (2, 3) as written: right and left, each [forward m, left m, turn degrees]."""
    if not isinstance(value, dict) or set(value) != set(_SIDES):
        raise PPPError(f"{where}: 'stance' of feet is {value!r}; write {{right: [forward, left, "
                       "degrees], left: [forward, left, degrees]}")
    return np.array(_moves([value["right"], value["left"]], where))


def _gait_plan(feet: dict, stance: np.ndarray, where: str) -> FootPlan:
    """An endless gait: its cycle begins as one foot has landed and the other gets ready to lift."""
    # whole frames a step, so that the loop closes on a frame
    time = round(feet["step_time"] * CLIP_FPS) / CLIP_FPS
    even = [[feet["speed"] * time, feet["sideways"] * time, feet["turn_rate"] * time]]
    moves = _moves(feet["moves"] or even * int(feet["steps"]), where)
    first = _SIDES[feet["first"]]
    steps = gait(stance, moves, time, feet["double_support"], first)
    return FootPlan(gait_start(stance, moves[-1], first), steps, len(moves) * time,
                    feet["clearance"], np.radians(feet["toe_off"]), feet["double_support"] * time)


def _written_steps(steps: list, start: np.ndarray, where: str) -> List[Step]:
    """Steps as written: foot, lift, land (s) and the move of the foot, [forward, left, degrees].

    ``via`` (optional): rows [time s, forward, left, up m, pitch degrees], see Step.
    """
    feet = np.array(start, float)
    out = []
    for step in _mappings(steps, f"{where}: 'steps'"):
        for name in ("foot", "lift", "land", "move"):
            if name not in step:
                raise PPPError(f"{where}: a step has no '{name}'; add it")
        if step["foot"] not in _SIDES:
            raise unknown(f"foot in {where}", step["foot"], _SIDES)
        foot = _SIDES[step["foot"]]
        forward, left, turn = _moves([step["move"]], where)[0]
        feet[foot, :2] += rotate(np.array([forward, left]), feet[foot, 2])
        feet[foot, 2] += turn
        lift, land = float(step["lift"]), float(step["land"])
        out.append(Step(foot, lift, land, tuple(feet[foot]),
                        _via(step.get("via", ()), lift, land, where)))
    return out


def _via(rows: object, lift: float, land: float, where: str) -> Tuple:
    """Points of a swing in the air as written, the pitch in radians."""
    rows = list(rows) if isinstance(rows, (list, tuple)) else [rows]
    for row in rows:
        if not isinstance(row, list) or len(row) != 5 or not all(map(_is_number, row)):
            raise PPPError(f"{where}: the point {row!r} of 'via' is not [time s, forward, left, "
                           "up m, pitch degrees]")
    at = [lift, *(row[0] for row in rows), land]
    if any(b <= a for a, b in zip(at, at[1:])):
        raise PPPError(f"{where}: the times of 'via' have to increase between 'lift' ({lift:g} s) "
                       f"and 'land' ({land:g} s)")
    return tuple((float(t), float(x), float(y), float(z), float(np.radians(p)))
                 for t, x, y, z, p in rows)
