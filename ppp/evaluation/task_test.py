"""``ppp run --test``: perform a task with a trained policy and print success figures."""
from __future__ import annotations

import dataclasses
import tempfile
from pathlib import Path
from typing import Any, Dict, List, Optional

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor

from ppp.engines.scene import TIPPED, Scene
from ppp.errors import PPPError
from ppp.humanoid.rotations import quat_rotate, rotate_xy, up_z, wrap_angle
from ppp.learning.bundle import Policy, load_policy
from ppp.learning.checkpoint import load_checkpoint
from ppp.motion.library import MotionLibrary
from ppp.planning.performer import Poses
from ppp.planning.physics import snapshot, stacked
from ppp.planning.recording import Recording
from ppp.tasks.config import TaskConfig, load_task
from ppp.tasks.env import HumanoidEnv

#: a target within this distance counts as reached, m
REACHED = 0.5


def policy_from(path: Optional[Path]) -> Policy:
    """A policy from a bundle folder or a training checkpoint (.pt); None: the shipped one."""
    if path is None or Path(path).is_dir():
        return load_policy(path)
    load_checkpoint(path)  # a clear sentence before anything is built from it
    from ppp.learning.train import export_bundle

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


def hold_skill(policy: Policy, task: TaskConfig, skill: str, count: int, seconds: float,
               seed: int, film: Optional[Film] = None) -> Dict[str, float]:
    """Command one skill for ``seconds`` from its own clips, target fixed 50 m ahead.

    survived: share without a fall; imitation: mean over the time stood; speed m/s; heading error
    deg (of the second half; skills that turn: mean yaw rate, deg/s).
    """
    quiet = dataclasses.replace(task.command, rule="random", hold=[10 ** 6, 10 ** 6],
                                distance=[50.0, 50.0], heading_noise=0.0, anywhere=0.0,
                                switch_start=0.0, approach=0.0)
    task = dataclasses.replace(task, command=quiet, skills=[skill], props=[],
                               rewards={"imitation": 1.0}, episode_length=10 ** 6)
    run = Episodes(task, policy, count, seed, film)
    env, obs = run.env, None
    obs = env.reset()
    up = torch.ones(count, dtype=torch.bool)
    sums = {"imitation": 0.0, "speed": 0.0, "heading": 0.0, "yaw_rate": 0.0}
    alive, steps = 0.0, int(seconds * 30)
    for _ in range(steps):
        obs, _, _, infos = run.step(obs)
        state = infos["state"]
        up &= ~infos["terminated"]
        alive += float(up.sum())
        offset = env.travel_offset[infos["skill"]]
        values = {"imitation": infos["terms"]["imitation"],
                  "speed": state.bodies.lin_vel[:, 0, :2].norm(dim=-1),
                  "heading": heading_error(state, env.commands.target, offset),
                  "yaw_rate": state.bodies.ang_vel[:, 0, 2]}
        for name, value in values.items():
            sums[name] += float(value[up].sum())
    env.close()
    alive = max(alive, 1.0)
    return {"survived": float(up.float().mean()), "seconds_up": alive / count / 30.0,
            "imitation": sums["imitation"] / alive, "speed": sums["speed"] / alive,
            "heading_error_deg": sums["heading"] / alive * 180 / torch.pi,
            "yaw_rate_deg_s": sums["yaw_rate"] / alive * 180 / torch.pi}


