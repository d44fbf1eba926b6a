"""Scenarios: the design's example parses, and every mistake gets one sentence with its mend."""
from __future__ import annotations

import math
from pathlib import Path

import pytest
from planning_helpers import obstacle, scenario, target

from ppp.errors import PPPError
from ppp.planning.conditions import InOrder, KnockedOver, NeverTouched, Reached
from ppp.planning.scenario import check_skills, load_scenario

PROMPTS = Path(__file__).resolve().parents[2] / "prompts"
SHIPPED = (
    "strike_behind_block", "walk_to_point", "patrol", "block_facing_target", "no_way",
)  # fmt: skip


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_scenarios_are_sound(name):
    assert load_scenario(PROMPTS / f"{name}.yaml").name == name


def test_the_designs_example():
    made = load_scenario(PROMPTS / "strike_behind_block.yaml")
    block, dummy = made.scene().props
    assert (block.kind, block.position, block.size) == ("obstacle", (3.0, 0.0), (0.6, 2.0, 1.0))
    assert (dummy.kind, dummy.position, dummy.size) == ("target", (6.0, 0.0), (0.4, 0.4, 1.8))
    assert made.success == [
        KnockedOver(knocked_over="target"), NeverTouched(never_touched="red block"),
    ]  # fmt: skip
    assert made.forbidden() == ("red block",)
    assert made.time_limit == 40.0


def test_checks_of_every_kind():
    made = scenario(
        [
            {"reached": [1, 2], "within": 0.3},
            {"reached": "dummy"},
            {"facing": "dummy", "within": 10},
            {"performed": "taunt"},
            {"never_fell": True},
            {"in_order": [{"reached": [1, 2]}, {"knocked_over": "dummy"}]},
        ],
        [target("dummy", 3, 0)],
    )
    assert made.success[0] == Reached(reached=(1.0, 2.0), within=0.3)
    assert made.success[1].within == 0.5
    assert isinstance(made.success[5], InOrder)
    assert str(made.success[5]) == (
        "in_order: reached: [1, 2] within 0.5 m, then knocked_over: dummy"
    )


def test_yaw_is_degrees_in_the_file_and_radians_in_the_scene():
    made = scenario([{"never_fell": True}], [obstacle("wall", 3, 0, 1, 1, yaw=90)])
    assert made.scene().props[0].yaw == pytest.approx(math.pi / 2)


REACH = "success: [{reached: [1, 1]}]"
BROKEN = [
    ("name: [", "not valid YAML"),
    ("", "must be a mapping"),
    ("- 1", "must be a mapping"),
    (f"name: t\ninstruction: go\nname: u\n{REACH}", "'name' is written twice"),
    (f"name: &a t\ninstruction: *a\n{REACH}", "aliases"),
    (f"name: !!python/object:os.system t\ninstruction: go\n{REACH}", "not valid YAML"),
    (f"nam: t\ninstruction: go\n{REACH}", "unknown field 'nam': did you mean 'name'?"),
    (f"name: t\n{REACH}", "instruction: is missing"),
    ("name: t\ninstruction: go\nsuccess: []", "success: is empty"),
    (f'name: "a\\nb"\ninstruction: go\n{REACH}', "name: holds a line break"),
    (f"name: 3\ninstruction: go\n{REACH}", "name: must be text"),
    (f"name: t\ninstruction: ''\n{REACH}", "instruction: is empty"),
    (f"name: t\ninstruction: go\n{REACH}\ntime_limit: .nan", "time_limit: must be a number from 1"),
    (f"name: t\ninstruction: go\n{REACH}\ntime_limit: true", "time_limit: must be a number"),
    (f"name: t\ninstruction: go\n{REACH}\ntime_limit: 1{'0' * 400}", "time_limit: must be a num"),
    (f"name: t\ninstruction: go\n{REACH}\nstart: {{position: [0]}}", "start.position: must be two"),
    (f"name: t\ninstruction: go\n{REACH}\nstart: {{position: [.inf, 0]}}", "start.position[0]: "),
    (f"name: t\ninstruction: go\n{REACH}\nstart: {{headin: 1}}", "did you mean 'heading'?"),
    (f"name: t\ninstruction: go\n{REACH}\nobjects: 3", "objects: must be a list"),
    ("name: t\ninstruction: go\nsuccess: [{reach: [1, 1]}]", "did you mean 'reached'?"),
    ("name: t\ninstruction: go\nsuccess: [{reached: [1, 1e9]}]", "reached[1]: must be"),
    ("name: t\ninstruction: go\nsuccess: [{reached: [1, 2], withn: 1}]", "did you mean 'within'?"),
    ("name: t\ninstruction: go\nsuccess: [{never_fell: false}]", "never_fell: must be true"),
    ("name: t\ninstruction: go\nsuccess: [{knocked_over: dog}]", "there is no object 'dog'"),
    ("name: t\ninstruction: go\nsuccess: [{in_order: [{never_fell: true}]}]", "needs two checks"),
    (
        "name: t\ninstruction: go\nsuccess: [{in_order: [{reached: [1, 1]}, {never_fell: true}]}]",
        "in_order[1]: never_fell has no place in an order",
    ),
    ("name: t\ninstruction: go\nsuccess: [{reached: [1, 1], facing: x}]", "holds two checks"),
]


