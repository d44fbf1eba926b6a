"""The learned planner in ``ppp plan``, and where an instruction has no checks."""
from __future__ import annotations

import json

import numpy as np
import pytest
import yaml
from rearrangement_scenes import Script, matcher

from ppp.cli import dispatch
from ppp.errors import PPPError, run_entry
from ppp.llarp import store
from ppp.llarp.config import ImitationConfig, LlarpConfig, ModelConfig
from ppp.llarp.train import Trainer
from ppp.planning.choosing import ModelOptions, choose_planner, planner_of
from ppp.planning.executor import Executor
from ppp.planning.kinematic import KinematicPerformer
from ppp.planning.planner import ListPlanner
from ppp.planning.scenario import parse_scenario
from ppp.rearrangement import ACTIONS, TaskEnv, learned, make_tasks
from ppp.rearrangement.learned import Learned, load_adapters
from ppp.rearrangement.planner import LearnedPlanner

SCENE = {
    "name": "box", "instruction": "Strike the sandbag.",
    "objects": [{"name": "sandbag", "kind": "target", "position": [3, 0]}],
    "success": [{"knocked_over": "sandbag"}]}
WALK, BLOW = ("go", "sandbag"), ("slash", "sandbag")


@pytest.fixture(scope="module")
def adapters(tmp_path_factory):
    """Adapters that have learned nothing, on a tiny backbone."""
    folder = tmp_path_factory.mktemp("adapters")
    config = LlarpConfig(model=ModelConfig(backbone="tiny", precision="float32", width=16),
                         imitation=ImitationConfig(iterations=1))
    trainer = Trainer(config, folder)
    return store.write_bundle(folder, store.adapter_tensors(trainer.policy), trainer.facts())


@pytest.fixture
def scene(tmp_path):
    path = tmp_path / "box.yaml"
    path.write_text(yaml.safe_dump(SCENE))
    return path


def plan(*words):
    return run_entry(lambda: dispatch(["plan", *[str(w) for w in words]]))


def script(monkeypatch, *actions):
    """Instead of adapters, a list of actions decides."""
    class Scripted(Script):
        def __init__(self, adapters, seed):
            super().__init__(*actions)

    monkeypatch.setattr(learned, "Learned", Scripted)


def test_the_first_action_alone_is_shown_and_nothing_performed(adapters, scene, tmp_path, capsys,
                                                               monkeypatch):
    script(monkeypatch, WALK, BLOW)
    out = tmp_path / "plan.json"
    assert plan(scene, "--planner", "learned", "--adapters", adapters, "--performer", "kinematic",
                "--json", out) == 0
    told = capsys.readouterr().out
    assert "the first action" in told and "walk forward to the sandbag" in told
    data = json.loads(out.read_text())
    assert data["performed"] is False and data["planner"] == "learned"
    assert data["learned"]["actions"] == ["walk to the sandbag"]
    assert len(data["plan"]["steps"]) == 1


def test_it_performs_step_by_step(adapters, scene, tmp_path, monkeypatch):
    script(monkeypatch, BLOW, WALK, BLOW)
    out = tmp_path / "result.json"
    assert plan(scene, "--planner", "learned", "--adapters", adapters, "--performer", "kinematic",
                "--perform", "--json", out) == 0
    data = json.loads(out.read_text())
    assert data["success"] and data["ended"] == "what was asked for holds"
    assert len(data["learned"]["actions"]) == 3 and data["replans"] == 0
    assert data["learned"]["in_vain"] == [
        "slash the sandbag with the sword: the sandbag is out of reach"]
    steps = [s["command"] for s in data["plan"]["steps"] + data["later_plans"][0]["steps"]]
    assert steps == [s["command"] for s in data["steps"]]


def test_adapters_that_know_nothing_fail_and_say_so(adapters, scene, capsys):
    assert plan(scene, "--planner", "learned", "--adapters", adapters, "--performer", "kinematic",
                "--perform", "--seed", "3") == 3
    assert "32 actions" in capsys.readouterr().out


@pytest.mark.parametrize("words, says", [
    (["--adapters", "x"], "add --planner learned"),
    (["--planner", "learned", "--adapters", "x"], "x: no such file"),
    (["--planner", "learned", "--record", "r.jsonl"], "no model is asked"),
], ids=" ".join)
def test_mistakes_are_told(words, says, scene, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert plan(scene, "--performer", "kinematic", *words) == 2
    assert says in capsys.readouterr().err


def test_a_scene_without_anything_to_go_to_is_refused(adapters):
    bare = parse_scenario({"name": "bare", "instruction": "Go.", "success": [{"reached": [1, 1]}]})
    maker, how = choose_planner("learned", ModelOptions(), "bare", matcher, adapters=adapters)
    assert str(adapters) in how
    with pytest.raises(PPPError, match="add one"):
        planner_of(maker, bare, KinematicPerformer().skills).prepare()
    searched, _ = choose_planner("search", ModelOptions(), "bare", matcher)
    found = planner_of(searched, bare, ("walk_forward",), limit=3)
    assert isinstance(found, ListPlanner) and found.limit == 3


def test_draws_are_those_of_the_seed_and_without_one_the_likeliest(adapters):
    loaded = load_adapters(adapters)
    assert load_adapters(adapters) is loaded  # read once
    seen = TaskEnv().reset(make_tasks("train", 1, 0)[0])

    def chosen(seed, count=12):
        one = Learned(loaded, seed)
        one.reset("Go to the sofa.")
        return [one.act(seen) for _ in range(count)]

    assert chosen(1) == chosen(1) != chosen(2)
    likeliest = Learned(loaded)
    likeliest.reset("Go to the sofa.")
    from ppp.llarp.observation import to_obs

    memory = loaded.policy.begin(["Go to the sofa."], 1)
    logits = loaded.policy.step(memory, to_obs([part[None] for part in seen]))
    assert likeliest.act(seen) == int(logits.argmax()) < len(ACTIONS)
    assert len(set(chosen(1))) > 6  # untrained: anything


@pytest.mark.parametrize("actions, count, ended", [
    ((WALK, BLOW, BLOW), 2, "again: nothing is left to do"),
    ((WALK, BLOW, ("kick", "sandbag")), 3, "lies already"),
    ((("taunt", ""),), 1, "again"),
])
def test_without_checks_it_ends_when_nothing_is_left(actions, count, ended):
    made = parse_scenario(SCENE).model_copy(update={"success": []})
    performer = KinematicPerformer()
    planner = LearnedPlanner(made, performer.skills, Script(*actions), matcher)
    result = Executor(made, planner, performer, matcher, "learned").perform(0)
    assert ended in result.ended and len(planner.actions) == count
    assert np.isfinite(result.time_s)
