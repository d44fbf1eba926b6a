"""Retargeting from end to end: a foreign motion in, a clip of ours and a report out."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import List, Union

import mujoco
import numpy as np

from ppp.motion.body import clip_from_qpos, humanoid_model
from ppp.motion.clip import Clip
from ppp.motion.formats.skeleton_motion import SkeletonMotion, at_rate
from ppp.motion.library import CONTROL_FPS
from ppp.motion.retarget.feet import plan_feet
from ppp.motion.retarget.loop import LEAD, closed_poses, periodic, repeated
from ppp.motion.retarget.maps import find_map
from ppp.motion.retarget.solver import settled, solve_poses
from ppp.motion.retarget.source import Pose, read_pose, smoothed, upright

#: roles whose places are compared, and the body of ours that stands there
_COMPARED = {f"{side}_{role}": f"{side}_{body}" for side in ("right", "left") for role, body in (
    ("shoulder", "upper_arm"), ("elbow", "lower_arm"), ("wrist", "hand"), ("hip", "thigh"),
    ("knee", "shin"), ("ankle", "foot"))}


@dataclass
class Retargeted:
    """A clip and how it came about: the map used (guessed: from the shape), the mean distance of
    mapped joints after scaling (cm), our size over the source's, what was guessed."""

    clip: Clip
    bone_map: str
    shown: str
    guessed: bool
    error_cm: float
    scale: float
    notes: List[str]


def retarget(motion: SkeletonMotion, where: Union[str, Path], choice: str = "", loop: bool = False,
             mirror: bool = False, label: str = "", licence: str = "") -> Retargeted:
    """Put a motion on our humanoid at the control rate.

    choice: a bone map (see ``find_map``); loop: close the seam; where: the file, for messages.
    """
    bones = find_map(motion, choice, where)
    motion = at_rate(smoothed(upright(motion, bones)), CONTROL_FPS)
    pose = read_pose(motion, bones, mirror, str(where))
    if loop:
        pose = periodic(pose, where)
        frames = len(pose.pelvis)
        qpos = settled(closed_poses(_solved(repeated(pose), frames - 1, frames)))
    else:
        qpos = _solved(pose, 0, len(pose.pelvis))
    clip = clip_from_qpos(qpos, CONTROL_FPS, label, f"imported: {Path(where).name}", licence)
    notes = list(pose.notes)
    if bones.guessed:
        notes.append("bone map guessed from the skeleton's shape")
    return Retargeted(clip, bones.name, bones.shown(motion), bones.guessed,
                      100.0 * retarget_error(qpos, pose),
                      pose.scale, notes)


def _solved(pose: Pose, start: int, frames: int) -> np.ndarray:
    """Poses (frames, 47) of a part of the motion; the feet are planned over all of it."""
    plan = plan_feet(pose.pelvis, pose.ankle, (pose.rot["right_foot"], pose.rot["left_foot"]),
                     pose.fps)
    lead = min(LEAD, start)
    return solve_poses(pose, plan, start - lead, start + frames)[lead:]


def retarget_error(qpos: np.ndarray, pose: Pose) -> float:
    """Mean distance of shoulders, elbows, wrists, hips, knees and ankles from the source's after
    scaling, both relative to the pelvis, m."""
    model = humanoid_model()
    data = mujoco.MjData(model)
    ids = [model.body(body).id for body in _COMPARED.values()]
    theirs = np.stack([pose.joints[role] - pose.pelvis for role in _COMPARED], 1)
    gaps = []
    for frame, place in zip(qpos, theirs):
        data.qpos[:] = frame
        mujoco.mj_kinematics(model, data)
        gaps.append(np.linalg.norm(data.xpos[ids] - data.xpos[1] - place, axis=-1).mean())
    return float(np.mean(gaps))
