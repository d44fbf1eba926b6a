"""The regulator: its state, its linearisation of the simulator, and that it keeps gaits up."""
from __future__ import annotations

import contextlib
import dataclasses
import io

import pytest
import torch
from toy import ToyEnv

from ppp.engines import make_engine
from ppp.engines.scene import Scene
from ppp.humanoid.rotations import quat_mul, quat_rotate, yaw_quat
from ppp.humanoid.skeleton import JOINTS, dof_slices
from ppp.learning import regulator as module
from ppp.learning.regulator import PARTS, STATE, Regulator, Stepper, coordinates, held, linearised
from ppp.learning.teacher import Teacher, servo_targets
from ppp.motion.library import MotionLibrary
from ppp.tasks.config import load_task
from ppp.tasks.env import HumanoidEnv

DOFS = {joint.name: columns for joint, columns in zip(JOINTS, dof_slices())}


@pytest.fixture(scope="module")
def block():
    """The library of one standing skill and its held targets."""
    library = MotionLibrary(load_task("HumanoidSkills").motion_path(), ["block"])
    return library, held(library, servo_targets(library))


def test_coordinates_do_not_see_place_or_heading(block):
    library = block[0]
    engine = make_engine("mujoco_cpu", 2, Scene())
    rows = torch.tensor([3, 3])
    turn = yaw_quat(torch.tensor([0.0, 2.0]))
    pos = library.root_pos[rows] + torch.tensor([[0.0, 0, 0], [4.0, -7.0, 0]])
    engine.reset(torch.arange(2), pos, quat_mul(turn, library.root_rot[rows]),
                 library.joint_pos[rows], library.joint_vel[rows],
                 quat_rotate(turn, library.root_lin_vel[rows]),
                 quat_rotate(turn, library.root_ang_vel[rows]))
    one, two = coordinates(engine.state)
    engine.close()
    assert torch.allclose(one, two, atol=1e-5)


def test_a_disturbance_is_what_the_coordinates_show(block, monkeypatch):
    """0.01 of each coordinate in turn: the state before the step shows it there and nowhere else
    (a lean also tips the velocities a little)."""
    monkeypatch.setattr(module, "BATCH", 80)
    library, base = block
    stepper = Stepper(library)
    rows = torch.full((STATE + 1,), 5)
    kicks = torch.cat((torch.zeros(1, STATE), 0.01 * torch.eye(STATE)))
    before = stepper.step(rows, kicks, base[rows])[0]
    stepper.close()
    moved = before[1:] - before[0]
    assert torch.allclose(moved.diagonal(), torch.full((STATE,), 0.01), atol=5e-4)
    assert (moved - torch.diag(moved.diagonal())).abs().max() < 2e-3


def test_a_target_moves_its_own_joint(block, monkeypatch):
    """B: the elbow's target mostly turns the elbow, forward, by less than itself in one step."""
    monkeypatch.setattr(module, "BATCH", 512)
    library, base = block
    stepper = Stepper(library)
    b = linearised(stepper, torch.tensor([5]), base[[5]])[3][0]
    stepper.close()
    elbow = DOFS["right_elbow"].start
    joints = b[PARTS["height"] + PARTS["lean"]:][:31, elbow]
    assert joints.abs().argmax() == elbow
    assert 0.02 < float(joints[elbow]) < 1.0


def one_frame(nominal, change, gain):
    return Regulator(nominal, change, gain, torch.eye(31)[None], torch.eye(STATE)[None],
                     torch.zeros(1, STATE))


def test_the_correction_is_linear_and_bounded(block):
    engine = make_engine("mujoco_cpu", 1, Scene())
    state = coordinates(engine.state)
    gain = torch.zeros(1, 31, STATE)
    gain[0, 4, 0] = -2.0  # rad a metre of height
    nominal = state.clone()
    nominal[0, 0] -= 0.1
    found = one_frame(nominal, torch.full((1, 31), 0.05), gain).correction(
        torch.zeros(1, dtype=torch.long), engine.state)
    assert found[0, 4] == pytest.approx(0.05 - 0.2, abs=1e-5)
    assert found[0, 5] == pytest.approx(0.05)
    nominal[0, 0] -= 10.0
    far = one_frame(nominal, torch.zeros(1, 31), gain).correction(
        torch.zeros(1, dtype=torch.long), engine.state)
    engine.close()
    assert far[0, 4] == pytest.approx(-module.LARGEST)


def test_held_targets_are_the_mean_of_two_frames(block):
    library = block[0]
    ramp = torch.arange(library.size, dtype=torch.float32)[:, None].repeat(1, 31)
    found = held(library, ramp)[:, 0]
    loop = int((library.next == 0).nonzero()[0])  # the frame before the first one
    end = int((library.next < 0).nonzero()[0])
    assert found[0] == 0.5 and found[loop] == 0.5 * loop and found[end] == end


