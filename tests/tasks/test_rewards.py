"""Reward and termination terms against hand-computed values."""
from __future__ import annotations

import math

import pytest
import torch

from ppp.engines.base import EngineState
from ppp.humanoid.kinematics import forward_kinematics
from ppp.humanoid.observation import discriminator_frame
from ppp.humanoid.rotations import yaw_quat
from ppp.humanoid.skeleton import BODY_ID, NUM_DOFS
from ppp.tasks.context import Step
from ppp.tasks.rewards import (
    REWARDS,
    facing,
    heading,
    imitation,
    location,
    progress,
    reach,
    strike,
)
from ppp.tasks.terminations import TERMINATIONS, fell, strayed, toppled


def make_step(yaw=0.0, velocity=(0.0, 0.0), target=(5.0, 0.0), travels=True, turns=False,
              offset=0.0, speed=1.0, height=0.9, contact=None, prop_up=1.0, yaw_rate=0.0, age=5,
              shift=None, may_lie=False, quality=1.0, striking=True,
              point=(1.0, 0.0, 1.0)):
    pos = torch.tensor([[0.0, 0.0, height]])
    joints = torch.zeros(1, NUM_DOFS) if shift is None else shift
    zero = torch.zeros(1, 3)
    bodies = forward_kinematics(pos, yaw_quat(torch.tensor([yaw])), joints,
                                torch.tensor([[*velocity, 0.0]]), zero, torch.zeros(1, NUM_DOFS))
    tilt = math.acos(prop_up)
    prop = torch.tensor([[[2.0, 0, 0.9, math.cos(tilt / 2), math.sin(tilt / 2), 0, 0] + [0.0] * 6]])
    force = torch.zeros(1, 17, 3)
    if contact is not None:
        force[0, BODY_ID[contact], 2] = 50.0
    none = torch.zeros(1, 1, dtype=torch.bool)
    state = EngineState(joints, torch.zeros(1, NUM_DOFS), bodies, force, prop, none, none)
    frame = discriminator_frame(bodies, joints, torch.zeros(1, NUM_DOFS))
    flag = lambda value: torch.tensor([value])  # noqa: E731
    return Step(state, frame, frame.clone(), flag(0), flag(travels), flag(turns), flag(offset),
                flag(speed), flag(yaw_rate), torch.tensor([target]), flag(may_lie),
                flag(quality), flag(age), flag(striking), bodies.pos[:, BODY_ID["sword"]],
                torch.tensor([point]))


@pytest.mark.parametrize("yaw, expected", [(0.0, 1.0), (math.pi / 2, 0.5), (math.pi, 0.0),
                                           (math.pi / 3, 0.75)])
def test_facing_is_half_one_plus_cosine(yaw, expected):
    assert facing(make_step(yaw=yaw)).item() == pytest.approx(expected, abs=1e-5)


def test_facing_turns_by_the_skills_travel_offset():
    """Clips that travel 90 degrees left of where they face: facing right of the target is right."""
    turned = facing(make_step(yaw=-math.pi / 2, offset=math.pi / 2)).item()
    assert turned == pytest.approx(1.0, abs=1e-5)
    assert facing(make_step(yaw=0.0, offset=math.pi / 2)).item() == pytest.approx(0.5, abs=1e-5)


def test_turning_skills_are_not_judged_by_facing():
    assert facing(make_step(yaw=2.0, turns=True)).item() == 1.0


@pytest.mark.parametrize("velocity, expected", [
    ((1.0, 0.0), 1.0), ((2.0, 0.0), 1.0), ((0.5, 0.0), math.exp(-0.5)), ((0.0, 3.0), math.exp(-2))])
def test_progress_of_a_travelling_skill(velocity, expected):
    assert progress(make_step(velocity=velocity)).item() == pytest.approx(expected, abs=1e-5)


def test_progress_on_the_spot_and_in_a_turn():
    """The clips' own speed is 1 m/s here: only what goes beyond it is drifting."""
    drifting = make_step(travels=False, velocity=(0.9, 1.2))
    assert progress(drifting).item() == pytest.approx(math.exp(-0.5), abs=1e-5)
    assert progress(make_step(travels=False, velocity=(0.6, 0.8))).item() == 1.0
    turning = make_step(travels=False, turns=True, yaw_rate=1.0)
    assert progress(turning).item() == pytest.approx(math.exp(-2.0), abs=1e-5)


