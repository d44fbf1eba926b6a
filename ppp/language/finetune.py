"""Fine-tuning the encoder: phrases are pulled to the frozen code of their skill."""
from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Callable, List, Sequence, Tuple

import torch
from torch.nn import functional as F

from ppp.errors import unknown
from ppp.language.codebook import Codebook, closest_pair
from ppp.language.encoders.base import Trainable, trainable

#: temperature of the cross-entropy over cosines, and of the contrast between phrases
TEMPERATURE = 0.05
CONTRAST_TEMPERATURE = 0.1
#: out-of-set phrases are pushed until their best cosine is under this
OOS_COSINE = 0.3
#: out-of-set phrases that join every batch
OOS_PER_BATCH = 8
#: batches that are drawn together and parted by length
BUCKET = 8
#: share of the steps in which the learning rate rises
WARM_UP = 0.1
#: below these the space has collapsed: no command can be told from another
MIN_LABEL_DISTANCE = 0.1
MIN_VARIANCE = 0.05


@dataclass(frozen=True)
class FitSettings:
    """How to fine-tune; loss and rate were chosen on training phrases only.

    12 passes over 540 phrases (200 steps) were enough; 4 over ten times as many are 700 steps.
    """

    loss: str = "mse+ce"
    epochs: int = 4
    lr: float = 1e-4
    batch: int = 32
    seed: int = 0
    #: train "unknown" on the out-of-set phrases too
    outliers: bool = True


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


def square_loss(found: torch.Tensor, codes: torch.Tensor, skill: torch.Tensor) -> torch.Tensor:
    """Squared distance to the own code, summed over dimensions.

    The paper's MSE(Enc(text), e_label) (arXiv 2309.11359) up to the constant d.
    """
    return (found - codes[skill]).pow(2).sum(-1).mean()


def entropy_loss(found: torch.Tensor, codes: torch.Tensor, skill: torch.Tensor) -> torch.Tensor:
    """Cross-entropy over the cosines to all codes: also pushes away from the other skills."""
    return F.cross_entropy(found @ codes.T / TEMPERATURE, skill)


def contrast_loss(found: torch.Tensor, codes: torch.Tensor, skill: torch.Tensor) -> torch.Tensor:
    """Supervised contrast between the phrases of a batch (Khosla et al., arXiv 2004.11362, eq. 2).

    A phrase without a partner of its skill in the batch does not count.
    """
    itself = torch.eye(len(found), dtype=torch.bool)
    same = (skill[:, None] == skill[None, :]) & ~itself
    logits = (found @ found.T / CONTRAST_TEMPERATURE).masked_fill(itself, float("-inf"))
    chance = (logits - logits.logsumexp(-1, keepdim=True)).masked_fill(~same, 0.0)
    partners = same.sum(-1)
    paired = partners > 0
    if not bool(paired.any()):
        return found.sum() * 0.0
    return -(chance.sum(-1)[paired] / partners[paired]).mean()


#: --loss -> the parts that are added up
LOSSES = {"mse": (square_loss,), "mse+ce": (square_loss, entropy_loss), "ce": (entropy_loss,),
          "mse+contrast": (square_loss, contrast_loss)}


def batch_loss(found: torch.Tensor, codes: torch.Tensor, skill: torch.Tensor,
               loss: str) -> torch.Tensor:
    """Mean loss of (n, d) unit rows against the (K, d) frozen codes; ``skill`` (n,) are indices.

    ``loss`` is a key of LOSSES.
    """
    parts = [part(found, codes, skill) for part in LOSSES[loss]]
    return torch.stack(parts).sum()


def outlier_loss(found: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
    """Outlier exposure (Hendrycks et al., arXiv 1812.04606) as a hinge on the best cosine."""
    return F.relu((found @ codes.T).amax(-1) - OOS_COSINE).mean()


def _schedule(step: int, total: int) -> float:
    """Factor on the learning rate: linear rise, then linear fall to zero."""
    rise = max(1, int(WARM_UP * total))
    return (step + 1) / rise if step < rise else (total - step) / max(1, total - rise)


def _batches(texts: Sequence[str], size: int, order: random.Random) -> List[List[int]]:
    """Rows of one epoch in random batches of texts of like length: half of the padding saved."""
    rows = order.sample(range(len(texts)), len(texts))
    out = []
    for start in range(0, len(rows), size * BUCKET):
        near = sorted(rows[start:start + size * BUCKET], key=lambda row: len(texts[row]))
        out += [near[at:at + size] for at in range(0, len(near), size)]
    return order.sample(out, len(out))


def _collapse_figures(encoder: Trainable, book: Codebook, pairs: Sequence[Tuple[str, str]],
                      report: FitReport) -> None:
    """Fill in what a falling loss would hide."""
    labels = encoder.encode(list(book.labels))
    report.label_distance = closest_pair(labels, book.skills)[0]
    found = encoder.encode([text for text, _ in pairs])
    report.variance = float(found.var(0, unbiased=False).sum())
    nearest = torch.cdist(found, book.codes).argmin(-1)
    right = torch.tensor([book.index(skill) for _, skill in pairs])
    report.train_accuracy = float((nearest == right).float().mean())


def finetune(encoder: Trainable, book: Codebook, pairs: Sequence[Tuple[str, str]],
             oos: Sequence[str] = (), settings: FitSettings = DEFAULTS,
             on_epoch: Callable[[int, float], None] = lambda epoch, loss: None) -> FitReport:
    """Train ``encoder.model`` in place on (text, skill) pairs; ``oos`` are of no skill.

    ``on_epoch`` gets the epoch (from 1) and its mean loss. Seeded: same input, same parameters.
    """
    if settings.loss not in LOSSES:
        raise unknown("--loss", settings.loss, LOSSES)
    oos = list(oos) if settings.outliers else []
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
        losses = []
        for part in _batches([text for text, _ in data], settings.batch, order):
            found = encoder.embed([data[i][0] for i in part])
            value = batch_loss(found, book.codes, skill[part], settings.loss)
            if oos:
                extra = order.sample(oos, min(OOS_PER_BATCH, len(oos)))
                value = value + outlier_loss(encoder.embed(extra), book.codes)
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
