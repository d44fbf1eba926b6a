"""Training of a high-level policy: plain PPO (Schulman et al., arXiv 1707.06347) over decisions."""
from __future__ import annotations

import dataclasses
import json
import signal
import sys
import time
from pathlib import Path
from typing import Any, Dict, List, Optional

import torch
from torch import Tensor
from torch.nn.utils import clip_grad_norm_

from ppp.errors import PPPError
from ppp.learning.advantages import gae
from ppp.learning.bundle import Policy
from ppp.learning.checkpoint import UNREADABLE, prune, save_checkpoint
from ppp.learning.hrl import DecisionEnv, Decisions, HighLevel, HrlConfig, gaussian_neglogp
from ppp.settings import build
from ppp.tasks.config import TaskConfig

KIND = "hrl"
_FIELDS = ("task", "settings", "high", "low", "counters", "optimizer", "random")
#: the learning rate stays between these
SLOWEST, FASTEST = 1e-5, 2e-3


@dataclasses.dataclass
class Loaded:
    """A high-level policy with the skill policy it commands."""

    high: HighLevel
    low: Policy
    config: HrlConfig
    task: TaskConfig
    counters: Dict[str, Any]


def read_state(path: Path) -> Dict[str, Any]:
    """The contents of a checkpoint of ``--algo hrl``; PPPError when it is none."""
    if not Path(path).is_file():
        raise PPPError(f"{path}: no such checkpoint of a high-level policy; train one with "
                       "--algo hrl")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except UNREADABLE:
        raise PPPError(f"{path}: damaged or not a checkpoint; take an earlier one") from None
    if not isinstance(state, dict) or state.get("kind") != KIND:
        raise PPPError(f"{path}: not a checkpoint of a high-level policy; give one that was "
                       "trained with --algo hrl")
    for name in _FIELDS:
        if name not in state:
            raise PPPError(f"{path}: field '{name}' is missing; take an earlier checkpoint")
    return state


def is_high_level(path: Path) -> bool:
    """Whether a file is a checkpoint of ``--algo hrl``."""
    try:
        read_state(path)
    except PPPError:
        return False
    return True


def load_high_level(path: Path) -> Loaded:
    """A high-level policy to act with."""
    state = read_state(path)
    config = build(HrlConfig, state["settings"], str(path))
    low = Policy(state["low"]["card"], state["low"]["weights"])
    task = build(TaskConfig, state["task"], str(path))
    decisions = Decisions(low, config, task.mix)
    high = HighLevel(len(state["high"]["norm.mean"]), decisions.first, config)
    high.load_state_dict(state["high"])
    return Loaded(high, low, config, task, state["counters"])


