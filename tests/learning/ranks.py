"""A toy training cut into two halves: as two ranks (run as a program) and as one joined batch.

What is random is drawn for each half from a generator of its own, so that two ranks and the one
process see the same samples.
"""
from __future__ import annotations

import contextlib
import dataclasses
import io
import sys
from pathlib import Path

import torch
from toy import SKILLS, ToyEnv

from ppp.learning import distributed
from ppp.learning.chance import seed_everything
from ppp.learning.config import TrainConfig
from ppp.learning.diagnostics import RunLog
from ppp.learning.networks import SkillPolicy
from ppp.learning.rlg_agent import PppAgent, build_params
from ppp.learning.rlg_model import RlgEnv, RlgModel
from ppp.learning.style import StyleTrainer
from ppp.learning.train import make_policy
from ppp.learning.warm_start import _fit, _Memory

HALF, HORIZON, BATCH = 32, 8, 96


def toy_config(ranks: int) -> TrainConfig:
    """Settings of one rank, or of the joined batch where ``ranks`` is 2."""
    base = TrainConfig()
    envs = HALF * ranks
    return dataclasses.replace(
        base, num_envs=envs, iterations=2,
        network=dataclasses.replace(base.network, actor=[32], critic=[32], discriminator=[32],
                                    encoder=[16], latent=8, log_sigma=-1.0),
        # one minibatch: the order within a batch is then all that shuffling changes
        ppo=dataclasses.replace(base.ppo, horizon=HORIZON, minibatch=envs * HORIZON, epochs=2,
                                kl_target=1e-4, learning_rate=1e-3, max_learning_rate=1e-2),
        discriminator=dataclasses.replace(base.discriminator, batch=BATCH * ranks, steps=2,
                                          learning_rate=1e-3, replay=0),
        warm_start=dataclasses.replace(base.warm_start, critic_iterations=0))


class Halves(ToyEnv):
    """The toy environments of several ranks as one."""

    def __init__(self, ranks):
        self.parts = [ToyEnv(HALF, seed=5 + rank) for rank in ranks]
        self.num_envs, self.library = HALF * len(ranks), self.parts[0].library
        self.windows, self.broken_count = torch.zeros(self.num_envs, 2, 140), 0

    @property
    def commands(self):
        joined = type(self.parts[0].commands)()
        joined.skill = torch.cat([part.commands.skill for part in self.parts])
        return joined

    def reset(self):
        return torch.cat([part.reset() for part in self.parts])

    def step(self, action):
        outs = [p.step(a) for p, a in zip(self.parts, action.split(HALF))]
        infos = {k: torch.cat([out[3][k] for out in outs])
                 for k in outs[0][3] if k != "terms"}
        # one that grows with the state, so that the scale of the values matters
        terms = {"speed": torch.cat([part.velocity.square().sum(-1) for part in self.parts])}
        obs, _, done = (torch.cat([out[i] for out in outs]) for i in range(3))
        return obs, 3.0 * terms["speed"], done, {**infos, "terms": terms}


class Chance:
    """Noise and draws of some ranks, each from its own generator."""

    def __init__(self, ranks):
        self.generators = [torch.Generator().manual_seed(100 + rank) for rank in ranks]

    def noise(self, like):
        return torch.cat([torch.randn(part.shape, generator=g) for part, g in
                          zip(like.split(HALF), self.generators)])

    def policy_batch(self, style):
        """Windows and rows out of the last roll-out, whose samples lie time by time."""
        count = len(self.generators)
        picks = [torch.randint(0, HORIZON * HALF, (BATCH,), generator=g) for g in self.generators]
        pick = torch.cat([p // HALF * HALF * count + part * HALF + p % HALF
                          for part, p in enumerate(picks)])
        return style._fresh[0][pick], style._fresh[1][pick]

    def demo(self, library):
        skill = torch.cat([torch.randint(0, SKILLS, (BATCH,), generator=g)
                           for g in self.generators])
        return skill * 50 + 7, skill, (skill + 1) % SKILLS


