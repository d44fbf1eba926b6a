"""Training: it learns, goes on where it stopped, leaves the backbone alone, refuses what is odd."""
from __future__ import annotations

import dataclasses
import json
import os
import signal

import numpy as np
import pytest
import torch
from llarp_tools import model, policy, settings

from ppp.errors import PPPError
from ppp.llarp import store
from ppp.llarp.backbones import load_backbone, weights_hash
from ppp.llarp.config import ImitationConfig, PpoConfig, check, load_config
from ppp.llarp.episodes import Choice, Players
from ppp.llarp.train import Trainer
from ppp.llarp.updates import imitate
from ppp.rearrangement import make_tasks


def history(folder):
    """The lines of a run without what differs by the clock."""
    rows = [json.loads(line) for line in (folder / "history.jsonl").read_text().splitlines()]
    return [{k: v for k, v in row.items() if k not in ("cpu_seconds", "steps_per_s")}
            for row in rows]


def tensors(folder):
    return store.read(folder / store.CHECKPOINT).tensors


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run through imitation and PPO in one go."""
    folder = tmp_path_factory.mktemp("whole")
    trainer = Trainer(settings(), folder)
    trainer.run()
    return folder, trainer


@pytest.mark.parametrize("stops", [(1, 3), (2, 4)], ids=str)
def test_a_run_in_pieces_is_the_run_in_one(whole, tmp_path, stops):
    """Stopped within imitation, at the turn to PPO, and within PPO."""
    for stop in (*stops, 5):
        trainer = Trainer(settings(), tmp_path)
        if (tmp_path / store.CHECKPOINT).exists():
            trainer.restore()
        while trainer.iteration < stop - 1:
            trainer.step()
        step = trainer.step

        def last(step=step):
            row = step()
            os.kill(os.getpid(), signal.SIGINT)  # what Ctrl-C sends
            return row

        trainer.step = last
        trainer.run()
        assert trainer.iteration == stop
    assert same(tensors(tmp_path), tensors(whole[0]))


def test_history_of_a_run_in_pieces_has_every_line_once(whole, tmp_path):
    trainer = Trainer(settings(), tmp_path)
    for stop in (2, 5):
        if stop == 5:
            lost = {**json.loads((tmp_path / "history.jsonl").read_text().splitlines()[-1]),
                    "iteration": 3}  # of an iteration after the last checkpoint: a crash
            with open(tmp_path / "history.jsonl", "a") as file:
                file.write(json.dumps(lost) + "\n")
            trainer = Trainer(settings(), tmp_path)
            trainer.restore()
        step = trainer.step

        def stepping(step=step, trainer=trainer, stop=stop):
            row = step()
            trainer.stopping = trainer.iteration == stop
            return row

        trainer.step = stepping
        trainer.run()
    assert history(tmp_path) == history(whole[0])
    assert list((tmp_path / "summaries").glob("events*"))


def test_frozen_means_frozen_and_the_card_says_what_was_trained(whole):
    folder, trainer = whole
    facts = store.read(folder / store.CHECKPOINT).facts
    assert weights_hash(trainer.backbone.module) == facts["backbone_sha256"]
    assert facts["backbone_sha256"] == weights_hash(load_backbone("tiny").module)
    saved = store.read(folder / store.CHECKPOINT).part("adapters.")
    assert sum(value.numel() for value in saved.values()) == facts["trained_numbers"]
    assert facts["episodes"] == 5 * 6 and facts["iteration"] == 5 and facts["cpu_seconds"] > 0
    # the imitated policy is kept, and PPO has left it
    reference = store.read(folder / store.CHECKPOINT).part("reference.")
    assert reference.keys() == saved.keys() and not same(reference, saved)


def test_imitation_learns():
    """Adapters on a tiny untrained mixer take on what the expert did in a few episodes."""
    one = policy(head="both")
    tasks = make_tasks("train", 16, 0)
    episodes = Players().play(one, tasks, 0, Choice(expert=np.ones(16), ask=True))
    optimiser, chance = torch.optim.AdamW(one.parameters(), 4e-3), np.random.default_rng(0)
    rows = [imitate(one, optimiser, episodes, ImitationConfig(batch=8), chance)
            for _ in range(40)]
    assert rows[0]["loss"] > 4.5 and rows[0]["accuracy"] < 0.1  # of 126 actions
    assert rows[-1]["loss"] < 0.5 * rows[0]["loss"]
    assert rows[-1]["accuracy"] > 0.4


def test_two_passes_are_one_after_the_other():
    """The same updates as two calls with one pass each, and twice as many as one."""
    tasks, found = make_tasks("train", 6, 0), []
    for passes, calls in ((2, 1), (1, 2), (1, 1)):
        one = policy(head="both")
        episodes = Players().play(one, tasks, 0, Choice(expert=np.ones(6), ask=True))
        optimiser, chance = torch.optim.AdamW(one.parameters(), 1e-3), np.random.default_rng(0)
        for _ in range(calls):
            imitate(one, optimiser, episodes, ImitationConfig(batch=4, passes=passes), chance)
        found.append(one.state_dict())
    assert same(found[0], found[1]) and not same(found[0], found[2])


def test_the_other_regime_takes_nothing_from_the_expert(tmp_path, monkeypatch):
    from ppp.rearrangement import TaskEnv

    def asked(self):
        raise AssertionError("the expert was asked")

    monkeypatch.setattr(TaskEnv, "expert", asked)
    config = settings(regime="rl", model=model(), imitation=ImitationConfig(iterations=0),
                      ppo=PpoConfig(iterations=1, episodes=4, minibatches=2))
    assert Trainer(config, tmp_path).step()["entropy"] > 4.0  # 126 actions, none preferred yet


def test_other_settings_are_refused_on_resume(whole, tmp_path):
    trainer = Trainer(settings(seed=1), whole[0])
    with pytest.raises(PPPError, match="seed: 0, now 1"):
        trainer.restore()
    longer = settings(ppo=dataclasses.replace(settings().ppo, iterations=9))
    trainer = Trainer(longer, whole[0])
    trainer.restore()
    assert (trainer.iteration, trainer.iterations) == (5, 12)
    with pytest.raises(PPPError, match="no such file"):
        Trainer(settings(), tmp_path).restore()


def test_a_damaged_checkpoint_is_told(whole, tmp_path):
    good = (whole[0] / store.CHECKPOINT).read_bytes()
    path = tmp_path / store.CHECKPOINT
    path.write_bytes(good[:len(good) // 2])
    with pytest.raises(PPPError, match="damaged"):
        store.read(path)
    store.write(path, {}, {"layout": {**store.layout(), "actions": ["go home"]}})
    with pytest.raises(PPPError, match="layout.actions"):
        store.read(path)
    seen = store.layout()["observation"]
    store.write(path, {}, {"layout": {**store.layout(), "observation": [*seen[:2], seen[2] - 1]}})
    with pytest.raises(PPPError, match=r"layout.observation' is .* train the adapters again"):
        store.read(path)


def test_a_write_that_fails_leaves_the_old_checkpoint(whole, tmp_path, monkeypatch):
    path = tmp_path / store.CHECKPOINT
    store.write(path, {"x": torch.ones(2)}, {"iteration": 1})

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(store, "save_file", full)
    with pytest.raises(OSError):
        store.write(path, {"x": torch.zeros(2)}, {"iteration": 2})
    assert store.read(path).facts["iteration"] == 1
    assert [p.name for p in tmp_path.iterdir()] == [store.CHECKPOINT]


@pytest.mark.parametrize("changes, message", [
    (dict(regime="both"), "unknown regime"),
    (dict(regime="rl"), "nothing is imitated there"),
    (dict(model=model(critic="shared")), "needs model.critic: separate"),
    (dict(model=model(policy="lstm", look="first", critic="separate")), "are for"),
    (dict(imitation=ImitationConfig(batch=0)), "'imitation.batch' must be 1 or more"),
    (dict(imitation=ImitationConfig(passes=0)), "'imitation.passes' must be 1 or more"),
    (dict(imitation=ImitationConfig(expert_share=1.5)), "must be 0 to 1"),
    (dict(imitation=ImitationConfig(learning_rate=0.0)), "must be above 0"),
    (dict(ppo=PpoConfig(episodes=4, minibatches=8)), "more than the 4 episodes"),
], ids=str)
def test_settings_that_cannot_be_are_refused(changes, message):
    with pytest.raises(PPPError, match=message):
        check(settings(**changes), "here")


def test_shipped_settings_are_sound_and_the_papers_numbers_are_the_papers():
    assert load_config(regime="imitation").model.critic == "separate"
    ppo = load_config(regime="rl").ppo
    assert (ppo.learning_rate, ppo.clip, ppo.epochs, ppo.minibatches, ppo.entropy, ppo.gamma,
            ppo.gae_lambda, ppo.grad_norm, ppo.value) == (3e-4, 0.2, 2, 8, 0.01, 0.99, 0.95, 0.2,
                                                          0.5)