def test_the_regulator_keeps_a_noisy_gait_up_that_its_replay_loses():
    """Ten seconds of turning under noise of 0.03 rad at every joint."""
    falls = {}
    for feedback in ("none", "regulator"):
        task = dataclasses.replace(load_task("HumanoidSkills"), skills=["turn_left"],
                                   skill_weights={}, props=[], terminations=["toppled"],
                                   rewards={"imitation": 1.0}, episode_length=900)
        task.command.hold, task.command.switch_start, task.command.anywhere = [900, 900], 0.0, 0.0
        env = HumanoidEnv(task, 16, seed=5, threads=1)
        env.reset()
        env.age[:] = 0
        teacher, count = Teacher(env, feedback), 0
        noise = torch.Generator().manual_seed(3)
        for _ in range(300):
            action = teacher.actions() + 0.03 * torch.randn(16, 31, generator=noise)
            count += int(env.step(action)[3]["terminated"].sum())
        falls[feedback] = count
        env.close()
    assert falls["none"] > 20 and falls["regulator"] <= 4, falls


def test_a_kept_regulator_is_taken_again_and_not_for_other_targets(block, tmp_path, monkeypatch):
    library, base = block
    monkeypatch.setattr(module, "_solved", lambda *_: one_frame(
        torch.zeros(1, STATE), torch.ones(1, 31), torch.zeros(1, 31, STATE)))
    first = module.regulator(library, base, cache=tmp_path)

    def solve_again(*_):
        raise RuntimeError("solved again")

    monkeypatch.setattr(module, "_solved", solve_again)
    again = module.regulator(library, base, cache=tmp_path)
    assert torch.equal(first.change, again.change)
    with pytest.raises(RuntimeError, match="solved again"):
        module.regulator(library, base + 0.1, cache=tmp_path)
    for setting in ("TARGET_COST", "WRONG_COST", "LAPS", "RESTING"):
        with monkeypatch.context() as changed:
            changed.setattr(module, setting, 1)
            with pytest.raises(RuntimeError, match="solved again"):
                module.regulator(library, base, cache=tmp_path)


class ToyTeacher:
    """Says which acceleration leads the toy's points to their skill's velocity."""

    def __init__(self, env):
        self.env = env

    def actions(self):
        wanted = self.env.library.velocity[50 * self.env.commands.skill]
        return (wanted - self.env.velocity).clamp(-0.5, 0.5)


def test_the_pull_towards_the_teacher_teaches_without_any_reward(tmp_path):
    from test_learning import toy_config

    from ppp.learning.chance import seed_everything
    from ppp.learning.diagnostics import RunLog
    from ppp.learning.rlg_agent import PppAgent, build_params
    from ppp.learning.rlg_model import RlgEnv, RlgModel
    from ppp.learning.style import StyleTrainer
    from ppp.learning.train import make_policy

    seed_everything(0)
    env, config = ToyEnv(), toy_config(10)
    config = dataclasses.replace(
        config, ppo=dataclasses.replace(config.ppo, teacher=1.0),
        discriminator=dataclasses.replace(config.discriminator, reward_weight=0.0))
    policy = make_policy(config, torch.eye(4), 2, 2)
    before = env.error(policy)
    style = StyleTrainer(env.library, 2, config)
    log = RunLog(tmp_path, env.library.skills, config.iterations, 1e9, lambda: None)
    params = build_params(config, RlgEnv(env), RlgModel(policy), log, str(tmp_path), "run", "cpu")
    with contextlib.redirect_stdout(io.StringIO()):
        agent = PppAgent(params, config, style, ToyTeacher(env))
        style.refresh(policy.encoder)
        log.start()
        agent.train()
    after = env.error(policy)
    assert before > 0.9 and after < 0.5, (before, after)


def test_harm_is_priced_alike_in_every_frame_and_most_where_it_topples(block):
    """Ankles and hips cost more than the neck; the price is symmetric and never negative."""
    library, base = block
    harm = module._solved(library, base, "mujoco_cpu").harm
    torch.testing.assert_close(harm.diagonal(dim1=1, dim2=2).sum(-1),
                               torch.full((library.size,), 31.0))
    torch.testing.assert_close(harm, harm.transpose(1, 2))
    assert torch.linalg.eigvalsh(harm).min() > 0
    each = harm.diagonal(dim1=1, dim2=2).mean(0)
    from ppp.learning.teacher import _DOFS
    assert each[_DOFS["right_ankle"]].max() > 2 * each[_DOFS["neck"]].max()
