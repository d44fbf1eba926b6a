"""MuJoCo-Warp on Warp's CPU device: resets, broken states, capacities, snapshots, the environment.

One scene serves all tests here and in test_engines_agree.py, for another would be compiled anew.
"""
from __future__ import annotations

import sys

import pytest
import torch

from ppp import run
from ppp.engines import make_engine, mujoco_warp_device
from ppp.engines.mujoco_warp_capacity import Capacities, Use, default_capacities
from ppp.engines.scene import Prop, Scene
from ppp.errors import PPPError
from ppp.humanoid.skeleton import BODY_ID, FEET, NUM_DOFS
from ppp.tasks.config import load_task
from ppp.tasks.env import HumanoidEnv

pytest.importorskip("mujoco_warp")
SCENE = Scene((Prop("dummy", "target", (2.0, 0.0)),))
N = 3


def put(engine, ids, height, xy=0.0, props=None):
    n = len(ids)
    zero, joints = torch.zeros(n, 3), torch.zeros(n, NUM_DOFS)
    engine.reset(torch.as_tensor(ids), torch.tensor([[xy, 0.0, height]]).repeat(n, 1),
                 torch.tensor([[1.0, 0, 0, 0]]).repeat(n, 1), joints, joints, zero, zero, props)


@pytest.fixture(scope="module")
def made():
    engine = make_engine("mujoco_warp", N, SCENE, device="cpu")
    yield engine
    engine.close()


@pytest.fixture
def engine(made):
    put(made, range(N), 0.885)
    return made


def test_standing_feet_carry_the_weight(engine):
    for _ in range(15):
        engine.step(torch.zeros(N, NUM_DOFS))
    force = engine.state.contact_force[:, list(FEET), 2].sum(-1)
    assert force.tolist() == pytest.approx([51.71 * 9.81] * N, rel=0.1)
    assert engine.state.contact_force[:, BODY_ID["head"]].abs().max() == 0
    assert not engine.state.prop_touched.any() and not engine.broken.any()


def test_a_reset_touches_only_the_named_environments_and_nothing_handed_out(engine):
    engine.step(torch.zeros(N, NUM_DOFS))
    before = engine.state
    kept = before.joint_pos.clone(), before.bodies.pos.clone(), before.contact_force.clone()
    put(engine, [2, 0], 1.5, xy=4.0)
    after = engine.state
    assert torch.equal(after.bodies.pos[1], kept[1][1])
    assert torch.equal(after.contact_force[1], kept[2][1])
    assert torch.allclose(after.root_pos[[0, 2]], torch.tensor([4.0, 0.0, 1.5]))
    assert after.contact_force[[0, 2]].abs().max() == 0
    engine.step(torch.ones(N, NUM_DOFS))
    assert torch.equal(before.joint_pos, kept[0]) and torch.equal(before.bodies.pos, kept[1])


def test_one_environment_gets_copies_too():
    """A slice of a single row is contiguous, so that a view of the simulator's memory would pass
    for a copy."""
    single = make_engine("mujoco_warp", 1, SCENE)
    put(single, [0], 0.885)
    state = single.state
    kept = state.root_pos.clone(), state.joint_vel.clone(), state.prop_state.clone()
    single.step(torch.ones(1, NUM_DOFS))
    single.close()
    assert torch.equal(state.root_pos, kept[0]) and torch.equal(state.joint_vel, kept[1])
    assert torch.equal(state.prop_state, kept[2])


@pytest.mark.parametrize("value", [float("nan"), 1e7])
def test_an_exploding_environment_is_marked_put_back_and_does_not_spread(engine, value):
    engine.step(torch.zeros(N, NUM_DOFS))
    height = engine.state.root_pos[:, 2].clone()
    engine._sim.qvel[1, 20] = value
    engine.step(torch.zeros(N, NUM_DOFS))
    assert engine.broken.tolist() == [False, True, False]
    state = engine.state
    for part in (state.joint_pos, state.contact_force, state.prop_state, *state.bodies):
        assert torch.isfinite(part[[0, 2]]).all()
    assert torch.isfinite(state.contact_force).all()
    assert (state.root_pos[[0, 2], 2] - height[[0, 2]]).abs().max() < 0.05
    put(engine, [1], 0.885)
    engine.step(torch.zeros(N, NUM_DOFS))
    assert not engine.broken.any() and torch.isfinite(engine.state.joint_vel).all()


