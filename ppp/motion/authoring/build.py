"""Rebuild the motion library from the skill files."""
from __future__ import annotations

import os
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path
from typing import Callable, Iterator, List, NamedTuple, Optional, Sequence

from ppp.errors import PPPError, unknown
from ppp.motion.authoring.compose import CLIP_FPS, compose
from ppp.motion.authoring.floor import perform
from ppp.motion.authoring.floor_file import read_performance
from ppp.motion.authoring.skillfile import SKILLS, Author, Part, SkillFile, read_skill
from ppp.motion.body import clip_from_qpos
from ppp.motion.catalogue import AUTHORED, entry_of, merged, read_or_new, write_library
from ppp.motion.clip import Clip, save_clip
from ppp.motion.library import LibraryFile, SkillInfo
from ppp.settings import load_yaml


class Job(NamedTuple):
    """One clip to author: everything that its outcome depends on."""

    skills_dir: Path
    file: SkillFile
    part: Part
    label: str


def read_skills(skills_dir: Path = SKILLS) -> List[SkillFile]:
    """All skill files of a folder, by name."""
    paths = sorted(p for p in skills_dir.glob("*.yaml") if p.name != "body.yaml")
    if not paths:
        raise PPPError(f"{skills_dir}: no skill files (*.yaml) in it; name the right folder")
    return [read_skill(path) for path in paths]


def author(out: Path, skills_dir: Path = SKILLS, only: Optional[Sequence[str]] = None,
           say: Callable[[str], None] = print, workers: int = 1) -> List[Path]:
    """Author the clips of all skill files (or only of the skills in ``only``) into ``out``.

    Writes ``out/<clip>.npz`` and brings ``out/library.yaml`` up to date; imported clips stay.
    Returns the files written, the same bytes with any number of ``workers`` (processes). PPPError
    for a mistake in a skill file.
    """
    files = read_skills(skills_dir)
    known = {file.skill: file for file in files}
    for name in only or ():
        if name not in known:
            raise unknown("skill", name, known)
    chosen = [file for file in files if not only or file.skill in only]
    jobs = []
    for file in chosen:
        for part in file.parts:
            if part.skill not in known:
                raise unknown(f"skill in {part.where}", part.skill, known)
            jobs.append(Job(skills_dir, file, part, known[part.skill].label))
    out.mkdir(parents=True, exist_ok=True)
    _maker.cache_clear()  # body.yaml may have changed
    entries, written = [], []
    for (_, _, part, _), clip in zip(jobs, _clips(jobs, workers)):
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


def _clips(jobs: List[Job], workers: int) -> Iterator[Clip]:
    """The clips of the jobs, in their order."""
    if min(workers, len(jobs)) < 2:
        yield from map(_run, jobs)
        return
    # fresh processes: a copy of one whose libraries have threads may hang
    with get_context("spawn").Pool(min(workers, len(jobs))) as pool:
        yield from pool.imap(_run, jobs)


def _run(job: Job) -> Clip:
    return author_clip(_maker(job.skills_dir), job.file, job.part, job.label)


@lru_cache(maxsize=1)
def _maker(skills_dir: Path) -> Author:
    return Author(load_yaml(body_file(skills_dir)))


def body_file(skills_dir: Path) -> Path:
    """What all clips share: the folder's own ``body.yaml``, else the project's."""
    own = skills_dir / "body.yaml"
    return own if own.is_file() else SKILLS / "body.yaml"


def processors() -> int:
    """How many processes this machine can run at once."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def author_clip(maker: Author, file: SkillFile, part: Part, label: str) -> Clip:
    """Compose one clip and cut its window out.

    ``reverse`` plays it backwards: accelerations, and with them every force, are even in time, so
    the reversed clip is as feasible. Walking backward is nearly walking forward in reverse (Winter,
    Pluck and Yang 1989, J. Motor Behavior 21; Thorstensson 1986, Acta Physiol. Scand. 126).
    """
    if part.spec["feet"].get("kind") == "floor":
        qpos = perform(read_performance(part.spec, file.poses, part.where), part.where)
    else:
        qpos = compose(maker.score(part, file.poses))
    if "window" in part.spec:
        first, last = (int(round(t * CLIP_FPS)) for t in part.spec["window"])
        qpos = qpos[first:last + 1]
    if part.spec.get("reverse", False):
        qpos = qpos[::-1]
    about = f"{AUTHORED} {part.spec.get('about', part.name)}"
    return clip_from_qpos(qpos, CLIP_FPS, label, about, maker.body["licence"])
