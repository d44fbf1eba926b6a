"""A training from settings to adapters: imitation of the search expert, then PPO; or PPO alone.

An iteration is one roll-out and its update. All chance in it is drawn from the seed and its number,
so that a run that was interrupted goes on as if it had not been.
"""
from __future__ import annotations

import copy
import dataclasses
import math
import signal
import sys
import time
from pathlib import Path
from typing import Any, Dict, Optional

import numpy as np
import torch
from torch import nn

from ppp.errors import PPPError
from ppp.llarp import store
from ppp.llarp.backbones import Backbone, load_backbone, weights_hash
from ppp.llarp.build import build_policy, trainable_count
from ppp.llarp.config import LlarpConfig, check
from ppp.llarp.episodes import Choice, Episodes, Players
from ppp.llarp.progress import TrainingLog
from ppp.llarp.updates import imitate, improve
from ppp.rearrangement import make_tasks
from ppp.settings import build

#: share of the imitation in which the learning rate rises, and what it falls to
WARM, LEAST = 0.05, 0.1


class Trainer:
    """One run in ``folder``: checkpoint.safetensors, history.jsonl, summaries/."""

    def __init__(self, config: LlarpConfig, folder: Path, weights: Optional[str] = None,
                 backbone: Optional[Backbone] = None) -> None:
        check(config, "settings")
        self.config, self.folder = config, Path(folder)
        self.backbone = backbone or load_backbone(config.model.backbone, weights,
                                                  config.model.precision, config.seed)
        self.policy = build_policy(config.model, config.seed, self.backbone)
        self.hash = "" if self.backbone.trained else weights_hash(self.backbone.module)
        self.players = Players(config.model.mode, config.failures)
        self.iteration, self.seconds, self.episodes, self.steps = 0, 0.0, 0, 0
        self.reference: Optional[nn.Module] = None
        self.optimiser = self._optimiser()
        self.stopping = False

    @property
    def iterations(self) -> int:
        """Of both phases."""
        return self.config.imitation.iterations + self.config.ppo.iterations

    @property
    def imitates(self) -> bool:
        """Whether the next iteration is one of imitation."""
        return self.iteration < self.config.imitation.iterations

    def _optimiser(self) -> torch.optim.Optimizer:
        """A new one, of the phase that comes next."""
        own = [p for p in self.policy.parameters() if p.requires_grad]
        if self.imitates:
            return torch.optim.AdamW(own, self.config.imitation.learning_rate,
                                     weight_decay=self.config.imitation.weight_decay)
        return torch.optim.AdamW(own, self.config.ppo.learning_rate, eps=1e-5, weight_decay=0.0)

    # -- checkpoints ---------------------------------------------------------------------------
    def facts(self) -> Dict[str, Any]:
        """What the adapters are, for a checkpoint or a card."""
        return {"settings": dataclasses.asdict(self.config), "backbone_sha256": self.hash,
                "trained_numbers": trainable_count(self.policy), "iteration": self.iteration,
                "cpu_seconds": round(self.seconds, 1), "episodes": self.episodes,
                "steps": self.steps}

    def save(self) -> Path:
        """Write the checkpoint; an earlier one stays until this one is whole."""
        tensors = store.adapter_tensors(self.policy)
        tensors.update((f"optimiser.{name}", value)
                       for name, value in store.optimiser_tensors(self.optimiser).items())
        if self.reference is not None:
            tensors.update((f"reference.{name}", value)
                           for name, value in self.reference.state_dict().items())
        return store.write(self.folder / store.CHECKPOINT, tensors, self.facts())

    def restore(self) -> None:
        """Go on from the folder's checkpoint."""
        path = self.folder / store.CHECKPOINT
        saved = store.read(path)
        # a setting that is newer than the checkpoint had its default
        before = build(LlarpConfig, saved.facts["settings"], str(path))
        own, theirs = dataclasses.asdict(self.config), dataclasses.asdict(before)
        for name in ("save_minutes", "validate_every", "validation"):
            own.pop(name), theirs.pop(name)
        # PPO may be made longer: its rate is constant
        own["ppo"].pop("iterations"), theirs["ppo"].pop("iterations")
        if own != theirs:
            raise PPPError(f"{path}: was trained with other settings ({_difference(theirs, own)}); "
                           "give the same ones, or another --run-dir")
        store.load_adapters(self.policy, saved, path)
        self.iteration = int(saved.facts["iteration"])
        self.seconds = float(saved.facts["cpu_seconds"])
        self.episodes, self.steps = int(saved.facts["episodes"]), int(saved.facts["steps"])
        self.optimiser = self._optimiser()
        if not self._at_turn():
            store.restore_optimiser(self.optimiser, saved.part("optimiser."))
        if saved.part("reference."):
            self.reference = self._copy()
            self.reference.load_state_dict(saved.part("reference."))

    def _at_turn(self) -> bool:
        """Whether PPO is about to begin."""
        return self.iteration == self.config.imitation.iterations

    # -- an iteration --------------------------------------------------------------------------
    def _copy(self) -> nn.Module:
        """The policy as it is now, never to change; a frozen backbone is shared."""
        backbone = copy.copy(self.backbone)
        if backbone.trained:
            backbone.module = copy.deepcopy(backbone.module)
        new = build_policy(self.config.model, self.config.seed, backbone)
        new.load_state_dict(self.policy.state_dict())
        return new.requires_grad_(False)

    def _chance(self) -> np.random.Generator:
        return np.random.default_rng([self.config.seed, self.iteration])

    def _roll_out(self, count: int, chance: np.random.Generator, choice: Choice) -> Episodes:
        tasks = make_tasks("train", count, int(chance.integers(2 ** 31)))
        return self.players.play(self.policy, tasks, int(chance.integers(2 ** 31)), choice)

    def _expert_share(self, count: int, chance: np.random.Generator) -> np.ndarray:
        """How much of each episode the expert leads: at first all; later from none to all of it,
        ``expert_share`` in the mean."""
        share = self.config.imitation.expert_share
        if self.iteration < self.config.imitation.lead:
            return np.ones(count)
        return chance.random(count) ** ((1 - share) / share) if share > 0 else np.zeros(count)

    def _imitate(self) -> "tuple[Episodes, Dict[str, float]]":
        config, chance = self.config.imitation, self._chance()
        share = self._expert_share(config.episodes, chance)
        episodes = self._roll_out(config.episodes, chance, Choice(expert=share, ask=True))
        rate = config.learning_rate * _schedule(self.iteration / config.iterations)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        return episodes, imitate(self.policy, self.optimiser, episodes, config, chance)

    def _improve(self) -> "tuple[Episodes, Dict[str, float]]":
        config, chance = self.config.ppo, self._chance()
        if self._at_turn():
            self.optimiser = self._optimiser()
            self.reference = self._copy() if config.kl else None
        value_only = self.iteration - self.config.imitation.iterations < config.value_iterations
        episodes = self._roll_out(config.episodes, chance, Choice())
        return episodes, improve(self.policy, self.reference, self.optimiser, episodes, config,
                                 chance, value_only)

    def step(self) -> Dict[str, float]:
        """One iteration; what it gave."""
        began, clock = time.process_time(), time.perf_counter()
        self.policy.train()
        episodes, row = self._imitate() if self.imitates else self._improve()
        self.iteration += 1
        self.episodes += len(episodes)
        steps = int(episodes.lengths.sum())
        self.steps += steps
        self.seconds += time.process_time() - began
        return {"iteration": self.iteration, "episodes": self.episodes, "steps": self.steps,
                "cpu_seconds": self.seconds, "success": float(episodes.success.float().mean()),
                "length": steps / len(episodes), "reward": float(episodes.rewards.sum(1).mean()),
                "steps_per_s": steps / (time.perf_counter() - clock), **row}

    def validate(self) -> float:
        """Share of the validation tasks that are fulfilled, actions drawn."""
        tasks = make_tasks("validation", self.config.validation, 0)
        self.policy.eval()
        return float(self.players.play(self.policy, tasks, 0).success.float().mean())

    # -- running -------------------------------------------------------------------------------
    def run(self) -> Path:
        """Train to the last iteration, or to Ctrl-C, after which ``restore`` goes on."""
        log = TrainingLog(self.folder, self.iterations, self.iteration)
        before = [(n, signal.signal(n, self._interrupt)) for n in (signal.SIGINT, signal.SIGTERM)]
        saved = time.perf_counter()
        try:
            while self.iteration < self.iterations and not self.stopping:
                row = self.step()
                every = self.config.validate_every
                if every and (self.iteration % every == 0 or self.iteration == self.iterations):
                    row["validation"] = self.validate()
                log.add(row)
                if time.perf_counter() - saved > 60 * self.config.save_minutes:
                    self.save()
                    saved = time.perf_counter()
        finally:
            log.close()
            for number, handler in before:
                signal.signal(number, handler)
        self._check_frozen()
        return self.save()

    def _interrupt(self, number: int, frame: Any) -> None:
        """The iteration is finished and saved; asked twice, at once."""
        if self.stopping:
            raise KeyboardInterrupt
        self.stopping = True
        print("interrupted: finishing the iteration, then saving", file=sys.stderr)

    def _check_frozen(self) -> None:
        if self.hash and weights_hash(self.backbone.module) != self.hash:
            raise RuntimeError("the frozen backbone's weights have changed in training")


def _schedule(done: float) -> float:
    """Share of the highest rate at ``done`` (0 to 1): a linear rise, then half a cosine."""
    if done < WARM:
        return max(done / WARM, 0.05)
    return LEAST + (1 - LEAST) * 0.5 * (1 + math.cos(math.pi * (done - WARM) / (1 - WARM)))


def _difference(old: Dict[str, Any], new: Dict[str, Any], prefix: str = "") -> str:
    """The first settings that differ, as 'NAME: old, now new'."""
    for name, value in new.items():
        if old.get(name) != value:
            if isinstance(value, dict) and isinstance(old.get(name), dict):
                return _difference(old[name], value, f"{prefix}{name}.")
            return f"{prefix}{name}: {old.get(name)}, now {value}"
    return "fields"
