"""The agent: rl-games' continuous PPO with overrides at the seams where PPP differs.

No rl-games method is copied. What an override does beyond calling ``super()`` is a plain function
of the learning package.
"""
from __future__ import annotations

import tempfile
from typing import Any, Dict, List, Optional, Tuple

import torch
from rl_games.algos_torch.a2c_continuous import A2CAgent
from rl_games.common.tr_helpers import DefaultRewardsShaper
from torch import Tensor
from torch.nn.utils import clip_grad_norm_

from ppp.learning import distributed
from ppp.learning.advantages import gae, normalised
from ppp.learning.config import TrainConfig
from ppp.learning.rlg_model import ModelBuilder, RlgEnv, RlgModel
from ppp.learning.style import StyleTrainer
from ppp.learning.teacher import Teacher


def build_params(config: TrainConfig, env: RlgEnv, model: RlgModel, observer: Any,
                 train_dir: str, run_name: str, device: str) -> Dict[str, Any]:
    """rl-games' configuration dictionary for our settings."""
    ppo = config.ppo
    adaptive = ppo.kl_target is not None
    rl = {
        "name": "ppp", "full_experiment_name": run_name, "train_dir": train_dir,
        "env_name": "ppp", "env_info": env.get_env_info(), "vec_env": env,
        "num_actors": env.env.num_envs, "device": device, "ppo": True, "multi_gpu": False,
        "mixed_precision": False, "normalize_input": True, "normalize_value": True,
        "normalize_advantage": False, "value_bootstrap": False, "reward_shaper":
        DefaultRewardsShaper(), "features": {"observer": observer}, "gamma": ppo.gamma,
        "tau": ppo.gae_lambda, "e_clip": ppo.clip, "clip_value": False, "entropy_coef": 0.0,
        # rl-games halves critic_coef; with the critic's own gradient clip and rate 1 is neutral
        "critic_coef": 2.0, "bounds_loss_coef": ppo.bounds, "truncate_grads": False,
        "grad_norm": ppo.grad_norm, "horizon_length": ppo.horizon, "minibatch_size": ppo.minibatch,
        "mini_epochs": ppo.epochs, "learning_rate": ppo.learning_rate,
        "lr_schedule": "adaptive" if adaptive else "constant", "schedule_type": "standard",
        "kl_threshold": ppo.kl_target or 0.0, "max_epochs": config.iterations,
        "clip_actions": False, "print_stats": False, "save_frequency": 0,
        "save_best_after": 10 ** 9, "seq_length": 1,
    }
    return {"config": rl, "model": model}


class _NoWriter:
    """In the place of TensorBoard's writer, in a rank that writes nothing."""

    def add_scalar(self, *values: Any) -> None:
        """Nothing is kept."""

    flush = close = add_scalar


