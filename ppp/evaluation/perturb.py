"""How hard a policy can be hit: thrown boxes, measured pushes, getting up again.

``ppp run --task HumanoidPerturb --test`` and ``ppp eval pushes``.
"""
from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

import torch
from torch import Tensor

from ppp.errors import PPPError
from ppp.evaluation.episodes import Episodes, Film, policy_from
from ppp.evaluation.travel import quiet
from ppp.humanoid.rotations import rotate_xy, up_z, yaw_of
from ppp.learning.bundle import Policy
from ppp.outputs import check_file, write_json
from ppp.tasks.config import TaskConfig, load_task
from ppp.tasks.terminations import lies

#: where a push comes from, and its direction in the heading frame
SIDES = {"front": (-1.0, 0.0), "back": (1.0, 0.0), "left": (0.0, -1.0), "right": (0.0, 1.0)}
#: impulses of the table, N s (52 kg: 26 N s make 0.5 m/s)
IMPULSES = (10.0, 20.0, 30.0, 40.0, 60.0, 80.0)
#: seconds before a push and after it
BEFORE, AFTER = 1.0, 3.0
#: fallen: the pelvis below this, m, or up.z of the pelvis below this, or lying
LOW, LEAN = 0.5, 0.5
#: up again: the pelvis above this, m, and upright (30 degrees), for so many control steps
STANDS, UPRIGHT, STEADY = 0.7, 0.866, 15
#: seconds of an episode of thrown boxes; a hit counts this long after its throw, a fall so long
#: after the hit
SECONDS, HIT_WITHIN, FALL_WITHIN = 30.0, 1.5, 2.0
GET_UP = "get_up"


def down(state: Any) -> Tensor:
    """Who has fallen, (N,) bool."""
    low, lean = state.root_pos[:, 2] < LOW, up_z(state.root_rot) < LEAN
    return low | lean | lies(state.contact_force, state.bodies.pos)


def upright(state: Any) -> Tensor:
    """Who stands, (N,) bool."""
    return (state.root_pos[:, 2] > STANDS) & (up_z(state.root_rot) > UPRIGHT)


def pushes(policy: Policy, task: TaskConfig, skill: str, each: int, seed: int,
           impulses: Sequence[float] = IMPULSES) -> Dict[str, Dict[str, float]]:
    """Share of pushes after which nobody fell within 3 s: {"10 N s": {"front": ..., ...}, ...}.

    An impulse acts on the pelvis at once, ``each`` times a size and side, 1 s after a start from
    ``skill``'s own clips under the command ``skill``. Who fell before the push is not counted; a
    cell where nobody stood is NaN.
    """
    sides = list(SIDES)
    cells = [(size, side) for size in impulses for side in sides for _ in range(each)]
    task = dataclasses.replace(quiet(task, policy, [skill]), props=[], skills=[skill],
                               terminations=[])
    run = Episodes(task, policy, len(cells), seed)
    env = run.env
    env.reset()
    fell = torch.zeros(len(cells), dtype=torch.bool)
    for _ in range(int(BEFORE * 30)):
        fell |= down(run.step(env.observe())[3]["state"])
    stood = ~fell
    way = rotate_xy(torch.tensor([SIDES[side] for _, side in cells]),
                    yaw_of(env.engine.state.root_rot))
    impulse = torch.zeros(len(cells), 3)
    impulse[:, :2] = torch.tensor([size for size, _ in cells])[:, None] * way
    env.engine.push(torch.arange(len(cells)), impulse)
    for _ in range(int(AFTER * 30)):
        fell |= down(run.step(env.observe())[3]["state"])
    env.close()
    survived = (~fell).float().where(stood, torch.tensor(float("nan"))).reshape(
        len(impulses), len(sides), each)
    share = survived.nanmean(-1)
    return {f"{size:g} N s": {side: float(share[i, j]) for j, side in enumerate(sides)}
            for i, size in enumerate(impulses)}


