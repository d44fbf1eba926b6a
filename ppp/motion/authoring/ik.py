"""Whole-body inverse kinematics, one frame at a time, with mink.

Feet are nearly rigid demands, the centre of mass comes next, then pelvis and torso orientation;
the arms and the neck follow their key poses. Every frame is iterated to convergence, so that a
pose depends on its demands and not on the frames before it.
"""
from __future__ import annotations

from dataclasses import dataclass, field
from typing import Dict, List, Optional, Tuple

import mink
import numpy as np

from ppp.humanoid.skeleton import BODY_ID, JOINTS, dof_slices
from ppp.motion.body import humanoid_model, qpos_slices

_FEET = ("right_foot", "left_foot")
#: posture cost of each joint: arms follow their keys, legs are left to the feet
_POSTURE = {"abdomen": 0.05, "neck": 3.0, "right_shoulder": 3.0, "right_elbow": 3.0,
            "right_hand": 3.0, "left_shoulder": 3.0, "left_elbow": 3.0}
_LEG_POSTURE = 0.05
#: what a key pose may place: the body, and for a direction its axis in the body's frame
POINTS: Dict[str, Tuple[str, Optional[Tuple[float, float, float]]]] = {
    "hand": ("right_hand", None), "blade": ("right_hand", (1.0, 0.0, 0.0)),
    "shield": ("shield", None), "facing": ("shield", (0.0, 1.0, 0.0))}
#: longest step of one iteration, rad or m: full Gauss-Newton steps overshoot near a straight knee
MAX_STEP = 0.2


@dataclass
class Demand:
    """What one frame asks for: metres, unit quaternions w, x, y, z, world frame."""

    feet_pos: np.ndarray  # (2, 3) right, left ankle
    feet_rot: np.ndarray  # (2, 4)
    com: np.ndarray  # (2,) horizontal, or (3,) for a solver that holds its height too
    height: float  # of the pelvis; without meaning where the centre of mass has a height
    pelvis_rot: np.ndarray  # (4,)
    torso_rot: np.ndarray  # (4,)
    posture: np.ndarray  # (47,) qpos whose joints are followed
    points: Dict[str, np.ndarray] = field(default_factory=dict)  # name in POINTS: (3,)


class BodySolver:
    """Solves demands; keeps the last pose as the next start."""

    def __init__(self, arms_free: bool = False, com_height: bool = False) -> None:
        """com_height: demands give the height of the centre of mass instead of the pelvis's."""
        self.model = humanoid_model()
        self.configuration = mink.Configuration(self.model)
        self.limits = [mink.ConfigurationLimit(self.model, min_distance_from_limits=0.05)]
        self.feet = [mink.FrameTask(name, "body", 200.0, 100.0) for name in _FEET]
        self.com = mink.ComTask(cost=[60.0, 60.0, 60.0 if com_height else 0.0])
        self.pelvis = mink.FrameTask("pelvis", "body",
                                     [0.0, 0.0, 0.0 if com_height else 20.0], 6.0)
        self.torso = mink.FrameTask("torso", "body", 0.0, 6.0)
        self.posture = mink.PostureTask(self.model, cost=_posture_cost(0.02 if arms_free else 1.0))
        self.tasks: List = [*self.feet, self.com, self.pelvis, self.torso, self.posture]
        self.points = {name: _point_task(body, axis) for name, (body, axis) in POINTS.items()}

    def solve(self, demand: Demand, start: Optional[np.ndarray] = None,
              rounds: int = 60, tolerance: float = 1e-5) -> np.ndarray:
        """The pose (47,) that meets the demand best, from ``start`` or from the last pose."""
        if start is not None:
            self.configuration.update(start)
        tasks = self._aim(demand)
        for _ in range(rounds):
            velocity = mink.solve_ik(self.configuration, tasks, 1.0, "daqp", damping=1e-4,
                                     limits=self.limits)
            velocity *= min(1.0, MAX_STEP / max(float(np.abs(velocity).max()), 1e-9))
            self.configuration.integrate_inplace(velocity, 1.0)
            if np.abs(velocity).max() < tolerance:
                break
        return self.configuration.q.copy()

    def _aim(self, demand: Demand) -> List:
        for task, pos, rot in zip(self.feet, demand.feet_pos, demand.feet_rot):
            task.set_target(mink.SE3(np.concatenate((rot, pos))))
        # the pelvis is held in height only; its frame tilts so little that z is its own z axis
        over = np.append(demand.com[:2], demand.height)
        self.com.set_target(demand.com if len(demand.com) == 3 else over)
        self.pelvis.set_target(mink.SE3(np.concatenate((demand.pelvis_rot, over))))
        self.torso.set_target(mink.SE3(np.concatenate((demand.torso_rot, over))))
        self.posture.set_target(demand.posture)
        tasks = list(self.tasks)
        for name, value in demand.points.items():
            task = self.points[name]
            if isinstance(task, mink.AxisAlignTask):
                task.set_target(value)
            else:
                task.set_target(mink.SE3(np.concatenate(([1.0, 0.0, 0.0, 0.0], value))))
            tasks.append(task)
        return tasks


def _point_task(body: str, axis: Optional[Tuple[float, float, float]]):
    if axis is None:
        return mink.FrameTask(body, "body", 20.0, 0.0)
    return mink.AxisAlignTask(body, "body", axis, cost=10.0)


def _posture_cost(scale: float) -> np.ndarray:
    cost = np.zeros(6 + dof_slices()[-1].stop)
    for joint, dofs in zip(JOINTS, dof_slices()):
        value = _POSTURE.get(joint.name, _LEG_POSTURE)
        cost[6 + dofs.start:6 + dofs.stop] = value * scale if value > 1.0 else value
    return cost


def arm_columns() -> Dict[str, Tuple[slice, slice]]:
    """Columns in joint_pos and in qpos of the joints that key poses set."""
    return {j.name: (d, q) for j, d, q in zip(JOINTS, dof_slices(), qpos_slices())
            if _POSTURE.get(j.name, 0.0) > 1.0}


def foot_ids() -> List[int]:
    """Body numbers in MuJoCo (the world is 0) of the right and the left foot."""
    return [BODY_ID[name] + 1 for name in _FEET]
