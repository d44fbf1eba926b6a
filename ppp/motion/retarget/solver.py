"""From orientations and feet to poses within the joints' limits, with mink.

Every frame starts at the pose that the directions give and is then solved: the feet and the
clearances first, pelvis and trunk next, then the directions of the arms and of the blade, and the
joints' own angles last.
"""
from __future__ import annotations

from typing import Dict, List, Optional

import mink
import mujoco
import numpy as np
import torch
from scipy.ndimage import gaussian_filter1d, maximum_filter1d
from scipy.spatial.transform import Rotation

from ppp.humanoid.kinematics import local_rot_to_joint_pos
from ppp.humanoid.skeleton import BODIES, JOINTS, NUM_DOFS, dof_limits, dof_slices
from ppp.motion.body import humanoid_model, joint_pos_from, qpos_from, qpos_slices
from ppp.motion.formats.skeleton_motion import to_quat, to_rotation
from ppp.motion.retarget.clearance import ClearanceTask, lowest_point
from ppp.motion.retarget.feet import FootPlan
from ppp.motion.retarget.source import Pose

#: room kept to every joint's limit, rad
MARGIN = np.radians(2.0)
FPS = 30.0
#: longest step of one iteration, rad or m, and how many there are at most
MAX_STEP, ROUNDS, TOLERANCE = 0.2, 30, 2e-3
_FEET = ("right_foot", "left_foot")
#: axes that follow the source: body, axis in the body's frame, cost
_AXES = (("right_upper_arm", (0.0, 0.0, 1.0), 4.0), ("right_lower_arm", (0.0, 0.0, 1.0), 4.0),
         ("left_upper_arm", (0.0, 0.0, 1.0), 4.0), ("left_lower_arm", (0.0, 0.0, 1.0), 4.0),
         ("right_hand", (1.0, 0.0, 0.0), 4.0), ("right_shin", (0.0, 0.0, 1.0), 1.0),
         ("left_shin", (0.0, 0.0, 1.0), 1.0))
_POSTURE = {"abdomen": 0.3, "neck": 2.0, "right_hand": 0.6, "right_shoulder": 0.6,
            "left_shoulder": 0.6, "right_elbow": 0.6, "left_elbow": 0.6, "right_knee": 0.3,
            "left_knee": 0.3}
_LEG_POSTURE = 1.0
#: what may stay in the floor, m
SUNK = 0.003
#: fastest joint coordinate, rad/s: where blade and body leave two ways out, the pose does not leap
MAX_SPEED = 18.0


_BALL_DOFS = np.array([np.r_[d] for j, d in zip(JOINTS, dof_slices()) if j.dofs == 3])
_HINGE_DOFS = np.array([d.start for j, d in zip(JOINTS, dof_slices()) if j.dofs == 1])
_BALL_COLUMNS = np.array([np.r_[c] for j, c in zip(JOINTS, qpos_slices()) if j.dofs == 3])
_HINGE_COLUMNS = np.array([c.start for j, c in zip(JOINTS, qpos_slices()) if j.dofs == 1])


class BoxLimit(mink.Limit):
    """The humanoid's limits: a box in exponential-map coordinates for every ball joint.

    Rows J⁻¹ Δ ≤ high - e with the right Jacobian of SO(3) (Solà et al. 2018, arXiv 1812.01537,
    eq. 144). After a frame the box shrinks to what MAX_SPEED reaches from it.
    """

    def __init__(self) -> None:
        self.follow(None, 0.0)

    def follow(self, last: Optional[np.ndarray], reach: float) -> None:
        """The box for the next frame: the limits, within ``reach`` of joint angles (31,)."""
        low, high = np.array(dof_limits()).T
        self.low, self.high = low + MARGIN, high - MARGIN
        if last is not None:
            last = np.clip(last, self.low, self.high)
            self.low = np.maximum(self.low, last - reach)
            self.high = np.minimum(self.high, last + reach)

    def compute_qp_inequalities(self, configuration: mink.Configuration, dt: float
                                ) -> mink.Constraint:
        """G (62, nv), h (62,)."""
        q = configuration.q
        joints, rows = np.zeros(NUM_DOFS), np.zeros((NUM_DOFS, 6 + NUM_DOFS))
        joints[_HINGE_DOFS] = q[_HINGE_COLUMNS]
        rows[_HINGE_DOFS, 6 + _HINGE_DOFS] = 1.0
        vectors = _rotation_vectors(q[_BALL_COLUMNS])
        joints[_BALL_DOFS] = vectors
        rows[_BALL_DOFS[:, :, None], 6 + _BALL_DOFS[:, None, :]] = _right_jacobian_inverse(vectors)
        room = np.concatenate((self.high - joints, joints - self.low))
        return mink.Constraint(np.concatenate((rows, -rows)), np.maximum(room, 0.0))


