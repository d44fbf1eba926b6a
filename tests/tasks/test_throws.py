"""Thrown boxes and points to reach: where they fly and lie, and when."""
from __future__ import annotations

import dataclasses
import math

import pytest
import torch

from ppp.errors import PPPError
from ppp.humanoid.rotations import wrap_angle, yaw_of
from ppp.learning.moment import env_state, load_env_state
from ppp.tasks.config import load_task
from ppp.tasks.env import OUT_OF_THE_WAY, HumanoidEnv
from ppp.tasks.throws import GRAVITY, thrown


def perturbed(count, seed=0, **throw):
    task = load_task("HumanoidPerturb")
    task = dataclasses.replace(task, skills=["idle"], skill_weights={}, terminations=[],
                               throw=dataclasses.replace(task.throw, **throw))
    env = HumanoidEnv(task, count, seed=seed, threads=1)
    env.reset()
    env.age[:] = 0
    return env


def still(env):
    return torch.zeros(env.num_envs, 31)


def test_a_lob_meets_a_moving_aim():
    aim = torch.tensor([[1.0, 2.0, 1.1], [0.0, 0.0, 0.9]])
    velocity = torch.tensor([[0.5, -0.2, 0.0], [0.0, 0.0, 0.0]])
    speed = torch.tensor([4.0, 2.0])
    box = thrown(aim, velocity, torch.tensor([0.3, -2.0]), 2.0, speed)
    assert (box[:, :2] - aim[:, :2]).norm(dim=-1)[1] == pytest.approx(2.0, abs=1e-5)
    assert box[:, 7:9].norm(dim=-1).tolist() == pytest.approx([4.0, 2.0])
    time = (2.0 / speed)[:, None]
    meets = box[:, :3] + box[:, 7:10] * time
    meets[:, 2] -= 0.5 * GRAVITY * time[:, 0] ** 2
    assert torch.allclose(meets, torch.cat((aim[:, :2] + velocity[:, :2] * time, aim[:, 2:]), -1),
                          atol=1e-5)


def test_boxes_hit_who_stands_and_only_when_it_is_time():
    env = perturbed(8, interval=[20, 20], speed=[4.0, 4.0])
    assert (env.engine.state.prop_state[:, :, 0] == OUT_OF_THE_WAY).all()
    impulses = set()
    touched = torch.zeros(8, dtype=torch.bool)
    for t in range(1, 62):
        infos = env.step(still(env))[3]
        assert len(infos["thrown"]) == (8 if t % 20 == 0 else 0)
        impulses |= {round(x, 4) for x in env.throws.impulse.tolist()}
        touched |= infos["state"].prop_touched.any(1)
    assert touched.float().mean() >= 0.5  # the body sinks in the mean pose, so that some miss
    assert impulses == {0.0, 8.0, 20.0}  # 2 kg and 5 kg at 4 m/s
    env.close()


def test_the_same_seed_throws_the_same_boxes():
    flights = []
    for seed in (1, 1, 2):
        env = perturbed(3, seed=seed, interval=[2, 6])
        flights.append(torch.stack([env.step(still(env))[3]["state"].prop_state
                                    for _ in range(12)]))
        env.close()
    assert torch.equal(flights[0], flights[1]) and not torch.equal(flights[0], flights[2])


def test_a_new_episode_begins_without_a_box_in_the_air():
    env = perturbed(2, interval=[1, 1])
    env.step(still(env))
    env.age[0] = env.config.episode_length
    env.throws.config.interval[:] = [50, 50]
    env.step(still(env))
    assert (env.engine.state.prop_state[0, :, 0] == OUT_OF_THE_WAY).all()
    assert env.throws.impulse[0] == 0.0 < env.throws.impulse[1]
    env.close()


def test_points_to_reach_lie_where_the_task_says():
    env = HumanoidEnv(load_task("HumanoidReach"), 64, seed=1, threads=1)
    env.reset()
    where, commands, state = env.config.command.point, env.commands, env.engine.state
    gap = commands.point[:, :2] - state.root_pos[:, :2]
    distance = gap.norm(dim=-1)
    assert (distance >= where.distance[0] - 1e-4).all()
    assert (distance <= where.distance[1] + 1e-4).all()
    bearing = wrap_angle(torch.atan2(gap[:, 1], gap[:, 0]) - yaw_of(state.root_rot))
    assert bearing.min() < -0.5 and bearing.max() > 0.5 and bearing.abs().max() <= 1.0 + 1e-4
    assert commands.point[:, 2].min() >= 0.5 and commands.point[:, 2].max() <= 1.6
    assert torch.equal(commands.target, commands.point[:, :2])
    before = commands.point.clone()
    commands.left[:] = 1
    env.step(still(env))
    assert (commands.point != before).any(1).all()
    # the tip of the sword is what counts
    commands.point = env.engine.state.bodies.pos[:, 6].clone()
    assert env.step(still(env))[3]["terms"]["reach"].min() > 0.5
    env.close()


@pytest.mark.parametrize("body, words", [
    ("throw: {props: [stone]}", "'stone' is no prop of kind target"),
    ("throw: {interval: [0, 3]}", "interval of 1 step"),
    ("throw: {speed: [5, 3]}", "'throw.speed' needs two numbers"),
    ("command: {point: {height: [1]}}", "'point.height' needs two numbers"),
    ("command: {reach_with: sord}", "did you mean 'sword'"),
    ("props: [{name: a, kind: target, position: [1, 0], mass: 0}]", "'mass' must be above 0"),
    ("algo: hlr", "did you mean 'hrl'"),
    ("high_level: {reech: 1}", "did you mean 'reach'"),
])
def test_wrong_fields_are_named(tmp_path, body, words):
    path = tmp_path / "task.yaml"
    path.write_text(f"name: x\nrewards: {{facing: 1.0}}\n{body}\n")
    with pytest.raises(PPPError, match=words):
        load_task("HumanoidPerturb", path)


def test_a_box_from_behind_comes_from_behind():
    box = thrown(torch.tensor([[0.0, 0.0, 1.0]]), torch.zeros(1, 3), torch.tensor([math.pi]), 2.0,
                 torch.tensor([5.0]))
    assert box[0, 0].item() == pytest.approx(-2.0, abs=1e-5) and box[0, 7].item() > 4.9


def test_a_moment_taken_back_throws_the_same_boxes_again():
    env = perturbed(2, interval=[4, 9])
    for _ in range(7):
        env.step(still(env))
    kept, random = env_state(env), env.generator.get_state()
    runs = []
    for _ in range(2):
        assert load_env_state(env, kept)
        env.generator.set_state(random)
        runs.append(torch.stack([env.step(still(env))[3]["state"].prop_state for _ in range(15)]))
    assert torch.equal(*runs)
    env.close()