def train(ranks, folder: Path):
    """Two iterations; everything that was learnt and shown."""
    config, chance = toy_config(len(ranks)), Chance(ranks)
    seed_everything(0)
    env = Halves(ranks)
    policy = make_policy(config, torch.eye(SKILLS), 2, 2)
    style = StyleTrainer(env.library, 2, config)
    style._policy_batch = lambda: chance.policy_batch(style)
    style.latents.demo = lambda count: chance.demo(env.library)
    log = RunLog(folder, env.library.skills, config.iterations, 1e9, lambda: None)
    params = build_params(config, RlgEnv(env), RlgModel(policy), log, str(folder), "run", "cpu")
    original = torch.randn_like
    torch.randn_like = chance.noise
    gradients = []
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            agent = PppAgent(params, config, style)
            step = agent.optimizer.step
            agent.optimizer.step = lambda *a: (gradients.append(torch.cat(
                [p.grad.flatten() for p in policy.parameters() if p.grad is not None])),
                step(*a))[1]
            style.refresh(policy.encoder)
            log.start()
            agent.train()
    finally:
        torch.randn_like = original
    return {"policy": policy.state_dict(), "style": style.net.state_dict(),
            "gradients": gradients, "lr": agent.last_lr, "kl": agent.kl, "frame": agent.frame,
            "regression": regression(ranks)}


def regression(ranks):
    """The gradient of one step of the warm start's regression on the ranks' states."""
    seed_everything(1)
    policy = SkillPolicy(2, 2, torch.eye(SKILLS), [16], [8], [8], 8, -1.0)
    memory = _Memory(BATCH * len(ranks), 2, 2)
    for rank in ranks:
        g = torch.Generator().manual_seed(rank)
        memory.add(torch.randn(BATCH, 2, generator=g), torch.arange(BATCH) % SKILLS,
                   torch.randn(BATCH, 2, generator=g), torch.zeros(BATCH, dtype=torch.long))
    policy.obs_norm.update(memory.obs)
    parameters = [*policy.actor.parameters(), *policy.encoder.parameters()]
    draw = torch.randint  # all states once instead of some of them at random
    torch.randint = lambda low, high, shape, **where: torch.arange(shape[0])
    try:
        _fit(policy, memory, torch.optim.SGD(parameters, 1.0), BATCH * len(ranks), False)
    finally:
        torch.randint = draw
    return {"gradient": torch.cat([p.grad.flatten() for p in parameters]),
            "mean": policy.obs_norm.mean, "var": policy.obs_norm.var}


def arithmetic():
    """The helpers on numbers that a reader can check."""
    rank = distributed.world().rank
    samples = torch.tensor([[1.0, 10.0], [3.0, 30.0]] if rank == 0 else [[8.0, 2.0]])
    samples = samples.double()
    moments = distributed.joined_moments(len(samples), samples.mean(0),
                                         samples.var(0, unbiased=False))
    weight = torch.nn.Parameter(torch.zeros(2))
    idle = torch.nn.Parameter(torch.zeros(1))
    weight.grad = torch.tensor([1.0, 5.0]) * (rank + 1)
    distributed.mean_gradients([weight, idle])
    fill = torch.full((2,), float(rank))
    distributed.same_weights([fill])
    kept = distributed.from_first(lambda: {"a": torch.arange(3), "who": rank})
    try:
        distributed.check_same("same", "settings")
        distributed.check_same(f"rank {rank}", "settings")
        refused = ""
    except Exception as error:  # noqa: BLE001  (the message is what the test is about)
        refused = f"{type(error).__name__}: {error}"
    return {"moments": list(moments), "gradient": weight.grad, "idle": idle.grad, "fill": fill,
            "kept": kept, "refused": refused,
            "rows": distributed.joined(samples[:, :1] if rank == 0 else samples[:0, :1]),
            "any": distributed.any_rank(rank == 1), "of_first": distributed.of_first(rank == 1)}


if __name__ == "__main__":
    torch.set_num_threads(1)
    out = Path(sys.argv[1])
    with distributed.started() as world:
        result = {"arithmetic": arithmetic(), "train": train([world.rank], out / str(world.rank))}
    torch.save(result, out / f"rank_{world.rank}.pt")
