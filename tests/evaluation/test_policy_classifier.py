"""The skill classifier: what it must tell apart, and what it must not be able to see."""
from __future__ import annotations

import pytest
import torch

from ppp.evaluation.classifier import (
    SAMPLES,
    SPAN,
    STRIDE,
    Clips,
    ceiling,
    clips_of,
    cut,
    train_classifier,
    trained_on,
    window_at,
    window_ends,
)
from ppp.evaluation.recogniser import share_seen
from ppp.humanoid.observation import FRAME
from ppp.motion.library import MotionLibrary
from ppp.settings import ROOT

SKILLS = ["idle", "slash", "walk_forward", "walk_backward", "get_up"]


@pytest.fixture(scope="module")
def library():
    return MotionLibrary(ROOT / "motions" / "library.yaml", SKILLS)


@pytest.fixture(scope="module")
def net(library):
    return train_classifier(library, steps=120, batch=128)


def ramp(length: int, loop: bool) -> Clips:
    """A clip whose t-th frame holds t everywhere."""
    frames = torch.arange(float(length))[:, None].expand(-1, 140).clone()
    return Clips(frames, torch.tensor([0]), torch.tensor([length]), torch.tensor([loop]),
                 torch.tensor([0]), ["ramp"])


def test_a_window_ends_where_it_should_and_goes_back_a_second():
    window = cut(ramp(100, False), torch.tensor([0]), torch.tensor([50.0]), torch.ones(1))
    assert window[0, :, 0].tolist() == [50.0 - STRIDE * k for k in range(SAMPLES - 1, -1, -1)]
    rows = torch.arange(100.0)[:, None, None].expand(-1, 1, 140)
    assert torch.equal(window_at(rows, 50), window)
    assert SPAN == 30  # one second of control steps


def test_pace_stretches_time_and_scales_velocities_only():
    window = cut(ramp(200, False), torch.tensor([0]), torch.tensor([100.0]), torch.tensor([0.5]))
    height, joint_vel = window[0, :, 0], window[0, :, FRAME["joint_vel"].start]
    assert height[0] == 100.0 - 0.5 * SPAN
    assert torch.allclose(joint_vel, 0.5 * height)


def test_a_loop_goes_round_and_a_single_clip_waits_at_its_beginning():
    end = torch.tensor([5.0])
    looped = cut(ramp(60, True), torch.tensor([0]), end, torch.ones(1))[0, :, 0]
    once = cut(ramp(60, False), torch.tensor([0]), end, torch.ones(1))[0, :, 0]
    assert looped[0] == (5 - SPAN) % 60 and once[0] == 0.0
    assert looped[-1] == once[-1] == 5.0


def test_held_out_windows_are_not_trained_on(library):
    clips = clips_of(library)
    for c in trained_on(clips).nonzero().flatten().tolist():
        held, kept = (set(window_ends(clips, c, flag).tolist()) for flag in (True, False))
        assert held and kept and not held & kept


def test_starts_and_stops_are_left_out_of_training(library):
    clips = clips_of(library)
    used = {name for name, used in zip(clips.names, trained_on(clips)) if used}
    assert "walk_to_stand.npz" not in used and "walk_forward_start.npz" not in used
    assert {"walk_forward_straight.npz", "get_up_prone.npz"} <= used


def test_it_knows_held_out_windows_of_every_skill(net, library):
    found = ceiling(net, library)
    assert found["ceiling"] > 0.9 and min(found["per_skill"].values()) > 0.7
    assert found["statues_refused"] > 0.9


def test_a_statue_in_the_pose_of_a_blow_is_no_blow(net, library):
    clips = clips_of(library)
    c = clips.names.index("slash_overhead.npz")
    ends = torch.arange(float(clips.length[c]))
    number = torch.full((len(ends),), c)
    moving = net.probabilities(cut(clips, number, ends, torch.ones(len(ends))))
    held = net.probabilities(cut(clips, number, ends, torch.zeros(len(ends))))
    slash = SKILLS.index("slash")
    assert moving[:, slash].mean() > 0.8 > 0.2 > held[:, slash].mean()
    assert held[:, len(SKILLS)].mean() > 0.8  # none
    assert torch.allclose(held.sum(-1), torch.ones(len(ends)), atol=1e-5)


def test_the_same_seed_gives_the_same_classifier_and_leaves_the_generator_alone(library):
    torch.manual_seed(5)
    first = train_classifier(library, seed=1, steps=5, batch=16)
    torch.rand(7)  # whatever was drawn in between
    second = train_classifier(library, seed=1, steps=5, batch=16)
    other = train_classifier(library, seed=2, steps=5, batch=16)
    weight = [next(iter(net.net.parameters())) for net in (first, second, other)]
    assert torch.equal(weight[0], weight[1]) and not torch.equal(weight[0], weight[2])
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    train_classifier(library, seed=1, steps=2, batch=16)
    assert torch.equal(torch.rand(3), expected)


def test_it_trains_where_gradients_are_off(library):
    with torch.no_grad():
        net = train_classifier(library, steps=3, batch=16)
    assert not net.training


def test_the_share_of_a_step_in_which_its_skill_is_seen(net, library):
    name = "slash"
    clip = next(i for i, e in enumerate(library.entries) if e.skill == name and e.loop)
    loop = library.frame[library.clip == clip]
    frames = loop.repeat(-(-90 // len(loop)), 1)[:90].numpy()
    assert share_seen(net, frames, name) > 0.9
    assert all(share_seen(net, frames, other) < 0.1 for other in SKILLS if other != name)
    assert share_seen(net, frames[:SPAN], name) is None  # shorter than a window
    assert share_seen(net, frames, "moonwalk") is None  # no clip has it
