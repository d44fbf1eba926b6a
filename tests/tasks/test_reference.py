"""The slipping clock and the frame table it runs on."""
from __future__ import annotations

import pytest
import torch

from ppp.humanoid.observation import FRAME, KEY_BODIES
from ppp.humanoid.skeleton import FEET
from ppp.tasks.lying import ONSET
from ppp.tasks.reference import EASE, SLIP_EVERY, WAIT, Reference


def test_an_exact_follower_keeps_time(library):
    rows = torch.arange(0, library.size, 11)
    reference = Reference(library, len(rows))
    reference.put(torch.arange(len(rows)), rows)
    expected = rows
    for tick in range(1, 8):
        going = library.next[expected] >= 0
        expected = torch.where(going, library.next[expected], expected)
        reference.advance(library.frame[expected], library.skill[rows], tick)
        assert torch.equal(reference.index[going], expected[going])
        expected = torch.where(going, expected, reference.index)


def test_a_slow_follower_is_waited_for(library):
    """Someone standing still in a walk: the clock may wait only every third step."""
    start = int((library.skill == library.skills.index("walk_forward")).nonzero()[5])
    reference = Reference(library, 1)
    reference.put(torch.tensor([0]), torch.tensor([start]))
    advanced = []
    for tick in range(1, 7):
        before = int(reference.index)
        reference.advance(library.frame[start][None], library.skill[start][None], tick)
        advanced.append(int(reference.index) != before)
    assert advanced.count(False) <= 6 // SLIP_EVERY and advanced[0]


def test_a_reference_is_drawn_back_to_a_body_that_stands_still(library):
    """It goes back within its own clip, and only to what is much nearer than where it is."""
    rows = (library.skill == library.skills.index("turn_left")).nonzero().flatten()
    rows = rows[library.clip[rows] == library.clip[rows[0]]]
    at, body = rows[torch.tensor([12, 12, 12, 12])], rows[torch.tensor([0, 12, 0, 0])]
    reference = Reference(library, 4)
    reference.put(torch.arange(4), at)
    reference.waiting[2] = 3
    state = library.frame[body].clone()
    state[3] = 0.99 * library.frame[at[3]] + 0.01 * state[3]
    reference.draw_back(torch.tensor([0, 1, 2]), state[:3])
    assert reference.index.tolist() == [rows[0], rows[12], rows[12], rows[12]]
    reference.draw_back(torch.tensor([3]), state[3:])
    assert reference.index[3] == rows[12]


def test_a_body_that_lies_still_is_told_to_begin_again(library):
    """Its clip has gone on; drawn back, it is past the rest in a step, and not at the end of it."""
    rows = (library.skill == library.skills.index("get_up")).nonzero().flatten()
    rows = rows[library.clip[rows] == library.clip[rows[0]]]
    reference = Reference(library, 1)
    begins = reference.lying.rows[library.skill[reference.lying.rows] == library.skill[rows[0]]]
    first = int(begins[0])
    reference.put(torch.tensor([0]), torch.tensor([first + 40]))
    reference.draw_back(torch.tensor([0]), library.frame[first][None])
    assert reference.index[0] == first
    still = library.frame[first].clone()[None]
    still[:, FRAME["joint_vel"]] = 0.0
    reference.advance(still, library.skill[first][None], 1)
    assert reference.index[0] == first + ONSET


def test_loops_close_and_ends_are_marked(library):
    looping = [i for i, e in enumerate(library.entries) if e.loop]
    for clip in looping:
        rows = (library.clip == clip).nonzero().flatten()
        assert library.next[rows[-1]] == rows[0] and library.prev[rows[0]] == rows[-1]
    single = [i for i, e in enumerate(library.entries) if not e.loop]
    for clip in single:
        rows = (library.clip == clip).nonzero().flatten()
        assert library.next[rows[-1]] == -1


def test_seams_are_smooth(library):
    """From the last frame of a loop to its first no quantity jumps more than inside the clip."""
    for clip, entry in enumerate(library.entries):
        if not entry.loop:
            continue
        rows = (library.clip == clip).nonzero().flatten()
        frames = library.frame[rows]
        inside = (frames[1:] - frames[:-1]).norm(dim=-1).max()
        seam = (frames[0] - frames[-1]).norm()
        assert seam < 1.5 * inside + 0.2, entry.file


def test_sampling_follows_the_command_and_the_weights(library):
    skill = torch.arange(len(library.skills)).repeat_interleave(200)
    rows = library.sample(skill, torch.Generator().manual_seed(0))
    assert torch.equal(library.skill[rows], skill)


def test_windows_end_at_the_frame(library):
    rows = torch.tensor([3, 50])
    window = library.window(rows, 3)
    assert torch.equal(window[:, -1], library.frame[rows])
    assert torch.equal(window[:, -2], library.frame[library.prev[rows]])


