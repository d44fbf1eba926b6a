"""Episodes of the skills task that walk up to the target and strike it down."""
from __future__ import annotations

import dataclasses

import pytest
import torch

from ppp.errors import PPPError
from ppp.tasks.approach import AFTER, GO_AFTER, NEAREST_PROP, ROLL_ON
from ppp.tasks.config import load_task
from ppp.tasks.env import HumanoidEnv


def make(library, count=64, share=1.0, **command):
    task = load_task("HumanoidSkills")
    command = {"approach": share, "in_reach": 0.0, "hold": [5, 5], **command}
    task = dataclasses.replace(task, command=dataclasses.replace(task.command, **command))
    env = HumanoidEnv(task, count, seed=4, library=library, threads=1)
    env.reset()
    env.age[:] = 0
    return env


def teleport(env, distance, up_z=1.0):
    """The engine's prop states with the first prop ``distance`` m ahead along x, leaning."""
    props = env.engine.state.prop_state.clone()
    props[:, 0, :2] = env.engine.state.root_pos[:, :2]
    props[:, 0, 0] += distance
    half = 0.5 * torch.acos(torch.tensor(up_z))
    props[:, 0, 3:7] = torch.tensor([half.cos(), half.sin(), 0.0, 0.0])
    return props


def advance(env, props):
    state = env.engine.state
    return env.commands.advance(state.root_pos, state.root_rot, props)


def test_the_share_of_episodes_and_where_they_start(library):
    env = make(library, count=400, share=0.3)
    active = env.commands.approach.active
    assert 0.2 < active.float().mean() < 0.4
    state, walk = env.engine.state, env.library.skills.index("walk_forward")
    gap = (state.prop_state[:, 0, :2] - state.root_pos[:, :2]).norm(dim=-1)
    assert (gap[active] >= 1.5 - 1e-4).all() and (gap[active] <= 5.0 + 1e-4).all()
    assert (gap[~active] > 20.0).all()  # out of the way of all others
    assert (env.commands.skill[active] == walk).all()
    assert torch.allclose(env.commands.target[active], state.prop_state[active, 0, :2])
    assert torch.equal(env.commands.striking, active)
    # on frames of standing or walking
    gap = (env.windows[active, -1, None] - library.frame[None]).abs().amax(-1)
    started = {library.skills[k] for k in library.skill[gap.argmin(-1)].tolist()}
    assert started == {"idle", "walk_forward"}
    env.close()


def test_the_blow_begins_within_its_own_reach_and_may_follow(library):
    env = make(library)
    rules, commands = env.commands.approach, env.commands
    gap = rules.near - ROLL_ON - 0.2  # the box is 0.4 m deep
    reach = library.reach[rules.blow]
    assert (gap <= torch.maximum(reach, torch.tensor(NEAREST_PROP)) + 1e-5).all()
    assert (gap >= 0.6 * reach - 1e-5).all() and (gap >= NEAREST_PROP - 1e-5).all()
    assert {library.skills[k] for k in rules.blow.tolist()} == {"slash", "stab", "kick",
                                                               "shield_bash"}
    walk = library.skills.index("walk_forward")
    for distance, wanted in ((rules.near + 0.05, None), (rules.near - 0.05, rules.blow),
                             (rules.near + GO_AFTER - 0.05, rules.blow),  # it was pushed away
                             (rules.near + GO_AFTER + 0.05, None)):
        props = env.engine.state.prop_state.clone()
        props[:, 0, 0] = env.engine.state.root_pos[:, 0] + distance
        props[:, 0, 1] = env.engine.state.root_pos[:, 1]
        advance(env, props)
        wanted = torch.full_like(commands.skill, walk) if wanted is None else wanted
        assert torch.equal(commands.skill, wanted)
        assert torch.allclose(commands.target, props[:, 0, :2])
    env.close()


def test_a_tipped_prop_ends_it_a_moment_later(library):
    env = make(library, count=16)
    commands = env.commands
    for _ in range(10):  # longer than a hold of 5 steps: nobody leaves before it is done
        advance(env, teleport(env, 0.8))
    assert commands.approach.active.all() and commands.striking.all()
    lying = teleport(env, 0.8, up_z=0.1)
    for step in range(AFTER):
        assert torch.equal(commands.skill, commands.approach.blow), step
        assert commands.striking.all()
        advance(env, lying)
    assert not commands.approach.active.any() and not commands.striking.any()
    target = commands.target.clone()
    advance(env, lying)
    assert torch.equal(commands.target, target)  # no longer the prop
    env.close()


def test_without_gait_or_blow_or_prop_no_episode_is_of_this_kind(library):
    task = load_task("HumanoidSkills")
    task = dataclasses.replace(task, skills=["idle", "slash"], skill_weights={})
    task.command.approach = 1.0
    env = HumanoidEnv(task, 8, threads=1)
    env.reset()
    assert not env.commands.approach.active.any()
    env.close()
    bare = dataclasses.replace(load_task("HumanoidSkills"), props=[])
    env = HumanoidEnv(bare, 8, library=library, threads=1)
    env.reset()
    env.step(torch.zeros(8, 31))
    assert not env.commands.approach.active.any()
    env.close()


def test_the_strike_term_is_for_those_who_strike(library):
    env = make(library, count=64, share=0.5)
    ids, active = torch.arange(64), env.commands.approach.active.clone()
    state, zero = env.engine.state, torch.zeros(64, 3)
    props = torch.zeros(64, 1, 7)
    props[:, 0, :3] = torch.tensor([10.0, 0.0, 0.2])
    props[:, 0, 3] = props[:, 0, 5] = 0.5 ** 0.5  # lying on its side, for everyone
    env.engine.reset(ids, state.root_pos, state.root_rot, state.joint_pos, state.joint_vel, zero,
                     zero, props)
    infos = env.step(torch.zeros(64, 31))[3]
    assert (infos["terms"]["strike"][active] > 0.9).all()
    assert (infos["terms"]["strike"][~active] == 0.0).all()
    env.close()


def test_a_blow_in_reach_counts_until_the_command_is_over(library):
    env = make(library, count=256, share=0.0, in_reach=1.0, switch_start=0.0)
    near = env.commands.striking.clone()
    assert near.any() and (library.reach[env.commands.skill[near]] > 0).all()
    for _ in range(5):
        advance(env, env.engine.state.prop_state)
    assert not env.commands.striking.any()
    env.close()


@pytest.mark.parametrize("body, words", [
    ("approach: 1.5", "'approach' of 'command' must be 0 to 1"),
    ("approach: 0.1", "'approach' of 'command' needs something to strike"),
    ("approach_distance: [3, 1]", "'approach_distance' needs two numbers"),
    ("blows: {}", "'blows' of 'command' needs at least one"),
])
def test_wrong_fields_are_named(tmp_path, body, words):
    path = tmp_path / "task.yaml"
    path.write_text(f"name: HumanoidSkills\nrewards: {{facing: 1.0}}\ncommand: {{{body}}}\n")
    with pytest.raises(PPPError, match=words):
        load_task("HumanoidSkills", path)


def test_a_blow_that_is_no_skill_gets_the_nearest_name(library):
    with pytest.raises(PPPError, match="did you mean 'slash'"):
        make(library, blows={"slahs": 1.0})
