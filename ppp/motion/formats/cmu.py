"""Acclaim skeletons and motions (``.asf`` and ``.amc``) as the CMU database has them.

Facts: CMU's own page on the format and the .asf headers. Degrees; a bone's axes are turned from the
world's by its ``axis`` (C), its motion M is given in them, so in its parent it turns by C M Cᵀ.
Lengths are in inches over the header's ``length``.
"""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Dict, List, Optional

import numpy as np
from scipy.spatial.transform import Rotation

from ppp.errors import PPPError
from ppp.motion.formats.skeleton_motion import (
    MAX_FRAMES,
    Y_UP,
    SkeletonMotion,
    checked,
    numbers,
    read_text,
    reframed,
    to_quat,
)

INCH = 0.0254
#: neither file tells its rate; the database is at 120
CMU_FPS = 120.0


@dataclass
class _Bone:
    """A bone of the rest pose: vector (3,) in metres, its axes, its channels."""

    name: str
    vector: np.ndarray
    axes: Rotation
    dof: List[str]


@dataclass
class _Skeleton:
    bones: Dict[str, _Bone]
    children: Dict[str, List[str]]
    root_order: List[str]
    root_axes: Rotation
    unit: float  # m
    degrees: bool
    path: Path


def load_cmu(path: Path, skeleton: Optional[Path] = None, fps: Optional[float] = None
             ) -> SkeletonMotion:
    """Read an ``.amc`` on its ``.asf`` (beside it, or ``skeleton``) at ``fps`` (default 120)."""
    text = read_text(path)
    body = _read_asf(skeleton or _beside(path))
    frames = _read_amc(text, body, path)
    motion = _motion(body, frames, CMU_FPS if fps is None else fps)
    if fps is None:
        motion.notes.append(f"rate taken as {CMU_FPS:g} per second (an .amc does not tell; --fps)")
    return checked(motion, path)


def _beside(path: Path) -> Path:
    """The skeleton of ``02_07.amc`` is ``02.asf``, or else the only one in the folder."""
    subject = path.with_name(path.stem.split("_")[0] + ".asf")
    same = path.with_suffix(".asf")
    for candidate in (same, subject):
        if candidate.is_file():
            return candidate
    others = sorted(path.parent.glob("*.asf"))
    if len(others) == 1:
        return others[0]
    raise PPPError(f"{path}: an .amc needs its skeleton, and {subject.name} is not beside it; give "
                   "it with --skeleton FILE.asf")


def _read_asf(path: Path) -> _Skeleton:
    text = read_text(path)
    sections = _sections(text)
    if "bonedata" not in sections or "hierarchy" not in sections or "root" not in sections:
        raise PPPError(f"{path}: has no :root, :bonedata and :hierarchy; it is no .asf skeleton")
    units = {line.split()[0].lower(): line.split()[1] for line in sections.get("units", [])
             if len(line.split()) > 1}
    length = numbers([units.get("length", "1")], path, "'length' of :units")[0]
    if not 0.0 < length < 1e6:
        raise PPPError(f"{path}: 'length' of :units is {length:g}; it has to be above 0")
    degrees = not units.get("angle", "deg").lower().startswith("rad")
    unit = INCH / length
    bones = _bones(sections["bonedata"], unit, degrees, path)
    root = {line.split()[0].lower(): line.split()[1:] for line in sections["root"]}
    order = [word.lower() for word in root.get("order", "TX TY TZ RX RY RZ".split())]
    orient = numbers(root.get("orientation", ["0", "0", "0"]), path, "'orientation' of :root")
    axes = _euler(orient, (root.get("axis") or ["XYZ"])[0], degrees, path)
    children = _hierarchy(sections["hierarchy"], bones, path)
    return _Skeleton(bones, children, order, axes, unit, degrees, path)


def _sections(text: str) -> Dict[str, List[str]]:
    sections: Dict[str, List[str]] = {}
    current: List[str] = []
    for line in text.splitlines():
        line = line.split("#")[0].strip()
        if line.startswith(":"):
            words = line[1:].split(None, 1)
            current = sections.setdefault(words[0].lower() if words else "", [])
            if len(words) > 1:
                current.append(words[1])
        elif line:
            current.append(line)
    return sections


def _bones(lines: List[str], unit: float, degrees: bool, path: Path) -> Dict[str, _Bone]:
    bones: Dict[str, _Bone] = {}
    entry: Dict[str, List[str]] = {}
    for line in lines:
        words = line.split()
        if words[0] == "begin":
            entry = {}
        elif words[0] == "end":
            bone = _bone(entry, unit, degrees, path)
            bones[bone.name] = bone
        else:
            entry[words[0].lower()] = words[1:]
    if not bones:
        raise PPPError(f"{path}: :bonedata lists no bones; it is no .asf skeleton")
    return bones


def _bone(entry: Dict[str, List[str]], unit: float, degrees: bool, path: Path) -> _Bone:
    name = " ".join(entry.get("name", ["?"]))
    for key, count in (("direction", 3), ("length", 1), ("axis", 3)):
        if len(entry.get(key, [])) < count:
            raise PPPError(f"{path}: bone '{name[:60]}' has no '{key}'; mend the file")
    where = f"bone '{name[:60]}'"
    direction = np.array(numbers(entry["direction"][:3], path, where))
    length = numbers(entry["length"][:1], path, where)[0]
    angles = numbers(entry["axis"][:3], path, where)
    order = entry["axis"][3] if len(entry["axis"]) > 3 else "XYZ"
    norm = float(np.linalg.norm(direction))
    if norm < 1e-9 or length <= 0.0:
        raise PPPError(f"{path}: bone '{name[:60]}' has no length; a skeleton needs bones longer "
                       "than 0")
    return _Bone(name, direction / norm * length * unit, _euler(angles, order, degrees, path),
                 [word.lower() for word in entry.get("dof", [])])


