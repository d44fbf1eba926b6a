"""Tensors from a TorchScript archive (OpenAI's CLIP files) without running its code.

The archive is a zip: ``data.pkl`` names objects and tensors, ``data/KEY`` hold the tensors' bytes.
Only containers, tensors and modules (as plain holders of their attributes) are built from it.
"""
from __future__ import annotations

import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any, Dict, Tuple

import torch

TYPES = {"FloatStorage": torch.float32, "HalfStorage": torch.float16,
         "DoubleStorage": torch.float64, "BFloat16Storage": torch.bfloat16,
         "LongStorage": torch.int64, "IntStorage": torch.int32, "ShortStorage": torch.int16,
         "CharStorage": torch.int8, "ByteStorage": torch.uint8, "BoolStorage": torch.bool}


class _Holder:
    """Stands in for a module of the archive: its attributes, nothing else."""

    def __setstate__(self, state: Any) -> None:
        self.__dict__.update(state if isinstance(state, dict) else {})


def _tensor(storage: torch.Tensor, offset: int, size: Tuple[int, ...], stride: Tuple[int, ...],
            *ignored: Any) -> torch.Tensor:
    """A view of a flat storage; as_strided refuses what lies outside it."""
    return torch.as_strided(storage, size, stride, offset)


class _Reader(pickle.Unpickler):
    """Builds what a module's data need and refuses every other name."""

    def __init__(self, archive: zipfile.ZipFile, root: str) -> None:
        super().__init__(archive.open(root + "data.pkl"))
        self.archive, self.root = archive, root

    def find_class(self, module: str, name: str) -> Any:
        if module.startswith("__torch__"):
            return _Holder
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _tensor
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if module == "torch" and name in TYPES:
            return name
        if module == "torch.jit._pickle" and name.startswith("build_"):
            return list
        raise pickle.UnpicklingError(f"{module}.{name}")

    def persistent_load(self, key: Any) -> torch.Tensor:
        _, kind, name, _, count = key
        data = self.archive.read(f"{self.root}data/{name}")
        return torch.frombuffer(bytearray(data), dtype=TYPES[kind])[:count]


def _collect(holder: Any, prefix: str, out: Dict[str, torch.Tensor]) -> None:
    """Tensors of a module tree by their dotted names."""
    for name, value in vars(holder).items():
        if isinstance(value, torch.Tensor):
            out[prefix + name] = value
        elif isinstance(value, _Holder):
            _collect(value, f"{prefix}{name}.", out)


def _root(archive: zipfile.ZipFile) -> str:
    """The folder inside the archive that holds ``data.pkl``; empty when there is none."""
    names = [name for name in archive.namelist() if name.endswith("/data.pkl")]
    return names[0][:-len("data.pkl")] if names else ""


def is_torchscript(path: Path) -> bool:
    """Is this file a TorchScript archive (a checkpoint without code is not)?"""
    if not zipfile.is_zipfile(str(path)):
        return False
    with zipfile.ZipFile(str(path)) as archive:
        root = _root(archive)
        return bool(root) and any(n.startswith(root + "code/") for n in archive.namelist())


def read_torchscript(path: Path) -> Dict[str, torch.Tensor]:
    """Parameters and buffers by name, integers (OpenAI keeps some) as 0-d tensors.

    Raises pickle.UnpicklingError for an archive that wants anything but modules and tensors.
    """
    with zipfile.ZipFile(str(path)) as archive:
        module = _Reader(archive, _root(archive)).load()
    if not isinstance(module, _Holder):
        raise pickle.UnpicklingError("no module")
    out: Dict[str, torch.Tensor] = {}
    _collect(module, "", out)
    return out
