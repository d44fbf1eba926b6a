"""Simulators behind one narrow contract (``ppp.engines.base``), imported only when chosen."""
from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from ppp.engines.scene import Scene
from ppp.errors import unknown

if TYPE_CHECKING:  # the contract needs torch, which reading a scenario does not
    from ppp.engines.base import Engine

#: engine name -> "module:class"; a table, so that a new simulator is one line here
ENGINES = {"mujoco_cpu": "ppp.engines.mujoco_cpu:MujocoCpuEngine",
           "mujoco_warp": "ppp.engines.mujoco_warp:MujocoWarpEngine"}


def make_engine(name: str, num_envs: int, scene: Scene, **options: Any) -> Engine:
    """Build the engine called ``name`` with ``num_envs`` copies of ``scene``."""
    if name not in ENGINES:
        raise unknown("engine", name, ENGINES)
    module, cls = ENGINES[name].split(":")
    return getattr(importlib.import_module(module), cls)(num_envs, scene, **options)