def _euler(angles: List[float], order: str, degrees: bool, path: Path) -> Rotation:
    """Turns about the fixed axes in the given order: XYZ means x first."""
    if sorted(order.lower()) != ["x", "y", "z"] or len(angles) != 3:
        raise PPPError(f"{path}: axis order '{order[:20]}' is not one of XYZ, XZY, …")
    by_axis = dict(zip("xyz", angles))
    return Rotation.from_euler(order.lower(), [by_axis[a] for a in order.lower()], degrees=degrees)


def _hierarchy(lines: List[str], bones: Dict[str, _Bone], path: Path) -> Dict[str, List[str]]:
    children: Dict[str, List[str]] = {}
    for line in lines:
        words = line.split()
        if words[0] in ("begin", "end"):
            continue
        for name in words:
            if name != "root" and name not in bones:
                raise PPPError(f"{path}: :hierarchy names bone '{name[:60]}', which :bonedata does "
                               "not have")
        children.setdefault(words[0], []).extend(words[1:])
    return children


def _read_amc(text: str, body: _Skeleton, path: Path) -> List[Dict[str, List[float]]]:
    frames: List[Dict[str, List[float]]] = []
    for number, raw in enumerate(text.splitlines(), 1):
        words = raw.split("#")[0].split()
        if not words or words[0].startswith(":"):
            continue
        if len(words) == 1 and words[0].isdigit():
            frames.append({})
            if len(frames) > MAX_FRAMES:
                raise PPPError(f"{path}: more than {MAX_FRAMES} frames; this is no motion clip")
            continue
        if not frames:
            raise PPPError(f"{path}: line {number} comes before the first frame; it is no .amc")
        _check_line(words, body, f"line {number}", path)
        frames[-1][words[0]] = numbers(words[1:], path, f"line {number}")
    wanted = set(frames[0]) if frames else set()
    for number, frame in enumerate(frames, 1):
        if "root" not in frame or set(frame) != wanted:
            raise PPPError(f"{path}: frame {number} does not list the bones of the first frame and "
                           "the root; the file is cut short")
    return frames


def _check_line(words: List[str], body: _Skeleton, where: str, path: Path) -> None:
    if words[0] == "root":
        count = len(body.root_order)
    elif words[0] in body.bones:
        count = len(body.bones[words[0]].dof)
    else:
        raise PPPError(f"{path}: {where} names bone '{words[0][:60]}', which {body.path.name} does "
                       "not have; give the subject's own skeleton with --skeleton")
    if len(words) - 1 != count:
        raise PPPError(f"{path}: {where} has {len(words) - 1} numbers for '{words[0]}', which "
                       f"{body.path.name} gives {count}; give the subject's own skeleton with "
                       "--skeleton")


def _turn(dof: List[str], table: np.ndarray, degrees: bool) -> Rotation:
    """Turns about fixed axes, first listed first, of channels (T, D)."""
    turn = Rotation.identity(len(table))
    for column, channel in enumerate(dof):
        if channel in ("rx", "ry", "rz"):
            turn = Rotation.from_euler(channel[1], table[:, column:column + 1],
                                       degrees=degrees) * turn
    return turn


def _motion(body: _Skeleton, frames: List[Dict[str, List[float]]], fps: float) -> SkeletonMotion:
    names, parents, offsets = ["root"], [-1], [np.zeros(3)]
    turns = [np.zeros((len(frames), 4))]
    pos = np.zeros((len(frames), 3))
    if frames:
        table = np.array([frame["root"] for frame in frames])
        own = _turn(body.root_order, table, body.degrees)
        turns[0] = to_quat(body.root_axes * own * body.root_axes.inv())
        for column, channel in enumerate(body.root_order):
            if channel in ("tx", "ty", "tz"):
                pos[:, "xyz".index(channel[1])] = table[:, column] * body.unit
    still = np.tile([1.0, 0.0, 0.0, 0.0], (len(frames), 1))
    waiting = [("root", 0, np.zeros(3))]
    while waiting:
        above, parent, reach = waiting.pop(0)
        for name in body.children.get(above, []):
            bone = body.bones[name]
            if name in names:
                raise PPPError(f"{body.path}: bone '{name[:60]}' hangs on two others; mend the "
                               "file")
            names.append(name)
            parents.append(parent)
            offsets.append(reach)
            moves = bool(frames) and name in frames[0]
            table = np.array([frame[name] for frame in frames]) if moves else None
            turns.append(still if table is None else to_quat(
                bone.axes * _turn(bone.dof, table, body.degrees) * bone.axes.inv()))
            waiting.append((name, len(names) - 1, bone.vector))
            if not body.children.get(name):
                names.append(f"{name}_end")
                parents.append(names.index(name))
                offsets.append(bone.vector)
                turns.append(still)
    raw = SkeletonMotion(names, parents, np.array(offsets), np.stack(turns, 1), pos, float(fps),
                         "CMU ASF/AMC", [])
    return reframed(raw, Y_UP, Y_UP)
