"""The clips in the simulator: how well the teacher follows each of them. No policy in it."""
from __future__ import annotations

import dataclasses
from typing import Any, Dict, Optional

import torch

from ppp.evaluation.episodes import Film
from ppp.humanoid.observation import FRAME
from ppp.learning.teacher import Teacher
from ppp.motion.library import MotionLibrary
from ppp.tasks.config import TaskConfig
from ppp.tasks.env import HumanoidEnv

#: seconds that each skill is performed
SECONDS = 10.0


def test_view_motion(task: TaskConfig, episodes: int, seed: int, film: Optional[Film] = None
                     ) -> Dict[str, Any]:
    """Every skill's clips from random frames for 10 s, performed by the warm start's teacher.

    The teacher feeds the servos from the clip and keeps the balance (``ppp.learning.teacher``). Of
    the steps before a fall: joint_error_deg (root mean square over the 31 DoFs), height_error_cm
    (mean) and imitation against the reference frame; survived: share that did not fall.
    """
    skills = MotionLibrary(task.motion_path(), task.skills or None).skills
    each = max(1, episodes // len(skills))
    rows = {skill: follow(task, skill, each, seed, film) for skill in skills}
    mean = {name: sum(r[name] for r in rows.values()) / len(rows) for name in
            ("survived", "joint_error_deg", "height_error_cm", "imitation")}
    return {"per_skill": rows, **mean}


def follow(task: TaskConfig, skill: str, count: int, seed: int, film: Optional[Film] = None
           ) -> Dict[str, float]:
    """Figures of one skill; see :func:`test_view_motion`."""
    task = dataclasses.replace(task, skills=[skill], episode_length=10 ** 6, rewards={
        "imitation": 1.0}, terminations=[t for t in task.terminations if t != "strayed"])
    env = HumanoidEnv(task, count, seed)
    env.reset()
    teacher = Teacher(env)
    if film is not None:
        film.part(skill, task.scene())
    up, alive = torch.ones(count, dtype=torch.bool), 0
    square = height = like = 0.0
    for _ in range(int(SECONDS * 30)):
        if film is not None:
            film.take(env.engine.state)
        infos = env.step(teacher.actions())[3]
        up &= ~infos["terminated"]
        state, rows = infos["state"], infos["reference"]
        gap = (state.joint_pos - env.library.joint_pos[rows])[up]
        alive += len(gap)
        square += float(gap.square().mean(-1).sum())
        high = env.library.frame[rows][:, FRAME["height"]][:, 0]
        height += float((state.root_pos[:, 2] - high).abs()[up].sum())
        like += float(infos["terms"]["imitation"][up].sum())
    env.close()
    alive = max(alive, 1)
    return {"survived": float(up.float().mean()), "seconds_up": alive / count / 30.0,
            "joint_error_deg": (square / alive) ** 0.5 * 180 / torch.pi,
            "height_error_cm": 100.0 * height / alive, "imitation": like / alive}
