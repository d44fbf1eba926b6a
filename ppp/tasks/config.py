"""A task as data: which skills, which scene, which rewards, when an episode ends."""
from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Dict, List, Optional, Union

from ppp.engines.scene import KINDS, TARGET_SIZE, Prop, Scene
from ppp.errors import PPPError, unknown
from ppp.humanoid.skeleton import BODY_ID
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
    anywhere: share of targets in any direction. switch_start: share of episodes that start in a
    frame of another skill than the commanded one.
    approach: share of episodes, under the rule random, that walk up to the first prop from
    ``approach_distance`` m and strike it down (none without walk_forward and a blow in 'skills').
    blows: skills to strike with, and how often each.
    in_reach: share of episodes that start with a blow to strike (a skill whose clips have hits) in
    which the first prop stands within its reach.
    focus: skills that fail oftener are drawn oftener, by the failure rate to this power (0: never).
    """

    rule: str = "random"
    hold: List[int] = field(default_factory=lambda: [30, 150])
    distance: List[float] = field(default_factory=lambda: [2.0, 8.0])
    heading_noise: float = 0.3
    anywhere: float = 0.15
    switch_start: float = 0.2
    strike_distance: float = 1.15
    reach_with: str = "sword"
    point: PointConfig = field(default_factory=PointConfig)
    approach: float = 0.0
    approach_distance: List[float] = field(default_factory=lambda: [1.5, 5.0])
    blows: Dict[str, float] = field(default_factory=lambda: {"slash": 1.0})
    in_reach: float = 0.0
    focus: float = 0.0


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
    _check(config, str(path))
    return config


def _check(config: TaskConfig, source: str) -> None:
    # imported here: the registries import this module's types
    from ppp.tasks.commands import RULES
    from ppp.tasks.rewards import REWARDS
    from ppp.tasks.terminations import TERMINATIONS

    for name in (*config.rewards, *config.high_level):
        if name not in REWARDS:
            raise PPPError(f"{source}: {unknown('reward', name, REWARDS)}")
    for name in config.terminations:
        if name not in TERMINATIONS:
            raise PPPError(f"{source}: {unknown('termination', name, TERMINATIONS)}")
    if config.command.rule not in RULES:
        raise PPPError(f"{source}: {unknown('command rule', config.command.rule, RULES)}")
    for prop in config.props:
        if prop.kind not in KINDS:
            raise PPPError(f"{source}: {unknown('kind of prop', prop.kind, KINDS)}")
    low, high = (config.command.hold + [0, 0])[:2]
    if not 1 <= low <= high:
        raise PPPError(f"{source}: field 'hold' needs two numbers of steps, 1 <= lowest <= highest")
    if not 2 <= config.window <= 60:
        raise PPPError(f"{source}: field 'window' must be 2 to 60 frames")
    if config.episode_length < 1:
        raise PPPError(f"{source}: field 'episode_length' must be 1 step or more")
    for name in ("distance", "approach_distance"):
        span = getattr(config.command, name)
        if len(span) != 2 or not 0 <= span[0] <= span[1]:
            raise PPPError(f"{source}: field '{name}' needs two numbers in m, 0 <= lowest <= "
                           "highest")
    for name in ("anywhere", "switch_start", "approach", "in_reach", "focus"):
        if not 0.0 <= getattr(config.command, name) <= 1.0:
            raise PPPError(f"{source}: field '{name}' of 'command' must be 0 to 1")
    for name in ("in_reach", "approach"):
        if getattr(config.command, name) and not config.props:
            raise PPPError(f"{source}: field '{name}' of 'command' needs something to strike: add "
                           "a target to 'props'")
    if not config.command.blows or min(config.command.blows.values()) <= 0:
        raise PPPError(f"{source}: field 'blows' of 'command' needs at least one skill, each with "
                       "a number above 0")
    if config.algo not in ALGOS:
        raise PPPError(f"{source}: {unknown('algo', config.algo, ALGOS)}")
    _check_spans(config, source)
    for name, weight in config.skill_weights.items():
        if weight <= 0:
            raise PPPError(f"{source}: field 'skill_weights', '{name}' must be above 0; to leave a "
                           "skill out, list the others in 'skills'")
    for prop in config.props:
        if len(prop.position) != 2 or len(prop.size) != 3 or min(prop.size) <= 0:
            raise PPPError(f"{source}: prop '{prop.name}' needs a position [x, y] and a size of "
                           "three numbers above 0, in m")
        if prop.mass is not None and prop.mass <= 0:
            raise PPPError(f"{source}: prop '{prop.name}': field 'mass' must be above 0 kg")
    if config.command.rule == "approach_and_strike" and (
            not config.props or config.props[0].kind != "target"):
        raise PPPError(f"{source}: rule approach_and_strike needs a target: the first of 'props' "
                       "must be of kind target")


def _check_spans(config: TaskConfig, source: str) -> None:
    """Pairs of a lowest and a highest value, and the names of thrown props and reaching bodies."""
    point, throw = config.command.point, config.throw
    spans = {"point.distance": point.distance, "point.bearing": point.bearing,
             "point.height": point.height, "throw.interval": throw.interval,
             "throw.speed": throw.speed, "throw.height": throw.height}
    for name, span in spans.items():
        if len(span) != 2 or span[0] > span[1]:
            raise PPPError(f"{source}: field '{name}' needs two numbers, lowest <= highest")
    if throw.interval[0] < 1 or throw.speed[0] <= 0 or throw.distance <= 0:
        raise PPPError(f"{source}: field 'throw' needs an interval of 1 step or more, a speed and "
                       "a distance above 0")
    boxes = [p.name for p in config.props if p.kind == "target"]
    for name in throw.props:
        if name not in boxes:
            raise PPPError(f"{source}: field 'throw.props': '{name}' is no prop of kind target; "
                           "add it to 'props'")
    if config.command.reach_with not in BODY_ID:
        raise PPPError(f"{source}: field 'reach_with' of 'command': "
                       f"{unknown('body', config.command.reach_with, BODY_ID)}")
