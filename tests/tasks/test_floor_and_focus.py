"""Skills that begin on the floor, blows with something to strike, attention to what fails."""
from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from ppp.errors import PPPError
from ppp.humanoid.rotations import yaw_of
from ppp.motion.catalogue import entry_of, merged, write_library
from ppp.motion.clip import clip_from_joints, load_clip, save_clip
from ppp.motion.library import LibraryFile, MotionLibrary, SkillInfo, read_library
from ppp.settings import ROOT
from ppp.tasks.commands import UP
from ppp.tasks.config import load_task
from ppp.tasks.env import HumanoidEnv
from ppp.tasks.reference import Reference


@pytest.fixture(scope="module")
def rising(tmp_path_factory):
    """A library of idle and of a rise from the back that ends still, 2 s."""
    folder = tmp_path_factory.mktemp("rising")
    count = 61
    share = np.clip(np.linspace(0, 1.2, count), 0, 1)
    angle = -0.5 * np.pi * (1 - share)
    rot = np.stack((np.cos(angle / 2), 0 * angle, np.sin(angle / 2), 0 * angle), 1)
    pos = np.stack((0 * share, 0 * share, 0.15 + 0.71 * share), 1)
    rise = clip_from_joints(pos, rot, np.zeros((count, 31)), 30.0, "get up", "made for a test", "")
    save_clip(rise, folder / "rise.npz")
    idle = load_clip(ROOT / "motions" / "idle_sway.npz")
    save_clip(idle, folder / "idle_sway.npz")
    write_library(folder / "library.yaml", merged(
        LibraryFile({}, []), {"idle": SkillInfo("stand idle"), "rise": SkillInfo("get up")},
        [entry_of("rise", "rise", rise, False), entry_of("idle_sway", "idle", idle, True)]))
    return folder / "library.yaml"


def test_lying_and_resting_are_read_from_the_clips(rising):
    library = MotionLibrary(rising, ["idle", "rise"])
    assert library.may_lie.tolist() == [False, True]
    assert library.rest.sum() == 1 and library.next[library.rest] == -1


def test_the_reference_waits_at_a_still_end_only(rising, library):
    quiet = MotionLibrary(rising, ["rise"])
    reference = Reference(quiet, 1)
    reference.put(torch.tensor([0]), quiet.rest.nonzero().flatten())
    for tick in range(1, 10):
        reference.advance(quiet.frame[reference.index], torch.tensor([0]), tick)
    assert quiet.rest[reference.index]
    # walk_forward_start ends in mid-gait, where the loops go on
    number = [e.file for e in library.entries].index("walk_forward_start.npz")
    end = int((library.clip == number).nonzero()[-1])
    reference = Reference(library, 1)
    reference.put(torch.tensor([0]), torch.tensor([end]))
    reference.advance(library.frame[end][None], library.skill[end][None], 1)
    assert library.next[reference.index] >= 0


def test_who_lies_is_told_to_rise_until_it_stands(rising):
    task = dataclasses.replace(load_task("HumanoidSkills"), motion_file=str(rising), skills=[],
                               skill_weights={}, terminations=["fell", "toppled"])
    task.command.hold, task.command.switch_start = [1, 2], 1.0
    env = HumanoidEnv(task, 64, seed=1, threads=1)
    env.reset()
    low = env.engine.state.root_pos[:, 2] < UP
    rise = env.library.skills.index("rise")
    assert low.any() and (env.commands.skill[low] == rise).all()
    for _ in range(4):
        _, _, done, infos = env.step(torch.zeros(64, 31))
        down = low & (infos["state"].root_pos[:, 2] < UP) & ~done
        assert not infos["terminated"][low].any()
        assert (env.commands.skill[down] == rise).all()
    env.close()


def test_blows_start_with_something_in_reach(library):
    task = load_task("HumanoidSkills")
    task = dataclasses.replace(task, skills=["slash", "idle"], skill_weights={})
    task.command.in_reach, task.command.switch_start, task.command.anywhere = 1.0, 0.0, 0.0
    env = HumanoidEnv(task, 128, seed=2, threads=1)
    env.reset()
    state, slash = env.engine.state, env.library.skills.index("slash")
    gap = state.prop_state[:, 0, :2] - state.root_pos[:, :2]
    near = gap.norm(dim=-1) < 5.0
    assert near.sum() > 10 and (env.commands.skill[near] == slash).all()
    reach = env.library.reach[slash]
    assert reach > 0.8
    half = 0.5 * task.props[0].size[0]
    assert (gap[near].norm(dim=-1) - half < reach + 1e-3).all()
    # before the humanoid, in the direction the clip faces, and the command's target
    side = torch.atan2(gap[:, 1], gap[:, 0]) - yaw_of(state.root_rot)
    side = torch.atan2(side.sin(), side.cos()) - env.library.goal_angle[env.reference.index]
    assert torch.atan2(side.sin(), side.cos())[near].abs().max() < 1e-3
    assert torch.allclose(env.commands.target[near], state.prop_state[near, 0, :2], atol=1e-4)
    # nobody stands in it already, nor has anything in the way who is not to strike
    assert not state.prop_touched[:, 0].any()
    assert (gap[env.commands.skill != slash].norm(dim=-1) > 20.0).all()
    env.close()


def test_focus_draws_what_fails_oftener():
    task = load_task("HumanoidSkills")
    task = dataclasses.replace(task, skills=["idle", "slash"], skill_weights={})
    task.command.focus = 0.5
    env = HumanoidEnv(task, 8, threads=1)
    commands = env.commands
    assert torch.allclose(commands.weights * commands._focus(), torch.ones(2))
    commands.tally = torch.tensor([[99_000.0, 99_000.0], [90.0, 1590.0]])
    # rates 0.001 and 0.016 of mean 0.0085: their ratio to the power 0.5 is 4
    low, high = commands._focus().tolist()
    assert high / low == pytest.approx(4.0, rel=1e-3)
    drawn = torch.bincount(commands.draw_skills(4000), minlength=2)
    assert drawn[1] / drawn[0] == pytest.approx(4.0, rel=0.2)
    env.close()


def test_wrong_fields_of_a_command_are_named(tmp_path):
    head = "name: HumanoidSkills\nrewards: {facing: 1.0}\n"
    for body, wanted in (("command: {in_reach: 0.5}\n", "needs something to strike"),
                         ("command: {rule: approach_and_strike}\n", "needs a target"),
                         ("command: {focus: 3}\n", "field 'focus'")):
        (tmp_path / "task.yaml").write_text(head + body)
        with pytest.raises(PPPError, match=wanted):
            load_task("HumanoidSkills", tmp_path / "task.yaml")


def test_the_shipped_library_lists_blows_where_it_strikes():
    listed = read_library(ROOT / "motions" / "library.yaml")
    for entry in listed.clips:
        assert all(0.0 <= hit <= 1.0 for hit in entry.hits), entry.file
