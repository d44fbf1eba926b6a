"""Clips on the floor: servo targets in, what MuJoCo makes of them out.

While somebody gets up, back, fists, shield, knees and feet take the load from one another within
tenths of a second. Such contacts are hard to write down and easy to simulate, so these clips are
performed instead of posed: the keys give servo targets, the humanoid lies as the file says, and
physics does the rest at the policy's own control rate. Forces, friction and contacts come out as
they would in training.

Two aids make that robust. ``help`` is a hand that leads the pelvis along the keys' places: a spring
and a damper whose force and moment are bounded, so that what the ground cannot give stays bounded
too (residual force control: Yuan and Kitani, NeurIPS 2020). ``balance`` leads the centre of mass
over the feet once they carry it: a spring and a damper pull it horizontally to the middle of the
soles, and the legs' targets are moved by the torques that make this force, τ = Jᵀ F, with J the
Jacobian of the centre of mass while the foot stands still (virtual model control: Pratt et al.,
Int. J. Robotics Research 20(2), 2001).
"""
from __future__ import annotations

import copy
from dataclasses import dataclass
from functools import lru_cache
from typing import Tuple

import mujoco
import numpy as np
from scipy.ndimage import gaussian_filter1d, maximum_filter1d
from scipy.spatial.transform import Rotation

from ppp.errors import PPPError
from ppp.humanoid.skeleton import BODY_ID, FEET, JOINTS, dof_limits, dof_slices, per_dof
from ppp.motion.authoring.compose import CLIP_FPS
from ppp.motion.authoring.keys import curve
from ppp.motion.authoring.pose import wxyz
from ppp.motion.body import humanoid_model, joint_pos_from, qpos_from
from ppp.motion.contacts import collisions

#: spring N/m and damper N s/m of ``balance``, and their largest force, N
BALANCE_SPRING, BALANCE_DAMPER, BALANCE_LARGEST = 900.0, 220.0, 250.0
#: spring and damper of ``help``: N/m and N s/m, N m/rad and N m s/rad
HELP_FORCE, HELP_MOMENT = (2500.0, 350.0), (400.0, 70.0)
#: middle of the sole in the foot's frame, m
SOLE = np.array([0.045, 0.0, -0.05])
#: a clip has to end with the pelvis this high, m, and this upright
STANDING_HEIGHT, STANDING_COSINE = 0.8, 0.97
#: what clips end in; who lies on front or back has the pelvis' x axis within this cosine of it
ENDS, LYING_COSINE = ("standing", "front", "back"), 0.9
#: the floor is stored as giving way at most so much, m
DEEPEST = 0.008
#: joints are kept this far inside their range, rad: stored numbers are rounded
MARGIN = 1e-4
#: contact bit by which limbs, sword and shield also meet each other
_LIMBS = 8
_PELVIS = BODY_ID["pelvis"] + 1


@dataclass
class Performance:
    """What is performed, with K keys.

    start (47,): qpos at rest; times (K,): s; targets (K, 31): of the servos, rad; balance (K, 2):
    shares of the right and the left leg, 0 for none; places (K, 3): of the pelvis, m; turns (K, 3):
    rotation vectors of the pelvis, rad; help: largest force, N, and moment, N m, of the hand;
    ends: one of ``ENDS``.
    """

    start: np.ndarray
    times: np.ndarray
    targets: np.ndarray
    balance: np.ndarray
    places: np.ndarray
    turns: np.ndarray
    help: Tuple[float, float]
    ends: str = ENDS[0]


def perform(performance: Performance, where: str) -> np.ndarray:
    """Poses (T, 47) at CLIP_FPS; PPPError if the humanoid does not end as it should."""
    model = touching_model()
    data = mujoco.MjData(model)
    data.qpos[:] = performance.start
    mujoco.mj_forward(model, data)
    at = np.arange(int(round(performance.times[-1] * CLIP_FPS)) + 1) / CLIP_FPS
    targets, balance, places, turns = (
        curve(performance.times, values, at, False) for values in (
            performance.targets, performance.balance, performance.places, performance.turns))
    low, high = np.array(dof_limits()).T
    poses = [data.qpos.copy()]
    for i in range(len(at) - 1):
        data.ctrl[:] = np.clip(targets[i] + balancing(model, data, balance[i]), low, high)
        _step(model, data, places[i], turns[i], performance.help)
        poses.append(data.qpos.copy())
    _check_end(data, performance.ends, where)
    return lifted(within_limits(np.array(poses)))


def lifted(qpos: np.ndarray) -> np.ndarray:
    """Poses (T, 47) raised so far that nothing is deeper than DEEPEST under the floor.

    Simulated contacts give way while something strikes the floor, a few millimetres too far.
    """
    rise = np.zeros(len(qpos))
    for frame, owners, depth in collisions(humanoid_model(), qpos):
        if 0 in owners:
            rise[frame] = max(rise[frame], depth - DEEPEST)
    out = qpos.copy()
    # spread over the neighbours, so that no frame jumps
    out[:, 2] += gaussian_filter1d(maximum_filter1d(rise, 5), 1.0)
    return out


