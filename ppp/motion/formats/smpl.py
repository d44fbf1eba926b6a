"""AMASS and SMPL motions (``.npz``): axis-angle poses, z up.

Facts: the AMASS page (Mahmood et al. 2019) and the SMPL paper (Loper et al. 2015) for the arrays
``poses`` (T, 3 J), ``trans`` (T, 3), ``mocap_framerate`` and the order of joints. A subject's rest
skeleton comes out of the body model, which may not be passed on; retargeting needs directions
only, so a body of common proportions stands in (segment lengths as shares of height: Winter,
Biomechanics and Motor Control of Human Movement, after Drillis and Contini).
"""
from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Dict

import numpy as np
from scipy.spatial.transform import Rotation

from ppp.errors import PPPError
from ppp.motion.formats.skeleton_motion import (
    MAX_FILE_BYTES,
    Y_UP,
    SkeletonMotion,
    check_length,
    checked,
    reframed,
    to_quat,
)

HEIGHT = 1.7
#: name, parent, offset as shares of height (y up, x left, z forward)
_BODY = (
    ("pelvis", -1, (0.0, 0.0, 0.0)),
    ("left_hip", 0, (0.047, -0.045, 0.0)), ("right_hip", 0, (-0.047, -0.045, 0.0)),
    ("spine1", 0, (0.0, 0.065, -0.01)),
    ("left_knee", 1, (0.01, -0.245, 0.0)), ("right_knee", 2, (-0.01, -0.245, 0.0)),
    ("spine2", 3, (0.0, 0.075, 0.0)),
    ("left_ankle", 4, (0.0, -0.246, -0.01)), ("right_ankle", 5, (0.0, -0.246, -0.01)),
    ("spine3", 6, (0.0, 0.035, 0.0)),
    ("left_foot", 7, (0.01, -0.03, 0.075)), ("right_foot", 8, (-0.01, -0.03, 0.075)),
    ("neck", 9, (0.0, 0.125, -0.02)),
    ("left_collar", 9, (0.045, 0.07, -0.01)), ("right_collar", 9, (-0.045, 0.07, -0.01)),
    ("head", 12, (0.0, 0.05, 0.02)),
    ("left_shoulder", 13, (0.065, 0.02, -0.01)), ("right_shoulder", 14, (-0.065, 0.02, -0.01)),
    ("left_elbow", 16, (0.155, 0.0, 0.0)), ("right_elbow", 17, (-0.155, 0.0, 0.0)),
    ("left_wrist", 18, (0.146, 0.0, 0.0)), ("right_wrist", 19, (-0.146, 0.0, 0.0)),
    ("left_hand", 20, (0.05, 0.0, 0.0)), ("right_hand", 21, (-0.05, 0.0, 0.0)),
)
#: joints in a file: SMPL without and with hands, SMPL-H, SMPL-X
_COUNTS = (22, 24, 52, 55)
_BODY_JOINTS = 22


def is_smpl(arrays: Dict[str, np.ndarray]) -> bool:
    """Whether the arrays of an ``.npz`` look like AMASS."""
    return "poses" in arrays or "trans" in arrays


def load_npz_arrays(path: Path) -> Dict[str, np.ndarray]:
    """Every array of an ``.npz`` that needs no pickle; PPPError when it is none."""
    if not path.is_file():
        raise PPPError(f"{path}: no such file; check the name")
    if path.stat().st_size > MAX_FILE_BYTES:
        raise PPPError(f"{path}: larger than {MAX_FILE_BYTES // 2**20} MiB; this is no motion clip")
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(info.file_size for info in archive.infolist()) > 4 * MAX_FILE_BYTES:
                raise PPPError(f"{path}: unpacks to more than {4 * MAX_FILE_BYTES // 2**20} MiB; "
                               "this is no motion clip")
        with np.load(path, allow_pickle=False) as data:
            return {name: data[name] for name in data.files
                    if name in ("poses", "trans", "mocap_framerate", "mocap_frame_rate", "fps",
                                "root_pos")}
    except (ValueError, OSError, EOFError, KeyError, MemoryError, zipfile.BadZipFile) as error:
        raise PPPError(f"{path}: not a readable .npz ({error}); download it again") from None


def load_smpl(path: Path) -> SkeletonMotion:
    """Read an AMASS or SMPL ``.npz``; fingers and face are left out."""
    arrays = load_npz_arrays(path)
    rate = next((arrays[k] for k in ("mocap_framerate", "mocap_frame_rate", "fps") if k in arrays),
                None)
    for name in ("poses", "trans"):
        if name not in arrays or arrays[name].ndim != 2 or arrays[name].dtype.kind not in "fiu":
            raise PPPError(f"{path}: has no table '{name}'; an AMASS motion holds poses (T, 3 J), "
                           "trans (T, 3) and mocap_framerate")
    if rate is None or rate.size != 1 or rate.dtype.kind not in "fiu":
        raise PPPError(f"{path}: has no 'mocap_framerate'; an AMASS motion tells its rate")
    poses, trans = arrays["poses"].astype(float), arrays["trans"].astype(float)
    if trans.shape != (len(poses), 3) or poses.shape[1] not in [3 * n for n in _COUNTS]:
        raise PPPError(f"{path}: 'poses' has shape {poses.shape} and 'trans' {trans.shape}; "
                       "expected (T, 66, 72, 156 or 165) and (T, 3)")
    check_length(len(poses), float(rate.reshape(-1)[0]), path)
    if not (np.isfinite(poses).all() and np.isfinite(trans).all()):
        raise PPPError(f"{path}: 'poses' or 'trans' holds values that are not finite; mend the "
                       "source")
    joints = 24 if poses.shape[1] == 72 else _BODY_JOINTS
    vectors = poses.reshape(len(poses), -1, 3)[:, :joints]
    quats = to_quat(Rotation.from_rotvec(vectors.reshape(-1, 3))).reshape(len(poses), joints, 4)
    body = _BODY[:joints]
    if joints == _BODY_JOINTS:  # the hands' tips give the wrists a direction
        body = _BODY
        still = np.tile([1.0, 0.0, 0.0, 0.0], (len(poses), 2, 1))
        quats = np.concatenate((quats, still), 1)
    offsets = np.array([offset for *_, offset in body]) * HEIGHT
    raw = SkeletonMotion([n for n, *_ in body], [p for _, p, _ in body], offsets, quats, trans,
                         float(rate.reshape(-1)[0]), "AMASS/SMPL",
                         ["bone lengths: common proportions (the file holds none)"])
    return checked(reframed(raw, Y_UP, np.eye(3)), path)
