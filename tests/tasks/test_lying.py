"""Falls that are gone on from: how a body that lies anyhow gets to where a clip begins."""
from __future__ import annotations

import dataclasses

import pytest
import torch

from ppp.errors import PPPError
from ppp.humanoid.observation import FRAME, discriminator_frame
from ppp.humanoid.rotations import exp_map_to_quat, quat_mul
from ppp.learning.teacher import on_the_floor
from ppp.motion.standing import standing_pose
from ppp.tasks.config import load_task
from ppp.tasks.env import HumanoidEnv
from ppp.tasks.lying import ONSET, Lying
from ppp.tasks.reference import Reference


def first(library, name):
    """The first frame of a clip."""
    number = [e.file for e in library.entries].index(f"{name}.npz")
    return int((library.clip == number).nonzero()[0])


@pytest.fixture(scope="module")
def lying(library):
    return Lying(library)


def small(**command):
    """The shipped task, falls alone ending episodes."""
    task = load_task("HumanoidSkills")
    task = dataclasses.replace(task, terminations=["fell", "toppled"], episode_length=10 ** 6)
    for name, value in {"approach": 0.0, "in_reach": 0.0, **command}.items():
        setattr(task.command, name, value)
    return task


def test_clips_that_begin_flat_are_where_one_rests(library, lying):
    assert sorted(lying.rows.tolist()) == sorted(
        first(library, name) for name in ("get_up_roll", "get_up_prone"))


@pytest.mark.parametrize("side, name", [(1.0, "get_up_roll"), (-1.0, "get_up_prone")])
def test_who_is_down_far_from_any_frame_rests_first_on_that_side(library, lying, side, name):
    kind = torch.tensor([library.skills.index("get_up")])
    rows = torch.tensor([first(library, "get_up_kneeling") + 40])
    frame = torch.zeros(1, 140)
    frame[:, FRAME["height"]] = 0.12
    frame[:, FRAME["rotation"]] = torch.tensor([0.0, 0, side, -side, 0, 0])
    assert lying.begin(rows, kind, frame).tolist() == [first(library, name)]
    # in that frame of the clip it goes on, and who stands is no concern of this
    assert torch.equal(lying.begin(rows, kind, library.frame[rows]), rows)
    frame[:, FRAME["height"]] = 0.8
    assert torch.equal(lying.begin(rows, kind, frame), rows)


def test_nobody_rests_for_a_skill_that_does_not_lie(library, lying):
    row = torch.tensor([first(library, "walk_forward_straight")])
    frame = torch.zeros(1, 140)
    assert torch.equal(lying.begin(row, library.skill[row], frame), row)


def test_the_clip_begins_when_the_body_has_come_to_rest(library, lying):
    row = torch.tensor([first(library, "get_up_prone")])
    at_rest = library.frame[row].clone()
    at_rest[:, FRAME["joint_vel"]] = 0.0
    bent, quick = at_rest.clone(), at_rest.clone()
    bent[:, FRAME["joints"].start + 6] -= 1.0
    quick[:, FRAME["joint_vel"]] = 1.0
    assert lying.wait(row + 1, row, at_rest).tolist() == (row + ONSET).tolist()
    for body in (bent, quick):
        assert lying.wait(row + 1, row, body).tolist() == row.tolist()
    over = quick.clone()  # rolled on its back meanwhile
    over[:, FRAME["rotation"]] = library.frame[first(library, "get_up_roll")][FRAME["rotation"]]
    assert lying.wait(row + 1, row, over).tolist() == [first(library, "get_up_roll")]


def test_who_drops_on_the_way_up_begins_again(library):
    row = first(library, "get_up_prone")
    row += int((library.root_pos[row:row + 200, 2] > 0.7).nonzero()[0])  # nearly up
    kind = torch.tensor([library.skills.index("get_up")])
    dropped = library.frame[first(library, "get_up_roll")][None].clone()
    dropped[:, FRAME["joints"].start:FRAME["joints"].start + 12] += 0.3
    reference = Reference(library, 1)
    reference.put(torch.tensor([0]), torch.tensor([row]))
    reference.advance(dropped, kind, tick=1)
    assert reference.index.tolist() == [first(library, "get_up_roll")]


