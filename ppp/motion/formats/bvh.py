"""Biovision hierarchies (``.bvh``): any joints, any order of channels, any unit of length.

The format is described by Meredith and Maddock, "Motion Capture File Formats Explained" (2001): a
joint's rotation is the product of its channels in their order.
"""
from __future__ import annotations

from pathlib import Path
from typing import List, Tuple

import numpy as np
from scipy.spatial.transform import Rotation

from ppp.errors import PPPError
from ppp.motion.formats.skeleton_motion import (
    MAX_FRAMES,
    Y_UP,
    SkeletonMotion,
    check_length,
    checked,
    numbers,
    read_text,
    reframed,
    to_quat,
)

_CHANNELS = {f"{axis}{kind}".lower(): (kind, "XYZ".index(axis))
             for axis in "XYZ" for kind in ("position", "rotation")}
MAX_JOINTS = 500


class _Hierarchy:
    """Joints and channels as they are read."""

    def __init__(self) -> None:
        self.names: List[str] = []
        self.parents: List[int] = []
        self.offsets: List[List[float]] = []
        self.channels: List[Tuple[int, str, int]] = []  # joint, kind, axis


def load_bvh(path: Path) -> SkeletonMotion:
    """Read a ``.bvh``; the unit of length is left as it is (see ``retarget.measure.in_metres``)."""
    text = read_text(path)
    words = text.split()
    if not words or words[0].upper() != "HIERARCHY":
        raise PPPError(f"{path}: does not begin with HIERARCHY; it is no BVH file")
    tree, at = _hierarchy(words, path)
    frames, fps, at = _header(words, at, path)
    width = len(tree.channels)
    values = numbers(words[at:], path, "the motion")
    if len(values) != frames * width:
        raise PPPError(f"{path}: says {frames} frames of {width} channels but holds {len(values)} "
                       f"numbers; expected {frames * width}")
    table = np.array(values).reshape(frames, width)
    return checked(_motion(tree, table, fps), path)


def _hierarchy(words: List[str], path: Path) -> Tuple[_Hierarchy, int]:
    tree, stack, at = _Hierarchy(), [], 1
    while at < len(words) and words[at].upper() != "MOTION":
        word = words[at].upper()
        if word in ("ROOT", "JOINT", "END"):
            at = _open(tree, stack, words, at, path)
        elif word == "OFFSET":
            tree.offsets[_inside(stack, path)] = _offset(words, at, path)
            at += 4
        elif word == "CHANNELS":
            at = _channels(tree, _inside(stack, path), words, at, path)
        elif word == "}":
            _inside(stack, path)
            stack.pop()
            at += 1
        else:
            raise PPPError(f"{path}: '{words[at][:40]}' in the hierarchy is no BVH; mend the file")
    if at >= len(words):
        raise PPPError(f"{path}: has no MOTION section; the file is cut short")
    if stack or not tree.names:
        raise PPPError(f"{path}: the hierarchy's brackets do not close; mend the file")
    return tree, at + 1


def _open(tree: _Hierarchy, stack: List[int], words: List[str], at: int, path: Path) -> int:
    """Begin a joint: its name may hold spaces, up to the bracket."""
    end = next((i for i in range(at + 1, min(at + 12, len(words))) if words[i] == "{"), None)
    if end is None or (words[at].upper() == "ROOT" and tree.names) \
            or (words[at].upper() != "ROOT" and not stack) or len(tree.names) >= MAX_JOINTS:
        raise PPPError(f"{path}: the hierarchy goes wrong at '{' '.join(words[at:at + 3])[:60]}'; "
                       "mend the file")
    site = words[at].upper() == "END"
    parent = stack[-1] if stack else -1
    if site:
        count = sum(name.startswith(f"{tree.names[parent]}_end") for name in tree.names)
        name = f"{tree.names[parent]}_end{count or ''}"
    else:
        name = " ".join(words[at + 1:end])
    tree.names.append(name)
    tree.parents.append(parent)
    tree.offsets.append([0.0, 0.0, 0.0])
    stack.append(len(tree.names) - 1)
    return end + 1


def _inside(stack: List[int], path: Path) -> int:
    if not stack:
        raise PPPError(f"{path}: the hierarchy's brackets do not match; mend the file")
    return stack[-1]


def _offset(words: List[str], at: int, path: Path) -> List[float]:
    values = numbers(words[at + 1:at + 4], path, "an OFFSET")
    if len(values) != 3:
        raise PPPError(f"{path}: an OFFSET has no three numbers; the file is cut short")
    return values


def _channels(tree: _Hierarchy, joint: int, words: List[str], at: int, path: Path) -> int:
    count = numbers(words[at + 1:at + 2], path, "CHANNELS")
    count = int(count[0]) if count else 0
    names = words[at + 2:at + 2 + max(count, 0)]
    for name in names:
        if name.lower() not in _CHANNELS:
            raise PPPError(f"{path}: joint '{tree.names[joint][:60]}' has an unknown channel "
                           f"'{name[:40]}'; channels are Xposition … Zrotation")
        tree.channels.append((joint, *_CHANNELS[name.lower()]))
    return at + 2 + max(count, 0)


def _header(words: List[str], at: int, path: Path) -> Tuple[int, float, int]:
    """Number of frames, frames per second, and where the numbers begin."""
    head = [word.lower() for word in words[at:at + 5]]
    if len(head) < 5 or head[0] != "frames:" or head[2:4] != ["frame", "time:"]:
        raise PPPError(f"{path}: MOTION must be followed by 'Frames:' and 'Frame Time:'; mend the "
                       "file")
    frames, step = numbers([head[1], head[4]], path, "the motion's header")
    fps = 1.0 / step if step > 0.0 else 0.0
    check_length(int(min(frames, MAX_FRAMES + 1)), fps, path)
    return int(frames), fps, at + 5


def _motion(tree: _Hierarchy, table: np.ndarray, fps: float) -> SkeletonMotion:
    frames, joints = len(table), len(tree.names)
    turns = [Rotation.identity(frames) for _ in range(joints)]
    moved = np.zeros((frames, 3))
    notes = []
    for column, (joint, kind, axis) in enumerate(tree.channels):
        if kind == "rotation":
            turns[joint] = turns[joint] * Rotation.from_euler(
                "XYZ"[axis], table[:, column:column + 1], degrees=True)
        elif joint == 0:
            moved[:, axis] = table[:, column]
        elif "joints other than the root move in their parents; ignored" not in notes:
            notes.append("joints other than the root move in their parents; ignored")
    rotations = np.stack([to_quat(turn) for turn in turns], 1)
    offsets = np.array(tree.offsets)
    raw = SkeletonMotion(tree.names, tree.parents, offsets, rotations, moved, round(fps, 3), "BVH",
                         notes)
    return reframed(raw, Y_UP, Y_UP)
