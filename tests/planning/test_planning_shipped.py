"""The scenarios of ``prompts/``: each is planned and performed, and does what it says."""
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from planning_helpers import keyword_matcher, situation

from ppp.errors import PPPError
from ppp.planning.executor import Executor
from ppp.planning.kinematic import KinematicPerformer
from ppp.planning.planner import ListPlanner
from ppp.planning.scenario import load_scenario
from ppp.planning.search import SearchMaker
from ppp.planning.validate import plan_errors
from ppp.scenarios import find_scenario, scenario_files

ROOT = Path(__file__).resolve().parents[2]
NAMES = [p.stem for p in scenario_files()]


@pytest.fixture(scope="module")
def performed():
    """name -> (scenario, result, trace), each performed once."""
    known = {}

    def get(name):
        if name not in known:
            made = load_scenario(find_scenario(name))
            performer = KinematicPerformer()
            planner = ListPlanner(made, performer.skills, SearchMaker(keyword_matcher))
            executor = Executor(made, planner, performer, keyword_matcher)
            known[name] = (made, executor.perform(), executor.trace)
        return known[name]

    return get


def skills(result):
    return [s.skill for s in result.steps]


def at(trace, time):
    return trace.xy()[int(np.searchsorted(trace.times(), time - 1e-6))]


def test_there_are_twelve_and_each_has_its_picture_and_its_paragraph():
    assert len(NAMES) >= 12
    page = (ROOT / "docs" / "scenarios.md").read_text(encoding="utf-8")
    for name in NAMES:
        assert f"## {name}" in page and f"scenarios/{name}.png" in page
        picture = ROOT / "docs" / "scenarios" / f"{name}.png"
        assert picture.read_bytes()[:4] == b"\x89PNG" and picture.stat().st_size < 120_000


@pytest.mark.parametrize("name", [n for n in NAMES if n != "no_way"])
def test_it_is_planned_soundly_and_performed(performed, name):
    made, result, _ = performed(name)
    assert result.success, [c.as_dict() for c in result.checks if not c.passed]
    assert plan_errors(result.plans[0], situation(made), keyword_matcher) == []
    assert result.time_s < 0.6 * made.time_limit
    assert result.replans == (1 if made.events else 0), result.reasons


def test_no_way_is_refused_with_the_reason():
    made = load_scenario(find_scenario("no_way"))
    planner = ListPlanner(made, KinematicPerformer().skills, SearchMaker(keyword_matcher))
    with pytest.raises(PPPError, match="no way to strike 'target'.*'near wall'.*open a gap"):
        planner.prepare()


def test_the_gauntlet_is_run_inside_its_fences_from_side_to_side(performed):
    _, _, trace = performed("gauntlet")
    xy = trace.xy()
    between = xy[(xy[:, 0] > 1.0) & (xy[:, 0] < 10.0)]
    assert np.abs(between[:, 1]).max() < 2.4
    crossings = np.abs(np.diff(np.sign(between[:, 1]))).sum() / 2
    assert crossings >= 3


def test_two_in_order_strikes_the_far_one_first(performed):
    _, result, _ = performed("two_in_order")
    assert [t for s in result.steps for t in s.toppled] == ["far dummy", "near dummy"]


def test_any_order_takes_the_shortest_tour_not_the_order_of_the_file(performed):
    made, result, _ = performed("any_order")
    fell = [t for s in result.steps for t in s.toppled]
    assert fell == ["dummy in the south", "dummy in the east", "dummy in the north"]
    assert fell != [c.knocked_over for c in made.success[:3]]


def test_sneaking_is_crouched_and_the_taunt_is_meant_for_the_guard(performed):
    _, result, trace = performed("sneak_then_taunt")
    made = skills(result)
    walks = [s for s in made if s in ("walk_forward", "crouch_walk")]
    assert set(walks) == {"crouch_walk"} and made[-1] == "taunt"
    guard = np.array([3.0, 0.3])
    ahead = np.array([np.cos(trace.headings()[-1]), np.sin(trace.headings()[-1])])
    to = guard - trace.xy()[-1]
    assert ahead @ to / np.linalg.norm(to) > np.cos(np.radians(30.0))


def test_the_patrol_comes_back(performed):
    _, _, trace = performed("patrol_and_return")
    assert np.linalg.norm(trace.xy()[-1]) < 0.6
    assert trace.xy()[:, 0].max() > 6.5


def test_the_retreat_is_backwards_with_the_face_to_the_foe(performed):
    _, result, trace = performed("retreat_while_blocking")
    made = [s for s in skills(result) if s != "idle"]
    assert made == ["block", "walk_backward", "block", "walk_backward", "block"]
    assert np.abs(trace.headings()).max() < np.radians(20.0)
    assert trace.xy()[-1, 0] < 1.7


def test_the_moved_target_is_struck_where_it_was_taken(performed):
    _, result, trace = performed("moved_target")
    assert [e["what"] for e in result.events] == ["moved"]
    assert result.steps[-1].target == (5.5, 2.5)
    assert trace.prop_lies("dummy")[-1]


def test_the_sentry_never_sees_who_comes(performed):
    _, result, trace = performed("strike_from_behind")
    blow = at(trace, result.steps[-1].start)
    assert blow[0] > 5.5  # the sentry at [5, 0] looks along -x


def test_the_fire_is_kept_away_from_by_two_metres(performed):
    _, _, trace = performed("keep_away")
    corners = np.maximum(np.abs(trace.xy() - [4.0, 0.4]) - 0.4, 0.0)
    assert np.linalg.norm(corners, axis=1).min() >= 2.0


def test_the_gate_is_gone_through_and_not_around(performed):
    _, _, trace = performed("narrow_gate")
    xy = trace.xy()
    inside = xy[np.abs(xy[:, 0] - 4.0) < 0.2]
    assert len(inside) and (inside[:, 1] > 0.3).all() and (inside[:, 1] < 1.3).all()


def test_the_dead_end_is_left_through_its_open_side(performed):
    _, _, trace = performed("out_of_the_dead_end")
    assert trace.xy()[:, 0].min() < -2.4
