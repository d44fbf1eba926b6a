"""The humanoid as MJCF, made from the skeleton tables.

3-DoF joints are one MuJoCo ball joint with three position actuators of gear x, y, z: a ball
joint's actuator length is its exponential map, so the servo settles on an exponential-map target
where serial Euler hinges would lock at 90 degrees.
"""
from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Dict, List
from xml.dom import minidom

from ppp.humanoid.skeleton import BODIES, JOINTS, Joint

#: rotor inertia at every DoF, kg m^2: force-limited servos are unstable at 120 Hz below 0.02
ARMATURE = 0.02
PHYSICS_DT = 1.0 / 120.0

#: contact bits. 1: humanoid, 2: floor and props, 4: one leg against the other. Other
#: self-collisions are left out: the clips keep the limbs apart, and pairs cost time.
HUMANOID_BIT, WORLD_BIT, LEG_BIT = 1, 2, 4

_SPHERE = "sphere"
_CAPSULE = "capsule"


def _sphere(radius: float, z: float, density: float) -> Dict[str, str]:
    return {"type": _SPHERE, "size": f"{radius:g}", "pos": f"0 0 {z:g}", "density": f"{density:g}"}


def _capsule(radius: float, ends: str, density: float) -> Dict[str, str]:
    return {"type": _CAPSULE, "size": f"{radius:g}", "fromto": ends, "density": f"{density:g}"}


def _limb(radius: float, top: float, bottom: float, density: float) -> Dict[str, str]:
    return _capsule(radius, f"0 0 {top:g} 0 0 {bottom:g}", density)


def _clavicle(side: int) -> Dict[str, str]:
    ends = f"-.0060125 {side * .0457775} .2287955 -.016835 {side * .128177} .2376182"
    return _capsule(0.045, ends, 1100)


def _foot() -> Dict[str, str]:
    return {"type": "box", "size": ".0885 .045 .0275", "pos": ".045 0 -.0225", "density": "1141"}


#: collision geometry of each body (they are the visual geometry too)
GEOMS: Dict[str, List[Dict[str, str]]] = {
    "pelvis": [_sphere(0.09, 0.07, 2226), _sphere(0.07, 0.205, 2226)],
    "torso": [_sphere(0.11, 0.12, 1794), _clavicle(-1), _clavicle(1)],
    "head": [_sphere(0.095, 0.175, 1081)],
    "right_upper_arm": [_limb(0.045, -0.05, -0.23, 982)],
    "right_lower_arm": [_limb(0.04, -0.0525, -0.1875, 1056)],
    "right_hand": [_sphere(0.04, 0.0, 1865)],
    "sword": [
        _capsule(0.023, "-.87 0 0 -.64 0 0", 300),
        {"type": "box", "size": ".34 .01 .035", "pos": "-.34 0 0", "density": "600"},
    ],
    "left_upper_arm": [_limb(0.045, -0.05, -0.23, 982)],
    "left_lower_arm": [_limb(0.04, -0.0525, -0.1875, 1056)],
    "shield": [{"type": "cylinder", "size": ".3", "fromto": "0 0 0 0 .03 0", "density": "250"}],
    "left_hand": [_sphere(0.04, 0.0, 1865)],
    "right_thigh": [_limb(0.055, -0.06, -0.36, 1269)],
    "right_shin": [_limb(0.05, -0.045, -0.355, 1014)],
    "right_foot": [_foot()],
    "left_thigh": [_limb(0.055, -0.06, -0.36, 1269)],
    "left_shin": [_limb(0.05, -0.045, -0.355, 1014)],
    "left_foot": [_foot()],
}
STEEL, WOOD, SKIN, CLOTH = ".75 .78 .82 1", ".45 .31 .18 1", ".86 .70 .58 1", ".24 .36 .55 1"
COLOURS: Dict[str, str] = {"sword": STEEL, "shield": WOOD, "head": SKIN, "right_hand": SKIN,
                           "left_hand": SKIN, "right_foot": ".2 .2 .22 1",
                           "left_foot": ".2 .2 .22 1"}


def _leg_bits(name: str) -> Dict[str, str]:
    """Contact bits of a body: the shins and feet of one leg also meet those of the other."""
    if name in ("right_shin", "right_foot"):
        return {"contype": str(HUMANOID_BIT | LEG_BIT), "conaffinity": "0"}
    if name in ("left_shin", "left_foot"):
        return {"contype": str(HUMANOID_BIT), "conaffinity": str(LEG_BIT)}
    return {"contype": str(HUMANOID_BIT), "conaffinity": "0"}


