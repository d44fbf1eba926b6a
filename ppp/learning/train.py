"""A training run from settings to bundle: build, restore, train, save."""
from __future__ import annotations

import contextlib
import dataclasses
import io
import shlex
import signal
import sys
import time
from pathlib import Path
from typing import Any, Dict, List, Optional, Union

import yaml
from torch import Tensor, nn

from ppp.errors import PPPError, unknown
from ppp.learning import distributed
from ppp.learning.chance import chance_of, seed_everything, set_chance
from ppp.learning.checkpoint import load_checkpoint, prune, save_checkpoint
from ppp.learning.codes import load_codes
from ppp.learning.config import TrainConfig, check_batch
from ppp.learning.diagnostics import RunLog
from ppp.learning.latents import Latents, make_encoder
from ppp.learning.moment import env_state, load_env_state, load_moment, save_moment
from ppp.learning.networks import SkillPolicy
from ppp.learning.run_report import following, write_report
from ppp.learning.style import StyleTrainer
from ppp.learning.teacher import Teacher
from ppp.learning.warm_start import feedback_of, warm_start
from ppp.motion.library import read_library
from ppp.motion.standing import standing_pose
from ppp.tasks.config import TaskConfig
from ppp.tasks.env import HumanoidEnv


def make_policy(config: TrainConfig, codes: Union[Tensor, nn.Module], obs: int, actions: int
                ) -> SkillPolicy:
    """The networks of a run; codes: (K, d) entries of the skills, or an encoder already made."""
    net = config.network
    return SkillPolicy(obs, actions, codes, net.actor, net.critic, net.encoder, net.latent,
                       net.log_sigma, net.goal)


