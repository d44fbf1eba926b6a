"""``ppp bench``: its figures hang together, its ceiling is the simulator that the engine runs."""
from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
import tyro
from PIL import Image

from ppp.engines import make_engine
from ppp.engines.scene import Scene
from ppp.errors import PPPError
from ppp.evaluation import bench, bench_machine, bench_rates
from ppp.learning.config import load_train
from ppp.learning.train import Trainer
from ppp.settings import ROOT
from ppp.tasks.config import load_task

ROW = {"num_envs": 64, "raw_steps_per_s": 1000.0, "engine_steps_per_s": 900.0,
       "env_steps_per_s": 700.0, "train_samples_per_s": 400.0, "env_to_raw_ratio": 0.7,
       "train_to_raw_ratio": 0.4, "engine_to_raw_ratio": 0.9, "rollout_share": 0.6,
       "memory_mb": 500.0, "device_memory_mb": 0.0}


@pytest.fixture(autouse=True)
def gradients_stay_on():
    yield
    torch.set_grad_enabled(True)


def test_bench_reports_consistent_ratios(tmp_path, capsys):
    settings = tmp_path / "train.yaml"
    settings.write_text("num_envs: 32\nppo: {horizon: 4, minibatch: 64, epochs: 1}\n"
                        "network: {actor: [32], critic: [32], discriminator: [32]}\n"
                        "discriminator: {batch: 64, replay: 500}\n")
    out, picture = tmp_path / "bench.json", tmp_path / "bench.png"
    assert bench.main(["--num-envs", "32", "--rounds", "1", "--cfg-train", str(settings),
                       "--json", str(out), "--plot", str(picture)]) == 0
    figures = json.loads(out.read_text())
    for name in ("engine_steps_per_s", "env_steps_per_s", "train_samples_per_s"):
        short = name.split("_")[0]
        assert figures[f"{short}_to_raw_ratio"] == pytest.approx(
            figures[name] / figures["raw_steps_per_s"])
    # which of them is quicker is a matter of the machine's other work: no test's
    assert all(figures[f"{part}_to_raw_cpu_ratio"] > 0 for part in ("env", "train"))
    assert figures["physics_steps_per_s"] == pytest.approx(4 * figures["engine_steps_per_s"])
    assert figures["memory_mb"] > 50 and 0 < figures["rollout_share"] < 1
    assert figures["scaling"][0]["num_envs"] == figures["num_envs"] == 32
    assert figures["machine"]["versions"]["torch"] == torch.__version__
    assert figures["machine"]["cpu"] and figures["machine"]["cores"] >= 1
    assert Image.open(picture).size[0] > 300
    assert "asked for 0.60" in capsys.readouterr().out


def test_a_batch_that_does_not_divide_is_told_before_anything_is_built():
    with pytest.raises(PPPError, match="do not divide"):
        bench.main(["--num-envs", "32", "300"])
    with pytest.raises(PPPError, match="--num-envs must be 1"):
        bench.main(["--num-envs", "32", "0"])
    with pytest.raises(PPPError, match="leave --device out"):
        bench.main(["--device", "cuda"])
    with pytest.raises(PPPError, match="unknown engine"):
        bench.main(["--engine", "mujocoo"])


def test_the_ceiling_is_the_simulator_that_the_engine_runs():
    """Bare steps lead to the very state that the engine's own steps lead to."""
    engine = make_engine("mujoco_cpu", 3, Scene(()), threads=1)
    begin, targets = engine.snapshot(), 0.3 * torch.randn(5, 3, 31)
    for target in targets:
        engine.step(target)
    stepped, end = engine.state, engine.snapshot()
    assert not torch.equal(begin["full"], end["full"])
    engine.restore(begin)
    before = engine.state
    for target in targets:
        engine.bare_step(target)
    assert engine.state is before  # not renewed: that is part of the engine's work
    head = engine.snapshot()["full"].shape[1] - engine.model.nq - engine.model.nv
    assert torch.equal(engine.snapshot()["full"][:, head:], end["full"][:, head:])
    engine.restore(begin)
    for target in targets:
        engine.step(target)
    assert torch.equal(engine.state.joint_pos, stepped.joint_pos)
    engine.close()


def test_each_kind_of_step_starts_from_the_same_states(monkeypatch):
    """And the environment goes on from its own, as if the others had not been."""
    log = []

    class Engine:
        where = 0

        def snapshot(self):
            return self.where

        def restore(self, where):
            self.where = where
            log.append(("restored", where))

        def bare_step(self, targets):
            self.where += 100

        step = bare_step

    class Env:
        engine, num_envs, action_size, device = Engine(), 2, 3, "cpu"
        actions = SimpleNamespace(targets=lambda a: a)

        def reset(self):
            pass

        def step(self, action):
            self.engine.where += 1

    clock = iter(range(1000))
    monkeypatch.setattr(bench_rates, "time", SimpleNamespace(
        perf_counter=lambda: next(clock), process_time=lambda: 0.0))
    rates = bench_rates.steps(Env(), rounds=2)
    first, each = bench_rates.SETTLING, bench_rates.STEPS
    assert [where for _, where in log] == [first] * 3 + [first + each] * 3 + [first + 2 * each] * 3
    for name in ("raw", "engine", "env"):  # steps times humanoids in one tick of the clock
        assert rates[f"{name}_steps_per_s"] == each * 2 / 1.0


