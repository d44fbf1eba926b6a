"""``ppp run`` as a user runs it: every task trains, resumes, exports and is tested."""
from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from conftest import ROOT

from ppp import run
from ppp.errors import PPPError

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


@pytest.mark.parametrize("task", ["HumanoidSkills", "HumanoidHeading", "HumanoidStrike"])
def test_every_task_trains_resumes_exports_and_is_tested(task, small, tmp_path, capsys):
    folder, bundle, out = tmp_path / "run", tmp_path / "bundle", tmp_path / "figures.json"
    common = ["--task", task, "--cfg_train", small, "--run-dir", str(folder)]
    assert run.main([*common, "--max_iterations", "1"]) == 0
    assert run.main([*common, "--max-iterations", "2", "--resume", "--export", str(bundle)]) == 0
    rows = [json.loads(line) for line in (folder / "history.jsonl").read_text().splitlines()]
    assert [row["iteration"] for row in rows] == [1, 2]
    assert any((folder / "summaries").iterdir())
    assert run.main(["--task", task, "--test", "--checkpoint", str(bundle), "--episodes", "4",
                     "--json", str(out)]) == 0
    figures = json.loads(out.read_text())
    wanted = {"HumanoidSkills": "survived", "HumanoidHeading": "arrival",
              "HumanoidStrike": "strike"}
    assert 0.0 <= figures[wanted[task]] <= 1.0


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
