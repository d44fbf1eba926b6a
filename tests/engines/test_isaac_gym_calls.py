"""The order of Isaac Gym's calls: what the engine does, and that the stub catches what is wrong."""
from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from isaac_stub import isaacgym_stub  # noqa: F401  the fixture isaacgym

from ppp.engines import make_engine
from ppp.engines.isaac_gym_order import wants_isaac_gym
from ppp.engines.scene import Prop, Scene
from ppp.errors import PPPError
from ppp.humanoid.skeleton import NUM_DOFS

ROOT = Path(__file__).resolve().parents[2]
STUBS = ROOT / "tests" / "stubs"
SCENE = Scene((Prop("box", "target", (1.0, 0.0)), Prop("wall", "obstacle", (3.0, 0.0))))


@pytest.fixture
def engine(isaacgym):
    made = make_engine("isaac_gym", 2, SCENE)
    yield made
    made.close()


def reset(engine, ids):
    n = len(ids)
    zero, joints = torch.zeros(n, 3), torch.zeros(n, NUM_DOFS)
    engine.reset(torch.tensor(ids), torch.tensor([[0.0, 0.0, 0.9]]).repeat(n, 1),
                 torch.tensor([[1.0, 0, 0, 0]]).repeat(n, 1), joints, joints, zero, zero)


def test_a_step_makes_the_published_calls_in_the_published_order(engine):
    engine.step(torch.zeros(2, NUM_DOFS))
    calls = engine._world.gym.calls
    calls.clear()
    reset(engine, [1])
    reset(engine, [0])
    engine.set_props(torch.tensor([0]), torch.tensor([[[1.0, 1, 3, 1, 0, 0, 0, *[0.0] * 6]] * 2]))
    assert not calls, "nothing reaches the simulation before a step: a setter acts once only"
    engine.step(torch.zeros(2, NUM_DOFS))
    simulate = ["simulate", "fetch_results", "refresh root", "refresh dofs", "refresh bodies",
                "refresh forces"]
    assert calls == ["set root", "set dofs", "set targets", *simulate, *simulate]
    calls.clear()
    engine.push(torch.tensor([0]), torch.ones(1, 3))
    engine.step(torch.zeros(2, NUM_DOFS))
    assert calls == ["set targets", "apply forces", *simulate, *simulate]


def test_building_ends_with_prepare_sim_and_then_the_tensors(engine):
    calls = engine._world.gym.calls
    prepared = calls.index("prepare_sim")
    made = ("create", "load", "add", "set_actor")
    assert all(call.startswith(made) for call in calls[:prepared])
    assert [c for c in calls[prepared:] if c.startswith("acquire")] == [
        "acquire root", "acquire dofs", "acquire bodies", "acquire forces"]
    assert not any(call.startswith(made) for call in calls[prepared:])


def misuse(world, torch_tensor, what):
    """One wrong use of the simulation of ``world``."""
    gym, sim, unwrap = world.gym, world.sim, world.gymtorch.unwrap_tensor
    rows = torch_tensor([0], dtype=torch.int32)
    root = unwrap(world.root)
    if what == "int64 indices":
        long = torch_tensor([0])
        gym.set_actor_root_state_tensor_indexed(sim, root, unwrap(long), 1)
    elif what == "a dead tensor":
        gym.set_actor_root_state_tensor_indexed(sim, root, unwrap(rows + 1), 1)
    elif what == "twice":
        for _ in range(2):
            gym.set_actor_root_state_tensor_indexed(sim, root, unwrap(rows), 1)
    elif what == "refresh after a setter":
        gym.set_actor_root_state_tensor_indexed(sim, root, unwrap(rows), 1)
        gym.refresh_actor_root_state_tensor(sim)
    elif what == "no fetch":
        gym.simulate(sim)
        gym.refresh_dof_state_tensor(sim)
    elif what == "a wall is moved":
        wall = rows + 2
        gym.set_actor_root_state_tensor_indexed(sim, root, unwrap(wall), 1)
    elif what == "joints of a box":
        box = rows + 1
        gym.set_dof_state_tensor_indexed(sim, unwrap(world.dofs), unwrap(box), 1)
    elif what == "a part of the buffer":
        part = world.root[0].contiguous()
        gym.set_actor_root_state_tensor_indexed(sim, unwrap(part), unwrap(rows), 1)
    elif what == "an actor after prepare_sim":
        env = sim.envs[-1]
        gym.create_actor(env, env.actors[1].asset, world.gymapi.Transform(), "late", 1, 0, 0)
    elif what == "a second acquisition of nothing":
        sim.acquired.clear()
        gym.refresh_rigid_body_state_tensor(sim)


