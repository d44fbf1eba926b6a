"""Where what is struck over comes to lie, and what lies in the way.

Who walks over a body on the floor falls over it, so plans lead round where it will probably lie,
and are made anew when it lies elsewhere.
"""
from __future__ import annotations

import math
from typing import List, Sequence

from ppp.engines.scene import TARGET_SIZE, Prop
from ppp.planning.geometry import BODY_RADIUS, Box, ahead, segment_distance
from ppp.planning.plan_schema import PlanStep
from ppp.planning.situation import Situation
from ppp.planning.skills import FELLS, SIDE, SIDE_FAR, SIDE_NEAR


def felled(prop: Prop, skill: str, direction: float) -> Box:
    """Where a standing object comes to lie that a blow of ``skill`` strikes over in a direction,
    rad: the box that it covers then."""
    tall, thick = prop.size[2], max(prop.size[:2])
    front, left = FELLS.get(skill, (0.5 * TARGET_SIZE[2], 0.0))
    far = math.hypot(front, left) * tall / TARGET_SIZE[2]
    along = direction + math.atan2(left, front)
    return Box(prop.name, ahead(prop.position, along, far), (0.5 * tall, 0.5 * thick), along)


def turned_badly(skill: str, turned: float) -> float:
    """0 where the side that ``skill`` strikes is turned as it should be, 1 where not at all.

    turned: yaw of what is struck less the direction of the blow, rad.
    """
    if skill not in SIDE:
        return 0.0
    quarter = 0.5 * math.pi
    off = abs((turned - SIDE[skill] + 0.5 * quarter) % quarter - 0.5 * quarter)
    return min(1.0, max(0.0, off - SIDE_NEAR) / (SIDE_FAR - SIDE_NEAR))


def lying(situation: Situation) -> List[Box]:
    """What lies on the floor: the box it covers, or all that it may cover where nobody saw how."""
    boxes = []
    for prop in situation.props:
        if prop.name in situation.along:
            half = 0.5 * prop.size[2], 0.5 * max(prop.size[:2])
            boxes.append(Box(prop.name, prop.position, half, situation.along[prop.name]))
        elif prop.name in situation.fallen:
            half = 0.5 * max(prop.size), 0.5 * max(prop.size)
            boxes.append(Box(prop.name, prop.position, half))
    return boxes


def under_foot(situation: Situation, steps: Sequence[PlanStep]) -> str:
    """The first lying object that the walks of ``steps`` would step on, '' for none.

    A walk ends when its place is reached; every other kind of step says what else ends it.
    """
    boxes = lying(situation)
    ends = [step.target for step in steps if step.until in (None, "reached")]
    for begin, end in zip([situation.xy, *ends], ends):
        for box in boxes:
            if segment_distance(begin, end, box) < BODY_RADIUS:
                return box.name
    return ""
