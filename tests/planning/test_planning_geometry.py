"""Distances worked out by hand, and checked against dense sampling."""
from __future__ import annotations

import math

import numpy as np
import pytest

from ppp.planning.geometry import (
    Box,
    at_gap,
    boxes_overlap,
    point_distance,
    segment_distance,
    segment_distances,
    wrap,
)

UNIT = Box("unit", (0.0, 0.0), (1.0, 0.5))
#: a square of half extent 1, standing on its corner at [5, 0]: its corners are sqrt(2) off
DIAMOND = Box("diamond", (5.0, 0.0), (1.0, 1.0), math.pi / 4)


def test_point_distance_by_hand():
    points = np.array([[0.0, 0.0], [2.0, 0.0], [4.0, 4.5], [0.0, -2.0]])
    assert point_distance(points, UNIT) == pytest.approx([0.0, 1.0, 5.0, 1.5])


def test_a_rotated_box_by_hand():
    assert point_distance(np.array([2.0, 0.0]), DIAMOND) == pytest.approx(3.0 - math.sqrt(2.0))
    # the side of the diamond towards [6, 1] lies at distance 1 from its centre
    assert point_distance(np.array([6.5, 1.5]), DIAMOND) == pytest.approx(1.5 * math.sqrt(2) - 1.0)


def test_corners_run_counter_clockwise_round_the_centre():
    corners = DIAMOND.corners(0.5)
    radii = np.linalg.norm(corners - DIAMOND.centre, axis=1)
    assert radii == pytest.approx([1.5 * math.sqrt(2)] * 4)
    area = 0.5 * sum(
        a[0] * b[1] - a[1] * b[0] for a, b in zip(corners, np.roll(corners, -1, axis=0))
    )
    assert area == pytest.approx(9.0)


def test_segments_by_hand():
    assert segment_distance((-3, 0), (3, 0), UNIT) == 0.0  # straight through
    assert segment_distance((-3, 0.9), (3, 0.9), UNIT) == pytest.approx(0.4)  # alongside
    assert segment_distance((2, 0), (5, 0), UNIT) == pytest.approx(1.0)  # away from it
    assert segment_distance((0.1, 0), (0.2, 0), UNIT) == 0.0  # inside
    # past the corner [1, 0.5] on the line x + y = 2.5: one over sqrt(2)
    assert segment_distance((2.5, 0), (0, 2.5), UNIT) == pytest.approx(1 / math.sqrt(2))
    # between the diamond's tip at x = 5 - sqrt(2) and the wall of the unit box
    assert segment_distance((3, -5), (3, 5), DIAMOND) == pytest.approx(2.0 - math.sqrt(2))


def test_segment_distances_agree_with_sampling():
    rng = np.random.default_rng(0)
    starts, ends = rng.uniform(-4, 4, (200, 2)), rng.uniform(-4, 4, (200, 2))
    box = Box("b", (0.3, -0.2), (1.2, 0.4), 0.7)
    t = np.linspace(0, 1, 2001)[:, None]
    for start, end, got in zip(starts, ends, segment_distances(starts, ends, box)):
        sampled = float(point_distance(start + t * (end - start), box).min())
        assert got == pytest.approx(sampled, abs=2e-3)


def test_overlap_needs_the_rotation():
    # the bounding squares of the two diamonds overlap, the diamonds do not
    other = Box("o", (6.6, 1.6), (1.0, 1.0), math.pi / 4)
    assert not boxes_overlap(DIAMOND, other)
    assert boxes_overlap(DIAMOND, Box("o", (6.3, 1.0), (1.0, 1.0), math.pi / 4))
    assert boxes_overlap(UNIT, Box("inside", (0.2, 0.1), (0.1, 0.1), 0.4))


@pytest.mark.parametrize("direction", np.linspace(-3, 3, 7))
def test_at_gap_is_at_that_distance_and_direction(direction):
    ((x, y),) = at_gap(DIAMOND, [direction], 0.55)
    assert point_distance(np.array([x, y]), DIAMOND) == pytest.approx(0.55, abs=1e-6)
    assert wrap(math.atan2(y, x - 5.0) - direction) == pytest.approx(0.0, abs=1e-9)