def _check_end(data: mujoco.MjData, ends: str, where: str) -> None:
    ahead, up = data.xmat[_PELVIS, 6], data.xmat[_PELVIS, 8]  # z components of the x and z axes
    well = {"standing": data.qpos[2] >= STANDING_HEIGHT and up >= STANDING_COSINE,
            "front": ahead <= -LYING_COSINE, "back": ahead >= LYING_COSINE}[ends]
    if not well:
        does = "stand" if ends == ENDS[0] else f"lie on its {ends}"
        raise PPPError(f"{where}: the humanoid does not {does} at the end (pelvis at "
                       f"{data.qpos[2]:.2f} m); change the keys")


def within_limits(qpos: np.ndarray) -> np.ndarray:
    """Poses (T, 47) with every joint in its range: simulated limits give way a little."""
    low, high = np.array(dof_limits()).T
    joints = np.clip(joint_pos_from(qpos), low + MARGIN, high - MARGIN)
    return qpos_from(qpos[:, :3], qpos[:, 3:7], joints)


def _step(model: mujoco.MjModel, data: mujoco.MjData, place: np.ndarray, turn: np.ndarray,
          limits: Tuple[float, float]) -> None:
    """One frame of physics with the helping hand at the pelvis."""
    goal = wxyz(Rotation.from_rotvec(turn))
    for _ in range(int(round(1.0 / CLIP_FPS / model.opt.timestep))):
        if max(limits) > 0.0:
            data.xfrc_applied[_PELVIS] = helping(data, place, goal, limits)
        mujoco.mj_step(model, data)


def helping(data: mujoco.MjData, place: np.ndarray, goal: np.ndarray,
            limits: Tuple[float, float]) -> np.ndarray:
    """Force, N, and moment, N m, (6,) in the world that lead the pelvis to place and quaternion."""
    force = HELP_FORCE[0] * (place - data.qpos[:3]) - HELP_FORCE[1] * data.qvel[:3]
    error = np.zeros(3)  # in the pelvis' own frame, as its angular velocity is
    mujoco.mju_subQuat(error, goal, data.qpos[3:7])
    moment = data.xmat[_PELVIS].reshape(3, 3) @ (HELP_MOMENT[0] * error
                                                 - HELP_MOMENT[1] * data.qvel[3:6])
    return np.concatenate((_bounded(force, limits[0]), _bounded(moment, limits[1])))


def _bounded(vector: np.ndarray, largest: float) -> np.ndarray:
    return vector * min(1.0, largest / max(float(np.linalg.norm(vector)), 1e-9))


@lru_cache(maxsize=1)
def touching_model() -> mujoco.MjModel:
    """The humanoid whose limbs, sword and shield also collide with each other.

    The engines leave these pairs out; a clip must not pass through itself for that reason.
    """
    model = copy.copy(humanoid_model())
    limbs = model.geom_bodyid > 0
    model.geom_contype[limbs] = 1 | _LIMBS
    model.geom_conaffinity[limbs] = _LIMBS
    model.body_contype[1:] = 1 | _LIMBS  # MuJoCo's first sieve goes by body
    model.body_conaffinity[1:] = _LIMBS
    return model


def balancing(model: mujoco.MjModel, data: mujoco.MjData, shares: np.ndarray) -> np.ndarray:
    """Change of the servo targets (31,), rad, that pulls the centre of mass over the feet.

    shares (2,): how much the right and the left leg do of it; the goal is the mean of the soles'
    middles with the same weights.
    """
    torque = np.zeros(model.nv)
    if shares.sum() < 1e-3:
        return torque[6:]
    com, foot = np.zeros((3, model.nv)), np.zeros((6, model.nv))
    mujoco.mj_jacSubtreeCom(model, data, com, _PELVIS)
    goal, speed, legs = np.zeros(3), com @ data.qvel, []
    for body, share, columns in zip(FEET, shares, leg_columns()):
        sole = data.xpos[body + 1] + data.xmat[body + 1].reshape(3, 3) @ SOLE
        mujoco.mj_jac(model, data, foot[:3], foot[3:], sole, body + 1)
        goal += share / shares.sum() * sole
        speed -= share / shares.sum() * (foot[:3] @ data.qvel)
        # the foot stands still: what its leg moves is made up for by the root
        root = np.linalg.solve(foot[:, :6], foot[:, columns])
        legs.append((columns, share, com[:, columns] - com[:, :6] @ root))
    force = BALANCE_SPRING * (goal - data.subtree_com[_PELVIS]) - BALANCE_DAMPER * speed
    force = _bounded(force * [1.0, 1.0, 0.0], BALANCE_LARGEST)
    for columns, share, jacobian in legs:
        torque[columns] = share * jacobian.T @ force
    return torque[6:] / np.array(per_dof("kp"))


def leg_columns() -> Tuple[slice, slice]:
    """Columns of the right and the left leg's joints in MuJoCo's velocities (37,)."""
    columns = {joint.name: dofs for joint, dofs in zip(JOINTS, dof_slices())}
    right, left = (slice(6 + columns[f"{side}_hip"].start, 6 + columns[f"{side}_ankle"].stop)
                   for side in ("right", "left"))
    return right, left
