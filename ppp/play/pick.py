"""What a click hits: a ray through the picture against the boxes and the floor."""
from __future__ import annotations

from typing import Mapping, Optional, Sequence, Tuple

import numpy as np
import torch

from ppp.engines.scene import Prop
from ppp.humanoid.rotations import quat_to_matrix
from ppp.planning.geometry import XY, in_arena
from ppp.play.things import Place
from ppp.view.look import MARKER_RADIUS

#: position (3,) m and rotation (4,) w, x, y, z of a prop
PropPose = Tuple[np.ndarray, np.ndarray]


def pick(origin: Sequence[float], direction: Sequence[float], props: Sequence[Prop],
         poses: Mapping[str, PropPose]) -> Optional[Place]:
    """The first thing that a ray (both (3,), m, world frame) meets; None for the sky.

    A point of the floor is rounded to the centimetre; within a marker's disc it means the marker.
    props: all of the scene; poses: where those with a body are now.
    """
    start, along = np.asarray(origin, dtype=float), np.asarray(direction, dtype=float)
    if start.shape != (3,) or along.shape != (3,) or not np.isfinite([start, along]).all():
        return None
    ground = -start[2] / along[2] if along[2] < -1e-6 else np.inf
    best, found = ground, None
    for prop in props:
        hit = _hit(start, along, prop, poses[prop.name]) if prop.name in poses else None
        if hit is not None and hit < best:
            best, found = hit, prop
    if found is not None:
        centre = poses[found.name][0]
        return Place((float(centre[0]), float(centre[1])), found.name)
    if not np.isfinite(ground):
        return None
    x, y = (start + ground * along)[:2]
    return _on_floor((round(float(x), 2), round(float(y), 2)), props)


def _on_floor(xy: XY, props: Sequence[Prop]) -> Optional[Place]:
    for prop in props:
        gap = np.hypot(xy[0] - prop.position[0], xy[1] - prop.position[1])
        if prop.kind == "marker" and gap <= MARKER_RADIUS:
            return Place(prop.position, prop.name)
    return Place(xy) if in_arena(xy) else None


def _hit(start: np.ndarray, along: np.ndarray, prop: Prop, pose: PropPose) -> Optional[float]:
    """The share of the ray at which it enters the prop's box (slab test); None for a miss."""
    turn = quat_to_matrix(torch.as_tensor(np.asarray(pose[1], dtype=float))).numpy()
    local, ray = turn.T @ (start - pose[0]), turn.T @ along
    ray = np.where(np.abs(ray) < 1e-12, 1e-12, ray)
    half = 0.5 * np.asarray(prop.size)
    first, second = (-half - local) / ray, (half - local) / ray
    enter, leave = np.minimum(first, second).max(), np.maximum(first, second).min()
    return float(enter) if enter <= leave and enter >= 0.0 else None

