"""A policy in a task's environment: what every test of a task is made of."""
from __future__ import annotations

import dataclasses
import tempfile
from pathlib import Path
from typing import Any, Dict, List, Optional

import torch
from torch import Tensor

from ppp.engines.scene import Scene
from ppp.errors import PPPError
from ppp.humanoid.rotations import quat_rotate, rotate_xy, wrap_angle
from ppp.learning.bundle import Policy, load_policy
from ppp.learning.checkpoint import load_checkpoint
from ppp.motion.library import MotionLibrary
from ppp.planning.performer import Poses
from ppp.planning.physics import snapshot, stacked
from ppp.planning.recording import Recording
from ppp.tasks.config import TaskConfig
from ppp.tasks.env import HumanoidEnv


def policy_from(path: Optional[Path]) -> Policy:
    """A policy from a bundle folder or a training checkpoint (.pt); None: the shipped one."""
    if path is None or Path(path).is_dir():
        return load_policy(path)
    load_checkpoint(path)  # a clear sentence before anything is built from it
    from ppp.learning.export import export_bundle

    with tempfile.TemporaryDirectory() as folder:
        return load_policy(export_bundle(Path(path), Path(folder), {}))


class Film:
    """Poses of the first environment of each part of a test, for a video. fps 30."""

    def __init__(self, seconds: float = 5.0) -> None:
        self._most = int(30 * seconds)
        self._snapshots: List[Poses] = []
        self.steps: List[Dict[str, Any]] = []
        self.scene = Scene()

    def part(self, name: str, scene: Scene) -> None:
        """A new part of the film begins, called ``name``."""
        self._left, self.scene = self._most, scene
        start = len(self._snapshots) / 30.0
        self.steps.append({"command": name, "skill": name, "target": [0.0, 0.0], "start": start,
                           "end": start, "ended": ""})

    def take(self, state: Any) -> None:
        """One frame, until the part is full."""
        if self._left <= 0:
            return
        self._left -= 1
        self._snapshots.append(snapshot(state))
        self.steps[-1]["end"] = len(self._snapshots) / 30.0

    def recording(self, task: str) -> Recording:
        """The film as the viewers take it."""
        return Recording(task, "", 30.0, self.scene, *stacked(self._snapshots), steps=self.steps)


class Episodes:
    """Runs a task's environment with a policy and adds up what the figures need."""

    def __init__(self, task: TaskConfig, policy: Policy, num_envs: int, seed: int,
                 film: Optional[Film] = None, engine: str = "mujoco_cpu") -> None:
        skills = task.skills or policy.skills
        missing = [s for s in skills if s not in policy.skills]
        if missing:
            raise PPPError(f"task {task.name}: field 'skills' has '{missing[0]}', which the policy "
                           f"was not trained on; it has {', '.join(policy.skills)}")
        # a test counts falls; having strayed from the clip ends training episodes only
        ends = [name for name in task.terminations if name != "strayed"]
        task = dataclasses.replace(task, terminations=ends)
        library = MotionLibrary(task.motion_path(), skills)
        self.env = HumanoidEnv(task, num_envs, seed, engine, library)
        # the offset of the actions is the policy's own, not this library's mean pose
        self.env.actions = policy.action_map
        self.policy = policy
        self.film = film
        if film is not None:
            film.part(library.skills[0] if len(library.skills) == 1 else task.name, task.scene())
        self.to_policy = torch.tensor([policy.index(s) for s in library.skills])

    def step(self, obs: Tensor):
        """One control step of the deterministic policy."""
        skill = self.to_policy[self.env.commands.skill]
        if self.film is not None:
            self.film.take(self.env.engine.state)
        return self.env.step(self.policy.action(obs, skill))


def heading_error(state: Any, target: Tensor, offset: Tensor) -> Tensor:
    """Angle between the pelvis (turned by the travel offset) and the target, rad, (N,)."""
    x_axis = torch.tensor([1.0, 0.0, 0.0]).expand(target.shape[0], 3)
    axis = rotate_xy(quat_rotate(state.root_rot, x_axis)[:, :2], offset)
    gap = target - state.root_pos[:, :2]
    return wrap_angle(torch.atan2(gap[:, 1], gap[:, 0]) - torch.atan2(axis[:, 1], axis[:, 0])).abs()
