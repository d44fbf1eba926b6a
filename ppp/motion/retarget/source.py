"""What is read off the foreign motion: directions of limbs, orientations, its size.

Only directions of limbs and turns against a standing reference are used, so T-pose, A-pose and
hanging arms at rest come to the same.
"""
from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, List, Optional, Tuple

import numpy as np
from scipy.signal import butter, sosfiltfilt
from scipy.spatial.transform import Rotation

from ppp.errors import PPPError
from ppp.humanoid.skeleton import BODIES, BODY_ID
from ppp.motion.formats.skeleton_motion import SkeletonMotion, reframed, to_quat, to_rotation
from ppp.motion.retarget.maps import SIDES, BoneMap
from ppp.motion.retarget.shape import guess_unit, upright_frame

#: low-pass on the source: Butterworth, 4th order, forwards and backwards, Hz
CUTOFF = 8.0
#: sines of the bend of a joint below and above which its axis is taken from the bone and from
#: the plane of the two limbs
_BEND = (0.1, 0.35)
OUR_LEG = sum(abs(BODIES[BODY_ID[name]].offset[2]) for name in ("right_shin", "right_foot"))


@dataclass
class Pose:
    """A foreign motion in our terms; world frame, m, scaled to our legs.

    pelvis (T, 3); rot: body name to rotations (T) for every turning body; ankle (T, 2, 3) right,
    left; joints: role to (T, 3); fps; scale; notes: what was guessed.
    """

    pelvis: np.ndarray
    rot: Dict[str, Rotation]
    ankle: np.ndarray
    joints: Dict[str, np.ndarray]
    fps: float
    scale: float
    notes: List[str]


@dataclass
class _Reference:
    """A standing pose: positions (J, 3), rotations (J), and where it faces (rotation about z)."""

    pos: np.ndarray
    rot: Rotation
    facing: Rotation


def smoothed(motion: SkeletonMotion, cutoff: float = CUTOFF) -> SkeletonMotion:
    """The motion without what is faster than ``cutoff`` Hz; rates near it pass as they are."""
    if motion.fps <= 2.5 * cutoff or motion.frames < 4:
        return motion
    sos = butter(4, cutoff, fs=motion.fps, output="sos")
    pad = min(3 * (2 * len(sos) + 1), motion.frames - 2)
    quat = motion.rotations.copy()
    flips = np.cumprod(np.where((quat[1:] * quat[:-1]).sum(-1) < 0.0, -1.0, 1.0), axis=0)
    quat[1:] *= flips[..., None]
    quat = sosfiltfilt(sos, quat, axis=0, padlen=pad)
    quat /= np.linalg.norm(quat, axis=-1, keepdims=True)
    pos = sosfiltfilt(sos, motion.root_pos, axis=0, padlen=pad)
    return SkeletonMotion(motion.names, motion.parents, motion.offsets, quat, pos, motion.fps,
                          motion.kind, list(motion.notes))


def upright(motion: SkeletonMotion, bones: BoneMap) -> SkeletonMotion:
    """The motion with z up, where its format leaves the axis open (BVH, SMPL).

    The rest pose tells by the trunk over the feet; the world is otherwise only when the trunk
    points another way in nearly all frames, which a body that lies down and gets up does not do.
    """
    if motion.kind not in ("BVH", "AMASS/SMPL"):
        return motion
    rest = _up_axis(motion.world(rest=True)[0], bones) or (2, True)
    turn = _to_z(*rest)
    if rest != (2, True):
        motion = reframed(motion, turn, turn)
        motion.notes.append("up axis found from the rest pose")
    world = _up_axis(motion.world()[0], bones) or (2, True)
    if world != (2, True):
        motion = reframed(motion, np.eye(3), _to_z(*world))
        motion.notes.append("up axis found from the motion")
    return motion


def _up_axis(pos: np.ndarray, bones: BoneMap) -> Optional[Tuple[int, bool]]:
    """The axis and sign along which chest lies over ankles in 95 % of frames (T, J, 3), if any."""
    up = pos[:, bones.roles["chest"]] - 0.5 * (pos[:, bones.roles["right_ankle"]]
                                               + pos[:, bones.roles["left_ankle"]])
    up = _unit(up)
    axis = int(np.argmax(np.abs(up.sum(0))))
    sign = up[:, axis].sum() > 0.0
    clear = (up[:, axis] * (1.0 if sign else -1.0) > 0.85).mean()
    return (axis, bool(sign)) if clear > 0.95 else None


def _to_z(axis: int, positive: bool) -> np.ndarray:
    """The rotation that takes an axis of the world to z."""
    if axis == 2 and positive:
        return np.eye(3)
    start = np.zeros(3)
    start[axis] = 1.0 if positive else -1.0
    if axis == 2:
        return np.diag([1.0, -1.0, -1.0])
    return Rotation.align_vectors([[0.0, 0.0, 1.0]], [start])[0].as_matrix().round(12)


