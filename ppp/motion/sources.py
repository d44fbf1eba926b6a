"""Which motions does a command mean? Names in a library, files, folders."""
from __future__ import annotations

from pathlib import Path
from typing import Iterator, List, NamedTuple, Optional, Sequence

from ppp.errors import PPPError, unknown
from ppp.motion.clip import Clip, load_clip
from ppp.motion.formats.reader import ENDINGS, read_motion
from ppp.motion.kinds import kind_of
from ppp.motion.library import read_library

LIBRARY = "library.yaml"


class Source(NamedTuple):
    """A motion to measure or to show; skill is guessed from its name where no library says it."""

    name: str
    skill: str
    loop: bool
    clip: Clip


def library_sources(path: Path) -> Iterator[Source]:
    """All clips of a library file."""
    for entry in read_library(path).clips:
        clip = load_clip(path.parent / entry.file)
        yield Source(Path(entry.file).stem, entry.skill, entry.loop, clip)


def find(names: Sequence[str], library: Path, left_out: Optional[List[str]] = None
         ) -> List[Source]:
    """The motions that arguments name; without any the whole library.

    A name is a clip or a skill of the library, a motion file, a library file or a folder (its
    library, or all motion files in it). PPPError names the nearest right name. left_out: takes
    what is wrong with files of a folder; without it the first such file is refused.
    """
    if not names:
        return list(library_sources(library))
    found: List[Source] = []
    for name in names:
        found += _named(name, library, left_out)
    return found


def _named(name: str, library: Path, left_out: Optional[List[str]]) -> List[Source]:
    path = Path(name)
    if path.is_dir():
        return list(folder_sources(path, left_out))
    if path.suffix in (".yaml", ".yml"):
        return list(library_sources(path))
    if path.is_file():
        return [_from_file(path)]
    if len(path.parts) > 1:
        raise PPPError(f"{name}: no such file; name a motion file or a clip of {library}")
    known = read_library(library)
    stems = {Path(entry.file).stem: entry for entry in known.clips}
    wanted = stems.get(name[:-4] if name.endswith(".npz") else name)
    entries = [wanted] if wanted else [e for e in known.clips if e.skill == name]
    if not entries:
        raise unknown("clip", name, [*stems, *known.skills])
    return [Source(Path(e.file).stem, e.skill, e.loop, load_clip(library.parent / e.file))
            for e in entries]


def folder_sources(folder: Path, left_out: Optional[List[str]] = None) -> Iterator[Source]:
    """The clips of a folder's library, or every motion file in it and below; see ``find``."""
    if (folder / LIBRARY).is_file():
        yield from library_sources(folder / LIBRARY)
        return
    files = sorted(p for p in folder.rglob("*") if p.suffix.lower() in ENDINGS)
    if not files:
        raise PPPError(f"{folder}: holds no motion files; a folder with {', '.join(ENDINGS)} "
                       "files or a library.yaml is needed")
    for path in files:
        try:
            yield _from_file(path)
        except PPPError as error:
            if left_out is None:
                raise
            left_out.append(str(error))


def _from_file(path: Path) -> Source:
    return Source(path.stem, kind_of(path.stem), False, read_clip(path))


def read_clip(path: Path) -> Clip:
    """A motion on our humanoid from a file of any known format, retargeted where it needs to."""
    motion = read_motion(path)
    if isinstance(motion, Clip):
        return motion
    try:
        from ppp.motion.retarget.pipeline import retarget
    except ImportError as error:
        raise PPPError(f"{path}: retargeting needs the package '{error.name}'; install it with "
                       "pip install 'mink>=1.3' daqp") from None
    return retarget(motion, path).clip
