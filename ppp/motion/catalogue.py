"""Writing ``library.yaml``: one line a skill, one line a clip."""
from __future__ import annotations

from pathlib import Path
from typing import Dict, Iterable, List, Sequence

import yaml

from ppp.motion.clip import Clip
from ppp.motion.library import ClipEntry, LibraryFile, SkillInfo, read_library
from ppp.motion.measure import travel_offset
from ppp.outputs import whole

HEADER = """\
# The motion library. `ppp motions author` rebuilds the authored clips, `ppp motions import` adds
# others. mode: travel (goes to the target), turn, face (in place, facing the target); travel: rad
# from facing to travel, measured; hits: phases (0 to 1) at which a blow lands.
"""
AUTHORED = "authored:"


def entry_of(name: str, skill: str, clip: Clip, loop: bool, weight: float = 1.0,
             hits: Sequence[float] = ()) -> ClipEntry:
    """A library line for a clip, its travel offset measured."""
    return ClipEntry(f"{name}.npz", skill, float(weight), bool(loop),
                     round(travel_offset(clip), 4), [float(h) for h in hits], clip.source,
                     clip.licence)


def read_or_new(path: Path) -> LibraryFile:
    """The library at ``path``, or an empty one."""
    return read_library(path) if path.is_file() else LibraryFile({}, [])


def merged(library: LibraryFile, skills: Dict[str, SkillInfo],
           entries: Iterable[ClipEntry]) -> LibraryFile:
    """The library with skills and clips added; a clip of the same file is replaced."""
    new = list(entries)
    names = {e.file for e in new}
    clips = [c for c in library.clips if c.file not in names] + new
    return LibraryFile({**library.skills, **skills}, sorted(clips, key=lambda c: (c.skill, c.file)))


def write_library(path: Path, library: LibraryFile) -> None:
    """Write the library file; it is complete or unchanged, whatever happens meanwhile."""
    lines: List[str] = [HEADER, "skills:\n"]
    for name in sorted(library.skills):
        info = library.skills[name]
        lines.append(f"  {name}: {_flow({'label': info.label, 'mode': info.mode})}\n")
    lines.append("clips:\n")
    lines += [f"  - {_flow(dict(vars(clip)))}\n" for clip in library.clips]
    with whole(path) as part:
        part.write_text("".join(lines), encoding="utf-8")


def _flow(value: dict) -> str:
    return yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=10000,
                          allow_unicode=True).strip()
