"""What a performance leaves behind for the eye: poses, props, steps and checks over time."""
from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Dict, List

import numpy as np

from ppp.engines.scene import Scene


@dataclass
class Recording:
    """One performance, engine-independent. World frame, metres, quaternions w, x, y, z.

    T = recorded control steps, B = 17 bodies, P = props with a body (``scene.bodies``).
    """

    name: str
    instruction: str
    fps: float
    scene: Scene
    body_pos: np.ndarray  # (T, B, 3) float32
    body_rot: np.ndarray  # (T, B, 4) float32
    prop_pos: np.ndarray  # (T, P, 3) float32, centre of the box
    prop_rot: np.ndarray  # (T, P, 4) float32
    #: each: command, skill, target [x, y], start (s), end (s), ended (why)
    steps: List[Dict[str, Any]] = field(default_factory=list)
    #: each: check (text), passed (bool), detail (str)
    checks: List[Dict[str, Any]] = field(default_factory=list)
    success: bool = False
