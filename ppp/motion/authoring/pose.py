"""Key poses: what a person writes about the upper body, and the joint angles that follow.

A pose is a mapping with any of
  hand    [x, y, z]: the right hand, m, in the heading frame, origin on the floor between the feet
  blade   [x, y, z]: direction of the blade in the same frame
  shield  [x, y, z]: middle of the shield, m
  facing  [x, y, z]: direction that the shield faces
  trunk   [roll, pitch, yaw]: the torso against upright, degrees
  pelvis  [roll, pitch, yaw]: the pelvis against upright, degrees (default: 0.35 of the trunk's yaw)
  drop    m that the pelvis is lower than in the ready stance
  shift   [x, y]: m that the weight is moved from the middle of the feet
  <joint> degrees of a joint of the arms or the neck, exponential map or angle
  add     {<joint>: degrees} on top of what the above gives
"""
from __future__ import annotations

from dataclasses import dataclass
from typing import Dict

import numpy as np
from scipy.spatial.transform import Rotation

from ppp.errors import PPPError, unknown
from ppp.motion.authoring.footsteps import ANKLE_HEIGHT, LEFT, RIGHT, middle
from ppp.motion.authoring.ik import POINTS, BodySolver, Demand, arm_columns
from ppp.motion.body import joint_pos_from, qpos_from

_FIELDS = {**{name: 3 for name in POINTS}, "trunk": 3, "pelvis": 3, "drop": 1, "shift": 2}
_SIDES = {"right": {"hand", "blade"}, "left": {"shield", "facing"}}


@dataclass(frozen=True)
class KeyPose:
    """arms (A,) joint angles, rad; trunk and pelvis (3,) roll, pitch, yaw, rad; drop m; shift m."""

    arms: np.ndarray
    trunk: np.ndarray
    pelvis: np.ndarray
    drop: float
    shift: np.ndarray

    def vector(self) -> np.ndarray:
        """All of it as one row, for interpolation."""
        return np.concatenate((self.arms, self.trunk, self.pelvis, [self.drop], self.shift))

    @staticmethod
    def from_vector(row: np.ndarray) -> "KeyPose":
        """Inverse of :meth:`vector`."""
        return KeyPose(row[:-9], row[-9:-6], row[-6:-3], float(row[-3]), row[-2:])


def arm_names() -> Dict[str, slice]:
    """Columns of ``KeyPose.arms`` of each joint that a pose may set."""
    out, start = {}, 0
    for name, (dofs, _) in arm_columns().items():
        width = dofs.stop - dofs.start
        out[name] = slice(start, start + width)
        start += width
    return out


def checked(spec: dict, where: str) -> dict:
    """The pose with its fields checked; PPPError names the wrong one."""
    joints = arm_names()
    for name, value in spec.items():
        if name in ("t", "pose"):
            continue
        if name == "add":
            checked(value, f"{where}: add")
            continue
        if name not in _FIELDS and name not in joints:
            raise unknown(f"field of {where}", name, [*_FIELDS, *joints, "add"])
        numbers = value if isinstance(value, list) else [value]
        if not all(isinstance(v, (int, float)) for v in numbers):
            raise PPPError(f"{where}: '{name}' is {value!r}; it needs numbers")
        size = _FIELDS.get(name) or joints[name].stop - joints[name].start
        if np.size(value) != size:
            raise PPPError(f"{where}: '{name}' has {np.size(value)} numbers; it needs {size}")
    return spec


def tilt(rpy: np.ndarray) -> Rotation:
    """Rotation of roll, pitch, yaw (rad): first roll, last yaw, about fixed axes."""
    return Rotation.from_euler("xyz", rpy)


def wxyz(rotation: Rotation) -> np.ndarray:
    """Quaternion w, x, y, z."""
    return np.roll(rotation.as_quat(), 1)


def arms_to_joint_pos(arms: np.ndarray) -> np.ndarray:
    """Joint angles (31,) with the arms set and the rest zero."""
    out = np.zeros(31)
    out[[i for dofs, _ in arm_columns().values() for i in range(dofs.start, dofs.stop)]] = arms
    return out


class PoseBook:
    """Turns pose mappings into key poses, standing in the ready stance."""

    def __init__(self, feet: np.ndarray, height: float, guess: dict) -> None:
        """feet (2, 3) of the ready stance, its pelvis height (m) and the arms to start from."""
        self.feet, self.height = feet, height
        self.solver = BodySolver(arms_free=True)
        self.guess = np.zeros(max(s.stop for s in arm_names().values()))
        self._set(self.guess, guess)

    @staticmethod
    def _set(arms: np.ndarray, spec: dict, add: bool = False) -> None:
        for name, columns in arm_names().items():
            if name in spec:
                value = np.radians(np.asarray(spec[name], float))
                arms[columns] = value + (arms[columns] if add else 0.0)

    def resolve(self, spec: dict, where: str) -> KeyPose:
        """Joint angles of a pose (hand and blade by inverse kinematics)."""
        spec = checked(spec, where)
        trunk = np.radians(np.asarray(spec.get("trunk", [0, 0, 0]), float))
        pelvis = np.radians(np.asarray(spec.get("pelvis", np.degrees(0.35 * trunk)
                                                * [0, 0, 1]), float))
        arms = self.guess.copy()
        self._set(arms, spec)
        drop = float(spec.get("drop", 0.0))
        points = {name: np.asarray(spec[name], float) for name in POINTS if name in spec}
        if points:
            arms = self._reach(points, arms, trunk, pelvis, drop)
        self._set(arms, spec.get("add", {}), add=True)
        return KeyPose(arms, trunk, pelvis, drop, np.asarray(spec.get("shift", [0, 0]), float))

    def _reach(self, points: dict, arms: np.ndarray, trunk: np.ndarray, pelvis: np.ndarray,
               drop: float) -> np.ndarray:
        centre = middle(self.feet)
        start = qpos_from(np.array([[centre[0], centre[1], self.height]]),
                          np.array([[1.0, 0, 0, 0]]), arms_to_joint_pos(arms)[None])[0]
        demand = Demand(
            feet_pos=np.array([[*self.feet[f, :2], ANKLE_HEIGHT] for f in (RIGHT, LEFT)]),
            feet_rot=np.array([wxyz(tilt([0, 0, self.feet[f, 2]])) for f in (RIGHT, LEFT)]),
            com=centre, height=self.height - drop, pelvis_rot=wxyz(tilt(pelvis)),
            torso_rot=wxyz(tilt(trunk)), posture=start, points=points)
        joints = joint_pos_from(self.solver.solve(demand, start, rounds=300)[None])[0]
        sides = [side for side, names in _SIDES.items() if names & set(points)]
        out = arms.copy()
        for name, columns in arm_names().items():
            if name.split("_")[0] in sides:
                out[columns] = joints[arm_columns()[name][0]]
        return out
