"""Figures: what is counted, over what, and how it is told."""
from __future__ import annotations

import json

import numpy as np
import pytest
from llarp_tools import needs_minilm, settings

from ppp.errors import PPPError
from ppp.llarp import baselines, store
from ppp.llarp.backbones import load_backbone
from ppp.llarp.evaluate import (
    Contender,
    evaluate,
    learned,
    scripted,
    test_tasks,
    wilson,
)
from ppp.llarp.paper import FIGURES, means
from ppp.llarp.report import markdown
from ppp.llarp.train import Trainer
from ppp.rearrangement import ACTIONS, BEHAVIOUR, PARAPHRASE, make_tasks

test_tasks.__test__ = False  # a function of the project, no test


def test_wilson_by_hand():
    """Of 50 of 100, and at the ends (Wilson 1927; z = 1.96)."""
    assert wilson(0.5, 100) == pytest.approx((0.4038, 0.5962), abs=1e-4)
    assert wilson(0.0, 10) == pytest.approx((0.0, 0.2775), abs=1e-4)
    assert wilson(1.0, 10) == pytest.approx((0.7225, 1.0), abs=1e-4)


def test_the_papers_means():
    """38, 45 and 42 % (its text says 42; the chart's readings give 41.4)."""
    found = means(FIGURES["LLaRP (7 B)"])
    assert [round(100 * found[name], 1) for name in ("pr", "bg", "total")] == [38.4, 45.2, 41.4]
    assert np.isnan(means({"context": 0.5})["pr"])


def stub(name, share, regime="none", greedy=True):
    """Fulfils the first ``share`` of its tasks, one less with each seed."""
    def run(tasks, seed, likeliest):
        return np.arange(len(tasks)) < share * len(tasks) - (0 if likeliest else seed)
    return Contender(name, [run], {"regime": regime}, greedy)


def test_figures_of_a_split():
    row = evaluate(stub("a", 0.5), ["train"], 10, 3)["splits"]["train"]
    assert row["per_seed"] == [0.5, 0.4, 0.3]
    assert row["success"] == pytest.approx(0.4) and row["greedy"] == 0.5
    assert row["interval"] == pytest.approx(wilson(0.4, 10)) and row["tasks"] == 10


def test_groups_are_plain_means(monkeypatch):
    monkeypatch.setattr("ppp.llarp.evaluate.test_tasks", lambda split, count: [None] * count)
    splits = [*PARAPHRASE, *BEHAVIOUR]
    out = evaluate(stub("a", 0.5), splits, 10, 1)
    assert out["pr"] == out["bg"] == out["total"] == pytest.approx(0.5)
    assert out["total_per_seed"] == [pytest.approx(0.5)] and out["pr_greedy"] == 0.5


def test_regimes_never_share_a_table():
    rows = {one.name: evaluate(one, ["train"], 5, 1)
            for one in (stub("warm", 0.8, "imitation"), stub("cold", 0.4, "rl"), stub("none", 0))}
    heads = [line for line in markdown(rows).splitlines() if line.startswith("| success")]
    assert [head.split("|")[2:-1] for head in heads[:3]] == [[" warm "], [" cold "], [" none "]]
    assert "LLaRP (7 B)" in heads[3]


def test_test_tasks_are_the_same_for_all_and_none_of_training():
    assert [t.seed for t in test_tasks("scene", 4)] == [t.seed for t in test_tasks("scene", 6)][:4]
    assert all(task.split == "validation" for task in test_tasks("train", 3))


def test_the_expert_is_the_ceiling_and_chance_the_floor():
    expert = evaluate(scripted("expert", baselines.expert_actions), ["train"], 25, 1)
    chance = evaluate(scripted("random", baselines.random_actions), ["train"], 25, 1)
    assert expert["splits"]["train"]["success"] == 1.0
    assert chance["splits"]["train"]["success"] < 0.1
    assert "greedy" not in expert["splits"]["train"]


@needs_minilm
def test_text_scoring_does_what_the_instruction_says_word_for_word():
    scoring = baselines.TextScoring(load_backbone("minilm", precision="float32"))

    class Everywhere:
        def valid(self):
            return np.ones(len(ACTIONS), bool)

    class Said:
        instruction = "open the chest"

    actor = scoring([Said()], np.random.default_rng(0))[0]
    first = ACTIONS[actor(Everywhere())]
    assert (first.skill, first.target) == ("open", "chest")
    assert ACTIONS[actor(Everywhere())] != first  # done once, it gives way


class Model:
    """A language model that always says the same."""

    def __init__(self, *replies):
        self.replies, self.asked = list(replies), []

    def ask(self, messages):
        self.asked.append(messages[0]["content"])
        return self.replies[(len(self.asked) - 1) % len(self.replies)]


def plan_of(*commands):
    return json.dumps({"steps": [{"command": c, "target": [0, 0]} for c in commands]})


def test_prompt_planner_carries_out_its_list_without_looking():
    task = next(t for t in make_tasks("train", 200, 0) if t.family == "close")
    target = next(word for word in ("chest", "cupboard", "crate", "wardrobe", "pantry", "gate")
                  if word in task.instruction)
    told = Model(plan_of(f"Walk to the {target}.", f"close the {target}"))
    players = scripted("prompt", baselines.PromptPlanner(told))
    assert players.runs[0]([task], 0, False).tolist() == [True]
    assert task.instruction in told.asked[0] and "- pick up the apple" in told.asked[0]
    lost = baselines.PromptPlanner(Model("I would rather not."))
    assert lost.plan("Open the chest.") == [] and lost.unreadable == 1


def test_plans_are_read_with_their_slips():
    found = [ACTIONS[i].phrase for i in baselines.read_plan(
        plan_of("walk to the sofa", "Pick up the aple", "compose a symphony in g minor"))]
    assert found == ["walk to the sofa", "pick up the apple"]


def test_adapters_are_scored_as_saved(tmp_path):
    """Run folder and bundle play alike; the row says how they were made."""
    trainer = Trainer(settings(), tmp_path / "run")
    trainer.step()
    trainer.save()
    store.write_bundle(tmp_path / "bundle", store.adapter_tensors(trainer.policy), trainer.facts())
    tasks = make_tasks("train", 6, 5)
    one, two = learned("a", [tmp_path / "run"]), learned("b", [tmp_path / "bundle"])
    assert one.facts["regime"] == "imitation" and one.facts["backbone"] == "tiny"
    for greedy in (False, True):
        played = trainer.players.play(trainer.policy, tasks, 1, baselines_choice(greedy))
        for contender in (one, two):
            assert contender.runs[0](tasks, 1, greedy).tolist() == played.success.tolist()
    with pytest.raises(PPPError, match="no adapters here"):
        learned("c", [tmp_path])
    with pytest.raises(PPPError, match="no such file"):
        learned("d", [tmp_path / "nothing"])


def baselines_choice(greedy):
    from ppp.llarp.episodes import Choice

    return Choice(greedy=greedy)


@needs_minilm
def test_the_shipped_adapters_work_out_of_the_box():
    """They know the trained kinds, in layouts never trained in, and their card says what they are.
    """
    from ppp.llarp import SHIPPED

    card = store.read_card(SHIPPED)
    assert card["settings"]["regime"] == "imitation" and card["command"].startswith("ppp llarp")
    shipped = learned("shipped", [SHIPPED])
    assert shipped.runs[0](test_tasks("train", 24), 0, True).mean() > 0.25