@pytest.mark.parametrize("text, message", BROKEN)
def test_a_mistake_gets_a_sentence_that_names_the_file(tmp_path, text, message):
    path = tmp_path / "bad.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(PPPError) as caught:
        load_scenario(path)
    assert str(caught.value).startswith(str(path))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


OBJECTS = [
    ([{**target("a", 1, 0), "kind": "tarket"}], "objects[0].kind: unknown kind 'tarket': did you"),
    ([{**target("a", 3, 0), "sise": [1, 1, 1]}], "objects[0]: unknown field 'sise': did you mean"),
    ([{**target("a", 3, 0), "size": [1, 1]}], "objects[0].size: must be three numbers"),
    ([{**target("a", 3, 0), "size": [1, -1, 1]}], "objects[0].size[1]: must be a number from 0.02"),
    ([target("a", 3, 0), target("a", 5, 0)], "objects[1].name: 'a' is also the name of objects[0]"),
    ([target("a\nb", 3, 0)], "objects[0].name: holds a line break"),
    ([obstacle("wall", 0.2, 0, 1, 1)], "'wall' stands on the start"),
    ([obstacle("wall", 3, 0, 1, 1), target("a", 3.5, 0)], "'a' is inside 'wall'"),
    (
        [obstacle("wall", 3, 0, 1, 1), {"name": "m", "kind": "marker", "position": [3, 0]}],
        "'m' is inside 'wall'",
    ),
    ([{"name": "w", "kind": "obstacle", "position": [3, 0]}], "objects[0].size: is missing"),
    ([target(f"t{i}", i, 5) for i in range(65)], "objects: has too many entries"),
]


@pytest.mark.parametrize("objects, message", OBJECTS)
def test_a_mistake_in_an_object_names_its_field(objects, message):
    with pytest.raises(PPPError, match="^scenario: ") as caught:
        scenario([{"never_fell": True}], objects)
    assert message in str(caught.value)


def test_checks_must_fit_the_kind_of_their_object():
    wall = [obstacle("wall", 3, 0, 1, 1), {"name": "m", "kind": "marker", "position": [5, 0]}]
    with pytest.raises(PPPError, match="only a target can be knocked over"):
        scenario([{"knocked_over": "wall"}], wall)
    with pytest.raises(PPPError, match="marker without a body"):
        scenario([{"never_touched": "m"}], wall)
    with pytest.raises(PPPError, match="did you mean 'wall'"):
        scenario([{"never_touched": "wal"}], wall)


def test_a_turned_wall_leaves_room_where_its_bounding_box_would_not():
    # a wall of 4 x 0.2 m through [1.5, 1.5], square to the diagonal: 2.02 m from the start
    scenario([{"never_fell": True}], [obstacle("wall", 1.5, 1.5, 4.0, 0.2, yaw=-45)])
    with pytest.raises(PPPError, match="stands on the start"):
        scenario([{"never_fell": True}], [obstacle("wall", 1.5, 1.5, 4.0, 0.2, yaw=45)])


def test_missing_large_and_binary_files(tmp_path):
    (tmp_path / "patrol.yaml").write_text("x")
    with pytest.raises(PPPError, match="no such scenario.*did you mean .*patrol.yaml"):
        load_scenario(tmp_path / "patro.yaml")
    with pytest.raises(PPPError, match="is a folder"):
        load_scenario(tmp_path)
    (tmp_path / "big.yaml").write_bytes(b"#" * 70000)
    with pytest.raises(PPPError, match="larger than 64 KiB"):
        load_scenario(tmp_path / "big.yaml")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(PPPError, match="not UTF-8"):
        load_scenario(tmp_path / "binary.yaml")
    (tmp_path / "deep.yaml").write_text("[" * 600)
    with pytest.raises(PPPError):
        load_scenario(tmp_path / "deep.yaml")


def test_a_skill_that_the_policy_lacks_is_refused_with_the_nearest():
    made = scenario([{"performed": "tuant"}])
    with pytest.raises(PPPError, match="x.yaml: success: performed: .*did you mean 'taunt'"):
        check_skills(made, ["idle", "taunt"], "x.yaml")
