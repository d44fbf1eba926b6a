"""Reading pickled dictionaries of arrays without trusting them.

A pickle may name any function to be called. This reader knows five names, and answers each with a
harmless stand-in of its own that only collects bytes; nothing from numpy or anywhere else is
called by a file.
"""
from __future__ import annotations

import io
import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any, Optional

import numpy as np

from ppp.errors import PPPError

_MODULES = ("numpy.core.multiarray", "numpy._core.multiarray", "numpy.core.numeric",
            "numpy._core.numeric", "numpy")
_KINDS = "fiub"
MAX_BYTES = 256 * 2**20


class _DType:
    """Stands for ``numpy.dtype``: a code such as f8 and, set afterwards, its byte order."""

    def __init__(self, code: str = "", *_: Any) -> None:
        self.code, self.order = str(code), "<"

    def __setstate__(self, state: Any) -> None:
        if state[1] in ("<", ">", "|", "="):
            self.order = state[1]

    def dtype(self) -> np.dtype:
        """The real one, if it is a plain number."""
        kind = np.dtype(self.order.replace("|", "=") + self.code)
        if kind.kind not in _KINDS or kind.hasobject:
            raise pickle.UnpicklingError(f"an array of type '{self.code}'")
        return kind


class _NDArrayType:
    """Stands for the class ``numpy.ndarray``, which files only hand on to ``_reconstruct``."""


class _Array:
    """Stands for an array under construction."""

    def __init__(self, *_: Any) -> None:
        self.value: Optional[np.ndarray] = None
        self.items: Optional[list] = None

    def __setstate__(self, state: Any) -> None:
        _, shape, dtype, fortran, raw = state
        if isinstance(raw, list):
            self.items = raw
            return
        if not isinstance(raw, bytes):
            raise pickle.UnpicklingError("an array of objects")
        self.value = np.frombuffer(raw, dtype.dtype()).reshape(shape, order="F" if fortran else "C")


def _scalar(dtype: _DType, raw: bytes) -> Any:
    return np.frombuffer(raw, dtype.dtype())[0].item()


def _frombuffer(raw: Any, dtype: _DType, shape: Any, order: str = "C") -> _Array:
    """What numpy writes with pickle protocol 5."""
    if not isinstance(raw, (bytes, bytearray)):
        raise pickle.UnpicklingError("an array of objects")
    array = _Array()
    array.value = np.frombuffer(bytes(raw), dtype.dtype()).reshape(shape, order=order)
    return array


_NAMES = {"_frombuffer": _frombuffer, "_reconstruct": _Array, "scalar": _scalar, "dtype": _DType,
          "ndarray": _NDArrayType}


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if module in _MODULES and name in _NAMES:
            return _NAMES[name]
        raise pickle.UnpicklingError(f"'{module}.{name}', which no motion needs")

    def persistent_load(self, pid: Any) -> Any:
        raise pickle.UnpicklingError("a persistent object")


def read_pickled_npy(path: Path) -> dict:
    """The dictionary in a ``.npy`` file as ``numpy.save`` writes it: numbers, text, arrays.

    PPPError when the file is missing, is no such file, is cut short or names anything else.
    """
    return _read(path, True, "poselib motion")


def read_pickle(path: Path) -> dict:
    """The dictionary in a plain pickle: numbers, text, lists and arrays, nothing else.

    PPPError as :func:`read_pickled_npy`.
    """
    return _read(path, False, "MimicKit motion")


def _read(path: Path, header: bool, kind: str) -> dict:
    if not path.is_file():
        raise PPPError(f"{path}: no such file; check the name")
    if path.stat().st_size > MAX_BYTES:
        raise PPPError(f"{path}: larger than {MAX_BYTES // 2**20} MiB; this is no motion clip")
    if path.stat().st_size == 0:
        raise PPPError(f"{path}: the file is empty; download it again")
    try:
        stream = io.BytesIO(path.read_bytes())
        if header:
            _skip_header(stream)
        data = _plain(_content(_Reader(stream).load()))
    except pickle.UnpicklingError as error:
        if str(error).startswith(("invalid load key", "pickle data was", "unpickling stack")):
            raise PPPError(f"{path}: not a readable motion file ({error}); download it again"
                           ) from None
        raise PPPError(f"{path}: refused, because it holds {error}; import only plain motion "
                       "data") from None
    except (EOFError, OSError, ValueError, TypeError, KeyError, IndexError, AttributeError,
            OverflowError, MemoryError, RecursionError, ImportError, SyntaxError) as error:
        raise PPPError(f"{path}: not a readable motion file ({type(error).__name__}); "
                       "download it again") from None
    if not isinstance(data, dict):
        raise PPPError(f"{path}: holds a {type(data).__name__}, not a dictionary; it is no "
                       f"{kind}")
    return data


def _skip_header(stream: io.BytesIO) -> None:
    version = np.lib.format.read_magic(stream)
    read = {(1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0}.get(version)
    if read is None:
        raise ValueError("version")
    shape, _, dtype = read(stream)
    if shape != () or dtype != np.dtype(object):
        raise pickle.UnpicklingError("a bare array instead of a dictionary")


def _content(outer: Any) -> Any:
    """The one object in the array without dimensions that ``numpy.save`` wraps around it."""
    if isinstance(outer, _Array) and outer.items is not None and len(outer.items) == 1:
        return outer.items[0]
    return outer


def _plain(value: Any, depth: int = 0) -> Any:
    """Stand-ins replaced by what they stand for."""
    if depth > 20:
        raise ValueError("nesting")
    if isinstance(value, _Array):
        if value.items is not None:
            raise pickle.UnpicklingError("an array of objects")
        if value.value is None:
            raise ValueError("an unfinished array")
        return value.value
    if isinstance(value, dict):
        return {_key(k): _plain(v, depth + 1) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v, depth + 1) for v in value]
    if value is None or isinstance(value, (bool, int, float, str, bytes)):
        return value
    raise pickle.UnpicklingError(f"a {type(value).__name__}")


def _key(key: Any) -> str:
    if not isinstance(key, str):
        raise ValueError("a key that is no text")
    return key