def test_a_snapshot_goes_on_exactly(engine):
    for _ in range(3):
        engine.step(0.2 * torch.ones(N, NUM_DOFS))
    snapshot = engine.snapshot()
    engine.step(torch.zeros(N, NUM_DOFS))
    first = engine.state
    engine.step(torch.ones(N, NUM_DOFS))
    assert engine.restore(snapshot)
    engine.step(torch.zeros(N, NUM_DOFS))
    assert torch.equal(engine.state.joint_pos, first.joint_pos)
    assert torch.equal(engine.state.bodies.lin_vel, first.bodies.lin_vel)
    assert not engine.restore({"qpos": snapshot["qpos"][:2], "qvel": snapshot["qvel"]})
    assert not engine.restore({"full": snapshot["qpos"]})  # that of mujoco_cpu
    assert torch.equal(engine.state.joint_pos, first.joint_pos)


def test_the_step_runs_as_a_captured_graph_on_torchs_memory(engine):
    assert engine._sim._graph is not None
    assert engine._sim.qpos.data_ptr() == engine._sim._data.qpos.ptr
    recorded = engine.snapshot()
    engine.step(torch.zeros(N, NUM_DOFS))
    by_graph = engine.state
    engine.restore(recorded)
    graph, engine._sim._graph = engine._sim._graph, None
    engine.step(torch.zeros(N, NUM_DOFS))
    engine._sim._graph = graph
    assert torch.equal(engine.state.joint_pos, by_graph.joint_pos)


@pytest.mark.parametrize("option, value", [("nconmax", 4), ("njmax", 24)])
def test_capacities_too_small_are_told_at_the_start(option, value):
    with pytest.raises(PPPError) as told:
        make_engine("mujoco_warp", N, SCENE, **{option: value})
    text = str(told.value)
    assert f"option '{option}' ({value}" in text and f"--{option} " in text
    enough = int(text.split(f"--{option} ")[1].split()[0])
    make_engine("mujoco_warp", N, SCENE, **{option: enough}).close()


def test_lost_contacts_are_told_while_it_runs_once(capsys, monkeypatch):
    engine = make_engine("mujoco_warp", N, SCENE)
    monkeypatch.setattr("ppp.engines.mujoco_warp.CHECK_EVERY", 1)
    put(engine, range(N), 0.885)
    engine.step(torch.zeros(N, NUM_DOFS))
    assert capsys.readouterr().err == ""
    engine.capacities.njmax = 8  # as if the store had been made for that
    engine.step(torch.zeros(N, NUM_DOFS))
    told = capsys.readouterr().err
    assert "contacts were lost" in told and "option 'njmax' (8)" in told and "--njmax" in told
    engine.step(torch.zeros(N, NUM_DOFS))
    assert capsys.readouterr().err == ""
    engine.close()


def test_room_is_shared_by_contacts_and_counted_in_rows_alone():
    capacities = Capacities(10, Scene(), nconmax=100, njmax=400)
    assert capacities.lacking(Use(1000, 1000, 400, 0)) == []
    contacts, = capacities.lacking(Use(1100, 1200, 400, 8))
    # 110 in each on average, a fifth to spare: 132, and the next multiple of 16
    assert "1100 contacts" in contacts and contacts.endswith("--nconmax 144")
    pairs, = capacities.lacking(Use(1000, 1001, 400, 0))
    assert "1001 pairs" in pairs
    both = capacities.lacking(Use(1100, 0, 401, 0))
    assert len(both) == 2 and both[1].endswith("--njmax 496")
    assert "overflow bits 0x2" in capacities.lacking(Use(1, 1, 1, 2))[0]
    with pytest.raises(PPPError, match="option 'njmax' is 0"):
        Capacities(10, Scene(), 20, 0)
    few, many = default_capacities(Scene()), default_capacities(SCENE)
    assert many[0] > few[0] and many[1] > few[1]


