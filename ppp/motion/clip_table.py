"""One clip as columns of frames at the control rate: states, discriminator frames, directions."""
from __future__ import annotations

from typing import Dict

import numpy as np
import torch
from torch import Tensor

from ppp.humanoid.kinematics import (
    angular_velocities,
    forward_kinematics,
    joint_velocities,
    linear_velocities,
)
from ppp.humanoid.observation import discriminator_frame
from ppp.humanoid.rotations import (
    quat_rotate,
    quat_slerp,
    rotate_about_z,
    rotate_xy,
    wrap_angle,
    yaw_of,
)
from ppp.motion.clip import Clip, clip_from_local_rot
from ppp.motion.library_file import ClipEntry

CONTROL_FPS = 30.0
#: how far ahead the path of a travelling clip is looked at to say where it is going, s
LOOK_AHEAD = 1.0


def resample(clip: Clip, fps: float) -> Clip:
    """The clip at another rate (linear positions, spherical rotations)."""
    if abs(clip.fps - fps) < 1e-3:
        return clip
    count = max(2, int(round(clip.seconds * fps)) + 1)
    times = np.linspace(0.0, clip.seconds, count) * clip.fps
    low = np.minimum(np.floor(times).astype(int), clip.frames - 2)
    share = torch.as_tensor(times - low, dtype=torch.float32)
    rot = torch.as_tensor(clip.body_rot)
    pos = torch.as_tensor(clip.root_pos)
    new_rot = quat_slerp(rot[low], rot[low + 1], share[:, None, None])
    new_pos = pos[low] + share[:, None] * (pos[low + 1] - pos[low])
    return clip_from_local_rot(new_pos.numpy(), new_rot.numpy(), fps, clip.label, clip.source,
                               clip.licence)


def clip_table(clip: Clip, entry: ClipEntry, mode: str) -> Dict[str, Tensor]:
    """The columns of :class:`MotionLibrary` for one clip at the control rate.

    A looping clip drops its last frame, which repeats the first; its velocities at the seam are
    the mean of those on both sides, in the heading frame.
    """
    dt = 1.0 / clip.fps
    root_pos = torch.as_tensor(clip.root_pos)
    root_rot = torch.as_tensor(clip.body_rot[:, 0])
    joint_pos = torch.as_tensor(clip.joint_pos)
    joint_vel = joint_velocities(joint_pos, dt)
    lin_vel = linear_velocities(root_pos, dt)
    ang_vel = quat_rotate(root_rot, angular_velocities(root_rot, dt))
    yaw = yaw_of(root_rot)
    if entry.loop:
        turn = yaw[-1] - yaw[0]
        joint_vel[0] = 0.5 * (joint_vel[0] + joint_vel[-1])
        for vel in (lin_vel, ang_vel):
            back = rotate_about_z(vel[-1], -turn)
            vel[0] = 0.5 * (vel[0] + back)
    bodies = forward_kinematics(root_pos, root_rot, joint_pos, lin_vel, ang_vel, joint_vel)
    table = {
        "root_pos": root_pos, "root_rot": root_rot, "joint_pos": joint_pos, "joint_vel": joint_vel,
        "root_lin_vel": lin_vel, "root_ang_vel": ang_vel,
        "frame": discriminator_frame(bodies, joint_pos, joint_vel),
        "goal_angle": _goal_angle(root_pos, yaw, entry, mode),
    }
    keep = clip.frames - 1 if entry.loop else clip.frames
    return {key: value[:keep] for key, value in table.items()}


def _goal_angle(root_pos: Tensor, yaw: Tensor, entry: ClipEntry, mode: str) -> Tensor:
    """Where the clip goes (travel) or looks (face), rad from each frame's own heading."""
    frames = len(yaw)
    if mode != "travel":
        mean = torch.atan2(torch.sin(yaw).mean(), torch.cos(yaw).mean())
        return wrap_angle(mean - yaw)
    ahead = torch.arange(frames) + int(LOOK_AHEAD * CONTROL_FPS)
    if not entry.loop:
        move = root_pos[ahead.clamp_max(frames - 1)] - root_pos
        move[-10:] = move[-11:-10] if frames > 10 else move[-1:]
        return wrap_angle(torch.atan2(move[:, 1], move[:, 0]) - yaw)
    period = frames - 1
    turn, shift = yaw[-1] - yaw[0], root_pos[-1, :2] - root_pos[0, :2]
    laps, index = ahead // period, ahead % period
    place = root_pos[index, :2].clone()
    for lap in range(int(laps.max())):
        # one more lap: the whole path turned about its first point and carried to its last
        moved = rotate_xy(place - root_pos[0, :2], turn.expand(frames)) + root_pos[0, :2] + shift
        place = torch.where((laps > lap)[:, None], moved, place)
    move = place - root_pos[:, :2]
    return wrap_angle(torch.atan2(move[:, 1], move[:, 0]) - yaw)
