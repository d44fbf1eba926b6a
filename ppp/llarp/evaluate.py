"""Success on the splits, of whatever plans: several seeds, drawn and greedy, with intervals."""
from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

import numpy as np

from ppp.llarp import store
from ppp.llarp.backbones import Backbone, load_backbone
from ppp.llarp.baselines import Maker, play
from ppp.llarp.build import build_policy
from ppp.llarp.config import ModelConfig
from ppp.llarp.episodes import Choice, Players
from ppp.llarp.paper import means
from ppp.rearrangement import SPLITS, TEST_SEED, Task, make_tasks
from ppp.settings import build

#: shown before the ten splits: how well the trained kinds are known
SEEN = "train"


@dataclass
class Contender:
    """Somebody who plays: ``runs`` are functions (tasks, seed, greedy) -> success (n,) bool, one a
    training seed. ``greedy``: whether there is a likeliest action at all."""

    name: str
    runs: List[Callable[[Sequence[Task], int, bool], np.ndarray]]
    facts: Dict[str, Any]
    greedy: bool = True


def wilson(share: float, count: int, z: float = 1.96) -> Tuple[float, float]:
    """Wilson's interval of a share of ``count`` trials (Wilson 1927), 95 % by default."""
    centre = share + z * z / (2 * count)
    half = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    scale = 1 + z * z / count
    return max(0.0, (centre - half) / scale), min(1.0, (centre + half) / scale)


def test_tasks(split: str, count: int) -> List[Task]:
    """The split's tasks, the same whoever asks; those of ``train`` are none that training drew."""
    return list(make_tasks("validation" if split == SEEN else split, count, TEST_SEED))


def load_planner(path: Path, weights: Optional[str] = None,
                 loaded: Optional[Dict[str, Backbone]] = None) -> Tuple[Any, store.Saved]:
    """The policy in a bundle, a run's folder or a file, and what its file says.

    weights: folder of MiniLM's files. loaded: frozen backbones by name, filled and used again.
    """
    file = store.find(path)
    saved = store.read(file)
    config = build(ModelConfig, saved.facts["settings"]["model"], str(file))
    seed = int(saved.facts["settings"]["seed"])
    loaded = {} if loaded is None else loaded
    # random weights belong to the training's seed
    key = config.backbone if config.backbone == "minilm" else f"{config.backbone} {seed}"
    key += " " + config.precision
    if key not in loaded or loaded[key].trained:
        loaded[key] = load_backbone(config.backbone, weights, config.precision, seed)
    policy = build_policy(config, seed, loaded[key])
    store.load_adapters(policy, saved, file)
    return policy.eval(), saved


def learned(name: str, paths: Sequence[Path], weights: Optional[str] = None,
            failures: str = "none") -> Contender:
    """A contender from adapters; several paths are training seeds of the same settings."""
    loaded: Dict[str, Backbone] = {}
    runs, facts = [], {}
    for path in paths:
        policy, saved = load_planner(path, weights, loaded)
        players = Players(saved.facts["settings"]["model"]["mode"], failures)
        runs.append(_run_of(policy, players))
        facts = facts or _card(saved.facts)
    facts["files"] = [str(path) for path in paths]
    return Contender(name, runs, facts)


def _run_of(policy: Any, players: Players) -> Callable[[Sequence[Task], int, bool], np.ndarray]:
    def run(tasks: Sequence[Task], seed: int, greedy: bool) -> np.ndarray:
        return players.play(policy, tasks, seed, Choice(greedy=greedy)).success.numpy()
    return run


def _card(facts: Dict[str, Any]) -> Dict[str, Any]:
    """What a row of figures has to carry."""
    settings, model = facts["settings"], facts["settings"]["model"]
    keep = ("policy", "backbone", "head", "critic", "gaze", "sentence", "mode", "look", "remembers",
            "echo")
    return {"regime": settings["regime"], **{name: model[name] for name in keep if name in model},
            **{name: facts[name] for name in ("trained_numbers", "cpu_seconds", "episodes",
                                              "steps", "iteration")}}


def scripted(name: str, make: Maker, failures: str = "none") -> Contender:
    """A contender that learns nothing."""
    players = Players("appearance", failures)
    return Contender(name, [lambda tasks, seed, greedy: play(players, make, tasks, seed)],
                     {"regime": "none"}, greedy=False)


def evaluate(contender: Contender, splits: Sequence[str], tasks: int, seeds: int,
             told: Callable[[str, Dict[str, Any]], None] = lambda split, row: None
             ) -> Dict[str, Any]:
    """Figures of one contender: per split, and the means of the paper's groups.

    success: mean over training seeds and ``seeds`` draws of actions; interval: Wilson's for as
    many trials as there are different tasks, which also covers the choice of tasks. told: called
    after each split.
    """
    rows: Dict[str, Dict[str, Any]] = {}
    for split in splits:
        some = test_tasks(split, tasks)
        drawn = [float(run(some, seed, False).mean())
                 for run in contender.runs for seed in range(seeds)]
        share = float(np.mean(drawn))
        rows[split] = {"success": share, "interval": list(wilson(share, len(some))),
                       "per_seed": drawn, "tasks": len(some)}
        if contender.greedy:
            rows[split]["greedy"] = float(np.mean([run(some, 0, True).mean()
                                                   for run in contender.runs]))
        told(split, rows[split])
    out: Dict[str, Any] = {"splits": rows, **contender.facts}
    out.update(means({split: row["success"] for split, row in rows.items()}))
    if contender.greedy:
        greedy = means({split: row["greedy"] for split, row in rows.items()})
        out.update({f"{name}_greedy": value for name, value in greedy.items()})
    out["total_per_seed"] = [
        means({split: row["per_seed"][k] for split, row in rows.items()})["total"]
        for k in range(len(contender.runs) * seeds)]
    return out


def chosen_splits(name: str) -> List[str]:
    """``all``: the trained kinds and the ten splits; else one of them."""
    from ppp.errors import unknown

    if name == "all":
        return [SEEN, *SPLITS]
    if name not in (SEEN, *SPLITS):
        raise unknown("split", name, ["all", SEEN, *SPLITS])
    return [name]