def test_without_a_gpu_or_without_a_torch_for_it_the_way_out_is_told(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(PPPError, match="use --device cpu"):
        make_engine("mujoco_warp", 1, SCENE, device="cuda")


@pytest.mark.parametrize("device, sentence", [("gpu", "unknown device 'gpu'"),
                                              ("cuda:77", "no device 'cuda:77' here")])
def test_a_device_that_is_not_there_is_told(device, sentence):
    with pytest.raises(PPPError, match=sentence):
        make_engine("mujoco_warp", 1, SCENE, device=device)
    with pytest.raises(PPPError, match="runs on the CPU only"):
        make_engine("mujoco_cpu", 1, SCENE, device=device)


def test_without_the_package_the_command_to_install_it_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "mujoco_warp", None)
    monkeypatch.delitem(sys.modules, "ppp.engines.mujoco_warp_device")
    import importlib
    bare = importlib.import_module("ppp.engines.mujoco_warp_device")
    monkeypatch.setitem(sys.modules, "ppp.engines.mujoco_warp_device", mujoco_warp_device)
    with pytest.raises(PPPError, match="pip install"):
        bare.warp_device("cpu")


def test_the_environment_begins_and_goes_on_as_with_mujoco_cpu():
    """Equal seeds draw equal commands and starts; a step later the bodies are still alike."""
    seen = []
    for name in ("mujoco_cpu", "mujoco_warp"):
        env = HumanoidEnv(load_task("HumanoidSkills"), N, seed=3, engine=name, device="cpu")
        first = env.reset()
        after, reward, done, infos = env.step(torch.zeros(N, env.action_size))
        seen.append((first, infos["next_obs"], reward))
        assert not done.any() and env.broken_count == 0
        env.close()
    (first, after, reward), (other, later, paid) = seen
    assert torch.allclose(first, other, atol=1e-3)
    assert (after - later).abs().median() < 1e-3 and (reward - paid).abs().max() < 0.05


def test_a_run_trains_on_it_and_goes_on_with_another_engine(tmp_path, capsys):
    settings = tmp_path / "small.yaml"
    settings.write_text("""
num_envs: 8
network: {actor: [16], critic: [16], discriminator: [16], encoder: [8], latent: 8}
ppo: {horizon: 4, minibatch: 32, epochs: 1}
discriminator: {batch: 16, replay: 50}
warm_start: {iterations: 0, critic_iterations: 0}
""")
    args = ["--task", "HumanoidSkills", "--cfg-train", str(settings), "--run-dir",
            str(tmp_path / "run")]
    assert run.main([*args, "--engine", "mujoco_warp", "--njmax", "300",
                     "--max-iterations", "1"]) == 0
    assert "engine: mujoco_warp" in (tmp_path / "run" / "settings.yaml").read_text()
    assert run.main([*args, "--resume", "--max-iterations", "2"]) == 0
    assert "every humanoid starts a new episode" in capsys.readouterr().err
    assert (tmp_path / "run" / "checkpoints" / "iteration_0000002.pt").is_file()


@pytest.mark.parametrize("args, sentence", [
    (["--nconmax", "64"], "belong to --engine mujoco_warp"),
    (["--engine", "mujoco_warp", "--test"], "--test performs on mujoco_cpu"),
    (["--engine", "mujoco_warp", "--njmax", "0"], "option 'njmax' is 0")])
def test_options_that_do_not_fit_are_told(args, sentence, tmp_path):
    with pytest.raises(PPPError, match=sentence):
        run.main([*args, "--run-dir", str(tmp_path)])
