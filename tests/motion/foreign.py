"""Our own clips told as other people's: another rest pose, size, heading, other names."""
from __future__ import annotations

from pathlib import Path
from typing import Dict, List

import numpy as np
import torch
from scipy.spatial.transform import Rotation

from ppp.humanoid.kinematics import forward_kinematics
from ppp.humanoid.skeleton import BODIES
from ppp.motion.clip import Clip
from ppp.motion.formats.skeleton_motion import (
    Y_UP,
    SkeletonMotion,
    reframed,
    to_quat,
    to_rotation,
)

MIXAMO: Dict[str, str] = {"pelvis": "mixamorig:Hips", "torso": "mixamorig:Spine2",
                          "head": "mixamorig:Head"}
for _side in ("right", "left"):
    for _ours, _theirs in (("upper_arm", "Arm"), ("lower_arm", "ForeArm"), ("hand", "Hand"),
                           ("thigh", "UpLeg"), ("shin", "Leg"), ("foot", "Foot")):
        MIXAMO[f"{_side}_{_ours}"] = f"mixamorig:{_side.title()}{_theirs}"
BODY_NAMES: List[str] = list(MIXAMO)
_HANGING = ("arm", "hand", "thigh", "shin", "foot")


def body_positions(clip: Clip) -> np.ndarray:
    """World positions (T, 17, 3) of our bodies, m."""
    count = clip.frames
    state = forward_kinematics(
        torch.as_tensor(clip.root_pos), torch.as_tensor(clip.body_rot[:, 0]),
        torch.as_tensor(clip.joint_pos), torch.zeros(count, 3), torch.zeros(count, 3),
        torch.zeros(count, 31))
    return state.pos.numpy()


def told_by_another(clip: Clip, arms: float = 90.0, size: float = 1.0, yaw: float = 0.0,
                    names: Dict[str, str] = MIXAMO, kind: str = "test", stick: bool = False
                    ) -> SkeletonMotion:
    """The clip on a skeleton of our proportions ``size`` times as large, whose rest pose holds its
    arms ``arms`` degrees out; the world is turned by ``yaw`` rad and our words by ``names``.

    stick: at rest all limbs lie along x, as in LaFAN1.
    """
    index = [next(i for i, b in enumerate(BODIES) if b.name == n) for n in BODY_NAMES]
    rest = {n: Rotation.identity() for n in BODY_NAMES}
    for side, sign in (("right", -1.0), ("left", 1.0)):
        for part in ("upper_arm", "lower_arm", "hand"):
            rest[f"{side}_{part}"] = Rotation.from_euler("x", sign * arms, degrees=True)
    if stick:
        rest = {n: Rotation.from_euler("y", -90.0 if any(p in n for p in _HANGING) else 90.0,
                                       degrees=True) for n in BODY_NAMES}
    turn = Rotation.from_euler("z", yaw)
    world = [to_rotation(clip.body_rot[:, 0])]
    for i, body in enumerate(BODIES[1:], 1):
        world.append(world[body.parent] * to_rotation(clip.body_rot[:, i]))
    theirs = {n: turn * world[i] * rest[n].inv() for n, i in zip(BODY_NAMES, index)}
    parents, offsets, rotations = [], [], []
    for name, i in zip(BODY_NAMES, index):
        body = BODIES[i]
        above = BODIES[body.parent].name if body.parent >= 0 else ""
        parents.append(BODY_NAMES.index(above) if above else -1)
        offsets.append(size * (rest[above].apply(body.offset) if above else np.zeros(3)))
        rotations.append(to_quat(theirs[above].inv() * theirs[name] if above else theirs[name]))
    return SkeletonMotion([names[n] for n in BODY_NAMES], parents, np.array(offsets),
                          np.stack(rotations, 1), size * turn.apply(clip.root_pos), clip.fps, kind)


def write_bvh(motion: SkeletonMotion, path: Path, unit: float = 100.0) -> Path:
    """The motion as a BVH file, y up, ``unit`` file units a metre."""
    told = reframed(motion, Y_UP.T, Y_UP.T)
    lines = ["HIERARCHY"]

    def joint(i: int, depth: int) -> None:
        pad = "  " * depth
        x, y, z = unit * told.offsets[i]
        moves = "6 Xposition Yposition Zposition" if depth == 0 else "3"
        lines.extend([f"{pad}{'JOINT' if depth else 'ROOT'} {told.names[i]}", pad + "{",
                      f"{pad}  OFFSET {x:.6f} {y:.6f} {z:.6f}",
                      f"{pad}  CHANNELS {moves} Zrotation Xrotation Yrotation"])
        children = [c for c, parent in enumerate(told.parents) if parent == i]
        for child in children:
            joint(child, depth + 1)
        if not children:
            lines.extend([f"{pad}  End Site", pad + "  {", f"{pad}    OFFSET 0 0 0", pad + "  }"])
        lines.append(pad + "}")

    joint(0, 0)
    order = _depth_first(told.parents)
    lines += ["MOTION", f"Frames: {told.frames}", f"Frame Time: {1.0 / told.fps:.6f}"]
    angles = [to_rotation(told.rotations[:, i]).as_euler("ZXY", degrees=True) for i in order]
    table = np.concatenate([unit * told.root_pos, *angles], axis=1)
    lines += [" ".join(f"{v:.6f}" for v in row) for row in table]
    path.write_text("\n".join(lines))
    return path


def _depth_first(parents: List[int], i: int = 0) -> List[int]:
    below = [_depth_first(parents, c) for c, parent in enumerate(parents) if parent == i]
    return [i] + [j for part in below for j in part]
