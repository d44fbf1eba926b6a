"""The humanoid as the MJCF that Isaac Gym's importer understands.

Isaac Gym's importer differs from MuJoCo's: the world may hold one body and no floor, and a joint of
three degrees of freedom is written as three hinges about x, y and z, which it merges into one
spherical joint whose three positions are an exponential map (said by the author of ASE in issue 30
of nv-tlabs/ASE; documented limits: the chapter "Assets" of the manual of Preview 4).
"""
from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from typing import Dict, List, Tuple
from xml.dom import minidom

from ppp.humanoid.mjcf import ARMATURE, GEOMS
from ppp.humanoid.skeleton import BODIES, JOINTS, Joint

_AXES: Tuple[Tuple[str, str], ...] = (("x", "1 0 0"), ("y", "0 1 0"), ("z", "0 0 1"))

#: collision bits of a shape; two shapes of which a bit is shared pass through each other
_RIGHT, _LEFT = 1, 2


def shape_filter(body: str) -> int:
    """Collision filter of the shapes of ``body``: within the humanoid only shins and feet of one
    leg meet those of the other, as in our MuJoCo model."""
    if body in ("right_shin", "right_foot"):
        return _RIGHT
    if body in ("left_shin", "left_foot"):
        return _LEFT
    return _RIGHT | _LEFT


def hinges(joint: Joint) -> List[Tuple[str, str, Tuple[float, float]]]:
    """(name, axis, limits in rad) of the hinges that stand for ``joint``."""
    if joint.dofs == 1:
        return [(f"{joint.name}_y", _AXES[1][1], joint.limits[0])]
    return [(f"{joint.name}_{name}", axis, limits)
            for (name, axis), limits in zip(_AXES, joint.limits)]


def build_asset() -> str:
    """The humanoid alone as an MJCF document; angles in degrees."""
    root = ET.Element("mujoco", model="ppp_humanoid")
    worldbody = ET.SubElement(root, "worldbody")
    joints: Dict[int, Joint] = {joint.body: joint for joint in JOINTS}
    elements: List[ET.Element] = []
    for index, body in enumerate(BODIES):
        parent = worldbody if body.parent < 0 else elements[body.parent]
        element = ET.SubElement(parent, "body", name=body.name,
                                pos=" ".join(f"{v:.6g}" for v in body.offset))
        elements.append(element)
        if body.parent < 0:
            ET.SubElement(element, "freejoint", name="root")
        for name, axis, limits in hinges(joints[index]) if index in joints else ():
            low, high = (f"{math.degrees(v):.4f}" for v in limits)
            ET.SubElement(element, "joint", name=name, type="hinge", axis=axis, limited="true",
                          range=f"{low} {high}", armature=f"{ARMATURE:g}")
        for geom in GEOMS[body.name]:
            ET.SubElement(element, "geom", **geom)
    actuator = ET.SubElement(root, "actuator")
    for joint in JOINTS:
        for name, _, _ in hinges(joint):
            ET.SubElement(actuator, "motor", name=name, joint=name, gear=f"{joint.effort:g}")
    return minidom.parseString(ET.tostring(root)).toprettyxml(indent="  ")
