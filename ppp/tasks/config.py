"""A task as data: which skills, which scene, which rewards, when an episode ends."""
from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Dict, List, Optional, Union

from ppp.engines.scene import TARGET_SIZE, Prop, Scene
from ppp.errors import unknown
from ppp.settings import ROOT, build, load_yaml

#: how a task can be learnt
ALGOS = ("ppp", "hrl")
#: task name -> its YAML in cfg/env
TASKS = {
    "HumanoidSkills": "humanoid_skills.yaml",
    "HumanoidHeading": "humanoid_heading.yaml",
    "HumanoidLocation": "humanoid_location.yaml",
    "HumanoidReach": "humanoid_reach.yaml",
    "HumanoidStrike": "humanoid_strike.yaml",
    "HumanoidPerturb": "humanoid_perturb.yaml",
    "HumanoidViewMotion": "humanoid_view_motion.yaml",
}


@dataclass
class PropConfig:
    """A prop of the training scene; position in m, yaw in rad, mass in kg (else by density)."""

    name: str
    kind: str
    position: List[float]
    size: List[float] = field(default_factory=lambda: list(TARGET_SIZE))
    yaw: float = 0.0
    mass: Optional[float] = None


@dataclass
class PointConfig:
    """Where the points of the rule ``reach`` lie; each field the lowest and the highest value."""

    distance: List[float] = field(default_factory=lambda: [0.5, 1.2])
    bearing: List[float] = field(default_factory=lambda: [-1.0, 1.0])
    height: List[float] = field(default_factory=lambda: [0.5, 1.6])


@dataclass
class ThrowConfig:
    """Boxes thrown at the humanoid.

    props: names of those that are thrown. interval: control steps between two throws, lowest and
    highest. speed: horizontal, m/s. distance: that they come from, in any direction, m. height: of
    the point that they are aimed at, over the floor, m.
    """

    props: List[str] = field(default_factory=list)
    interval: List[int] = field(default_factory=lambda: [60, 120])
    speed: List[float] = field(default_factory=lambda: [3.0, 6.0])
    distance: float = 2.0
    height: List[float] = field(default_factory=lambda: [0.8, 1.2])


@dataclass
class CommandConfig:
    """Which (skill, target) an environment is told to follow, and for how long.

    rule: ``random`` draws a skill anew after each hold; ``approach_and_strike`` walks up to the
    target prop and strikes within ``strike_distance`` m; ``reach`` gives a point in space that the
    body ``reach_with`` is to touch, anew after each hold.
    point: where such points lie: lowest and highest distance from the pelvis, m, bearing to either
    side of the heading, rad, and height over the floor, m.
    hold: control steps a command is kept, lowest and highest.
    distance: of the target, m. heading_noise: of a target around where the clip goes, rad.
    steer, sharp: rad to the side from which the reference of a gait curves, and as sharply as it
    can; in between by levels. The gaits of ``gentle`` never leave the first.
    anywhere: share of targets in any direction. switch_start: share of episodes that start in a
    frame of another skill than the commanded one.
    approach: share of episodes, under the rule random, that walk up to the first prop from
    ``approach_distance`` m and strike it down (none without walk_forward and a blow in 'skills').
    blows: skills to strike with, and how often each.
    in_reach: share of episodes that start with a blow to strike (a skill whose clips have hits) in
    which the first prop stands within its reach.
    focus: skills that fail oftener are drawn oftener, by the failure rate to this power (0: never).
    rise: share of falls after which the next episode begins where the humanoid lies, told to get up
    (none without a skill that begins on the floor).
    """

    rule: str = "random"
    hold: List[int] = field(default_factory=lambda: [30, 150])
    distance: List[float] = field(default_factory=lambda: [2.0, 8.0])
    heading_noise: float = 0.3
    anywhere: float = 0.15
    steer: float = 0.2
    sharp: float = 0.8
    gentle: List[str] = field(default_factory=list)
    switch_start: float = 0.2
    strike_distance: float = 1.15
    reach_with: str = "sword"
    point: PointConfig = field(default_factory=PointConfig)
    approach: float = 0.0
    approach_distance: List[float] = field(default_factory=lambda: [1.5, 5.0])
    blows: Dict[str, float] = field(default_factory=lambda: {"slash": 1.0})
    in_reach: float = 0.0
    focus: float = 0.0
    rise: float = 0.0


@dataclass
class ActionConfig:
    """Joint target = mean pose + scale * action, clamped to the joint's range plus ``slack``.

    scale: rad per unit of action for each kind of joint; with one log sigma for all DoFs this
    also sets the exploration noise in rad at each joint.
    """

    legs: float = 1.0
    ankles: float = 0.7
    trunk: float = 0.8
    arms: float = 1.3
    slack: float = 0.3


@dataclass
class TaskConfig:
    """Everything a task says. Reward weights and terminations are names in their registries.

    algo: how it is learnt where the command line does not say: ``ppp`` trains the skill policy,
    ``hrl`` a high-level policy over one that is ready, by the rewards ``high_level``, which mixes
    the skills ``mix`` (empty: all; those that the skill policy lacks are left out).
    """

    name: str
    motion_file: str = "motions/library.yaml"
    skills: List[str] = field(default_factory=list)
    skill_weights: Dict[str, float] = field(default_factory=dict)
    props: List[PropConfig] = field(default_factory=list)
    command: CommandConfig = field(default_factory=CommandConfig)
    action: ActionConfig = field(default_factory=ActionConfig)
    throw: ThrowConfig = field(default_factory=ThrowConfig)
    algo: str = "ppp"
    rewards: Dict[str, float] = field(default_factory=lambda: {"facing": 1.0})
    high_level: Dict[str, float] = field(default_factory=dict)
    mix: List[str] = field(default_factory=list)
    terminations: List[str] = field(default_factory=lambda: ["fell"])
    episode_length: int = 300
    window: int = 2
    reset_noise: float = 0.0

    def scene(self) -> Scene:
        """The props as the engines take them."""
        return Scene(tuple(Prop(p.name, p.kind, (p.position[0], p.position[1]),
                                (p.size[0], p.size[1], p.size[2]), p.yaw, p.mass)
                           for p in self.props))

    def motion_path(self) -> Path:
        """The library's path; a relative one is looked up in the checkout."""
        path = Path(self.motion_file)
        return path if path.is_absolute() or path.exists() else ROOT / path


def load_task(name: str, cfg_env: Optional[Union[str, Path]] = None) -> TaskConfig:
    """The settings of task ``name``, from ``cfg_env`` when given, else from cfg/env."""
    if name not in TASKS:
        raise unknown("task", name, TASKS)
    path = Path(cfg_env) if cfg_env else ROOT / "cfg" / "env" / TASKS[name]
    config = build(TaskConfig, load_yaml(path), str(path))
    from ppp.tasks.config_checks import check_task  # the registries import this module's types

    check_task(config, str(path))
    return config