def test_servos_bring_a_heap_to_rest_where_a_clip_begins(library):
    """Bodies on their back and sides, joints anyhow: within two seconds the clip has begun."""
    env = HumanoidEnv(small(), 24, seed=0, threads=1, library=library)
    env.reset()
    ids, start = torch.arange(24), first(library, "get_up_roll")
    torch.manual_seed(0)
    about = torch.zeros(24, 3)
    about[:, 0] = torch.linspace(-1.5, 1.5, 24)  # rolled about the long axis
    rot = quat_mul(library.root_rot[start].expand(24, 4), exp_map_to_quat(about.roll(2, 1)))
    pos = torch.tensor([0.0, 0.0, 0.35]).repeat(24, 1)
    zero = torch.zeros(24, 3)
    env.engine.reset(ids, pos, rot, library.joint_pos[start] + 0.4 * torch.randn(24, 31),
                     torch.zeros(24, 31), zero, zero)
    env.commands.skill[:] = library.skills.index("get_up")
    env.commands.left[:] = 10 ** 6
    state = env.engine.state
    env.reference.waiting[:] = 0
    env.reference.rephase(ids, env.commands.skill, discriminator_frame(
        state.bodies, state.joint_pos, state.joint_vel))
    assert env.reference.lying.waits(env.reference.index).all()
    begun = torch.zeros(24, dtype=torch.bool)
    for _ in range(60):
        target = library.joint_pos[env.reference.index]
        env.step((target - env.actions.offset) / env.actions.scale)
        begun |= ~env.reference.lying.waits(env.reference.index)
    env.close()
    assert begun.float().mean() > 0.9


@pytest.mark.parametrize("rise, stays", [(1.0, True), (0.0, False)])
def test_after_a_fall_the_next_episode_begins_where_it_fell(library, rise, stays):
    env = HumanoidEnv(small(rise=rise, switch_start=0.0), 16, seed=3, threads=1, library=library)
    env.reset()
    up, seen = library.skills.index("get_up"), 0
    for _ in range(60):
        skill = env.commands.skill.clone()
        done, infos = env.step(3.0 * torch.randn(16, 31))[2:]
        fell, now = infos["state"].root_pos, env.engine.state.root_pos
        down = infos["terminated"] & (skill != up) & (fell[:, 2] < 0.7)
        assert done[down].all() and not env.age[down].any()
        assert ((fell[down] == now[down]).all(-1) == stays).all()
        if stays:
            assert (env.commands.skill[down] == up).all() and (env.quality[down] == 1.0).all()
        seen += int(down.sum())
    env.close()
    assert seen > 5


def test_a_share_of_falls_is_checked(tmp_path):
    path = tmp_path / "task.yaml"
    path.write_text("name: HumanoidSkills\ncommand: {rise: 2.0}\n")
    with pytest.raises(PPPError, match="'rise'"):
        load_task("HumanoidSkills", path)


def test_the_teacher_lets_go_only_while_arms_or_trunk_carry(library):
    loose = on_the_floor(library)
    shares = {e.file[:-4]: float(loose[library.clip == n].float().mean())
              for n, e in enumerate(library.entries)}
    assert shares["get_up_roll"] == 1.0 and shares["get_up_kneeling"] == 0.0
    assert 0.2 < shares["get_up_prone"] < 0.7
    assert all(not share for name, share in shares.items() if not name.startswith("get_up"))


def test_the_standing_pose_is_one_that_stands(library):
    """Not the first frame of the first clip: that one comes out of a crouch and topples."""
    pose = standing_pose(library)
    gap = (library.joint_pos - pose[5:]).abs().amax(-1)
    entry = library.entries[int(library.clip[int(gap.argmin())])]
    assert float(gap.min()) == 0.0 and entry.skill == "idle" and entry.loop
    assert pose[0] > 0.8 and float(pose[1:5].abs()[0]) > 0.99
