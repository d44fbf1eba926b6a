"""Where what is struck over comes to lie, and that nobody walks over it."""
from __future__ import annotations

import math

import numpy as np
import pytest
from planning_helpers import perform, scenario, target

from ppp.engines.scene import Prop
from ppp.planning.geometry import point_distance
from ppp.planning.kinematic import KinematicPerformer
from ppp.planning.plan_schema import Plan, PlanStep
from ppp.planning.situation import PropView, initial_observation, situation_of
from ppp.planning.toppled import felled, lying, under_foot
from ppp.planning.trace import views

DUMMY = Prop("dummy", "target", (2.5, 0.0), (0.4, 0.4, 1.8), 0.0)


def fought(*on):
    """The dummy ahead is struck down; then ``on`` to a point, past where it stood."""
    steps = [("walk", (1.3, 0.0)), ("slash the dummy", (2.5, 0.0)), ("walk", on)]
    plan = Plan(steps=[PlanStep(command=c, target=t) for c, t in steps])
    made = scenario([{"knocked_over": "dummy"}, {"reached": list(on)}], [target("dummy", 2.5, 0)])
    return perform(made, plan=plan)


def test_what_a_slash_throws_over_lies_to_the_left_and_what_a_kick_does_straight_ahead():
    along_x, along_y = felled(DUMMY, "slash", 0.0), felled(DUMMY, "slash", math.pi / 2)
    assert along_x.centre == pytest.approx((2.8, 1.1))
    assert along_y.centre == pytest.approx((2.5 - 1.1, 0.3))
    assert along_x.yaw == pytest.approx(math.atan2(1.1, 0.3)) and along_x.half == (0.9, 0.2)
    assert felled(DUMMY, "kick", 0.0).centre == pytest.approx((3.4, 0.0))
    half_as_tall = Prop("dummy", "target", (2.5, 0.0), (0.4, 0.4, 0.9), 0.0)
    assert felled(half_as_tall, "kick", 0.0).centre == pytest.approx((2.95, 0.0))


def test_past_what_lies_at_the_side_a_plan_goes_on():
    result = fought(5.0, -1.0)
    assert result.success and result.replans == 0, [s.ended for s in result.steps]


def test_nobody_walks_over_what_lies():
    """The slash has thrown the dummy over to the left, across the way of the plan: a new one."""
    result = fought(5.0, 1.0)
    assert result.success and result.reasons == ("'dummy' lies in the way",)
    lies, pelvis = felled(DUMMY, "slash", 0.0), result.recording.body_pos[:, 0, :2]
    assert float(point_distance(pelvis, lies).min()) > 0.3


def test_the_way_on_is_looked_at_up_to_its_end_but_blows_are_no_walks():
    made = scenario([{"reached": [5, 1]}], [target("dummy", 2.5, 0)])
    seen = initial_observation(made)
    box = felled(DUMMY, "slash", 0.0)
    seen.props["dummy"] = PropView(box.centre, True, box.yaw)
    now = situation_of(made, (), made.scene(), seen)

    def steps(*until):
        return [PlanStep(command="go", target=t, until=u)
                for t, u in zip([(0.0, -3.0), (2.8, 3.0), (2.8, -3.0)], until)]

    assert under_foot(now, steps(None, "reached", "reached")) == "dummy"
    assert under_foot(now, steps(None, "reached")) == ""
    assert under_foot(now, steps(None, 2.0, "done")) == ""


def test_who_sees_how_a_thing_lies_knows_what_it_covers():
    """A box of 1.8 by 0.4 m as it lies; all within its height of the middle where nobody saw."""
    made = scenario([{"reached": [5, 1]}], [target("dummy", 2.5, 0)])
    seen = initial_observation(made)
    assert lying(situation_of(made, (), made.scene(), seen)) == []
    seen.props["dummy"] = PropView((3.0, 1.0), True)
    assert lying(situation_of(made, (), made.scene(), seen))[0].half == (0.9, 0.9)
    seen.props["dummy"] = PropView((3.0, 1.0), True, math.pi / 2)
    box = lying(situation_of(made, (), made.scene(), seen))[0]
    assert (box.centre, box.half, box.yaw) == ((3.0, 1.0), (0.9, 0.2), math.pi / 2)
    assert float(point_distance((3.0, 2.0), box)) == pytest.approx(0.1)


def test_a_gliding_figures_dummy_lies_as_it_is_drawn():
    """Its recorded rotation, the state's lean and the planner's view say the same."""
    made = scenario([{"knocked_over": "dummy"}], [target("dummy", 1.0, 0)])
    performer = KinematicPerformer()
    assert views(performer.reset(made.scene(), (0.0, 0.0), 0.0, 0))["dummy"].along is None
    performer.command("slash", (1.0, 0.0))
    for _ in range(60):
        state = performer.step()
    w, x, y, z = performer.poses().prop_rot[-1, 0]
    top = np.array([2 * (x * z + w * y), 2 * (y * z - w * x), 1 - 2 * (x * x + y * y)])
    assert top == pytest.approx([*state.props["dummy"].lean, 0.0], abs=1e-6)
    assert views(state)["dummy"].along == pytest.approx(math.atan2(1.1, 0.3))