def test_nearest_finds_the_frame_itself(library):
    rows = library.sample(torch.arange(len(library.skills)), torch.Generator().manual_seed(1))
    found = library.nearest(library.skill[rows], library.frame[rows])
    assert torch.equal(library.skill[found], library.skill[rows])
    # two clips may share a pose, so it is the pose that is compared
    assert torch.allclose(library.frame[found], library.frame[rows], atol=0.02)


def test_the_reference_curves_towards_the_target_in_step(library):
    """A target on the left moves a straight gait's reference to the left curve, same phase; one
    far to the side to the sharp one."""
    names = [entry.file for entry in library.entries]
    rows = {side: (library.clip == names.index(f"walk_forward_{side}.npz")).nonzero().flatten()
            for side in ("straight", "curve_left", "curve_right", "sharp_left", "sharp_right")}
    angles = torch.tensor([3.0, 0.9, 0.7, 0.3, 0.1, -0.1, -0.3, -0.7, -0.9, -3.0])
    sides = ["sharp_left"] * 2 + ["curve_left"] * 2 + ["straight"] * 2
    sides += ["curve_right"] * 2 + ["sharp_right"] * 2
    for begin in rows:  # from whichever loop it was in
        reference = Reference(library, len(angles))
        reference.put(torch.arange(len(angles)), rows[begin][4].expand(len(angles)))
        for _ in range(8 * EASE):  # from the sharpest to one side to that of the other
            reference.steer(angles)
        assert reference.index.tolist() == [int(rows[side][4]) for side in sides]
    standing = library.sample(torch.tensor([library.skills.index("idle")] * 3))
    reference = Reference(library, 3)
    reference.put(torch.arange(3), standing)
    reference.steer(torch.tensor([1.0, 0.0, -1.0]))
    assert torch.equal(reference.index, standing)


def follow_change(library, start, skill, steps):
    """Files of the clips that an exact follower is shown after its command changes."""
    reference = Reference(library, 1)
    reference.put(torch.tensor([0]), torch.tensor([start]))
    wanted = torch.tensor([library.skills.index(skill)])
    reference.change(torch.tensor([0]), wanted, library.frame[start][None])
    files = []
    for tick in range(1, steps):
        files.append(library.entries[int(library.clip[reference.index])].file)
        reference.advance(library.frame[reference.index], wanted, tick)
    return files


def frames_of(library, file):
    return (library.clip == [e.file for e in library.entries].index(file)).nonzero().flatten()


def test_a_walker_told_to_strike_comes_to_a_stop_first(library):
    for start in frames_of(library, "walk_forward_straight.npz")[::7].tolist():
        files = follow_change(library, start, "slash", 100)
        assert any(f.startswith("walk_to_stand") for f in files[:WAIT + 1])
        assert files[-1].startswith("slash")


def test_a_stander_begins_at_once_or_at_a_better_moment(library):
    for start in frames_of(library, "idle_guard.npz")[::25].tolist():
        files = follow_change(library, start, "slash", WAIT + 3)
        assert files[-1].startswith("slash")
        assert not any(f.endswith("_to_stand.npz") for f in files)


def test_a_foot_in_the_air_comes_down_before_the_next_skill(library):
    """From every moment of a kick into a turn: the foot is at most half as high as at its peak."""
    rows = frames_of(library, "kick_front.npz")
    height = library.frame[rows][:, FRAME["keys"]].reshape(len(rows), -1, 3)[..., 2] \
        + library.root_pos[rows, 2, None]
    foot = height[:, KEY_BODIES.index(FEET[0])]
    for start in rows[::4].tolist():
        files = follow_change(library, start, "turn_left", WAIT + 2)
        last = files.count("kick_front.npz") - 1
        at = (start - int(rows[0]) + max(last, 0)) % len(rows)
        assert foot[at] - foot.min() < 0.5 * (foot.max() - foot.min())


def turned(library, gait, angles, gentle=()):
    """Files of the clips that a body in ``gait`` is shown for targets at ``angles`` rad."""
    reference, files = Reference(library, 1, gentle=gentle), []
    reference.put(torch.tensor([0]), frames_of(library, f"{gait}_straight.npz")[:1])
    for angle in angles:
        reference.steer(torch.tensor([angle]))
        files.append(library.entries[int(library.clip[reference.index])].file)
        reference.index = library.next[reference.index]
    return files


def test_gentle_gaits_take_no_sharp_curve(library):
    """All see a target straight to the left; the walk is named in ``gentle``."""
    walk = turned(library, "walk_forward", [1.5] * 40, ["walk_forward"])
    assert set(walk) == {"walk_forward_curve_left.npz"}
    assert turned(library, "crouch_walk", [1.5] * 40, ["walk_forward"])[-1] \
        == "crouch_walk_sharp_left.npz"


