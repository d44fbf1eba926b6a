"""What is measured on a clip: travel against facing."""
from __future__ import annotations

import numpy as np
import torch

from ppp.humanoid.rotations import yaw_of
from ppp.motion.clip import Clip

#: slower than this a clip does not travel, m/s
TRAVELS = 0.2


def travel_offset(clip: Clip) -> float:
    """Angle from the pelvis' facing to the direction of travel, rad; 0 where nothing travels.

    The mean over the frames of velocity in the heading frame; positive: travel to the left.
    """
    velocity = np.diff(clip.root_pos[:, :2], axis=0) * clip.fps
    yaw = yaw_of(torch.as_tensor(clip.body_rot[:-1, 0])).numpy()
    c, s = np.cos(yaw), np.sin(yaw)
    forward = (c * velocity[:, 0] + s * velocity[:, 1]).mean()
    left = (-s * velocity[:, 0] + c * velocity[:, 1]).mean()
    if np.hypot(forward, left) < TRAVELS:
        return 0.0
    return float(np.arctan2(left, forward))
