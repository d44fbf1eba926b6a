"""Simulators behind one narrow contract (``ppp.engines.base``), imported only when chosen."""
from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Optional

from ppp.engines.scene import Scene
from ppp.errors import PPPError, unknown

if TYPE_CHECKING:  # the contract needs torch, which reading a scenario does not
    from ppp.engines.base import Engine

#: engine name -> "module:class"; a table, so that a new simulator is one line here
ENGINES = {"mujoco_cpu": "ppp.engines.mujoco_cpu:MujocoCpuEngine",
           "mujoco_warp": "ppp.engines.mujoco_warp:MujocoWarpEngine",
           "isaac_gym": "ppp.engines.isaac_gym:IsaacGymEngine"}
#: engines that run nowhere but on the CPU; the others take an option ``device``
CPU_ONLY = ("mujoco_cpu",)


def make_engine(name: str, num_envs: int, scene: Scene, device: Optional[str] = None,
                **options: Any) -> Engine:
    """Build the engine called ``name`` with ``num_envs`` copies of ``scene``.

    device: where it simulates and keeps its tensors (default: the engine's own choice).
    """
    if name not in ENGINES:
        raise unknown("engine", name, ENGINES)
    if name not in CPU_ONLY and device is not None:
        options["device"] = device
    elif device not in (None, "cpu"):
        raise PPPError(f"engine {name} runs on the CPU only: leave --device out")
    module, cls = ENGINES[name].split(":")
    try:
        found = importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise PPPError(f"engine {name}: Python package '{error.name}' is not installed; 'ppp "
                       "doctor' says what to do") from None
    return getattr(found, cls)(num_envs, scene, **options)


def make_host_engine(name: str, num_envs: int, scene: Scene, device: Optional[str] = None,
                     **options: Any) -> Engine:
    """The same for code that works on the CPU, wherever the engine simulates."""
    made = make_engine(name, num_envs, scene, device, **options)
    if made.device == "cpu":
        return made
    from ppp.engines.host import OnHost

    return OnHost(made)
