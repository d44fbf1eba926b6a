"""``ppp eval policy``: figures over seeds, the goals, the page, the command."""
from __future__ import annotations

import json
import shutil
from types import SimpleNamespace

import pytest
import torch
import yaml
from safetensors.torch import load_file, save_file

from ppp.errors import PPPError
from ppp.evaluation import policy, policy_charts, policy_page
from ppp.evaluation.classifier import train_classifier
from ppp.evaluation.policy_arrival import turn_behind
from ppp.evaluation.policy_figures import over_seeds, transition_figures
from ppp.evaluation.policy_goals import training_card, verdicts
from ppp.humanoid.rotations import yaw_quat
from ppp.learning.bundle import SHIPPED


def test_means_over_seeds_with_their_spread():
    nan = float("nan")
    out = over_seeds([{"a": 1.0, "rows": {"x": [1.0, 0.0], "y": nan}, "names": ["p"]},
                      {"a": 3.0, "rows": {"x": [0.0, 0.5], "y": 4.0}, "names": ["p"]}])
    assert out["a"] == 2.0 and out["a_spread"] == 2.0
    assert out["rows"] == {"x": [0.5, 0.25], "y": 4.0} and out["names"] == ["p"]


def test_a_pair_that_fell_before_the_switch_is_no_success():
    def flags(*values):
        return torch.tensor([bool(v) for v in values])

    out = transition_figures(
        {"source": torch.tensor([0, 0, 1]), "goal": torch.tensor([1, 2, 0]),
         "reached": flags(1, 1, 0), "upright": flags(1, 1, 0), "recognised": flags(1, 0, 0),
         "right": flags(1, 0, 0), "latency": torch.tensor([0.3, float("inf"), 0.1])},
        ["a", "b", "c"])
    assert out["transitions"] == pytest.approx(1 / 3)
    assert out["transitions_of_reached"] == pytest.approx(1 / 2)
    assert out["transition_matrix"] == {"a": {"b": 1.0, "c": 0.0}, "b": {"a": 0.0}}
    assert out["transition_latency_s"] == pytest.approx(0.3)


def test_goals_hold_the_worst_skill_and_gait_to_account():
    figures = {"skill_accuracy": 0.9, "falls_per_100s": 1.2, "heading_error_deg": float("nan"),
               "per_skill": {"a": {"right": 1.0}, "b": {"right": 0.5}},
               "arrival": {"run": 0.95, "walk": 0.91}}
    met = {v.goal.figure: v.met for v in verdicts(figures)}
    assert met["skill_accuracy"] and not met["worst_skill"] and met["worst_gait"]
    assert met["falls_per_100s"] is False  # at most, not at least
    assert met["heading_error_deg"] is None and met["strike"] is None  # not measured


def test_training_card_beside_calm():
    out = training_card({"training": {"samples": 5_000_000, "seconds": 7200.0}})
    assert out["hours"] == 2.0 and out["share_of_calm_samples"] == pytest.approx(1e-3)
    assert out["samples_per_s"] == pytest.approx(5e6 / 7200)
    assert training_card({})["samples"] is None


def test_turns_are_told_to_those_whose_way_lies_behind():
    """Facing +x: ahead goes on; left behind turns left; the fourth has turned far enough."""
    goals = torch.tensor([[5.0, 0.1], [-5.0, 0.5], [-5.0, -0.5], [5.0, 0.1], [-5.0, 0.5]])
    told = []
    crowd = SimpleNamespace(
        library=SimpleNamespace(skills=["walk", "turn_left", "turn_right"]), target=goals,
        state=SimpleNamespace(root_pos=torch.zeros(5, 3), root_rot=yaw_quat(torch.zeros(5))),
        travel_offset=torch.zeros(3), skill=torch.tensor([0, 0, 0, 1, 0]),
        command=lambda ids, skill: told.append((ids.tolist(), skill.tolist())))
    who = torch.tensor([True, True, True, True, False])
    turn_behind(crowd, who, torch.zeros(5, dtype=torch.long))
    assert told == [([1, 2, 3], [1, 2, 0])]