def _rotation_vectors(quat: np.ndarray) -> np.ndarray:
    """Exponential maps (B, 3) of unit quaternions (B, 4), by the shorter way round."""
    quat = np.where(quat[:, :1] < 0.0, -quat, quat)
    sine = np.linalg.norm(quat[:, 1:], axis=-1, keepdims=True)
    angle = 2.0 * np.arctan2(sine, quat[:, :1])
    return quat[:, 1:] * np.where(sine > 1e-9, angle / np.maximum(sine, 1e-9), 2.0)


def _right_jacobian_inverse(vector: np.ndarray) -> np.ndarray:
    """(B, 3, 3) of exponential maps (B, 3)."""
    angle = np.maximum(np.linalg.norm(vector, axis=-1), 1e-4)
    cross = np.zeros((len(vector), 3, 3))
    for i, j, k, sign in ((0, 1, 2, -1.0), (0, 2, 1, 1.0), (1, 2, 0, -1.0)):
        cross[:, i, j], cross[:, j, i] = sign * vector[:, k], -sign * vector[:, k]
    factor = 1.0 / angle**2 - (1.0 + np.cos(angle)) / (2.0 * angle * np.maximum(np.sin(angle),
                                                                               1e-6))
    return np.eye(3) + 0.5 * cross + factor[:, None, None] * cross @ cross


def within_limits(joint_pos: np.ndarray) -> np.ndarray:
    """Joint angles (T, 31) brought into their boxes, by the shorter way round for ball joints."""
    low, high = np.array(dof_limits()).T
    low, high = low + MARGIN, high - MARGIN
    out = np.clip(joint_pos, low, high)
    for joint, dofs in zip(JOINTS, dof_slices()):
        if joint.dofs != 3:
            continue
        value = joint_pos[:, dofs]
        angle = np.linalg.norm(value, axis=-1, keepdims=True)
        other = value * (1.0 - 2.0 * np.pi / np.maximum(angle, 1e-6))
        other = np.where(angle > 0.5 * np.pi, np.clip(other, low[dofs], high[dofs]), out[:, dofs])
        here = Rotation.from_rotvec(value)
        way = [(here.inv() * Rotation.from_rotvec(v)).magnitude() for v in (out[:, dofs], other)]
        out[:, dofs] = np.where((way[1] < way[0] - 1e-9)[:, None], other, out[:, dofs])
    return out


def directed_joints(pose: Pose) -> np.ndarray:
    """Joint angles (T, 31) that give our body the source's orientations, within the limits."""
    local = np.zeros((len(pose.pelvis), len(BODIES), 4))
    local[..., 0] = 1.0
    local[:, 0] = to_quat(pose.rot["pelvis"])
    for i, body in enumerate(BODIES[1:], 1):
        if body.name in pose.rot and body.name != "left_hand":  # the left hand is fixed
            above = pose.rot[BODIES[body.parent].name]
            local[:, i] = to_quat(above.inv() * pose.rot[body.name])
    return within_limits(local_rot_to_joint_pos(torch.as_tensor(local)).numpy())


