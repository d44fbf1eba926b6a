"""A make-believe GPU: tensors that say they are elsewhere and refuse to meet tensors that are not.

It finds what would fail on CUDA without one: a tensor made on the CPU by oversight, `.numpy()`
without `.cpu()`. The numbers lie on the CPU. As on CUDA, a number (a CPU tensor without dimensions)
may join in, and an index may come from the CPU.

Run it as a program: it trains two iterations with everything on that device (see test_device.py,
which does so in a process of its own, for the device stays registered).
"""
from __future__ import annotations

import contextlib
import sys
from typing import Any, List

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map

#: a kind of device that torch knows and nobody has
DEVICE = "lazy:0"
#: what may mix devices on CUDA too: copies between them, and indices from the CPU
MIXING = ("aten::_to_copy", "aten::copy_", "aten::index.Tensor", "aten::index_put",
          "aten::_index_put_impl_")


KEEP: List[Any] = []
PLAIN_LOAD = torch.load


class There(torch.Tensor):
    """A tensor on the device; ``inner`` holds its numbers."""

    @staticmethod
    def __new__(cls, inner: torch.Tensor) -> There:
        return torch.Tensor._make_wrapper_subclass(
            cls, inner.shape, inner.stride(), inner.storage_offset(), dtype=inner.dtype,
            device=torch.device(DEVICE), requires_grad=False)

    def __init__(self, inner: torch.Tensor) -> None:
        self.inner = inner

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _run(func, args, kwargs or {})

    def tolist(self) -> Any:
        """As of any tensor, which torch does not do for subclasses."""
        return self.inner.tolist()

    def __reduce_ex__(self, protocol: Any) -> Any:
        """Saved as its numbers."""
        return self.inner.__reduce_ex__(protocol)

    def __repr__(self) -> str:
        return f"There({self.inner})"


