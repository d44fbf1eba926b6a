"""The MuJoCo engine: servos, replay, props, touch, broken states."""
from __future__ import annotations

import math

import pytest
import torch

from ppp.engines import make_engine
from ppp.engines.scene import Prop, Scene
from ppp.errors import PPPError
from ppp.humanoid.observation import discriminator_frame
from ppp.humanoid.rotations import quat_rotate
from ppp.humanoid.skeleton import BODY_ID, DOF_NAMES, FEET, NUM_DOFS


def start(engine, height=0.9, joint_pos=None, xy=(0.0, 0.0), props=None):
    n = engine.num_envs
    pos = torch.tensor([[xy[0], xy[1], height]]).repeat(n, 1)
    zero = torch.zeros(n, 3)
    joints = torch.zeros(n, NUM_DOFS) if joint_pos is None else joint_pos
    engine.reset(torch.arange(n), pos, torch.tensor([[1.0, 0, 0, 0]]).repeat(n, 1), joints,
                 torch.zeros(n, NUM_DOFS), zero, zero, props)


@pytest.fixture
def engine():
    made = make_engine("mujoco_cpu", 2, Scene(), threads=1)
    yield made
    made.close()


def test_servo_reaches_an_exponential_map_target(engine):
    """High in the air nothing but the servo acts; 2.5 rad is far beyond an Euler hinge's 90 deg."""
    target = torch.zeros(2, NUM_DOFS)
    arm = [DOF_NAMES.index(f"right_shoulder_{a}") for a in "xyz"]
    target[:, arm] = 2.5 * torch.tensor([0.0, -0.8, 0.6])
    start(engine, height=50.0)
    for _ in range(60):
        engine.step(target)
    assert torch.allclose(engine.state.joint_pos[:, arm], target[:, arm], atol=0.05)


def test_a_clip_replayed_through_the_engine_gives_its_own_discriminator_frames(library):
    """Catches every mistake of frame, order, quaternion convention or velocity."""
    rows = torch.arange(0, library.size, 7)
    engine = make_engine("mujoco_cpu", len(rows), Scene(), threads=1)
    engine.reset(torch.arange(len(rows)), library.root_pos[rows], library.root_rot[rows],
                 library.joint_pos[rows], library.joint_vel[rows], library.root_lin_vel[rows],
                 library.root_ang_vel[rows])
    s = engine.state
    frames = discriminator_frame(s.bodies, s.joint_pos, s.joint_vel)
    engine.close()
    assert torch.allclose(frames, library.frame[rows], atol=2e-4)


def test_reset_touches_only_the_named_environments(engine):
    start(engine)
    before = engine.state.root_pos[1].clone()
    pos = torch.tensor([[5.0, 6.0, 1.2]])
    zero = torch.zeros(1, 3)
    engine.reset(torch.tensor([0]), pos, torch.tensor([[1.0, 0, 0, 0]]), torch.zeros(1, NUM_DOFS),
                 torch.zeros(1, NUM_DOFS), zero, zero)
    assert torch.equal(engine.state.root_pos[1], before)
    assert torch.allclose(engine.state.root_pos[0], pos[0])


def test_standing_feet_carry_the_weight(engine):
    start(engine, height=0.885)
    for _ in range(15):
        engine.step(torch.zeros(2, NUM_DOFS))
    force = engine.state.contact_force[:, list(FEET), 2].sum(-1)
    assert force.tolist() == pytest.approx([51.71 * 9.81] * 2, rel=0.1)
    assert engine.state.contact_force[:, BODY_ID["head"]].abs().max() == 0


def test_falls_freely_before_landing(engine):
    start(engine, height=10.0)
    for _ in range(15):
        engine.step(torch.zeros(2, NUM_DOFS))
    # half a second: 10 - 9.81/2 * 0.25, a little more for the semi-implicit integrator
    assert engine.state.root_pos[0, 2].item() == pytest.approx(10 - 9.81 / 2 * 0.25, abs=0.03)