def read_pose(motion: SkeletonMotion, bones: BoneMap, mirror: bool, where: str) -> Pose:
    """Orientations and places that our body should take on, for every frame of the motion."""
    roles = bones.roles
    pos, rot = motion.world()
    frames, joints = pos.shape[:2]
    quats = to_quat(rot).reshape(frames, joints, 4)
    reference = _reference(motion, roles, pos, quats)
    leg = _leg_length(reference.pos, roles, where)
    notes = list(motion.notes)
    if motion.kind == "BVH":
        unit = guess_unit(leg)
        notes.append(f"unit of length guessed: {unit}" if unit else
                     f"unit of length unknown: the leg of {leg:g} is taken as ours")
    scale = OUR_LEG / leg
    turns = _Turns(roles, quats, pos, reference)
    names = {role: pos[:, i] * scale for role, i in roles.items()}
    body = {"pelvis": turns.against("pelvis"), "torso": turns.against("chest"),
            "head": turns.against("head" if "head" in roles else "chest")}
    for side in SIDES:
        body[f"{side}_upper_arm"], body[f"{side}_lower_arm"] = turns.limb(side, "arm")
        body[f"{side}_thigh"], body[f"{side}_shin"] = turns.limb(side, "leg")
        body[f"{side}_hand"] = turns.hand(side)
        body[f"{side}_foot"] = turns.foot(side)
    hips = 0.5 * (names["right_hip"] + names["left_hip"])
    ankle = np.stack([names[f"{side}_ankle"] for side in SIDES], 1)
    pose = Pose(hips, body, ankle, names, motion.fps, scale, notes)
    return _ahead(_mirrored(pose) if mirror else pose)


def _reference(motion: SkeletonMotion, roles: Dict[str, int], pos: np.ndarray,
               quats: np.ndarray) -> _Reference:
    """The rest pose if it stands, else the most upright frame."""
    rest, turn = motion.world(rest=True)
    rest = rest[0]
    ankles = 0.5 * (rest[roles["right_ankle"]] + rest[roles["left_ankle"]])
    up = rest[roles["chest"]] - ankles
    across = rest[roles["left_hip"]] - rest[roles["right_hip"]]
    stands = up[2] > 0.8 * np.linalg.norm(up) and \
        abs(across[2]) < 0.3 * max(float(np.linalg.norm(across)), 1e-9)
    if not stands:
        motion.notes.append("the rest pose does not stand; the most upright frame stands for it")
        frame = upright_frame(pos)
        rest, turn = pos[frame], to_rotation(quats[frame])
    left = rest[roles["left_hip"]] - rest[roles["right_hip"]] + \
        rest[roles["left_shoulder"]] - rest[roles["right_shoulder"]]
    return _Reference(rest, turn, Rotation.from_euler("z", np.arctan2(-left[0], left[1])))


def _leg_length(pos: np.ndarray, roles: Dict[str, int], where: str) -> float:
    """Hip to ankle along the leg, mean of both; PPPError for a limb without length."""
    total = []
    for side in SIDES:
        for limb in (("shoulder", "elbow", "wrist"), ("hip", "knee", "ankle")):
            for above, below in zip(limb, limb[1:]):
                length = np.linalg.norm(pos[roles[f"{side}_{below}"]]
                                        - pos[roles[f"{side}_{above}"]])
                if length < 1e-6:
                    raise PPPError(f"{where}: the bone from {side} {above} to {below} has no "
                                   "length; mend the skeleton or the bone map")
                if limb[0] == "hip":
                    total.append(length)
    return float(sum(total) / 2.0)


