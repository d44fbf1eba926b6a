"""``ppp run`` as a user runs it: every task trains, resumes, exports and is tested."""
from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ppp import run
from ppp.errors import PPPError
from ppp.motion.catalogue import entry_of, merged, write_library
from ppp.motion.clip import load_clip, save_clip
from ppp.motion.library import LibraryFile, SkillInfo
from ppp.tasks.config import TASKS

ROOT = Path(__file__).resolve().parents[1]

SMALL = """
num_envs: 16
network: {actor: [32], critic: [32], discriminator: [32], encoder: [16], latent: 8}
ppo: {horizon: 4, minibatch: 64, epochs: 1}
discriminator: {batch: 32, replay: 100}
warm_start: {iterations: 0, critic_iterations: 0}
"""


@pytest.fixture
def small(tmp_path):
    path = tmp_path / "small.yaml"
    path.write_text(SMALL)
    return str(path)


WANTED = {"HumanoidSkills": "survived", "HumanoidHeading": "heading",
          "HumanoidLocation": "arrival", "HumanoidStrike": "strike", "HumanoidPerturb": "standing"}


@pytest.mark.parametrize("task", list(WANTED))
def test_every_task_trains_resumes_exports_and_is_tested(task, small, tmp_path, capsys):
    folder, bundle, out = tmp_path / "run", tmp_path / "bundle", tmp_path / "figures.json"
    common = ["--task", task, "--cfg_train", small, "--run-dir", str(folder)]
    if task == "HumanoidSkills":  # three of its skills: each is held for 10 s in the test
        file = tmp_path / "task.yaml"
        text = (ROOT / "cfg" / "env" / "humanoid_skills.yaml").read_text()
        file.write_text(text.replace("skills: [] ", "skills: [walk_forward, idle, slash]"))
        common += ["--cfg-env", str(file)]
    assert run.main([*common, "--max_iterations", "1"]) == 0
    assert run.main([*common, "--max-iterations", "2", "--resume", "--export", str(bundle)]) == 0
    rows = [json.loads(line) for line in (folder / "history.jsonl").read_text().splitlines()]
    assert [row["iteration"] for row in rows] == [1, 2]
    assert any((folder / "summaries").iterdir())
    assert run.main(["--task", task, "--test", "--checkpoint", str(bundle), "--episodes", "4",
                     "--json", str(out)]) == 0
    figures = json.loads(out.read_text())
    assert figures["task"] == task and 0.0 <= figures[WANTED[task]] <= 1.0


def test_every_task_is_trained_and_tested_here():
    assert {*WANTED, "HumanoidReach", "HumanoidViewMotion"} == set(TASKS)


def test_a_high_level_policy_trains_resumes_and_is_tested(tmp_path, capsys):
    settings, folder, out = tmp_path / "hrl.yaml", tmp_path / "run", tmp_path / "figures.json"
    settings.write_text("{num_envs: 4, horizon: 2, hold: 2, network: [16], epochs: 1}")
    common = ["--task", "HumanoidReach", "--run-dir", str(folder)]
    trained = [*common, "--cfg-train", str(settings)]
    assert run.main([*trained, "--max-iterations", "1"]) == 0
    assert run.main([*trained, "--max-iterations", "2", "--resume"]) == 0
    last = folder / "checkpoints" / "iteration_0000002.pt"
    assert last.is_file()
    assert run.main([*common, "--test", "--checkpoint", str(last), "--episodes", "2", "--json",
                     str(out)]) == 0
    figures = json.loads(out.read_text())
    assert 0.0 <= figures["touched"] <= 1.0 and 0.0 < figures["nearest_m"] < 3.0
    # the same policy commands another task's skills
    location = ["--task", "HumanoidLocation", "--algo", "hrl", "--cfg-train", str(settings),
                "--run-dir", str(tmp_path / "other")]
    assert run.main([*location, "--max-iterations", "1", "--num-envs", "2"]) == 0


def test_what_no_skill_does_is_said_in_one_sentence(small):
    for argv, words in ((["--test"], "train a high-level policy"),
                        (["--algo", "ppp", "--cfg-train", small], "train with --algo hrl"),
                        (["--algo", "hlr"], "did you mean 'hrl'"),
                        (["--export", "out/x"], "used from its checkpoint")):
        with pytest.raises(PPPError, match=words):
            run.main(["--task", "HumanoidReach", *argv])
    with pytest.raises(PPPError, match="--low-level belongs to --algo hrl"):
        run.main(["--low-level", "ppp/pretrained/policy"])


def test_a_policy_without_the_tasks_gait_is_told_so(tmp_path):
    task = tmp_path / "task.yaml"
    task.write_text("{name: HumanoidLocation, skills: [strafe_left], rewards: {facing: 1.0}}")
    bundle = tmp_path / "bundle"
    shutil.copytree(ROOT / "ppp" / "pretrained" / "policy", bundle)
    card = (bundle / "bundle.yaml").read_text()
    (bundle / "bundle.yaml").write_text(card.replace("strafe_left", "moonwalk"))
    with pytest.raises(PPPError, match="needs the skill 'strafe_left'"):
        run.main(["--task", "HumanoidLocation", "--test", "--cfg-env", str(task), "--checkpoint",
                  str(bundle)])


def test_view_motion_trains_and_reports_how_the_teacher_follows(small, tmp_path):
    out, folder = tmp_path / "figures.json", tmp_path / "motions"
    folder.mkdir()
    clip = load_clip(ROOT / "motions" / "idle_sway.npz")
    save_clip(clip, folder / "idle_sway.npz")
    write_library(folder / "library.yaml", merged(
        LibraryFile({}, []), {"idle": SkillInfo("stand idle")},
        [entry_of("idle_sway", "idle", clip, True)]))
    common = ["--task", "HumanoidViewMotion", "--motion-file", str(folder / "library.yaml")]
    assert run.main([*common, "--cfg-train", small, "--max-iterations", "1", "--run-dir",
                     str(tmp_path / "run")]) == 0
    assert run.main([*common, "--test", "--episodes", "2", "--json", str(out)]) == 0
    idle = json.loads(out.read_text())["per_skill"]["idle"]
    assert idle["survived"] == 1.0 and idle["joint_error_deg"] < 5.0 and idle["imitation"] > 0.8


def test_fewer_humanoids_than_a_minibatch_train_with_a_smaller_one(tmp_path, small):
    folder = tmp_path / "run"
    assert run.main(["--task", "HumanoidHeading", "--cfg-train", small, "--num-envs", "3",
                     "--max-iterations", "1", "--run-dir", str(folder)]) == 0
    assert json.loads((folder / "history.jsonl").read_text())["samples"] == 12


def test_ctrl_c_saves_and_leaves_quietly(small, tmp_path):
    folder = tmp_path / "run"
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "ppp" / "run.py"), "--task", "HumanoidHeading", "--cfg-train",
         small, "--run-dir", str(folder), "--max-iterations", "100000"],
        stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"})
    history = folder / "history.jsonl"
    for _ in range(600):
        if history.exists() and history.stat().st_size:
            break
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    out, error = process.communicate(timeout=60)
    assert process.returncode == 0 and "Traceback" not in error
    assert "saved" in out and list((folder / "checkpoints").glob("iteration_*.pt"))


def test_a_training_has_no_window(small):
    with pytest.raises(PPPError, match="--test"):
        run.main(["--no-headless"])
