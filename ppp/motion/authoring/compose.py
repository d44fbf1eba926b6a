"""One clip: feet and key poses in, balanced whole-body poses out."""
from __future__ import annotations

from dataclasses import dataclass
from typing import List, Optional

import numpy as np
from scipy.spatial.transform import Rotation

from ppp.errors import PPPError
from ppp.motion.authoring import flight
from ppp.motion.authoring.balance import Seam, com_path, continued, pad, smooth
from ppp.motion.authoring.footsteps import FootPlan, FootTrack, rotate, sample_feet, zmp_reference
from ppp.motion.authoring.ik import BodySolver, Demand
from ppp.motion.authoring.keys import curve
from ppp.motion.authoring.pose import KeyPose, arms_to_joint_pos, tilt, wxyz
from ppp.motion.authoring.running import Air, ground_reference, sample_air_feet
from ppp.motion.body import qpos_from, turned
from ppp.motion.dynamics import centre_of_mass, zero_moment_point

#: poses are solved at this rate and stored at half of it
WORK_FPS, CLIP_FPS = 60, 30
#: rounds of the dynamics filter
FILTER_ROUNDS = 4
#: the same where a motion leaves the ground
FLYING_ROUNDS = 6
#: m that the centre of mass may miss its path where a motion leaves the ground
MAX_GAP = 0.03


@dataclass
class Score:
    """What a clip is composed of."""

    plan: FootPlan
    key_times: List[float]
    keys: List[KeyPose]
    loop: bool
    height: float  # pelvis, m
    heel: float = 0.02
    toe: float = 0.07
    inward: float = 0.01
    air: Optional[Air] = None  # set: the motion may leave the ground
    where: str = "clip"  # for messages


@dataclass
class Sheet:
    """A score sampled at WORK_FPS: everything but the centre of mass."""

    times: np.ndarray
    feet: FootTrack
    upper: np.ndarray  # (N, …) rows of KeyPose.vector
    heading: np.ndarray  # (N,)
    height: np.ndarray  # (N,)
    zmp: np.ndarray  # (N, 2)
    seam: Seam
    lean: np.ndarray  # (N, 3) rotation vector of the upper body on top of its keys, rad


