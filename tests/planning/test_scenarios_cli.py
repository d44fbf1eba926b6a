"""``ppp scenarios``: list, show, generate and draw, as a user calls them."""
from __future__ import annotations

import pytest
import yaml
from PIL import Image
from planning_helpers import keyword_matcher

from ppp import scenarios
from ppp.errors import PPPError
from ppp.planning.generate import generate
from ppp.planning.scenario import load_scenario, parse_scenario


@pytest.fixture(autouse=True)
def quick_matcher(monkeypatch):
    """Commands are read by keywords: no text encoder is loaded."""
    monkeypatch.setattr(scenarios, "matcher_for", lambda skills: keyword_matcher)


def test_list_names_every_scenario_and_no_phrase_list(capsys):
    assert scenarios.main(["list"]) == 0
    told = capsys.readouterr().out
    assert all(p.stem in told for p in scenarios.scenario_files())
    assert "phrases" not in told


def test_show_prints_the_file_and_the_plan_or_the_reason(capsys):
    assert scenarios.main(["show", "walk_to_point"]) == 0
    told = capsys.readouterr().out
    assert "instruction: Walk to the marker" in told and "walk_forward" in told
    assert scenarios.main(["show", "no_way"]) == 0
    assert "no plan: there is no way to strike" in capsys.readouterr().out
    with pytest.raises(PPPError, match="did you mean 'gauntlet'"):
        scenarios.main(["show", "gauntlt"])


def test_generate_prints_or_writes_the_same_scenario(capsys, tmp_path):
    flags = ["generate", "--level", "easy", "--seed", "4"]
    assert scenarios.main(flags) == 0
    printed = capsys.readouterr().out
    assert parse_scenario(yaml.safe_load(printed)) == generate("easy", 4)
    file = tmp_path / "made" / "easy.yaml"
    assert scenarios.main([*flags, "--out", str(file)]) == 0
    assert file.read_text() == printed
    assert scenarios.main([*flags, "--unsolvable", "--out", str(file)]) == 0
    assert "near wall" in {o.name for o in load_scenario(file).objects}
    with pytest.raises(PPPError, match="is a folder"):
        scenarios.main([*flags, "--out", str(tmp_path)])


def test_draw_writes_a_picture_with_the_way_in_it(tmp_path):
    assert scenarios.main(["draw", "strike_behind_block", "no_way", "--out", str(tmp_path)]) == 0
    picture = Image.open(tmp_path / "strike_behind_block.png").convert("RGB")
    assert 400 < picture.width < 700
    colours = {c for _, c in picture.getcolors(1 << 20)}
    assert any(b > 140 and r < 80 for r, g, b in colours)  # the way that was walked
    assert any(r > 150 and g < 90 and b < 80 for r, g, b in colours)  # the block
    assert (tmp_path / "no_way.png").exists()


def test_an_unknown_action_is_refused():
    with pytest.raises(PPPError, match="did you mean 'generate'"):
        scenarios.main(["genrate"])
    assert scenarios.main([]) == 0
