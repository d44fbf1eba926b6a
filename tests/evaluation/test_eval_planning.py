"""``ppp eval planning``: its figures, its failures, its file."""
from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "planning"))

from planning_helpers import keyword_matcher, obstacle, scenario, target  # noqa: E402

from ppp.errors import PPPError  # noqa: E402
from ppp.evaluation import planning  # noqa: E402
from ppp.evaluation.planning_episode import Cast, closed_episode, episode, lengths  # noqa: E402
from ppp.evaluation.planning_falls import Fall, falls, tally  # noqa: E402
from ppp.evaluation.planning_figures import summary, table  # noqa: E402
from ppp.planning.kinematic import KinematicPerformer  # noqa: E402
from ppp.planning.performer import PropState, WorldState  # noqa: E402
from ppp.planning.plan_schema import Plan, PlanStep  # noqa: E402
from ppp.planning.search import SearchMaker  # noqa: E402
from ppp.planning.trace import Trace  # noqa: E402


def cast(performer=None, maker=None, executor="kinematic"):
    made = maker or (lambda scenario: SearchMaker(keyword_matcher))
    return Cast(made, keyword_matcher, performer or KinematicPerformer(), executor)


class Falls(KinematicPerformer):
    """Lies down after a second and stays there."""

    def step(self):
        state = super().step()
        return replace(state, fallen=state.time >= 1.0, root_up=0.1)


class Refuses:
    """A planner that asks three times and gives up."""

    name, attempts = "llm", 3

    def make(self, situation):
        raise PPPError("no idea")


def row(level="easy", seed=0, executor="kinematic", **more):
    base = {"level": level, "seed": seed, "executor": executor, "kind": "open", "valid": True,
            "success": True, "repairs": 0, "plan_steps": 3, "plan_m": 6.0, "optimum_m": 5.0,
            "replans": 1, "falls": 0, "touches": 0, "time_s": 8.0, "failed": [], "ended": "done"}
    return {**base, **more}


def test_an_episode_holds_what_happened():
    seen = episode("easy", 0, cast())
    assert seen["valid"] and seen["success"] and seen["falls"] == seen["touches"] == 0
    assert 1.0 <= seen["plan_m"] / seen["optimum_m"] < 1.3
    assert 0.6 * seen["optimum_m"] < seen["walked_m"] < 1.4 * seen["optimum_m"]
    assert seen["repairs"] == 0 and seen["time_s"] > 1.0


def test_failures_are_counted_not_raised():
    fell = episode("easy", 0, cast(Falls()))
    assert not fell["success"] and fell["falls"] == 1 and "did not get up" in fell["ended"]
    refused = episode("easy", 0, cast(maker=lambda scenario: Refuses()))
    assert not refused["valid"] and not refused["success"] and refused["repairs"] == 2
    assert refused["ended"] == "no plan: no idea"


def test_a_closed_scene_is_refused_with_its_reason():
    seen = closed_episode("middle", 0, cast())
    assert seen["refused"] and "no " in seen["ended"]


def test_lengths_of_a_plan_worked_out_by_hand():
    made = scenario([{"reached": [4, 3]}, {"knocked_over": "d"}],
                    [target("d", 20, 20), obstacle("o", -9, -9, 1, 1)])
    plan = Plan(steps=[PlanStep(command="walk", target=xy) for xy in ((4, 0), (4, 3))])
    assert lengths(made, plan, keyword_matcher) == {"plan_m": 7.0, "optimum_m": 5.0}
    through = Plan(steps=[PlanStep(command="walk", target=(4, 0), until="reached"),
                          PlanStep(command="walk", target=(4, 3))])
    assert lengths(made, through, keyword_matcher)["optimum_m"] == 7.0


def test_figures_of_rows_worked_out_by_hand():
    rows = [row(seed=0), row(seed=1, success=False, replans=3, touches=1, optimum_m=6.0),
            row(seed=1000, valid=False, success=False, repairs=3),
            row(executor="physics", success=False, falls=2),
            {**row(seed=5), "kind": "closed", "refused": True}]
    levels = summary(rows, ["easy", "hard"])
    easy = levels["easy"]
    assert easy["valid"] == pytest.approx(2 / 3, abs=1e-4)
    assert easy["success_kinematic"] == pytest.approx(1 / 3, abs=1e-4)
    assert easy["success_physics"] == 0.0 and easy["physics"]["falls"] == 2.0
    assert easy["kinematic"]["success_by_set"] == {"0": 0.5, "1": 0.0}
    assert easy["kinematic"]["length_ratio"] == pytest.approx(1.1)
    assert easy["kinematic"]["replans"] == 2.0 and easy["kinematic"]["touches"] == 0.5
    assert easy["kinematic"]["closed_refused"] == 1.0
    assert levels["hard"]["kinematic"] is None and levels["hard"]["valid"] is None
    assert table(levels, "search").row_count == 2


