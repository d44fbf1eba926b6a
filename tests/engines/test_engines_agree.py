"""mujoco_cpu and mujoco_warp: the same states and targets lead to the same motion.

Both stop the contact solver after four iterations, each at another place where a foot lands;
solved to the end they agree to rounding. Tolerances are several times what docs/engines.md says
was measured, for the clips may change.
"""
from __future__ import annotations

import pytest
import torch

from ppp.engines import make_engine
from ppp.engines.host import OnHost
from ppp.evaluation import engines
from ppp.humanoid.skeleton import NUM_DOFS
from ppp.learning.bundle import load_policy
from ppp.motion.library import MotionLibrary

pytest.importorskip("mujoco_warp")
NAMES = ("mujoco_cpu", "mujoco_warp")
SKILLS = ("block", "idle", "slash", "turn_left", "turn_right", "walk_forward", "run")


@pytest.fixture(scope="module")
def start(library):
    policy = load_policy()
    found = engines.starts_of(MotionLibrary(library.path, policy.skills), 1, seed=0)
    # those of which few meet the prop: convex shapes meet in other points, and that spreads
    few = torch.tensor([policy.skills.index(name) for name in SKILLS])
    return engines.Start(*(part[few] for part in found))


@pytest.fixture(scope="module")
def runs(start):
    """(engine, iterations) -> a second of one start of each of the shipped policy's skills."""
    out, policy = {}, load_policy()
    for iterations in (None, engines.SOLVED):
        for name in NAMES:
            engine = make_engine(name, len(start.skill), engines.SCENE, iterations=iterations)
            targets = out["mujoco_cpu", None]["targets"] if out else None
            out[name, iterations] = engines.perform(engine, start, 30, policy, targets)
            engine.close()
    return out


def test_solved_to_the_end_a_second_is_the_same_to_rounding(runs):
    first, second = (runs[name, engines.SOLVED] for name in NAMES)
    apart = engines.differences(first, second)
    end = apart["30"]
    assert apart["1"]["joint_deg_most"] < 1e-3 and apart["1"]["root_vel_most"] < 1e-4
    assert end["joint_deg"] < 1e-3 and end["joint_vel"] < 1e-3
    assert end["root_mm"] < 0.05 and end["root_vel"] < 1e-3
    # who may have struck the prop: convex shapes meet in other points
    assert end["joint_deg_most"] < 1.0 and end["root_mm_most"] < 20.0
    assert end["prop_mm"] < 0.1 and end["prop_mm_most"] < 50.0
    assert end["struck"] == 1.0
    # the motion is worth comparing: a metre a second is not lost in a tolerance of millimetres
    assert (first["root_pos"][-1] - first["root_pos"][0]).norm(dim=-1).max() > 0.3


def test_with_few_iterations_it_is_the_same_at_first_and_near_after_a_second(runs):
    apart = engines.differences(*(runs[name, None] for name in NAMES))
    assert apart["1"]["joint_deg"] < 0.01 and apart["1"]["joint_deg_most"] < 1.0
    assert apart["1"]["root_vel"] < 1e-3
    assert apart["3"]["joint_deg"] < 0.2
    assert apart["30"]["joint_deg"] < 0.5 and apart["30"]["root_mm"] < 10.0
    assert apart["30"]["struck"] == 1.0


def test_a_difference_is_measured_as_it_is():
    """1 rad in one of the joints, 3 and 4 mm of the pelvis, a touch that only one side saw."""
    zero = {"joint_pos": torch.zeros(1, 2, NUM_DOFS), "joint_vel": torch.zeros(1, 2, NUM_DOFS),
            "root_pos": torch.zeros(1, 2, 3), "root_vel": torch.zeros(1, 2, 6),
            "prop_pos": torch.zeros(1, 2, 3), "struck": torch.zeros(1, 2, dtype=torch.bool)}
    other = {name: value.clone() for name, value in zero.items()}
    other["joint_pos"][0, 1, 5] = 1.0
    other["root_pos"][0, 0] = torch.tensor([0.003, 0.004, 0.0])
    other["root_vel"][0, :, 5] = 7.0  # turning is not speed
    other["struck"][0, 1] = True
    row = engines.differences(zero, other)["1"]
    assert row["joint_deg_most"] == pytest.approx(57.2958 / NUM_DOFS ** 0.5, rel=1e-4)
    assert row["joint_deg"] == 0.0 and row["root_mm_most"] == pytest.approx(5.0, rel=1e-4)
    assert row["root_vel_most"] == 0.0 and row["struck"] == 0.5


