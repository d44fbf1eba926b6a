"""``ppp eval engines``: do two simulators agree, and does a policy score alike on both?"""
from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Sequence

import torch
from torch import Tensor

from ppp.engines import CPU_ONLY, ENGINES, make_host_engine
from ppp.engines.base import Engine
from ppp.engines.scene import Prop, Scene
from ppp.errors import PPPError, unknown
from ppp.evaluation.crowd import RATE
from ppp.humanoid.observation import observe, observe_goal
from ppp.humanoid.rotations import quat_mul, quat_rotate, yaw_of, yaw_quat
from ppp.learning.bundle import Policy
from ppp.motion.library import MotionLibrary
from ppp.outputs import check_file, write_json

PARTS = ("agreement", "scores")
#: control steps after which states are compared
TIMES = (1, 3, 10, 30)
#: the prop of the comparison, and where it stands for a skill without a blow, m
SCENE = Scene((Prop("dummy", "target", (2.0, 0.0)),))
AWAY = 30.0
#: share of a blow's reach at which the prop's near side stands, and the least gap to it, m
CLOSE, CLEAR = 0.8, 0.05
#: iterations of the contact solver after which nothing changes any more
SOLVED = 30
#: a difference of this size at the start, rad, shows how far rounding alone would lead
ROUNDING = 1e-6
#: figures of a score that are shown
SCORES = ("skill_accuracy", "recognised", "windows", "survived", "imitation", "falls_per_100s")


@dataclass
class Args:
    """Compare simulators with mujoco_cpu: the same states and targets, and a policy's scores."""

    engine: str = "mujoco_warp"
    """Engine to compare with mujoco_cpu."""
    device: str = "cpu"
    """Where it simulates."""
    bundle: Optional[Path] = None
    """Policy bundle (folder) or checkpoint (.pt); default: the shipped one."""
    parts: List[str] = field(default_factory=lambda: list(PARTS))
    """What to compare: agreement, scores."""
    starts: int = 2
    """Starts of each skill in the agreement."""
    episodes: int = 2
    """Episodes of each skill in the scores, ten seconds each; few: Warp's CPU device is slow."""
    seed: int = 0
    """Seed of starts and episodes."""
    json: Optional[Path] = None
    """Also write the figures here."""


class Start(NamedTuple):
    """States for :meth:`Engine.reset`, n of each, and under which command the policy acts."""

    root_pos: Tensor
    root_rot: Tensor
    joint_pos: Tensor
    joint_vel: Tensor
    root_lin_vel: Tensor
    root_ang_vel: Tensor
    props: Tensor
    skill: Tensor  # (n,)
    target: Tensor  # (n, 2) m


def starts_of(library: MotionLibrary, each: int, seed: int) -> Start:
    """``each`` frames of clips of every skill, heading 0; who can strike has the prop in reach."""
    skill = torch.arange(len(library.skills)).repeat_interleave(each)
    rows = library.sample(skill, torch.Generator().manual_seed(seed))
    turn = yaw_quat(-yaw_of(library.root_rot[rows]))
    pos = library.root_pos[rows].clone()
    pos[:, :2] = 0.0
    ahead = library.goal_angle[rows]
    way = torch.stack((ahead.cos(), ahead.sin()), -1)
    reach = library.reach[skill]
    size = SCENE.bodies[0].size
    # nobody starts inside it: where shapes overlap deeply, simulators differ on which way is out
    near = torch.maximum(CLOSE * reach, library.extent[rows] + CLEAR) + 0.5 * size[0]
    far = torch.where(reach > 0, near, torch.full_like(reach, AWAY))
    props = torch.zeros(len(skill), 1, 7)
    props[:, 0, :2], props[:, 0, 2] = far[:, None] * way, 0.5 * size[2]
    props[:, 0, 3:] = yaw_quat(ahead)
    return Start(pos, quat_mul(turn, library.root_rot[rows]), library.joint_pos[rows],
                 library.joint_vel[rows], quat_rotate(turn, library.root_lin_vel[rows]),
                 quat_rotate(turn, library.root_ang_vel[rows]), props, skill, 3.0 * way)


