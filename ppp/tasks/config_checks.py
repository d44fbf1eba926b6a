"""What a task file may not say: one sentence each, with the file, the field and the mend."""
from __future__ import annotations

from ppp.engines.scene import KINDS
from ppp.errors import PPPError, unknown
from ppp.humanoid.skeleton import BODY_ID
from ppp.tasks.commands import RULES
from ppp.tasks.config import ALGOS, TaskConfig
from ppp.tasks.rewards import REWARDS
from ppp.tasks.terminations import TERMINATIONS


def check_task(config: TaskConfig, source: str) -> None:
    """PPPError for the first field of ``config`` that makes no sense; source: the file's name."""
    _check_names(config, source)
    _check_numbers(config, source)
    _check_command(config, source)
    _check_spans(config, source)
    _check_props(config, source)


def _check_names(config: TaskConfig, source: str) -> None:
    for name in (*config.rewards, *config.high_level):
        if name not in REWARDS:
            raise PPPError(f"{source}: {unknown('reward', name, REWARDS)}")
    for name in config.terminations:
        if name not in TERMINATIONS:
            raise PPPError(f"{source}: {unknown('termination', name, TERMINATIONS)}")
    if config.command.rule not in RULES:
        raise PPPError(f"{source}: {unknown('command rule', config.command.rule, RULES)}")
    if config.algo not in ALGOS:
        raise PPPError(f"{source}: {unknown('algo', config.algo, ALGOS)}")
    if config.command.reach_with not in BODY_ID:
        raise PPPError(f"{source}: field 'reach_with' of 'command': "
                       f"{unknown('body', config.command.reach_with, BODY_ID)}")


def _check_numbers(config: TaskConfig, source: str) -> None:
    if not 2 <= config.window <= 60:
        raise PPPError(f"{source}: field 'window' must be 2 to 60 frames")
    if config.episode_length < 1:
        raise PPPError(f"{source}: field 'episode_length' must be 1 step or more")
    for name, weight in config.skill_weights.items():
        if weight <= 0:
            raise PPPError(f"{source}: field 'skill_weights', '{name}' must be above 0; to leave a "
                           "skill out, list the others in 'skills'")


def _check_command(config: TaskConfig, source: str) -> None:
    command = config.command
    low, high = (command.hold + [0, 0])[:2]
    if not 1 <= low <= high:
        raise PPPError(f"{source}: field 'hold' needs two numbers of steps, 1 <= lowest <= highest")
    for name in ("distance", "approach_distance"):
        span = getattr(command, name)
        if len(span) != 2 or not 0 <= span[0] <= span[1]:
            raise PPPError(f"{source}: field '{name}' needs two numbers in m, 0 <= lowest <= "
                           "highest")
    for name in ("anywhere", "switch_start", "approach", "in_reach", "focus", "rise"):
        if not 0.0 <= getattr(command, name) <= 1.0:
            raise PPPError(f"{source}: field '{name}' of 'command' must be 0 to 1")
    if not 0.0 <= command.steer <= command.sharp:
        raise PPPError(f"{source}: fields 'steer' and 'sharp' of 'command' must be in rad, "
                       "0 <= steer <= sharp")
    if not command.blows or min(command.blows.values()) <= 0:
        raise PPPError(f"{source}: field 'blows' of 'command' needs at least one skill, each with "
                       "a number above 0")


def _check_spans(config: TaskConfig, source: str) -> None:
    """Pairs of a lowest and a highest value."""
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


def _check_props(config: TaskConfig, source: str) -> None:
    for prop in config.props:
        if prop.kind not in KINDS:
            raise PPPError(f"{source}: {unknown('kind of prop', prop.kind, KINDS)}")
        if len(prop.position) != 2 or len(prop.size) != 3 or min(prop.size) <= 0:
            raise PPPError(f"{source}: prop '{prop.name}' needs a position [x, y] and a size of "
                           "three numbers above 0, in m")
        if prop.mass is not None and prop.mass <= 0:
            raise PPPError(f"{source}: prop '{prop.name}': field 'mass' must be above 0 kg")
    strikes = bool(config.props) and config.props[0].kind == "target"
    for name in ("in_reach", "approach"):
        if getattr(config.command, name) and not strikes:
            raise PPPError(f"{source}: field '{name}' of 'command' needs something to strike: make "
                           "a target the first of 'props'")
    if config.command.rule == "approach_and_strike" and not strikes:
        raise PPPError(f"{source}: rule approach_and_strike needs a target: the first of 'props' "
                       "must be of kind target")
    boxes = [prop.name for prop in config.props if prop.kind == "target"]
    for name in config.throw.props:
        if name not in boxes:
            raise PPPError(f"{source}: field 'throw.props': '{name}' is no prop of kind target; "
                           "add it to 'props'")
