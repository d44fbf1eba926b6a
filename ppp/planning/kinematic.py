"""A perfect performer, for tests and planner scores: a figure that glides and never falls."""
from __future__ import annotations

import math
from dataclasses import replace
from typing import Dict, List, Optional, Sequence, Tuple

import numpy as np

from ppp.engines.scene import Prop, Scene
from ppp.humanoid.skeleton import BODIES
from ppp.planning.geometry import XY, Box, ahead, bearing, box_of, distance, wrap
from ppp.planning.performer import CONTROL_DT, Poses, PropState, WorldState
from ppp.planning.skills import ATTACK, GAIT, REACH, SKILLS, TRAVEL, TURN, TURNS, role
from ppp.planning.toppled import felled
from ppp.planning.validate import aimed_at

#: m/s; running is twice as fast
SPEED = 1.0
#: rad/s
TURN_RATE = 3.0
#: a blow lands this long after the figure faces an object in reach, s
BLOW_SECONDS = 0.8
#: the figure touches what is nearer to its axis than this, m
TOUCH = 0.3
#: what an arm gains by leaning, m
LEAN = 0.1


class KinematicPerformer:
    """A ``Performer`` without physics: gaits arrive, blows in reach land, nobody falls."""

    control_dt = CONTROL_DT

    def __init__(self, skills: Sequence[str] = SKILLS) -> None:
        self.skills = tuple(skills)

    def reset(self, scene: Scene, start_xy: XY, start_heading: float, seed: int) -> WorldState:
        """Stand at the start; ``seed`` changes nothing, there is nothing random."""
        self._props = list(scene.bodies)
        self._boxes = [box_of(p) for p in self._props]
        self._yaws = np.array([b.yaw for b in self._boxes])
        self._halves = np.array([b.half for b in self._boxes]).reshape(-1, 2)
        self._fallen: Dict[str, Box] = {}
        self._xy, self._heading, self._steps = (float(start_xy[0]), float(start_xy[1])), 0.0, 0
        self._heading = wrap(float(start_heading))
        self._skill, self._target, self._blow = "idle", self._xy, 0.0
        self._struck: Optional[str] = None
        self._history: List[Tuple[np.ndarray, float]] = []
        self._prop_history: List[Tuple[np.ndarray, np.ndarray]] = []
        return self._state()

    def command(self, skill: str, target_xy: XY) -> None:
        """Set the skill and its target (m, world) from the next step on."""
        if skill not in self.skills:
            raise KeyError(skill)
        if skill != self._skill:
            self._blow = 0.0
        self._skill, self._target = skill, (float(target_xy[0]), float(target_xy[1]))

    def step(self) -> WorldState:
        """Advance by 1/30 s."""
        self._steps += 1
        self._struck = None
        kind = role(self._skill)
        if kind == GAIT:
            self._travel()
        elif kind == TURN:
            self._turn_to(bearing(self._xy, self._target), TURNS[self._skill])
        elif kind == ATTACK:
            self._attack()
        return self._state()

    def move(self, name: str, xy: XY) -> None:
        """Stand a target at another place, m."""
        i = next(i for i, p in enumerate(self._props) if p.name == name)
        place = (float(xy[0]), float(xy[1]))
        self._props[i] = replace(self._props[i], position=place)
        self._boxes[i] = replace(self._boxes[i], centre=place)
        self._fallen.pop(name, None)

    def poses(self) -> Poses:
        """Every pose since the reset, the figure in its rest pose turned by the heading."""
        body_pos = np.stack([_stand(xy, heading) for xy, heading in self._history])
        half = np.array([0.5 * h for _, h in self._history], dtype=np.float32)
        rot = np.zeros((len(half), 1, 4), dtype=np.float32)
        rot[:, 0, 0], rot[:, 0, 3] = np.cos(half), np.sin(half)
        body_rot = np.repeat(rot, len(BODIES), axis=1)
        prop_pos = np.stack([pos for pos, _ in self._prop_history])
        prop_rot = np.stack([rot for _, rot in self._prop_history])
        return Poses(body_pos, body_rot, prop_pos, prop_rot)

    def _travel(self) -> None:
        gap = distance(self._xy, self._target)
        if gap < 1e-6:
            return
        direction = bearing(self._xy, self._target)
        self._turn_to(direction - TRAVEL[self._skill])
        speed = 2.0 * SPEED if self._skill == "run" else SPEED
        stride = min(gap, speed * CONTROL_DT)
        there = ahead(self._xy, direction, stride)
        # a box that stands stops the figure, unless it is in it already
        if self._boxes:
            entered = (self._gaps(there) == 0.0) & (self._gaps(self._xy) > 0.0)
            if any(p.name not in self._fallen for p, e in zip(self._props, entered) if e):
                return
        self._xy = there

    def _turn_to(self, direction: float, sense: float = 0.0) -> None:
        """Turn towards a direction, the short way unless a sense (+1 left, -1 right) is given."""
        off = wrap(direction - self._heading)
        if sense * off < 0.0 and abs(off) > 0.05:
            off += sense * 2.0 * math.pi
        most = TURN_RATE * CONTROL_DT
        self._heading = wrap(self._heading + max(-most, min(most, off)))

    def _attack(self) -> None:
        direction = bearing(self._xy, self._target)
        self._turn_to(direction)
        prop = aimed_at(self._target, tuple(p for p in self._props if p.name not in self._fallen))
        facing = abs(wrap(direction - self._heading)) < 0.1
        if prop is None or not facing or self._gap(prop) > REACH[self._skill] + LEAN:
            self._blow = 0.0
            return
        self._blow += CONTROL_DT
        if self._blow >= BLOW_SECONDS - 1e-9:
            self._blow, self._struck = 0.0, prop.name
            self._fallen[prop.name] = felled(prop, self._skill, direction)

    def _gap(self, prop: Prop) -> float:
        return float(self._gaps(self._xy)[self._props.index(prop)])

    def _gaps(self, xy: XY) -> np.ndarray:
        """Distance of a point to every box at once, (P,) m; 0 inside."""
        away = np.array(xy) - np.array([b.centre for b in self._boxes])
        c, s = np.cos(self._yaws), np.sin(self._yaws)
        local = np.stack([c * away[:, 0] + s * away[:, 1], c * away[:, 1] - s * away[:, 0]], 1)
        return np.linalg.norm(np.maximum(np.abs(local) - self._halves, 0.0), axis=1)

    def _state(self) -> WorldState:
        props = {}
        gaps = self._gaps(self._xy) if self._props else ()
        for prop, gap in zip(self._props, gaps):
            position, _ = self._pose(prop)
            touched = prop.name not in self._fallen and bool(gap < TOUCH)
            struck = prop.name == self._struck
            down = self._fallen.get(prop.name)
            lean = (math.cos(down.yaw), math.sin(down.yaw)) if down else (0.0, 0.0)
            up = 0.0 if down else 1.0
            props[prop.name] = PropState(position, up, touched or struck, struck, lean)
        root = np.array([*self._xy, BODIES[0].offset[2]], dtype=np.float32)
        self._record()
        time = self._steps * CONTROL_DT
        return WorldState(time, root, self._heading, 1.0, False, props)

    def _record(self) -> None:
        self._history.append((np.array(self._xy), self._heading))
        poses = [self._pose(p) for p in self._props]
        positions = np.array([p for p, _ in poses], dtype=np.float32).reshape(-1, 3)
        rotations = np.array([r for _, r in poses], dtype=np.float32).reshape(-1, 4)
        self._prop_history.append((positions, rotations))

    def _pose(self, prop: Prop) -> Tuple[np.ndarray, np.ndarray]:
        """Centre (3,) and rotation (4,) of a prop: upright, or flat where a blow has felled it."""
        x, y = prop.position
        if prop.name not in self._fallen:
            half = 0.5 * prop.yaw
            return np.array([x, y, 0.5 * prop.size[2]]), np.array(
                [math.cos(half), 0.0, 0.0, math.sin(half)]
            )
        box = self._fallen[prop.name]
        # turned by a quarter about the horizontal axis at right angles to its fall
        s, c = math.sin(math.pi / 4), math.cos(math.pi / 4)
        axis = (-math.sin(box.yaw), math.cos(box.yaw))
        rotation = np.array([c, s * axis[0], s * axis[1], 0.0])
        return np.array([*box.centre, 0.5 * prop.size[0]]), rotation


def _stand(xy: np.ndarray, heading: float) -> np.ndarray:
    """Body positions (17, 3), m, of the rest pose at a place and heading."""
    local = np.zeros((len(BODIES), 3))
    for i, body in enumerate(BODIES):
        local[i] = np.array(body.offset) + (local[body.parent] if body.parent >= 0 else 0.0)
    c, s = math.cos(heading), math.sin(heading)
    turned = local @ np.array([[c, s, 0.0], [-s, c, 0.0], [0.0, 0.0, 1.0]])
    turned[:, :2] += xy
    return turned.astype(np.float32)
