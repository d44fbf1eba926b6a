"""The curve that a walk begins with, and the turn that it begins with where that has no room."""
from __future__ import annotations

import math

import numpy as np
import pytest
from planning_helpers import keyword_matcher, obstacle, scenario

from ppp.planning.curves import RADIUS, curve, leads_into
from ppp.planning.executor import Executor
from ppp.planning.geometry import Box
from ppp.planning.kinematic import KinematicPerformer
from ppp.planning.planner import Command, Done
from ppp.planning.zones import Keep


def test_a_curve_goes_round_a_circle_until_it_points_at_its_aim():
    """A quarter of a circle to the left ends a radius ahead and a radius aside."""
    points = curve((0.0, 0.0), 0.0, (RADIUS, 50.0))
    assert points[-1] == pytest.approx((RADIUS, RADIUS), abs=0.15)
    middle = np.linalg.norm(points - (0.0, RADIUS), axis=1)
    assert np.abs(middle - RADIUS).max() < 0.1
    mirrored = curve((0.0, 0.0), 0.0, (RADIUS, -50.0))
    assert mirrored * (1.0, -1.0) == pytest.approx(points)


def test_straight_ahead_there_is_no_curve_and_round_an_aim_it_comes_to_an_end():
    assert len(curve((1.0, 1.0), 0.3, (1.0 + math.cos(0.3), 1.0 + math.sin(0.3)))) <= 2
    assert len(curve((0.0, 0.0), 0.0, (0.0, 0.5))) < 40  # too near aside to be reached


def test_a_curve_leads_into_what_is_ahead_and_not_into_what_is_left_behind():
    points = curve((0.0, 0.0), 0.0, (RADIUS, 50.0))

    def block(x, y):
        return [Keep(Box("block", (x, y), (0.2, 0.2)), 0.35, "")]

    assert leads_into(points, block(1.5, 0.6))
    assert not leads_into(points, block(-0.6, 0.0))  # near, but it leads away from it
    assert not leads_into(points, block(0.0, 2.6))


class Corner:
    """Walks along x and then to the left."""

    replans = 0

    def __init__(self):
        self.left = [Command("walk", (3.0, 0.0)), Command("walk", (5.0, 4.0), "reached")]

    def reset(self, instruction, scene):
        pass

    def act(self, now):
        return self.left.pop(0) if self.left else Done("there")


@pytest.mark.parametrize("ahead, turns", [(4.3, True), (6.0, False)])
def test_round_a_corner_it_turns_on_the_spot_where_a_block_is_ahead(ahead, turns):
    """60 degrees are walked in a curve, unless that leads into something."""
    made = scenario([{"reached": [5, 4]}], [obstacle("block", ahead, 0.4, 0.6, 1.2)])
    executor = Executor(made, Corner(), KinematicPerformer(), keyword_matcher)
    result = executor.perform()
    assert result.success, result.steps
    assert any(skill == "turn_left" for _, skill in executor.told) == turns