class Elsewhere(TorchDispatchMode):
    """Makes tensors on the device where that is asked for."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _run(func, args, kwargs or {})


class Chance(torch.Generator):
    """A generator of the device."""

    device = property(lambda self: torch.device(DEVICE))  # type: ignore[assignment]


class Either(torch.Generator):
    """``torch.Generator(device)`` for both kinds of device."""

    def __new__(cls, device: Any = "cpu") -> torch.Generator:
        if _is_device(device):
            return Chance()
        return Either.__base__.__new__(Either.__base__, device)


def _is_device(value: Any) -> bool:
    return value is not None and torch.device(value).type == "lazy"


def _run(func: Any, args: Any, kwargs: Any) -> Any:
    name = func.name()
    tensors = [a for a in torch.utils._pytree.tree_leaves((args, kwargs))
               if isinstance(a, torch.Tensor)]
    there = [t for t in tensors if isinstance(t, There)]
    here = [t for t in tensors if not isinstance(t, There) and t.dim() > 0]
    if there and here and not name.startswith(MIXING):
        raise RuntimeError(f"{name}: tensors on both devices: "
                           f"{[tuple(t.shape) for t in there]} there, "
                           f"{[tuple(t.shape) for t in here]} on the CPU")
    wanted = kwargs.get("device")
    goes = bool(there) if wanted is None else _is_device(wanted)
    if name.startswith(("aten::index.Tensor", "aten::index_put", "aten::_index_put_impl_",
                        "aten::copy_")):
        goes = isinstance(tensors[0], There)
        if not goes and there and not name.startswith("aten::copy_"):
            raise RuntimeError(f"{name}: a tensor of the CPU indexed or filled from the device")
    if wanted is not None:
        kwargs = {**kwargs, "device": torch.device("cpu")}
    inner_args, inner_kwargs = tree_map(
        lambda a: a.inner if isinstance(a, There) else a, (args, kwargs))
    out = func(*inner_args, **inner_kwargs)
    mutated = func._schema.name.endswith("_") or func._schema.is_mutable
    if mutated and tensors and isinstance(args[0], torch.Tensor) and func._schema.returns:
        return args[0]
    return tree_map(lambda o: There(o) if goes and isinstance(o, torch.Tensor) else o, out)


class Moved:
    """mujoco_cpu as an engine on the device."""

    device = DEVICE

    def __init__(self, num_envs: int, scene: Any, device: str = DEVICE, **options: Any) -> None:
        from ppp.engines.mujoco_cpu import MujocoCpuEngine

        self._engine = MujocoCpuEngine(num_envs, scene, threads=1)
        self.num_envs, self.scene, self.control_dt = num_envs, scene, 1.0 / 30.0
        self._take()

    def _take(self) -> None:
        from ppp.engines.base import EngineState
        from ppp.humanoid.kinematics import BodyState

        s = self._engine.state
        parts = [p.to(DEVICE) for p in (s.joint_pos, s.joint_vel, *s.bodies, s.contact_force,
                                        s.prop_state, s.prop_touched, s.prop_struck)]
        self.state = EngineState(parts[0], parts[1], BodyState(*parts[2:6]), *parts[6:])
        self.broken = self._engine.broken.to(DEVICE)

    def _call(self, name: str, *args: Any) -> None:
        for arg in args:
            assert arg is None or isinstance(arg, There), f"{name} was given a CPU tensor"
        getattr(self._engine, name)(*(None if a is None else a.cpu() for a in args))
        self._take()

    def reset(self, *args: Any) -> None:
        self._call("reset", *args)

    def step(self, pd_targets: Any) -> None:
        self._call("step", pd_targets)

    def set_props(self, *args: Any) -> None:
        self._call("set_props", *args)

    def close(self) -> None:
        self._engine.close()


def install() -> None:
    """Register the device, and an engine ``moved`` that lives on it."""
    torch.autocast = _autocast  # type: ignore[misc]
    torch.load = _load
    torch.__future__.set_swap_module_params_on_conversion(True)
    torch.Generator = Either  # type: ignore[misc]
    from ppp import engines

    engines.ENGINES["moved"] = f"{__name__}:Moved"
    Elsewhere().__enter__()
    # what torch does beneath the modes, such as carrying a list of indices over
    KEEP.append(torch.library.Library("aten", "IMPL"))
    KEEP[0].impl("empty_strided", _empty_strided, "Lazy")
    KEEP[0].impl("empty.memory_format", _empty, "Lazy")
    KEEP[0].impl("_copy_from", _copy_from, "Lazy")


def _autocast(device: str, *options: Any, enabled: bool = True) -> Any:
    assert not enabled or not _is_device(device), "the make-believe device has no half precision"
    return contextlib.nullcontext()


def _load(path: Any, map_location: Any, weights_only: bool) -> Any:
    found = PLAIN_LOAD(path, map_location="cpu", weights_only=weights_only)
    return tree_map(lambda v: v.to(map_location) if isinstance(v, torch.Tensor) else v, found)


def _empty_strided(size: Any, stride: Any, dtype: Any = None, **options: Any) -> torch.Tensor:
    return There(torch.empty_strided(size, stride, dtype=dtype))


def _empty(size: Any, dtype: Any = None, **options: Any) -> torch.Tensor:
    return There(torch.empty(size, dtype=dtype))


def _copy_from(source: Any, target: Any, non_blocking: bool = False) -> torch.Tensor:
    one, two = (t.inner if isinstance(t, There) else t for t in (source, target))
    two.copy_(one)
    return target


def main(folder: str) -> None:
    """Train two iterations on the device, save, and go on from the checkpoint."""
    install()
    import dataclasses
    from pathlib import Path

    from ppp.learning.checkpoint import latest_checkpoint
    from ppp.learning.config import load_train
    from ppp.learning.train import Trainer
    from ppp.tasks.config import load_task

    config = load_train(None)
    small = dataclasses.replace
    config = small(
        config, num_envs=8, iterations=2, save_minutes=1e9,
        ppo=small(config.ppo, horizon=4, minibatch=16, epochs=1, teacher=0.1),
        network=small(config.network, actor=[16], critic=[16], encoder=[8], discriminator=[16]),
        discriminator=small(config.discriminator, batch=16, steps=1, replay=64),
        warm_start=small(config.warm_start, iterations=11, steps=1, updates=1, batch=16, memory=64,
                         critic_iterations=1, feedback=True, regulator=False,
                         precision="float32"))
    task = load_task("HumanoidSkills")
    task = small(task, skills=["idle", "walk_forward", "slash"])
    for iterations in (2, 3):
        run = Trainer(task, small(config, iterations=iterations), Path(folder), 0, "moved", DEVICE)
        if iterations == 3:
            run.restore(latest_checkpoint(Path(folder)))
        path = run.run()
        assert run.env.windows.device.type == run.env.age.device.type == "lazy"
        print("done", path.name)


if __name__ == "__main__":
    main(sys.argv[1])
