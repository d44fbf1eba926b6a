"""Loops that steer: which stands for which, and that following them leads to a target."""
from __future__ import annotations

import numpy as np
import pytest
import torch

from ppp.humanoid.rotations import rotate_xy, wrap_angle, yaw_of
from ppp.motion.library import ClipEntry, on_one_turn
from ppp.motion.steering import LEVELS, STRAIGHT, level_of, steering_table
from ppp.tasks.reference import Reference

GAITS = ("walk_forward", "walk_backward", "crouch_walk", "strafe_left", "strafe_right", "run")


@pytest.mark.parametrize("rate, level", [(0.0, 0), (0.19, 0), (0.6, 1), (-0.6, -1), (0.7, 2),
                                         (-1.05, -3), (1.4, 4), (-1.4, -4)])
def test_a_loop_is_filed_by_its_yaw_rate(rate, level):
    assert level_of(rate) == level


def _table(rates):
    """Column 1 of the table of loops of two frames with these yaw rates, as loop numbers."""
    rows = {loop: torch.tensor([2 * loop, 2 * loop + 1]) for loop in range(len(rates))}
    table = steering_table(2 * len(rates), rows, {loop: "gait" for loop in rows}, rates)
    assert torch.equal(table[:, 1::2], table[:, ::2] + 1)  # the phase is kept
    return (table[:, ::2] // 2).tolist()


def test_every_level_stands_for_itself():
    # from sharp right over straight to sharp left, whatever the order of the clips
    rates = [0.0, 0.5, -0.5, 0.8, -0.8, 1.1, -1.1, 1.5, -1.5]
    assert _table(rates) == [[loop] * 9 for loop in (8, 6, 4, 2, 0, 1, 3, 5, 7)]


def test_what_a_gait_lacks_is_stood_in_for_by_the_next_gentler_one():
    # curves of level 1 and, to the left, of level 4
    assert _table([0.0, 0.6, -0.6, 1.5]) == [[loop] * 4 for loop in (2, 2, 2, 2, 0, 1, 1, 1, 3)]
    # to the right none but a sharp one: that one; to the left none: every loop keeps to itself
    table = _table([0.0, -1.5])
    assert table[STRAIGHT - 1] == [1, 1]
    assert table[STRAIGHT + 1] == table[STRAIGHT + 4] == [0, 1]
    # two of a level: each is its own
    assert _table([0.0, 0.1]) == [[0, 1]] * 9


def test_loops_of_another_gait_are_left_alone():
    rows = {0: torch.tensor([0, 1]), 1: torch.tensor([2, 3, 4])}
    table = steering_table(6, rows, {0: "walk", 1: "run"}, [0.0, 1.5])
    assert torch.equal(table, torch.arange(6).repeat(9, 1))


def test_frames_know_how_sharply_their_loop_turns(library):
    level = {e.file: set(library.level[library.clip == n].tolist())
             for n, e in enumerate(library.entries)}
    run = [f"run_{name}.npz" for name in ("sharp_right", "swerve_right", "bend_right",
                                          "curve_right", "straight", "curve_left", "bend_left",
                                          "swerve_left", "sharp_left")]
    assert [level[file] for file in run] == [{n} for n in range(-4, 5)]
    assert level["turn_left_steps.npz"] == level["walk_forward_weave.npz"] == {0}


def test_angles_of_travel_have_a_mean():
    """3.1 and -3.1 are 0.083 apart, about backward; their mean is not 0."""
    entries = [ClipEntry("a", "back", travel=-3.1), ClipEntry("b", "back", travel=3.1),
               ClipEntry("c", "left", travel=1.5)]
    travel = [entry.travel for entry in on_one_turn(entries)]
    assert travel == pytest.approx([-3.1, 3.1 - 2 * np.pi, 1.5])
    assert on_one_turn(entries)[2] is entries[2]


def test_a_gait_backward_travels_backward_on_average(library):
    back = [e.travel for e in library.entries if e.skill == "walk_backward"]
    assert abs(wrap_angle(torch.tensor(np.mean(back)) - np.pi)) < np.radians(5)


@pytest.mark.parametrize("gait", GAITS)
def test_slow_curves_do_not_lower_the_pace_that_is_asked_for(library, gait):
    """The speed of a skill is that of its straight loop, hand-measured from its root's path."""
    number = [e.file for e in library.entries].index(f"{gait}_straight.npz")
    rows = (library.clip == number).nonzero().flatten()
    way = library.root_pos[rows[-1], :2] - library.root_pos[rows[0], :2]
    speed = float(way.norm()) * 30.0 / (len(rows) - 1)
    k = library.skills.index(gait)
    assert float(library.speed[k]) == pytest.approx(speed, rel=0.08)
    assert abs(float(library.yaw_rate[k])) < 0.02


@pytest.mark.parametrize("gait", GAITS)
def test_every_gait_has_sharp_loops_in_step_with_its_straight_one(library, gait):
    names = [e.file for e in library.entries]
    straight = (library.clip == names.index(f"{gait}_straight.npz")).nonzero().flatten()
    for row, side, sign in ((-1, "left", 1), (0, "right", -1)):
        rows = (library.clip == names.index(f"{gait}_sharp_{side}.npz")).nonzero().flatten()
        assert torch.equal(library.variants[row, straight], rows)
        rate = sign * float(library.root_ang_vel[rows, 2].mean())
        speed = float(library.root_lin_vel[rows, :2].norm(dim=-1).mean())
        assert rate > LEVELS[-1]
        assert speed / rate < (0.8 if gait == "run" else 0.3)  # radius of the turn, m


def _follow(library, gait, gentle=False, seconds=12.0):
    """Who of 60 comes within 0.3 m of a target 0.6 to 2 m away in any direction, (60,) bool: a
    body without weight that does what the reference does."""
    variants = library.variants.clone()
    if gentle:
        variants[STRAIGHT + 1:] = variants[STRAIGHT + 1].clone()
        variants[:STRAIGHT] = variants[STRAIGHT - 1].clone()
    number = [e.file for e in library.entries].index(f"{gait}_straight.npz")
    k, count = library.skills.index(gait), 60
    offset = library.entries[number].travel
    speeds = rotate_xy(library.root_lin_vel[:, :2], -yaw_of(library.root_rot))
    reference = Reference(_Steered(library, variants), count)
    reference.put(torch.arange(count), (library.clip == number).nonzero()[0].expand(count))
    angle = torch.linspace(-np.pi, np.pi, count)
    target = torch.linspace(0.6, 2.0, 7).repeat(9)[:count, None] * torch.stack(
        (angle.cos(), angle.sin()), -1)
    place, yaw, arrived = torch.zeros(count, 2), torch.zeros(count), torch.zeros(count).bool()
    for _ in range(int(30 * seconds)):
        gap = target - place
        arrived |= gap.norm(dim=-1) < 0.3
        reference.steer(wrap_angle(torch.atan2(gap[:, 1], gap[:, 0]) - yaw - offset))
        now = reference.index
        assert (library.skill[now] == k).all()
        place = place + rotate_xy(speeds[now], yaw) / 30.0
        yaw = yaw + library.root_ang_vel[now, 2] / 30.0
        reference.index = library.next[now]
    return arrived


class _Steered:
    """The library with another steering table."""

    def __init__(self, library, variants):
        self._library, self.variants = library, variants

    def __getattr__(self, name):
        return getattr(self._library, name)


@pytest.mark.parametrize("gait", GAITS)
def test_the_loops_lead_to_targets_near_and_to_the_side(library, gait):
    """Gentle curves alone circle round such targets for ever."""
    sharp, gentle = (_follow(library, gait, gentle) for gentle in (False, True))
    assert sharp.float().mean() > (0.8 if gait == "run" else 0.99)
    assert gentle.float().mean() < 0.9