class Trainer:
    """One run in ``folder``: checkpoints/, summaries/ (TensorBoard), history.jsonl, settings.

    Where torchrun started several processes, each makes a Trainer inside
    :func:`ppp.learning.distributed.started`; ``num_envs`` is that of each.
    """

    def __init__(self, task: TaskConfig, config: TrainConfig, folder: Path, seed: int = 0,
                 engine: str = "mujoco_cpu", device: str = "cpu",
                 engine_options: Optional[Dict[str, Any]] = None) -> None:
        check_batch(config, "settings")
        seed_everything(seed)
        self.task, self.config, self.folder, self.seed = task, config, Path(folder), seed
        self.engine, self.device = engine, distributed.own_device(device)
        self.world = distributed.world()
        distributed.check_same(repr((task, config, seed, engine)), "settings")
        self.env = HumanoidEnv(task, config.num_envs, self.world.seed(seed), engine,
                               device=self.device, **self._share(), **(engine_options or {}))
        self.skills: List[str] = self.env.library.skills
        listed = list(read_library(task.motion_path()).skills)
        for name in task.skill_weights:  # of a skill that is not trained this time: no harm
            if name not in listed:
                raise PPPError(f"field 'skill_weights': {unknown('skill', name, listed)}")
        codes = load_codes(config.codebook, self.skills,
                           [info.label for info in self.env.library.info])
        encoder = make_encoder(config, codes, self.env.library, seed)
        self.policy = make_policy(config, encoder, self.env.observation_size,
                                  self.env.action_size).to(self.device)
        self.style = StyleTrainer(self.env.library, task.window, config, self.device,
                                  Latents(config.codes, self.env.library, encoder,
                                          config.motion.frames))
        self.log = RunLog(self.folder, self.skills, config.iterations, config.save_minutes,
                          self.save)
        self._standing = standing_pose(self.env.library)
        self._agent: Any = None
        self._restored: Optional[Dict[str, Any]] = None
        self._moment: Optional[Dict[str, Any]] = None
        #: the warm start: is there more to do, iterations done, do the weights know much already
        self._distils, self._warm, self._known = config.warm_start.iterations > 0, 0, False
        #: what had been spent on the weights that this run began with
        self._before: Dict[str, float] = {"samples": 0, "seconds": 0.0}
        self._left = False
        #: folder that keeps what is dear to make for later runs; it may be another's
        self.cache = self.folder.parent / "cache"
        self._taught: Optional[Teacher] = None
        self._asked: Optional[float] = None

    # -- checkpoints -------------------------------------------------------------------------
    def restore(self, path: Path, counters: bool = True, distil: bool = False) -> None:
        """Continue from a checkpoint; without ``counters`` only its weights are taken.

        distil: the warm start follows nevertheless, into these weights.
        """
        state = distributed.from_first(lambda: load_checkpoint(path, self.device))
        if list(state["skills"]) != self.skills:
            raise PPPError(f"{path}: field 'skills' is {state['skills']}, this run has "
                           f"{self.skills}; use the same task and motion file")
        try:
            self.policy.load_state_dict(state["policy"])
            self.style.load_state_dict(state["style"])
        except (RuntimeError, ValueError, KeyError):
            raise PPPError(f"{path}: its networks have other sizes than field 'network' of the "
                           "training settings; use the settings it was trained with") from None
        self.env.actions.offset = state["poses"]["mean"].clone()
        self._standing = state["poses"]["standing"]
        self._restored, self._known = state if counters else None, True
        if counters:
            kept = state["counters"]
            self._moment = load_moment(Path(path).parent, int(kept["iteration"]), self.world.rank)
            self._before = kept.get("before", self._before)
            self._warm = int(kept.get("warm_start", self.config.warm_start.iterations))
            self._distils = not int(kept["iteration"]) and \
                self._warm < self.config.warm_start.iterations
        else:
            self._before = _behind(state["counters"])
            self._distils = distil

    def state(self) -> Dict[str, Any]:
        """Everything a checkpoint holds."""
        agent = self._agent
        return {
            "skills": self.skills, "task": dataclasses.asdict(self.task),
            "settings": dataclasses.asdict(self.config), "policy": self.policy.state_dict(),
            "optimizer": agent.optimizer.state_dict(), "style": self.style.state_dict(),
            "counters": {"iteration": agent.epoch_num, "samples": agent.frame,
                         "actor_lr": agent.last_lr, "seed": self.seed,
                         "seconds": time.perf_counter() - self._started + self._spent,
                         "warm_start": self._warm, "before": self._before,
                         "warm_samples": self._warm * self.config.warm_start.steps
                         * self.config.num_envs * self.world.size},
            # the actions are offsets from this pose, whatever the library holds later
            "poses": {"mean": self.env.actions.offset, "standing": self._standing},
            **chance_of(self.env.generator),
        }

    def save(self) -> Path:
        """Write a checkpoint and drop the oldest beyond ``keep``; other ranks than 0 their moment.
        """
        folder, iteration = self.folder / "checkpoints", self._agent.epoch_num
        path = folder / f"iteration_{iteration:07d}.pt"
        if self._agent.obs is not None:
            save_moment(folder, iteration, self._present(), self.world.rank)
        if self.world.first:
            save_checkpoint(path, self.state())
            prune(folder, self.config.keep)
        return path

    def _distilled(self, iterations: int) -> None:
        """Save in the middle of the warm start."""
        self._warm = iterations
        self.save()

    def _leaves(self) -> bool:
        """Whether somebody asked to end, in the middle of the warm start."""
        self._left = distributed.any_rank(self.log.stopping)
        return self._left

    def _present(self) -> Dict[str, Any]:
        """Where the environments are, and the replay: see :mod:`ppp.learning.moment`."""
        # the checkpoint has those of rank 0
        own = {} if self.world.first else chance_of(self.env.generator)
        return {"env": env_state(self.env), "obs": self._agent.obs["obs"],
                "replay": self.style.replay.state(), "latents": self.style.latents.state(), **own}

    def _go_on(self) -> None:
        """Put the environments back to where the checkpoint was written, where that is known."""
        moment, self._moment = self._moment, None
        if moment is not None:
            self.style.replay.load(moment["replay"])
        if moment is None or moment["env"] is None or \
                not load_env_state(self.env, moment["env"]):
            of = f" of rank {self.world.rank}" if self.world.size > 1 else ""
            print(f"resuming; every humanoid{of} starts a new episode", file=sys.stderr)
            return
        self.style.latents.load(moment["latents"])
        self._agent.vec_env.resumed = moment["obs"].to(self.device)

    # -- running -----------------------------------------------------------------------------
    def _teacher(self) -> Optional[Teacher]:
        """The teacher that the warm start or PPO asks for; built once, which takes minutes."""
        if self._taught is None and (self._distils or self.config.ppo.teacher):
            with distributed.one_at_first():
                self._taught = Teacher(self.env, feedback_of(self.config.warm_start),
                                       self.cache)
        return self._taught

    def _share(self) -> Dict[str, Any]:
        """This rank's part of what the machine has, as options of the engine."""
        threads = self.world.threads()
        return {"threads": threads} if threads and self.engine == "mujoco_cpu" else {}

    def _part_ways(self) -> None:
        """Equal weights in all ranks, and from here on different noise."""
        if self.world.size > 1:
            distributed.same_weights([*self.policy.state_dict().values(), *self.style.tensors()])
            if not self.world.first:
                seed_everything(self.world.seed(self.seed))

    def build_agent(self) -> Any:
        """The rl-games agent, restored when a checkpoint was given."""
        from ppp.learning.rlg_agent import PppAgent, build_params
        from ppp.learning.rlg_model import RlgEnv, RlgModel

        self.folder.mkdir(parents=True, exist_ok=True)
        model = RlgModel(self.policy, self.config.ppo.diversity)
        params = build_params(self.config, RlgEnv(self.env), model, self.log,
                              str(self.folder.parent), self.folder.name, self.device)
        with contextlib.redirect_stdout(io.StringIO()):  # rl-games announces itself on stdout
            self._agent = PppAgent(params, self.config, self.style, self._teacher())
        self._started, self._spent = time.perf_counter(), 0.0
        self._part_ways()
        if self._restored is not None:
            counters = self._restored["counters"]
            self._agent.optimizer.load_state_dict(self._restored["optimizer"])
            self._agent.epoch_num = int(counters["iteration"])
            self._agent.frame = int(counters["samples"])
            self._agent.last_lr = float(counters["actor_lr"])
            self._spent = float(counters["seconds"])
            chance = self._restored if self.world.first else self._moment or {}
            if "random" in chance:
                set_chance(chance, self.env.generator)
            if not self._distils:
                self._go_on()
        for number in (signal.SIGINT, signal.SIGTERM):  # also where a shell had them ignored
            signal.signal(number, self._interrupt)
        if self._distils:
            warm_start(self.policy, self.env, self.config.warm_start, self._teacher(),
                       self.style.latents, 60 * self.config.save_minutes, self._distilled,
                       self._warm, self._known, stop=self._leaves)
            self._distils = self._left and self._warm < self.config.warm_start.iterations
            self._warm = self._warm if self._distils else self.config.warm_start.iterations
        self.style.refresh(self.policy.encoder)
        return self._agent

    def run(self) -> Path:
        """Train to the last iteration (or Ctrl-C, which saves too); the last checkpoint."""
        agent = self._agent or self.build_agent()
        if self.world.first:
            self._write_settings()
        if agent.epoch_num == 0:
            self.save()  # the warm start took minutes
        self.log.start()
        try:
            if agent.epoch_num < self.config.iterations and not self._distils:
                with contextlib.redirect_stdout(io.StringIO()):  # rl-games shouts at its end
                    agent.train()
        except KeyboardInterrupt:
            if self.world.first:
                print("interrupted: saving", file=sys.stderr)
        finally:
            self.log.close()
            agent.writer.flush()
        path = self.save()
        self.env.close()
        if self.world.first:
            self._report(path)
        return path

    def _report(self, path: Path) -> None:
        """What was learnt, into the folder and onto the terminal."""
        done = self._agent.epoch_num
        command = following(self.task.name, self.folder, path, done, self.config.iterations)
        if self.world.size > 1 and done < self.config.iterations:  # what follows is for all again
            command = command.replace("ppp run", "torchrun --nproc-per-node "
                                      f"{self.world.local_size} ppp/run.py", 1)
        if not (self.folder / "history.jsonl").is_file():  # the first iteration is not over
            print("interrupted before there was anything to report; go on with " + command,
                  file=sys.stderr)
            return
        print("\n" + write_report(self.folder, self._settings(), command,
                                  self.log.stopping and done < self.config.iterations),
              file=sys.stderr)

    def _interrupt(self, number: int, frame: Any) -> None:
        """Both signals end a run alike: after its iteration it saves and leaves; twice, at once.

        Of several ranks the terminal and torchrun may both tell each: then it is not twice.
        """
        again = self._asked is not None and time.monotonic() - self._asked > 5.0
        if self.log.stopping and (self.world.size == 1 or again):
            raise KeyboardInterrupt
        if not self.log.stopping and self.world.first and not distributed.judging():
            print("interrupted: finishing this iteration", file=sys.stderr)
        self.log.stopping, self._asked = True, time.monotonic()

    def _settings(self) -> Dict[str, Any]:
        return {"command": " ".join(shlex.quote(a) for a in sys.argv), "seed": self.seed,
                "engine": self.engine, "task": dataclasses.asdict(self.task),
                "train": dataclasses.asdict(self.config)}

    def _write_settings(self) -> None:
        (self.folder / "settings.yaml").write_text(yaml.safe_dump(self._settings(),
                                                                  sort_keys=False))


def _behind(counters: Dict[str, Any]) -> Dict[str, float]:
    """Control steps and seconds that a checkpoint's weights have cost, its own beginnings too."""
    before = counters.get("before", {"samples": 0, "seconds": 0.0})
    return {"samples": before["samples"] + counters["samples"] + counters.get("warm_samples", 0),
            "seconds": before["seconds"] + counters["seconds"]}
