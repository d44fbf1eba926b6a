"""Which body touches which prop, where the simulator tells only the net force on each body.

A body touches a box when a contact acts on the body and its shape, sampled by spheres, lies at the
box. A contact may be over before the tensors are read, so the room grows with the body's speed.
"""
from __future__ import annotations

import math
from typing import Dict, List, Tuple

import torch
from torch import Tensor

from ppp.engines.scene import Scene
from ppp.humanoid.kinematics import BodyState
from ppp.humanoid.mjcf import GEOMS
from ppp.humanoid.rotations import quat_conj, quat_rotate
from ppp.humanoid.skeleton import BODIES, BODY_ID

#: what the samples may be off a shape's surface, m
MARGIN = 0.01
#: a contact acts on a body of the humanoid above this force, N (as in ``ppp.tasks.terminations``)
BODY_FORCE = 0.1
#: and on a free prop above this, beside its weight, N (as in the strike task of ASE)
PROP_FORCE = 1.0
#: samples on the rim of the shield
_RIM = 16

_Point = Tuple[float, float, float]


def _numbers(text: str) -> List[float]:
    return [float(word) for word in text.split()]


def _line(start: List[float], end: List[float], step: float) -> List[_Point]:
    """Points from start to end, both included, at most ``step`` apart."""
    count = max(1, math.ceil(math.dist(start, end) / step))
    return [tuple(a + (b - a) * i / count for a, b in zip(start, end))  # type: ignore[misc]
            for i in range(count + 1)]


def _box(half: List[float], centre: List[float], radius: float) -> List[_Point]:
    """A grid of spheres of ``radius`` that fills a box."""
    axes = [_line([-(h - radius)], [h - radius], 2.0 * max(radius, 0.02)) if h > radius + 1e-9
            else [(0.0,)] for h in half]
    return [(centre[0] + x[0], centre[1] + y[0], centre[2] + z[0])
            for x in axes[0] for y in axes[1] for z in axes[2]]


def _disc(start: List[float], end: List[float], across: float, radius: float) -> List[_Point]:
    """Spheres of ``radius`` in a flat cylinder about y: its centre, a ring and its rim."""
    middle = 0.5 * (start[1] + end[1])
    points: List[_Point] = [(start[0], middle, start[2])]
    for ring, count in ((0.5 * across, _RIM // 2), (across - radius, _RIM)):
        for i in range(count):
            angle = 2.0 * math.pi * i / count
            points.append((start[0] + ring * math.cos(angle), middle,
                           start[2] + ring * math.sin(angle)))
    return points


def sample_shape(geom: Dict[str, str]) -> Tuple[List[_Point], float]:
    """Centres of spheres in the body's frame, m, and their radius, that stand for a geom."""
    size, kind = _numbers(geom["size"]), geom["type"]
    if kind == "box":
        radius = min(size)
        return _box(size, _numbers(geom["pos"]), radius), radius
    if kind == "sphere":
        x, y, z = _numbers(geom["pos"])
        return [(x, y, z)], size[0]
    ends = _numbers(geom["fromto"])
    if kind == "cylinder":
        radius = 0.5 * math.dist(ends[:3], ends[3:])
        return _disc(ends[:3], ends[3:], size[0], radius), radius
    return _line(ends[:3], ends[3:], size[0]), size[0]


def outside(points: Tensor, half: Tensor) -> Tensor:
    """Signed distance (…) of points (…, 3) in a box's frame to its surface; half (…, 3) m."""
    over = points.abs() - half
    return over.clamp_min(0.0).norm(dim=-1) + over.amax(-1).clamp_max(0.0)


class Touch:
    """Finds touches between the humanoid and the props of ``scene``."""

    def __init__(self, scene: Scene, device: str) -> None:
        points: List[_Point] = []
        radii: List[float] = []
        owners: List[int] = []
        for index, body in enumerate(BODIES):
            for geom in GEOMS[body.name]:
                samples, radius = sample_shape(geom)
                points += samples
                radii += [radius] * len(samples)
                owners += [index] * len(samples)
        self._points = torch.tensor(points, device=device)  # (S, 3)
        self._radii = torch.tensor(radii, device=device)
        self._owners = torch.tensor(owners, device=device)
        self._sword = self._owners == BODY_ID["sword"]
        props = scene.bodies
        self._half = 0.5 * torch.tensor([p.size for p in props], device=device).reshape(-1, 3)
        self._weight = torch.tensor([9.81 * p.kilograms for p in props], device=device)
        self._fixed = torch.tensor([p.kind != "target" for p in props], dtype=torch.bool,
                                   device=device)

    def find(self, bodies: BodyState, force: Tensor, props: Tensor, prop_force: Tensor,
             span: float) -> Tuple[Tensor, Tensor]:
        """(N, P) bool: a body touched a prop within the last ``span`` s, and the sword did.

        force (N, 17, 3) and prop_force (N, P, 3): net contact forces, N; props (N, P, 13) states.
        """
        arm = quat_rotate(bodies.rot[:, self._owners], self._points.expand(
            len(force), -1, -1))
        where = bodies.pos[:, self._owners] + arm
        moves = bodies.lin_vel[:, self._owners] + torch.cross(
            bodies.ang_vel[:, self._owners], arm, dim=-1)
        room = self._radii + MARGIN + span * moves.norm(dim=-1)  # (N, S)
        place, turn = props[:, :, None, :3], quat_conj(props[:, :, None, 3:7])
        inside = quat_rotate(turn.expand(-1, -1, where.shape[1], -1), where[:, None] - place)
        near = outside(inside, self._half[:, None]) < room[:, None]  # (N, P, S)
        pressed = force.norm(dim=-1)[:, self._owners] > BODY_FORCE
        upward = torch.zeros_like(prop_force)
        upward[..., 2] = self._weight
        felt = self._fixed | ((prop_force - upward).norm(dim=-1) > PROP_FORCE)
        hit = near & pressed[:, None] & felt[..., None]
        return hit.any(-1), (hit & self._sword).any(-1)
