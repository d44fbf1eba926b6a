"""``ppp motions import`` and ``ppp motions fetch``: other people's motions in the library."""
from __future__ import annotations

import argparse
import math
import re
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from pathlib import Path
from typing import List, Optional, Tuple

from ppp.errors import PPPError
from ppp.motion.catalogue import entry_of, merged, read_or_new, write_library
from ppp.motion.clip import Clip, save_clip
from ppp.motion.datasets import DataSet, describe, find_dataset, listing
from ppp.motion.formats.reader import ENDINGS, read_motion
from ppp.motion.formats.skeleton_motion import cut
from ppp.motion.library import CONTROL_FPS, MODES, LibraryFile, SkillInfo, resample
from ppp.outputs import check_file


@dataclass
class Job:
    """One file on its way into the library."""

    file: Path
    name: str
    skill: str
    loop: bool
    clip: Clip
    lines: List[str]


def add_parsers(commands, library: argparse.ArgumentParser) -> None:
    """Add ``import`` and ``fetch`` to the subcommands; ``library``: parent with --library."""
    imports = commands.add_parser("import", parents=[library],
                                  help="add motions of other makes to the library")
    imports.add_argument("files", nargs="+", type=Path, metavar="FILE",
                         help=f"motion files ({', '.join(ENDINGS)}) or folders of them")
    imports.add_argument("--skill", required=True, help="skill id, for example walk_forward")
    imports.add_argument("--name", default="", help="name in the library (default: the file's)")
    _add_common(imports)
    imports.set_defaults(run=run_import)
    fetch = commands.add_parser("fetch", parents=[library],
                                help="where to get public motions, and import of a download")
    fetch.add_argument("name", nargs="?", default="", help="a data set (default: list them)")
    fetch.add_argument("--from", dest="folder", type=Path, metavar="FOLDER",
                       help="import what you downloaded there")
    fetch.add_argument("--skill", default="", help="for files whose skill is not known")
    _add_common(fetch, times=False)
    fetch.set_defaults(run=run_fetch)


def _add_common(parser: argparse.ArgumentParser, times: bool = True) -> None:
    parser.add_argument("--label", default="", help="plain English, needed for a new skill")
    parser.add_argument("--mode", choices=MODES, default=None, help="for a new skill")
    parser.add_argument("--weight", type=float, default=1.0)
    parser.add_argument("--loop", action="store_true",
                        help="close the loop: the last frame is the first again")
    parser.add_argument("--licence", default="", help="terms of the clip")
    parser.add_argument("--map", default="", metavar="MAP",
                        help="bone map: a ready one or a YAML file (default: the one that fits)")
    parser.add_argument("--skeleton", type=Path, default=None, metavar="FILE.asf",
                        help="skeleton of .amc files (default: found beside them)")
    parser.add_argument("--fps", type=float, default=None,
                        help="rate of a file that does not tell it (.amc; default 120)")
    parser.add_argument("--mirror", action="store_true", help="exchange left and right")
    if times:
        parser.add_argument("--from", dest="start", type=float, metavar="S", default=None,
                            help="leave out what is before this time, s")
        parser.add_argument("--to", dest="end", type=float, metavar="S", default=None,
                            help="leave out what is after this time, s")
    parser.add_argument("--replace", action="store_true", help="replace clips of this name")
    parser.add_argument("--dry-run", action="store_true", help="only report, write nothing")


def run_import(options: argparse.Namespace) -> int:
    """``ppp motions import``; nothing is written unless every file can be imported."""
    files = _files(options.files)
    if options.name and len(files) > 1:
        raise PPPError(f"--name '{options.name[:80]}': there are {len(files)} files; leave it out")
    _check_skill(options.skill)
    wanted = [(file, options.name or file.stem, options.skill) for file in files]
    return _import_all(wanted, options)


