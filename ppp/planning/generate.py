"""Scenes from a seed: start, goals and obstacles drawn by chance, kept when they can be solved.

That a scene can be solved is shown by ``ppp.planning.optimum``, which no planner uses: every place
that a goal needs is joined to the start by a way that keeps all rules.
"""
from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Dict, List, Optional, Sequence, Tuple

import numpy as np

from ppp.engines.scene import TARGET_SIZE
from ppp.errors import PPPError
from ppp.planning.geometry import XY, Box, bearing, distance, point_distance, segment_distances
from ppp.planning.levels import Level, level_of
from ppp.planning.optimum import rounded, ruled, shortest
from ppp.planning.scenario import Scenario, parse_scenario

#: scenes drawn until one can be solved
ATTEMPTS = 200
#: between the start and anything, and between a goal and an obstacle, m
ROOM_START, ROOM_GOAL = 1.2, 1.3
#: between goals, m
APART = 2.6
#: a blow is struck this far from the side of a target, m; goals must be reachable at that place
BLOW = 1.2
#: levels draw from streams of their own; another order here would make every seed another scene
_STREAMS = ("easy", "hard", "middle")
_COLOURS = ("red", "blue", "green", "grey", "yellow", "white", "black", "brown", "orange")
_TARGETS = ("first dummy", "second dummy", "third dummy")
_MARKERS = ("first post", "second post", "third post")


@dataclass
class _Scene:
    """A scene in the making."""

    rng: np.random.Generator
    level: Level
    start: XY = (0.0, 0.0)
    heading: float = 0.0
    goals: List[Dict[str, Any]] = field(default_factory=list)
    obstacles: List[Dict[str, Any]] = field(default_factory=list)
    rules: List[Dict[str, Any]] = field(default_factory=list)
    words: List[str] = field(default_factory=list)
    events: List[Dict[str, Any]] = field(default_factory=list)

    def place(self) -> XY:
        """A point of the floor, to the centimetre."""
        x, y = self.rng.uniform(-self.level.floor, self.level.floor, 2)
        return round(float(x), 2), round(float(y), 2)

    def count(self, bounds: Tuple[int, int]) -> int:
        """A number from the first of ``bounds`` to the second."""
        return int(self.rng.integers(bounds[0], bounds[1] + 1))

    def chance(self, share: float) -> bool:
        """True in that share of cases."""
        return bool(self.rng.random() < share)

    def targets(self) -> List[Dict[str, Any]]:
        """The goals that are struck."""
        return [g for g in self.goals if g["kind"] == "target"]


def generate(level: str, seed: int, solvable: bool = True) -> Scenario:
    """The scenario of a level and a seed; the same ones give the same scenario.

    solvable: else one goal stands behind closed walls, and a planner must refuse.
    """
    return parse_scenario(generated_data(level, seed, solvable), f"generated {level} {seed}")


def generated_data(level: str, seed: int, solvable: bool = True) -> Dict[str, Any]:
    """The same as plain data, as it stands in a file."""
    numbers = level_of(level)
    if not 0 <= seed < 2**31:
        raise PPPError("--seed must be a whole number from 0 to 2147483647")
    index = _STREAMS.index(level)
    for attempt in range(ATTEMPTS):
        rng = np.random.default_rng([seed, index, attempt])
        data = _draw(rng, numbers, f"{level}_{seed}")
        if data is None:
            continue
        if not solvable:
            return _enclosed(data)
        try:
            scenario = parse_scenario(data)
        except PPPError:
            continue  # a rule that the start breaks, or a target moved into something
        if can_be_solved(scenario):
            return data
    raise PPPError(f"no scene of level '{level}' came out of seed {seed}: try another seed")


def can_be_solved(scenario: Scenario) -> bool:
    """Whether a way that keeps every rule joins the start to each goal, where it stands at first
    and where an event moves it, with all targets standing."""
    props = scenario.scene().props
    boxes, sectors = ruled(scenario, props)
    places = {p.name: [p.position] for p in props}
    for event in scenario.events:
        places[event.move].append(event.to)
    for prop in props:
        if prop.kind == "obstacle" or not _is_goal(scenario, prop.name):
            continue
        walls = [*rounded([p for p in props if p.name != prop.name]), *boxes]
        if prop.kind == "target":
            walls += rounded([prop])
        for centre in places[prop.name]:
            at_home = centre == prop.position
            ring = _stands(centre, prop.kind)
            free = [
                xy for xy in ring
                if all(w.distance(np.array(xy)) >= w.room + 0.1 for w in walls)
                and not any(s.forbidden(np.array(xy)) for s in sectors if at_home)
            ]
            if not free or not np.isfinite(
                shortest(scenario.start.position, free, walls, sectors if at_home else ())
            ).any():
                return False
    return True