@pytest.mark.parametrize("what, words", [
    ("int64 indices", "32-bit"), ("a dead tensor", "garbage-collected"), ("twice", "once"),
    ("refresh after a setter", "stale"), ("no fetch", "fetch_results"),
    ("a wall is moved", "are fixed"), ("joints of a box", "no degrees of freedom"),
    ("a part of the buffer", "a buffer of"), ("an actor after prepare_sim", "after prepare_sim"),
    ("a second acquisition of nothing", "before it was acquired")])
def test_the_stub_catches(engine, what, words):
    """The engine's tests are worth as much as the stub is strict."""
    from isaacgym._types import Misuse

    with pytest.raises(Misuse, match=words):
        misuse(engine._world, torch.tensor, what)


def test_tensors_before_prepare_sim_are_caught(isaacgym):
    from isaacgym._types import Misuse

    gym, params = isaacgym.acquire_gym(), isaacgym.SimParams()
    params.up_axis, params.gravity = isaacgym.UP_AXIS_Z, isaacgym.Vec3(0, 0, -9.81)
    sim = gym.create_sim(0, -1, isaacgym.SIM_PHYSX, params)
    with pytest.raises(Misuse, match="prepare_sim"):
        gym.acquire_dof_state_tensor(sim)
    with pytest.raises(AttributeError, match="no field subbsteps"):
        params.subbsteps = 3


# -- the order of imports ----------------------------------------------------------------------
def python(code, *argv):
    """Run ``code`` in a fresh interpreter in which the stub is installed, and is strict."""
    return subprocess.run(
        [sys.executable, *(["-c", code] if code else []), *argv], cwd=str(ROOT), text=True,
        capture_output=True, timeout=120,
        env={**{k: v for k, v in os.environ.items() if k != "ISAACGYM_STUB_AFTER_TORCH"},
             "PYTHONPATH": f"{STUBS}{os.pathsep}{ROOT}", "OMP_NUM_THREADS": "1"})


def test_torch_first_is_an_error_that_names_the_mend():
    done = python("import torch\nfrom ppp.engines import make_engine\n"
                  "from ppp.engines.scene import Scene\nfrom ppp.errors import run_entry\n"
                  "import sys\nsys.exit(run_entry(lambda: make_engine('isaac_gym', 1, Scene())))")
    assert done.returncode == 2
    assert done.stderr.startswith("error: engine isaac_gym: torch was imported before isaacgym; "
                                  "start with 'python ppp/run.py --engine isaac_gym'")


def test_run_py_imports_isaacgym_before_torch_and_trains(tmp_path):
    """The stub refuses to be imported after torch, so this fails for any other order."""
    settings = tmp_path / "small.yaml"
    settings.write_text(
        "num_envs: 4\n"
        "network: {actor: [16], critic: [16], discriminator: [16], encoder: [16], latent: 8}\n"
        "ppo: {horizon: 4, minibatch: 16, epochs: 1}\n"
        "discriminator: {batch: 16, replay: 100}\n"
        "warm_start: {iterations: 0, critic_iterations: 0}\n")
    done = python(None, str(ROOT / "ppp" / "run.py"), "--task", "HumanoidHeading", "--engine",
                  "isaac_gym", "--cfg-train", str(settings), "--run-dir", str(tmp_path / "run"),
                  "--max-iterations", "1")
    assert done.returncode == 0, done.stderr[-2000:]
    assert "saved" in done.stdout


def test_where_isaacgym_is_not_installed_it_says_so():
    with pytest.raises(PPPError, match="isaacgym is not installed.*--engine mujoco_warp"):
        make_engine("isaac_gym", 1, Scene())


def test_without_mujoco_the_engines_and_the_teacher_say_what_is_missing(monkeypatch):
    """As under Isaac Gym's Python 3.8."""
    from ppp.motion.body import load_mujoco

    for name in [n for n in sys.modules if n.startswith("ppp.engines.mujoco")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "mujoco", None)
    with pytest.raises(PPPError, match="'mujoco' is not installed; 'ppp doctor'"):
        make_engine("mujoco_cpu", 1, Scene())
    with pytest.raises(PPPError, match="'warm_start.iterations'.*to 0.*--checkpoint"):
        load_mujoco()


def test_a_command_line_that_asks_for_it_is_recognised():
    assert wants_isaac_gym(["--task", "X", "--engine", "isaac_gym"])
    assert wants_isaac_gym(["--engine=isaac_gym"])
    assert not wants_isaac_gym(["--engine", "mujoco_cpu", "isaac_gym"])
    assert not wants_isaac_gym(["--engine"])
