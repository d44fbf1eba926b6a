"""cfg/ablations.yaml: studies of arms, and the settings of each of their runs."""
from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Tuple, TypeVar

from ppp.errors import PPPError, unknown
from ppp.learning.config import TrainConfig, check_batch, load_train
from ppp.settings import ROOT, build, load_yaml
from ppp.tasks.config import TaskConfig, load_task

T = TypeVar("T")
DEFAULT = ROOT / "cfg" / "ablations.yaml"
#: a run has at least this many iterations: small budgets are run with fewer humanoids
FEWEST = 8


@dataclass
class Change:
    """Settings that differ: other files, single fields of them."""

    title: str = ""
    cfg_env: Optional[str] = None
    cfg_train: Optional[str] = None
    task: Dict[str, Any] = field(default_factory=dict)
    train: Dict[str, Any] = field(default_factory=dict)


@dataclass
class Study(Change):
    """Arms that are compared with each other."""

    arms: Dict[str, Change] = field(default_factory=dict)


@dataclass
class Declaration:
    """The file."""

    samples: int
    base: Change
    studies: Dict[str, Study]
    seeds: int = 3


@dataclass
class Arm:
    """One line of a study's table."""

    study: str
    name: str
    title: str
    task: TaskConfig
    train: TrainConfig
    #: folder of its runs; arms with the same settings share one
    home: str = ""

    @property
    def samples(self) -> int:
        """Samples of one run, warm start included."""
        warm = self.train.warm_start
        return self.train.num_envs * (warm.iterations * warm.steps
                                      + self.train.iterations * self.train.ppo.horizon)


def read(path: Path, only: Sequence[str] = (), samples: Optional[int] = None
         ) -> Tuple[Declaration, List[Arm]]:
    """The declaration and its arms; ``only``: studies or study/arm. PPPError names the field."""
    declared = build(Declaration, load_yaml(path), str(path))
    budget = declared.samples if samples is None else samples
    if budget < 1 or declared.seeds < 1:
        raise PPPError(f"{path}: fields 'samples' and 'seeds' must be 1 or more")
    names = [f"{study}/{arm}" for study, s in declared.studies.items() for arm in s.arms]
    for wanted in only:
        if wanted not in names and wanted not in declared.studies:
            raise unknown("study or arm", wanted, [*declared.studies, *names])
    arms: List[Arm] = []
    for name in names:
        study, arm = name.split("/", 1)
        group = declared.studies[study]
        changes = [declared.base, group, group.arms[arm]]
        arms.append(_arm(study, arm, changes, budget, f"{path}: {name}"))
        same = [a.home for a in arms[:-1] if (a.task, a.train) == (arms[-1].task, arms[-1].train)]
        arms[-1].home = same[0] if same else name
    return declared, [arm for arm in arms if not only or arm.study in only
                      or f"{arm.study}/{arm.name}" in only]


def _arm(study: str, name: str, changes: List[Change], budget: int, source: str) -> Arm:
    task_file = [c.cfg_env for c in changes if c.cfg_env][-1:]
    train_file = [c.cfg_train for c in changes if c.cfg_train][-1:]
    task = load_task("HumanoidSkills", _found(task_file))
    train = load_train(_found(train_file))
    for change in changes:
        task = changed(task, change.task, source)
        train = changed(train, change.train, source)
    train = within(train, budget, source)
    check_batch(train, source)
    return Arm(study, name, changes[-1].title or name, task, train)


def _found(paths: List[str]) -> Optional[Path]:
    if not paths:
        return None
    return Path(paths[0]) if Path(paths[0]).exists() else ROOT / paths[0]


def changed(settings: T, change: Dict[str, Any], source: str) -> T:
    """Settings (a dataclass) with single fields changed; tables such as rewards as a whole."""
    return build(type(settings), _merged(settings, change, source), source)


def _merged(settings: Any, change: Dict[str, Any], source: str) -> Dict[str, Any]:
    data = dataclasses.asdict(settings)
    for name, value in change.items():
        present = getattr(settings, name, None)
        if dataclasses.is_dataclass(present):
            if not isinstance(value, dict):
                raise PPPError(f"{source}: field '{name}' must be a mapping")
            value = _merged(present, value, f"{source}, '{name}'")
        data[name] = value
    return data


def within(train: TrainConfig, budget: int, source: str) -> TrainConfig:
    """The settings with iterations for ``budget`` samples, and fewer humanoids for a small one.

    The warm start counts: it may take half of the budget and is shortened to that.
    """
    each = train.num_envs * train.ppo.horizon
    shrink = 1
    while budget // (each // shrink) < FEWEST and train.num_envs % (2 * shrink) == 0 \
            and train.ppo.minibatch % (2 * shrink) == 0:
        shrink *= 2
    envs = train.num_envs // shrink
    warm = train.warm_start
    taught = min(warm.iterations, budget // 2 // (envs * warm.steps))
    left = budget - taught * envs * warm.steps
    iterations = left // (envs * train.ppo.horizon)
    if iterations < 1:
        raise PPPError(f"{source}: {budget} samples are less than one roll-out of {envs} humanoids "
                       f"and {train.ppo.horizon} steps; raise the samples")
    return dataclasses.replace(
        train, num_envs=envs, iterations=iterations, keep=1,
        ppo=dataclasses.replace(train.ppo, minibatch=train.ppo.minibatch // shrink),
        warm_start=dataclasses.replace(warm, iterations=taught))