class _Fates:
    """Who stands, was hit, fell and got up, over an episode of thrown boxes."""

    def __init__(self, count: int) -> None:
        none = torch.zeros(count, dtype=torch.long)
        self.fallen = torch.zeros(count, dtype=torch.bool)
        self.steady = none.clone()
        self.since_hit = torch.full((count,), 10 ** 6)
        self.counted = torch.zeros(count, dtype=torch.bool)
        self.hits, self.felled, self.falls, self.rises, self.stood = 0, 0, 0, 0, 0

    def step(self, state: Any, age: Tensor) -> None:
        """One control step: the state, and the steps since each one's last throw, (N,)."""
        self.counted &= age > 0
        new = state.prop_touched.any(1) & (age < HIT_WITHIN * 30) & ~self.counted & ~self.fallen
        self.counted |= new
        self.since_hit = torch.where(new, torch.zeros_like(self.since_hit), self.since_hit + 1)
        falls = down(state) & ~self.fallen
        self.steady = torch.where(upright(state), self.steady + 1, torch.zeros_like(self.steady))
        rises = self.fallen & (self.steady >= STEADY)
        self.fallen = (self.fallen | falls) & ~rises
        self.hits += int(new.sum())
        self.falls += int(falls.sum())
        self.felled += int((falls & (self.since_hit < FALL_WITHIN * 30)).sum())
        self.rises += int(rises.sum())
        self.stood += int((~self.fallen).sum())


def test_perturb(policy: Policy, task: TaskConfig, episodes: int, seed: int,
                 film: Optional[Film] = None) -> Dict[str, Any]:
    """Boxes thrown for 30 s at humanoids told to stand, and the table of pushes.

    standing: share of the time; hits; survived: share of hits without a fall within 2 s; falls;
    recovered: share of falls after which it stood again (by get_up, where the policy has it).
    """
    skill = next((s for s in task.skills if s in policy.skills), policy.skills[0])
    names = [skill] + ([GET_UP] if GET_UP in policy.skills else [])
    calm = dataclasses.replace(quiet(task, policy, names), terminations=[])
    run = Episodes(dataclasses.replace(calm, skills=names, skill_weights={skill: 1e6}), policy,
                   episodes, seed, film)
    env = run.env
    env.reset()
    env.age[:] = 0
    fates, rise = _Fates(episodes), len(names) - 1
    for _ in range(int(SECONDS * 30)):
        env.commands.skill = torch.where(fates.fallen, rise, 0)
        infos = run.step(env.observe())[3]
        fates.step(infos["state"], env.throws.age)
    env.close()
    hits, falls = max(fates.hits, 1), max(fates.falls, 1)
    return {"pushes": pushes(policy, task, skill, max(1, episodes // 8), seed),
            "standing": fates.stood / (episodes * SECONDS * 30), "hits": fates.hits,
            "survived": 1.0 - fates.felled / hits, "falls": fates.falls,
            "recovered": fates.rises / falls if fates.falls else float("nan"),
            "get_up": GET_UP in policy.skills}


@dataclass
class Args:
    """Which pushes a policy survives, by impulse and side."""

    bundle: Optional[Path] = None
    """Policy bundle (folder) or checkpoint (.pt); default: the shipped one."""
    skill: str = "idle"
    """The skill that is commanded meanwhile."""
    seeds: int = 3
    """Seeds; the table holds means over them."""
    each: int = 8
    """Pushes a size and side, a seed."""
    impulses: List[float] = field(default_factory=lambda: list(IMPULSES))
    """Their sizes, N s."""
    json: Optional[Path] = None
    """Also write the table here."""


def main(argv: Optional[List[str]] = None) -> int:
    """Entry point of ``ppp eval pushes``."""
    from ppp.evaluation.task_test import print_figures
    from ppp.options import read_options

    args = read_options(Args, argv, "ppp eval pushes", __doc__)
    if args.seeds < 1 or args.each < 1:
        raise PPPError("--seeds and --each must be 1 or more")
    if not args.impulses or min(args.impulses) <= 0:
        raise PPPError("--impulses needs numbers above 0, in N s")
    check_file(args.json)
    policy = policy_from(args.bundle)
    policy.index(args.skill)
    task = load_task("HumanoidPerturb")
    with torch.no_grad():
        runs = [pushes(policy, task, args.skill, args.each, seed, args.impulses)
                for seed in range(args.seeds)]
    table = {size: {side: float(torch.tensor([run[size][side] for run in runs]).nanmean())
                    for side in SIDES} for size in runs[0]}
    figures = {"task": f"pushes while told to {args.skill}", "seeds": args.seeds,
               "survived": table}
    print_figures(figures)
    if args.json:
        write_json(figures, args.json)
    return 0