def states(start, act):
    """What both engines make of the same reset and ``act(engine)``."""
    out = []
    for name in NAMES:
        engine = make_engine(name, len(start.skill), engines.SCENE)
        engine.reset(torch.arange(len(start.skill)), *start[:7])
        act(engine)
        out.append(engine.state)
        engine.close()
    return out


def close(one, two, within):
    pairs = zip((one.joint_pos, one.joint_vel, *one.bodies, one.prop_state),
                (two.joint_pos, two.joint_vel, *two.bodies, two.prop_state))
    return all(torch.allclose(a, b, atol=within) for a, b in pairs)


def test_a_reset_gives_the_same_state(start):
    assert close(*states(start, lambda engine: None), within=1e-5)


def test_a_push_gives_the_same_velocities(start):
    ids, impulse = torch.tensor([4, 1]), torch.tensor([[30.0, -12.0, 5.0], [-20.0, 0.0, 9.0]])
    one, two = states(start, lambda engine: engine.push(ids, impulse))
    assert close(one, two, within=2e-4)
    rest = states(start, lambda engine: None)[0]
    moved = (one.bodies.lin_vel - rest.bodies.lin_vel).norm(dim=-1).amax(-1)
    assert moved[ids].min() > 0.3 and moved[[0, 2, 3, 5]].max() == 0.0


def test_a_thrown_prop_flies_alike_and_nobody_else_is_disturbed(start):
    half = 0.5 ** 0.5
    thrown = torch.tensor([[[4.0, 1.0, 5.0, half, half, 0, 0, -2.0, 0.5, 3.0, 0, 0, 6.0]]])

    def act(engine):
        before = engine.state
        engine.set_props(torch.tensor([3]), thrown)
        assert torch.allclose(engine.state.prop_state[3], thrown[0], atol=1e-5)
        assert torch.equal(engine.state.prop_state[2], before.prop_state[2])
        assert torch.equal(engine.state.bodies.pos, before.bodies.pos)
        for _ in range(6):
            engine.step(before.joint_pos)

    one, two = (state.prop_state[3, 0] for state in states(start, act))
    assert torch.allclose(one, two, atol=1e-3)
    assert one[2] == pytest.approx(5.0 + 0.6 - 0.5 * 9.81 * 0.04, abs=0.04)


def test_a_prop_that_hits_the_body_is_told_at_the_same_time(start):
    """A target flies at 6 m/s towards the humanoid."""
    def act(engine):
        at = engine.state.prop_state[:1].clone()
        at[0, 0, :3], at[0, 0, 7] = torch.tensor([1.9, 0.0, 1.0]), -6.0
        engine.set_props(torch.tensor([0]), at)
        pose = engine.state.joint_pos
        for _ in range(12):
            engine.step(pose)
            seen.append((bool(engine.state.prop_touched[0, 0]),
                         bool(engine.state.prop_struck[0, 0])))

    seen = []
    one, two = states(start, act)
    first = [[touched for touched, _ in part].index(True) for part in (seen[:12], seen[12:])]
    assert min(first) > 0 and abs(first[0] - first[1]) <= 1
    moved = (two.prop_state[0, 0, :3] - one.prop_state[0, 0, :3]).norm()
    assert moved < 0.2


def test_on_the_host_an_engine_is_as_it_was(start):
    """The wrapper that scoring uses for a GPU; here both sides are the CPU."""
    bare = make_engine("mujoco_cpu", len(start.skill), engines.SCENE)
    hosted = OnHost(make_engine("mujoco_cpu", len(start.skill), engines.SCENE))
    ids, ones = torch.arange(len(start.skill)), torch.ones(len(start.skill), NUM_DOFS)
    for engine in (bare, hosted):
        engine.reset(ids, *start[:7])
        engine.push(ids[:1], torch.ones(1, 3))
        engine.set_props(ids[:1], engine.state.prop_state[:1] + 0.1)
        engine.step(ones)
    assert close(bare.state, hosted.state, within=0.0)
    assert torch.equal(hosted.state.contact_force, bare.state.contact_force)
    assert hosted.broken.tolist() == [False] * len(ids) and hosted.device == "cpu"
    for engine in (bare, hosted):
        engine.close()