class _Turns:
    """Rotations of our bodies (T) from the foreign joints' positions and rotations."""

    def __init__(self, roles: Dict[str, int], quats: np.ndarray, pos: np.ndarray,
                 reference: _Reference) -> None:
        self.roles, self.quats, self.pos, self.ref = roles, quats, pos, reference
        self.forward = reference.facing.apply([1.0, 0.0, 0.0])

    def _rot(self, role: str) -> Rotation:
        return to_rotation(self.quats[:, self.roles[role]])

    def _at_reference(self, role: str) -> Rotation:
        return self.ref.rot[self.roles[role]]

    def against(self, role: str, ours: Optional[Rotation] = None) -> Rotation:
        """A body that is fixed to a foreign joint and has orientation ``ours`` in the reference
        (default: upright, facing where the reference faces)."""
        ours = self.ref.facing if ours is None else ours
        return self._rot(role) * (self._at_reference(role).inv() * ours)

    def limb(self, side: str, which: str) -> Tuple[Rotation, Rotation]:
        """Upper and lower part of an arm or a leg: along their bones, about the hinge between."""
        ends = ("shoulder", "elbow", "wrist") if which == "arm" else ("hip", "knee", "ankle")
        first, middle, last = (self.pos[:, self.roles[f"{side}_{e}"]] for e in ends)
        upper, lower = _unit(middle - first), _unit(last - middle)
        cross = np.cross(lower, upper) if which == "arm" else np.cross(upper, lower)
        bend = np.linalg.norm(cross, axis=-1, keepdims=True)
        role = f"{side}_{ends[0]}"
        straight = self._rot(role).apply(self._hinge(role, side, which, cross, bend[:, 0]))
        share = np.clip((bend - _BEND[0]) / (_BEND[1] - _BEND[0]), 0.0, 1.0)
        share = np.where((cross * straight).sum(-1, keepdims=True) < 0.0, 0.0, share)
        share = share * share * (3.0 - 2.0 * share)
        axis = share * cross / np.maximum(bend, 1e-9) + (1.0 - share) * straight
        return frames_of(-upper, axis), frames_of(-lower, axis)

    def _hinge(self, role: str, side: str, which: str, cross: np.ndarray, bend: np.ndarray
               ) -> np.ndarray:
        """The hinge in the upper bone's own frame: mean over the frames that bend, or as the
        reference has it (elbows bend forwards, knees backwards)."""
        ends = ("shoulder", "elbow") if which == "arm" else ("hip", "knee")
        a, b = (self.ref.pos[self.roles[f"{side}_{e}"]] for e in ends)
        along = _unit(b - a)
        axis = np.cross(self.forward, along)
        default = self._at_reference(role).inv().apply(axis / max(np.linalg.norm(axis), 1e-6))
        weight = bend * (bend > _BEND[1])
        if weight.sum() < 3.0:
            return default
        mean = (self._rot(role).inv().apply(cross) * (bend > _BEND[1])[:, None]).sum(0)
        return _unit(mean) if np.linalg.norm(mean) > 0.7 * weight.sum() else default

    def hand(self, side: str) -> Rotation:
        """Fingers along -z, the thumb along x: a fist's blade stands out at the thumb's side."""
        place = {e: self.ref.pos[self.roles[f"{side}_{e}"]] for e in
                 ("elbow", "wrist", "hand", "thumb", "palm") if f"{side}_{e}" in self.roles}
        along = place["hand"] - place["wrist"] if "hand" in place else np.zeros(3)
        if np.linalg.norm(along) < 1e-6:
            along = place["wrist"] - place["elbow"]
        along = _unit(along)
        thumb = place["thumb"] - place.get("palm", place["wrist"]) if "thumb" in place \
            else np.zeros(3)
        across = thumb - (thumb @ along) * along
        if np.linalg.norm(across) < 0.2 * max(float(np.linalg.norm(thumb)), 1e-9) \
                or not across.any():
            across = self.forward - (self.forward @ along) * along
        role = f"{side}_palm" if f"{side}_palm" in self.roles else f"{side}_wrist"
        ours = frames_of(-along[None], np.cross(-along, _unit(across))[None])[0]
        return self.against(role, ours)

    def foot(self, side: str) -> Rotation:
        """Level in the reference, towards the toes, rolled as the shin stands there."""
        ankle, knee = (self.ref.pos[self.roles[f"{side}_{e}"]] for e in ("ankle", "knee"))
        toes = self.forward
        if f"{side}_toe" in self.roles:
            toes = self.ref.pos[self.roles[f"{side}_toe"]] - ankle
        toes = np.array([toes[0], toes[1], 0.0])
        toes = _unit(toes) if np.linalg.norm(toes) > 1e-6 else self.forward
        shin = _unit(knee - ankle)
        up = _unit(shin - (shin @ toes) * toes)
        return self.against(f"{side}_ankle", frames_of(up[None], np.cross(up, toes)[None])[0])


def frames_of(z: np.ndarray, y: np.ndarray) -> Rotation:
    """Rotations (T) whose z axis is ``z`` (T, 3) and whose y axis is nearest to ``y`` (T, 3)."""
    z = _unit(z)
    x = _unit(np.cross(y, z))
    return Rotation.from_matrix(np.stack((x, np.cross(z, x), z), -1))


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.maximum(np.linalg.norm(vector, axis=-1, keepdims=True), 1e-12)


def _mirrored(pose: Pose) -> Pose:
    """Left and right exchanged, reflected in the plane y = 0."""
    flip = np.array([1.0, -1.0, 1.0])
    body = {_other(name): Rotation.from_rotvec(turn.as_rotvec() * [-1.0, 1.0, -1.0])
            for name, turn in pose.rot.items()}
    joints = {_other(role): place * flip for role, place in pose.joints.items()}
    return Pose(pose.pelvis * flip, body, pose.ankle[:, ::-1] * flip, joints, pose.fps, pose.scale,
                [*pose.notes, "mirrored"])


def _other(name: str) -> str:
    if name.startswith("right_"):
        return "left_" + name[6:]
    return "right_" + name[5:] if name.startswith("left_") else name


def _ahead(pose: Pose) -> Pose:
    """The motion turned so that it begins at the origin, the pelvis facing x."""
    forward = pose.rot["pelvis"][0].apply([1.0, 0.0, 0.0])
    turn = Rotation.from_euler("z", -np.arctan2(forward[1], forward[0]))
    start = pose.pelvis[0] * [1.0, 1.0, 0.0]

    def moved(place: np.ndarray) -> np.ndarray:
        return turn.apply((place - start).reshape(-1, 3)).reshape(place.shape)

    return Pose(moved(pose.pelvis), {n: turn * r for n, r in pose.rot.items()}, moved(pose.ankle),
                {role: moved(p) for role, p in pose.joints.items()}, pose.fps, pose.scale,
                pose.notes)


