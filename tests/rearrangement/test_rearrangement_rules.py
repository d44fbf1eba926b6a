"""What actions need and do, and what goals test."""
from __future__ import annotations

import pytest
from rearrangement_scenes import act, layout_with, task

from ppp.errors import PPPError
from ppp.rearrangement import ACTIONS, PARITY, TaskEnv
from ppp.rearrangement import vocabulary as words
from ppp.rearrangement.layout import WALL_INSIDE, WALL_OUTSIDE, make_layout
from ppp.rearrangement.sight import sight_of
from ppp.rearrangement.task import Setup

HOUSE = layout_with("chest", "sofa", "bed", "well", "sandbag")
FAR_GOAL = [[["down", "suit of armour"]]]


def begin(setup: Setup, stages=None, keep=None, layout=HOUSE, preset="full") -> TaskEnv:
    env = TaskEnv(preset=preset)
    env.reset(task(stages or FAR_GOAL, setup, layout, keep, preset=preset))
    return env


def test_the_list_of_actions_and_the_papers_counts():
    skills = [a.skill for a in ACTIONS]
    assert len(ACTIONS) == len(set(ACTIONS)) == len({a.phrase for a in ACTIONS}) == 126
    assert {s: skills.count(s) for s in ("pick", "place", "slash")} == {
        "pick": 38, "place": 13, "slash": 5}
    chosen = [ACTIONS[i] for i in PARITY]
    counts = [sum(a.skill == s for a in chosen) for s in ("go", "pick", "place")]
    assert counts == [16, 33, 11] and len(chosen) == 70
    fridge = [a for a in chosen if a.skill in ("open", "close") and a.target == "pantry"]
    cabinets = [a for a in chosen if a.skill in ("open", "close") and a.target != "pantry"]
    assert (len(fridge), len(cabinets)) == (2, 8)
    assert next(a.phrase for a in ACTIONS if a.skill == "pick") == "pick up the apple"


def test_pick_needs_an_empty_hand_and_reach():
    env = begin(Setup([["apple", "", "sofa"], ["plum", "", "sofa"]], only=["apple", "plum"],
                      start="bed"))
    assert "no apple is within reach" in act(env, "pick", "apple")[3]["reason"]
    act(env, "go", "sofa")
    _, _, _, info = act(env, "pick", "apple")
    assert not info["invalid"] and env.world.kinds[env.state.hold] == "apple"
    _, _, _, info = act(env, "pick", "plum")
    assert info["invalid"] and "holds the apple" in info["reason"]


def test_nothing_changes_by_an_impossible_action_but_the_clock():
    env = begin(Setup(start="bed"))
    before = env.state.copy()
    observation, reward, done, info = act(env, "place", "bed")
    assert info["invalid"] and reward == 0.0 and not done
    before.step = 1
    assert env.state == before
    assert observation.self_state[7] == 1.0  # it notices


def test_place_lays_down_what_is_held_where_one_stands():
    env = begin(Setup([["apple", "", "sofa"]], only=["apple"], start="sofa"))
    act(env, "pick", "apple")
    assert act(env, "place", "bed")[3]["invalid"]
    act(env, "go", "bed")
    assert not act(env, "place", "bed")[3]["invalid"]
    assert env.state.hold == -1
    assert env.state.lies[env.world.kinds.index("apple")] == words.PLACE["bed"]


def test_a_closed_container_hides_and_keeps():
    env = begin(Setup([["apple", "", "chest"]], only=["apple"], start="chest",
                      state={"chest": False}))
    apple = words.NAME["apple"]
    seen = env._eyes.look(env.state)[1]
    assert apple not in seen.names[seen.mask]
    assert act(env, "pick", "apple")[3]["invalid"]
    observation, *_ = act(env, "open", "chest")
    assert apple in observation.names[observation.mask]
    assert not act(env, "pick", "apple")[3]["invalid"]
    assert not act(env, "close", "chest")[3]["invalid"]
    assert "closed" in act(env, "place", "chest")[3]["reason"]


