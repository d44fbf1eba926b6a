"""How runs of several processes end: a rank dies, raises, freezes; torchrun is told to stop."""
from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from test_distributed import free_port, start_ranks

from ppp.learning.checkpoint import latest_checkpoint, load_checkpoint

ROOT = Path(__file__).resolve().parents[2]

SMALL = """
num_envs: 8
save_minutes: 0.0001
network: {actor: [16], critic: [16], discriminator: [16], encoder: [16], latent: 8}
ppo: {horizon: 4, minibatch: 32, epochs: 1}
discriminator: {batch: 32, replay: 100}
warm_start: {iterations: 0, critic_iterations: 0}
"""
#: rank 1 comes to an end in the way that the first argument names; rank 0 waits or works
ENDS = """
import os, signal, sys, time
import ppp.learning.watch as watch
watch.BEAT, watch.SHORT, watch.PATIENCE, watch.GRACE = 0.2, 1.5, 3.0, 4.0
from ppp.errors import run_entry
from ppp.learning import distributed
def main():
    with distributed.started() as world:
        print("ready", file=sys.stderr, flush=True)
        if sys.argv[1] == "store":  # rank 0 holds the store where torchrun does not
            os.kill(os.getpid(), signal.SIGKILL) if world.rank == 0 else time.sleep(100)
        if world.rank == 1:
            if sys.argv[1] == "raises":
                raise ValueError("the disk is full")
            os.kill(os.getpid(), signal.SIGSTOP)
        if sys.argv[1] == "raises":
            distributed.barrier()
        time.sleep(100)  # at work, in no collective: it cannot notice by itself
sys.exit(run_entry(main))
"""


@pytest.fixture
def options(tmp_path):
    text = (ROOT / "cfg" / "env" / "humanoid_skills.yaml").read_text()
    (tmp_path / "task.yaml").write_text(
        text.replace("skills: [] ", "skills: [walk_forward, idle, slash]"))
    (tmp_path / "small.yaml").write_text(SMALL)
    return [str(ROOT / "ppp" / "run.py"), "--cfg-env", str(tmp_path / "task.yaml"), "--cfg-train",
            str(tmp_path / "small.yaml"), "--run-dir", str(tmp_path / "run"),
            "--max-iterations", "100000"]


def iterations(folder):
    try:
        return [json.loads(line)["iteration"] for line in
                (folder / "history.jsonl").read_text().splitlines(keepends=True)
                if line.endswith("\n")]
    except OSError:
        return []


def wait_for(condition, process, seconds=300):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end or process.poll() is not None:
            process.kill()
            pytest.fail(process.communicate()[1][-3000:])
        time.sleep(0.05)


def test_a_killed_rank_ends_the_run_which_resumes_and_stops_when_told(options, tmp_path):
    folder = tmp_path / "run"
    first, second = start_ranks(options)
    wait_for(lambda: len(iterations(folder)) >= 2, first)
    second.kill()
    errors = first.communicate(timeout=60)[1]  # by itself: nobody sends it a signal
    assert first.returncode == 2
    assert f"rank 1 (process {second.pid} on " in errors and "--resume" in errors
    second.communicate()
    kept = load_checkpoint(latest_checkpoint(folder))["counters"]
    assert kept["iteration"] >= 1 and kept["samples"] == 2 * 8 * 4 * kept["iteration"]

    torchrun = subprocess.Popen(
        [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2",
         f"--master-port={free_port()}", *options, "--resume"], text=True, stderr=subprocess.PIPE,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)})
    before = len(iterations(folder))
    wait_for(lambda: len(iterations(folder)) > before, torchrun)
    assert iterations(folder)[before] == kept["iteration"] + 1
    torchrun.send_signal(signal.SIGTERM)
    errors = torchrun.communicate(timeout=60)[1]
    assert errors.count("interrupted: saving") == 1, errors
    done = int(iterations(folder)[-1])
    assert latest_checkpoint(folder).name == f"iteration_{done:07d}.pt"
    assert "torchrun --nproc-per-node 2 ppp/run.py" in (folder / "report.md").read_text()
    assert sorted(p.name for p in (folder / "checkpoints").glob("moment*")) == [
        "moment.pt", "moment_1.pt"]


@pytest.mark.parametrize("way, why", [("raises", "failed with ValueError: the disk is full"),
                                      ("freezes", "gave no sign of life for")])
def test_a_rank_that_raises_or_freezes_is_named(way, why):
    first, second = start_ranks(["-c", ENDS, way])
    errors = first.communicate(timeout=60)[1]
    if way == "freezes":
        assert psutil.Process(second.pid).status() == psutil.STATUS_STOPPED
    second.kill()
    own = second.communicate()[1]
    assert first.returncode == 2
    assert f"error: rank 1 (process {second.pid} on " in errors and why in errors
    assert "Traceback" not in errors and errors.count("error:") == 1
    assert way == "freezes" or "ValueError: the disk is full" in own  # where it happened


def test_without_the_store_nobody_waits():
    first, second = start_ranks(["-c", ENDS, "store"])
    assert first.communicate(timeout=60) and first.returncode == -signal.SIGKILL
    errors = second.communicate(timeout=60)[1]
    assert second.returncode == 2
    assert "error: torchrun, or the machine of rank 0, does not answer any more" in errors