def compose(score: Score) -> np.ndarray:
    """Poses (T, 47) at CLIP_FPS of a score."""
    if score.air is not None:
        return _compose_flying(score)
    sheet = _sample(score)
    dt = 1.0 / WORK_FPS
    solver = BodySolver()
    com = com_path(sheet.zmp, dt, score.height + 0.07, sheet.seam, points=True)
    qpos = _solve(solver, sheet, com, None)
    for _ in range(FILTER_ROUNDS):
        error = _zmp_error(sheet, qpos, dt)
        com = com + com_path(error, dt, score.height + 0.07, sheet.seam, points=False)
        qpos = _solve(solver, sheet, com, qpos)
    return qpos[::WORK_FPS // CLIP_FPS]


def _compose_flying(score: Score) -> np.ndarray:
    """As compose, with a vertical path that may leave the ground, and little spin in flight."""
    sheet, dt = _sample_flying(score), 1.0 / WORK_FPS
    loop = sheet.seam.loop
    aloft = ~sheet.feet.stance.any(1)
    height, force = flight.vertical_path(aloft, dt, score.air.heights, loop, score.air.max_force,
                                         score.where)
    sheet.height = height - 0.07  # where the search for the pelvis begins
    rate = flight.spring(force, height)
    solver = BodySolver(com_height=True)
    inertia, share = flight.upper_inertia(), score.air.steady
    com = np.column_stack((flight.com_over(rate, sheet.zmp, dt, sheet.seam), height))
    qpos = _solve(solver, sheet, com, None)
    _check_reach(qpos, com, dt, score.where)
    for _ in range(FLYING_ROUNDS):
        push, moment = flight.moments(qpos, sheet.zmp, dt, sheet.seam)
        push = np.where(aloft[:, None], 0.0, flight.evened(push, 0.03, dt, sheet.seam))
        com[:, :2] += flight.com_change(rate, push, dt, sheet.seam)
        sheet.lean = sheet.lean + flight.counter_turn(moment, aloft, inertia, dt, sheet.seam,
                                                        share)
        share = 0.0
        qpos = _solve(solver, sheet, com, qpos)
        _check_reach(qpos, com, dt, score.where)
    return qpos[::WORK_FPS // CLIP_FPS]


def _check_reach(qpos: np.ndarray, com: np.ndarray, dt: float, where: str) -> None:
    """PPPError where the legs are too short for the wanted centre of mass (N, 3)."""
    gap = np.linalg.norm(centre_of_mass(qpos) - com, axis=1)
    worst = int(gap.argmax())
    if gap[worst] > MAX_GAP:
        raise PPPError(f"{where}: at {worst * dt:.2f} s the body misses its balance by "
                       f"{100 * gap[worst]:.0f} cm, as the legs are too short; lower 'heights' of "
                       "'air' or shorten the steps")


def _zmp_error(sheet: Sheet, qpos: np.ndarray, dt: float) -> np.ndarray:
    """Reference minus measured zero moment point (N, 2), smoothed."""
    error = sheet.zmp - zero_moment_point(continued(qpos, sheet.seam), dt)
    if sheet.seam.loop:
        return _smooth_turning(error, 0.03, dt, sheet.seam)
    # the ends have no neighbour to take an acceleration from
    error[0], error[-1] = error[1], error[-2]
    return smooth(error, 0.03, dt, loop=False)


def _smooth_turning(error: np.ndarray, seconds: float, dt: float, seam: Seam) -> np.ndarray:
    """Smoothing of vectors that turn from one repetition of the loop to the next."""
    count = int(round(4 * seconds / dt))
    return smooth(pad(error, count, seam, points=False), seconds, dt, False)[count:-count]


def _sample(score: Score) -> Sheet:
    plan = score.plan
    count = int(round(plan.seconds * WORK_FPS)) + 1
    times = np.arange(count) / WORK_FPS
    seam = Seam(score.loop, *plan.displacement()) if score.loop else Seam(False, np.zeros(2), 0.0)
    feet = sample_feet(plan, times)
    upper = curve(score.key_times, [k.vector() for k in score.keys], times, score.loop)
    heading = _heading(feet, seam)
    zmp = zmp_reference(plan, times, score.heel, score.toe, score.inward)
    zmp = _smooth_points(zmp, 0.03, seam)
    zmp = zmp + np.stack([rotate(s, h) for s, h in zip(upper[:, -2:], heading)])
    height = score.height - upper[:, -3]
    return Sheet(times, feet, upper, heading, height, zmp, seam, np.zeros((count, 3)))


def _sample_flying(score: Score) -> Sheet:
    plan = score.plan
    count = int(round(plan.seconds * WORK_FPS)) + 1
    times = np.arange(count) / WORK_FPS
    seam = Seam(score.loop, *plan.displacement()) if score.loop else Seam(False, np.zeros(2), 0.0)
    feet = sample_air_feet(plan, times, seam, score.air)
    upper = curve(score.key_times, [k.vector() for k in score.keys], times, score.loop)
    heading = _heading(feet, seam)
    zmp = ground_reference(plan, times, seam, (score.heel, score.toe), score.inward)
    zmp = zmp + np.stack([rotate(s, h) for s, h in zip(upper[:, -2:], heading)])
    return Sheet(times, feet, upper, heading, score.height - upper[:, -3], zmp, seam,
                 np.zeros((count, 3)))


def _smooth_points(points: np.ndarray, seconds: float, seam: Seam) -> np.ndarray:
    dt = 1.0 / WORK_FPS
    count = int(round(4 * seconds / dt))
    return smooth(pad(points, count, seam, points=True), seconds, dt, False)[count:-count]


def _heading(feet: FootTrack, seam: Seam, blur: float = 0.12) -> np.ndarray:
    """Mean direction of the feet (N,), smoothed through the seam."""
    yaw = feet.yaw.mean(1)
    dt = 1.0 / WORK_FPS
    if not seam.loop:
        return smooth(yaw, blur, dt, False)
    count, cycle = int(round(4 * blur / dt)), yaw[:-1]
    repeats = -(-count // len(cycle))
    long = np.concatenate([cycle + k * seam.yaw for k in range(-repeats, repeats + 1)])
    begin = repeats * len(cycle)
    return smooth(np.append(long, long[len(cycle)] * 0 + cycle[0] + (repeats + 1) * seam.yaw),
                  blur, dt, False)[begin:begin + len(yaw)]


def _solve(solver: BodySolver, sheet: Sheet, com: np.ndarray, start) -> np.ndarray:
    """Poses (N, 47) of a sheet; in a loop the last one is the first one, moved."""
    last = len(sheet.times) - 1 if sheet.seam.loop else len(sheet.times)
    out = []
    for i in range(last):
        demand = _demand(sheet, com, i)
        here = demand.posture if start is None and not out else None
        if start is not None:
            here = start[i]
        out.append(solver.solve(demand, here, rounds=200 if here is demand.posture else 40))
    if sheet.seam.loop:
        out.append(turned(out[0][None], *sheet.seam.power(1))[0])
    return np.array(out)


def _demand(sheet: Sheet, com: np.ndarray, i: int) -> Demand:
    key = KeyPose.from_vector(sheet.upper[i])
    heading = Rotation.from_euler("z", sheet.heading[i])
    pelvis, trunk = heading * tilt(key.pelvis), heading * tilt(key.trunk)
    if sheet.lean[i].any():
        # they pitch and roll as one; only the trunk turns, as the pelvis goes with the legs
        trunk = Rotation.from_rotvec(sheet.lean[i]) * trunk
        pelvis = Rotation.from_rotvec(sheet.lean[i] * [1.0, 1.0, 0.0]) * pelvis
    feet_rot = [wxyz(tilt([0.0, sheet.feet.pitch[i, f], sheet.feet.yaw[i, f]])) for f in (0, 1)]
    posture = qpos_from(np.append(com[i, :2], sheet.height[i])[None], wxyz(pelvis)[None],
                        arms_to_joint_pos(key.arms)[None])[0]
    return Demand(sheet.feet.pos[i], np.array(feet_rot), com[i], float(sheet.height[i]),
                  wxyz(pelvis), wxyz(trunk), posture)
