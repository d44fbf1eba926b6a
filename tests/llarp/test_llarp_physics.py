"""ppp llarp physics: the learned planner with the humanoid's steps, here as a gliding figure."""
from __future__ import annotations

import json

import pytest
from llarp_tools import settings

from ppp.cli import dispatch
from ppp.errors import run_entry
from ppp.llarp import store
from ppp.llarp.physics_command import figures
from ppp.llarp.train import Trainer


@pytest.fixture(scope="module")
def adapters(tmp_path_factory):
    folder = tmp_path_factory.mktemp("adapters")
    trainer = Trainer(settings(), folder)
    return store.write_bundle(folder, store.adapter_tensors(trainer.policy), trainer.facts())


def call(adapters, *words):
    words = ["llarp", "physics", "--checkpoint", adapters, "--executor", "kinematic", *words]
    return run_entry(lambda: dispatch([str(w) for w in words]))


def test_a_measurement_goes_on_where_it_stopped(adapters, tmp_path, capsys):
    out, whole = tmp_path / "figures.json", tmp_path / "whole.json"
    assert call(adapters, "--episodes", 2, "--json", out) == 0
    first = json.loads(out.read_text())
    assert first["complete"] and first["figures"]["kinematic"]["episodes"] == 2
    capsys.readouterr()
    assert call(adapters, "--episodes", 3, "--json", out) == 0
    assert "1/1" in capsys.readouterr().out  # the first two are there
    assert call(adapters, "--episodes", 3, "--json", whole) == 0
    assert json.loads(out.read_text()) == json.loads(whole.read_text())
    rows = json.loads(whole.read_text())["episodes"]
    assert len({row["instruction"] for row in rows}) == 3
    assert all(1 <= len(row["actions"]) <= 32 for row in rows)
    assert call(adapters, "--episodes", 3, "--seed", 1, "--json", out) == 2
    assert "was measured with seed 0, not 1" in capsys.readouterr().err
    out.write_text("{}")
    assert call(adapters, "--episodes", 3, "--json", out) == 2
    assert "name a new file" in capsys.readouterr().err


def test_figures_are_shares_of_what_was_done():
    def row(number, executor, family, success):
        return {"number": number, "executor": executor, "family": family, "success": success,
                "time_s": 2.0 * number, "falls": number, "actions": ["wait"] * number}

    found = figures([row(1, "physics", "go", True), row(2, "physics", "strike", False),
                     row(3, "physics", "go", True), row(0, "kinematic", "go", False)])
    own = found["physics"]
    assert own["success"] == pytest.approx(2 / 3) and own["families"] == {"go": [2, 2],
                                                                         "strike": [0, 1]}
    assert (own["time_s"], own["falls"], own["actions"]) == (4.0, 2.0, 2.0)
    # Wilson's interval of 2 in 3, worked out by hand
    assert own["interval"] == pytest.approx([0.2077, 0.9385], abs=1e-3)
    assert found["kinematic"]["success"] == 0.0


@pytest.mark.parametrize("words, says", [
    (["--episodes", 0], "--episodes is 0"), (["--seed", -1], "--seed must be"),
    (["--minutes", 0], "--minutes must be more"),
])
def test_mistakes_are_told(adapters, words, says, capsys):
    assert call(adapters, *words) == 2
    assert says in capsys.readouterr().err
