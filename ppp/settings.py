"""Typed settings from YAML: dataclasses filled strictly, so that a misspelt field is an error."""
from __future__ import annotations

import dataclasses
import typing
from pathlib import Path
from typing import Any, Dict, Type, TypeVar, Union

import yaml

from ppp.errors import PPPError, nearest

T = TypeVar("T")
#: a settings file larger than this is a mistake, bytes
MAX_BYTES = 2_000_000
#: the checkout's root, where cfg/, motions/ and prompts/ lie
ROOT = Path(__file__).resolve().parents[1]


def load_yaml(path: Union[str, Path]) -> Dict[str, Any]:
    """The mapping in a YAML file; PPPError when it is missing, broken or not a mapping."""
    path = Path(path)
    if path.is_dir():
        raise PPPError(f"{path}: is a folder; name the YAML file inside it")
    if not path.is_file():
        raise PPPError(f"{path}: no such file; check the name")
    if path.stat().st_size > MAX_BYTES:
        raise PPPError(f"{path}: larger than {MAX_BYTES // 1_000_000} MB; it is no settings file")
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        where = getattr(error, "problem_mark", None)
        line = f" at line {where.line + 1}" if where else ""
        raise PPPError(f"{path}: broken YAML{line}; mend the syntax") from None
    if not isinstance(data, dict):
        raise PPPError(f"{path}: expected 'key: value' lines at the top level")
    return data


def build(cls: Type[T], data: Dict[str, Any], source: str) -> T:
    """Fill dataclass ``cls`` from ``data``; ``source`` names the file in errors.

    Unknown fields and wrong types are PPPErrors with the nearest right name. Nested dataclasses
    are filled from nested mappings.
    """
    fields = {f.name: f for f in dataclasses.fields(cls)}
    hints = typing.get_type_hints(cls)
    values = {}
    for key, value in data.items():
        if key not in fields:
            guess = nearest(str(key), fields)
            hint = f"did you mean '{guess}'?" if guess else f"known: {', '.join(fields)}"
            raise PPPError(f"{source}: unknown field '{key}'; {hint}")
        values[key] = _convert(hints[key], value, f"{source}: field '{key}'")
    try:
        return cls(**values)
    except TypeError:
        missing = [n for n, f in fields.items() if n not in values
                   and f.default is f.default_factory is dataclasses.MISSING]
        raise PPPError(f"{source}: field '{missing[0]}' is missing; add it") from None


def _convert(kind: Any, value: Any, where: str) -> Any:
    origin = typing.get_origin(kind)
    if origin is Union:
        inner = [k for k in typing.get_args(kind) if k is not type(None)]
        return None if value is None else _convert(inner[0], value, where)
    if dataclasses.is_dataclass(kind):
        if not isinstance(value, dict):
            raise PPPError(f"{where} must be a mapping")
        return build(kind, value, where)
    if origin in (list, tuple):
        if not isinstance(value, (list, tuple)):
            raise PPPError(f"{where} must be a list")
        item = typing.get_args(kind)[0]
        return origin(_convert(item, v, where) for v in value)
    if origin is dict:
        if not isinstance(value, dict):
            raise PPPError(f"{where} must be a mapping")
        item = typing.get_args(kind)[1]
        return {str(k): _convert(item, v, f"{where}, '{k}'") for k, v in value.items()}
    return _scalar(kind, value, where)


def _scalar(kind: Any, value: Any, where: str) -> Any:
    if kind is float and isinstance(value, str):
        # YAML 1.1 reads 1e-4 as a string; people mean the number
        try:
            value = float(value)
        except ValueError:
            raise PPPError(f"{where} must be a number, not '{value[:40]}'") from None
    if kind is float and isinstance(value, (int, float)) and not isinstance(value, bool):
        if value != value or value in (float("inf"), float("-inf")):
            raise PPPError(f"{where} must be finite")
        return float(value)
    if kind is int and isinstance(value, int) and not isinstance(value, bool):
        return value
    if kind in (str, bool) and isinstance(value, kind):
        return value
    if kind is Any:
        return value
    names = {float: "a number", int: "a whole number", str: "text", bool: "true or false"}
    raise PPPError(f"{where} must be {names.get(kind, str(kind))}, not {value!r:.60}")
