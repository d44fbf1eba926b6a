"""The sword-and-shield humanoid as tables: 17 bodies, 13 joints, 31 degrees of freedom.

Topology, sizes, densities, ranges, gains and efforts are those of the ASE/CALM humanoid (Peng et
al., arXiv 2205.01906; Tessler et al., arXiv 2305.02195), so that their motion data loads unchanged.
Everything else in this package derives from these tables. Metres, kilograms, radians.
"""
from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Dict, List, Tuple


@dataclass(frozen=True)
class Body:
    """A rigid body: its parent's index (-1 for the root) and its offset in the parent, m."""

    name: str
    parent: int
    offset: Tuple[float, float, float]


@dataclass(frozen=True)
class Joint:
    """A joint of 3 (ball, exponential map) or 1 (hinge about y) degrees of freedom.

    limits: one (low, high) in rad per degree of freedom; kp N m/rad, kd N m s/rad, effort N m.
    """

    name: str
    body: int
    limits: Tuple[Tuple[float, float], ...]
    kp: float
    kd: float
    effort: float

    @property
    def dofs(self) -> int:
        """3 for a ball joint, 1 for a hinge."""
        return len(self.limits)

    @property
    def action_offset(self) -> float:
        """Centre of the published action range, rad."""
        if self.dofs == 3:
            return 0.0
        low, high = self.limits[0]
        return 0.5 * (low + high)

    @property
    def action_scale(self) -> float:
        """Half width of the published action range, rad (one value for a 3-DoF group)."""
        if self.dofs == 3:
            return min(1.2 * max(abs(v) for pair in self.limits for v in pair), math.pi)
        low, high = self.limits[0]
        return 0.7 * (high - low)


BODIES: Tuple[Body, ...] = (
    Body("pelvis", -1, (0.0, 0.0, 1.0)),
    Body("torso", 0, (0.0, 0.0, 0.236151)),
    Body("head", 1, (0.0, 0.0, 0.223894)),
    Body("right_upper_arm", 1, (-0.02405, -0.18311, 0.2435)),
    Body("right_lower_arm", 3, (0.0, 0.0, -0.274788)),
    Body("right_hand", 4, (0.0, 0.0, -0.258947)),
    Body("sword", 5, (0.74, 0.0, 0.0)),
    Body("left_upper_arm", 1, (-0.02405, 0.18311, 0.2435)),
    Body("left_lower_arm", 7, (0.0, 0.0, -0.274788)),
    Body("shield", 8, (0.0, 0.07, -0.12)),
    Body("left_hand", 8, (0.0, 0.0, -0.258947)),
    Body("right_thigh", 0, (0.0, -0.084887, 0.0)),
    Body("right_shin", 11, (0.0, 0.0, -0.421546)),
    Body("right_foot", 12, (0.0, 0.0, -0.40987)),
    Body("left_thigh", 0, (0.0, 0.084887, 0.0)),
    Body("left_shin", 14, (0.0, 0.0, -0.421546)),
    Body("left_foot", 15, (0.0, 0.0, -0.40987)),
)
BODY_ID: Dict[str, int] = {body.name: i for i, body in enumerate(BODIES)}
NUM_BODIES = len(BODIES)


def _joint(name: str, body: str, degrees, kp: float, kd: float, effort: float) -> Joint:
    limits = tuple((math.radians(low), math.radians(high)) for low, high in degrees)
    return Joint(name, BODY_ID[body], limits, kp, kd, effort)


JOINTS: Tuple[Joint, ...] = (
    _joint("abdomen", "torso", [(-60, 60), (-60, 90), (-50, 50)], 1000, 100, 200),
    _joint("neck", "head", [(-50, 50), (-40, 60), (-45, 45)], 100, 10, 50),
    _joint("right_shoulder", "right_upper_arm", [(-180, 45), (-180, 60), (-90, 90)], 400, 40, 100),
    _joint("right_elbow", "right_lower_arm", [(-160, 0)], 300, 30, 70),
    _joint("right_hand", "right_hand", [(-90, 90)] * 3, 100, 10, 50),
    _joint("left_shoulder", "left_upper_arm", [(-45, 180), (-180, 60), (-90, 90)], 400, 40, 100),
    _joint("left_elbow", "left_lower_arm", [(-160, 0)], 300, 30, 70),
    _joint("right_hip", "right_thigh", [(-60, 15), (-140, 60), (-60, 35)], 500, 50, 200),
    _joint("right_knee", "right_shin", [(0, 160)], 500, 50, 150),
    _joint("right_ankle", "right_foot", [(-30, 30), (-55, 55), (-40, 40)], 400, 40, 90),
    _joint("left_hip", "left_thigh", [(-15, 60), (-140, 60), (-35, 60)], 500, 50, 200),
    _joint("left_knee", "left_shin", [(0, 160)], 500, 50, 150),
    _joint("left_ankle", "left_foot", [(-30, 30), (-55, 55), (-40, 40)], 400, 40, 90),
)
NUM_DOFS = sum(joint.dofs for joint in JOINTS)


def dof_slices() -> List[slice]:
    """The columns of a (…, 31) joint array that belong to each joint, in JOINTS order."""
    slices, start = [], 0
    for joint in JOINTS:
        slices.append(slice(start, start + joint.dofs))
        start += joint.dofs
    return slices


def per_dof(attribute: str) -> List[float]:
    """An attribute of the joints (``kp``, ``effort``, ``action_scale``, …) repeated per DoF, 31."""
    return [float(getattr(joint, attribute)) for joint in JOINTS for _ in range(joint.dofs)]


def dof_limits() -> List[Tuple[float, float]]:
    """(low, high) of every degree of freedom, 31 pairs, rad."""
    return [pair for joint in JOINTS for pair in joint.limits]


#: DoF names in joint order: "abdomen_x", …, "left_ankle_z"; a hinge is "right_elbow_y"
DOF_NAMES: Tuple[str, ...] = tuple(
    f"{joint.name}_{axis}"
    for joint in JOINTS
    for axis in (("x", "y", "z") if joint.dofs == 3 else ("y",))
)

#: bodies whose position enters the discriminator frame
KEY_BODIES: Tuple[int, ...] = tuple(
    BODY_ID[n] for n in ("right_hand", "left_hand", "right_foot", "left_foot", "sword", "shield")
)
FEET: Tuple[int, ...] = (BODY_ID["right_foot"], BODY_ID["left_foot"])

#: a fall: a non-foot body touches while a non-foot body's origin is lower than this, m
FALL_HEIGHT = 0.15
FALL_HEIGHT_BY_BODY: Dict[str, float] = {"head": 0.30, "left_lower_arm": 0.32}
