"""What things look like, for every view: geoms in numbers and colours by kind and by name."""
from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Dict, List, Tuple

from ppp.engines.scene import Prop
from ppp.humanoid.mjcf import CLOTH, COLOURS, GEOMS
from ppp.humanoid.skeleton import BODIES

Colour = Tuple[float, float, float]
Vector = Tuple[float, ...]

#: colours a prop's name may ask for ("red block")
COLOUR_WORDS: Dict[str, Colour] = {
    "red": (0.80, 0.22, 0.20), "green": (0.30, 0.62, 0.34), "blue": (0.22, 0.42, 0.78),
    "yellow": (0.93, 0.78, 0.22), "orange": (0.92, 0.52, 0.18), "purple": (0.52, 0.34, 0.70),
    "pink": (0.90, 0.52, 0.66), "white": (0.92, 0.92, 0.90), "black": (0.16, 0.16, 0.18),
    "grey": (0.52, 0.54, 0.56), "gray": (0.52, 0.54, 0.56), "brown": (0.50, 0.35, 0.22),
    "cyan": (0.25, 0.70, 0.76), "teal": (0.16, 0.55, 0.53),
}
KIND_COLOURS: Dict[str, Colour] = {
    "obstacle": (0.72, 0.36, 0.30), "target": (0.95, 0.72, 0.20), "marker": (0.16, 0.62, 0.58),
}
#: the disc under the target of the running step
GOAL_COLOUR: Colour = (0.98, 0.80, 0.25)
MARKER_RADIUS, GOAL_RADIUS, DISC_HEIGHT = 0.25, 0.18, 0.012  # m

#: a dark visor, so that one sees where the round head faces; it has no part in the physics
_EXTRAS: Dict[str, List[Tuple[Dict[str, str], str]]] = {
    "head": [({"type": "box", "size": ".03 .062 .016", "pos": ".073 0 .19"}, ".12 .13 .16 1")],
}


@dataclass(frozen=True)
class Geom:
    """A drawn shape in the frame of its body.

    kind: sphere, capsule, cylinder or box. size, m: radius; radius and half length along z (without
    the caps); or three half extents. pos (3,) m, rot (4,) w, x, y, z. colour in 0..1.
    """

    kind: str
    size: Vector
    pos: Vector
    rot: Vector
    colour: Colour


def prop_colour(prop: Prop) -> Colour:
    """The colour named in the prop's name, otherwise that of its kind, in 0..1."""
    for word in prop.name.lower().replace("_", " ").replace("-", " ").split():
        if word in COLOUR_WORDS:
            return COLOUR_WORDS[word]
    return KIND_COLOURS.get(prop.kind, KIND_COLOURS["obstacle"])


def body_geoms() -> List[List[Geom]]:
    """The geoms of each of the 17 bodies, in skeleton order."""
    return [[_geom(attributes, rgba) for attributes, rgba in drawn(body.name)] for body in BODIES]


def drawn(body: str) -> List[Tuple[Dict[str, str], str]]:
    """(MJCF attributes, rgba) of the geoms to draw for a body: the physical ones and the extras."""
    colour = COLOURS.get(body, CLOTH)
    return [(geom, colour) for geom in GEOMS[body]] + _EXTRAS.get(body, [])


def _floats(text: str) -> Vector:
    return tuple(float(v) for v in text.split())


def _geom(attributes: Dict[str, str], rgba: str) -> Geom:
    size, colour = _floats(attributes["size"]), _floats(rgba)[:3]
    if "fromto" not in attributes:
        pos = _floats(attributes.get("pos", "0 0 0"))
        return Geom(attributes["type"], size, pos, (1.0, 0.0, 0.0, 0.0), colour)
    ends = _floats(attributes["fromto"])
    axis = [ends[i + 3] - ends[i] for i in range(3)]
    length = math.sqrt(sum(v * v for v in axis))
    pos = tuple(0.5 * (ends[i] + ends[i + 3]) for i in range(3))
    rot = _z_to([v / length for v in axis])
    return Geom(attributes["type"], (size[0], 0.5 * length), pos, rot, colour)


def _z_to(axis: List[float]) -> Vector:
    """The shortest rotation (w, x, y, z) that turns z to a unit axis."""
    x, y, z = axis
    if z < -0.999999:
        return (0.0, 1.0, 0.0, 0.0)
    norm = math.sqrt(2.0 * (1.0 + z))
    return (0.5 * norm, -y / norm, x / norm, 0.0)