def _is_goal(scenario: Scenario, name: str) -> bool:
    return name in _TARGETS or name in _MARKERS


def _stands(centre: XY, kind: str) -> List[XY]:
    """Where the humanoid may stand for a goal, m."""
    if kind == "marker":
        return [centre]
    far = BLOW + 0.5 * TARGET_SIZE[0]
    angles = [2.0 * math.pi * i / 12 for i in range(12)]
    return [(centre[0] + far * math.cos(a), centre[1] + far * math.sin(a)) for a in angles]


def _draw(rng: np.random.Generator, level: Level, name: str) -> Optional[Dict[str, Any]]:
    """Plain data of a scene, or None when something found no place."""
    scene = _Scene(rng, level)
    scene.start = scene.place()
    scene.heading = float(rng.integers(-180, 180))
    if not _goals(scene) or not _obstacles(scene):
        return None
    _constraints(scene)
    return _data(scene, name)


def _goals(scene: _Scene) -> bool:
    for i in range(scene.count(scene.level.goals)):
        for _ in range(60):
            xy = scene.place()
            others = [scene.start, *(tuple(g["position"]) for g in scene.goals)]
            if all(distance(xy, o) >= APART for o in others):
                break
        else:
            return False
        kind = "target" if scene.chance(0.6) else "marker"
        names = _TARGETS if kind == "target" else _MARKERS
        turn = float(scene.rng.integers(-180, 180))
        goal = {"name": names[i], "kind": kind, "position": list(xy)}
        scene.goals.append({**goal, "yaw": turn} if kind == "target" else goal)
    return True


def _obstacles(scene: _Scene) -> bool:
    """Boxes, the first ones across the straight ways between the goals."""
    stops = [scene.start, *(tuple(g["position"]) for g in scene.goals)]
    count = scene.count(scene.level.obstacles)
    for i in range(count):
        for _ in range(60):
            box = _box(scene, _COLOURS[i] + " block", stops[i : i + 2])
            if _fits(scene, box):
                break
        else:
            return False
        scene.obstacles.append({
            "name": box.name, "kind": "obstacle", "position": [round(v, 2) for v in box.centre],
            "size": [round(2.0 * box.half[0], 2), round(2.0 * box.half[1], 2), 1.0],
            "yaw": round(math.degrees(box.yaw)),
        })
    return True


def _box(scene: _Scene, name: str, leg: Sequence[XY]) -> Box:
    x, y = scene.place()
    if len(leg) == 2:
        share, aside = scene.rng.uniform(0.35, 0.65), scene.rng.uniform(-0.4, 0.4)
        across = bearing(*leg) + 0.5 * math.pi
        x = leg[0][0] + share * (leg[1][0] - leg[0][0]) + aside * math.cos(across)
        y = leg[0][1] + share * (leg[1][1] - leg[0][1]) + aside * math.sin(across)
    thin, long = scene.rng.uniform(0.3, 0.8), scene.rng.uniform(0.6, 2.2)
    yaw = math.radians(int(scene.rng.integers(-90, 90)))
    return Box(name, (round(float(x), 2), round(float(y), 2)),
               (round(float(thin), 2) / 2, round(float(long), 2) / 2), yaw)


def _fits(scene: _Scene, box: Box) -> bool:
    if point_distance(np.array(scene.start), box) < ROOM_START:
        return False
    if any(point_distance(np.array(g["position"]), box) < ROOM_GOAL for g in scene.goals):
        return False
    return all(between(box, _box_of(o)) >= scene.level.gap for o in scene.obstacles)


def _box_of(thing: Dict[str, Any]) -> Box:
    x, y = thing["position"]
    half = (0.5 * thing["size"][0], 0.5 * thing["size"][1])
    return Box(thing["name"], (x, y), half, math.radians(thing["yaw"]))


def between(a: Box, b: Box) -> float:
    """The gap between two boxes, m, 0 when they meet."""
    first, second = a.corners(), b.corners()
    gaps = [segment_distances(first, np.roll(first, -1, 0), b),
            segment_distances(second, np.roll(second, -1, 0), a)]
    return float(np.min(gaps))


