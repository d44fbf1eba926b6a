"""The rules of ``ppp eval policy``: what counts as right, recognised, arrived, fallen."""
from __future__ import annotations

import math
from types import SimpleNamespace

import pytest
import torch

from ppp.evaluation.classifier import SPAN, STRIDE
from ppp.evaluation.crowd import LOW, Crowd, heading_errors, travel_offsets
from ppp.evaluation.policy_arrival import _courses, time_limit
from ppp.evaluation.policy_quality import falls_per_100s, sole_speed
from ppp.evaluation.policy_skills import EVERY, judged, start_frames, window_votes
from ppp.evaluation.policy_transitions import pairs, recognition_latency
from ppp.humanoid.rotations import yaw_quat
from ppp.learning.bundle import load_policy
from ppp.motion.library import LYING, MotionLibrary
from ppp.settings import ROOT

LIBRARY = ROOT / "motions" / "library.yaml"


class Reader:
    """Stands in for the classifier: the class of a window is the number in its last frame."""

    skills = ["a", "b", "c"]

    def __call__(self, windows):
        return torch.nn.functional.one_hot(windows[:, -1, 0].long(), 4).float()

    def recognise(self, frames, ends):
        return torch.stack([frames[end, :, 0].long() for end in ends])


def frames_of(numbers):
    """A record (T, 1, 140) whose t-th frame holds the t-th number."""
    return torch.tensor(numbers, dtype=torch.float32)[:, None, None].expand(-1, 1, 140)


# -- skills ------------------------------------------------------------------------------------
def test_right_is_the_most_frequent_class_without_a_fall():
    votes = torch.tensor([[5.0, 4, 0, 0], [5, 4, 0, 0], [4, 5, 0, 0], [0, 0, 0, 0], [9, 0, 0, 0]])
    own = torch.zeros(5, dtype=torch.long)
    up = torch.tensor([True, False, True, False, True])
    lies = torch.tensor([False, False, False, False, True])
    out = judged(votes, own, up, torch.zeros(5, dtype=torch.bool), lies)
    assert out["recognised"].tolist() == [True, True, False, False, True]
    # the last one looks like getting up for ten seconds and never rises
    assert out["right"].tolist() == [True, False, False, False, False]
    assert out["seen"].tolist() == [0, 0, 1, -1, 0]
    assert out["share"][0] == pytest.approx(5 / 9) and out["share"][3] == 0.0


def test_windows_after_a_fall_do_not_vote():
    frames = frames_of([1.0] * 100).repeat(1, 2, 1)
    votes = window_votes(frames, Reader(), torch.tensor([100, SPAN + 2 * EVERY]))
    assert votes[:, 1].tolist() == [len(range(SPAN, 100, EVERY)), 2] and votes.sum() == votes[
        :, 1].sum()


def test_who_gets_up_starts_lying_and_nobody_else_does():
    library = MotionLibrary(LIBRARY, ["get_up", "walk_forward"])
    skill = torch.tensor([0] * 20 + [1] * 20)
    frames = start_frames(library, skill, torch.Generator().manual_seed(0))
    height = library.root_pos[frames, 2]
    assert (height[:20] < LYING).all() and (height[20:] > 0.7).all()
    assert torch.equal(library.skill[frames], skill)


# -- transitions -------------------------------------------------------------------------------
def test_all_ordered_pairs_and_none_into_getting_up():
    library = MotionLibrary(LIBRARY)
    both = pairs(library)
    assert len(both) == 17 * 16 + 17 == len({tuple(p) for p in both.tolist()})
    up = library.skills.index("get_up")
    assert up in both[:, 0] and up not in both[:, 1] and (both[:, 0] != both[:, 1]).all()


