"""Training with environment and learner on a device: every tensor is made there (no GPU needed)."""
from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import torch

from ppp.learning.chance import chance_of, set_chance

FAKE = Path(__file__).resolve().parents[1] / "fake_gpu.py"


def test_training_and_going_on_need_no_tensor_of_the_cpu(tmp_path):
    """In a process of its own: the make-believe device stays registered."""
    done = subprocess.run([sys.executable, str(FAKE), str(tmp_path / "run")], text=True,
                          capture_output=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.split("\n")[:2] == ["done iteration_0000002.pt",
                                           "done iteration_0000003.pt"]


def test_chance_goes_on_and_that_of_another_kind_of_device_is_left_alone():
    generator = torch.Generator().manual_seed(5)
    kept = chance_of(generator)
    first = torch.rand(3, generator=generator), torch.rand(3)
    set_chance(kept, generator)
    assert torch.equal(torch.rand(3, generator=generator), first[0])
    assert torch.equal(torch.rand(3), first[1])
    set_chance({**kept, "env_random": torch.zeros(16, dtype=torch.uint8)}, generator)  # a GPU's
    assert torch.rand(3, generator=generator).shape == (3,)