class HrlTrainer:
    """One run in ``folder``: checkpoints/ and history.jsonl, one line an iteration.

    ``env``: something with the methods of :class:`DecisionEnv`, which is made where it is None.
    """

    def __init__(self, task: TaskConfig, low: Policy, config: HrlConfig, folder: Path,
                 seed: int = 0, engine: str = "mujoco_cpu",
                 env: Optional[Any] = None) -> None:
        torch.manual_seed(seed)
        self.task, self.low, self.config, self.seed = task, low, config, seed
        self.folder = Path(folder)
        self.env = env or DecisionEnv(task, low, config, seed, engine)
        self.high = HighLevel(self.env.observation_size, self.env.decisions.first, config)
        self.optimizer = torch.optim.Adam(self.high.parameters(), config.learning_rate)
        self.iteration, self.samples, self.seconds = 0, 0, 0.0
        self._age = torch.zeros(self.env.num_envs)
        self._lengths: List[float] = []
        self._stop = False

    # -- checkpoints -------------------------------------------------------------------------
    def save(self) -> Path:
        """Write a checkpoint, with the skill policy in it, and drop the oldest beyond ``keep``."""
        state = {"kind": KIND, "task": dataclasses.asdict(self.task),
                 "settings": dataclasses.asdict(self.config), "high": self.high.state_dict(),
                 "optimizer": self.optimizer.state_dict(), "random": torch.get_rng_state(),
                 "low": {"card": self.low.card, "weights": self.low.weights},
                 "counters": {"iteration": self.iteration, "samples": self.samples,
                              "seconds": self.seconds, "seed": self.seed}}
        folder = self.folder / "checkpoints"
        path = save_checkpoint(folder / f"iteration_{self.iteration:07d}.pt", state)
        prune(folder, self.config.keep)
        return path

    def restore(self, path: Path, counters: bool = True) -> None:
        """Continue from a checkpoint; without ``counters`` only its weights are taken."""
        state = read_state(path)
        try:
            self.high.load_state_dict(state["high"])
        except RuntimeError:
            raise PPPError(f"{path}: its networks have other sizes than this run's; use the same "
                           "task, skill policy and settings") from None
        if counters:
            self.optimizer.load_state_dict(state["optimizer"])
            torch.set_rng_state(state["random"])
            kept = state["counters"]
            self.iteration, self.samples = int(kept["iteration"]), int(kept["samples"])
            self.seconds = float(kept["seconds"])

    # -- running -----------------------------------------------------------------------------
    def run(self) -> Path:
        """Train to the last iteration (or Ctrl-C, which saves too); the last checkpoint."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._interrupt)
        obs = self.env.reset()
        saved = printed = time.perf_counter()
        while self.iteration < self.config.iterations and not self._stop:
            begin = time.perf_counter()
            obs, row = self.iterate(obs)
            self.seconds += time.perf_counter() - begin
            row.update(iteration=self.iteration, samples=self.samples, seconds=self.seconds,
                       samples_per_s=row.pop("steps") / (time.perf_counter() - begin))
            self._note(row)
            now = time.perf_counter()
            if now - printed > 15.0 or self.iteration == 1:
                print(f"[{self.iteration}/{self.config.iterations}] {self.samples / 1e6:.2f} M "
                      f"steps  {row['samples_per_s']:.0f}/s  reward {row['reward']:.3f}  length "
                      f"{row['episode_length']:.0f}  kl {row['kl']:.4f}", file=sys.stderr,
                      flush=True)
                printed = now
            if now - saved > 60.0 * self.config.save_minutes:
                self.save()
                saved = now
        path = self.save()
        self.env.close()
        return path

    def _interrupt(self, number: int, frame: Any) -> None:
        if self._stop:
            raise KeyboardInterrupt
        self._stop = True
        print("interrupted: finishing this iteration", file=sys.stderr)

    def _note(self, row: Dict[str, float]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        with open(self.folder / "history.jsonl", "a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")

    def iterate(self, obs: Tensor) -> Any:
        """One roll-out from observations (N, O) and its update: the next observations, figures."""
        batch, obs = self._roll(obs)
        steps = float(batch.pop("steps").sum())
        self.iteration += 1
        self.samples += int(steps)
        figures = self._update(batch)
        lengths, self._lengths = self._lengths, []
        figures.update(reward=float(batch["reward"].mean()), steps=steps,
                       episode_length=sum(lengths) / len(lengths) if lengths else 0.0,
                       sigma=float(self.high.log_sigma.detach().exp().mean()))
        return obs, figures

    @torch.no_grad()
    def _roll(self, obs: Tensor) -> Any:
        rows: Dict[str, List[Tensor]] = {}
        for _ in range(self.config.horizon):
            mean, _ = self.high(obs)
            sigma = self.high.log_sigma
            action = mean + sigma.exp() * torch.randn_like(mean)
            new, reward, done, infos = self.env.step(action)
            # V of where the decision really led; nothing after a fall
            following = self.high.value(infos["next_obs"]) * (~infos["terminated"])
            row = {"obs": obs, "action": action, "mean": mean, "reward": reward,
                   "neglogp": gaussian_neglogp(action, mean, sigma),
                   "value": self.high.value(obs), "next_value": following, "done": done.float(),
                   "steps": infos["steps"]}
            for name, value in row.items():
                rows.setdefault(name, []).append(value)
            self._age += infos["steps"]
            self._lengths += self._age[done].tolist()
            self._age[done] = 0.0
            obs = new
        return {name: torch.stack(parts) for name, parts in rows.items()}, obs

    def _update(self, batch: Dict[str, Tensor]) -> Dict[str, float]:
        config, high = self.config, self.high
        advantage = gae(batch["reward"], batch["value"], batch["next_value"], batch["done"],
                        config.gamma, config.gae_lambda)
        returns = (advantage + batch["value"]).flatten()
        high.value_norm.update(returns[:, None])
        wanted = high.value_norm(returns[:, None])[:, 0]
        flat = {name: batch[name].flatten(0, 1) for name in ("obs", "action", "mean", "neglogp")}
        advantage = advantage.flatten()
        advantage = ((advantage - advantage.mean()) / (advantage.std() + 1e-6)).clamp(-4.0, 4.0)
        sigma = high.log_sigma.detach().exp()
        kls, losses = [], []
        for _ in range(config.epochs):
            for pick in torch.randperm(len(returns)).chunk(config.minibatches):
                mean, value = high(flat["obs"][pick])
                neglogp = gaussian_neglogp(flat["action"][pick], mean, high.log_sigma)
                ratio = (flat["neglogp"][pick] - neglogp).exp()
                gain = advantage[pick]
                actor = -torch.minimum(ratio * gain, ratio.clamp(1 - config.clip, 1 + config.clip)
                                       * gain).mean()
                critic = (value - wanted[pick]).square().mean()
                self.optimizer.zero_grad(set_to_none=True)
                (actor + critic).backward()
                clip_grad_norm_(high.parameters(), config.grad_norm)
                self.optimizer.step()
                kls.append(float((0.5 * ((mean - flat["mean"][pick]) / sigma).square()).sum(-1)
                                 .mean().detach()))
                losses.append(float(critic.detach()))
        high.norm.update(flat["obs"])
        return {"kl": self._adapt(sum(kls) / len(kls)), "value_loss": sum(losses) / len(losses)}

    def _adapt(self, kl: float) -> float:
        """A mean KL beyond twice the wanted one slows the learning rate, below half speeds it."""
        for group in self.optimizer.param_groups:
            if kl > 2.0 * self.config.kl_target:
                group["lr"] = max(SLOWEST, group["lr"] / 1.5)
            elif kl < 0.5 * self.config.kl_target:
                group["lr"] = min(FASTEST, group["lr"] * 1.5)
        return kl