def perform(engine: Engine, start: Start, steps: int, policy: Optional[Policy] = None,
            targets: Optional[Tensor] = None) -> Dict[str, Tensor]:
    """``steps`` control steps from a start: the policy's, or towards given targets (T, N, 31).

    Every state after a step: joint_pos, joint_vel (T, N, 31), root_pos (T, N, 3), root_vel
    (T, N, 6), prop_pos (T, N, 3), struck (T, N); and targets (T, N, 31).
    """
    engine.reset(torch.arange(len(start.skill)), *start[:7])
    kept: Dict[str, List[Tensor]] = {}
    for step in range(steps):
        state = engine.state
        if targets is None:
            goal = observe_goal(state.root_pos, state.root_rot, start.target)
            wanted = policy.targets(torch.cat((observe(state.bodies), goal), -1), start.skill)
        else:
            wanted = targets[step]
        engine.step(wanted)
        state = engine.state
        root = torch.cat((state.bodies.lin_vel[:, 0], state.bodies.ang_vel[:, 0]), -1)
        for name, value in (("joint_pos", state.joint_pos), ("joint_vel", state.joint_vel),
                            ("root_pos", state.root_pos), ("root_vel", root),
                            ("prop_pos", state.prop_state[:, 0, :3]),
                            ("struck", state.prop_touched[:, 0]), ("targets", wanted)):
            kept.setdefault(name, []).append(value)
    return {name: torch.stack(values) for name, values in kept.items()}


def differences(one: Dict[str, Tensor], two: Dict[str, Tensor]) -> Dict[str, Dict[str, float]]:
    """How far two performances are apart after each of TIMES: "1" -> figure -> value.

    joint_deg: rms over the joints, joint_vel: rms, rad/s; root_mm, prop_mm; root_vel, m/s; of each
    the median over the starts and, with ``_most``, the largest; struck: the share of the starts
    where both say alike whether the prop has been touched so far.
    """
    def rms(name: str) -> Tensor:
        return (one[name] - two[name]).square().mean(-1).sqrt()

    gap = {"joint_deg": torch.rad2deg(rms("joint_pos")), "joint_vel": rms("joint_vel"),
           "root_mm": 1000 * (one["root_pos"] - two["root_pos"]).norm(dim=-1),
           "root_vel": (one["root_vel"] - two["root_vel"])[..., :3].norm(dim=-1),
           "prop_mm": 1000 * (one["prop_pos"] - two["prop_pos"]).norm(dim=-1)}
    out: Dict[str, Dict[str, float]] = {}
    for time in (t for t in TIMES if t <= len(one["struck"])):
        row = out[str(time)] = {}
        for name, value in gap.items():
            row[name], row[f"{name}_most"] = (float(v) for v in (value[time - 1].median(),
                                                                 value[time - 1].max()))
        touched = [run["struck"][:time].any(0) for run in (one, two)]
        row["struck"] = float((touched[0] == touched[1]).float().mean())
    return out


def agreement(policy: Policy, library: MotionLibrary, engine: str, each: int, seed: int,
              device: str = "cpu", steps: int = TIMES[-1]) -> Dict[str, Any]:
    """mujoco_cpu performs with the policy; the engine gets the same states and the same targets.

    ``solved``: the same with SOLVED iterations of the contact solver on both; the usual few stop
    each simulator at another place. ``cpu left``, ``engine left``: how far from mujoco_cpu's
    solved motion the usual ones of both are. ``rounding``: what becomes of mujoco_cpu itself,
    started ROUNDING rad off in every joint: no engine that rounds differently can agree better.
    """
    start = starts_of(library, each, seed)

    def run(name: str, start: Start, targets: Optional[Tensor], iterations: Optional[int] = None
            ) -> Dict[str, Tensor]:
        made = make_host_engine(name, len(start.skill), SCENE,
                                None if name in CPU_ONLY else device, iterations=iterations)
        found = perform(made, start, steps, policy, targets)
        made.close()
        return found

    first = run("mujoco_cpu", start, None)
    targets = first["targets"]
    off = start._replace(joint_pos=start.joint_pos + ROUNDING)
    second = run(engine, start, targets)
    solved = [run(name, start, targets, SOLVED) for name in ("mujoco_cpu", engine)]
    return {"starts": len(start.skill), "struck": float(first["struck"].any(0).float().mean()),
            "engine": differences(first, second), "solved": differences(*solved),
            "cpu left": differences(solved[0], first),
            "engine left": differences(solved[0], second),
            "rounding": differences(first, run("mujoco_cpu", off, targets))}


