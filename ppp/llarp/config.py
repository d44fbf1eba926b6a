"""Settings of a training: YAML in cfg/llarp/, every field also a flag of ``ppp llarp train``."""
from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Optional, Union

from ppp.errors import PPPError, unknown
from ppp.llarp.heads import CRITICS, HEADS
from ppp.llarp.policy import LOOKS
from ppp.settings import ROOT, build, load_yaml

FOLDER = ROOT / "cfg" / "llarp"
#: the two declared regimes; results are never compared across them
REGIMES = ("imitation", "rl")
#: llarp: through the backbone; lstm: on its pooled sentence vector; lstm-words: on learned words
POLICIES = ("llarp", "lstm", "lstm-words")
MODES = ("appearance", "names")
FAILURES = ("none", "disturbed")


@dataclass
class ModelConfig:
    """The policy."""

    policy: str = "llarp"
    """llarp, lstm (frozen sentence vector) or lstm-words (word vectors of its own)."""
    backbone: str = "minilm"
    """minilm, scratch (untrained, then trained), scratch-frozen, tiny, or causal:FOLDER."""
    precision: str = "bfloat16"
    """Of a frozen backbone's weights: bfloat16 or float32."""
    head: str = "flat"
    """flat (a row of weights an action), text (against the action's phrase) or both."""
    critic: str = "shared"
    """shared (linear, on the decoder's features) or separate (no gradient into the adapters)."""
    gaze: bool = False
    """Whether the decoder looks at the entities once more, for what the instruction is after."""
    sentence: bool = False
    """Whether the decoder has the instruction's pooled vector beside the hidden state."""
    mode: str = "appearance"
    """What an entity shows: appearance, or names (a perfect detector of words)."""
    look: str = "all"
    """all, none (blind) or first (the first observation alone: an open-loop plan)."""
    remembers: bool = True
    """False: a step sees the instruction and its own observation alone."""
    echo: bool = True
    """False: no observation says what the last action was, how it went and how late it is."""
    width: int = 192
    """Units of the observation encoder."""


@dataclass
class ImitationConfig:
    """Imitation of the search expert, on states that the policy leads to (DAgger: Ross et al.,
    arXiv 1011.0686)."""

    iterations: int = 2000
    """Roll-outs in all; 0: none."""
    episodes: int = 256
    """Episodes a roll-out."""
    passes: int = 1
    """Over each roll-out; with two, half the roll-outs make as many updates."""
    batch: int = 64
    """Episodes an optimiser step."""
    learning_rate: float = 1e-3
    """Of AdamW at its highest; it warms up over 5 % and falls to a tenth by a cosine."""
    lead: int = 100
    """First roll-outs, all of whose steps are the expert's."""
    expert_share: float = 0.5
    """Share of the steps that the expert acts itself in those that follow."""
    weight_decay: float = 0.01
    """Of AdamW."""
    grad_norm: float = 1.0
    """Clipped."""


@dataclass
class PpoConfig:
    """Proximal policy optimisation; the defaults are the paper's."""

    iterations: int = 0
    """Roll-outs in all; 0: none."""
    episodes: int = 128
    """Episodes a roll-out."""
    epochs: int = 2
    """Passes over a roll-out."""
    minibatches: int = 8
    """Parts of a roll-out, by episode."""
    learning_rate: float = 3e-4
    """Of AdamW, constant."""
    clip: float = 0.2
    """Of the ratio, and of the values' change."""
    gamma: float = 0.99
    """Discount."""
    gae_lambda: float = 0.95
    """Of generalised advantages."""
    entropy: float = 0.01
    """Weight of the entropy."""
    value: float = 0.5
    """Weight of the value loss."""
    grad_norm: float = 0.2
    """Clipped."""
    normalise: bool = True
    """Advantages to mean 0 and deviation 1 over a roll-out."""
    kl: float = 0.0
    """Weight of KL(policy, imitated policy); of the regime imitation alone."""
    value_iterations: int = 0
    """First iterations that train the value alone."""