def run_fetch(options: argparse.Namespace) -> int:
    """``ppp motions fetch``: print where data sets are, or import a downloaded folder."""
    if not options.name:
        print(listing())
        return 0
    data = find_dataset(options.name)
    if options.folder is None:
        print(describe(data))
        return 0
    if options.skill:
        _check_skill(options.skill)
    options.start = options.end = None
    options.licence = options.licence or data.licence
    wanted = _of_dataset(data, options)
    return _import_all(wanted, options)


def _of_dataset(data: DataSet, options: argparse.Namespace) -> List[Tuple[Path, str, str]]:
    """Files of a download and their skills; those without one go to --skill or are left out."""
    wanted, left = [], 0
    for file in _files([options.folder], data.pattern):
        skill = next((s for pattern, s in data.skills.items() if fnmatch(file.name, pattern)),
                     options.skill)
        if skill:
            wanted.append((file, file.stem, skill))
        left += not skill
    if not wanted:
        raise PPPError(f"{options.folder}: no file there has a known skill; add --skill to import "
                       f"all {left} under one")
    if left:
        print(f"{left} files without a known skill left out (--skill takes them too)")
    return wanted


def _import_all(wanted: List[Tuple[Path, str, str]], options: argparse.Namespace) -> int:
    from dataclasses import asdict

    from ppp.motion.check import check_clip
    from ppp.motion.report import print_report

    library = read_or_new(options.library)
    if not 0.0 < options.weight < math.inf:
        raise PPPError(f"--weight {options.weight:g}: give a finite number above 0")
    if options.fps is not None and not 1.0 <= options.fps <= 1000.0:
        raise PPPError(f"--fps {options.fps:g}: a motion needs a rate from 1 to 1000")
    if not options.dry_run:
        check_file(options.library, "library")
        _check_names(wanted, library, options)
    infos = {skill: _skill_info(skill, options, library) for _, _, skill in wanted}
    jobs, reports = [], []
    for file, name, skill in wanted:
        job = _read(file, name, skill, infos[skill].label, options)
        jobs.append(job)
        reports.append(asdict(check_clip(job.clip, name, skill, job.loop)))
        print("\n".join([f"{file} as '{skill}'", *(f"  {line}" for line in job.lines)]))
    print_report({"clips": reports, "all_ok": all(r["ok"] for r in reports)})
    if not options.dry_run:
        _write(jobs, library, infos, options)
    return 0


def _write(jobs: List[Job], library: LibraryFile, infos: dict, options: argparse.Namespace) -> None:
    folder = options.library.parent
    folder.mkdir(parents=True, exist_ok=True)
    entries = []
    for job in jobs:
        save_clip(job.clip, folder / f"{job.name}.npz")
        entries.append(entry_of(job.name, job.skill, job.clip, job.loop, options.weight))
    write_library(options.library, merged(library, infos, entries))
    for job in jobs:
        print(f"{folder / job.name}.npz: {job.clip.seconds:.2f} s as '{job.skill}'")


def _files(paths: List[Path], pattern: str = "*") -> List[Path]:
    """The files, and of folders all motion files in them; PPPError where there is none."""
    files: List[Path] = []
    for path in paths:
        if not path.is_dir():
            files.append(path)
            continue
        inside = [f for f in sorted(path.rglob("*")) if f.suffix.lower() in ENDINGS
                  and f.is_file() and fnmatch(f.name.lower(), pattern.lower())
                  and f.name.lower() not in ("readme.txt", "license.txt", "licence.txt")]
        if not inside:
            raise PPPError(f"{path}: no motion files ({', '.join(ENDINGS)}) in this folder; check "
                           "the name")
        files += inside
    return files