def test_skills(policy: Policy, task: TaskConfig, episodes: int, seed: int,
                film: Optional[Film] = None) -> Dict[str, Any]:
    """Every skill held for 10 s."""
    each = max(1, episodes // len(policy.skills))
    rows = {s: hold_skill(policy, task, s, each, 10.0, seed, film) for s in policy.skills}
    return {"per_skill": rows,
            "survived": sum(r["survived"] for r in rows.values()) / len(rows)}


def test_heading(policy: Policy, task: TaskConfig, episodes: int, seed: int,
                 film: Optional[Film] = None) -> Dict[str, Any]:
    """Targets 2 to 8 m away in any direction: reached within 0.5 m in 20 s, and falls."""
    anywhere = dataclasses.replace(task.command, rule="random", hold=[10 ** 6, 10 ** 6],
                                   anywhere=1.0, switch_start=0.0)
    task = dataclasses.replace(task, command=anywhere, skills=["walk_forward"],
                               episode_length=10 ** 6)
    run = Episodes(task, policy, episodes, seed, film)
    obs, env = run.env.reset(), run.env
    goal = env.commands.target.clone()
    start = (goal - env.engine.state.root_pos[:, :2]).norm(dim=-1)
    nearest = torch.full((episodes,), float("inf"))
    fell = torch.zeros(episodes, dtype=torch.bool)
    errors: List[Tensor] = []
    for t in range(600):
        env.commands.target[~fell] = goal[~fell]
        obs = env.observe()
        obs, _, _, infos = run.step(obs)
        fell |= infos["terminated"] & (nearest > REACHED)
        distance = (goal - infos["state"].root_pos[:, :2]).norm(dim=-1)
        nearest = torch.where(fell, nearest, torch.minimum(nearest, distance))
        going = ~fell & (nearest > 1.0)
        if t > 60 and going.any():
            error = heading_error(infos["state"], goal, env.travel_offset[infos["skill"]])
            errors.append(error[going])
    env.close()
    errors = torch.cat(errors) if errors else torch.zeros(1)
    return {"arrival": float((nearest < REACHED).float().mean()),
            "fell": float(fell.float().mean()),
            "heading_error_deg": float(errors.median()) * 180 / torch.pi,
            "mean_distance_m": float(start.mean())}


def test_strike(policy: Policy, task: TaskConfig, episodes: int, seed: int,
                film: Optional[Film] = None) -> Dict[str, Any]:
    """Walk to the target and strike it down within 20 s, without a fall before."""
    run = Episodes(dataclasses.replace(task, episode_length=10 ** 6), policy, episodes, seed, film)
    obs = run.env.reset()
    tipped = torch.zeros(episodes, dtype=torch.bool)
    by_sword = torch.zeros(episodes, dtype=torch.bool)
    fell = torch.zeros(episodes, dtype=torch.bool)
    for _ in range(600):
        obs, _, _, infos = run.step(obs)
        state = infos["state"]
        open_ = ~tipped & ~fell
        by_sword |= open_ & state.prop_struck[:, 0]
        tipped |= open_ & (up_z(state.prop_state[:, 0, 3:7]) < TIPPED)
        fell |= infos["terminated"] & ~tipped
    run.env.close()
    return {"strike": float(tipped.float().mean()),
            "by_sword": float((tipped & by_sword).float().mean()),
            "fell": float(fell.float().mean())}


TESTS = {"HumanoidSkills": test_skills, "HumanoidHeading": test_heading,
         "HumanoidStrike": test_strike}


def run_test(task_name: str, checkpoint: Optional[Path], episodes: int, seed: int,
             cfg_env: Optional[Path] = None, motion_file: Optional[Path] = None,
             film: Optional[Film] = None) -> Dict[str, Any]:
    """Perform a task with a policy and return its figures; ``film`` also takes pictures."""
    task = load_task(task_name, cfg_env)
    if motion_file:
        task = dataclasses.replace(task, motion_file=str(motion_file))
    policy = policy_from(checkpoint)
    with torch.no_grad():
        figures = TESTS[task_name](policy, task, episodes, seed, film)
    return {"task": task_name, "seed": seed, "episodes": episodes, **figures}


def print_figures(figures: Dict[str, Any]) -> None:
    """A table of the skills, and the other figures below it."""
    console = Console()
    rows = figures.get("per_skill")
    if rows:
        table = Table(title=f"{figures['task']}: each skill held for 10 s")
        names = list(next(iter(rows.values())))
        table.add_column("skill", no_wrap=True)
        for column in names:
            table.add_column(column.replace("_", " "), justify="right")
        for skill, row in rows.items():
            table.add_row(skill, *(f"{row[name]:.2f}" for name in names))
        console.print(table)
    for name, value in figures.items():
        if isinstance(value, float):
            console.print(f"{name.replace('_', ' ')}: {value:.3f}")
