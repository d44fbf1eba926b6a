"""How clean the movements are: falls, sliding feet, jerk; the formulas are those for clips."""
from __future__ import annotations

from typing import Dict, List

import torch
from torch import Tensor

from ppp.evaluation.crowd import RATE, Crowd
from ppp.humanoid.rotations import quat_rotate
from ppp.humanoid.skeleton import FEET, KEY_BODIES
from ppp.motion.contacts import CORNERS, TOUCH
from ppp.motion.figures import JERK_WINDOW, log_jerk


def falls_per_100s(crowds: List[Crowd]) -> float:
    """Falls in 100 s on the feet, over all of them."""
    falls = sum(int((~crowd.up).sum()) for crowd in crowds)
    stood = sum(float(crowd.seconds_stood().sum()) for crowd in crowds)
    return 100.0 * falls / max(stood, 1e-9)


def sole_speed(body_pos: Tensor, body_rot: Tensor, dt: float) -> Tensor:
    """Sum of the horizontal speeds, m/s, and number of sole corners on the floor, (N, 2).

    body_pos (T, N, 17, 3), body_rot (T, N, 17, 4). A corner counts where it is lower than TOUCH in
    two frames running, as in :func:`ppp.motion.figures.skating`.
    """
    feet = list(FEET)
    corners = torch.as_tensor(CORNERS, dtype=body_pos.dtype)
    shape = (*body_pos.shape[:2], 2, len(corners), 4)
    turn = body_rot[:, :, feet, None].expand(shape)
    place = body_pos[:, :, feet, None] + quat_rotate(turn, corners.expand(*shape[:-1], 3))
    low = place[..., 2] < TOUCH
    both = (low[1:] & low[:-1]).float()
    speed = (place[1:, ..., :2] - place[:-1, ..., :2]).norm(dim=-1) / dt
    return torch.stack(((speed * both).sum((0, 2, 3)), both.sum((0, 2, 3))), -1)


def movement(crowd: Crowd) -> Dict[str, Tensor]:
    """foot_skate, m/s of a sole on the floor, and log_jerk of hands, feet, sword and shield, (N,).

    Of the time before a fall; NaN where there is none. The jerk is dimensionless
    (:func:`ppp.motion.figures.log_jerk`).
    """
    pos, rot = crowd.record("body_pos"), crowd.record("body_rot")
    ends = torch.where(crowd.up, torch.full_like(crowd.fell_at, crowd.time), crowd.fell_at)
    skate = torch.full((crowd.count,), float("nan"))
    jerk = skate.clone()
    for i, end in enumerate(ends.tolist()):
        if end < JERK_WINDOW * RATE:
            continue
        total, count = sole_speed(pos[:end, i:i + 1], rot[:end, i:i + 1], 1.0 / RATE)[0].tolist()
        skate[i] = total / count if count else float("nan")
        jerk[i] = log_jerk(pos[:end, i, list(KEY_BODIES)].double().numpy(), 1.0 / RATE)
    return {"foot_skate": skate, "log_jerk": jerk}
