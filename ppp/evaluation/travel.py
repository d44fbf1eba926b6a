"""Tests of the tasks that travel: headings kept, places reached, targets struck down.

No training for them: a :class:`ppp.evaluation.pilot.Pilot` commands the one policy's skills.
"""
from __future__ import annotations

import dataclasses
from typing import Any, Dict, List, Optional, Sequence

import torch
from torch import Tensor

from ppp.engines.scene import TIPPED
from ppp.errors import PPPError
from ppp.evaluation.episodes import Episodes, Film, heading_error
from ppp.evaluation.pilot import Pilot
from ppp.humanoid.rotations import up_z, wrap_angle
from ppp.learning.bundle import Policy
from ppp.planning.settling import STANDING
from ppp.planning.skills import REACH, TRAVEL
from ppp.tasks.config import TaskConfig

#: a target within these distances counts as reached, m
REACHED, REACHED_CLOSELY = 0.5, 0.3
#: a pilot that is to stand at a target stops walking this near to it, m
STOP = 0.2
#: seconds of an episode
SECONDS = 20.0
#: headings: seconds each is kept, and of its end that are judged
KEPT, JUDGED = 6.0, 2.0
#: a heading is kept when travel and facing are within this of it, rad, and the speed is within this
#: share of the clips' pace
WITHIN, PACE = 0.35, 0.4
#: a blow begins with the prop's near side at this share of the blow's reach. Measured with the
#: bundle of 7.7 M samples, a slash of 1.22 m and 32 targets of one seed: begun 0.7 m off it struck
#: 63 % down, 0.8: 56 %, 0.9: 88 %, 0.95: 94 %, 1.1: 84 %, 1.25 and 1.4: 75 %, 1.55: 47 %
STRIKE_FROM = 0.78
_HELPERS = (STANDING, "turn_left", "turn_right")


def gaits_of(policy: Policy, task: TaskConfig) -> List[str]:
    """The policy's gaits, the task's own first; PPPError where it has none of the task's."""
    wanted = [s for s in task.skills if s in TRAVEL] or ["walk_forward"]
    if not any(s in policy.skills for s in wanted):
        raise PPPError(f"task {task.name} needs the skill '{wanted[0]}', which the policy was not "
                       f"trained on; it has {', '.join(policy.skills)}")
    rest = [s for s in policy.skills if s in TRAVEL and s not in wanted]
    return [s for s in wanted if s in policy.skills] + rest


def quiet(task: TaskConfig, policy: Policy, skills: Sequence[str], **command: Any) -> TaskConfig:
    """The task with commands from outside only: ``skills`` and, where known, stand and turns."""
    names = [*skills, *(s for s in _HELPERS if s in policy.skills and s not in skills)]
    still = dataclasses.replace(task.command, rule="random", hold=[10 ** 6, 10 ** 6],
                                switch_start=0.0, approach=0.0, in_reach=0.0, **command)
    return dataclasses.replace(task, command=still, skills=names, skill_weights={},
                               rewards={"imitation": 1.0}, episode_length=10 ** 6)


