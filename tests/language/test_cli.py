"""The commands, run through ``main`` or as a user would."""
from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ppp.errors import PPPError, run_entry
from ppp.finetune_clip import main as finetune_main
from ppp.language import SHIPPED_LEXICAL
from ppp.language.classify import main as classify_main
from ppp.language.evaluate import main as evaluate_main

ROOT = Path(__file__).resolve().parents[2]
PHRASES = """
rest: idle
skills:
  idle: {label: stand idle, train: [rest, wait here, pause], heldout: [loiter]}
  walk: {label: walk, train: [march, go ahead, stroll], heldout: [amble]}
oos_train: [sing, cook, read, paint, sew, fly]
planner: [["Please march.", walk]]
"""


@pytest.fixture
def files(tmp_path):
    path = tmp_path / "phrases.yaml"
    path.write_text(PHRASES, encoding="utf-8")
    return path, tmp_path / "out", tmp_path / "report.json"


def lexical(path, out, *more):
    return ["--encoder", "lexical", "--phrases", str(path), "--out", str(out), *more]


def test_finetune_saves_reports_and_scores_again(files, capsys):
    path, out, report = files
    assert finetune_main(lexical(path, out, "--json", str(report))) == 0
    assert "saved" in capsys.readouterr().out
    values = json.loads(report.read_text())
    assert values["method"] == "centroids" and values["after"]["planner"] == 1.0
    assert finetune_main(lexical(path, out, "--eval_only")) == 0
    assert evaluate_main(["--phrases", str(path), "--model", str(out), "--json", str(report)]) == 0
    values = json.loads(report.read_text())
    for key in ("top1", "per_skill", "auroc_near", "auroc_far", "negation", "refused_good"):
        assert key in values


def test_overlap_is_refused_unless_allowed(files):
    path, out, _ = files
    path.write_text(PHRASES.replace("[amble]", "[marching]"), encoding="utf-8")
    with pytest.raises(PPPError, match=r"'marching' \(march\).*--allow-overlap"):
        finetune_main(lexical(path, out))
    assert not out.exists()
    assert finetune_main(lexical(path, out, "--allow-overlap")) == 0


@pytest.mark.parametrize("flags, words", [
    (["--epochs", "0"], "--epochs 0"), (["--lr", "2"], "--lr 2"),
    (["--method", "adaptor"], "did you mean 'adapter'"), (["--encoder", "lexcal"], "lexical"),
    (["--split", "sofd"], "did you mean 'soft'"), (["--json", "/dev/null/x"], "/dev/null/x")])
def test_bad_flags_get_one_sentence(files, flags, words):
    path, out, _ = files
    with pytest.raises(PPPError) as caught:
        finetune_main(lexical(path, out) + flags)
    assert words in str(caught.value)


@pytest.mark.parametrize("flags, words", [
    (["--json", "/dev/null/x"], "/dev/null/x"), (["--arms", "lexical"], "--arms: goes with"),
    (["--markdown", "table.md"], "--markdown: goes with"), (["--model", "absent"], "card.yaml")])
def test_bad_flags_of_eval_get_one_sentence(files, flags, words):
    with pytest.raises(PPPError) as caught:
        evaluate_main(["--phrases", str(files[0]), *flags])
    assert words in str(caught.value)


def test_run_entry_turns_a_mistake_into_status_2(tmp_path, capsys):
    absent = str(tmp_path / "absent.yaml")
    assert run_entry(lambda: finetune_main(["--phrases", absent])) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ") and absent in error and error.count("\n") == 1


def test_the_script_runs_from_anywhere(tmp_path):
    done = subprocess.run(
        [sys.executable, str(ROOT / "ppp" / "finetune_clip.py"), "--num-nothing", "1"],
        cwd=str(tmp_path), capture_output=True, text=True, timeout=120)
    assert done.returncode == 2 and "num-nothing" in done.stderr
    done = subprocess.run(
        [sys.executable, str(ROOT / "ppp" / "finetune_clip.py"), "--epochs", "0"],
        cwd=str(tmp_path), capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (2, "error: --epochs 0: must be at least 1\n")


def test_classify_prints_an_object_or_a_list(capsys):
    model = ["--model", str(SHIPPED_LEXICAL), "--json"]
    assert classify_main(["slash the enemy", *model]) == 0
    one = json.loads(capsys.readouterr().out)
    assert one["skill"] == "slash" and one["known"] is True
    assert 0 <= one["distance"] <= 2 and one["margin"] >= 0 and len(one["alternatives"]) == 3
    assert classify_main(["slash", "bake a cake", *model]) == 0
    assert [m["known"] for m in json.loads(capsys.readouterr().out)] == [True, False]
    assert classify_main(["walk forward and slash", "--split", *model]) == 0
    assert [m["skill"] for m in json.loads(capsys.readouterr().out)] == ["walk_forward", "slash"]


def test_classify_shows_a_table_and_needs_a_text(capsys):
    assert classify_main(["walk [red]forward", "--model", str(SHIPPED_LEXICAL),
                          "--skills", "idle", "slash"]) == 0
    shown = capsys.readouterr().out
    assert "walk [red]forward:" in shown and "not trained on walk_forward" in shown
    with pytest.raises((PPPError, SystemExit)):
        classify_main([])


def test_classify_names_the_nearest_skills_and_the_parts(capsys):
    model = ["--model", str(SHIPPED_LEXICAL)]
    assert classify_main(["bake a cake", *model]) == 0
    shown = capsys.readouterr().out
    assert "unknown command" in shown and shown.count("bake a cake: nearest are") == 1
    assert classify_main(["walk forward and slash", *model]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "several commands in one: 'walk forward' (walk_forward), 'slash' (slash)" in shown
    assert classify_main(["walk forward and slash", "--json", *model]) == 0
    parts = json.loads(capsys.readouterr().out)["parts"]
    assert parts == [["walk forward", "walk_forward"], ["slash", "slash"]]
    assert classify_main(["slash", "--json", *model]) == 0
    assert "parts" not in json.loads(capsys.readouterr().out)


def test_importing_the_package_is_cheap():
    code = "import sys, ppp.language; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], cwd=str(ROOT), check=True, timeout=60)
