"""Fine-tuning the encoder: phrases are pulled to the frozen code of their skill."""
from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Callable, Dict, List, Sequence, Tuple

import torch
from torch.nn import functional as F

from ppp.errors import PPPError
from ppp.language.codebook import Codebook, closest_pair
from ppp.language.encoders.minilm import MiniLM

LOSSES = ("mse", "mse+ce")
#: temperature of the cross-entropy over cosines
TEMPERATURE = 0.05
#: out-of-set phrases are pushed until their best cosine is under this
OOS_COSINE = 0.3
#: out-of-set phrases that join every batch
OOS_PER_BATCH = 8
#: share of the steps in which the learning rate rises
WARM_UP = 0.1
#: below these the space has collapsed: no command can be told from another
MIN_LABEL_DISTANCE = 0.1
MIN_VARIANCE = 0.05


@dataclass(frozen=True)
class FitSettings:
    """How to fine-tune; the defaults were chosen on training phrases only."""

    loss: str = "mse+ce"
    epochs: int = 12
    lr: float = 1e-4
    batch: int = 32
    seed: int = 0


DEFAULTS = FitSettings()


@dataclass
class FitReport:
    """What a fit leaves behind."""

    #: mean loss of each epoch
    losses: List[float] = field(default_factory=list)
    #: smallest distance between two re-encoded labels, and the variance of the training embeddings
    label_distance: float = 0.0
    variance: float = 0.0
    #: share of training phrases whose nearest code is right
    train_accuracy: float = 0.0

    @property
    def collapsed(self) -> bool:
        """True when the space has shrunk to a point, however good the loss looks."""
        return self.label_distance < MIN_LABEL_DISTANCE or self.variance < MIN_VARIANCE


def batch_loss(found: torch.Tensor, codes: torch.Tensor, skill: torch.Tensor,
               loss: str) -> torch.Tensor:
    """Mean loss of (n, d) unit rows against the (K, d) frozen codes; ``skill`` (n,) are indices.

    'mse': squared distance to the own code, summed over dimensions (the paper's, up to a constant).
    'mse+ce': plus cross-entropy over the cosines to all codes, which also pushes away from others.
    """
    value = (found - codes[skill]).pow(2).sum(-1).mean()
    if loss == "mse+ce":
        value = value + F.cross_entropy(found @ codes.T / TEMPERATURE, skill)
    return value


def outlier_loss(found: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
    """Outlier exposure (Hendrycks et al., arXiv 1812.04606) as a hinge on the best cosine."""
    return F.relu((found @ codes.T).amax(-1) - OOS_COSINE).mean()


def trainable(encoder: MiniLM) -> Dict[str, torch.nn.Parameter]:
    """Everything but the word embeddings: freezing them halves the file and costs no accuracy."""
    return {name: parameter for name, parameter in encoder.model.named_parameters()
            if "word_embeddings" not in name}


def _schedule(step: int, total: int) -> float:
    """Factor on the learning rate: linear rise, then linear fall to zero."""
    rise = max(1, int(WARM_UP * total))
    return (step + 1) / rise if step < rise else (total - step) / max(1, total - rise)


def _collapse_figures(encoder: MiniLM, book: Codebook, pairs: Sequence[Tuple[str, str]],
                      report: FitReport) -> None:
    """Fill in what a falling loss would hide."""
    labels = encoder.encode(list(book.labels))
    report.label_distance = closest_pair(labels, book.skills)[0]
    found = encoder.encode([text for text, _ in pairs])
    report.variance = float(found.var(0, unbiased=False).sum())
    nearest = torch.cdist(found, book.codes).argmin(-1)
    right = torch.tensor([book.index(skill) for _, skill in pairs])
    report.train_accuracy = float((nearest == right).float().mean())


def finetune(encoder: MiniLM, book: Codebook, pairs: Sequence[Tuple[str, str]],
             oos: Sequence[str] = (), settings: FitSettings = DEFAULTS,
             on_epoch: Callable[[int, float], None] = lambda epoch, loss: None) -> FitReport:
    """Train ``encoder.model`` in place on (text, skill) pairs; ``oos`` turns outlier exposure on.

    ``on_epoch`` gets the epoch (from 1) and its mean loss. Seeded: same input, same parameters.
    """
    if settings.loss not in LOSSES:
        raise PPPError(f"--loss {settings.loss}: choose one of {', '.join(LOSSES)}")
    data = list(pairs) + list(zip(book.labels, book.skills))
    skill = torch.tensor([book.index(name) for _, name in data])
    order = random.Random(settings.seed)
    torch.manual_seed(settings.seed)
    for parameter in encoder.model.parameters():
        parameter.requires_grad_(False)
    weights = [p.requires_grad_(True) for p in trainable(encoder).values()]
    optimiser = torch.optim.AdamW(weights, lr=settings.lr)
    total = settings.epochs * -(-len(data) // settings.batch)
    rate = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _schedule(step, total))
    report = FitReport()
    for epoch in range(1, settings.epochs + 1):
        rows = order.sample(range(len(data)), len(data))
        losses = []
        for start in range(0, len(rows), settings.batch):
            part = rows[start:start + settings.batch]
            extra = order.sample(list(oos), min(OOS_PER_BATCH, len(oos)))
            found = encoder.embed([data[i][0] for i in part] + extra)
            value = batch_loss(found[:len(part)], book.codes, skill[part], settings.loss)
            if extra:
                value = value + outlier_loss(found[len(part):], book.codes)
            optimiser.zero_grad(set_to_none=True)
            value.backward()
            optimiser.step()
            rate.step()
            losses.append(float(value.detach()))
        report.losses.append(sum(losses) / len(losses))
        on_epoch(epoch, report.losses[-1])
    for parameter in weights:
        # Rounded to what is stored, so that the figures are those of the saved encoder.
        parameter.requires_grad_(False).copy_(parameter.half().float())
    _collapse_figures(encoder, book, pairs, report)
    return report
