"""What stands in a scene besides the humanoid: one description for every engine."""
from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Optional, Tuple

#: kinds of prop: a fixed box, a free box that can be struck down, a point without a body
KINDS = ("obstacle", "target", "marker")
#: size of a target that names none, m (CALM's strike target)
TARGET_SIZE = (0.4, 0.4, 1.8)
#: density of a target, kg/m^3 (ASE's strike target: 30, so 8.6 kg at the default size)
TARGET_DENSITY = 30.0
#: a box is tipped when the z component of its up axis is below this (the rule of CALM's strike)
TIPPED = 0.2


@dataclass(frozen=True)
class Prop:
    """A box on the floor.

    position: (x, y) of its centre, m, world frame; its bottom is at z = 0.
    size: full extent along its own x, y, z, m. yaw: rotation about z, rad. mass: kg, by
    ``TARGET_DENSITY`` where it is not given.
    """

    name: str
    kind: str
    position: Tuple[float, float]
    size: Tuple[float, float, float] = TARGET_SIZE
    yaw: float = 0.0
    mass: Optional[float] = None

    @property
    def kilograms(self) -> float:
        """Its mass, kg."""
        x, y, z = self.size
        return TARGET_DENSITY * x * y * z if self.mass is None else self.mass

    @property
    def pose(self) -> Tuple[float, float, float, float, float, float, float]:
        """Where it rests: centre of the box, m, then its rotation w, x, y, z."""
        half = 0.5 * self.yaw
        x, y = self.position
        return x, y, 0.5 * self.size[2], math.cos(half), 0.0, 0.0, math.sin(half)


@dataclass(frozen=True)
class Scene:
    """The props of every environment, in a fixed order (their index is the engine's prop index)."""

    props: Tuple[Prop, ...] = field(default_factory=tuple)

    @property
    def bodies(self) -> Tuple[Prop, ...]:
        """The props that have a body: everything but markers, in order."""
        return tuple(p for p in self.props if p.kind != "marker")
