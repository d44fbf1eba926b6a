"""The history of a run, its report and the next command."""
from __future__ import annotations

import json

import numpy as np
import pytest

from ppp.errors import PPPError
from ppp.learning.healthy import BANDS, bands, outside
from ppp.learning.history import History, read_history, smooth
from ppp.learning.run_report import following, report, skill_rows
from ppp.settings import ROOT


def rows(count=20, **last):
    """A made-up run in which walk improves from 1 to 20 s and jump stays at 1 s."""
    out = []
    for n in range(1, count + 1):
        share = (n - 1) / max(count - 1, 1)
        out.append({"iteration": n, "samples": 1000.0 * n, "seconds": 2.0 * n,
                    "samples_per_s": 500.0, "kl": 0.02, "actor_lr": 1e-4, "broken": 0.0,
                    "episode_length": 100.0, "falls": 0.5, "reward/imitation": 0.6,
                    "reward/facing": 0.8, "reward/style": 0.6, "discriminator/logit_demo": 0.3,
                    "discriminator/logit_policy": -0.3, "discriminator/logit_mismatch": -0.1,
                    "discriminator/accuracy_demo": 0.8, "discriminator/accuracy_policy": 0.9,
                    "seconds_to_failure/walk": 1 + 19 * share, "imitation/walk": 0.6,
                    "seconds_to_failure/jump": 1.0, "imitation/jump": 0.3})
    for row in out[-count // 5:]:
        row.update(last)
    return out


def test_rows_written_twice_count_once_and_time_adds_up():
    """Killed after iteration 10, resumed from the checkpoint of iteration 5."""
    first, again = rows(10), rows(20)[5:]
    for n, row in enumerate(again):
        row["seconds"], row["kl"] = 2.0 * (n + 1), 0.5
    history = History([*first, *again])
    assert [row["iteration"] for row in history.rows] == list(range(1, 21))
    assert history.curve("kl").tolist() == [0.02] * 5 + [0.5] * 15
    assert history.seconds == 20.0 + 30.0


def test_start_and_end_are_means_over_a_tenth():
    history = History(rows(20))
    assert history.start("seconds_to_failure/walk") == pytest.approx(1.5)
    assert history.end("seconds_to_failure/walk") == pytest.approx(19.5)
    assert history.end("nothing of the kind") is None
    assert history.end("discriminator/apart") == pytest.approx(0.4)


def test_the_report_says_what_was_learnt_and_what_was_not():
    history = History(rows())
    assert [(r["skill"], r["verdict"]) for r in skill_rows(history)] == [
        ("jump", "not yet"), ("walk", "held")]
    text = report(history, {"task": {"name": "HumanoidSkills"}, "seed": 3}, "ppp run --resume")
    assert "not yet: jump" in text and "| walk | held | 19.5 (1.5) |" in text
    assert "inside their healthy bands" in text and "`ppp run --resume`" in text
    assert "0.02 M samples" in text and "seed 3" in text


@pytest.mark.parametrize("key", [b.key for b in BANDS if b.key != "discriminator/apart"])
def test_each_curve_outside_its_band_is_named(key):
    band = next(b for b in BANDS if b.key == key)
    value = band.high + 1.0 if band.above else band.low - 1.0
    lines = outside(History(rows(**{key: value})))
    assert any(line.startswith(band.title) for line in lines), lines
    assert not outside(History(rows()))


def test_a_run_without_mismatched_negatives_has_no_band_for_them():
    off = {"train": {"discriminator": {"mismatched": 0}}}
    assert "discriminator/apart" not in [b.key for b in bands(off)]
    assert "discriminator/apart" in [b.key for b in bands({})]


def test_the_next_command_goes_on_or_tests(tmp_path):
    argv = ["/x/ppp", "run", "--task", "HumanoidSkills", "--run-dir", "my runs", "--checkpoint",
            "old.pt", "--max_iterations", "5", "--resume", "--warm-start"]
    go = following("HumanoidSkills", tmp_path, tmp_path / "a.pt", 3, 5, argv)
    assert go == ("ppp run --task HumanoidSkills --run-dir 'my runs' --resume --max-iterations 5")
    test = following("HumanoidSkills", tmp_path, tmp_path / "a.pt", 5, 5, argv)
    assert test == f"ppp run --task HumanoidSkills --test --checkpoint {tmp_path / 'a.pt'}"


def test_a_history_cut_short_is_read_and_another_file_is_not(tmp_path):
    lines = [json.dumps(row) for row in rows(3)]
    (tmp_path / "history.jsonl").write_text("\n".join([*lines, lines[0][:40]]))
    assert len(read_history(tmp_path).rows) == 3
    (tmp_path / "history.jsonl").write_text("hello\n")
    with pytest.raises(PPPError, match="line 1"):
        read_history(tmp_path)
    with pytest.raises(PPPError, match="no history"):
        read_history(tmp_path / "nowhere")


def test_smoothing_keeps_a_constant_and_bridges_gaps():
    assert smooth(np.array([2.0, np.nan, 2.0, 2.0]), 3).tolist() == [2.0] * 4


def test_the_docs_have_the_same_bands():
    page = (ROOT / "docs" / "training.md").read_text(encoding="utf-8")
    for band in BANDS:
        wide = f"{band.low:g} to {band.high:g}" if band.high > band.low else f"{band.low:g}"
        assert f"| {band.title} | {wide} |" in page, band.title