def _constraints(scene: _Scene) -> None:
    """No obstacle is to be touched; further rules as many as the level says."""
    rng = scene.rng
    for thing in scene.obstacles:
        scene.rules.append({"never_touched": thing["name"]})
    scene.words.append("Do not touch any block.")
    options = ["from", "away", "feet"]
    for _ in range(min(len(options), scene.count(scene.level.constraints))):
        kind = options.pop(int(rng.integers(len(options))))
        targets = scene.targets()
        if kind == "feet":
            scene.rules.append({"never_fell": True})
            scene.words.append("Stay on your feet.")
        elif kind == "away":
            thing = scene.obstacles[int(rng.integers(len(scene.obstacles)))]
            room = round(float(rng.uniform(0.6, 1.0)), 1)
            scene.rules.append({"kept_away": thing["name"], "by": room})
            scene.words.append(f"Keep {room:g} m away from the {thing['name']}.")
        elif targets:
            name = targets[int(rng.integers(len(targets)))]["name"]
            scene.rules.append({"approached": name, "side": "behind", "within": 60, "near": 2.0})
            scene.words.append(f"Come to the {name} from behind.")
    if scene.chance(scene.level.moved) and scene.targets():
        _moved(scene)


def _moved(scene: _Scene) -> None:
    """Somebody moves a target that no rule is about, to a place that is free."""
    ruled_names = {rule.get("approached") for rule in scene.rules}
    free = [g for g in scene.targets() if g["name"] not in ruled_names]
    if not free:
        return
    goal = free[-1]
    for _ in range(60):
        to = scene.place()
        others = [scene.start, *(tuple(g["position"]) for g in scene.goals)]
        clear = all(point_distance(np.array(to), _box_of(o)) >= ROOM_GOAL for o in scene.obstacles)
        if clear and all(distance(to, o) >= APART for o in others):
            at = round(float(scene.rng.uniform(2.0, 8.0)), 1)
            scene.events.append({"at": at, "move": goal["name"], "to": list(to)})
            return


def _data(scene: _Scene, name: str) -> Dict[str, Any]:
    checks: List[Dict[str, Any]] = []
    told = []
    for goal in scene.goals:
        strike = goal["kind"] == "target"
        checks.append({"knocked_over": goal["name"]} if strike
                      else {"reached": goal["name"], "within": 0.6})
        told.append(("strike down the " if strike else "go to the ") + goal["name"])
    if len(checks) > 1 and scene.chance(scene.level.in_order):
        checks = [{"in_order": checks}]
        sentence = ", then ".join(told)
    else:
        sentence = " and ".join(told) + (" in any order" if len(told) > 1 else "")
    if scene.chance(scene.level.last):
        checks.append({"performed": "block"})
        sentence += ", and raise the shield"
    data: Dict[str, Any] = {
        "name": name,
        "instruction": sentence[0].upper() + sentence[1:] + ".",
        "start": {"position": list(scene.start), "heading": scene.heading},
        "objects": [*scene.obstacles, *scene.goals],
        "constraints": scene.words,
        "success": [*checks, *scene.rules],
        "time_limit": 40.0 + 40.0 * len(scene.goals),
    }
    if scene.events:
        data["events"] = scene.events
    return data


def _enclosed(data: Dict[str, Any]) -> Dict[str, Any]:
    """The scene with four walls around its first goal, which meet in the corners."""
    goal = next(o for o in data["objects"] if o["kind"] != "obstacle")
    x, y = goal["position"]
    others = [o for o in data["objects"] if o["kind"] != "obstacle"]
    walls = []
    for side, dx, dy, sx, sy in (("near", -0.9, 0, 0.2, 2.0), ("far", 0.9, 0, 0.2, 2.0),
                                 ("left", 0, 0.9, 2.0, 0.2), ("right", 0, -0.9, 2.0, 0.2)):
        walls.append({"name": f"{side} wall", "kind": "obstacle",
                      "position": [round(x + dx, 2), round(y + dy, 2)], "size": [sx, sy, 2.0]})
    success = [c for c in data["success"] if "kept_away" not in c and "approached" not in c]
    closed = {**data, "objects": [*[o for o in data["objects"] if o["kind"] == "obstacle"], *walls,
                                  *others], "success": success}
    closed.pop("events", None)
    return {**closed, "name": data["name"] + "_closed"}