def _check_names(wanted: List[Tuple[Path, str, str]], library: LibraryFile,
                 options: argparse.Namespace) -> None:
    listed, seen = {c.file for c in library.clips}, set()
    for file, name, _ in wanted:
        if not re.fullmatch(r"[A-Za-z0-9_.()-]+", name) or name.startswith("."):
            raise PPPError(f"--name '{name[:80]}': use letters, digits, '_', '-' and '.' only")
        target = options.library.parent / f"{name}.npz"
        if name in seen:
            raise PPPError(f"{file}: another file of this name is imported too; import it alone "
                           "with --name")
        seen.add(name)
        if (target.exists() or target.name in listed) and not options.replace:
            raise PPPError(f"{target}: exists already; choose another --name or add --replace")


def _check_skill(skill: str) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9_]*", skill):
        raise PPPError(f"--skill '{skill[:80]}': a skill id is lower case letters, digits and "
                       "'_', for example walk_forward")


def _skill_info(skill: str, options: argparse.Namespace, library: LibraryFile) -> SkillInfo:
    from ppp.motion.datasets import SKILLS

    known = library.skills.get(skill)
    if options.command == "fetch":
        known = known or SKILLS.get(skill)
    # --label and --mode are about --skill; a download may hold other skills as well
    label, mode = (options.label, options.mode) if skill == options.skill else ("", None)
    if known is None and not label:
        have = f" (the library has {', '.join(sorted(library.skills))})" if library.skills else ""
        raise PPPError(f"skill '{skill}' is new{have}: add --label with its name in plain English")
    return SkillInfo(label or known.label, mode or (known.mode if known else "face"))


def _read(file: Path, name: str, skill: str, label: str, options: argparse.Namespace) -> Job:
    """Read one file and put it on our body; the lines say how."""
    motion = read_motion(file, options.skeleton, options.fps)
    if isinstance(motion, Clip):
        return _own(motion, file, name, skill, label, options)
    if options.start is not None or options.end is not None:
        motion = cut(motion, options.start, options.end, file)
    try:
        from ppp.motion.retarget.pipeline import retarget
    except ImportError as error:
        raise PPPError(f"retargeting needs the package '{error.name}'; install it with "
                       "pip install 'mink>=1.3' daqp") from None
    print(f"{file}: retargeting {motion.seconds:.1f} s of motion", flush=True)
    done = retarget(motion, file, options.map, options.loop, options.mirror, label,
                    options.licence)
    lines = [f"{motion.kind}, {motion.frames} frames at {motion.fps:g} per second, bone map "
             f"'{done.bone_map}'" + (f": {done.shown}" if done.guessed else ""),
             f"scaled by {done.scale:.3f}; mapped joints {done.error_cm:.1f} cm off on average",
             *done.notes]
    return Job(file, name, skill, options.loop, done.clip, lines)


def _own(clip: Clip, file: Path, name: str, skill: str, label: str, options: argparse.Namespace
         ) -> Job:
    """A file of our own body: taken over as it is."""
    for flag, given in (("--map", options.map), ("--mirror", options.mirror)):
        if given:
            raise PPPError(f"{file}: {flag} is for motions of other bodies; this one is of ours")
    clip = replace(clip, label=label, licence=options.licence or clip.licence,
                   source=clip.source or f"imported: {file.name}")
    lines = [f"our own body, {clip.frames} frames at {clip.fps:g} per second"]
    if options.start is not None or options.end is not None:
        clip = _part(clip, options.start, options.end, file)
        lines.append(f"of these {clip.frames} frames")
    return Job(file, name, skill, options.loop, clip, lines)


def _part(clip: Clip, start: Optional[float], end: Optional[float], file: Path) -> Clip:
    first = int(round((start or 0.0) * clip.fps))
    last = clip.frames - 1 if end is None else min(int(round(end * clip.fps)), clip.frames - 1)
    if first < 0 or last - first < 1:
        raise PPPError(f"{file}: --from and --to leave fewer than 2 frames; the motion lasts "
                       f"{clip.seconds:.2f} s")
    keep = slice(first, last + 1)
    part = replace(clip, root_pos=clip.root_pos[keep], body_rot=clip.body_rot[keep],
                   joint_pos=clip.joint_pos[keep])
    return resample(part, CONTROL_FPS)
