"""Loops: the foreign motion made periodic before the feet are cleaned, the rest afterwards."""
from __future__ import annotations

from pathlib import Path
from typing import Tuple, Union

import mujoco
import numpy as np
from scipy.spatial.transform import Rotation

from ppp.errors import PPPError
from ppp.motion.body import humanoid_model, turned
from ppp.motion.replay import seam
from ppp.motion.retarget.source import Pose

#: largest gap that closing a loop takes away (rad or m), and the time it is spread over, s
GAP, BLEND = 0.6, 0.5
#: frames solved before the loop begins, so that its ends come out alike
LEAD = 8


def periodic(pose: Pose, where: Union[str, Path]) -> Pose:
    """The motion with its last frame equal to the first one moved and turned about z.

    PPPError when the gap is too large to be spread over the end.
    """
    turn, shift = _seam(pose)
    share = _share(len(pose.pelvis), pose.fps)

    def closed(place: np.ndarray) -> np.ndarray:
        gap = turn.apply(place[0].reshape(-1, 3)).reshape(place[0].shape) + shift - place[-1]
        return place + share.reshape((-1,) + (1,) * gap.ndim) * gap

    rot, worst = {}, abs(float(pose.pelvis[-1, 2] - pose.pelvis[0, 2]))
    for name, value in pose.rot.items():
        gap = (turn * value[0] * value[-1].inv()).as_rotvec()
        if name.split("_")[-1] not in ("hand", "foot"):
            worst = max(worst, float(np.linalg.norm(gap)))
        rot[name] = Rotation.from_rotvec(share[:, None] * gap) * value
    if worst > GAP:
        raise PPPError(f"{where}: the last pose is {worst:.2f} rad from the first, too far for a "
                       "loop; choose --from and --to where the motion comes round, or leave out "
                       "--loop")
    return Pose(closed(pose.pelvis), rot, closed(pose.ankle),
                {role: closed(place) for role, place in pose.joints.items()}, pose.fps,
                pose.scale, pose.notes)


def repeated(pose: Pose) -> Pose:
    """A periodic motion (T) three times in a row (3 T - 2), the middle one where it was."""
    turn, shift = _seam(pose)
    back = turn.inv()

    def places(place: np.ndarray) -> np.ndarray:
        flat = place.reshape(-1, 3)
        before = back.apply(flat - shift).reshape(place.shape)
        after = (turn.apply(flat) + shift).reshape(place.shape)
        return np.concatenate((before[:-1], place, after[1:]))

    rot = {name: Rotation.concatenate([(back * r)[:-1], r, (turn * r)[1:]])
           for name, r in pose.rot.items()}
    return Pose(places(pose.pelvis), rot, places(pose.ankle),
                {role: places(place) for role, place in pose.joints.items()}, pose.fps,
                pose.scale, pose.notes)


def closed_poses(qpos: np.ndarray) -> np.ndarray:
    """Poses (T, 47) whose last is the first moved and turned; what is left of a gap is spread."""
    model = humanoid_model()
    gap = np.zeros(model.nv)
    mujoco.mj_differentiatePos(model, gap, 1.0, qpos[-1], turned(qpos[:1], *seam(qpos))[0])
    out = qpos.copy()
    for frame, share in zip(out, _share(len(qpos), 30.0)):
        mujoco.mj_integratePos(model, frame, gap, share)
    return out


def _seam(pose: Pose) -> Tuple[Rotation, np.ndarray]:
    """What takes the first frame's place and heading to the last one's: p → R p + s."""
    ahead = [pose.rot["pelvis"][t].apply([1.0, 0.0, 0.0]) for t in (0, -1)]
    yaw = [np.arctan2(a[1], a[0]) for a in ahead]
    turn = Rotation.from_euler("z", yaw[1] - yaw[0])
    shift = (pose.pelvis[-1] - turn.apply(pose.pelvis[0])) * [1.0, 1.0, 0.0]
    return turn, shift


def _share(frames: int, fps: float) -> np.ndarray:
    """(T,) from 0 to 1, rising over the last BLEND seconds."""
    count = min(frames - 1, int(round(BLEND * fps)))
    share = np.clip((np.arange(frames) - (frames - 1 - count)) / max(count, 1), 0.0, 1.0)
    return share * share * (3.0 - 2.0 * share)
