"""Declared arms at equal samples: their settings, what is kept, the tables."""
from __future__ import annotations

import json

import pytest
import yaml
from PIL import Image
from test_run_report import rows

from ppp.errors import PPPError
from ppp.evaluation import ablation, ablation_arm
from ppp.evaluation.ablation_plan import DEFAULT, changed, read, within
from ppp.evaluation.ablation_report import summary
from ppp.learning.config import TrainConfig, load_train
from ppp.tasks.config import load_task

SMALL = """
samples: 256
seeds: 2
base:
  task: {skills: [idle, slash], skill_weights: {}}
  train:
    num_envs: 8
    network: {actor: [16], critic: [16], discriminator: [16]}
    ppo: {horizon: 8, minibatch: 64}
    discriminator: {batch: 16, replay: 100}
    warm_start: {iterations: 0, critic_iterations: 0}
studies:
  negatives:
    title: Mismatched
    arms:
      with: {title: with them}
      without: {title: without, train: {discriminator: {mismatched: 0.0}}}
  again:
    arms:
      same: {title: the same}
"""


@pytest.fixture
def small(tmp_path):
    path = tmp_path / "small.yaml"
    path.write_text(SMALL)
    return path


# -- settings ----------------------------------------------------------------------------------
def test_every_shipped_arm_is_valid_and_has_the_same_budget():
    declared, arms = read(DEFAULT)
    assert {arm.study for arm in arms} == set(declared.studies)
    for arm in arms:
        step = arm.train.num_envs * arm.train.ppo.horizon
        assert declared.samples - step < arm.samples <= declared.samples, arm.name
        assert len(arm.task.skills) == 6 and arm.task.rewards.get("imitation") is not None
        assert "facing" in arm.task.rewards, "facing is measured in every arm"
    codes = {arm.name: arm.train.codes for arm in arms if arm.study == "methods"}
    assert codes == {"gail": "none", "amp": "none", "ase": "sphere", "calm": "motion",
                     "ours_plain": "quantised", "ours": "quantised"}


def test_the_warm_start_counts_and_gets_half_at_most():
    config = changed(TrainConfig(), {"num_envs": 100, "ppo": {"horizon": 10, "minibatch": 1000},
                                     "warm_start": {"iterations": 50, "steps": 5}}, "x")
    large = within(config, 125_000, "x")  # 50 x 5 x 100 = 25000 for the warm start
    assert (large.warm_start.iterations, large.iterations) == (50, 100)
    tight = within(config, 20_000, "x")
    assert (tight.warm_start.iterations, tight.iterations) == (20, 10)


def test_a_small_budget_is_run_with_fewer_humanoids():
    config = changed(load_train(), {"warm_start": {"iterations": 0}}, "x")
    small = within(config, 8192, "x")
    assert small.num_envs * small.ppo.horizon * small.iterations == 8192
    assert small.iterations >= 8 and small.num_envs < config.num_envs
    assert config.ppo.minibatch / small.ppo.minibatch == config.num_envs / small.num_envs
    with pytest.raises(PPPError, match="raise the samples"):
        within(config, 10, "x")


def test_tables_are_replaced_and_fields_merged():
    task = changed(load_task("HumanoidSkills"),
                   {"rewards": {"facing_root": 1.0}, "command": {"anywhere": 0.9}}, "x")
    assert task.rewards == {"facing_root": 1.0}
    assert task.command.anywhere == 0.9
    assert task.command.distance == load_task("HumanoidSkills").command.distance
    with pytest.raises(PPPError, match="did you mean 'anywhere'"):
        changed(task, {"command": {"anywere": 1.0}}, "x")


def test_arms_with_the_same_settings_share_their_runs(small):
    _, arms = read(small)
    homes = {f"{a.study}/{a.name}": a.home for a in arms}
    assert homes == {"negatives/with": "negatives/with", "again/same": "negatives/with",
                     "negatives/without": "negatives/without"}
    _, only = read(small, ["again"])
    assert [arm.home for arm in only] == ["negatives/with"]
    with pytest.raises(PPPError, match="did you mean 'negatives'"):
        read(small, ["negative"])


# -- running -----------------------------------------------------------------------------------
@pytest.fixture
def in_process(monkeypatch):
    """Runs in this process, made-up results instead of training; records what was run."""
    ran = []

    class Process:
        def __init__(self, command, **_):
            self.folder = ablation.Path(command[-1])
            ran.append("/".join(self.folder.parts[-3:]))

        def wait(self):
            number = len(ran)
            (self.folder / "history.jsonl").write_text(
                "\n".join(json.dumps(row) for row in rows(12)))
            score = {"skill_accuracy": 0.1 * number, "survived": 1.0, "imitation": 0.5,
                     "recognised": 0.5, "per_skill": {"idle": {"accuracy": 1.0}}}
            (self.folder / "done.json").write_text(json.dumps({"scores": score}))
            return 0

    monkeypatch.setattr(ablation.subprocess, "Popen", Process)
    return ran


def test_finished_runs_are_kept_and_tables_tell_the_spread(small, tmp_path, in_process):
    out = tmp_path / "out"
    command = ["--file", str(small), "--out", str(out)]
    assert ablation.main(command) == 0
    assert in_process == ["negatives/with/seed_0", "negatives/without/seed_0",
                          "negatives/with/seed_1", "negatives/without/seed_1"]
    table = (out / "ablation.md").read_text()
    assert "| with them | 0.20 ± 0.10 |" in table  # 0.1 and 0.3
    assert "| without | 0.30 ± 0.10 |" in table and "| the same | 0.20 ± 0.10 |" in table
    figures = json.loads((out / "ablation.json").read_text())
    assert figures["negatives"]["with"]["skill_accuracy"]["values"] == pytest.approx([0.1, 0.3])
    with Image.open(out / "ablation.png") as picture:
        assert picture.size[0] > 1000
    (out / "negatives" / "without" / "seed_1" / "done.json").unlink()
    assert ablation.main(command) == 0
    assert in_process[4:] == ["negatives/without/seed_1"]


def test_other_settings_in_the_same_folder_are_refused(small, tmp_path, in_process):
    command = ["--file", str(small), "--out", str(tmp_path / "out"), "--seeds", "1"]
    ablation.main(command)
    with pytest.raises(PPPError, match="other settings"):
        ablation.main([*command, "--samples", "512"])
    assert len(in_process) == 2


def test_a_run_trains_scores_and_goes_on_where_it_was_left(small, tmp_path, monkeypatch):
    monkeypatch.setattr(ablation_arm, "scores", lambda policy, *_: {"skills": policy.skills})
    _, arms = read(small, ["negatives/without"])
    (folder, done), = ablation.prepare(arms, 1, 1, tmp_path)
    assert not done
    whole = yaml.safe_load((folder / "arm.yaml").read_text())
    first = {**whole, "train": {**whole["train"], "iterations": 1}}
    (folder / "arm.yaml").write_text(yaml.safe_dump(first))
    assert ablation_arm.run(folder) == 0
    (folder / "done.json").unlink()
    (folder / "arm.yaml").write_text(yaml.safe_dump(whole))
    assert ablation_arm.run(folder) == 0
    result = json.loads((folder / "done.json").read_text())
    assert result["scores"]["skills"] == ["idle", "slash"]
    lines = (folder / "history.jsonl").read_text().splitlines()
    assert [json.loads(line)["iteration"] for line in lines] == list(range(1, 9))
    assert json.loads(lines[-1])["samples"] == 256


def test_spread_is_half_the_range():
    assert summary([1.0, 3.0, float("nan")]) == (2.0, 1.0)
