"""MuJoCo-Warp's model, data and graph, and the torch tensors that share their memory."""
from __future__ import annotations

import sys
from functools import lru_cache
from typing import Any, ContextManager

import mujoco
import torch
from torch import Tensor

from ppp.engines.mujoco_warp_capacity import Capacities, Use
from ppp.errors import PPPError

try:
    import mujoco_warp as mjw
    import warp as wp
except ImportError:  # an extra; said when an engine is asked for
    mjw = wp = None

if wp is not None:
    wp.config.log_level = wp.LOG_WARNING  # not a line for each of fifty kernels

    @wp.kernel(enable_backward=False)
    def _note_use(nacon: wp.array(dtype=int), ncollision: wp.array(dtype=int),
                  nefc: wp.array(dtype=int), overflow: wp.array(dtype=int), lost: int,
                  use: wp.array(dtype=int)):
        """Keep the largest counts (:class:`Use`); one thread an environment."""
        env = wp.tid()
        if env == 0:
            wp.atomic_max(use, 0, nacon[0])
            wp.atomic_max(use, 1, ncollision[0])
        wp.atomic_max(use, 2, nefc[env])
        wp.atomic_or(use, 3, overflow[env] & lost)


def warp_device(name: str) -> Any:
    """Warp's device called ``cpu``, ``cuda`` or ``cuda:1``; PPPError where it cannot be had."""
    if wp is None:
        raise PPPError("engine mujoco_warp: MuJoCo-Warp is not installed; pip install "
                       "'mujoco-warp>=4.0'")
    wp.init()
    if name != "cpu" and not (name == "cuda" or name.startswith("cuda:")):
        raise PPPError(f"engine mujoco_warp: unknown device '{name[:40]}'; choose cpu, cuda or "
                       "cuda:1")
    try:
        device = wp.get_device(name)
    except (ValueError, RuntimeError):
        raise PPPError(f"engine mujoco_warp: no device '{name[:40]}' here (an NVIDIA GPU and its "
                       "driver are needed); use --device cpu") from None
    if device.is_cuda and not torch.cuda.is_available():
        raise PPPError("engine mujoco_warp: this torch was built without CUDA; install the CUDA "
                       "build of torch, or use --device cpu")
    _announce()
    return device


@lru_cache(maxsize=None)
def _announce() -> None:
    """Once a process: a minute of silence would look like a standstill."""
    print("mujoco_warp: loading kernels (compiled at the first start: a minute or more)",
          file=sys.stderr, flush=True)


class Simulation:
    """N copies of a model on a device, stepped ``steps`` physics steps at once.

    Torch's views of MuJoCo-Warp's own memory: qpos (N, nq), qvel (N, nv), control (N, nu),
    sensors (steps, N, nsensordata) after each physics step.
    """

    def __init__(self, model: mujoco.MjModel, num_envs: int, capacities: Capacities, device: Any,
                 steps: int) -> None:
        self.device, self._steps, self._graph = device, steps, None
        with wp.ScopedDevice(device):
            self._model = mjw.put_model(_supported(model))
            self._model.opt.warn_overflow = 0  # we tell it ourselves, naming our options
            if device.is_cuda:  # older drivers know no conditions within a graph
                self._model.opt.graph_conditional = wp.is_conditional_graph_supported()
            self._data = mjw.make_data(model, nworld=num_envs, nconmax=capacities.nconmax,
                                       njmax=capacities.njmax)
            self._history = wp.zeros((steps, num_envs, model.nsensordata), dtype=float)
            self._use = wp.zeros(4, dtype=int)
            self._given = wp.zeros((num_envs, model.nv), dtype=float)
            self._solved = wp.zeros((num_envs, model.nv), dtype=float)
        overflow = mjw.OverflowType
        # the solver's iterations are limited on purpose
        self._lost = int(overflow.NEFC | overflow.NJMAX_NNZ | overflow.BROADPHASE
                         | overflow.NARROWPHASE | overflow.CCD | overflow.CONTACT_MATCH)
        self.qpos, self.qvel, self.control, self.sensors = (
            wp.to_torch(a) for a in (self._data.qpos, self._data.qvel, self._data.ctrl,
                                     self._history))

    def step(self) -> None:
        """``steps`` physics steps towards ``control``."""
        if self._graph is None:
            with self._with_torch():
                self._physics()
        else:
            wp.capture_launch(self._graph, stream=self._torch_stream())

    def capture(self) -> None:
        """Record the step once as a graph; call it after a first step, which loads the kernels."""
        with wp.ScopedDevice(self.device):
            wp.synchronize_device(self.device)
            with wp.ScopedCapture(force_module_load=False) as capture:
                self._physics()
        self._graph = capture.graph

    def solve_mass(self, given: Tensor) -> Tensor:
        """M^-1 x for every environment at its present qpos; x (N, nv)."""
        wp.to_torch(self._given).copy_(given)
        model, data = self._model, self._data
        with self._with_torch():
            mjw.kinematics(model, data)
            mjw.com_pos(model, data)
            mjw.crb(model, data)
            mjw.factor_m(model, data)
            mjw.solve_m(model, data, self._solved, self._given)
        return wp.to_torch(self._solved).clone()

    def take_use(self) -> Use:
        """The largest counts since the last call; waits for the device."""
        use = wp.to_torch(self._use)
        found = Use(*use.tolist())
        use.zero_()
        wp.to_torch(self._data.overflow).zero_()
        return found

    def _physics(self) -> None:
        data = self._data
        # every control step begins without a guess, as mujoco_cpu's do: qpos and qvel are the state
        data.qacc_warmstart.zero_()
        for number in range(self._steps):
            mjw.step(self._model, data)
            wp.copy(self._history[number], data.sensordata)
            wp.launch(_note_use, dim=data.nworld, inputs=[
                data.nacon, data.ncollision, data.nefc, data.overflow, self._lost],
                outputs=[self._use])

    def _torch_stream(self) -> Any:
        """The stream on which torch works, so that neither waits for the other (CPU: none)."""
        return None if self.device.is_cpu else wp.stream_from_torch(
            torch.device("cuda", self.device.ordinal))

    def _with_torch(self) -> ContextManager:
        stream = self._torch_stream()
        return wp.ScopedDevice(self.device) if stream is None else wp.ScopedStream(stream)


def _supported(model: mujoco.MjModel) -> mujoco.MjModel:
    """The model without a flag that MuJoCo-Warp does not know; it never puts states back anyway."""
    from copy import copy

    model = copy(model)
    model.opt.disableflags &= ~int(mujoco.mjtDisableBit.mjDSBL_AUTORESET)
    return model