def test_heading(policy: Policy, task: TaskConfig, episodes: int, seed: int,
                 film: Optional[Film] = None) -> Dict[str, Any]:
    """New directions every 6 s for 24 s with every gait; see :func:`keep_headings`."""
    gaits = gaits_of(policy, task)
    each = max(1, episodes // len(gaits))
    rows = {g: keep_headings(policy, task, g, each, seed, film) for g in gaits}
    return {"per_gait": rows, "heading": sum(r["kept"] for r in rows.values()) / len(rows),
            "fell": sum(r["fell"] for r in rows.values()) / len(rows)}


def keep_headings(policy: Policy, task: TaskConfig, gait: str, count: int, seed: int,
                  film: Optional[Film] = None) -> Dict[str, float]:
    """Figures of one gait, of the last 2 s of each direction.

    kept: share of directions in which travel and facing are within 20 degrees and the speed within
    40 % of the clips' pace (a fall loses its direction); travel_error_deg, facing_error_deg:
    medians; speed and pace, m/s; fell: share of episodes.
    """
    run = Episodes(quiet(task, policy, [gait], distance=[50.0, 50.0]), policy, count, seed, film)
    env, generator = run.env, torch.Generator().manual_seed(seed)
    env.reset()
    pilot = Pilot(env, gait, 0.0)
    pace, offset = float(env.library.speed[pilot.gait]), env.travel_offset[pilot.gait].expand(count)
    fell, kept, figures = torch.zeros(count, dtype=torch.bool), [], []
    steps, judged = int(KEPT * 30), int(JUDGED * 30)
    for _ in range(4):
        angle = 2 * torch.pi * torch.rand(count, generator=generator)
        way = torch.stack((angle.cos(), angle.sin()), -1)
        moved, faced = torch.zeros(count, 2), torch.zeros(count)
        whole = ~fell
        for t in range(steps):
            goal = env.engine.state.root_pos[:, :2] + 50.0 * way
            pilot.command(goal)
            infos = run.step(env.observe())[3]
            fell |= infos["terminated"]
            if t >= steps - judged:
                moved += infos["state"].bodies.lin_vel[:, 0, :2] / judged
                faced += heading_error(infos["state"], goal, offset) / judged
        speed = moved.norm(dim=-1)
        travel = wrap_angle(torch.atan2(moved[:, 1], moved[:, 0]) - angle).abs()
        good = (travel < WITHIN) & (faced < WITHIN) & ((speed - pace).abs() < PACE * pace)
        kept.append(good & ~fell)
        figures.append(torch.stack((travel, faced, speed), -1)[whole & ~fell])
    env.close()
    figures = torch.cat(figures)
    figures = figures if len(figures) else torch.full((1, 3), float("nan"))
    degrees = figures[:, :2].median(0).values * 180 / torch.pi
    return {"kept": float(torch.stack(kept).float().mean()),
            "travel_error_deg": float(degrees[0]), "facing_error_deg": float(degrees[1]),
            "speed": float(figures[:, 2].mean()), "pace": pace, "fell": float(fell.float().mean())}


def test_location(policy: Policy, task: TaskConfig, episodes: int, seed: int,
                  film: Optional[Film] = None) -> Dict[str, Any]:
    """Targets 2 to 8 m away in any direction, with every gait; figures of the task's own gait.

    arrival: share that came within 0.5 m in 20 s before a fall; arrival_03: within 0.3 m.
    """
    gaits = gaits_of(policy, task)
    each = max(1, episodes // len(gaits))
    rows = {g: go_to_targets(policy, task, g, each, seed, film) for g in gaits}
    return {"per_gait": rows, **rows[gaits[0]],
            "arrival_mean": sum(r["arrival"] for r in rows.values()) / len(rows)}


def go_to_targets(policy: Policy, task: TaskConfig, gait: str, count: int, seed: int,
                  film: Optional[Film] = None) -> Dict[str, float]:
    """Figures of one gait: arrival, arrival_03, stayed (within 0.5 m at the end), fell,
    heading_error_deg (median on the way, after 2 s)."""
    run = Episodes(quiet(task, policy, [gait], anywhere=1.0, distance=[2.0, 8.0]), policy, count,
                   seed, film)
    env = run.env
    env.reset()
    pilot = Pilot(env, gait, STOP)
    goal, offset = env.commands.target.clone(), env.travel_offset[pilot.gait].expand(count)
    nearest = torch.full((count,), float("inf"))
    fell = torch.zeros(count, dtype=torch.bool)
    errors: List[Tensor] = []
    distance = nearest
    for t in range(int(SECONDS * 30)):
        pilot.command(goal)
        infos = run.step(env.observe())[3]
        fell |= infos["terminated"]
        state = infos["state"]
        distance = (goal - state.root_pos[:, :2]).norm(dim=-1)
        nearest = torch.where(fell, nearest, torch.minimum(nearest, distance))
        going = ~fell & (nearest > 1.0) & (pilot.turning == 0)
        if t > 60 and going.any():
            errors.append(heading_error(state, goal, offset)[going])
    env.close()
    error = float(torch.cat(errors).median()) * 180 / torch.pi if errors else float("nan")
    return {"arrival": _share(nearest < REACHED), "arrival_03": _share(nearest < REACHED_CLOSELY),
            "stayed": _share(~fell & (distance < REACHED)), "fell": _share(fell),
            "heading_error_deg": error}


def test_strike(policy: Policy, task: TaskConfig, episodes: int, seed: int,
                film: Optional[Film] = None) -> Dict[str, Any]:
    """Targets 1.5 to 5 m away struck down in 20 s, without a fall before (CALM's rule: up.z < 0.2).

    strike: share tipped; by_sword: tipped, and touched by the sword before; fell.
    """
    blow = next((s for s in task.skills if s in REACH), "slash")
    gait = gaits_of(policy, task)[0]
    if blow not in policy.skills:
        raise PPPError(f"task {task.name} needs the skill '{blow}', which the policy was not "
                       f"trained on; it has {', '.join(policy.skills)}")
    task = quiet(task, policy, [gait, blow])
    run = Episodes(task, policy, episodes, seed, film)
    env = run.env
    env.reset()
    reach = float(env.library.reach[env.library.skills.index(blow)])
    pilot = Pilot(env, gait, STRIKE_FROM * reach + 0.5 * task.props[0].size[0], blow)
    tipped, by_sword, fell = torch.zeros(3, episodes, dtype=torch.bool)
    for _ in range(int(SECONDS * 30)):
        pilot.command(env.engine.state.prop_state[:, 0, :2])
        infos = run.step(env.observe())[3]
        state = infos["state"]
        open_ = ~tipped & ~fell
        by_sword |= open_ & state.prop_struck[:, 0]
        tipped |= open_ & (up_z(state.prop_state[:, 0, 3:7]) < TIPPED)
        fell |= infos["terminated"] & ~tipped
    env.close()
    return {"strike": _share(tipped), "by_sword": _share(tipped & by_sword), "fell": _share(fell)}


def _share(who: Tensor) -> float:
    return float(who.float().mean())
