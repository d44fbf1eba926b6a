"""Settings of a training run: every number has one line of meaning here or in cfg/train/."""
from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import List, Optional, Union

from ppp.errors import PPPError, unknown
from ppp.settings import ROOT, build, load_yaml

DEFAULT = "cfg/train/ppp_cpu.yaml"
#: what z is made from, and the discriminator's losses
CODES = ("quantised", "raw", "motion", "sphere", "none")
LOSSES = ("bce", "lsgan")
GRADIENTS = ("policy", "discriminator")
PRECISIONS = ("auto", "float32", "bfloat16")


@dataclass
class NetworkConfig:
    """Sizes of the networks."""

    actor: List[int] = field(default_factory=lambda: [512, 256])
    critic: List[int] = field(default_factory=lambda: [512, 256])
    discriminator: List[int] = field(default_factory=lambda: [512, 256])
    encoder: List[int] = field(default_factory=lambda: [256])
    latent: int = 64  # dimension of z, on the unit sphere
    log_sigma: float = -3.1  # fixed exploration noise, in units of action
    goal: bool = True  # the policy sees its target; false: blind to it (GAIL, ASE's low level)


@dataclass
class PpoConfig:
    """Proximal policy optimisation."""

    horizon: int = 16  # control steps per roll-out
    minibatch: int = 2048  # samples
    epochs: int = 3  # passes over a roll-out
    gamma: float = 0.97
    gae_lambda: float = 0.95
    clip: float = 0.2
    learning_rate: float = 3e-4  # of actor and skill encoder
    critic_learning_rate: float = 5e-4
    max_learning_rate: float = 5e-4  # of an adapted rate
    kl_target: Optional[float] = 0.012  # adapts the actor's rate; null: constant
    grad_norm: float = 1.0  # clipped for actor and critic apart
    bounds: float = 0.0  # weight of the penalty on actions beyond 1.1
    advantage_clip: float = 4.0  # standard deviations
    advantage_by_skill: bool = True  # scaled within each skill, else over all of them
    teacher: float = 0.0  # weight of half the squared distance to the teacher, in sigmas a joint
    diversity: float = 0.0  # weight of ASE's term: other z, other actions


@dataclass
class DiscriminatorConfig:
    """The conditional discriminator D(s, s' | z)."""

    conditional: bool = True  # false: D(s, s'), which cannot tell the skills apart
    loss: str = "bce"  # bce: r = -log(1 - D); lsgan: AMP's r = max(0, 1 - (D - 1)^2 / 4)
    posterior: float = 0.0  # weight of ASE's reward log q(z | s, s'); 0: no such network

    reward_weight: float = 0.2  # w_dis of r_all = w_task r_task + w_dis r_dis
    learning_rate: float = 1e-4
    steps: int = 2  # updates per roll-out
    batch: int = 1024  # of each: demo, policy, mismatched
    gradient_penalty: float = 10.0  # on demo observations
    logit_regularisation: float = 0.01  # on the last layer's weights
    weight_decay: float = 1e-4
    mismatched: float = 0.5  # share of mismatched negatives in the loss; 0: off
    replay: int = 200_000  # policy windows kept; 0: no replay
    replay_share: float = 0.5  # share of the policy batch drawn from the replay buffer


@dataclass
class MotionCodeConfig:
    """CALM's motion encoder: a stretch of a clip -> z (only with ``codes: motion``)."""

    frames: int = 60  # control steps it looks back
    stride: int = 6  # of which it sees every sixth
    gradient: str = "policy"  # whose gradient teaches it: policy or discriminator
    alignment: float = 0.1  # weight: stretches that overlap have near z
    uniformity: float = 0.05  # weight: the z of different motions lie apart


@dataclass
class WarmStartConfig:
    """Distilling the teacher into the actor before PPO (DAgger)."""

    iterations: int = 150  # roll-outs; 0: start as a statue in the mean pose
    steps: int = 8  # control steps a roll-out
    updates: int = 12  # Adam steps after each
    batch: int = 1024
    learning_rate: float = 1e-3
    memory: int = 150_000  # labelled states kept
    teacher_share: float = 0.3  # of the humanoids that the teacher moves to the end
    fade: float = 0.6  # share of the iterations in which it falls to that from all of them
    alone: float = 0.5  # of the humanoids that the policy moves by itself, without noise, as in use
    precision: str = "auto"  # of the regression's products: float32, bfloat16, auto: what is faster
    feedback: bool = True  # the teacher keeps its balance; false: the clips' replay, open loop
    regulator: bool = True  # by a linear-quadratic regulator; false: by the stance legs
    priced: bool = True  # errors count by what they cost the regulator; false: squares alike
    critic_iterations: int = 20  # first PPO iterations that train the critic alone