@pytest.fixture
def calls(monkeypatch):
    """Measurements with a small cast; the scenes that were performed."""
    done = []

    def noted(level, seed, cast):
        done.append((level, seed))
        return row(level, seed, cast.executor)

    monkeypatch.setattr(planning, "cast_for", lambda args, by: cast(executor=args.executor))
    monkeypatch.setattr(planning, "episode", noted)
    return done


def test_a_measurement_goes_on_where_its_file_stops(calls, tmp_path, capsys):
    file = tmp_path / "p.json"
    common = ["--level", "easy", "--json", str(file)]
    assert planning.main([*common, "--episodes", "2"]) == 0
    assert planning.main([*common, "--episodes", "3", "--seeds", "2"]) == 0
    assert calls == [("easy", s) for s in (0, 1, 2, 1000, 1001, 1002)]
    data = json.loads(file.read_text())
    assert data["complete"] and data["levels"]["easy"]["kinematic"]["episodes"] == 6
    assert planning.main([*common, "--episodes", "1", "--executor", "physics"]) == 0
    levels = json.loads(file.read_text())["levels"]
    assert levels["easy"]["success_physics"] == levels["easy"]["success_kinematic"] == 1.0
    with pytest.raises(PPPError, match="was measured with planner search, not llm"):
        planning.main([*common, "--planner", "llm"])
    assert "91 %" in capsys.readouterr().out


def test_time_that_is_up_leaves_an_unfinished_file(calls, tmp_path):
    file = tmp_path / "p.json"
    assert planning.main(["--level", "hard", "--episodes", "2", "--minutes", "1e-9", "--json",
                          str(file)]) == 0
    assert calls == [] and json.loads(file.read_text())["complete"] is False


@pytest.mark.parametrize(
    ("flags", "message"),
    [(["--episodes", "0"], "1 or more"), (["--episodes", "2000"], "1000 or less"),
     (["--seed", "-1"], "--seed must"), (["--minutes", "nan"], "more than 0")],
)
def test_bad_numbers_are_refused(flags, message):
    with pytest.raises(PPPError, match=message):
        planning.main(flags)


def test_a_file_of_something_else_is_not_written_over(tmp_path):
    file = tmp_path / "other.json"
    file.write_text('{"mine": 1}')
    with pytest.raises(PPPError, match="holds no measurement"):
        planning.main(["--json", str(file)])
    assert file.read_text() == '{"mine": 1}'


def trace_of(heights, props=None):
    trace = Trace(None)
    for number, (height, fallen) in enumerate(heights):
        trace.add(WorldState(number / 30, np.array([0.0, 0.0, height]), 0.0,
                             1.0 if height > 0.5 else 0.1, fallen, props or {}))
    return trace


def test_a_body_that_drops_while_it_rises_fell_once():
    """The floor is touched and left many times on the way up; only who stood can fall again."""
    trace = trace_of([(0.9, False), (0.2, True), (0.3, False), (0.2, True), (0.9, False),
                      (0.3, True)])
    assert [round(fall.lay * 30) for fall in falls(trace, [])] == [1, 5]


def test_a_fall_is_laid_to_what_was_told_when_the_balance_went():
    """Upright until 0.3 s, told to slash since 0.2 s; on the floor at 0.6 s, told to get up."""
    props = {"far": PropState(np.array([0.0, 3.0, 0.9]), 1.0, False, False),
             "post": PropState(np.array([0.6, 0.8, 0.9]), 1.0, False, False)}
    trace = trace_of([(0.9, False)] * 10 + [(0.4, False)] * 8 + [(0.2, True)], props)
    told = [(0.0, "idle"), (0.1, "walk_forward"), (0.2, "slash"), (0.5, "get_up")]
    (fall,) = falls(trace, told)
    assert fall == Fall(0.3, 0.6, "slash", 0.1, "walk_forward", "post", 1.0)
    rows = [{"fell": [{"skill": "run"}]}, {"fell": [{"skill": "slash"}, {"skill": "slash"}]}, {}]
    assert list(tally(rows).items()) == [("slash", 2), ("run", 1)]
