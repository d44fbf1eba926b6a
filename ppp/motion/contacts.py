"""Which ground forces a motion needs, and how much of it they cannot give.

For every frame the wrench that inverse dynamics asks of the ground is fitted by forces at the
points of the body that touch the floor (corners of the soles, and whatever else lies on it):
pushing only, within the friction cone. What is left over would take a hand from the sky.
"""
from __future__ import annotations

import copy
from functools import lru_cache
from typing import List, NamedTuple, Optional, Tuple

import mujoco
import numpy as np
from scipy.optimize import nnls

from ppp.humanoid.skeleton import BODY_ID, FEET, per_dof
from ppp.motion.body import GRAVITY, humanoid_model
from ppp.motion.dynamics import inverse_forces

#: corners of the sole in the foot's frame, m
CORNERS = np.array([(x, y, -0.05) for x in (-0.0435, 0.1335) for y in (-0.045, 0.045)])
#: a corner this close to the floor touches it, m
TOUCH = 0.008
FRICTION = 1.0
#: lever that makes moments comparable with forces, m
LEVER = 1.0
#: weight of spreading the load evenly over the corners
_EVEN = 0.01
#: weight of easy joints where hands, knees or the trunk share the load with the feet: the wrench
#: alone does not determine the pushes then, and those that need the least torque are taken
_EASY = 0.01
_EDGES = np.array([(FRICTION, 0, 1), (-FRICTION, 0, 1), (0, FRICTION, 1), (0, -FRICTION, 1)])

#: what may touch the floor without propping the body up
_UNPROPPED = [BODY_ID[f"{side}_{part}"] for side in ("right", "left")
              for part in ("thigh", "shin", "foot")] + [BODY_ID["sword"]]

_ANGLES = np.radians(np.arange(0.0, 360.0, 1.0))
_DIRECTIONS = np.stack((np.cos(_ANGLES), np.sin(_ANGLES)))


class Support(NamedTuple):
    """For the frames 1 … T - 2 of a motion.

    residual (T - 2,): what the ground cannot give, in body weights (moments over LEVER);
    torque (T - 2, 31): joint torques, N m; load (T - 2, 2): vertical force on either foot, N;
    points: for every frame the places that touch the floor (n, 3), m, none in flight.
    """

    residual: np.ndarray
    torque: np.ndarray
    load: np.ndarray
    points: List[np.ndarray]

    @property
    def contact(self) -> np.ndarray:
        """Whether anything touches the floor, (T - 2,) bool; False in flight."""
        return np.array([len(points) > 0 for points in self.points], bool)


def corner_positions(qpos: np.ndarray) -> np.ndarray:
    """World positions (T, 2, 4, 3) of the corners of the right and the left sole, m."""
    model = humanoid_model()
    data = mujoco.MjData(model)
    out = np.zeros((len(qpos), 2, 4, 3))
    for i, pose in enumerate(qpos):
        data.qpos[:] = pose
        mujoco.mj_kinematics(model, data)
        for foot, body in enumerate(FEET):
            out[i, foot] = data.xpos[body + 1] + CORNERS @ data.xmat[body + 1].reshape(3, 3).T
    return out


def support(qpos: np.ndarray, dt: float, touch: float = TOUCH) -> Support:
    """Ground forces and joint torques of poses (T, 47), one every ``dt`` seconds.

    touch: what is this close to the floor touches it, m (recorded motions hover more than ours).
    """
    model = _touch_model(touch)
    data = mujoco.MjData(model)
    weight = float(model.body_mass.sum()) * GRAVITY
    forces = inverse_forces(qpos, dt)
    corners = corner_positions(qpos)
    residual, load = np.zeros(len(forces)), np.zeros((len(forces), 2))
    torque = np.zeros((len(forces), model.nv - 6))
    scale = np.array([1.0] * 3 + [1.0 / LEVER] * 3) / weight
    efforts = np.array(per_dof("effort"))
    places = []
    for i, needed in enumerate(forces):
        data.qpos[:] = qpos[i + 1]
        mujoco.mj_kinematics(model, data)
        mujoco.mj_comPos(model, data)
        points, bodies = _touching(model, data, corners[i + 1], touch)
        columns = _force_columns(model, data, points, bodies)
        given = np.zeros(model.nv)
        if len(columns):
            # columns are generalised forces of a unit push, one row each
            extra = None
            if not np.isin(bodies - 1, FEET).all():
                extra = _EASY / efforts[:, None] * columns[:, 6:].T, _EASY / efforts * needed[6:]
            push = _fit(columns[:, :6].T * scale[:, None], needed[:6] * scale, extra)
            given = columns.T @ push * 1.0
            owners = np.repeat(bodies, len(_EDGES))
            load[i] = [push[owners == body + 1].sum() for body in FEET]
        residual[i] = np.linalg.norm((needed[:6] - given[:6]) * scale)
        torque[i] = (needed - given)[6:]
        places.append(points)
    return Support(residual, torque, load, places)


