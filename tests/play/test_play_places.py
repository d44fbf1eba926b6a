"""Words and clicks find what they mean."""
from __future__ import annotations

import math

import numpy as np
import pytest

from ppp.engines.scene import Prop
from ppp.play.pick import pick
from ppp.play.scene_view import half_height
from ppp.play.things import coordinates_in, forbidden_in, named_in, points_at

PROPS = (
    Prop("red block", "obstacle", (3.0, 0.0), (0.4, 2.0, 1.0)),
    Prop("yellow dummy", "target", (6.0, 0.0)),
    Prop("blue dummy", "target", (0.0, 5.0)),
    Prop("the flag", "marker", (-2.0, 0.0)),
)


def poses(props=PROPS):
    """Where the props with a body rest."""
    return {p.name: (np.array(p.pose[:3]), np.array(p.pose[3:])) for p in props
            if p.kind != "marker"}


@pytest.mark.parametrize("text, name", [
    ("smite the red one", "red block"),
    ("slash the yellow dummy with the sword", "yellow dummy"),
    ("Walk to the BLUE dummy!", "blue dummy"),
    ("kick the dummy", "blue dummy"),       # two of them: the nearer one
    ("attack the enemy", "blue dummy"),     # a word for its kind
    ("hide behind the wall", "red block"),
    ("run to the flag", "the flag"),
    ("strike the green one", None),         # no such colour here
    ("walk forward", None),
])
def test_a_text_names_an_object(text, name):
    found = named_in(text, PROPS, (0.0, 0.0))
    assert (found.name if found else None) == name


def test_which_dummy_depends_on_where_one_stands():
    assert named_in("hit him", PROPS, (5.0, 0.0)).name == "yellow dummy"
    assert named_in("hit him", PROPS, (0.0, 3.0)).name == "blue dummy"


def test_coordinates_are_read_and_only_those_inside():
    assert coordinates_in("run to (4, -1.5) please").xy == (4.0, -1.5)
    assert coordinates_in("go to [2,3]").xy == (2.0, 3.0)
    assert coordinates_in("go to (400, 3)") is None
    assert coordinates_in("take 2, 3 steps") is None


def test_pointing_words():
    assert points_at("sneak over there") and points_at("go right here!")
    assert not points_at("therefore walk")


def test_what_must_not_be_touched():
    assert forbidden_in(["without touching the red block"], PROPS, (0, 0)) == ("red block",)
    assert forbidden_in(["don't run"], PROPS, (0, 0)) == ()


def test_a_click_on_the_floor_is_where_the_ray_meets_it():
    # from (0, -3, 2) along (1, 1, -1): the floor after 2 along each axis, at (2, -1)
    assert pick((0, -3, 2), (1, 1, -1), PROPS, poses()).xy == (2.0, -1.0)


def test_a_click_meets_the_nearest_thing():
    # level at 0.5 m along x: the red block's face at x = 2.8 comes before the dummy
    assert pick((0, 0, 0.5), (1, 0, 0), PROPS, poses()).name == "red block"
    # at 1.5 m it passes over the block, which is 1 m high
    found = pick((0, 0, 1.5), (1, 0, 0), PROPS, poses())
    assert found.name == "yellow dummy" and found.xy == (6.0, 0.0)
    # and the other way there is only the sky
    assert pick((0, 0, 1.5), (-1, 0, 0), PROPS, poses()) is None


def test_a_click_through_a_turned_box_misses_where_the_unturned_would_be():
    turned = (Prop("plank", "obstacle", (3.0, 0.0), (0.2, 4.0, 1.0), yaw=0.5 * math.pi),)
    # the plank now lies along x from 1 to 5: a ray beside it at y = 1 passes
    assert pick((0, 1.0, 0.5), (1, 0, 0), turned, poses(turned)) is None
    assert pick((0, 0.0, 0.5), (1, 0, 0), turned, poses(turned)).name == "plank"


def test_a_click_on_a_markers_disc_means_the_marker():
    assert pick((-2.1, 0.1, 3), (0, 0, -1), PROPS, poses()).name == "the flag"
    assert pick((-2.4, 0.0, 3), (0, 0, -1), PROPS, poses()).name == ""


@pytest.mark.parametrize("origin, direction", [
    ((0, 0, 1), (0, 0, 1)), ((0, 0, 1), (0, 0, 0)), ((0, 0, float("nan")), (0, 0, -1)),
    ((0, 0), (0, -1)), ((0, 0, 1), (-1e9, 0, -1)),
])
def test_a_senseless_click_hits_nothing(origin, direction):
    assert pick(origin, direction, PROPS, poses()) is None


def test_a_name_stays_just_above_its_box():
    size, half = (0.4, 0.6, 1.8), math.sqrt(0.5)
    assert half_height(size, (1, 0, 0, 0)) == pytest.approx(0.9)
    assert half_height(size, (half, half, 0, 0)) == pytest.approx(0.3)  # lying along y
    assert half_height(size, (half, 0, half, 0)) == pytest.approx(0.2)  # lying along x
    # leaning by 60 degrees about x: cos 60 of the height, sin 60 of the depth
    lean = (math.cos(math.pi / 6), math.sin(math.pi / 6), 0, 0)
    assert half_height(size, lean) == pytest.approx(0.45 + 0.3 * math.sqrt(0.75))
