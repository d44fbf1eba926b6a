"""Houses from a seed: geometry, walls, what is seen from where."""
from __future__ import annotations

import math

import numpy as np
import pytest

from ppp.planning.geometry import to_segment
from ppp.rearrangement import vocabulary as words
from ppp.rearrangement.layout import (
    GATE_OUTSIDE,
    HELD_OUT_LAYOUTS,
    PIT,
    TRAIN_LAYOUTS,
    VALIDATION_LAYOUTS,
    YARD,
    P,
    make_layout,
)
from ppp.rearrangement.sight import CLOSE, FAR, _clear, sight_of, way

SOME = (0, 17, 59, 61, 80, 99)


def test_sixty_twenty_twenty_and_no_two_alike():
    numbers = [*TRAIN_LAYOUTS, *VALIDATION_LAYOUTS, *HELD_OUT_LAYOUTS]
    assert (len(TRAIN_LAYOUTS), len(VALIDATION_LAYOUTS), len(HELD_OUT_LAYOUTS)) == (60, 20, 20)
    assert len(set(numbers)) == 100
    doors = {tuple(sorted(make_layout(n).doors.items())) for n in numbers[::5]}
    assert len(doors) == 20
    assert len({make_layout(n).exists.tobytes() for n in numbers[::5]}) > 10


def test_the_same_number_is_the_same_house():
    first = make_layout(3)
    make_layout.cache_clear()
    again = make_layout(3)
    assert first is not again
    np.testing.assert_array_equal(first.stand, again.stand)
    np.testing.assert_array_equal(first.walls, again.walls)


@pytest.mark.parametrize("number", SOME)
def test_furniture_is_inside_its_room_and_apart(number):
    layout = make_layout(number)
    there = np.flatnonzero(layout.exists)
    for place in there[:-2]:  # gate and wall stand in a wall
        x0, y0, x1, y1 = layout.rooms[layout.room[place]]
        x, y = layout.xy[place]
        assert x0 < x < x1 and y0 < y < y1
    for a in there:
        for b in there:
            assert a == b or math.dist(layout.xy[a], layout.xy[b]) > 1.4
    assert (layout.room[: len(words.HOLDERS)][layout.exists[: len(words.HOLDERS)]] != YARD).all()


@pytest.mark.parametrize("number", SOME)
def test_every_place_is_within_reach_from_its_stand_and_no_other(number):
    layout, sight = make_layout(number), sight_of(number)
    for place in np.flatnonzero(layout.exists):
        assert np.flatnonzero(sight.near[place]).tolist() == [place]
    assert not sight.near[:, ~layout.exists].any()


def test_a_wall_hides_and_a_door_does_not():
    wall = np.array([[1.0, -1.0, 1.0, -0.5], [1.0, 0.5, 1.0, 1.0]])  # x = 1, open around y = 0
    start, points = np.array([[0.0, 0.0]]), np.array([[2.0, 0.0], [2.0, 1.6], [0.5, 0.9]])
    assert _clear(start, points, wall).tolist() == [[True, False, True]]


@pytest.mark.parametrize("number", SOME)
def test_sight_has_a_range_and_what_is_shown_is_seen(number):
    layout, sight = make_layout(number), sight_of(number)
    for stand in np.flatnonzero(layout.exists):
        distance = np.linalg.norm(layout.xy - layout.stand[stand], axis=1)
        seen = np.flatnonzero(sight.sees[stand, :P])
        assert (distance[seen] < FAR).all()
        shown = np.flatnonzero(sight.shows[stand])
        assert set(shown) <= set(seen) and (distance[shown] < CLOSE).all()
    # not everything can be seen from anywhere: objects must be searched
    assert sight.shows[:P][layout.exists][:, : len(words.HOLDERS)].mean() < 0.3


@pytest.mark.parametrize("number", SOME)
def test_a_way_leads_through_doors_and_crosses_no_wall(number):
    layout = make_layout(number)
    places = np.flatnonzero(layout.exists)
    for a in places[::3]:
        for b in places[::4]:
            corners = way(layout, a, b)
            assert corners[0] == tuple(layout.stand[a]) and corners[-1] == tuple(layout.stand[b])
            inner = corners[1:-1]
            assert all(c in layout.doors.values() for c in inner)
            if layout.room[a] == layout.room[b]:
                assert len(corners) == 2


def test_a_way_is_as_long_back_as_there():
    length = sight_of(5).length
    there = np.isfinite(length)
    np.testing.assert_allclose(length[there], length.T[there])


def test_gap_of_a_point_to_a_leg():
    assert to_segment((0, 1), (-2, 0), (2, 0)) == pytest.approx(1.0)
    assert to_segment((5, 4), (-2, 0), (2, 0)) == pytest.approx(5.0)  # beyond the end: 3, 4, 5
    assert to_segment((1, 1), (1, 1), (1, 1)) == 0.0


@pytest.mark.parametrize("number", SOME)
def test_the_fire_is_in_the_yard_and_in_some_way_but_under_nobody(number):
    layout, sight = make_layout(number), sight_of(number)
    x0, y0, x1, y1 = layout.rooms[YARD]
    assert x0 < layout.hazard[0] < x1 and y0 < layout.hazard[1] < y1
    stands = [s for s in range(P + 2) if s >= P or layout.exists[s]]
    assert all(math.dist(layout.stand[s], layout.hazard) > PIT for s in stands)
    outside = [s for s in stands if layout.side[s]]
    assert sight.burnt[np.ix_(outside, outside)].any()
    assert not sight.burnt[GATE_OUTSIDE, GATE_OUTSIDE]


def test_relative_geometry_is_in_the_heading_frame():
    layout, sight = make_layout(0), sight_of(0)
    for place in np.flatnonzero(layout.exists):
        # one looks at the place one stands before: straight ahead, 0.75 m
        forward, left, distance, sin, cos = sight.geometry[place, place]
        assert forward == pytest.approx(0.075, abs=1e-6)
        assert distance == pytest.approx(0.075, abs=1e-6)
        assert abs(left) < 1e-6 and abs(sin) < 1e-5 and cos == pytest.approx(1.0, abs=1e-5)
