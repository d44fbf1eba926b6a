"""The warm start: interrupted, begun from given weights, counted, in either precision."""
from __future__ import annotations

import dataclasses
import signal

import pytest
import torch
from test_agent import ENVS, codes, settings  # noqa: F401  (an autouse fixture)

import ppp.learning.train as train
from ppp.errors import PPPError
from ppp.learning.checkpoint import latest_checkpoint, load_checkpoint
from ppp.learning.config import WarmStartConfig, load_train
from ppp.learning.train import Trainer
from ppp.learning.warm_start import _fit, _Memory, halves
from ppp.tasks.config import load_task

ROUNDS, STEPS = 14, 2


def trainer(folder, **changes):
    config = settings(1)
    warm = WarmStartConfig(iterations=ROUNDS, steps=STEPS, updates=2, batch=32, memory=2000,
                           feedback=False, critic_iterations=0, **changes)
    config = dataclasses.replace(config, warm_start=warm)
    return Trainer(load_task("HumanoidSkills"), config, folder)


def actor(state):
    return torch.cat([v.flatten() for k, v in state["policy"].items() if k.startswith("actor")])


def test_an_interrupted_warm_start_goes_on_where_it_was_saved(tmp_path, monkeypatch):
    first = trainer(tmp_path / "run")
    calls = []

    def torn(iterations):
        if iterations == 12:
            raise KeyboardInterrupt
        calls.append(iterations)
        Trainer._distilled(first, iterations)

    monkeypatch.setattr(first, "_distilled", torn)
    first.config = dataclasses.replace(first.config, save_minutes=0.0)
    with pytest.raises(KeyboardInterrupt):
        first.run()
    first.env.close()
    saved = latest_checkpoint(tmp_path / "run")
    counters = load_checkpoint(saved)["counters"]
    assert counters["warm_start"] == 11 and counters["warm_samples"] == 11 * STEPS * ENVS

    done = []
    monkeypatch.setattr(train, "warm_start", lambda *args, **others: done.append(args[-2:]))
    second = trainer(tmp_path / "run")
    second.restore(saved)
    counters = load_checkpoint(second.run())["counters"]
    assert done == [(11, True)]
    assert counters["warm_start"] == ROUNDS and counters["iteration"] == 1


def test_ctrl_c_in_the_warm_start_loses_nothing(tmp_path, monkeypatch, capsys):
    first, asked = trainer(tmp_path / "run"), []
    leaves = first._leaves

    def interrupted():
        asked.append(True)
        if len(asked) == 12:
            signal.raise_signal(signal.SIGINT)
        return leaves()

    monkeypatch.setattr(first, "_leaves", interrupted)
    saved = first.run()
    told = capsys.readouterr().err
    assert "finishing this iteration" in told and "--resume" in told
    counters = load_checkpoint(saved)["counters"]
    assert counters["warm_start"] == 12 == len(asked) and counters["iteration"] == 0
    second = trainer(tmp_path / "run")
    second.restore(latest_checkpoint(tmp_path / "run"))
    counters = load_checkpoint(second.run())["counters"]
    assert counters["warm_start"] == ROUNDS and counters["iteration"] == 1


def test_a_checkpoints_weights_are_distilled_into_only_when_asked_and_counted(tmp_path):
    weights = trainer(tmp_path / "one").run()
    kept = load_checkpoint(weights)["counters"]
    known = trainer(tmp_path / "known")
    known.restore(weights, counters=False)
    known.build_agent()
    assert torch.equal(actor(known.state()), actor(load_checkpoint(weights)))
    further = trainer(tmp_path / "further")
    further.restore(weights, counters=False, distil=True)
    further.build_agent()
    state = further.state()
    assert not torch.equal(actor(state), actor(load_checkpoint(weights)))
    assert state["counters"]["before"]["samples"] == kept["samples"] + ROUNDS * STEPS * ENVS
    assert state["counters"]["before"]["seconds"] == kept["seconds"]
    known.env.close()
    further.env.close()


def test_half_precision_learns_the_same_regression(tmp_path):
    """From the same weights and data both bring the error down alike; weights stay float32."""
    made = trainer(tmp_path / "run")
    size = made.env.observation_size
    start = {k: v.clone() for k, v in made.policy.state_dict().items()}
    memory = _Memory(500, size, 31)
    torch.manual_seed(1)
    obs = torch.randn(500, size)
    memory.add(obs, torch.arange(500) % 4, 0.5 * torch.tanh(obs[:, :31]),
               torch.zeros(500, dtype=torch.long))
    errors = []
    for half in (False, True):
        made.policy.load_state_dict(start)
        torch.manual_seed(2)
        optimizer = torch.optim.Adam(made.policy.actor.parameters(), 3e-3)
        losses = [_fit(made.policy, memory, optimizer, 256, half).item() for _ in range(60)]
        errors.append(sum(losses[-10:]) / 10)
        assert errors[-1] < 0.4 * losses[0]
        assert all(p.dtype == torch.float32 for p in made.policy.parameters())
    assert errors[1] == pytest.approx(errors[0], rel=0.1)
    made.env.close()


def test_the_policy_alone_moves_its_share_as_it_will_in_use(tmp_path, monkeypatch):
    """Those act without noise and without the teacher; all others with noise."""
    share = 0.5
    made = trainer(tmp_path / "run", alone=share, teacher_share=0.0, fade=0.0)
    asked, moved = [], []
    act, step = made.policy.act, made.env.step

    def recorded(obs, skill):
        out = act(obs, skill)
        if len(out) == ENVS:
            asked.append(out.detach())
        return out

    monkeypatch.setattr(made.policy, "act", recorded)
    monkeypatch.setattr(made.env, "step", lambda a: moved.append(a.clone()) or step(a))
    made.build_agent()
    changed = (torch.stack(moved[:len(asked)]) != torch.stack(asked)[:len(moved)]).any(-1)
    first = int(share * ENVS)
    assert len(moved) >= ROUNDS * STEPS and not changed[:, :first].any()
    assert changed[:, first:].all()
    made.env.close()


def test_precision_is_chosen_by_name_or_by_the_cpu(monkeypatch, tmp_path):
    assert not halves(WarmStartConfig(precision="float32"))
    assert halves(WarmStartConfig(precision="bfloat16"))
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False, raising=False)
    for able in (False, True):
        monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda a=able: a,
                            raising=False)
        assert halves(WarmStartConfig()) is able
    for line, words in (("precision: half", "'half'"), ("fade: 1.5", "fade"),
                        ("teacher_share: -1", "teacher_share"), ("alone: 2", "alone")):
        (tmp_path / "t.yaml").write_text("warm_start: {" + line + "}")
        with pytest.raises(PPPError, match=words):
            load_train(tmp_path / "t.yaml")
