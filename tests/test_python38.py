"""Isaac Gym's Python is 3.8: what its path imports must be written for it, annotations included.

A static check, since CI has no Python 3.8: syntax by the parser, and what 3.8 would stumble on only
when it runs.
"""
from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "ppp"
#: folders and files on the path of ``ppp run --engine isaac_gym``, its tests and ``ppp doctor``
FILES = sorted({path for name in ("doctor", "engines", "humanoid", "learning", "motion", "tasks",
                                  "evaluation", "planning", "view", "language")
                for path in (PACKAGE / name).rglob("*.py")} | set(PACKAGE.glob("*.py")))
#: methods and functions that came later
LATER = {"removeprefix", "removesuffix", "pairwise", "batched", "bit_count", "is_relative_to",
         "with_stem", "file_digest", "unparse", "lcm", "nextafter", "BooleanOptionalAction",
         "correlation", "add_note"}
MODULES = {"tomllib", "zoneinfo", "graphlib"}
GENERIC = {"list", "dict", "set", "frozenset", "tuple", "type"}


def faults(source):
    """(line, what) that Python 3.8 would not take."""
    tree = ast.parse(source, feature_version=(3, 8))
    found, unread = [], set()
    # annotations are never evaluated but those of a class's fields (by pydantic and tyro)
    fields = {id(part) for node in ast.walk(tree) if isinstance(node, ast.ClassDef)
              for part in node.body}
    for node in ast.walk(tree):
        if id(node) in fields and isinstance(node, ast.AnnAssign):
            continue
        for told in (getattr(node, "annotation", None), getattr(node, "returns", None)):
            unread.update(id(part) for part in (ast.walk(told) if told is not None else ()))
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in LATER:
            found.append((node.lineno, node.attr))
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            names = [node.module] if isinstance(node, ast.ImportFrom) else \
                [alias.name for alias in node.names]
            found += [(node.lineno, name) for name in names if name in MODULES]
            if isinstance(node, ast.ImportFrom) and node.module == "functools":
                found += [(node.lineno, "cache") for alias in node.names if alias.name == "cache"]
        if isinstance(node, ast.Call):
            wide = {"zip": "strict", "dataclass": "slots"}.get(getattr(node.func, "id", ""))
            found += [(node.lineno, wide) for word in node.keywords
                      if wide is not None and word.arg in (wide, "kw_only")]
        if id(node) in unread:
            continue
        if isinstance(node, ast.Subscript) and getattr(node.value, "id", "") in GENERIC:
            found.append((node.lineno, f"{node.value.id}[…]"))
        if isinstance(node, ast.AnnAssign) and id(node) in fields and any(
                isinstance(part, ast.BinOp) and isinstance(part.op, ast.BitOr)
                for part in ast.walk(node.annotation)):
            found.append((node.lineno, "X | Y"))
    return found


def test_what_isaac_gyms_path_imports_is_python_3_8():
    assert len(FILES) > 100
    wrong = [f"{path.relative_to(PACKAGE)}:{line}: {what}" for path in FILES
             for line, what in faults(path.read_text(encoding="utf-8"))]
    assert not wrong


@pytest.mark.parametrize("source, what", [
    ("class A:\n    x: int | None = None", "X | Y"), ("Pair = tuple[int, int]", "tuple[…]"),
    ("class A:\n    x: list[int]", "list[…]"), ("'ab'.removeprefix('a')", "removeprefix"),
    ("zip((1,), (2,), strict=True)", "strict"), ("import tomllib", "tomllib"),
    ("from functools import cache", "cache")])
def test_the_check_sees(source, what):
    assert [found for _, found in faults(source)] == [what]


def test_the_check_lets_annotations_of_functions_be():
    assert not faults("from __future__ import annotations\ndef f(x: list[int] | None) -> dict[str, "
                      "int]:\n    y: set[int] = set()\n    return y")
    with pytest.raises(SyntaxError):
        faults("match 1:\n    case 1: pass")
