"""One update from a batch of episodes: imitation, or PPO."""
from __future__ import annotations

from typing import Dict, Iterator, List, Optional

import numpy as np
import torch
from torch import Tensor, nn

from ppp.llarp.config import ImitationConfig, PpoConfig
from ppp.llarp.episodes import Episodes
from ppp.llarp.losses import (
    PpoBatch,
    advantages_and_returns,
    imitation_loss,
    log_prob,
    normalised,
    ppo_loss,
)
from ppp.rearrangement import ACTIONS

#: steps that go through the backbone at once: enough to keep a processor busy, few enough for it
STEPS = 1536


def portions(lengths: Tensor, index: Tensor) -> Iterator[Tensor]:
    """``index`` (m,) of episodes in parts of like length, of about STEPS steps each."""
    order = index[lengths[index].argsort(stable=True)]
    part = torch.div(lengths[order].cumsum(0), STEPS, rounding_mode="floor")
    for number in part.unique().tolist():
        yield order[part == number]


def clip_and_step(policy: nn.Module, optimiser: torch.optim.Optimizer, most: float) -> float:
    """An optimiser step on clipped gradients; the policy's norm. What is not finite is left out.

    A separate critic is clipped by itself: in one norm its errors, tens of times as large, would
    decide how far the policy goes.
    """
    own: List[nn.Parameter] = []
    critic: List[nn.Parameter] = []
    for name, parameter in policy.named_parameters():
        (critic if name.startswith("head.critic.") else own).append(parameter)
    norms = [float(nn.utils.clip_grad_norm_(part, most)) for part in (own, critic)]
    if np.isfinite(norms).all():
        optimiser.step()
    optimiser.zero_grad(set_to_none=True)
    return norms[0]


def imitate(policy: nn.Module, optimiser: torch.optim.Optimizer, episodes: Episodes,
            config: ImitationConfig, chance: np.random.Generator) -> Dict[str, float]:
    """Passes over ``episodes``, whose labels are the expert's actions; means over all of them."""
    orders = [torch.from_numpy(chance.permutation(len(episodes))) for _ in range(config.passes)]
    total, right, labelled = 0.0, 0, 0
    for index in (part for order in orders for part in order.split(config.batch)):
        steps = int((episodes.labels[index] >= 0).sum())
        for part in portions(episodes.lengths, index):
            some = episodes.pick(part)
            logits, _ = some.judged_by(policy)
            loss, agree = imitation_loss(logits, some.labels[some.real], max(steps, 1))
            loss.backward()
            total, right = total + float(loss.detach()) * steps, right + agree
        labelled += steps
        clip_and_step(policy, optimiser, config.grad_norm)
    return {"loss": total / max(labelled, 1), "accuracy": right / max(labelled, 1)}


@torch.no_grad()
def judged(policy: nn.Module, reference: Optional[nn.Module], episodes: Episodes,
           config: PpoConfig) -> PpoBatch:
    """What PPO needs of all m steps of a roll-out, by the policy as it is before the update.

    Log probabilities come from the same pass over whole episodes as in the update, not from the
    roll-out's single steps: in bfloat16 these differ by about a hundredth, and the first ratio
    shall be 1.
    """
    real = episodes.real
    actions, place, count = episodes.actions[real], _places(real), int(real.sum())
    log_probs, values = torch.zeros(count), torch.zeros(count)
    log_reference = None if reference is None else torch.zeros(count, len(ACTIONS))
    for part in portions(episodes.lengths, torch.arange(len(episodes))):
        some = episodes.pick(part)
        steps = _steps_of(place, part, some.real)
        logits, values[steps] = some.judged_by(policy)
        log_probs[steps] = log_prob(logits, actions[steps])
        if reference is not None:
            log_reference[steps] = some.judged_by(reference)[0].log_softmax(-1)
    table = torch.zeros(real.shape)
    table[real] = values
    gains, returns = advantages_and_returns(episodes.rewards, table, episodes.lengths,
                                            config.gamma, config.gae_lambda)
    gains = normalised(gains[real]) if config.normalise else gains[real]
    return PpoBatch(actions, log_probs, values, gains, returns[real], log_reference)


def _places(real: Tensor) -> Tensor:
    """(n, T): the number of each real step among all real ones."""
    return (real.flatten().cumsum(0) - 1).view(real.shape)


def _steps_of(place: Tensor, part: Tensor, real: Tensor) -> Tensor:
    """Numbers of the real steps (len(part), t) of the episodes ``part``."""
    return place[part, :real.shape[1]][real]


def improve(policy: nn.Module, reference: Optional[nn.Module], optimiser: torch.optim.Optimizer,
            episodes: Episodes, config: PpoConfig, chance: np.random.Generator,
            value_only: bool = False) -> Dict[str, float]:
    """PPO's epochs over ``episodes``; ``value_only``: the policy stays as it is.

    Returns means over minibatches; ``first_ratio_off``: how far the first minibatch's ratios lay
    from 1.
    """
    batch = judged(policy, reference, episodes, config)
    rows: List[Dict[str, float]] = []
    for _ in range(config.epochs):
        order = torch.from_numpy(chance.permutation(len(episodes)))
        for index in order.tensor_split(config.minibatches):
            rows.append(_minibatch(policy, optimiser, episodes, batch, index, config, value_only))
    means = {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
    return {**means, "first_ratio_off": rows[0]["ratio_off"]}


def _minibatch(policy: nn.Module, optimiser: torch.optim.Optimizer, episodes: Episodes,
               batch: PpoBatch, index: Tensor, config: PpoConfig, value_only: bool
               ) -> Dict[str, float]:
    total, place = int(episodes.lengths[index].sum()), _places(episodes.real)
    sums: Dict[str, float] = {}
    for part in portions(episodes.lengths, index):
        some = episodes.pick(part)
        own = batch.pick(_steps_of(place, part, some.real))
        logits, values = some.judged_by(policy)
        share = len(own.actions) / total
        if value_only:
            logits, own.advantages = logits.detach(), torch.zeros_like(own.advantages)
        loss, info = ppo_loss(logits, values, own, config.clip, config.entropy, config.value,
                              config.kl)
        (loss * share).backward()
        for name, number in info.items():
            sums[name] = max(sums.get(name, 0.0), number) if name == "ratio_off" else \
                sums.get(name, 0.0) + share * number
    sums["grad_norm"] = clip_and_step(policy, optimiser, config.grad_norm)
    return sums
