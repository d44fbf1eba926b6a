"""The contract between the executor and whatever moves the humanoid: perfect points or physics."""
from __future__ import annotations

from dataclasses import dataclass, field
from typing import Dict, Mapping, NamedTuple, Optional, Protocol, Sequence, Tuple

import numpy as np

from ppp.engines.scene import Scene

#: every performer steps at the rate of the policy, s
CONTROL_DT = 1.0 / 30.0


@dataclass(frozen=True)
class PropState:
    """One prop with a body, at one control step. World frame.

    position: (3,) centre of the box, m. up_z: z component of its own z axis (1 upright, 0 lying);
    lean: the other two, to where its top points.
    touched: some body of the humanoid, its sword and shield included, touched it during this step.
    by_sword: the sword was among the bodies that touched it.
    """

    position: np.ndarray
    up_z: float = 1.0
    touched: bool = False
    by_sword: bool = False
    lean: Tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True)
class WorldState:
    """What the executor sees after one control step. World frame, metres, seconds, radians.

    time: since the reset. root_pos: (3,) pelvis. heading: yaw of the pelvis, -pi..pi.
    root_up: z component of the pelvis' own z axis (1 upright). fallen: the humanoid lies.
    props: every prop of ``scene.bodies`` by name; markers have no body and no entry.
    frame: (140,) the body's motion as ``ppp.humanoid.observation.discriminator_frame`` has it,
    None of a figure that glides.
    """

    time: float
    root_pos: np.ndarray
    heading: float
    root_up: float = 1.0
    fallen: bool = False
    props: Mapping[str, PropState] = field(default_factory=dict)
    frame: Optional[np.ndarray] = field(default=None, repr=False, compare=False)

    @property
    def xy(self) -> Tuple[float, float]:
        """The pelvis on the floor plan, m."""
        return float(self.root_pos[0]), float(self.root_pos[1])


class Poses(NamedTuple):
    """Every pose since the last reset: T = 1 + steps, the first is the state after the reset.

    Shapes and frames are those of ``ppp.planning.recording.Recording``; P follows
    ``scene.bodies``.
    """

    body_pos: np.ndarray  # (T, 17, 3) float32
    body_rot: np.ndarray  # (T, 17, 4) float32, w x y z
    prop_pos: np.ndarray  # (T, P, 3) float32
    prop_rot: np.ndarray  # (T, P, 4) float32


class Performer(Protocol):
    """Performs one (skill, target) at a time, one control step at a time.

    skills: ids it can perform. control_dt: seconds per ``step``.
    """

    control_dt: float
    skills: Sequence[str]

    def reset(
        self,
        scene: Scene,
        start_xy: Tuple[float, float],
        start_heading: float,
        seed: int,
    ) -> WorldState:
        """Build the scene; stand the humanoid at ``start_xy`` (m) turned to ``start_heading`` rad.

        Starts a new recording. The same arguments lead to the same performance.
        """
        ...

    def command(self, skill: str, target_xy: Tuple[float, float]) -> None:
        """Set the skill and its target (m, world); it holds from the next ``step`` on.

        The executor calls this when a step of the plan begins and again, with the same skill, when
        the object it steers at has moved: a repeated skill continues, it does not start over.
        Raises KeyError for a skill not in ``skills`` (the executor never sends one).
        """
        ...

    def step(self) -> WorldState:
        """Advance by one control step and return the new state."""
        ...

    def move(self, name: str, xy: Tuple[float, float]) -> None:
        """Stand the target of that name upright and still at ``xy`` (m, world) before the next
        step; the humanoid goes on undisturbed."""
        ...

    def poses(self) -> Poses:
        """The recording since the last reset."""
        ...


def prop_positions(state: WorldState) -> Dict[str, Tuple[float, float]]:
    """Where every prop with a body stands on the floor plan, m."""
    return {n: (float(p.position[0]), float(p.position[1])) for n, p in state.props.items()}
