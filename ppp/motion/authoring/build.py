"""Rebuild the motion library from the skill files."""
from __future__ import annotations

from pathlib import Path
from typing import Callable, List, Optional, Sequence

from ppp.errors import PPPError, unknown
from ppp.motion.authoring.compose import CLIP_FPS, compose
from ppp.motion.authoring.skillfile import SKILLS, Author, Part, SkillFile, read_skill
from ppp.motion.body import clip_from_qpos
from ppp.motion.catalogue import AUTHORED, entry_of, merged, read_or_new, write_library
from ppp.motion.clip import Clip, save_clip
from ppp.motion.library import LibraryFile, SkillInfo
from ppp.settings import load_yaml


def read_skills(skills_dir: Path = SKILLS) -> List[SkillFile]:
    """All skill files of a folder, by name."""
    paths = sorted(p for p in skills_dir.glob("*.yaml") if p.name != "body.yaml")
    if not paths:
        raise PPPError(f"{skills_dir}: no skill files (*.yaml) in it; name the right folder")
    return [read_skill(path) for path in paths]


def author(out: Path, skills_dir: Path = SKILLS, only: Optional[Sequence[str]] = None,
           say: Callable[[str], None] = print) -> List[Path]:
    """Author the clips of all skill files (or only of the skills in ``only``) into ``out``.

    Writes ``out/<clip>.npz`` and brings ``out/library.yaml`` up to date; imported clips stay.
    Returns the files written. PPPError for a mistake in a skill file.
    """
    files = read_skills(skills_dir)
    known = {file.skill: file for file in files}
    for name in only or ():
        if name not in known:
            raise unknown("skill", name, known)
    chosen = [file for file in files if not only or file.skill in only]
    maker = Author(load_yaml(skills_dir / "body.yaml"))
    out.mkdir(parents=True, exist_ok=True)
    entries, written = [], []
    for file in chosen:
        for part in file.parts:
            if part.skill not in known:
                raise unknown(f"skill in {part.where}", part.skill, known)
            clip = author_clip(maker, file, part, known[part.skill].label)
            save_clip(clip, out / f"{part.name}.npz")
            written.append(out / f"{part.name}.npz")
            entries.append(entry_of(part.name, part.skill, clip, part.spec.get("loop", False),
                                    part.spec.get("weight", 1.0), part.spec.get("hits", ())))
            say(f"{part.skill:<14}{part.name}: {clip.seconds:.2f} s")
    library = read_or_new(out / "library.yaml")
    if not only:
        library = LibraryFile(library.skills, [c for c in library.clips
                                               if not c.source.startswith(AUTHORED)])
    infos = {file.skill: SkillInfo(file.label, file.mode) for file in files
             if file in chosen or any(e.skill == file.skill for e in entries)}
    write_library(out / "library.yaml", merged(library, infos, entries))
    return written


def author_clip(maker: Author, file: SkillFile, part: Part, label: str) -> Clip:
    """Compose one clip and cut its window out.

    ``reverse`` plays it backwards: accelerations, and with them every force, are even in time, so
    the reversed clip is as feasible. Walking backward is nearly walking forward in reverse (Winter,
    Pluck and Yang 1989, J. Motor Behavior 21; Thorstensson 1986, Acta Physiol. Scand. 126).
    """
    qpos = compose(maker.score(part, file.poses))
    if "window" in part.spec:
        first, last = (int(round(t * CLIP_FPS)) for t in part.spec["window"])
        qpos = qpos[first:last + 1]
    if part.spec.get("reverse", False):
        qpos = qpos[::-1]
    about = f"{AUTHORED} {part.spec.get('about', part.name)}"
    return clip_from_qpos(qpos, CLIP_FPS, label, about, maker.body["licence"])
