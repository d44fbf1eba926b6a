"""``ppp eval blows``: the scene of a blow, what comes before and after it, and its figures."""
from __future__ import annotations

import json

import numpy as np
import pytest

from ppp.errors import PPPError
from ppp.evaluation import blows
from ppp.planning.performer import PropState, WorldState
from ppp.planning.planner import Done
from ppp.planning.trace import Trace


@pytest.mark.parametrize("distance, angle, place", ((1.0, 0.0, (1.0, 0.0)), (2.0, 90.0, (0.0, 2.0)),
                                                    (1.0, -30.0, (0.8660, -0.5))))
def test_the_target_stands_where_it_is_asked_for(distance, angle, place):
    scenario = blows.scene_of(distance, angle)
    assert scenario.scene().props[0].position == pytest.approx(place, abs=1e-3)
    assert scenario.start.position == (0.0, 0.0) and scenario.start.heading == 0.0


def test_who_walks_up_begins_behind_the_place_turned_aside_as_the_seed_draws():
    headings = [blows.scene_of(1.0, 0.0, 2.0, seed).start.heading for seed in range(200)]
    assert blows.scene_of(1.0, 0.0, 2.0, 7).start.position == (-2.0, 0.0)
    assert np.abs(headings).max() <= blows.TURNED < np.abs(headings).max() + 5.0
    assert abs(np.mean(headings)) < 8.0
    assert headings[7] == blows.scene_of(1.0, 0.0, 2.0, 7).start.heading


def test_the_steps_of_a_blow():
    blow = blows.Blow("stab", (1.0, 0.0), (0.0, 0.0))
    steps = [blow.act(None) for _ in range(4)]
    assert [(s.text, s.target, s.until) for s in steps[:3]] == [
        ("walk_forward", (0.0, 0.0), "reached"), ("stab", (1.0, 0.0), None),
        ("idle", (1.0, 0.0), blows.AFTER)]
    assert isinstance(steps[3], Done)
    assert blows.Blow("stab", (1.0, 0.0)).act(None).text == "idle"


def test_shares_of_a_cell():
    common = {"skill": "kick", "distance": 0.7, "angle": 0.0}
    rows = [{**common, "seed": seed, "struck": struck, "fell": fell, "seconds": seconds,
             "bumped": seed == 3} for seed, (struck, fell, seconds) in enumerate(
                [(True, 0, 8.0), (True, 2, 10.0), (False, 1, 12.0), (False, 0, 10.0)])]
    rows.append({**common, "distance": 0.5, "seed": 0, "struck": True, "fell": 0, "seconds": 5.0,
                 "bumped": False})
    near, far = blows.cells(rows, "kick")
    assert (near["distance"], near["good"], near["blows"]) == (0.5, 1.0, 1)
    assert (far["struck"], far["fell"], far["good"]) == (0.5, 0.5, 0.25)
    assert (far["blows"], far["bumped"], far["seconds"]) == (4, 0.25, 10.0)


def test_what_lies_before_the_blow_was_bumped_over():
    trace = Trace(None)
    for number, up in enumerate((1.0, 0.9, 0.1, 0.1)):
        trace.add(WorldState(0.5 * number, np.zeros(3), 0.0,
                             props={"target": PropState(np.zeros(3), up)}))
    assert [blows._down_at(trace, time) for time in (0.0, 0.5, 1.0, 1.5)] == [False, False, True,
                                                                              True]


def test_blows_are_measured_and_a_measurement_goes_on(tmp_path, capsys):
    file = tmp_path / "blows.json"
    common = ["--skills", "slash", "--distances", "0.95", "--json", str(file)]
    assert blows.main([*common, "--episodes", "1"]) == 0
    first = json.loads(file.read_text())["episodes"]
    assert blows.main([*common, "--episodes", "3"]) == 0
    data = json.loads(file.read_text())
    assert data["complete"] and data["episodes"][:1] == first
    assert sorted(row["seed"] for row in data["episodes"]) == [0, 1, 2]
    (cell,) = data["figures"]["slash"]
    assert cell["blows"] == 3 and cell["struck"] >= 0.66  # of 32 measured all but one
    assert "struck down" in capsys.readouterr().out
    with pytest.raises(PPPError, match="was measured with walk 0.0, not 2.0"):
        blows.main([*common, "--walk", "2"])


@pytest.mark.parametrize("flags, message", (
    (["--skills", "walk_forward"], "attack 'walk_forward'"), (["--episodes", "0"], "1 or more"),
    (["--distances", "0.2"], "0.5 to 5"), (["--angles", "nan"], "-180 to 180"),
    (["--walk", "0.2"], "0, or 0.5 to 10")))
def test_bad_input_is_refused(flags, message):
    with pytest.raises(PPPError, match=message):
        blows.main(flags)
