"""Targets that somebody moves, and failures that the executor goes on after."""
from __future__ import annotations

import math
from dataclasses import replace

import pytest
from planning_helpers import obstacle, perform, scenario, target

from ppp.errors import PPPError
from ppp.planning.kinematic import KinematicPerformer
from ppp.planning.plan_schema import Plan, PlanStep
from ppp.planning.scenario import Event
from ppp.planning.skills import SECONDS
from ppp.planning.staging import Staged
from ppp.planning.trace import views

STRIKE = [{"knocked_over": "dummy"}]


def moved(at, to, **more):
    event = {"at": at, "move": "dummy", "to": to}
    return scenario(STRIKE, [target("dummy", 6, 0)], events=[event], **more)


class Falls(KinematicPerformer):
    """Falls at a time and needs ``tries`` seconds of getting up, each try starting anew."""

    def __init__(self, at, seconds):
        super().__init__()
        self.at, self.seconds = at, seconds

    def reset(self, *args, **kwargs):
        self.down, self.tried = False, 0.0
        return super().reset(*args, **kwargs)

    def step(self):
        state = super().step()
        self.down |= state.time >= self.at and self.tried == 0.0
        if self.down and self._skill == "get_up":
            self.tried += self.control_dt
            self.down = self.tried < self.seconds
        low = state.root_pos.copy()
        low[2] = 0.2
        return replace(state, fallen=True, root_up=0.1, root_pos=low) if self.down else state


def test_a_target_is_followed_to_where_it_is_moved():
    result = perform(moved(3, [6, 4]))
    assert result.success and result.replans == 1
    assert "moved 4.00 m" in result.reasons[0]
    assert result.steps[-1].target == (6.0, 4.0)
    assert result.as_dict()["events"] == [
        {"time": 3.0, "object": "dummy", "to": [6.0, 4.0], "what": "moved"}
    ]


def test_a_target_that_is_moved_during_the_blow_is_followed():
    still = perform(scenario(STRIKE, [target("dummy", 6, 0)]))
    result = perform(moved(still.time_s - 0.3, [6, -4]))
    assert result.success and result.steps[-1].target == (6.0, -4.0)


def test_a_target_that_lies_is_not_moved():
    result = perform(scenario(
        [*STRIKE, {"reached": [-4, 0]}], [target("dummy", 3, 0)],
        events=[{"at": 6.0, "move": "dummy", "to": [0, 4]}],
    ))
    assert result.success and result.replans == 0
    assert [e["what"] for e in result.events] == ["it lay already"]


def test_an_event_waits_until_the_humanoid_is_out_of_the_way():
    made = scenario(STRIKE, [target("dummy", 6, 0)])
    stage = Staged(KinematicPerformer(), [Event(at=1.0, move="dummy", to=(0.5, 0.0))])
    stage.reset(made.scene(), (0.0, 0.0), 0.0, 0)
    stage.command("walk_forward", (0.0, -3.0))
    while stage._state.time < 3.0:
        stage.step()
    (happened,) = stage.happened
    # at 1 m/s the pelvis has left the place after a second; one that stays is waited for
    assert happened["time"] == pytest.approx(1.0, abs=0.04)
    stage.reset(made.scene(), (0.0, 0.0), 0.0, 0)
    for _ in range(90):
        stage.step()
    assert stage.happened == []


def test_two_moves_one_after_the_other():
    events = [{"at": 4, "move": "dummy", "to": [3, -4]}, {"at": 2, "move": "dummy", "to": [3, 4]}]
    result = perform(scenario(STRIKE, [target("dummy", 6, 0)], events=events))
    assert result.success and [e["time"] for e in result.events] == pytest.approx([2.0, 4.0])


