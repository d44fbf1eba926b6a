"""Checks of clips: do the feet slide, sink or cross, does the loop close, could a body do it?"""
from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Dict, Iterable, List, Optional

import numpy as np

from ppp.motion import figures
from ppp.motion.body import clip_qpos
from ppp.motion.clip import Clip
from ppp.motion.contacts import TOUCH, support
from ppp.motion.replay import survival
from ppp.motion.sources import Source, library_sources
from ppp.progress import progress

#: what a clip has to keep to be ``ok``: figure -> limit
LIMITS: Dict[str, float] = {
    "skating": 0.05,  # m/s
    "penetration_mm": 10.0,
    "legs_mm": 10.0,
    "residual_median": 0.1,  # body weights
    "flight_accel": 0.981,  # m/s^2, the same force in the air
    "loop_error": 0.01,  # m or rad
    "limit_excess_deg": 0.5,
}


@dataclass
class ClipReport:
    """Figures of one clip; ``wrong`` names those that make it not ``ok``. None: cannot be said."""

    name: str
    skill: str
    seconds: float
    skating: float  # mean speed of touching sole corners, m/s
    penetration_mm: float  # deepest point of the body under the floor
    legs_mm: float  # deepest point of one leg in the other
    cut_mm: float  # deepest that blade or shield are in the own body or in each other
    cut_pair: str
    residual_median: Optional[float]  # what the ground cannot give, body weights, with contact
    residual_p95: Optional[float]
    support_share: Optional[float]  # of the frames: zero moment point in the support polygon
    flight_share: float  # of the frames without any contact
    flight_accel: Optional[float]  # departure from free fall in flight, m/s^2
    flight_spin: Optional[float]  # change of the angular momentum in flight, N m
    loop_error: float  # gap between the last frame and the first, m or rad; 0 without a loop
    limit_excess_deg: float  # farthest joint beyond its range
    limit_joint: str
    peak_speed: float  # fastest joint, rad/s
    speed_joint: str
    peak_torque: float  # largest joint torque, N m
    torque_share: float  # largest share of a joint's effort
    torque_joint: str
    torque_p95: float  # 95th percentile over the frames of that share
    key_speed: float  # fastest of hands, feet, blade's tip and shield, m/s
    key_body: str
    spread_deg: float  # root mean square of the joint angles about their means
    log_jerk: Optional[float]  # dimensionless, see figures.log_jerk
    ok: bool
    wrong: List[str]
    servo_s: Optional[float] = None  # seconds on servos alone, see replay.survival
    feedforward_s: Optional[float] = None  # the same with the torques of inverse dynamics


def check_clip(clip: Clip, name: str = "", skill: str = "", loop: bool = False,
               roll_out: bool = False) -> ClipReport:
    """Measure one clip; ``roll_out`` also replays it without feedback for up to 10 s."""
    measured = measure(clip, loop)
    wrong = [key for key, limit in LIMITS.items()
             if measured[key] is not None and not measured[key] <= limit]
    report = ClipReport(name, skill, clip.seconds, **measured, ok=not wrong, wrong=wrong)
    if roll_out:
        report.servo_s = survival(clip, loop)
        report.feedforward_s = survival(clip, loop, feedforward=True)
    return report


def measure(clip: Clip, loop: bool = False, touch: float = TOUCH) -> dict:
    """The figures of a clip by their names in :class:`ClipReport`.

    touch: points this close to the floor touch it, m.
    """
    qpos, dt = clip_qpos(clip), 1.0 / clip.fps
    if len(qpos) < 3:  # inverse dynamics needs a frame with two neighbours
        qpos = np.concatenate((qpos, qpos[-1:]))
    ground = support(qpos, dt, touch)
    floor, legs = figures.penetration(qpos)
    cut, limit = figures.cutting(qpos), figures.limit_excess(clip.joint_pos)
    speed = figures.peak_speed(qpos, dt)
    share, often = figures.torque_shares(ground.torque)
    air = figures.flight(qpos, dt, ground)
    paths = figures.key_positions(qpos)
    key = figures.key_speed(paths, dt)
    held = ground.residual[ground.contact]
    return dict(
        skating=figures.skating(qpos, dt, touch), penetration_mm=1000 * floor, legs_mm=1000 * legs,
        cut_mm=1000 * cut.value, cut_pair=cut.where,
        residual_median=float(np.median(held)) if len(held) else None,
        residual_p95=float(np.quantile(held, 0.95)) if len(held) else None,
        support_share=_known(figures.support_share(qpos, dt, ground)),
        flight_share=air.share, flight_accel=_known(air.acceleration),
        flight_spin=_known(air.spin),
        loop_error=figures.loop_error(qpos) if loop else 0.0,
        limit_excess_deg=math.degrees(limit.value), limit_joint=limit.where,
        peak_speed=speed.value, speed_joint=speed.where,
        peak_torque=float(np.abs(ground.torque).max()), torque_share=share.value,
        torque_joint=share.where, torque_p95=often,
        key_speed=key.value, key_body=key.where,
        spread_deg=math.degrees(figures.spread(clip.joint_pos)),
        log_jerk=_known(figures.log_jerk(paths, dt)))


def _known(value: float) -> Optional[float]:
    return value if math.isfinite(value) else None


def check_library(path: Path, roll_out: bool = False) -> dict:
    """Check every clip of a library: clips (a list of reports as dictionaries), skills, all_ok."""
    return check_sources(library_sources(path), roll_out)


def check_sources(sources: Iterable[Source], roll_out: bool = False) -> dict:
    """Check clips; the keys of :func:`check_library`."""
    reports = [check_clip(source.clip, source.name, source.skill, source.loop, roll_out)
               for source in progress(sources, "checking")]
    return {"clips": [_rounded(asdict(report)) for report in reports],
            "skills": sorted({report.skill for report in reports}),
            "all_ok": bool(reports) and all(report.ok for report in reports)}


def _rounded(report: dict) -> dict:
    return {key: round(value, 4) if isinstance(value, float) else value
            for key, value in report.items()}
