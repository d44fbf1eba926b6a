"""A made-up performance: a humanoid glides along a path, swings, and a target tips over."""
from __future__ import annotations

import math

import numpy as np
import torch

from ppp.engines.scene import Prop, Scene
from ppp.humanoid.kinematics import forward_kinematics
from ppp.humanoid.skeleton import DOF_NAMES, NUM_DOFS
from ppp.planning.recording import Recording

WAY = [(0.0, 0.0), (1.6, 1.5), (4.2, 1.7), (5.3, 0.2)]
SCENE = Scene((Prop("red block", "obstacle", (3.0, 0.0), (0.6, 2.0, 1.0)),
               Prop("target", "target", (6.0, 0.0)),
               Prop("start", "marker", (0.0, 0.0))))


def path(frames: int) -> np.ndarray:
    """Positions (frames, 2) along WAY at an even pace, m, with rounded corners."""
    way = np.array(WAY)
    lengths = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(way, axis=0), axis=1))])
    along = np.linspace(0, lengths[-1], frames)
    points = np.stack([np.interp(along, lengths, way[:, i]) for i in range(2)], axis=1)
    held = np.pad(points, ((8, 8), (0, 0)), mode="edge")
    return np.stack([np.convolve(held[:, i], np.ones(17) / 17, "valid") for i in range(2)], 1)


def humanoid(xy: np.ndarray, fps: float):
    """Body positions (T, 17, 3) and rotations (T, 17, 4) of a gliding, striding humanoid."""
    frames = len(xy)
    joints = np.zeros((frames, NUM_DOFS), dtype=np.float32)
    beat = 2 * math.pi * np.arange(frames) / fps
    for side, sign in (("right", 1.0), ("left", -1.0)):
        joints[:, DOF_NAMES.index(f"{side}_hip_y")] = -0.1 + 0.45 * sign * np.sin(beat)
        joints[:, DOF_NAMES.index(f"{side}_knee_y")] = 0.45 - 0.35 * sign * np.cos(beat)
        joints[:, DOF_NAMES.index(f"{side}_elbow_y")] = -1.2
        joints[:, DOF_NAMES.index(f"{side}_shoulder_y")] = 0.3 * sign * np.sin(beat)
    joints[-frames // 6:, DOF_NAMES.index("right_shoulder_y")] -= 1.3
    step = np.gradient(xy, axis=0)
    yaw = np.unwrap(np.arctan2(step[:, 1], step[:, 0]))
    root_pos = np.concatenate([xy, np.full((frames, 1), 0.87)], axis=1)
    root_rot = np.stack([np.cos(yaw / 2), 0 * yaw, 0 * yaw, np.sin(yaw / 2)], axis=1)
    still = torch.zeros(frames, 3)
    state = forward_kinematics(torch.tensor(root_pos, dtype=torch.float32),
                               torch.tensor(root_rot, dtype=torch.float32),
                               torch.tensor(joints), still, still, torch.zeros(frames, NUM_DOFS))
    return state.pos.numpy(), state.rot.numpy()


def recording(seconds: float = 12.0, fps: float = 30.0) -> Recording:
    """A performance of the given length, with three steps, three checks and a tipping target."""
    frames = int(round(seconds * fps))
    body_pos, body_rot = humanoid(path(frames), fps)
    prop_pos = np.zeros((frames, 2, 3), dtype=np.float32)
    prop_rot = np.zeros((frames, 2, 4), dtype=np.float32)
    prop_pos[:, 0], prop_rot[:, :, 0] = (3.0, 0.0, 0.5), 1.0
    tip = np.clip((np.arange(frames) - 0.88 * frames) / (0.06 * frames), 0, 1) * math.pi / 2
    prop_pos[:, 1] = np.stack([6 + 0.9 * np.sin(tip), 0 * tip,
                               0.9 * np.cos(tip) + 0.2 * np.sin(tip)], axis=1)
    prop_rot[:, 1] = np.stack([np.cos(tip / 2), 0 * tip, np.sin(tip / 2), 0 * tip], axis=1)
    steps = [
        {"command": "walk around the block on its left", "skill": "walk_forward",
         "target": [1.6, 1.5], "start": 0.0, "end": 0.3 * seconds, "ended": "reached"},
        {"command": "run on to the target", "skill": "run", "target": [5.3, 0.2],
         "start": 0.3 * seconds, "end": 0.83 * seconds, "ended": "reached"},
        {"command": "strike it with the sword", "skill": "slash", "target": [6.0, 0.0],
         "start": 0.83 * seconds, "end": seconds, "ended": "done"},
    ]
    checks = [{"check": "target knocked over", "passed": True, "detail": "tilted 90 degrees"},
              {"check": "red block never touched", "passed": True, "detail": "0 contacts"},
              {"check": "never fell", "passed": True, "detail": ""}]
    return Recording("strike_behind_block",
                     "Strike the target behind the red block without touching the block.",
                     fps, SCENE, body_pos, body_rot, prop_pos, prop_rot, steps, checks, True)
