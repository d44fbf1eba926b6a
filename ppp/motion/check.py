"""Checks of clips: do the feet slide, sink or cross, does the loop close, could a body do it?"""
from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import List, Optional

import mujoco
import numpy as np

from ppp.humanoid.skeleton import dof_limits
from ppp.motion.body import clip_qpos, humanoid_model, turned
from ppp.motion.clip import Clip, load_clip
from ppp.motion.contacts import TOUCH, corner_positions, support
from ppp.motion.dynamics import velocities
from ppp.motion.library import read_library
from ppp.motion.replay import seam, survival

#: what a clip has to keep to be ``ok``
MAX_SKATING = 0.05  # m/s
MAX_PENETRATION = 10.0  # mm
MAX_RESIDUAL = 0.1  # body weights
MAX_LOOP_ERROR = 0.01  # m or rad
MAX_LIMIT_EXCESS = 5.0  # degrees


@dataclass
class ClipReport:
    """Figures of one clip; ``wrong`` names those that make it not ``ok``."""

    name: str
    skill: str
    seconds: float
    skating: float  # mean speed of touching sole corners, m/s
    penetration_mm: float  # deepest point of the body under the floor
    legs_mm: float  # deepest point of one leg in the other
    residual_median: float  # what the ground cannot give, in body weights
    residual_p95: float
    loop_error: float  # gap between the last frame and the first, m or rad; 0 without a loop
    limit_excess_deg: float  # farthest joint beyond its range
    peak_speed: float  # fastest joint, rad/s
    peak_torque: float  # largest joint torque, N m
    ok: bool
    wrong: List[str]
    servo_s: Optional[float] = None  # seconds on servos alone, see replay.survival
    feedforward_s: Optional[float] = None  # the same with the torques of inverse dynamics


def check_clip(clip: Clip, name: str = "", skill: str = "", loop: bool = False,
               roll_out: bool = False) -> ClipReport:
    """Measure one clip; ``roll_out`` also replays it without feedback for up to 10 s."""
    qpos, dt = clip_qpos(clip), 1.0 / clip.fps
    ground = support(qpos, dt)
    floor, legs = penetration(qpos)
    figures = dict(
        skating=skating(qpos, dt), penetration_mm=1000 * floor, legs_mm=1000 * legs,
        residual_median=float(np.median(ground.residual)),
        residual_p95=float(np.quantile(ground.residual, 0.95)),
        loop_error=loop_error(qpos) if loop else 0.0,
        limit_excess_deg=float(np.degrees(limit_excess(clip.joint_pos))),
        peak_speed=float(np.abs(velocities(qpos, dt)[:, 6:]).max()),
        peak_torque=float(np.abs(ground.torque).max()))
    limits = {"skating": MAX_SKATING, "penetration_mm": MAX_PENETRATION, "legs_mm": MAX_PENETRATION,
              "residual_median": MAX_RESIDUAL, "loop_error": MAX_LOOP_ERROR,
              "limit_excess_deg": MAX_LIMIT_EXCESS}
    wrong = [key for key, limit in limits.items() if not figures[key] <= limit]
    report = ClipReport(name, skill, clip.seconds, **figures, ok=not wrong, wrong=wrong)
    if roll_out:
        report.servo_s = survival(clip, loop)
        report.feedforward_s = survival(clip, loop, feedforward=True)
    return report


def check_library(path: Path, roll_out: bool = False) -> dict:
    """Check every clip of a library: clips (a list of reports as dictionaries), skills, all_ok."""
    library = read_library(path)
    reports = [check_clip(load_clip(path.parent / entry.file), Path(entry.file).stem, entry.skill,
                          entry.loop, roll_out) for entry in library.clips]
    return {"clips": [_rounded(asdict(report)) for report in reports],
            "skills": sorted({report.skill for report in reports}),
            "all_ok": bool(reports) and all(report.ok for report in reports)}


def _rounded(report: dict) -> dict:
    return {key: round(value, 4) if isinstance(value, float) else value
            for key, value in report.items()}


def skating(qpos: np.ndarray, dt: float) -> float:
    """Mean horizontal speed of sole corners that touch the floor in two frames, m/s."""
    corners = corner_positions(qpos)
    low = corners[..., 2] < TOUCH
    both = low[1:] & low[:-1]
    speed = np.linalg.norm(np.diff(corners[..., :2], axis=0), axis=-1) / dt
    return float(speed[both].mean()) if both.any() else 0.0


def penetration(qpos: np.ndarray) -> tuple:
    """Deepest point of the body under the floor, and of one leg in the other, m."""
    model = humanoid_model()
    data = mujoco.MjData(model)
    world, deepest = 0, [0.0, 0.0]
    for pose in qpos:
        data.qpos[:] = pose
        mujoco.mj_kinematics(model, data)
        mujoco.mj_collision(model, data)
        for contact in data.contact:
            on_floor = world in model.geom_bodyid[list(contact.geom)]
            which = 0 if on_floor else 1
            deepest[which] = max(deepest[which], -float(contact.dist))
    return deepest[0], deepest[1]


def loop_error(qpos: np.ndarray) -> float:
    """Largest gap between the last frame and the first one moved and turned there, m or rad."""
    model = humanoid_model()
    gap = np.zeros(model.nv)
    moved = turned(qpos[:1], *seam(qpos))[0]
    mujoco.mj_differentiatePos(model, gap, 1.0, moved, qpos[-1])
    return float(np.abs(gap).max())


def limit_excess(joint_pos: np.ndarray) -> float:
    """How far the farthest joint is beyond its range, rad."""
    low, high = np.array(dof_limits()).T
    return float(max(0.0, (low - joint_pos).max(), (joint_pos - high).max()))

