"""``ppp eval language --compare``: the table, its statistics and what is kept between calls."""
from __future__ import annotations

import json

import pytest
import torch

from ppp.errors import PPPError
from ppp.language import compare as comparing
from ppp.language.compare import cell, compare, markdown, method_rows, raw_and_quantised, speed
from ppp.language.evaluate import main as evaluate_main
from ppp.language.phrases import load_phrases

TEXT = """
rest: idle
skills:
  idle: {label: stand, train: [rest, wait, stop], natural: [wait stop], heldout: [loiter]}
  walk: {label: walk, train: [march, go, stroll], natural: [go march], heldout: [amble]}
oos_train: [sing, cook, read]
oos_near: [fly]
oos_far: [tax law]
planner: [["Please march.", walk], ["Now wait.", idle]]
"""


@pytest.fixture
def path(tmp_path):
    place = tmp_path / "p.yaml"
    place.write_text(TEXT, encoding="utf-8")
    return place


def test_a_method_is_measured_once_and_kept(path, tmp_path, monkeypatch):
    report, table = tmp_path / "r.json", tmp_path / "t.md"
    flags = ["--compare", "--phrases", str(path), "--arms", "lexical", "--cache",
             str(tmp_path / "kept"), "--json", str(report), "--markdown", str(table)]
    assert evaluate_main(flags) == 0
    first = json.loads(report.read_text())["arms"]["lexical"]
    assert len(first) == 1 and first[0]["natural"] == 1.0 and first[0]["planner"] == 1.0
    assert "TF-IDF" in table.read_text() and "| idle |" in table.read_text()

    def never(*a):
        raise AssertionError("measured again")
    monkeypatch.setattr(comparing, "build", never)
    assert evaluate_main(flags) == 0
    assert json.loads(report.read_text())["arms"]["lexical"] == first
    path.write_text(TEXT.replace("stroll", "stride"), encoding="utf-8")
    with pytest.raises(AssertionError, match="measured again"):
        evaluate_main(flags)


def test_seeds_belong_to_what_has_one(path, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(comparing, "build", lambda arm, *a: asked.append((arm.encoder, a[1])))
    monkeypatch.setattr(comparing, "measure", lambda *a: {"top1": 0.5, "planner": None})
    phrases = load_phrases(str(path))
    found = compare(phrases, ["lexical", "paper"], 3, 1, str(tmp_path), say=lambda line: None)
    assert asked == [("lexical", 0), ("minilm", 0), ("minilm", 1), ("minilm", 2)]
    assert [len(results) for results in found.values()] == [1, 3]
    with pytest.raises(PPPError, match="--arms papr"):
        compare(phrases, ["papr"], 1, 1, str(tmp_path))


def test_a_cell_shows_mean_and_spread():
    results = [{"top1": 0.5}, {"top1": 0.6}, {"top1": 0.7}]
    assert cell(results, "strict") == "60.0 ± 10.0" and cell(results[:1], "strict") == "50.0"
    assert cell(results, "AUROC near") == "-"
    rows = method_rows({"paper": results, "label": []})
    assert all(len(row) == 2 for row in rows) and rows[1] == ["seeds", "3"]
    assert ["strict (%)", "60.0 ± 10.0"] in rows
    assert markdown([["a", "b"], ["1", "2"]]) == "| a | b |\n|---|---|\n| 1 | 2 |"


def test_quantised_codes_are_exact_where_the_nearest_is_right(table_matcher):
    model = table_matcher({"stroll": (0.2, 1, 0, 0), "chop": (0, 1, 0.9, 0)}).model
    found = raw_and_quantised(model, [("stroll", "walk"), ("chop", "slash")])
    # stroll: code of walk, distance 0; chop: code of walk instead of slash, sqrt 2 apart
    assert found["quantised"] == pytest.approx(2 ** 0.5 / 2, abs=1e-5)
    assert 0.1 < found["raw"] < found["quantised"] and found["quantised_nearer"] == 0.5


def test_speed_counts_texts(monkeypatch):
    # A clock that only encoding moves: a call takes 2 ms and 1 ms for each text.
    clock = [0.0]
    monkeypatch.setattr(comparing.time, "perf_counter", lambda: clock[0])

    class Slow:
        def encode(self, texts):
            clock[0] += 0.002 + 0.001 * len(texts)
            return torch.zeros(len(texts), 4)
    found = speed(Slow(), ["a", "b"])
    assert found["one"] == pytest.approx(1 / 0.003)
    assert found["batch"] == pytest.approx(64 / 0.066)


def test_bad_numbers_are_refused(path, tmp_path):
    with pytest.raises(PPPError, match="--seeds 0"):
        evaluate_main(["--compare", "--phrases", str(path), "--seeds", "0"])
