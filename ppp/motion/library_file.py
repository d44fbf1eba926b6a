"""``library.yaml``: the skills of a motion library and its clips, read and checked."""
from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Dict, List, Union

import numpy as np

from ppp.errors import PPPError
from ppp.settings import build, load_yaml

MODES = ("travel", "turn", "face")


@dataclass
class SkillInfo:
    """A skill: the text its codebook entry encodes, and what its target means.

    mode: ``travel`` goes to the target, ``face`` stays and faces it, ``turn`` ignores it.
    """

    label: str
    mode: str = "face"


@dataclass
class ClipEntry:
    """One line of the library. travel: rad from facing to travel; hits: phases 0..1 of blows."""

    file: str
    skill: str
    weight: float = 1.0
    loop: bool = False
    travel: float = 0.0
    hits: List[float] = field(default_factory=list)
    source: str = ""
    licence: str = ""


@dataclass
class LibraryFile:
    """The contents of ``library.yaml``."""

    skills: Dict[str, SkillInfo]
    clips: List[ClipEntry]


def read_library(path: Union[str, Path]) -> LibraryFile:
    """Read and check a library file; PPPError names the field."""
    listed = build(LibraryFile, load_yaml(path), str(path))
    for skill_id, info in listed.skills.items():
        if info.mode not in MODES:
            raise PPPError(f"{path}: skill '{skill_id}' has mode '{info.mode}'; "
                           f"choose one of {', '.join(MODES)}")
    for entry in listed.clips:
        if entry.skill not in listed.skills:
            raise PPPError(f"{path}: clip '{entry.file}' has skill '{entry.skill}', which is not "
                           "listed under 'skills'")
        if entry.weight <= 0:
            raise PPPError(f"{path}: clip '{entry.file}' needs a weight above 0")
    return listed


def on_one_turn(entries: List[ClipEntry]) -> List[ClipEntry]:
    """The entries with the travel angles of each skill less than half a turn from its first one's,
    so that they have a mean: 3.13 and -3.13 are both backward."""
    first: Dict[str, float] = {}
    out = []
    for entry in entries:
        turns = round((first.setdefault(entry.skill, entry.travel) - entry.travel) / (2 * np.pi))
        out.append(replace(entry, travel=entry.travel + turns * 2 * np.pi) if turns else entry)
    return out
