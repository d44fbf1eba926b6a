"""What the curves of a healthy training look like: one table for reports, pictures and the docs.

The bands are from runs of this project that learnt (cfg/train/ppp_cpu.yaml, 6 and 18 skills); they
are where to look first when a run does not, not a law.
"""
from __future__ import annotations

from typing import Dict, List, NamedTuple, Optional

from ppp.learning.history import History


class Band(NamedTuple):
    """A curve of history.jsonl with the range it should end in, and what it means to leave it."""

    key: str
    title: str
    low: float
    high: float
    below: str
    above: str


#: a curve of two others: demo logit above the mismatched one
APART = "discriminator/apart"

BANDS: List[Band] = [
    Band("episode_length", "episode length (steps of 300)", 60, 300,
         "nothing stands long enough to learn from: more warm start, less noise", ""),
    Band("falls", "share of episodes that end in a fall or astray", 0.0, 0.97,
         "", "almost every episode fails: as above"),
    Band("reward/imitation", "imitation (1: the clip itself)", 0.5, 1.0,
         "the clips are being lost: a lower learning rate, a weaker task reward", ""),
    Band("reward/facing", "facing (1: at the target)", 0.7, 1.0,
         "targets are ignored: raise the weight of facing", ""),
    Band("reward/style", "style reward (0.69: cannot be told from the clips)", 0.2, 1.0,
         "the discriminator has won: fewer steps, a lower rate or a stronger gradient penalty",
         "the discriminator learns nothing: a higher rate or a weaker penalty"),
    Band("discriminator/logit_demo", "logit on clips", -0.3, 2.0,
         "the discriminator doubts the clips: look at the clips, or give it time",
         "the discriminator is certain: as for the style reward"),
    Band("discriminator/logit_policy", "logit on the policy", -2.0, 0.3,
         "the discriminator has won: as for the style reward",
         "the discriminator takes the policy for clips: give it more steps"),
    Band("discriminator/accuracy_demo", "clips taken for clips (share)", 0.3, 1.0,
         "as for the logit on clips", ""),
    Band("discriminator/accuracy_policy", "policy told from the clips (share)", 0.4, 1.0,
         "as for the logit on the policy", ""),
    Band(APART, "clips under their own z against a wrong z (logits)", 0.02, 3.0,
         "the discriminator does not look at z: set discriminator.mismatched to 0.5", ""),
    Band("kl", "KL of an update", 0.004, 0.06,
         "the policy hardly moves: its rate is at its floor or the advantages are nought",
         "updates are too large: a lower max_learning_rate"),
    Band("actor_lr", "the actor's learning rate", 1e-5, 1e-3,
         "the KL pushes the rate down: fewer epochs", ""),
    Band("broken", "states that blew up", 0, 0, "", "the simulation explodes: less action scale"),
]
#: what a least-squares discriminator's logits do is another matter: +1 and -1 are its targets
LEAST_SQUARES = {"discriminator/logit_demo": (0.0, 1.3), "discriminator/logit_policy": (-1.3, 0.8),
                 "reward/style": (0.1, 1.0)}


def bands(settings: Optional[Dict] = None) -> List[Band]:
    """The table for a run's settings (settings.yaml); curves that it cannot have are left out."""
    train = (settings or {}).get("train", {})
    disc = train.get("discriminator", {})
    kept = []
    for band in BANDS:
        if band.key == APART and (disc.get("mismatched", 0.5) == 0):
            continue
        if disc.get("loss", "bce") == "lsgan" and band.key in LEAST_SQUARES:
            low, high = LEAST_SQUARES[band.key]
            band = band._replace(low=low, high=high)
        kept.append(band)
    return kept


def outside(history: History, settings: Optional[Dict] = None) -> List[str]:
    """One line for each curve whose end lies outside its band: value, band, what it may mean."""
    lines = []
    for band in bands(settings):
        value = history.end(band.key)
        if value is None or band.low <= value <= band.high:
            continue
        why = band.below if value < band.low else band.above
        lines.append(f"{band.title}: {value:.3g}, healthy is {band.low:g} to {band.high:g}"
                     + (f" ({why})" if why else ""))
    return lines