def scores(policy: Policy, library: MotionLibrary, everything: MotionLibrary,
           engines: Sequence[str], each: int, seed: int, device: str = "cpu"
           ) -> Dict[str, Dict[str, float]]:
    """The figures of ``ppp eval policy --parts skills`` on each engine: engine -> figure."""
    from ppp.evaluation.classifier import NONE, train_classifier
    from ppp.evaluation.policy_figures import seed_figures
    from ppp.evaluation.policy_skills import hold_skills

    classifier = train_classifier(everything)
    out: Dict[str, Dict[str, float]] = {}
    for name in engines:
        def make(count: int, scene: Scene, name: str = name) -> Engine:
            return make_host_engine(name, count, scene, None if name in CPU_ONLY else device)

        rows = hold_skills(policy, library, classifier, each, seed, engine=make)
        figures = seed_figures({"skills": rows}, library, classifier.skills + [NONE])
        figures["imitation"] = sum(r["imitation"] for r in figures["per_skill"].values()) / len(
            figures["per_skill"])
        rows["crowd"].close()
        out[name] = {key: figures[key] for key in SCORES}
    return out


def compare(args: Args) -> Dict[str, Any]:
    """All figures as a dictionary, as --json writes them."""
    from ppp.evaluation.episodes import policy_from
    from ppp.tasks.config import load_task

    policy = policy_from(args.bundle)
    path = load_task("HumanoidSkills").motion_path()
    library = MotionLibrary(path, policy.skills)
    figures: Dict[str, Any] = {"reference": "mujoco_cpu", "engine": args.engine,
                               "device": args.device, "seed": args.seed}
    with torch.no_grad():
        if "agreement" in args.parts:
            figures["agreement"] = agreement(policy, library, args.engine, args.starts, args.seed,
                                             args.device)
    if "scores" in args.parts:
        figures["episodes"] = args.episodes
        figures["scores"] = scores(policy, library, MotionLibrary(path),
                                   ("mujoco_cpu", args.engine), args.episodes, args.seed,
                                   args.device)
    return figures


def print_report(figures: Dict[str, Any]) -> None:
    """The two tables."""
    from rich.console import Console
    from rich.table import Table

    console = Console(width=130)
    if "agreement" in figures:
        found = figures["agreement"]
        table = Table(title=f"{figures['engine']} and mujoco_cpu apart, {found['starts']} starts: "
                            "median (largest)", box=None)
        for head in ("s", "", "joints deg", "joints rad/s", "pelvis mm", "pelvis m/s", "prop mm",
                     "touched"):
            table.add_column(head, justify="right", no_wrap=True)
        for time in found["engine"]:
            for what in ("engine", "solved", "cpu left", "engine left", "rounding"):
                row = found[what][time]
                table.add_row(f"{int(time) / RATE:.2f}", what, *(
                    f"{_short(row[key])} ({_short(row[key + '_most'])})" for key in (
                        "joint_deg", "joint_vel", "root_mm", "root_vel", "prop_mm")),
                    f"{row['struck']:.0%}")
        console.print(table)
    if "scores" in figures:
        table = Table(title=f"scores, {figures['episodes']} episodes of each skill")
        table.add_column("figure")
        for name in figures["scores"]:
            table.add_column(name, justify="right")
        for key in SCORES:
            table.add_row(key.replace("_", " "), *(f"{row[key]:.3f}"
                                                   for row in figures["scores"].values()))
        console.print(table)


def _short(value: float) -> str:
    if 0 < value < 0.001:
        return f"{value:.1e}"
    return f"{value:.2g}" if value < 100 else f"{value:.0f}"


def main(argv: Optional[List[str]] = None) -> int:
    """Entry point of ``ppp eval engines``."""
    from ppp.options import read_options

    args = read_options(Args, argv, "ppp eval engines")
    if args.engine not in ENGINES:
        raise unknown("engine", args.engine, ENGINES)
    for part in args.parts:
        if part not in PARTS:
            raise unknown("part", part, PARTS)
    for name in ("starts", "episodes"):
        if getattr(args, name) < 1:
            raise PPPError(f"--{name} must be 1 or more")
    check_file(args.json)
    figures = compare(args)
    print_report(figures)
    if args.json:
        write_json(figures, args.json)
    return 0