def test_matrix_marks_wrong_answers_and_escapes_names():
    text = policy_charts.matrix({"a": {"a": 0.75, "<b>": 0.25}}, ["a", "<b>"], "x", "y")
    assert "<b>" not in text.replace("&lt;b&gt;", "")
    assert 'class="good strong"' in text and 'class="bad"' in text
    assert ">75<" in text and ">25<" in text


def test_share_chart_of_errors_that_are_all_five_degrees():
    text = policy_charts.share_chart({"walk": torch.full((9,), 5.0)}, 10.0)
    assert '<polyline class="series0" points="0.0,260.0 10.0,260.0 20.0,0.0' in text


def test_wrong_options_are_one_sentence(tmp_path):
    with pytest.raises(PPPError, match="transitions"):
        policy.main(["--parts", "transition"])
    with pytest.raises(PPPError, match="1 or more"):
        policy.main(["--seeds", "0"])
    checkpoint = tmp_path / "x.pt"
    with pytest.raises(PPPError, match="--card writes into a bundle"):
        policy.main(["--bundle", str(checkpoint), "--card"])


def small_bundle(folder, names):
    """The shipped policy with these skills only."""
    shutil.copytree(SHIPPED, folder)
    card = yaml.safe_load((folder / "bundle.yaml").read_text())
    weights = load_file(str(folder / "weights.safetensors"))
    rows = [card["skills"].index(name) for name in names]
    weights["z"] = weights["z"][rows].contiguous()
    save_file(weights, str(folder / "weights.safetensors"))
    (folder / "bundle.yaml").write_text(yaml.safe_dump({**card, "skills": names}))
    return folder


def test_the_command_end_to_end(tmp_path, monkeypatch, capsys):
    """Three skills of the shipped policy in small: figures, page and card agree."""
    monkeypatch.setattr(policy, "train_classifier",
                        lambda library: train_classifier(library, steps=150, batch=128))
    monkeypatch.setattr(policy_page, "strip_jpeg", lambda crowd, episode: "QUJD")
    skills = ["turn_left", "idle", "walk_forward"]
    bundle = small_bundle(tmp_path / "bundle", skills)
    out, page = tmp_path / "f.json", tmp_path / "f.html"
    args = ["--bundle", str(bundle), "--seeds", "1", "--episodes", "2", "--card",
            "--json", str(out), "--html", str(page), "--parts", "skills", "transitions"]
    assert policy.main(args) == 0
    figures = json.loads(out.read_text())
    assert 0.8 < figures["classifier_ceiling"] <= 1.0
    assert list(figures["per_skill"]) == figures["skills"] == skills
    right = [row["right"] for row in figures["per_skill"].values()]
    assert figures["skill_accuracy"] == pytest.approx(sum(right) / 3)
    # the shipped policy stands and turns; were skills mixed up, it would not be seen to
    assert figures["per_skill"]["idle"]["right"] == figures["per_skill"]["turn_left"]["right"] == 1
    assert figures["per_skill"]["turn_left"]["yaw_rate_deg_s"] > 20.0
    shares = figures["confusion"]["rows"]["idle"]
    assert sum(shares) == pytest.approx(1.0)
    assert shares[figures["confusion"]["classes"].index("idle")] > 0.8
    assert {k: set(row) for k, row in figures["transition_matrix"].items()} == {
        k: set(skills) - {k} for k in skills}
    text = page.read_text()
    assert "not measured" in text and "Confusion" in text and "Transitions" in text
    assert text.count("data:image/jpeg;base64,QUJD") == 3
    assert "<script" not in text and "http" not in text.replace("http-equiv", "")
    card = yaml.safe_load((bundle / "bundle.yaml").read_text())
    assert card["scores"]["skill_accuracy"] == pytest.approx(figures["skill_accuracy"], abs=1e-3)
    assert card["scores"]["per_skill"]["idle"]["survived"] == 1.0
    printed = capsys.readouterr().out
    assert ("NOT MET" in printed) == any(goal["met"] is False for goal in figures["goals"])
