"""A recording in few bytes: what the page embeds, and how it is read back.

Rotations are 16-bit quaternions; the bodies' positions are 16-bit offsets from the pelvis, whose
own positions are 32-bit floats; props that never move are stored once. Little-endian, base64.
"""
from __future__ import annotations

import base64
from typing import Any, Dict

import numpy as np

from ppp.planning.recording import Recording

_FULL = 32767.0


def pack(recording: Recording) -> Dict[str, Any]:
    """The recording's motion as JSON-ready values; :func:`unpack` gives it back.

    Keys: frames, fps, root, scale, offsets, rotations (bodies), moving (indices of the props that
    move), prop_pos, prop_rot (of those), still (first [x, y, z, w, x, y, z] of every prop).
    """
    root = recording.body_pos[:, :1]
    offsets = recording.body_pos[:, 1:] - root
    scale = max(float(np.abs(offsets).max()), 1e-6) / _FULL
    moving = _moving(recording)
    still = np.concatenate([recording.prop_pos[0], recording.prop_rot[0]], axis=-1)
    return {
        "frames": len(root), "fps": float(recording.fps), "scale": scale,
        "root": _encode(root, "<f4"), "offsets": _encode(np.round(offsets / scale), "<i2"),
        "rotations": _encode(np.round(_unit(recording.body_rot) * _FULL), "<i2"),
        "moving": moving, "still": [[round(float(v), 5) for v in row] for row in still],
        "prop_pos": _encode(recording.prop_pos[:, moving], "<f4"),
        "prop_rot": _encode(np.round(_unit(recording.prop_rot[:, moving]) * _FULL), "<i2"),
    }


def unpack(packed: Dict[str, Any]) -> Dict[str, np.ndarray]:
    """body_pos (T, 17, 3), body_rot (T, 17, 4), prop_pos (T, P, 3), prop_rot (T, P, 4) again."""
    frames, still = packed["frames"], np.array(packed["still"], dtype=np.float32).reshape(-1, 7)
    root = _decode(packed["root"], "<f4").reshape(frames, 1, 3)
    offsets = _decode(packed["offsets"], "<i2").reshape(frames, -1, 3) * packed["scale"]
    prop_pos = np.tile(still[:, :3], (frames, 1, 1))
    prop_rot = np.tile(still[:, 3:], (frames, 1, 1))
    count = len(packed["moving"])
    prop_pos[:, packed["moving"]] = _decode(packed["prop_pos"], "<f4").reshape(frames, count, 3)
    prop_rot[:, packed["moving"]] = (
        _decode(packed["prop_rot"], "<i2").reshape(frames, count, 4) / _FULL)
    return {"body_pos": np.concatenate([root, root + offsets], axis=1),
            "body_rot": _decode(packed["rotations"], "<i2").reshape(frames, -1, 4) / _FULL,
            "prop_pos": prop_pos, "prop_rot": prop_rot}


def _moving(recording: Recording) -> list:
    """Indices of the props that leave their first pose by more than 0.1 mm or 0.0001 in a turn."""
    def spread(values: np.ndarray) -> np.ndarray:
        return np.abs(values - values[:1]).max(axis=(0, 2))

    moves = (spread(recording.prop_pos) > 1e-4) | (spread(recording.prop_rot) > 1e-4)
    return [int(i) for i in np.flatnonzero(moves)]


def _unit(rot: np.ndarray) -> np.ndarray:
    return rot / np.maximum(np.linalg.norm(rot, axis=-1, keepdims=True), 1e-9)


def _encode(values: np.ndarray, kind: str) -> str:
    return base64.b64encode(np.ascontiguousarray(values).astype(kind).tobytes()).decode("ascii")


def _decode(text: str, kind: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), dtype=kind).astype(np.float32)
