"""The picture of a run's diagnostics."""
from __future__ import annotations

import json

import pytest
from PIL import Image
from test_run_report import rows

from ppp.errors import PPPError
from ppp.evaluation.curves import _curve, load_runs, main
from ppp.learning.healthy import BANDS


@pytest.fixture
def folders(tmp_path):
    for name, count in (("one", 30), ("two", 2)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "history.jsonl").write_text(
            "\n".join(json.dumps(row) for row in rows(count)))
    return [tmp_path / "one", tmp_path / "two"]


def test_runs_of_different_length_are_laid_over_each_other(folders, tmp_path, capsys):
    out = tmp_path / "new" / "curves.png"
    assert main([*map(str, folders), "--out", str(out)]) == 0
    with Image.open(out) as picture:
        assert picture.size[0] > 1000 and len(picture.convert("RGB").getcolors(1 << 24)) > 50
    assert str(out) in capsys.readouterr().out


def test_a_panel_shows_its_band_and_every_run(folders):
    from matplotlib.figure import Figure

    axes = Figure().add_subplot()
    band = next(b for b in BANDS if b.key == "kl")
    _curve(axes, load_runs(folders), band)
    box = axes.patches[0].get_extents().transformed(axes.transData.inverted())
    assert (box.y0, box.y1) == pytest.approx((band.low, band.high))
    assert "healthy 0.004 to 0.06" in axes.get_title()
    colours = {line.get_color() for line in axes.lines}
    assert len(colours) == 2
    low, high = axes.get_ylim()
    assert low < 0.02 < high


def test_no_history_and_no_picture_name_are_one_sentence(folders, tmp_path):
    with pytest.raises(PPPError, match="no history"):
        main([str(tmp_path / "none")])
    with pytest.raises(PPPError, match=".png"):
        main([str(folders[0]), "--out", str(tmp_path / "a.gif")])
