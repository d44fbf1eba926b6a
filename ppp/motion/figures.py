"""The figures of a motion, one function each: what an eye or a physicist would object to.

All take poses (T, 47) (see :mod:`ppp.motion.body`) one every ``dt`` seconds.
"""
from __future__ import annotations

import copy
from functools import lru_cache
from typing import NamedTuple, Tuple

import mujoco
import numpy as np

from ppp.humanoid.skeleton import (
    BODIES,
    BODY_ID,
    DOF_NAMES,
    JOINTS,
    KEY_BODIES,
    dof_limits,
    dof_slices,
    per_dof,
)
from ppp.motion.body import GRAVITY, humanoid_model, turned
from ppp.motion.contacts import (
    TOUCH,
    Support,
    collisions,
    corner_positions,
    propped,
    support_margin,
)
from ppp.motion.dynamics import outside_help, velocities, zero_moment_point
from ppp.motion.replay import seam

#: the zero moment point counts as supported this far outside the polygon of touching points, m:
#: the height at which a point touches decides about as much
SUPPORT_SLACK = 0.01
#: below this share of body weight on the floor the zero moment point means nothing
_LOADED = 0.1
#: windows for the dimensionless jerk, s, and the peak speed below which nothing moves in one, m/s
JERK_WINDOW, JERK_SPEED = 1.0, 0.2


class Peak(NamedTuple):
    """A largest value and the joint, degree of freedom or pair of bodies it belongs to."""

    value: float
    where: str


class Flight(NamedTuple):
    """Time without any contact. Figures over frames whose neighbours are in flight as well.

    share: of all frames, 0 to 1; acceleration: median departure of the centre of mass from free
    fall, m/s^2; spin: median rate of change of the angular momentum about it, N m. NaN where no
    frame flies long enough to say.
    """

    share: float
    acceleration: float
    spin: float


def skating(qpos: np.ndarray, dt: float, touch: float = TOUCH) -> float:
    """Mean horizontal speed of sole corners that touch the floor in two frames, m/s.

    Not while arms, shield or trunk lie on it: who rolls over drags the feet, and stands on none.
    """
    corners = corner_positions(qpos)
    low = (corners[..., 2] < touch) & ~propped(qpos, touch)[:, None, None]
    both = low[1:] & low[:-1]
    speed = np.linalg.norm(np.diff(corners[..., :2], axis=0), axis=-1) / dt
    return float(speed[both].mean()) if both.any() else 0.0


def penetration(qpos: np.ndarray) -> Tuple[float, float]:
    """Deepest point of the body under the floor, and of one leg in the other, m."""
    deepest = [0.0, 0.0]
    for _, owners, depth in collisions(humanoid_model(), qpos):
        which = 0 if 0 in owners else 1
        deepest[which] = max(deepest[which], depth)
    return deepest[0], deepest[1]


def cutting(qpos: np.ndarray) -> Peak:
    """How deep blade or shield are in the own body or in each other at most, m."""
    peak = Peak(0.0, "")
    for _, owners, depth in collisions(_blade_model(), qpos):
        if depth > peak.value:
            names = sorted((humanoid_model().body(b).name for b in owners),
                           key=lambda name: name not in ("sword", "shield"))
            peak = Peak(depth, " in ".join(names))
    return peak


@lru_cache(maxsize=1)
def _blade_model() -> mujoco.MjModel:
    """The humanoid in which only blade and shield collide, with each other and with the body."""
    model = copy.copy(humanoid_model())
    model.opt.disableflags |= int(mujoco.mjtDisableBit.mjDSBL_FILTERPARENT)
    sword, shield = BODY_ID["sword"] + 1, BODY_ID["shield"] + 1
    hilt = (model.geom_bodyid == sword) & (model.geom_type == int(mujoco.mjtGeom.mjGEOM_CAPSULE))
    sharp = np.isin(model.geom_bodyid, (sword, shield)) & ~hilt
    model.geom_contype[:] = sharp
    model.geom_conaffinity[:] = (model.geom_bodyid > 0) & ~hilt
    for body in range(model.nbody):  # MuJoCo's first sieve goes by body
        own = model.geom_bodyid == body
        model.body_contype[body] = model.geom_contype[own].max()
        model.body_conaffinity[body] = model.geom_conaffinity[own].max()
    return model


def loop_error(qpos: np.ndarray) -> float:
    """Largest gap between the last frame and the first one moved and turned there, m or rad."""
    model = humanoid_model()
    gap = np.zeros(model.nv)
    moved = turned(qpos[:1], *seam(qpos))[0]
    mujoco.mj_differentiatePos(model, gap, 1.0, moved, qpos[-1])
    return float(np.abs(gap).max())


def limit_excess(joint_pos: np.ndarray) -> Peak:
    """How far joint angles (T, 31) go beyond their range at most, rad."""
    low, high = np.array(dof_limits()).T
    beyond = np.maximum(low - joint_pos, joint_pos - high).max(0)
    worst = int(beyond.argmax())
    return Peak(float(beyond[worst]), DOF_NAMES[worst]) if beyond[worst] > 0 else Peak(0.0, "")


