"""Training must make things better: adversarially on a toy, by distillation on the humanoid."""
from __future__ import annotations

import contextlib
import dataclasses
import io

import torch
from toy import ToyEnv

from ppp.learning.chance import seed_everything
from ppp.learning.config import TrainConfig, load_train
from ppp.learning.diagnostics import RunLog
from ppp.learning.rlg_agent import PppAgent, build_params
from ppp.learning.rlg_model import RlgEnv, RlgModel
from ppp.learning.style import StyleTrainer
from ppp.learning.teacher import servo_targets
from ppp.learning.train import make_policy
from ppp.learning.warm_start import warm_start
from ppp.tasks.config import load_task
from ppp.tasks.env import HumanoidEnv


def toy_config(iterations):
    base = TrainConfig()
    return dataclasses.replace(
        base, num_envs=128, iterations=iterations, task_weight=0.0,
        network=dataclasses.replace(base.network, actor=[64, 64], critic=[64, 64],
                                    discriminator=[64, 64], encoder=[32], latent=8, log_sigma=-1.0),
        ppo=dataclasses.replace(base.ppo, horizon=16, minibatch=512, epochs=4, gamma=0.9,
                                learning_rate=1e-3, kl_target=None),
        discriminator=dataclasses.replace(base.discriminator, reward_weight=1.0, batch=512, steps=2,
                                          learning_rate=1e-3, gradient_penalty=1.0),
        warm_start=dataclasses.replace(base.warm_start, critic_iterations=0))


def test_the_discriminator_alone_teaches_the_toy_its_skills(tmp_path):
    """No task reward at all: only -log(1 - D(s, s' | z)) says which way each skill goes."""
    seed_everything(0)
    env, config = ToyEnv(), toy_config(60)
    policy = make_policy(config, torch.eye(4), 2, 2)
    before = env.error(policy)
    style = StyleTrainer(env.library, 2, config)
    log = RunLog(tmp_path, env.library.skills, config.iterations, 1e9, lambda: None)
    params = build_params(config, RlgEnv(env), RlgModel(policy), log, str(tmp_path), "run", "cpu")
    with contextlib.redirect_stdout(io.StringIO()):
        agent = PppAgent(params, config, style)
        style.refresh(policy.encoder)
        log.start()
        agent.train()
    after = env.error(policy)
    assert before > 0.9
    assert after < 0.45, f"mean velocity error {before:.2f} before, {after:.2f} after"


def test_distilling_the_replay_beats_the_statue():
    """A minute's roll-outs teach block and turn_left better than holding the mean pose does."""
    seed_everything(0)
    task = dataclasses.replace(load_task("HumanoidSkills"), skills=["block", "turn_left"])
    env = HumanoidEnv(task, 64, seed=0, threads=1)
    config = load_train()
    config = dataclasses.replace(config, network=dataclasses.replace(
        config.network, actor=[128, 64], critic=[32], encoder=[32], latent=16))
    policy = make_policy(config, torch.eye(2), env.observation_size, env.action_size)

    def imitation():
        env.reset()
        total, obs = 0.0, env.observe()
        for _ in range(60):
            with torch.no_grad():
                obs, _, _, infos = env.step(policy.act(obs, env.commands.skill))
            total += float(infos["terms"]["imitation"].mean()) / 60
        return total

    before = imitation()
    warm_start(policy, env, dataclasses.replace(config.warm_start, iterations=40, updates=15,
                                                batch=512, memory=20_000))
    after = imitation()
    env.close()
    assert after > before + 0.03, f"imitation {before:.3f} before, {after:.3f} after"


def test_servo_targets_lead_the_motion(library):
    """Where a joint moves fast the target is ahead of it, by about kd / kp times its speed."""
    targets = servo_targets(library)
    assert targets.shape == library.joint_pos.shape and torch.isfinite(targets).all()
    lead = (targets - library.joint_pos).flatten()
    speed = library.joint_vel.flatten()
    fast = speed.abs() > 3.0
    assert (torch.sign(lead[fast]) == torch.sign(speed[fast])).float().mean() > 0.9
