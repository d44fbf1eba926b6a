"""Clips for the eye: a strip of poses, a page to play, an index of a whole library."""
from __future__ import annotations

import html
import os
import re
import sys
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Sequence

import numpy as np
import torch

from ppp.engines.scene import Scene
from ppp.humanoid.kinematics import forward_kinematics
from ppp.motion.body import clip_from_qpos
from ppp.motion.check import LIMITS, ClipReport, check_clip
from ppp.motion.clip import Clip
from ppp.motion.replay import looped_qpos
from ppp.motion.report import FIGURES, shown
from ppp.motion.sources import Source
from ppp.outputs import check_folder, write_png
from ppp.planning.recording import Recording
from ppp.view.poses import as_recording, pose_at
from ppp.view.replay import write_replay
from ppp.view.stage import Stage

#: pixels of one pose of a strip
POSE_SIZE = (280, 320)
#: m from the camera of a strip to the pelvis' place, and the height it looks at: a raised blade
#: and a lying body are both in the picture
DISTANCE, LOOK_HEIGHT = 3.9, 1.0
#: degrees from the way the body faces to where the camera stands (to its right, where the sword is)
VIEW, ELEVATION = -60.0, -14.0
#: a loop goes round on its page for about this long, s
PAGE_SECONDS = 6.0


class Shown(NamedTuple):
    """What was written for a clip."""

    source: Source
    report: ClipReport
    picture: str  # file names, in one folder
    page: str


def clip_recording(source: Source, report: ClipReport, seconds: float = 0.0) -> Recording:
    """The clip in an empty scene, its figures as checks; a loop is repeated to fill ``seconds``."""
    clip = source.clip
    if source.loop and seconds > clip.seconds:
        clip = clip_from_qpos(looped_qpos(clip, seconds), clip.fps, clip.label, clip.source,
                              clip.licence)
    bodies = _bodies(clip)
    empty = np.zeros((clip.frames, 0, 4), np.float32)
    kind = "loop" if source.loop else "once"
    step = {"command": clip.label or source.name, "skill": source.skill, "target": None,
            "start": 0.0, "end": clip.frames / clip.fps, "ended": kind}
    return Recording(source.name, clip.source or clip.label, float(clip.fps), Scene(), *bodies,
                     empty[..., :3], empty, [step], _checks(report), report.ok)


def _bodies(clip: Clip) -> tuple:
    """Body positions (T, 17, 3) and rotations (T, 17, 4) of a clip, float32."""
    root, rot = torch.as_tensor(clip.root_pos), torch.as_tensor(clip.body_rot[:, 0])
    joints, still = torch.as_tensor(clip.joint_pos), torch.zeros(clip.frames, 3)
    bodies = forward_kinematics(root, rot, joints, still, still, torch.zeros_like(joints))
    return bodies.pos.numpy(), bodies.rot.numpy()


def _checks(report: ClipReport) -> List[Dict[str, Any]]:
    values = vars(report)
    return [{"check": FIGURES[key].meaning, "passed": key not in report.wrong,
             "detail": f"{shown(key, values[key])} {FIGURES[key].unit} (limit {limit:g})"}
            for key, limit in LIMITS.items() if values[key] is not None]


def write_clip_strip(source: Source, path: Path, frames: int = 8) -> Path:
    """A strip of evenly spaced poses of a clip with their times, as one PNG; returns its path."""
    recording = as_recording(_bodies(source.clip), source.clip.fps)
    index = np.linspace(0, source.clip.frames - 1, frames).round().astype(int)
    azimuth = _facing(source.clip) + 180.0 + VIEW
    images = []
    with Stage(recording.scene, POSE_SIZE) as stage:
        for i in index:
            look = np.append(recording.body_pos[i, 0, :2], LOOK_HEIGHT)
            time = i / source.clip.fps
            image = stage.draw(pose_at(recording, time), look, DISTANCE, azimuth, ELEVATION)
            images.append(_with_text(image, f"{time:.2f} s"))
    return write_png(np.concatenate(images, axis=1), path)