def test_props_stand_where_the_scene_says_and_report_touch():
    scene = Scene((Prop("block", "obstacle", (3.0, 1.0), (0.6, 2.0, 1.0), yaw=0.4),
                   Prop("goal", "marker", (9.0, 9.0)), Prop("dummy", "target", (0.3, 0.0))))
    engine = make_engine("mujoco_cpu", 1, scene, threads=1)
    start(engine)
    block, dummy = engine.state.prop_state[0]
    assert block[:3].tolist() == pytest.approx([3.0, 1.0, 0.5])
    assert block[3:7].tolist() == pytest.approx([math.cos(0.2), 0, 0, math.sin(0.2)], abs=1e-6)
    assert dummy[:3].tolist() == pytest.approx([0.3, 0.0, 0.9])
    engine.step(torch.zeros(1, NUM_DOFS))  # the arms hang into the dummy: 0.1 m before the body
    assert engine.state.prop_touched[0].tolist() == [False, True]
    engine.close()


def test_an_exploding_environment_is_marked_and_does_not_spread(engine):
    start(engine)
    engine._full[0, 10] = float("nan")
    engine.step(torch.zeros(2, NUM_DOFS))
    assert engine.broken.tolist() == [True, False]
    assert torch.isfinite(engine.state.root_pos[1]).all()


def test_unknown_engine_names_the_choices():
    with pytest.raises(PPPError, match="unknown engine 'mujoco': did you mean 'mujoco_cpu'"):
        make_engine("mujoco", 1, Scene())


def test_a_thrown_box_flies_as_it_should_and_nobody_else_is_disturbed():
    scene = Scene((Prop("a", "target", (5.0, 0.0), (0.2, 0.2, 0.2), mass=3.0),
                   Prop("b", "target", (8.0, 0.0))))
    engine = make_engine("mujoco_cpu", 2, scene, threads=1)
    assert engine.model.body("prop_0").mass[0] == pytest.approx(3.0)
    start(engine)
    before, props = engine.state, engine.state.prop_state.clone()
    half = math.sqrt(0.5)
    props[:, 0] = torch.tensor([4.0, 1.0, 5.0, half, half, 0, 0, -2.0, 0.5, 3.0, 0, 0, 6.0])
    engine.set_props(torch.tensor([1]), props[1:])
    state = engine.state
    assert torch.allclose(state.prop_state[1], props[1], atol=1e-5)
    assert torch.equal(state.prop_state[0], before.prop_state[0])
    assert torch.equal(state.bodies.pos, before.bodies.pos)
    for _ in range(15):  # half a second
        engine.step(torch.zeros(2, NUM_DOFS))
    now = engine.state.prop_state[1, 0]
    flown = torch.tensor([4.0 - 1.0, 1.0 + 0.25, 5.0 + 1.5 - 0.5 * 9.81 * 0.25])
    assert torch.allclose(now[:3], flown, atol=0.05)
    assert now[12].item() == pytest.approx(6.0, abs=0.3)  # spinning about the world's z axis
    engine.close()


def test_a_push_gives_the_whole_body_its_momentum(engine):
    """In the air all bodies share the impulse: the sum of m v is what was given."""
    start(engine, height=20.0)
    mass = torch.as_tensor(engine.model.body_mass[1:18], dtype=torch.float32)
    centre = torch.as_tensor(engine.model.body_ipos[1:18], dtype=torch.float32)
    given = torch.tensor([30.0, -12.0, 5.0])
    engine.push(torch.tensor([1]), given[None])
    bodies = engine.state.bodies
    velocity = bodies.lin_vel + torch.cross(bodies.ang_vel, quat_rotate(
        bodies.rot, centre.expand(2, -1, -1)), dim=-1)
    momentum = (mass[:, None] * velocity).sum(1)
    assert torch.allclose(momentum[1], given, atol=1e-3)
    assert momentum[0].abs().max() == 0.0
    # it acts at the pelvis, which takes more than its share of it, the head less
    pelvis, head = (velocity[1, BODY_ID[b], 0] for b in ("pelvis", "head"))
    assert pelvis > given[0] / mass.sum() > head
    for _ in range(6):
        engine.step(torch.zeros(2, NUM_DOFS))
    gone = engine.state.bodies.pos.mean(1)
    assert gone[1, 0] - gone[0, 0] == pytest.approx(0.2 * 30 / 51.7, rel=0.25)