class PppAgent(A2CAgent):
    """PPO whose reward is w_task r_task + w_dis r_dis and whose observation is under a skill."""

    def __init__(self, params: Dict[str, Any], settings: TrainConfig, style: StyleTrainer,
                 teacher: Optional[Teacher] = None) -> None:
        self.settings, self.style, self._ready_model = settings, style, params["model"]
        self.teacher = teacher if settings.ppo.teacher else None
        self.terms: Dict[str, List[Tensor]] = {}
        self._build(params)
        ppo = settings.ppo
        net = self.model.a2c_network
        if self.is_adaptive_lr:
            self.scheduler.max_lr = ppo.max_learning_rate
        self._actor_params = [*net.actor.parameters(), *net.encoder.parameters()]
        self._critic_params = list(net.critic.parameters())
        self.optimizer = torch.optim.Adam([
            {"params": self._actor_params, "lr": ppo.learning_rate},
            {"params": self._critic_params, "lr": ppo.critic_learning_rate}])

    def _build(self, params: Dict[str, Any]) -> None:
        """rl-games' constructor, which makes folders and opens files: those of one rank only."""
        if distributed.world().first:
            super().__init__("ppp", params)
            return
        with tempfile.TemporaryDirectory() as folder:
            params["config"]["train_dir"] = folder
            super().__init__("ppp", params)
            self.writer.close()
        self.writer = _NoWriter()

    def load_networks(self, params: Dict[str, Any]) -> None:
        """Our model instead of one from rl-games' registry."""
        self.config["network"] = ModelBuilder(self._ready_model)

    def init_tensors(self) -> None:
        """Room for the windows, skills and next values of a roll-out."""
        super().init_tensors()
        shape = (self.horizon_length, self.num_actors)
        env = self.vec_env.env
        extra = self.experience_buffer.tensor_dict
        extra["window"] = torch.zeros(shape + env.windows.shape[1:], device=self.ppo_device)
        extra["skill"] = torch.zeros(shape, dtype=torch.long, device=self.ppo_device)
        extra["row"] = torch.zeros(shape, dtype=torch.long, device=self.ppo_device)
        extra["timeout_values"] = torch.zeros(shape + (1,), device=self.ppo_device)
        extra["ended"] = torch.zeros(shape, device=self.ppo_device)
        self.tensor_list = self.tensor_list + ["skill", "row"]
        if self.teacher is not None:
            extra["label"] = torch.zeros(shape + (env.action_size,), device=self.ppo_device)
            self.tensor_list = self.tensor_list + ["label"]

    def play_steps(self) -> Dict[str, Any]:
        """A roll-out; afterwards the normalisers learn from it, once."""
        self._n, self.terms = 0, {}
        if self.epoch_num <= self.settings.warm_start.critic_iterations + 1:
            self.last_lr = self.settings.ppo.learning_rate  # no KL yet: do not let it adapt
            self.update_lr(self.last_lr)
        if self.style.latents.kind != "quantised":
            self.style.latents.refresh()
            self.style.refresh(self.model.a2c_network.encoder)
        batch = super().play_steps()
        batch["played_frames"] *= distributed.world().size  # what is counted as samples
        self.style.remember(self.experience_buffer.tensor_dict)
        self._new_statistics = (batch["obses"], batch["returns"])
        return batch

    def get_action_values(self, obs: Dict[str, Tensor]) -> Dict[str, Tensor]:
        """Act under the z of the skills that the environments are commanded."""
        self.model.skill = self.style.latents.now(self.vec_env.env.commands)
        return super().get_action_values(obs)

    def get_values(self, obs: Dict[str, Tensor]) -> Tensor:
        """Values under the commanded skills' z."""
        self.model.skill = self.style.latents.now(self.vec_env.env.commands)
        return super().get_values(obs)

    def env_step(self, actions: Tensor):
        """Step, and keep what the style reward and the advantages need."""
        rows = self.model.skill.clone()  # the command may change within the step
        if self.teacher is not None:
            self.experience_buffer.update_data("label", self._n, self.teacher.actions())
        obs, reward, done, infos = super().env_step(actions)
        keep = self.experience_buffer.update_data
        keep("window", self._n, infos["window"])
        keep("skill", self._n, infos["skill"])
        keep("row", self._n, rows)
        keep("ended", self._n, done.float())
        keep("timeout_values", self._n, self._timeout_values(infos, rows))
        self._n += 1
        for name, value in infos["terms"].items():
            self.terms.setdefault(name, []).append(value.mean())
        self.algo_observer.after_env_step(infos, done)
        return obs, reward, done, {}

    def _timeout_values(self, infos: Dict[str, Tensor], rows: Tensor) -> Tensor:
        """Value of the true next state where an episode merely ran out of time, (N, 1)."""
        values = torch.zeros(self.num_actors, 1, device=self.ppo_device)
        ids = infos["timed_out"].nonzero().flatten()
        if len(ids):
            values[ids] = self.model.a2c_network.value(infos["next_obs"][ids], rows[ids])
        return values

    def discount_values(self, fdones, last_values, mb_fdones, values, rewards) -> Tensor:
        """The place of the style reward: rewards become r_all, then our own GAE."""
        buffer = self.experience_buffer.tensor_dict
        style = self.style.reward(buffer["window"], buffer["row"])
        self.terms["style"] = [style.mean()]
        rewards.mul_(self.settings.task_weight)
        rewards.add_(self.settings.discriminator.reward_weight * style[..., None])
        ended = buffer["ended"][..., None]
        following = torch.cat((values[1:], last_values[None])) * (1 - ended)
        return gae(rewards, values, following + buffer["timeout_values"], ended, self.gamma,
                   self.tau)

    def prepare_dataset(self, batch: Dict[str, Tensor]) -> None:
        """Shuffle, add the skills, scale the advantages; update the value statistics first."""
        net = self.model.a2c_network
        net.value_norm.update(self._new_statistics[1])
        super().prepare_dataset(batch)
        data = self.dataset.values_dict
        limit = self.settings.ppo.advantage_clip
        data["row"] = batch["row"]
        if self.teacher is not None:
            data["label"] = batch["label"]
        kinds = len(self.style.library.skills) if self.settings.ppo.advantage_by_skill else 1
        group = batch["skill"] if kinds > 1 else torch.zeros_like(batch["skill"])
        data["advantages"] = normalised(data["advantages"], group, kinds).clamp(-limit, limit)
        data["behaviour_mu"] = batch["mus"].clone()
        self.dataset.permute = True
        self.dataset.apply_permutation()

    def train_actor_critic(self, minibatch: Dict[str, Tensor]):
        """One PPO step under the minibatch's skills; its KL is exact and against the roll-out.

        rl-games adds 1e-5 to variances, which is not small beside a sigma of 0.045 and makes its
        KL negative.
        """
        self.model.skill, self._label = minibatch["row"], minibatch.get("label")
        result = list(super().train_actor_critic(minibatch))
        move = (result[6] - minibatch["behaviour_mu"]) / result[7]
        result[3] = distributed.mean(0.5 * move.square().sum(-1).mean())
        return tuple(result)

    def calc_losses(self, *parts: Any) -> Tuple[Tensor, ...]:
        """PPO's losses, and a pull towards the teacher (Kickstarting, arXiv 1803.03835, eq. 2).

        The teacher's policy is a Gaussian of our own noise around its targets, so that the cross
        entropy is half the squared distance in sigmas.
        """
        loss, *others = super().calc_losses(*parts)
        if self.teacher is not None:
            mu = parts[8]
            gap = (mu - self._label) / self.model.a2c_network.actor.log_sigma.exp()
            loss = loss + self.settings.ppo.teacher * 0.5 * gap.square().mean()
        return (loss, *others)

    def trancate_gradients_and_step(self) -> None:
        """Clip actor and critic apart: one joint norm lets the value drown the policy."""
        distributed.mean_gradients([*self._actor_params, *self._critic_params])
        clip_grad_norm_(self._actor_params, self.grad_norm)
        clip_grad_norm_(self._critic_params, self.grad_norm)
        # rl-games writes the adapted rate to every group; the critic keeps its own
        self.optimizer.param_groups[1]["lr"] = self.settings.ppo.critic_learning_rate
        if self.epoch_num <= self.settings.warm_start.critic_iterations:
            for parameter in self._actor_params:  # a critic that knows nothing unlearns the actor
                parameter.grad = None
        super().trancate_gradients_and_step()

    def train_epoch(self):
        """One iteration: PPO, then the discriminator, then the observation statistics."""
        result = super().train_epoch()
        self.style.update(self.model.a2c_network.encoder)
        self.model.a2c_network.obs_norm.update(self._new_statistics[0])
        self.kl = float(torch.stack(list(result[8])).mean())
        return result

    def save(self, path: str) -> None:
        """rl-games' own checkpoints are not written: see checkpoint.py."""