def collisions(model: mujoco.MjModel, qpos: np.ndarray) -> List[Tuple[int, Tuple[int, int], float]]:
    """Every contact of every pose: frame, the two MuJoCo bodies, depth in m."""
    data = mujoco.MjData(model)
    found = []
    for frame, pose in enumerate(qpos):
        data.qpos[:] = pose
        mujoco.mj_kinematics(model, data)
        mujoco.mj_collision(model, data)
        found += [(frame, tuple(model.geom_bodyid[list(contact.geom)]), -float(contact.dist))
                  for contact in data.contact]
    return found


def propped(qpos: np.ndarray, touch: float = TOUCH) -> np.ndarray:
    """In which of the poses (T, 47) arms, shield or trunk touch the floor, (T,) bool.

    The sword does not count: its point is trailed over the floor and bears little.
    """
    found = np.zeros(len(qpos), bool)
    for frame, owners, _ in collisions(_touch_model(touch), qpos):
        found[frame] |= 0 in owners and max(owners) - 1 not in _UNPROPPED
    return found


def _fit(matrix: np.ndarray, target: np.ndarray,
         extra: Optional[Tuple[np.ndarray, np.ndarray]] = None) -> np.ndarray:
    """Pushes (C,) >= 0 with matrix (6, C) @ pushes near target (6,); ``extra``: lesser wishes."""
    count = matrix.shape[1]
    norm = np.abs(matrix).max()
    rows, wanted = [matrix / norm, _EVEN * np.eye(count)], [target, np.zeros(count)]
    if extra is not None:
        rows.append(extra[0] / norm)
        wanted.append(extra[1])
    return nnls(np.concatenate(rows), np.concatenate(wanted))[0] / norm


@lru_cache(maxsize=4)
def _touch_model(touch: float) -> mujoco.MjModel:
    """The humanoid whose floor reports bodies ``touch`` m before they reach it."""
    model = copy.copy(humanoid_model())
    model.geom_margin[model.geom_bodyid == 0] = touch
    model.body_margin[0] = touch
    return model


def _touching(model: mujoco.MjModel, data: mujoco.MjData, corners: np.ndarray,
              touch: float) -> Tuple[np.ndarray, np.ndarray]:
    """Places (n, 3), m, that touch the floor in a pose, and their MuJoCo bodies (n,).

    Soles by their corners (2, 4, 3), all other bodies where MuJoCo's collision puts them.
    """
    points, bodies = [], []
    for foot, body in enumerate(FEET):
        for point in corners[foot]:
            if point[2] <= touch:
                points.append(point)
                bodies.append(body + 1)
    mujoco.mj_collision(model, data)
    for contact in data.contact:
        owners = model.geom_bodyid[list(contact.geom)]
        if 0 not in owners:
            continue
        body = int(owners.max())
        point = contact.pos + [0.0, 0.0, 0.5 * contact.dist]  # from half-way up to the body
        if body - 1 in FEET and _on_sole(data, body, point):
            continue
        points.append(point)
        bodies.append(body)
    return np.array(points).reshape(-1, 3), np.array(bodies, int)


def _on_sole(data: mujoco.MjData, body: int, point: np.ndarray) -> bool:
    """Whether a point belongs to the lower half of a foot, whose corners count already."""
    local = (point - data.xpos[body]) @ data.xmat[body].reshape(3, 3)
    return bool(local[2] < CORNERS[0, 2] + 0.02)


def _force_columns(model: mujoco.MjModel, data: mujoco.MjData, points: np.ndarray,
                   bodies: np.ndarray) -> np.ndarray:
    """Generalised forces (4 n, 37) of the edges of the friction cone at every point (n, 3)."""
    columns = []
    jacobian = np.zeros((3, model.nv))
    for point, body in zip(points, bodies):
        mujoco.mj_jac(model, data, jacobian, None, point, body)
        columns += list(_EDGES @ jacobian)
    return np.array(columns)


def support_margin(points: np.ndarray, place: np.ndarray) -> float:
    """How far a place (2,) lies inside the convex hull of touching points (n, 3), m.

    Negative: outside, by the distance to the hull. The least over all directions of the hull's
    reach beyond the place (its support function), which holds for lines and single points as well.
    """
    reach = (points[:, :2] - place) @ _DIRECTIONS
    return float(reach.max(0).min())