def _add_joint(element: ET.Element, joint: Joint) -> None:
    common = {"name": joint.name, "armature": f"{ARMATURE:g}"}
    if joint.dofs == 1:
        low, high = joint.limits[0]
        ET.SubElement(element, "joint", type="hinge", axis="0 1 0", limited="true",
                      range=f"{low:.6f} {high:.6f}", **common)
        return
    # MuJoCo limits a ball joint by one cone; the widest published limit is its half angle.
    widest = max(abs(v) for pair in joint.limits for v in pair)
    limit = {"limited": "true", "range": f"0 {widest:.6f}"} if widest < math.radians(170) else {}
    ET.SubElement(element, "joint", type="ball", **common, **limit)


def _add_bodies(worldbody: ET.Element) -> None:
    joints = {joint.body: joint for joint in JOINTS}
    elements: List[ET.Element] = []
    for index, body in enumerate(BODIES):
        parent = worldbody if body.parent < 0 else elements[body.parent]
        pos = " ".join(f"{v:.6g}" for v in body.offset)
        element = ET.SubElement(parent, "body", name=body.name, pos=pos)
        elements.append(element)
        if body.parent < 0:
            ET.SubElement(element, "freejoint", name="root")
        elif index in joints:
            _add_joint(element, joints[index])
        for geom in GEOMS[body.name]:
            ET.SubElement(element, "geom", rgba=COLOURS.get(body.name, CLOTH),
                          **_leg_bits(body.name), **geom)


def _add_actuators(root: ET.Element) -> None:
    actuators = ET.SubElement(root, "actuator")
    for joint in JOINTS:
        gains = {"kp": f"{joint.kp:g}", "kv": f"{joint.kd:g}", "forcelimited": "true",
                 "forcerange": f"{-joint.effort:g} {joint.effort:g}"}
        if joint.dofs == 1:
            ET.SubElement(actuators, "position", name=f"{joint.name}_y", joint=joint.name, **gains)
            continue
        for axis, gear in (("x", "1 0 0"), ("y", "0 1 0"), ("z", "0 0 1")):
            ET.SubElement(actuators, "position", name=f"{joint.name}_{axis}", joint=joint.name,
                          gear=gear, **gains)


def _add_contact_sensors(root: ET.Element) -> None:
    """The net contact force on every body, N, in the world frame (one 3-vector each)."""
    sensors = ET.SubElement(root, "sensor")
    for body in BODIES:
        ET.SubElement(sensors, "contact", name=f"{body.name}_contact", body1=body.name,
                      data="force", reduce="netforce", num="1")


def build_mjcf() -> str:
    """The humanoid on a floor as an MJCF document."""
    root = ET.Element("mujoco", model="ppp_humanoid")
    ET.SubElement(root, "compiler", angle="radian", autolimits="false")
    ET.SubElement(root, "option", timestep=f"{PHYSICS_DT:.10f}", integrator="implicitfast",
                  solver="Newton", iterations="4", ls_iterations="8", cone="pyramidal",
                  jacobian="sparse")
    visual = ET.SubElement(root, "visual")
    ET.SubElement(visual, "global", offwidth="1920", offheight="1080")
    ET.SubElement(visual, "headlight", ambient=".35 .35 .35", diffuse=".5 .5 .5")
    default = ET.SubElement(root, "default")
    ET.SubElement(default, "geom", condim="3", friction="1 .05 .05")
    worldbody = ET.SubElement(root, "worldbody")
    ET.SubElement(worldbody, "light", pos="0 0 6", dir="0 0 -1", directional="true")
    ET.SubElement(worldbody, "geom", name="floor", type="plane", size="0 0 1",
                  rgba=".78 .78 .76 1", contype=str(WORLD_BIT),
                  conaffinity=str(HUMANOID_BIT | WORLD_BIT))
    _add_bodies(worldbody)
    _add_actuators(root)
    _add_contact_sensors(root)
    return minidom.parseString(ET.tostring(root)).toprettyxml(indent="  ")


def write_mjcf(path: Path) -> None:
    """Write the document, for people who want to open the humanoid in their own tools."""
    path.write_text(build_mjcf())


if __name__ == "__main__":
    write_mjcf(Path(__file__).with_name("humanoid.xml"))
