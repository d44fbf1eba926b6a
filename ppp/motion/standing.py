"""The pose in which a humanoid is put on its feet."""
from __future__ import annotations

import torch
from torch import Tensor

from ppp.humanoid.rotations import heading_inverse, quat_mul
from ppp.motion.library import MotionLibrary


def standing_pose(library: MotionLibrary) -> Tensor:
    """Root height, rotation (heading 0) and joint angles (36,) of the stillest standing frame.

    Of the loops of ``idle`` (else of the first skill), if it has any: its other clips come to a
    stop out of a walk or a crouch, and a body put at rest into such a frame topples.
    """
    skill = library.skills.index("idle") if "idle" in library.skills else 0
    own = library.skill == skill
    own = own & library.looped if (own & library.looped).any() else own
    speed = library.joint_vel.square().mean(-1).masked_fill(~own, float("inf"))
    row = int(speed.argmin())
    rot = quat_mul(heading_inverse(library.root_rot[row]), library.root_rot[row])
    return torch.cat((library.root_pos[row, 2:3], rot, library.joint_pos[row]))
