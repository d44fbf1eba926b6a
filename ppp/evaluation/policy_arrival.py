"""Does every gait get to its target, and on which course?

Twice: by the gait alone, and with turns on the spot where the way lies behind, as the executor of a
plan commands them (:mod:`ppp.planning.settling`).
"""
from __future__ import annotations

from typing import Any, Callable, Dict, List

import torch
from torch import Tensor

from ppp.evaluation.crowd import RATE, Crowd, heading_errors
from ppp.evaluation.policy_skills import FAR, NEAR
from ppp.humanoid.rotations import rotate_xy, wrap_angle, yaw_of
from ppp.learning.bundle import Policy
from ppp.motion.library import MotionLibrary
from ppp.planning.settling import TURN_FROM, TURN_TO

#: arrived: the pelvis within this of the target, m, horizontally
WITHIN = 0.3
#: time limit: this long to turn and set off, s, and the way at the clips' speed times SLACK
SET_OFF, SLACK = 8.0, 1.5
#: heading is judged from here on, s, and until this near to the target, m
UNDER_WAY, CLOSE = 2.0, 1.0
#: the course is the displacement over this long, s
COURSE = 1.0


def travel(policy: Policy, library: MotionLibrary, each: int, seed: int,
           tick: Callable[[], None] = lambda: None, engine: str = "mujoco_cpu") -> Dict[str, Any]:
    """Send every gait to ``each`` targets 2 to 8 m away in any direction, with and without turns.

    Rows (N,): skill, turns (bool: told to turn on the spot first), distance m, bearing rad (from
    the gait's own course at the start), arrived, fell (before arriving), time s (taken, or until
    it ended), nearest m; heading and course: the errors of each episode's time under way in deg, a
    list of tensors; path: a list of (t, 2) from the start, turned so that the target is on +x; and
    the crowd.
    """
    generator = torch.Generator().manual_seed(seed)
    gaits = library.travels.nonzero().flatten()
    skill = gaits.repeat_interleave(each).repeat(2)
    count, half = len(skill), len(skill) // 2
    crowd = Crowd(policy, library, library.sample(skill, generator), skill, generator, engine,
                  keep=())
    distance = (NEAR + (FAR - NEAR) * torch.rand(half, generator=generator)).repeat(2)
    bearing = (torch.pi * (2.0 * torch.rand(half, generator=generator) - 1.0)).repeat(2)
    crowd.aim(bearing, distance)
    limit = time_limit(distance, library.speed[skill])
    ended = torch.zeros(count, dtype=torch.bool)
    arrived, time, nearest = ended.clone(), limit.clone(), distance.clone()
    turns = (torch.arange(count) >= half) & torch.tensor("turn_left" in library.skills
                                                          and "turn_right" in library.skills)
    places, errors = [crowd.state.root_pos[:, :2].clone()], []
    while not ended.all():
        turn_behind(crowd, turns & ~ended, skill)
        crowd.step()
        tick()
        gap = (crowd.target - crowd.state.root_pos[:, :2]).norm(dim=-1)
        places.append(crowd.state.root_pos[:, :2].clone())
        errors.append(heading_errors(crowd.state, crowd.target, crowd.travel_offset[skill]))
        nearest = torch.where(ended, nearest, torch.minimum(nearest, gap))
        here = ~ended & crowd.up & (gap < WITHIN)
        over = ~ended & (here | ~crowd.up | (crowd.time >= limit * RATE))
        arrived, ended = arrived | here, ended | over
        time[over] = crowd.time / RATE
    fell = ~crowd.up & ~arrived & (crowd.fell_at / RATE <= time + 1.0 / RATE)
    rows = {"skill": skill, "turns": turns, "distance": distance, "bearing": bearing,
            "arrived": arrived, "fell": fell, "time": time, "nearest": nearest, "crowd": crowd}
    rows.update(_courses(torch.stack(places), torch.stack(errors), crowd.target, time))
    return rows


def turn_behind(crowd: Crowd, who: Tensor, gait: Tensor) -> None:
    """Command a turn on the spot to those of ``who`` whose target lies behind their gait's way.

    It begins beyond TURN_FROM and lasts until TURN_TO or past the target.
    """
    sides = [crowd.library.skills.index(s) if s in crowd.library.skills else -1
             for s in ("turn_left", "turn_right")]
    gap = crowd.target - crowd.state.root_pos[:, :2]
    way = yaw_of(crowd.state.root_rot) + crowd.travel_offset[gait]
    off = wrap_angle(torch.atan2(gap[:, 1], gap[:, 0]) - way)
    begin = (crowd.skill == gait) & (off.abs() > TURN_FROM)
    side = torch.where(off > 0, sides[0], sides[1])
    over = (crowd.skill != gait) & ((off.abs() < TURN_TO) | (crowd.skill != side))
    wanted = torch.where(begin, side, torch.where(over, gait, crowd.skill))
    changed = ((wanted != crowd.skill) & who).nonzero().flatten()
    crowd.command(changed, wanted[changed])


def time_limit(distance: Tensor, speed: Tensor) -> Tensor:
    """Seconds (N,) for a way of ``distance`` m by a gait whose clips go at ``speed`` m/s."""
    return SET_OFF + SLACK * distance / speed


def _courses(places: Tensor, errors: Tensor, target: Tensor, time: Tensor
             ) -> Dict[str, List[Tensor]]:
    """Errors under way and paths of each episode; places (T + 1, N, 2), errors (T, N) rad."""
    lag = int(COURSE * RATE)
    heading, course, paths = [], [], []
    for i in range(places.shape[1]):
        path = places[:int(round(float(time[i]) * RATE)) + 1, i]
        gap = target[i] - path
        way = torch.atan2(gap[:, 1], gap[:, 0])
        paths.append(rotate_xy(path - path[0], -way[0].expand(len(path))))
        judged = gap.norm(dim=-1)[1:] > CLOSE
        judged[:int(UNDER_WAY * RATE)] = False
        heading.append(torch.rad2deg(errors[:len(judged), i][judged]))
        move = path[lag:] - path[:-lag]
        off = wrap_angle(torch.atan2(move[:, 1], move[:, 0]) - way[:len(move)]).abs()
        course.append(torch.rad2deg(off[judged[lag - 1:][:len(off)]]))
    return {"heading": heading, "course": course, "path": paths}