def test_a_busy_machine_is_told_with_shares_that_stand_it():
    row = {**ROW, "env_to_raw_cpu_ratio": 0.75, "train_to_raw_cpu_ratio": 0.5}
    figures = {"scaling": [row], "machine": {"cores": 2, "load": 9.1}}
    assert bench.busy(figures) == ["the machine was busy (load 9.1 on 2 cores): do not trust the "
                                   "rates; shares by processor time: env 0.75, training 0.50"]
    assert bench.busy({**figures, "machine": {"cores": 16, "load": 9.1}}) == []


def test_a_policy_moves_the_humanoids_and_leaves_the_environment_as_it_was(tmp_path):
    """Its actions keep them on their feet, where noise about the mean pose does not."""
    task = load_task("HumanoidSkills")
    task = replace(task, command=replace(task.command, switch_start=0.0, approach=0.0),
                   terminations=[])
    config = bench_rates.bench_config(load_train(), 32)
    trainer = Trainer(task, config, tmp_path / "run")
    trainer.restore(ROOT / "ppp/pretrained/checkpoint/humanoid_skills.pt", counters=False)
    env = trainer.env
    walk = env.library.skills.index("walk_forward")
    env.commands.draw_skills = lambda count: torch.full((count,), walk)
    heights = {}
    for name, drive in (("policy", lambda: bench_rates.driven(trainer)),
                        ("noise", lambda: bench_rates.noise(env))):
        env.reset()
        for _ in range(4):
            before, age = env.observe().clone(), env.age.clone()
            actions = drive()
            assert torch.equal(env.observe(), before) and torch.equal(env.age, age)
            for action in actions:
                env.step(action)
        heights[name] = float((env.engine.state.root_pos[:, 2] > 0.7).float().mean())
    env.close()
    assert heights["policy"] > 0.9 and heights["noise"] < 0.7


def test_several_numbers_are_measured_in_processes_of_their_own(monkeypatch, tmp_path, capsys):
    asked = []

    def fake(command, **options):
        args = tyro.cli(bench.Args, args=command[command.index("bench") + 1:])
        asked.append((args.engine, args.device, args.num_envs, args.rounds))
        args.json.write_text(json.dumps({"scaling": [{**ROW, "num_envs": args.num_envs[0]}]}))
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(bench.subprocess, "run", fake)
    out, picture = tmp_path / "f.json", tmp_path / "f.png"
    assert bench.main(["--num-envs", "64", "256", "--rounds", "2", "--json", str(out), "--plot",
                       str(picture)]) == 0
    assert asked == [("mujoco_cpu", "cpu", [64], 2), ("mujoco_cpu", "cpu", [256], 2)]
    figures = json.loads(out.read_text())
    assert [row["num_envs"] for row in figures["scaling"]] == [64, 256]
    assert picture.read_bytes()[:4] == b"\x89PNG"
    shown = capsys.readouterr().out
    assert "env to raw ratio: 0.70, asked for 0.60: reached" in shown
    assert "train to raw ratio: 0.40, asked for 0.50: NOT reached" in shown

    monkeypatch.setattr(bench.subprocess, "run", lambda command, **options:
                        subprocess.CompletedProcess(command, 1, "", "x\nerror: out of memory\n"))
    with pytest.raises(PPPError, match="--num-envs 64: .*out of memory"):
        bench.main(["--num-envs", "64", "256"])


def test_the_gpu_is_held_against_what_others_reach():
    best = {**ROW, "env_steps_per_s": 300_000.0, "train_samples_per_s": 90_000.0}
    lines = bench.verdicts({"targets": bench.GPU_TARGETS, "scaling": [ROW, best]})
    assert lines[0].endswith("300,000, mjlab, G1 tracking, RTX 4090 238,000: reached")
    assert lines[1].endswith("90,000, AMP on Isaac Gym, A100 108,000: NOT reached")


def test_the_driver_is_named_where_its_tool_is(monkeypatch):
    monkeypatch.setattr(bench_machine.shutil, "which", lambda name: None)
    assert bench_machine.driver() is None
    monkeypatch.setattr(bench_machine.shutil, "which", lambda name: "/bin/nvidia-smi")
    monkeypatch.setattr(bench_machine.subprocess, "run",
                        lambda *a, **k: SimpleNamespace(stdout="570.86.15\n570.86.15\n"))
    assert bench_machine.driver() == "570.86.15"