def test_imitation_is_one_on_the_clip_and_falls_with_every_kind_of_error():
    exact = make_step()
    assert imitation(exact).item() == pytest.approx(1.0, abs=1e-6)
    last = 1.0
    for size in (0.1, 0.3, 0.9):
        bent = torch.zeros(1, NUM_DOFS)
        bent[0, 7] = size
        now = imitation(make_step(shift=bent)._replace(reference=exact.reference)).item()
        assert now < last
        last = now
    for other in (make_step(height=0.7), make_step(velocity=(1.0, 0.0))):
        assert imitation(other._replace(reference=exact.reference)).item() < 0.95


def test_imitation_by_hand_for_a_lower_root():
    """0.1 m lower: only the root part changes, 0.75 + 0.25 exp(-20 * 0.01)."""
    low = make_step(height=0.8)._replace(reference=make_step(height=0.9).frame)
    assert imitation(low).item() == pytest.approx(0.75 + 0.25 * math.exp(-0.2), abs=1e-5)


def test_strike_pays_for_the_tipped_target_only():
    assert strike(make_step()).item() == pytest.approx(0.0, abs=1e-6)
    assert strike(make_step(prop_up=0.1)).item() == pytest.approx(0.9, abs=1e-5)
    # who has another command earns nothing by a prop that lies about
    assert strike(make_step(prop_up=0.1, striking=False)).item() == 0.0


@pytest.mark.parametrize("velocity, yaw, expected", [
    ((1.0, 0.0), 0.0, 1.0),  # at the pace of 1 m/s, straight on, facing it
    ((3.0, 0.0), 0.0, 0.7 * math.exp(-0.25 * 4.0) + 0.3),
    ((1.0, 2.0), 0.0, 0.7 * math.exp(-0.1 * 4.0) + 0.3),
    ((-0.5, 0.0), 0.0, 0.3),  # the wrong way: only the facing is paid
    ((1.0, 0.0), math.pi / 3, 0.7 + 0.15),
    ((1.0, 0.0), math.pi, 0.7)])
def test_heading_by_hand(velocity, yaw, expected):
    assert heading(make_step(velocity=velocity, yaw=yaw)).item() == pytest.approx(expected,
                                                                                 abs=1e-5)


def test_heading_faces_by_the_skills_travel_offset():
    turned = make_step(velocity=(1.0, 0.0), yaw=-math.pi / 2, offset=math.pi / 2)
    assert heading(turned).item() == pytest.approx(1.0, abs=1e-5)


def test_location_and_reach_by_hand():
    assert location(make_step(target=(0.0, 2.0))).item() == pytest.approx(math.exp(-2.0), abs=1e-5)
    there = make_step()
    touching = there._replace(point=there.reaching)
    assert reach(touching).item() == pytest.approx(1.0, abs=1e-6)
    off = there._replace(point=there.reaching + torch.tensor([[0.0, 0.3, 0.4]]))
    assert reach(off).item() == pytest.approx(0.5 * math.exp(-1.0) + 0.5 * math.exp(-5.0),
                                              abs=1e-5)


def test_fell_needs_touch_and_height():
    assert not fell(make_step()).item()
    assert not fell(make_step(height=0.1)).item()  # low, touching nothing
    assert not fell(make_step(contact="head")).item()  # touched, standing
    assert fell(make_step(height=0.1, contact="pelvis")).item()
    assert not fell(make_step(height=0.1, contact="left_foot")).item()
    assert not fell(make_step(height=0.1, contact="pelvis", age=1)).item()
    assert not fell(make_step(height=0.1, contact="pelvis", may_lie=True)).item()


def test_toppled_sees_a_low_pelvis():
    assert toppled(make_step(height=0.4)).item() and not toppled(make_step(height=0.8)).item()


def test_strayed_ends_a_statue():
    assert strayed(make_step(quality=0.2)).item() and not strayed(make_step(quality=0.6)).item()


def test_registries_hold_functions_of_a_step():
    for table in (REWARDS, TERMINATIONS):
        assert all(term(make_step()).shape == (1,) for term in table.values())