@dataclass
class LlarpConfig:
    """One training."""

    regime: str = "imitation"
    """imitation (of the expert, then PPO) or rl (PPO alone); never compared with each other."""
    seed: int = 0
    """Of weights, tasks and noise."""
    failures: str = "none"
    """What goes wrong by itself in training: none, or disturbed (a fifth of the episodes)."""
    save_minutes: float = 3.0
    """Between two checkpoints."""
    validate_every: int = 200
    """Iterations between two scores on validation tasks; 0: never."""
    validation: int = 128
    """Validation tasks."""
    model: ModelConfig = field(default_factory=ModelConfig)
    imitation: ImitationConfig = field(default_factory=ImitationConfig)
    ppo: PpoConfig = field(default_factory=PpoConfig)


def load_config(path: Optional[Union[str, Path]] = None, regime: str = "imitation") -> LlarpConfig:
    """Settings from a YAML (default: the regime's own); PPPError names a wrong field."""
    if regime not in REGIMES:
        raise unknown("regime", regime, REGIMES)
    chosen = Path(path) if path else FOLDER / f"{regime}.yaml"
    config = build(LlarpConfig, load_yaml(chosen), str(chosen))
    check(config, str(chosen))
    return config


def check(config: LlarpConfig, source: str) -> None:
    """PPPError for a value that cannot be, or for parts that do not go together."""
    model, imitation, ppo = config.model, config.imitation, config.ppo
    for name, value, choices in (
            ("regime", config.regime, REGIMES), ("failures", config.failures, FAILURES),
            ("model.policy", model.policy, POLICIES),
            ("model.head", model.head, HEADS), ("model.critic", model.critic, CRITICS),
            ("model.mode", model.mode, MODES), ("model.look", model.look, LOOKS)):
        if value not in choices:
            raise PPPError(f"{source}: {unknown(name, value, choices)}")
    for name, number in (("imitation.episodes", imitation.episodes), ("model.width", model.width),
                         ("imitation.batch", imitation.batch),
                         ("imitation.passes", imitation.passes), ("ppo.episodes", ppo.episodes),
                         ("ppo.epochs", ppo.epochs), ("ppo.minibatches", ppo.minibatches),
                         ("validation", config.validation)):
        if number < 1:
            raise PPPError(f"{source}: field '{name}' must be 1 or more")
    for name, share in (("imitation.expert_share", imitation.expert_share),
                        ("ppo.gamma", ppo.gamma), ("ppo.gae_lambda", ppo.gae_lambda)):
        if not 0 <= share <= 1:
            raise PPPError(f"{source}: field '{name}' must be 0 to 1")
    for name, rate in (("imitation.learning_rate", imitation.learning_rate),
                       ("ppo.learning_rate", ppo.learning_rate), ("ppo.clip", ppo.clip),
                       ("imitation.grad_norm", imitation.grad_norm),
                       ("ppo.grad_norm", ppo.grad_norm)):
        if rate <= 0:
            raise PPPError(f"{source}: field '{name}' must be above 0")
    if ppo.minibatches > ppo.episodes:
        raise PPPError(f"{source}: field 'ppo.minibatches' is {ppo.minibatches}, more than the "
                       f"{ppo.episodes} episodes of 'ppo.episodes'")
    if config.regime == "rl" and (imitation.iterations or ppo.kl):
        raise PPPError(f"{source}: field 'imitation.iterations' and 'ppo.kl' must be 0 in the "
                       "regime rl: nothing is imitated there")
    if ppo.value_iterations and model.critic != "separate":
        raise PPPError(f"{source}: field 'ppo.value_iterations' needs model.critic: separate; a "
                       "shared one trains the adapters as well")
    if model.policy != "llarp" and (model.look != "all" or not model.remembers):
        raise PPPError(f"{source}: fields 'model.look' and 'model.remembers' are for "
                       "model.policy: llarp")
