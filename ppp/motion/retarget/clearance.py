"""Keeping the body off the floor, the blade and the shield off the body, the legs apart.

An inverse-kinematics task whose error is how far two shapes are closer than their margin.
"""
from __future__ import annotations

from typing import List, NamedTuple, Tuple

import mink
import mujoco
import numpy as np

_TRUNK = ("pelvis", "torso", "head")
_LEGS = ("thigh", "shin", "foot")
_LEFT_LEG, _RIGHT_LEG = (tuple(f"{side}_{part}" for part in _LEGS) for side in ("left", "right"))
#: bodies that are kept apart, and by how much, m
APART: Tuple[Tuple[Tuple[str, ...], Tuple[str, ...], float], ...] = (
    (("sword",), (*_TRUNK, "right_upper_arm", "left_upper_arm", "left_lower_arm", "left_hand",
                  "shield", *_LEFT_LEG, *_RIGHT_LEG), 0.015),
    (("shield",), (*_TRUNK, "right_upper_arm", "right_lower_arm", "right_hand", *_LEFT_LEG,
                   *_RIGHT_LEG), 0.015),
    (("right_hand", "left_hand"), (*_TRUNK, "right_thigh", "left_thigh"), 0.005),
    (_RIGHT_LEG, _LEFT_LEG, 0.006),
)
#: height of everything but the soles above the floor, m
OFF_FLOOR = 0.006
#: legs in each other cost this many times what the rest does
HARDER = 1.5


class _Pair(NamedTuple):
    first: int
    second: int  # geoms
    margin: float


class ClearanceTask(mink.Task):
    """Pushes pairs of shapes apart, and shapes up from the floor, that are nearer than allowed."""

    def __init__(self, model: mujoco.MjModel, cost: float) -> None:
        self.model = model
        self.pairs = _pairs(model)
        self.low = [g for g in range(model.ngeom) if model.geom_bodyid[g] > 0]
        feet = [model.body(f"{side}_foot").id for side in ("right", "left")]
        self.margins = [0.0 if model.geom_bodyid[g] in feet else OFF_FLOOR for g in self.low]
        count = len(self.pairs) + len(self.low)
        super().__init__(cost=np.full(count, cost))
        # legs meet in simulation too
        legs = [model.body(name).id for name in (*_RIGHT_LEG, *_LEFT_LEG)]
        for row, pair in enumerate(self.pairs):
            if {model.geom_bodyid[pair.first], model.geom_bodyid[pair.second]} <= set(legs):
                self.cost[row] *= HARDER
        self.jacobian = np.zeros((count, model.nv))

    def compute_error(self, configuration: mink.Configuration) -> np.ndarray:
        """(K,): missing distance of each pair, m, negative as distance short of the margin; fills
        the Jacobian (K, nv) on the way."""
        data, self.jacobian[:] = configuration.data, 0.0
        error, ends = np.zeros(len(self.cost)), np.zeros(6)
        for row, pair in enumerate(self.pairs):
            gap = mujoco.mj_geomDistance(self.model, data, pair.first, pair.second, pair.margin,
                                         ends)
            length = np.linalg.norm(ends[3:] - ends[:3])
            if gap >= pair.margin or length < 1e-9:
                continue
            normal = (ends[3:] - ends[:3]) / np.copysign(length, gap)
            error[row] = gap - pair.margin
            self.jacobian[row] = normal @ (self._point(data, pair.second, ends[3:])
                                           - self._point(data, pair.first, ends[:3]))
        for row, (geom, margin) in enumerate(zip(self.low, self.margins), len(self.pairs)):
            point = lowest_point(self.model, data, geom)
            if point[2] < margin:
                error[row] = point[2] - margin
                self.jacobian[row] = self._point(data, geom, point)[2]
        return error

    def compute_jacobian(self, configuration: mink.Configuration) -> np.ndarray:
        """(K, nv), as left by the last :meth:`compute_error`."""
        return self.jacobian

    def _point(self, data: mujoco.MjData, geom: int, point: np.ndarray) -> np.ndarray:
        jacobian = np.zeros((3, self.model.nv))
        mujoco.mj_jac(self.model, data, jacobian, None, point, self.model.geom_bodyid[geom])
        return jacobian


def _pairs(model: mujoco.MjModel) -> List[_Pair]:
    geoms: dict = {}
    for geom in range(model.ngeom):
        geoms.setdefault(model.body(model.geom_bodyid[geom]).name, []).append(geom)
    return [_Pair(a, b, margin) for first, second, margin in APART for one in first
            for other in second for a in geoms[one] for b in geoms[other]]


def lowest_point(model: mujoco.MjModel, data: mujoco.MjData, geom: int) -> np.ndarray:
    """The lowest point (3,) of a sphere, capsule, cylinder or box, world frame, m."""
    place, turn = data.geom_xpos[geom], data.geom_xmat[geom].reshape(3, 3)
    size, kind = model.geom_size[geom], model.geom_type[geom]
    down = -turn[2]  # the world's -z in the geom's frame
    if kind == mujoco.mjtGeom.mjGEOM_BOX:
        return place + turn @ (np.sign(down) * size)
    along = np.array([0.0, 0.0, np.sign(down[2]) * size[1]])
    if kind == mujoco.mjtGeom.mjGEOM_CYLINDER:
        rim = np.hypot(down[0], down[1])
        flat = down[:2] / rim * size[0] if rim > 1e-9 else np.zeros(2)
        return place + turn @ (along + [*flat, 0.0])
    end = place + turn @ along if kind == mujoco.mjtGeom.mjGEOM_CAPSULE else place
    return end - [0.0, 0.0, size[0]]