def test_open_and_close_need_the_other_state():
    env = begin(Setup(start="chest", state={"chest": True}))
    assert "open already" in act(env, "open", "chest")[3]["reason"]
    assert not act(env, "close", "chest")[3]["invalid"]
    assert "closed already" in act(env, "close", "chest")[3]["reason"]


def test_a_closed_gate_keeps_one_in_and_the_low_wall_can_be_jumped():
    env = begin(Setup(start="bed", state={"gate": False}))
    well_outside = make_layout(HOUSE).side[words.PLACE["well"]]
    assert well_outside
    assert "gate is closed" in act(env, "go", "well")[3]["reason"]
    assert act(env, "jump", "low wall")[3]["invalid"]
    act(env, "go", "low wall")
    assert env.state.at == WALL_INSIDE
    act(env, "jump", "low wall")
    assert env.state.at == WALL_OUTSIDE
    assert not act(env, "go", "well")[3]["invalid"]
    assert "gate is closed" in act(env, "go", "bed")[3]["reason"]


def test_an_opened_gate_lets_one_through():
    env = begin(Setup(start="gate", state={"gate": False}))
    act(env, "open", "gate")
    assert not act(env, "go", "well")[3]["invalid"]


def test_what_a_house_does_not_have_cannot_be_walked_to():
    missing = next((n, name) for n in range(60) for name in words.SURFACES
                   if not make_layout(n).names((name,)))
    env = begin(Setup(), layout=missing[0])
    assert f"no {missing[1]} here" in act(env, "go", missing[1])[3]["reason"]


def test_strikes_fell_a_dummy_once():
    env = begin(Setup(start="sandbag"))
    assert not act(env, "kick", "sandbag")[3]["invalid"]
    assert env.state.down[words.DUMMIES.index("sandbag")]
    assert "lies already" in act(env, "slash", "sandbag")[3]["reason"]


def test_the_weapon_counts_and_the_wrong_one_ends_it():
    goal = [[["did", ["kick"], "sandbag"]]]
    env = begin(Setup(start="sandbag"), goal)
    assert act(env, "kick", "sandbag")[3]["success"]
    env = begin(Setup(start="sandbag"), goal)
    _, _, done, info = act(env, "slash", "sandbag")
    assert done and not info["success"] and "lies already" in info["reason"]


def test_stages_must_come_in_their_order():
    goal = [[["did", ["block"], "sandbag"]], [["did", ["slash"], "sandbag"]]]
    env = begin(Setup(start="sandbag"), goal)
    act(env, "block")
    assert act(env, "slash", "sandbag")[3]["success"]
    goal = [[["at", "sofa"]], [["at", "bed"]]]
    env = begin(Setup(start="bed"), goal)
    assert not act(env, "wait")[3]["success"]  # there already, but not after the sofa
    act(env, "go", "sofa")
    assert act(env, "go", "bed")[3]["success"]


def test_an_event_before_its_stage_does_not_count():
    goal = [[["at", "sofa"]], [["did", ["taunt"], ""]]]
    env = begin(Setup(start="bed"), goal)
    act(env, "taunt")
    assert not act(env, "go", "sofa")[3]["success"]
    assert act(env, "taunt")[3]["success"]


def test_the_guard_notices_who_walks_and_not_who_sneaks():
    layout, place = _guarded()
    start = next(n for n in make_layout(layout).names(words.PLACES)
                 if sight_of(layout).noticed[words.PLACE[n], words.PLACE[place]]
                 and make_layout(layout).side[words.PLACE[n]]
                 == make_layout(layout).side[words.PLACE[place]])
    setup = Setup(start=start, guarded=True)
    goal, keep = [[["did", ["sneak"], place], ["at", place]]], [["unseen"]]
    env = begin(setup, goal, keep, layout)
    assert act(env, "sneak", place)[3]["success"]
    env = begin(setup, goal, keep, layout)
    _, _, done, info = act(env, "go", place)
    assert done and info["reason"] == "noticed by the guard"
    # without a guard nobody notices
    env = begin(Setup(start=start), goal, keep, layout)
    assert not act(env, "go", place)[2]