class PoseSolver:
    """Solves one frame after the other."""

    def __init__(self) -> None:
        self.model = humanoid_model()
        self.configuration = mink.Configuration(self.model)
        self.box = BoxLimit()
        self.feet = [mink.FrameTask(name, "body", 200.0, 60.0) for name in _FEET]
        self.pelvis = mink.FrameTask("pelvis", "body", 20.0, 6.0)
        self.torso = mink.FrameTask("torso", "body", 0.0, 4.0)
        self.posture = mink.PostureTask(self.model, cost=_posture_cost())
        self.axes = {body: mink.AxisAlignTask(body, "body", axis, cost=cost)
                     for body, axis, cost in _AXES}
        self.clearance = ClearanceTask(self.model, 60.0)
        self.tasks = [*self.feet, self.pelvis, self.torso, self.posture,
                      *self.axes.values(), self.clearance]

    def solve(self, start: np.ndarray, last: Optional[np.ndarray]) -> np.ndarray:
        """The pose (47,) for the targets that are set; ``last``: the frame before with the root
        moved on, from which the joints begin and stray no farther than MAX_SPEED."""
        self.configuration.update(start if last is None else last)
        self.box.follow(None if last is None else joint_pos_from(last[None])[0], MAX_SPEED / FPS)
        for _ in range(ROUNDS):
            velocity = mink.solve_ik(self.configuration, self.tasks, 1.0, "daqp", damping=1e-3,
                                     limits=[self.box])
            size = float(np.abs(velocity).max())
            velocity *= min(1.0, MAX_STEP / max(size, 1e-9))
            self.configuration.integrate_inplace(velocity, 1.0)
            if size < TOLERANCE:
                break
        return self.configuration.q.copy()

    def aim(self, start: np.ndarray, feet_pos: np.ndarray, feet_rot: np.ndarray,
            torso: np.ndarray, axes: Dict[str, np.ndarray]) -> None:
        """Set one frame's targets: pose (47,), feet (2, 3) and (2, 4), torso (4,), directions."""
        for task, pos, rot in zip(self.feet, feet_pos, feet_rot):
            task.set_target(mink.SE3(np.concatenate((rot, pos))))
        self.pelvis.set_target(mink.SE3(np.concatenate((start[3:7], start[:3]))))
        self.torso.set_target(mink.SE3(np.concatenate((torso, start[:3]))))
        self.posture.set_target(start)
        for body, task in self.axes.items():
            task.set_target(axes[body])


def solve_poses(pose: Pose, plan: FootPlan, first: int, end: int) -> np.ndarray:
    """Coordinates (end - first, 47) of our body for a source's orientations and cleaned feet."""
    solver = PoseSolver()
    joints = directed_joints(pose)
    place = pose.pelvis - [0.0, 0.0, plan.floor]
    start = qpos_from(place, to_quat(pose.rot["pelvis"]), joints)
    torso = to_quat(pose.rot["torso"])
    axes = {body: pose.rot[body].apply(axis) for body, axis, _ in _AXES}
    out: List[np.ndarray] = []
    for t in range(first, end):
        solver.aim(start[t], plan.pos[t], plan.rot[t], torso[t],
                   {body: value[t] for body, value in axes.items()})
        out.append(solver.solve(start[t], _warm(out, start, t)))
    return lifted(settled(np.array(out)))


def lifted(qpos: np.ndarray) -> np.ndarray:
    """Coordinates (T, 47) raised where more than SUNK of the body is still in the floor.

    A body that lies on its shield may find no pose above it.
    """
    model = humanoid_model()
    data = mujoco.MjData(model)
    geoms = [g for g in range(model.ngeom) if model.geom_bodyid[g] > 0]
    deep = np.zeros(len(qpos))
    for t, pose in enumerate(qpos):
        data.qpos[:] = pose
        mujoco.mj_kinematics(model, data)
        deep[t] = max(0.0, -SUNK - min(lowest_point(model, data, g)[2] for g in geoms))
    if not deep.any():
        return qpos
    out = qpos.copy()
    out[:, 2] += np.maximum(deep, gaussian_filter1d(maximum_filter1d(deep, 5), 1.5))
    return out


def _warm(out: List[np.ndarray], start: np.ndarray, t: int) -> Optional[np.ndarray]:
    """The last solution, with the root moved as the target moves."""
    if not out:
        return None
    warm = out[-1].copy()
    warm[:3] += start[t, :3] - start[t - 1, :3]
    spin = to_rotation(start[t, 3:7]) * to_rotation(start[t - 1, 3:7]).inv()
    warm[3:7] = to_quat(spin * to_rotation(warm[3:7]))[0]
    return warm


def settled(qpos: np.ndarray) -> np.ndarray:
    """Coordinates (T, 47) whose joints are within their limits to the last digit."""
    return qpos_from(qpos[:, :3], qpos[:, 3:7], within_limits(joint_pos_from(qpos)))


def _posture_cost() -> np.ndarray:
    cost = np.zeros(6 + dof_slices()[-1].stop)
    for joint, dofs in zip(JOINTS, dof_slices()):
        cost[6 + dofs.start:6 + dofs.stop] = _POSTURE.get(joint.name, _LEG_POSTURE)
    return cost


