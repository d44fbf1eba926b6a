"""Bone maps: which joint of a foreign skeleton is the elbow, the knee, …

A map is a YAML file ``joints: {role: [names]}``; the first name that the skeleton has
counts, whatever its case, prefix (``mixamorig:``) and separators.
"""
from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, List, Optional, Union

from ppp.errors import PPPError, nearest, unknown
from ppp.motion.formats.skeleton_motion import SkeletonMotion
from ppp.motion.retarget.shape import guess_roles
from ppp.settings import load_yaml

MAPS = Path(__file__).parent / "maps"
SIDES = ("right", "left")
_NEEDED = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
#: palm: the joint that turns with the palm where that is not the wrist; hand: knuckle or finger
_WANTED = ("palm", "hand", "thumb", "toe")
NEEDED = ["pelvis", "chest", *(f"{s}_{r}" for s in SIDES for r in _NEEDED)]
ROLES = [*NEEDED, "head", *(f"{s}_{r}" for s in SIDES for r in _WANTED)]


@dataclass
class BoneMap:
    """roles: role to joint index; ``guessed``: from the skeleton's shape, not from a list."""

    name: str
    roles: Dict[str, int]
    guessed: bool = False

    def shown(self, motion: SkeletonMotion) -> str:
        """The map as text: ``role joint`` pairs."""
        return ", ".join(f"{role} {motion.names[i]}" for role, i in self.roles.items())


def ready_maps() -> List[str]:
    """Names of the maps that come with the project."""
    return sorted(path.stem for path in MAPS.glob("*.yaml"))


def find_map(motion: SkeletonMotion, choice: str, where: Union[str, Path]) -> BoneMap:
    """The map that was asked for, or the first ready one that fits, or a guess.

    choice: "", the name of a ready map, or a path to a YAML file.
    """
    if choice:
        return _chosen(motion, choice, where)
    fitting = []
    for name in ready_maps():
        found = _apply(_names(MAPS / f"{name}.yaml"), motion)
        if all(role in found for role in NEEDED):
            fitting.append(BoneMap(name, found))
    if fitting:
        return max(fitting, key=lambda m: len(m.roles))
    roles = guess_roles(motion)
    missing = [role for role in NEEDED if role not in roles]
    if missing:
        raise PPPError(f"{where}: no ready map fits and no '{missing[0]}' can be guessed (joints: "
                       f"{', '.join(motion.names[:12])[:200]} …); give a bone map with --map "
                       "FILE.yaml")
    return BoneMap("guessed", {role: roles[role] for role in ROLES if role in roles}, True)


def _chosen(motion: SkeletonMotion, choice: str, where: Union[str, Path]) -> BoneMap:
    if choice.endswith((".yaml", ".yml")):
        path = Path(choice)
    elif choice in ready_maps():
        path = MAPS / f"{choice}.yaml"
    else:
        raise unknown("bone map", choice, ready_maps())
    listed = _names(path)
    found = _apply(listed, motion)
    for role in NEEDED:
        if role in found:
            continue
        wanted = listed.get(role, [])
        near = nearest(wanted[0], motion.names) if wanted else None
        hint = f" (did you mean '{near}'?)" if near else ""
        names = f"'{wanted[0][:60]}', which {where} does not have{hint}" if wanted else "nothing"
        raise PPPError(f"{path}: the map gives '{role}' {names}; name one of its joints: "
                       f"{', '.join(motion.names[:40])[:400]}")
    return BoneMap(path.stem, found)


def _names(path: Path) -> Dict[str, List[str]]:
    data = load_yaml(path)
    joints = data.get("joints") if isinstance(data, dict) else None
    if not isinstance(joints, dict) or not joints:
        raise PPPError(f"{path}: field 'joints' is missing; a bone map lists role: joint name")
    listed: Dict[str, List[str]] = {}
    for role, names in joints.items():
        if role not in ROLES:
            raise PPPError(f"{path}: {unknown('role', role, ROLES)}")
        names = [names] if isinstance(names, str) else names
        if not isinstance(names, list) or not all(isinstance(n, str) for n in names):
            raise PPPError(f"{path}: field 'joints.{role}' has to be a joint's name or a list of "
                           "names")
        listed[role] = names
    return listed


def _apply(listed: Dict[str, List[str]], motion: SkeletonMotion) -> Dict[str, int]:
    index: Dict[str, int] = {}
    for i, name in enumerate(motion.names):
        index.setdefault(_plain(name), i)
    found: Dict[str, int] = {}
    for role in ROLES:
        hit = _first(listed.get(role, []), index)
        if hit is not None:
            found[role] = hit
    return found


def _first(names: List[str], index: Dict[str, int]) -> Optional[int]:
    return next((index[_plain(name)] for name in names if _plain(name) in index), None)


def _plain(name: str) -> str:
    """A name without prefix, case and separators."""
    short = re.sub(r"^(mixamorig\d*|bip0*1|character\d*)[:_ ]", "", name.lower().split(":")[-1])
    return re.sub(r"[^a-z0-9]", "", short)
