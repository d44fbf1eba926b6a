"""Rebuild the motion library from the skill files."""
from __future__ import annotations

from pathlib import Path
from typing import Callable, List, Optional, Sequence

import numpy as np
import yaml

from ppp.errors import unknown
from ppp.motion.authoring.compose import CLIP_FPS, compose
from ppp.motion.authoring.skillfile import SKILLS, Author, Part, SkillFile, read_skill, read_yaml
from ppp.motion.body import clip_from_qpos
from ppp.motion.clip import Clip, save_clip
from ppp.motion.measure import travel_offset

HEADER = ("# The motion library. Rebuild the authored clips with `ppp motions author`; add your own\n"
          "# with `ppp motions import`. travel: rad between facing and travel, measured;\n"
          "# hits: phases (0 to 1) at which a blow lands.\n")


def author(out: Path, skills_dir: Path = SKILLS, only: Optional[Sequence[str]] = None,
           say: Callable[[str], None] = print) -> List[Path]:
    """Author the clips of all skill files (or of the skills in ``only``) into ``out``.

    Writes ``out/<clip>.npz`` and brings ``out/library.yaml`` up to date: clips that were imported
    stay. Returns the files written. PPPError for a mistake in a skill file.
    """
    files = [read_skill(path) for path in sorted(skills_dir.glob("*.yaml"))
             if path.name != "body.yaml"]
    for name in only or ():
        if name not in [f.skill for f in files]:
            raise unknown("skill", name, [f.skill for f in files])
    body = read_yaml(skills_dir / "body.yaml")
    maker = Author(body)
    out.mkdir(parents=True, exist_ok=True)
    entries, written = [], []
    chosen = [f for f in files if not only or f.skill in only]
    for file in chosen:
        for part in file.parts:
            say(f"{part.name} …")
            clip = author_clip(maker, file, part)
            path = out / f"{part.name}.npz"
            save_clip(clip, path)
            entries.append(entry(part, clip))
            written.append(path)
    update_library(out / "library.yaml", chosen, entries)
    return written


def author_clip(maker: Author, file: SkillFile, part: Part) -> Clip:
    """Compose one clip."""
    qpos = compose(maker.score(part, file.poses))
    window = part.spec.get("window")
    if window:
        first, last = (int(round(t * CLIP_FPS)) for t in window)
        qpos = qpos[first:last + 1]
    return clip_from_qpos(qpos, CLIP_FPS, file.label, source(part), maker.body["licence"])


def source(part: Part) -> str:
    """Where the clip came from, in words."""
    return f"authored: {part.spec.get('about', part.name)}"


def entry(part: Part, clip: Clip) -> dict:
    """The clip's line in the library."""
    return {"file": f"{part.name}.npz", "skill": part.skill,
            "weight": float(part.spec.get("weight", 1.0)), "loop": bool(part.spec.get("loop")),
            "travel": travel_offset(clip), "hits": [float(h) for h in part.spec.get("hits", [])],
            "source": source(part)}


def update_library(path: Path, skills: Sequence[SkillFile], entries: Sequence[dict]) -> None:
    """Write the entries into the library; other clips in it stay as they are."""
    library = read_yaml(path) if path.is_file() else {}
    table = dict(library.get("skills") or {})
    table.update({f.skill: {"label": f.label, "mode": f.mode} for f in skills})
    authored = {f.skill for f in skills}
    kept = [c for c in library.get("clips") or [] if not (
        c["skill"] in authored and str(c.get("source", "")).startswith("authored:"))]
    names = {e["file"] for e in entries}
    clips = [c for c in kept if c["file"] not in names] + list(entries)
    clips.sort(key=lambda c: (c["skill"], c["file"]))
    write_library(path, table, clips)


def write_library(path: Path, skills: dict, clips: Sequence[dict]) -> None:
    """Write ``library.yaml``: one line a skill, one line a clip."""
    lines = [HEADER, "skills:\n"]
    lines += [f"  {name}: {_flow(skills[name])}\n" for name in sorted(skills)]
    lines += ["clips:\n"] + [f"  - {_flow(clip)}\n" for clip in clips]
    path.write_text("".join(lines))


def _flow(value: dict) -> str:
    clean = {k: round(v, 4) if isinstance(v, (float, np.floating)) else v for k, v in value.items()}
    return yaml.safe_dump(clean, default_flow_style=True, sort_keys=False, width=1000,
                          allow_unicode=True).strip()
