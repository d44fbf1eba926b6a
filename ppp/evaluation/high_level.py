"""Tests of a high-level policy: the task performed without exploration, success by its own rule."""
from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, Dict, Optional

import torch
from torch import Tensor

from ppp.engines.scene import TIPPED
from ppp.evaluation.episodes import Film
from ppp.evaluation.travel import REACHED, REACHED_CLOSELY
from ppp.humanoid.rotations import up_z
from ppp.learning.hrl import DecisionEnv
from ppp.learning.hrl_train import load_high_level
from ppp.tasks.config import TaskConfig

#: seconds of an episode; a point to touch is kept for so many of them
SECONDS, KEPT = 20.0, 4.0
#: a point is touched within these distances, m
TOUCHED, TOUCHED_CLOSELY = 0.2, 0.1


def test_high_level(path: Path, task: TaskConfig, episodes: int, seed: int,
                    film: Optional[Film] = None) -> Dict[str, Any]:
    """20 s of a task under a checkpoint of ``--algo hrl``.

    All tasks: reward (mean while up), fell. Points to touch, a new one every 4 s: touched within
    0.2 m, touched_01 within 0.1 m, nearest_m (mean). Targets: arrival within 0.5 m, arrival_03.
    With a prop to strike down: strike. What is open when it falls is lost.
    """
    loaded = load_high_level(path)
    held = dataclasses.replace(task.command, hold=[10 ** 6, 10 ** 6])
    task = dataclasses.replace(task, command=held, episode_length=10 ** 6, mix=loaded.task.mix)
    run = DecisionEnv(task, loaded.low, loaded.config, seed, num_envs=episodes)
    env, none = run.env, torch.zeros(episodes, dtype=torch.bool)
    obs = run.reset()
    if film is not None:
        film.part(task.name, task.scene())
        run.watch = film.take
    goal, fell, tipped = env.commands.target.clone(), none, none
    nearest, parts, paid, alive = torch.full((episodes,), float("inf")), [], 0.0, 0
    decisions, every = int(SECONDS * 30 / run.hold), max(1, int(KEPT * 30 / run.hold))
    for t in range(decisions):
        if run.reaches and t and t % every == 0:
            parts.append(nearest)
            obs = new_points(run)
            nearest = torch.full((episodes,), float("inf"))
        if not run.reaches and not run.props:
            env.commands.target[~fell] = goal[~fell]
        obs, reward, _, infos = run.step(loaded.high.act(obs))
        fell = fell | infos["terminated"]
        paid, alive = paid + float(reward[~fell].sum()), alive + int((~fell).sum())
        state = infos["state"]
        distance = (state.bodies.pos[:, env.reaching] - env.commands.point).norm(dim=-1) \
            if run.reaches else (goal - state.root_pos[:, :2]).norm(dim=-1)
        nearest = torch.where(fell, nearest, torch.minimum(nearest, distance))
        if run.props:
            tipped = tipped | (~fell & (up_z(state.prop_state[:, 0, 3:7]) < TIPPED))
    run.close()
    figures = {"reward": paid / max(alive, 1), "fell": _share(fell)}
    return {**figures, **_success(run, torch.cat([*parts, nearest]), tipped)}


def new_points(run: DecisionEnv) -> Tensor:
    """Every humanoid gets another point to touch; the observations (N, O)."""
    state, ids = run.env.engine.state, torch.arange(run.num_envs)
    run.env.commands.aim(ids, state.root_pos, state.root_rot, None)
    return run.observe()


def _success(run: DecisionEnv, nearest: Tensor, tipped: Tensor) -> Dict[str, float]:
    if run.reaches:
        seen = nearest[nearest.isfinite()]
        return {"touched": _share(nearest < TOUCHED), "touched_01": _share(
            nearest < TOUCHED_CLOSELY), "nearest_m": float(seen.mean())}
    if run.props:
        return {"strike": _share(tipped)}
    return {"arrival": _share(nearest < REACHED), "arrival_03": _share(nearest < REACHED_CLOSELY)}


def _share(who: Tensor) -> float:
    return float(who.float().mean())
