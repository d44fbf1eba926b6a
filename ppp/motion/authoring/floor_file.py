"""Clips of ``feet: {kind: floor}`` in skill files: YAML turned into performances.

  start   height of the pelvis (m), lies [pitch, roll, yaw] of the pelvis (degrees: about y, then
          about its own x and z) and the joints: how the humanoid rests at the beginning
  help    [N, N m]: bounds of the hand that leads the pelvis (none without it)
  ends    standing (without it), front or back: what the clip has to end in
Keys, in which everything that is not named stays as the key before has it (the first key: as
``start`` has it):
  t       s
  at      [x, y, z] of the pelvis, m, and lies as above: where the hand leads it
  balance share of both legs together, or [right, left]
  <joint> degrees, exponential map or angle; legs: [hip, knee, ankle] about y, of both legs
"""
from __future__ import annotations

from typing import Dict, List, Sequence

import numpy as np
from scipy.spatial.transform import Rotation

from ppp.errors import PPPError, unknown
from ppp.humanoid.skeleton import JOINTS, dof_slices
from ppp.motion.authoring.floor import ENDS, Performance
from ppp.motion.authoring.pose import wxyz
from ppp.motion.body import qpos_from

_COLUMNS: Dict[str, slice] = {joint.name: s for joint, s in zip(JOINTS, dof_slices())}
_START_FIELDS = ("height", "lies")
_KEY_FIELDS = ("t", "pose", "at", "lies", "balance")


def read_performance(spec: dict, poses: Dict[str, dict], where: str) -> Performance:
    """The performance of a clip; ``poses`` are its skill file's own (joints by name)."""
    for name in spec["feet"]:
        if name != "kind":
            raise unknown(f"field of feet in {where}", name, ("kind",))
    start = spec.get("start")
    if not isinstance(start, dict):
        raise PPPError(f"{where}: the field 'start' is missing; say how the humanoid lies")
    for name in _START_FIELDS:
        if name not in start:
            raise PPPError(f"{where}: 'start' has no '{name}'; add it")
    joints = _moved(np.zeros(_COLUMNS[JOINTS[-1].name].stop), start, _START_FIELDS,
                    f"{where}: start")
    place = np.array([0.0, 0.0, *_numbers(start["height"], 1, f"{where}: 'height'")])
    turn = _rotation(start["lies"], f"{where}: 'lies'")
    qpos = qpos_from(place[None], wxyz(turn)[None], np.radians(joints)[None])[0]
    rows: Dict[str, List[np.ndarray]] = {"targets": [], "balance": [], "places": [], "turns": []}
    times, balance = [], np.zeros(2)
    for number, key in enumerate(spec["keys"]):
        at = f"{where}, key {number + 1}"
        key = _with_pose(key, poses, at)
        times.append(_numbers(key["t"], 1, f"{at}: 't'")[0])
        joints = _moved(joints, key, _KEY_FIELDS, at)
        balance = _shares(key["balance"], at) if "balance" in key else balance
        place = np.array(_numbers(key["at"], 3, f"{at}: 'at'")) if "at" in key else place
        turn = _rotation(key["lies"], f"{at}: 'lies'") if "lies" in key else turn
        for name, row in zip(rows, (np.radians(joints), balance, place, turn.as_rotvec())):
            rows[name].append(row)
    if any(b <= a for a, b in zip(times, times[1:])):
        raise PPPError(f"{where}: the times of its keys do not increase; sort the keys")
    force, moment = _numbers(spec.get("help", [0, 0]), 2, f"{where}: 'help'")
    ends = spec.get("ends", ENDS[0])
    if ends not in ENDS:
        raise unknown(f"end of {where}", str(ends), ENDS)
    return Performance(qpos, np.array(times), help=(force, moment), ends=ends,
                       **{name: np.array(values) for name, values in rows.items()})


def _with_pose(key: dict, poses: Dict[str, dict], where: str) -> dict:
    if "t" not in key:
        raise PPPError(f"{where}: the field 't' (seconds) is missing; add it")
    if "pose" not in key:
        return key
    if key["pose"] not in poses:
        raise unknown(f"pose in {where}", key["pose"], poses)
    return {**poses[key["pose"]], **key}


def _moved(joints: np.ndarray, spec: dict, other: Sequence[str], where: str) -> np.ndarray:
    """Joint degrees (31,) with those replaced that ``spec`` names."""
    out = joints.copy()
    for name, value in spec.items():
        if name in other:
            continue
        if name == "legs":
            hip, knee, ankle = _numbers(value, 3, f"{where}: 'legs'")
            for side in ("right", "left"):
                out[_COLUMNS[f"{side}_hip"].start + 1] = hip
                out[_COLUMNS[f"{side}_knee"]] = knee
                out[_COLUMNS[f"{side}_ankle"].start + 1] = ankle
        elif name in _COLUMNS:
            columns = _COLUMNS[name]
            out[columns] = _numbers(value, columns.stop - columns.start, f"{where}: '{name}'")
        else:
            raise unknown(f"field of {where}", name, [*_COLUMNS, "legs", *other])
    return out


def _shares(value: object, where: str) -> np.ndarray:
    if isinstance(value, list):
        return np.array(_numbers(value, 2, f"{where}: 'balance'"))
    return np.full(2, 0.5 * _numbers(value, 1, f"{where}: 'balance'")[0])


def _rotation(value: object, where: str) -> Rotation:
    return Rotation.from_euler("YXZ", _numbers(value, 3, where), degrees=True)


def _numbers(value: object, count: int, where: str) -> List[float]:
    values = value if isinstance(value, list) else [value]
    good = all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in values)
    if len(values) != count or not good:
        raise PPPError(f"{where} is {value!r}; it needs {count} number{'s' * (count > 1)}")
    return [float(v) for v in values]
