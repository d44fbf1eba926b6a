"""What the shape of a skeleton tells: its standing pose, its limbs, its unit of length."""
from __future__ import annotations

from typing import Dict, List, Optional

import numpy as np

from ppp.motion.formats.skeleton_motion import SkeletonMotion

#: unit of length in m, by what a person's leg measures in it
UNITS = {"metres": 1.0, "centimetres": 0.01, "inches": 0.0254, "decimetres": 0.1,
         "millimetres": 0.001}
_LEG = (0.55, 1.15)
_LEFT, _RIGHT = ("left", "l_", "_l", ".l"), ("right", "r_", "_r", ".r")


def upright_frame(pos: np.ndarray) -> int:
    """The frame (T, J, 3) in which the joints reach highest over the lowest one."""
    return int(np.argmax(pos[..., 2].max(1) - pos[..., 2].min(1)))


def guess_unit(leg: float) -> str:
    """The name of the unit in which ``leg``, hip to ankle, is a person's; "" for none."""
    fitting = [name for name, metres in UNITS.items() if _LEG[0] <= leg * metres <= _LEG[1]]
    return fitting[0] if fitting else ""


def guess_roles(motion: SkeletonMotion) -> Dict[str, int]:
    """Roles by hierarchy and a standing pose: the lowest two chains are legs, and so on.

    In a leg the two long bones in a row are thigh and shin, in an arm upper and lower arm. Sides
    come from names where they tell, else from left and right in the rest pose (facing x).
    """
    rest = motion.world(rest=True)[0][0]
    pos = rest if np.ptp(rest[:, 2]) > 0.5 * np.ptp(rest, axis=0).max() else None
    if pos is None:
        every = motion.world()[0]
        pos = every[upright_frame(every)]
    leaves = [i for i in range(len(pos)) if i not in motion.parents]
    chains = [_chain(motion.parents, leaf) for leaf in leaves]
    legs = _pair(motion, pos, chains, _lowest(pos, chains))
    if len(legs) < 2:
        return {}
    rest_chains = [c for c in chains if not any(leg[0] in c for leg in legs.values())]
    arms = _arms(motion, pos, rest_chains)
    if len(arms) < 2:
        return {}
    roles: Dict[str, int] = {"pelvis": _common(motion.parents, *(leg[0] for leg in legs.values())),
                             "chest": _common(motion.parents, *(a[0] for a in arms.values()))}
    for side, leg in legs.items():
        roles.update({f"{side}_{r}": i for r, i in zip(("hip", "knee", "ankle", "toe"), leg)})
    for side, arm in arms.items():
        roles.update({f"{side}_{r}": i for r, i in zip(("shoulder", "elbow", "wrist", "hand"),
                                                       arm)})
    up = [c for c in rest_chains if not any(arm[0] in c for arm in arms.values())]
    if up:
        tallest = max(up, key=lambda c: pos[c[-1], 2])
        beyond = [i for i in tallest if pos[i, 2] > pos[roles["chest"], 2]]
        if len(beyond) > 1:
            roles["head"] = beyond[-2]
    return roles


def _chain(parents: List[int], leaf: int) -> List[int]:
    chain = [leaf]
    while parents[chain[-1]] >= 0:
        chain.append(parents[chain[-1]])
    return chain[::-1]


def _common(parents: List[int], first: int, second: int) -> int:
    """The nearest joint that both hang on."""
    above = set(_chain(parents, first)[:-1])
    return next(i for i in _chain(parents, second)[:-1][::-1] if i in above)


def _limb(chain: List[int], pos: np.ndarray) -> Optional[List[int]]:
    """Up to four joints of a limb: the pair of bones in a row that is longest, and what follows.

    chain: from where the body parts into its sides; joints at one place count once.
    """
    joints = chain[:1]
    for i in chain[1:]:
        if np.linalg.norm(pos[i] - pos[joints[-1]]) > 1e-6:
            joints.append(i)
        else:
            joints[-1] = i
    if len(joints) < 3:
        return None
    length = [np.linalg.norm(pos[b] - pos[a]) for a, b in zip(joints, joints[1:])]
    first = int(np.argmax([min(a, b) for a, b in zip(length, length[1:])]))
    return joints[first:first + 4]


def _lowest(pos: np.ndarray, chains: List[List[int]]) -> List[int]:
    return sorted(range(len(chains)), key=lambda c: pos[chains[c][-1], 2])


def _side(motion: SkeletonMotion, chain: List[int], pos: np.ndarray) -> str:
    text = " ".join(motion.names[i].lower() for i in chain)
    left, right = (sum(text.count(word) for word in words) for words in (_LEFT, _RIGHT))
    if left != right:
        return "left" if left > right else "right"
    return "left" if pos[chain[-1], 1] > pos[0, 1] else "right"


def _pair(motion: SkeletonMotion, pos: np.ndarray, chains: List[List[int]], order: List[int]
          ) -> Dict[str, List[int]]:
    """The first chain of either side, as limbs from where the two part."""
    found: Dict[str, List[int]] = {}
    for c in order:
        found.setdefault(_side(motion, chains[c], pos), chains[c])
    if len(found) < 2:
        return {}
    shared = len(set(found["left"]) & set(found["right"]))
    limbs = {side: _limb(chain[shared:], pos) for side, chain in found.items()}
    return {} if None in limbs.values() else {side: limb for side, limb in limbs.items() if limb}


def _arms(motion: SkeletonMotion, pos: np.ndarray, chains: List[List[int]]
          ) -> Dict[str, List[int]]:
    """Of the chains that are no legs, those that reach farthest to either side."""
    order = sorted(range(len(chains)), key=lambda c: -abs(pos[chains[c][-1], 1] - pos[0, 1]))
    return _pair(motion, pos, chains, order)
