"""Public motion data: where it is, under which terms, which of its files show which skill."""
from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Dict, List

from ppp.errors import unknown
from ppp.motion.library import SkillInfo
from ppp.settings import build, load_yaml

FILE = Path(__file__).with_name("datasets.yaml")


@dataclass
class DataSet:
    """One data set. pattern: which files are motions; skills: file pattern to skill id."""

    title: str
    about: str
    url: str
    licence: str
    format: str
    pattern: str = "*"
    skills: Dict[str, str] = field(default_factory=dict)
    hint: str = ""


@dataclass
class _Catalogue:
    skills: Dict[str, SkillInfo]
    datasets: Dict[str, DataSet]


def _load() -> _Catalogue:
    return build(_Catalogue, load_yaml(FILE), str(FILE))


_ALL = _load()
#: labels and modes of the skills that data sets name, for a library that does not have them yet
SKILLS: Dict[str, SkillInfo] = _ALL.skills


def find_dataset(name: str) -> DataSet:
    """The data set of that name; PPPError with the nearest one."""
    if name.lower() not in _ALL.datasets:
        raise unknown("data set", name, _ALL.datasets)
    return _ALL.datasets[name.lower()]


def listing() -> str:
    """One line a data set, and how to go on."""
    lines: List[str] = [f"{name:<14}{data.title}: {data.licence}"
                        for name, data in _ALL.datasets.items()]
    return "\n".join([*lines, "", "ppp motions fetch NAME says where to get one; with --from "
                      "FOLDER it imports your download.", "Terms change: what the owner's page "
                      "says counts, not this list."])


def describe(data: DataSet) -> str:
    """Where a data set is, its terms, and how to import it."""
    lines = [data.title, f"  what     {data.about}", f"  where    {data.url}",
             f"  terms    {data.licence}", f"  files    {data.format}"]
    if data.hint:
        lines.append(f"  import   {data.hint}")
    if data.skills:
        lines.append("  skills   " + ", ".join(f"{p} {s}" for p, s in data.skills.items()))
    return "\n".join(lines)