def test_a_curve_is_taken_up_and_left_level_by_level(library):
    """A body at a run falls where its way changes at once, so every level lasts EASE steps."""
    files = turned(library, "run", [2.0] * 5 * EASE + [-2.0] * 9 * EASE)
    order = ["curve_left", "bend_left", "swerve_left", "sharp_left"]
    back = ["swerve_left", "bend_left", "curve_left", "straight", "curve_right", "bend_right",
            "swerve_right", "sharp_right"]
    wanted = [name for name in (*order, "sharp_left", *back) for _ in range(EASE)] \
        + ["sharp_right"] * EASE
    assert files == [f"run_{name}.npz" for name in wanted]


def test_the_further_to_the_side_the_sharper(library):
    """From 0.2 to 0.8 rad the levels begin at 0.2, 0.4, 0.6 and 0.8."""
    last = [turned(library, "run", [angle] * 40)[-1] for angle in (0.1, 0.3, 0.5, 0.7, 0.9)]
    assert last == [f"run_{name}.npz" for name in ("straight", "curve_left", "bend_left",
                                                   "swerve_left", "sharp_left")]


def follow_target(library, start, angle, steps):
    """Files of the clips that an exact follower with a target at ``angle`` rad is shown."""
    reference, files = Reference(library, 1, gentle=library.skills), []
    reference.put(torch.tensor([0]), torch.tensor([start]))
    skill = library.skill[start][None]
    for tick in range(1, steps):
        reference.steer(torch.tensor([angle]))
        files.append(library.entries[int(library.clip[reference.index])].file)
        following = library.next[reference.index]
        state = torch.where(following >= 0, following, reference.index)
        reference.advance(library.frame[state], skill, tick)
    return files


@pytest.mark.parametrize("gait", ["walk_backward", "strafe_left", "crouch_walk"])
def test_who_weaves_or_sets_off_is_led_to_the_target(library, gait):
    for clip in ("weave", "start"):
        start = int(frames_of(library, f"{gait}_{clip}.npz")[0])
        files = follow_target(library, start, 1.0, 90)
        assert files[-1] == f"{gait}_curve_left.npz", clip
        # not before the first step is made, and never back again
        assert files == sorted(files, key=lambda file: "curve" in file)


@pytest.mark.parametrize("gait", ["walk_backward", "strafe_left", "crouch_walk"])
def test_a_clip_that_set_off_goes_on_in_the_straight_loop(library, gait):
    rows = frames_of(library, f"{gait}_start.npz")
    files = follow_target(library, int(rows[0]), 0.0, len(rows) + 60)
    assert files[-60:] == [f"{gait}_straight.npz"] * 60


@pytest.mark.parametrize("gait", ["walk_forward", "strafe_left", "walk_backward"])
def test_who_is_told_to_turn_stops_once_and_turns(library, gait):
    """From every clip of the gait: no other clip of the gait comes after the stop."""
    for file in [e.file for e in library.entries if e.skill == gait]:
        for start in frames_of(library, file)[::20].tolist():
            files = follow_change(library, start, "turn_left", 160)
            assert files[-1].startswith("turn_left"), (file, start)
            after = files[next(i for i, f in enumerate(files) if f != file):]
            assert not any(f.startswith(gait + "_") and "to_stand" not in f for f in after)


@pytest.mark.parametrize("gait", ["walk", "strafe_left", "strafe_right", "walk_backward"])
def test_who_has_stopped_turns_though_the_body_still_sways(library, gait):
    """At the end of the stop, the body at any speed up to 0.4 m/s."""
    rows = frames_of(library, f"{gait}_to_stand.npz")
    last = int(rows[library.stops[rows]][-1])
    turn = torch.tensor([library.skills.index("turn_left")])
    for speed in (0.0, 0.2, 0.4):
        frame = library.frame[last][None].clone()
        frame[:, FRAME["linear"]] = torch.tensor([speed, 0.0, 0.0])
        reference = Reference(library, 1)
        reference.put(torch.tensor([0]), torch.tensor([last]))
        reference.advance(frame, turn, 1)
        assert int(library.skill[reference.index]) == int(turn), (gait, speed)


def test_who_still_lies_when_the_clip_has_got_up_tries_again(library):
    """At rest at the end of getting up: standing stays there, lying goes back to a lying frame."""
    kind = library.skills.index("get_up")
    rest = int((library.rest & (library.skill == kind)).nonzero()[0])
    lying = int((library.skill == kind).nonzero()[0])
    reference = Reference(library, 2)
    reference.put(torch.arange(2), torch.tensor([rest, rest]))
    state = torch.stack((library.frame[rest], library.frame[lying]))
    reference.advance(state, torch.tensor([kind, kind]), tick=1)
    assert reference.index[0] == rest
    assert library.root_pos[reference.index[1], 2] < 0.4