def _guarded():
    for number in range(60):
        layout, noticed = make_layout(number), sight_of(number).noticed
        for name in layout.names((*words.LANDMARKS, *words.DUMMIES)):
            place = words.PLACE[name]
            same = [s for s in range(len(words.PLACES))
                    if layout.exists[s] and layout.side[s] == layout.side[place]]
            if noticed[same, place].any():
                return number, name
    raise AssertionError("no guard near anything")


def test_the_fire_burns_who_walks_through():
    for number in range(60):
        layout, burnt = make_layout(number), sight_of(number).burnt
        for d in layout.names(words.DUMMIES):
            for s in layout.names((*words.LANDMARKS, *words.DUMMIES)):
                a, b = words.PLACE[s], words.PLACE[d]
                if layout.side[a] and layout.side[b] and burnt[a, b]:
                    setup = Setup(start=s, burning=True)
                    env = begin(setup, [[["did", ["slash"], d]]], [["unburnt"]], number)
                    _, _, done, info = act(env, "go", d)
                    assert done and info["reason"] == "stepped into the fire"
                    return
    raise AssertionError("no fire in any way")


def test_the_other_thing_must_stay():
    setup = Setup([["apple", "", "sofa"], ["plum", "", "sofa"]], only=["apple", "plum"],
                  start="sofa")
    goal, keep = [[["on", ["apple", "", ""], "bed"]]], [["stay", ["plum", "", ""]]]
    env = begin(setup, goal, keep)
    for step in (("pick", "plum"), ("go", "bed"), ("place", "bed"), ("go", "sofa"),
                 ("pick", "apple"), ("go", "bed")):
        act(env, *step)
    assert not act(env, "place", "bed")[3]["success"]
    act(env, "pick", "plum")
    act(env, "go", "sofa")
    assert act(env, "place", "sofa")[3]["success"]  # it is back where it was


def test_all_of_means_every_one():
    setup = Setup([["apple", "", "sofa"], ["apple", "", "chest"]], only=["apple"], start="sofa",
                  state={"chest": True})
    env = begin(setup, [[["all_on", ["apple", "", ""], "bed"]]])
    for step in (("pick", "apple"), ("go", "bed")):
        act(env, *step)
    assert not act(env, "place", "bed")[3]["success"]
    for step in (("go", "chest"), ("pick", "apple"), ("go", "bed")):
        act(env, *step)
    assert act(env, "place", "bed")[3]["success"]


def test_paint_tells_two_apart():
    setup = Setup([["bowl", "red", "sofa"], ["bowl", "blue", "bed"]], only=["bowl"], start="sofa")
    env = begin(setup, [[["holding", ["bowl", "blue", ""]]]])
    assert not act(env, "pick", "bowl")[3]["success"]
    act(env, "place", "sofa")
    act(env, "go", "bed")
    assert act(env, "pick", "bowl")[3]["success"]


@pytest.mark.parametrize("condition", [["floats", "sofa"], ["at", "moon"], ["on", "sofa"]])
def test_a_goal_of_nonsense_is_refused(condition):
    with pytest.raises(PPPError, match="condition|goal"):
        begin(Setup(), [[condition]])


def test_a_full_task_in_the_small_environment_is_refused():
    env = TaskEnv(preset="parity")
    with pytest.raises(PPPError, match="preset"):
        env.reset(task(FAR_GOAL, Setup(), HOUSE))
    with pytest.raises(PPPError, match="did you mean 'parity'"):
        TaskEnv(preset="parety")