def test_events_start_anew_with_every_performance():
    made = moved(3, [6, 4])
    assert perform(made).as_dict() == perform(made).as_dict()


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ({"at": 1, "move": "dumy", "to": [1, 1]}, "did you mean 'dummy'"),
        ({"at": 1, "move": "wall", "to": [1, 1]}, "only a target can be moved"),
        ({"at": 1, "move": "dummy", "to": [2, 3]}, "is inside 'wall'"),
        ({"at": float("nan"), "move": "dummy", "to": [2, 0]}, "from 0 to 600"),
        ({"at": 1, "move": "dummy", "to": [2, 99]}, "from -20 to 20"),
    ],
)
def test_mistakes_in_events_are_named(event, message):
    things = [target("dummy", 6, 0), obstacle("wall", 2, 3, 1, 1)]
    with pytest.raises(PPPError, match=message):
        scenario(STRIKE, things, events=[event])


def test_getting_up_is_tried_again_within_limits():
    up = perform(scenario([{"reached": [4, 0]}]), Falls(2.0, SECONDS["get_up"] + 2.0))
    tries = [s for s in up.steps if s.skill == "get_up"]
    assert up.success and [t.ok for t in tries] == [False, True]
    down = perform(scenario([{"reached": [4, 0]}]), Falls(2.0, 1e9))
    assert len([s for s in down.steps if s.skill == "get_up"]) == 3
    assert down.ended == "fell and did not get up: time limit, still down"


def test_the_end_of_time_during_a_step_is_its_reason():
    result = perform(scenario([{"reached": [9, 0]}], time_limit=3.0))
    assert result.steps[-1].ended == "the time of the scenario is up"
    assert not result.success and not result.steps[-1].ok


def test_every_step_says_why_it_ended():
    first = Plan(steps=[PlanStep(command=c, target=(2.0, 0.0)) for c in ("walk", "taunt", "sing")])
    result = perform(moved(3, [6, 4]), plan=first)
    assert result.success and all(step.ended for step in result.steps)
    assert result.steps[1].ended == "'dummy' was moved 4.00 m"


def test_the_physical_performer_moves_a_target_and_leaves_the_humanoid_alone():
    torch = pytest.importorskip("torch")
    from ppp.planning.physics import PhysicsPerformer

    made = scenario(STRIKE, [target("dummy", 3, 0)])
    heights = []
    for move in (False, True):
        performer = PhysicsPerformer()
        performer.reset(made.scene(), (0.0, 0.0), 0.0, 0)
        performer.step()
        if move:
            performer.move("dummy", (0.0, 4.0))
        state = performer.step()
        heights.append(torch.tensor(state.root_pos))
        expected = [0.0, 4.0] if move else [3.0, 0.0]
        assert state.props["dummy"].position[:2] == pytest.approx(expected, abs=1e-3)
        assert state.props["dummy"].up_z > 0.999
    assert torch.allclose(*heights, atol=1e-5)


def test_the_physical_performer_says_to_where_the_top_of_what_lies_points():
    """Laid down towards 30 degrees from the x axis: the state and the planner's view say so."""
    torch = pytest.importorskip("torch")
    from ppp.planning.physics import PhysicsPerformer

    along = math.radians(30.0)
    half = math.sqrt(0.5)  # a quarter turn about the horizontal axis at right angles to that
    laid = [3.0, 0.0, 0.2, half, -half * math.sin(along), half * math.cos(along), 0.0]
    performer = PhysicsPerformer()
    made = scenario(STRIKE, [target("dummy", 3, 0)])
    assert views(performer.reset(made.scene(), (0.0, 0.0), 0.0, 0))["dummy"].along is None
    props = torch.zeros(1, 1, 13)
    props[0, 0, :7] = torch.tensor(laid)
    performer._engine.set_props(torch.zeros(1, dtype=torch.long), props)
    state = performer.step()
    assert state.props["dummy"].lean == pytest.approx((math.cos(along), math.sin(along)), abs=0.02)
    assert views(state)["dummy"].along == pytest.approx(along, abs=0.02)