def _facing(clip: Clip) -> float:
    """Which way the pelvis looks in the mean of a clip, degrees; lying frames count little."""
    w, x, y, z = clip.body_rot[:, 0].T
    return float(np.degrees(np.arctan2((x * y + w * z).sum(), (0.5 - y * y - z * z).sum())))


def _with_text(image: np.ndarray, text: str) -> np.ndarray:
    """A copy of a picture with a line of text in its lower left corner."""
    from PIL import Image, ImageDraw

    picture = Image.fromarray(np.ascontiguousarray(image))
    ImageDraw.Draw(picture).text((6, picture.height - 18), text, fill=(40, 44, 48))
    return np.asarray(picture)


def write_clip_page(source: Source, path: Path) -> Path:
    """The clip with its figures as one self-contained web page; returns its path."""
    report = check_clip(source.clip, source.name, source.skill, source.loop)
    return write_replay(clip_recording(source, report, PAGE_SECONDS), path)


def write_gallery(sources: Sequence[Source], folder: Path, frames: int = 8) -> Path:
    """A strip and a page for every clip, and ``index.html`` over them; returns the index."""
    check_folder(folder)
    rows = []
    for source in sources:
        report = check_clip(source.clip, source.name, source.skill, source.loop)
        stem = _file_stem(source.name)
        write_clip_strip(source, folder / f"{stem}.png", frames)
        write_replay(clip_recording(source, report, PAGE_SECONDS), folder / f"{stem}.html")
        rows.append(Shown(source, report, f"{stem}.png", f"{stem}.html"))
    index = folder / "index.html"
    index.write_text(gallery(rows), encoding="utf-8")
    return index


def _file_stem(name: str) -> str:
    return "clip_index" if name == "index" else re.sub(r"[^A-Za-z0-9_.()-]", "_", name)


def gallery(rows: Sequence[Shown]) -> str:
    """The index page: clips by skill, each with its strip, its figures and a link to play it."""
    parts = []
    for skill in sorted({row.source.skill for row in rows}):
        own = [row for row in rows if row.source.skill == skill]
        seconds = sum(row.source.clip.seconds for row in own)
        parts.append(f"<h2>{html.escape(skill or 'no skill')} <small>{len(own)} clips, "
                     f"{seconds:.1f} s</small></h2>")
        parts += [_figure(row) for row in own]
    return _INDEX.format(count=len(rows), body="\n".join(parts))


def _figure(row: Shown) -> str:
    report, clip = row.report, row.source.clip
    facts = [f"{clip.seconds:.2f} s", "loop" if row.source.loop else "once"]
    facts += [f"{FIGURES[key].head} {shown(key, vars(report)[key])} {FIGURES[key].unit}"
              for key in ("skating", "residual_median", "torque_share")]
    verdict = "ok" if report.ok else "not ok: " + "; ".join(
        FIGURES[key].meaning for key in report.wrong)
    name, page, picture = (html.escape(v) for v in (row.source.name, row.page, row.picture))
    return (f'<figure><a href="{page}"><img src="{picture}" alt="poses of {name}" loading="lazy">'
            f'</a><figcaption><a href="{page}">{name}</a> {html.escape(", ".join(facts))}, '
            f'<span class="{"good" if report.ok else "bad"}">{html.escape(verdict)}</span>'
            f"<br><small>{html.escape(clip.source)}</small></figcaption></figure>")


def has_display() -> bool:
    """Whether a browser window could be opened here."""
    if sys.platform in ("darwin", "win32", "cygwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


_INDEX = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Motions – PPP</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; img-src 'self' data: file:; style-src 'unsafe-inline'">
<style>
:root {{ color-scheme: light dark; font: 15px/1.45 system-ui, sans-serif; }}
body {{ max-width: 1300px; margin: 0 auto; padding: 1rem; }}
h2 {{ margin: 1.6rem 0 .4rem; }} small {{ opacity: .7; font-weight: normal; }}
figure {{ margin: 0 0 1rem; }} img {{ width: 100%; border-radius: 6px; display: block; }}
figcaption {{ padding: .25rem 0; }} .good {{ color: #2a8a4a; }} .bad {{ color: #c03a2b; }}
</style></head><body>
<h1>Motions <small>{count} clips; a picture opens the clip to play</small></h1>
{body}
</body></html>
"""