@pytest.mark.parametrize("first, seconds", [(0, 0.0), (STRIDE, 0.1), (30, 1.0), (36, math.inf)])
def test_latency_counts_from_the_switch_to_the_beginning_of_the_window(first, seconds):
    """The new skill (1) is seen in windows that begin ``first`` or more steps after it."""
    when = 40
    change = when + first + SPAN
    frames = frames_of([0.0] * change + [1.0] * (200 - change))
    out = recognition_latency(frames, Reader(), torch.tensor([when]), torch.tensor([1]))
    assert out.item() == pytest.approx(seconds)


def test_one_lucky_window_is_not_recognition():
    numbers = [0.0] * 200
    numbers[40 + SPAN] = 1.0
    out = recognition_latency(frames_of(numbers), Reader(), torch.tensor([40]), torch.tensor([1]))
    assert math.isinf(out.item())


def test_windows_with_frames_from_before_the_switch_do_not_count():
    """A skill that was seen only until just after the switch is not the new one."""
    frames = frames_of([1.0] * (40 + SPAN - 1) + [0.0] * 100)
    out = recognition_latency(frames, Reader(), torch.tensor([40]), torch.tensor([1]))
    assert math.isinf(out.item())


# -- arrival -----------------------------------------------------------------------------------
def test_time_limit_by_hand():
    limit = time_limit(torch.tensor([4.0, 8.0]), torch.tensor([0.5, 2.0]))
    assert limit.tolist() == [8.0 + 1.5 * 8.0, 8.0 + 1.5 * 4.0]


def test_a_straight_way_has_no_course_error_and_lies_on_the_x_axis():
    steps = torch.arange(0.0, 6.0, 1.0 / 30.0)
    places = torch.stack((torch.zeros_like(steps), steps), -1)[:, None]  # north at 1 m/s
    target = torch.tensor([[0.0, 8.0]])
    errors = torch.full((len(steps) - 1, 1), 0.5)
    out = _courses(places, errors, target, torch.tensor([(len(steps) - 1) / 30.0]))
    assert out["course"][0].abs().max() < 1e-3
    assert out["path"][0][-1].tolist() == pytest.approx([float(steps[-1]), 0.0], abs=1e-4)
    assert torch.allclose(out["heading"][0], torch.tensor(math.degrees(0.5)), atol=1e-3)
    assert len(out["heading"][0]) == len(steps) - 1 - 60  # the first two seconds are not judged


def test_a_way_at_right_angles_is_off_by_ninety_degrees_at_first():
    steps = torch.arange(0.0, 4.0, 1.0 / 30.0)
    places = torch.stack((steps, torch.zeros_like(steps)), -1)[:, None]
    target = torch.tensor([[1.5, 1000.0]])
    out = _courses(places, torch.zeros(len(steps) - 1, 1), target, torch.tensor([118 / 30.0]))
    assert torch.allclose(out["course"][0], torch.tensor(90.0), atol=0.5)


def test_travel_offset_of_walking_backward_is_half_a_turn():
    """Its clips lie at +pi and at -pi: their plain mean would point somewhere to the side."""
    library = MotionLibrary(LIBRARY, ["walk_backward", "strafe_left", "idle"])
    offset = travel_offsets(library)
    assert abs(abs(offset[0].item()) - math.pi) < 0.05
    assert offset[1].item() == pytest.approx(math.pi / 2, abs=0.05) and offset[2] == 0.0


def test_heading_error_is_taken_from_where_the_skill_travels():
    state = SimpleNamespace(root_pos=torch.zeros(2, 3), root_rot=yaw_quat(torch.zeros(2)))
    error = heading_errors(state, torch.tensor([[0.0, 3.0], [0.0, 3.0]]),
                           torch.tensor([0.0, math.pi / 2]))
    assert error.tolist() == pytest.approx([math.pi / 2, 0.0], abs=1e-6)