def peak_speed(qpos: np.ndarray, dt: float) -> Peak:
    """Fastest joint, rad/s (of a ball joint the length of its angular velocity)."""
    rates = velocities(qpos, dt)[:, 6:]
    speeds = [float(np.linalg.norm(rates[:, dofs], axis=1).max()) for dofs in dof_slices()]
    worst = int(np.argmax(speeds))
    return Peak(speeds[worst], JOINTS[worst].name)


def torque_shares(torque: np.ndarray) -> Tuple[Peak, float]:
    """Joint torques (T, 31), N m, as shares of the joints' efforts.

    The largest of all, and the 95th percentile over the frames of each frame's largest.
    """
    share = np.abs(torque) / np.array(per_dof("effort"))
    worst = int(share.max(0).argmax())
    return Peak(float(share.max()), DOF_NAMES[worst]), float(np.quantile(share.max(1), 0.95))


def support_share(qpos: np.ndarray, dt: float, ground: Support) -> float:
    """Share of the frames with contact whose zero moment point lies in the support polygon, 0 to 1.

    Vukobratovic and Borovac, "Zero-moment point - thirty-five years of its life", 2004: outside
    the polygon of the contacts no ground force can balance the motion. The polygon is the convex
    hull of all points that touch; SUPPORT_SLACK is added. NaN without contact.
    """
    contact = ground.contact & (_vertical_share(qpos, dt) > _LOADED)
    if not contact.any():
        return float("nan")
    places = zero_moment_point(qpos, dt)
    inside = [support_margin(ground.points[i], places[i]) > -SUPPORT_SLACK
              for i in np.flatnonzero(contact)]
    return float(np.mean(inside))


def _vertical_share(qpos: np.ndarray, dt: float) -> np.ndarray:
    return outside_help(qpos, dt)[0][:, 2] / GRAVITY


def flight(qpos: np.ndarray, dt: float, ground: Support) -> Flight:
    """How much of the motion is in the air, and how well it keeps to free fall there."""
    air = ~ground.contact
    inner = air.copy()
    inner[1:] &= air[:-1]
    inner[:-1] &= air[1:]
    if not inner.any():
        return Flight(float(air.mean()), float("nan"), float("nan"))
    push, turn = outside_help(qpos, dt)
    return Flight(float(air.mean()), float(np.median(np.linalg.norm(push[inner], axis=1))),
                  float(np.median(np.linalg.norm(turn[inner], axis=1))))


def key_positions(qpos: np.ndarray) -> np.ndarray:
    """World positions (T, 6, 3) of hands, feet, sword and shield, m."""
    model = humanoid_model()
    data = mujoco.MjData(model)
    out = np.zeros((len(qpos), len(KEY_BODIES), 3))
    for i, pose in enumerate(qpos):
        data.qpos[:] = pose
        mujoco.mj_kinematics(model, data)
        out[i] = data.xpos[[body + 1 for body in KEY_BODIES]]
    return out


def log_jerk(positions: np.ndarray, dt: float) -> float:
    """Natural logarithm of the dimensionless jerk of paths (T, n, 3), m.

    Hogan and Sternad, "Sensitivity of smoothness measures to movement duration, amplitude, and
    arrests", Journal of Motor Behavior 41 (2009): duration^3 / peak speed^2 times the integral of
    the squared jerk; ln 204.8 = 5.3 for one minimum-jerk stroke, more is rougher. It grows with
    the duration, so it is taken in windows of JERK_WINDOW (half overlapping; a shorter motion is
    one window). The median over paths and windows with a peak speed beyond JERK_SPEED; NaN
    without one.
    """
    speed = np.linalg.norm(np.diff(positions, axis=0), axis=-1) / dt
    jerk = np.linalg.norm(np.diff(positions, n=3, axis=0), axis=-1) / dt**3
    width = min(int(round(JERK_WINDOW / dt)), len(jerk))
    if width < 2:
        return float("nan")
    values = []
    for start in range(0, len(jerk) - width + 1, max(1, width // 2)):
        part = slice(start, start + width)
        peak = speed[start:start + width + 2].max(0)
        moves = peak > JERK_SPEED
        effort = (jerk[part] ** 2).sum(0) * dt
        values += list((effort * (width * dt) ** 3)[moves] / peak[moves] ** 2)
    return float(np.log(np.median(values))) if values else float("nan")


def key_speed(positions: np.ndarray, dt: float) -> Peak:
    """Fastest key body of :func:`key_positions`, m/s (of the sword it is the tip)."""
    speed = np.linalg.norm(np.diff(positions, axis=0), axis=-1).max(0) / dt
    worst = int(speed.argmax())
    return Peak(float(speed[worst]), BODIES[KEY_BODIES[worst]].name)


def spread(joint_pos: np.ndarray) -> float:
    """How much a motion moves: root mean square of the 31 joint angles about their means, rad."""
    return float(np.sqrt(joint_pos.var(0).mean()))