@dataclass
class TrainConfig:
    """One training run."""

    num_envs: int = 512
    task_weight: float = 1.0  # w_task of r_all
    iterations: int = 2000
    save_minutes: float = 3.0
    keep: int = 3  # checkpoints kept
    codebook: str = "auto"  # folder of a skill codebook; auto: the shipped one
    codes: str = "quantised"  # what z is made from: see ppp/learning/latents.py
    phrases: str = "prompts/phrases.yaml"  # of codes: raw
    phrases_per_skill: int = 24  # drawn from them with the run's seed
    network: NetworkConfig = field(default_factory=NetworkConfig)
    ppo: PpoConfig = field(default_factory=PpoConfig)
    discriminator: DiscriminatorConfig = field(default_factory=DiscriminatorConfig)
    motion: MotionCodeConfig = field(default_factory=MotionCodeConfig)
    warm_start: WarmStartConfig = field(default_factory=WarmStartConfig)


def load_train(path: Optional[Union[str, Path]] = None) -> TrainConfig:
    """Settings from a YAML (default: the CPU preset); PPPError names a wrong field."""
    chosen = Path(path) if path else ROOT / DEFAULT
    config = build(TrainConfig, load_yaml(chosen), str(chosen))
    check_batch(config, str(chosen))
    return config


def _check_numbers(config: TrainConfig, source: str) -> None:
    """Counts of 1 or more, rates above 0, layers with units; PPPError names the field."""
    net, ppo, disc, warm = config.network, config.ppo, config.discriminator, config.warm_start
    ones = {"num_envs": config.num_envs, "iterations": config.iterations, "keep": config.keep,
            "network.latent": net.latent, "ppo.horizon": ppo.horizon,
            "ppo.minibatch": ppo.minibatch, "ppo.epochs": ppo.epochs,
            "discriminator.batch": disc.batch, "warm_start.batch": warm.batch,
            "warm_start.steps": warm.steps, "warm_start.memory": warm.memory}
    for name in ("actor", "critic", "discriminator"):
        ones[f"network.{name}"] = min(getattr(net, name), default=0)
    ones["network.encoder"] = min(net.encoder, default=1)
    for name, value in ones.items():
        if value < 1:
            raise PPPError(f"{source}: field '{name}' must be 1 or more"
                           + (" everywhere, in a list that is not empty"
                              if isinstance(getattr(net, name[8:], None), list) else ""))
    rates = {"ppo.learning_rate": ppo.learning_rate, "ppo.clip": ppo.clip,
             "ppo.critic_learning_rate": ppo.critic_learning_rate,
             "ppo.grad_norm": ppo.grad_norm, "discriminator.learning_rate": disc.learning_rate,
             "warm_start.learning_rate": warm.learning_rate, "ppo.gamma": ppo.gamma}
    for name, value in rates.items():
        if value <= 0:
            raise PPPError(f"{source}: field '{name}' must be above 0")
    if warm.precision not in PRECISIONS:
        raise PPPError(f"{source}: {unknown('warm_start.precision', warm.precision, PRECISIONS)}")
    for name, value in {"warm_start.fade": warm.fade, "warm_start.alone": warm.alone,
                        "warm_start.teacher_share": warm.teacher_share,
                        "ppo.gamma": ppo.gamma, "ppo.gae_lambda": ppo.gae_lambda,
                        "discriminator.mismatched": disc.mismatched,
                        "discriminator.replay_share": disc.replay_share}.items():
        if not 0 <= value <= 1:
            raise PPPError(f"{source}: field '{name}' must be 0 to 1")


def _check_method(config: TrainConfig, source: str) -> None:
    """Parts that do not go together, each with what to change."""
    disc = config.discriminator
    if config.codes not in CODES:
        raise PPPError(f"{source}: {unknown('kind of codes', config.codes, CODES)}")
    if disc.loss not in LOSSES:
        raise PPPError(f"{source}: {unknown('discriminator.loss', disc.loss, LOSSES)}")
    if config.motion.gradient not in GRADIENTS:
        raise PPPError(f"{source}: {unknown('motion.gradient', config.motion.gradient, GRADIENTS)}")
    if not disc.conditional and disc.mismatched > 0:
        raise PPPError(f"{source}: field 'discriminator.mismatched' must be 0 where "
                       "'discriminator.conditional' is false: there is no z to be wrong")
    if disc.posterior and config.codes != "sphere":
        raise PPPError(f"{source}: field 'discriminator.posterior' is for codes: sphere only; set "
                       "it to 0")
    if config.codes in ("sphere", "none"):
        if disc.conditional:
            raise PPPError(f"{source}: field 'discriminator.conditional' must be false with codes: "
                           f"{config.codes}: its z belong to no clip")
        if config.warm_start.iterations:
            raise PPPError(f"{source}: field 'warm_start.iterations' must be 0 with codes: "
                           f"{config.codes}: no z says which skill the teacher shows")
    if config.motion.frames < 1 or config.motion.stride < 1 or config.phrases_per_skill < 1:
        raise PPPError(f"{source}: fields 'motion.frames', 'motion.stride' and "
                       "'phrases_per_skill' must be 1 or more")


def check_batch(config: TrainConfig, source: str) -> None:
    """The roll-out must divide into minibatches, else say which three numbers to change."""
    _check_numbers(config, source)
    _check_method(config, source)
    samples = config.num_envs * config.ppo.horizon
    if samples % config.ppo.minibatch:
        raise PPPError(f"{source}: num_envs {config.num_envs} x horizon {config.ppo.horizon} = "
                       f"{samples} samples do not divide by minibatch {config.ppo.minibatch}; "
                       "change one of the three")