# -- quality -----------------------------------------------------------------------------------
def test_sole_speed_of_a_foot_that_slides_and_of_one_in_the_air():
    dt, steps = 1.0 / 30.0, torch.arange(10.0)
    pos = torch.zeros(10, 2, 17, 3)
    pos[..., 2] = 0.05  # the soles are 0.05 m below the feet's origins
    pos[:, :, 13, 0] = 0.5 * dt * steps[:, None]  # the right foot slides at 0.5 m/s
    pos[:, 1, 13, 2] = 0.2  # in the second body it is in the air
    rot = torch.zeros(10, 2, 17, 4)
    rot[..., 0] = 1.0
    total, count = sole_speed(pos, rot, dt).unbind(-1)
    assert (total / count).tolist() == pytest.approx([0.25, 0.0], abs=1e-5)
    assert count.tolist() == [2 * 4 * 9, 4 * 9]


def test_falls_count_against_the_time_on_the_feet():
    def crowd(up, seconds):
        return SimpleNamespace(up=torch.tensor(up), seconds_stood=lambda: torch.tensor(seconds))

    found = falls_per_100s([crowd([True, False], [10.0, 5.0]), crowd([False], [35.0])])
    assert found == pytest.approx(100.0 * 2 / 50.0)


# -- the crowd ---------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def policy():
    return load_policy()


@pytest.fixture()
def crowd(policy):
    library = MotionLibrary(LIBRARY, policy.skills)
    skill = torch.full((3,), policy.index("idle"))
    generator = torch.Generator().manual_seed(0)
    made = Crowd(policy, library, library.sample(skill, generator), skill, generator)
    yield made
    made.close()


def test_the_shipped_policy_stands_and_a_body_laid_down_has_fallen_for_good(crowd):
    crowd.aim(torch.zeros(3), torch.full((3,), 3.0))
    for _ in range(15):
        crowd.step()
    assert crowd.up.all() and crowd.seconds_stood().tolist() == pytest.approx([0.5] * 3)
    flat = torch.tensor([[0.7071, 0.0, 0.7071, 0.0]])
    state, zero = crowd.state, torch.zeros(1, 3)
    crowd.engine.reset(torch.tensor([1]), torch.tensor([[0.0, 0.0, 0.12]]), flat,
                       state.joint_pos[1:2], torch.zeros(1, 31), zero, zero)
    crowd.step()
    assert crowd.fell_at.tolist() == [-1, 16, -1]
    crowd.step()
    assert crowd.fell_at.tolist() == [-1, 16, -1]
    assert crowd.seconds_stood()[1].item() == pytest.approx(0.5)
    assert crowd.record("frame").shape == (17, 3, 140)
    assert crowd.record("body_pos")[-1, 1, 0, 2] < LOW


def test_targets_lie_where_the_skill_goes(crowd):
    before = crowd.state.root_pos[:, :2]
    crowd.aim(torch.zeros(3), torch.tensor([2.0, 5.0, 8.0]))
    assert torch.allclose((crowd.target - before).norm(dim=-1), torch.tensor([2.0, 5.0, 8.0]))
    error = heading_errors(crowd.state, crowd.target, crowd.travel_offset[crowd.skill])
    assert error.max() < 1e-3
    crowd.aim(torch.full((3,), 1.0), torch.ones(3))
    error = heading_errors(crowd.state, crowd.target, crowd.travel_offset[crowd.skill])
    assert torch.allclose(error, torch.ones(3), atol=1e-3)


def test_who_starts_on_the_floor_has_not_fallen():
    library = MotionLibrary(LIBRARY, ["get_up", "idle"])
    still = SimpleNamespace(targets=lambda obs, skill: library.mean_pose.expand(len(obs), -1))
    generator = torch.Generator().manual_seed(0)
    skill = torch.tensor([0, 1])
    made = Crowd(still, library, start_frames(library, skill, generator), skill, generator)
    for _ in range(5):
        made.step()
    assert made.standing.tolist() == [False, True] and made.up.all()
    assert made.seconds_stood()[0] == 0.0
    made.close()
