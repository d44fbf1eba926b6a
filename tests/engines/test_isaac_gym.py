"""The Isaac Gym engine against the stub: frames, order of names, props, pushes, broken states."""
from __future__ import annotations

import math

import pytest
import torch
from isaac_stub import isaacgym_stub  # noqa: F401  the fixture isaacgym

from ppp.engines import make_engine
from ppp.engines.isaac_gym_touch import Touch, outside, sample_shape
from ppp.engines.scene import Prop, Scene
from ppp.errors import PPPError
from ppp.humanoid.kinematics import BodyState
from ppp.humanoid.rotations import normalise
from ppp.humanoid.skeleton import BODY_ID, NUM_BODIES, NUM_DOFS

UP = torch.tensor([1.0, 0.0, 0.0, 0.0])


def some_state(count, height=3.0, seed=0):
    """Arguments of a reset: anywhere, bent, turning and flying."""
    g = torch.Generator().manual_seed(seed)
    pos = torch.randn(count, 3, generator=g)
    pos[:, 2] = height + pos[:, 2].abs()
    return (torch.arange(count), pos, normalise(torch.randn(count, 4, generator=g)),
            0.3 * torch.randn(count, NUM_DOFS, generator=g), torch.randn(
                count, NUM_DOFS, generator=g), torch.randn(count, 3, generator=g),
            torch.randn(count, 3, generator=g))


def stand(engine, xy=(0.0, 0.0), height=0.885):
    n = engine.num_envs
    zero = torch.zeros(n, 3)
    engine.reset(torch.arange(n), torch.tensor([[*xy, height]]).repeat(n, 1), UP.repeat(n, 1),
                 torch.zeros(n, NUM_DOFS), torch.zeros(n, NUM_DOFS), zero, zero)


@pytest.fixture
def build(isaacgym):
    made = []

    def make(count=2, props=(), **options):
        made.append(make_engine("isaac_gym", count, Scene(tuple(props)), **options))
        return made[-1]

    yield make
    for engine in made:
        engine.close()


def largest(a, b):
    return max(float((x - y).abs().max()) for x, y in zip(a, b))


def test_a_reset_is_told_at_once_as_it_was_given(build):
    engine = build()
    given = some_state(2)
    engine.reset(*given)
    state = engine.state
    told = (state.root_pos, state.root_rot, state.joint_pos, state.joint_vel,
            state.bodies.lin_vel[:, 0], state.bodies.ang_vel[:, 0])
    assert largest(told, given[1:]) < 1e-5


def test_isaac_gym_gets_rotations_with_the_real_part_last(build):
    engine = build(1)
    half = math.sqrt(0.5)  # a quarter turn about x: w and x
    engine.reset(torch.tensor([0]), torch.tensor([[0.0, 0.0, 9.0]]),
                 torch.tensor([[half, half, 0.0, 0.0]]), torch.zeros(1, NUM_DOFS),
                 torch.zeros(1, NUM_DOFS), torch.zeros(1, 3), torch.zeros(1, 3))
    engine.step(torch.zeros(1, NUM_DOFS))
    assert engine._world.root[0, 0, 3:7].tolist() == pytest.approx([half, 0, 0, half], abs=1e-3)
    assert engine.state.root_rot[0].tolist() == pytest.approx([half, half, 0, 0], abs=1e-3)


@pytest.mark.parametrize("velocity_of", ["com", "origin"])
@pytest.mark.parametrize("shuffled", [False, True])
def test_a_second_of_flight_is_that_of_mujoco(isaacgym, build, velocity_of, shuffled):
    """Same states, same targets: names, frames, gains, efforts and both possible conventions."""
    from isaacgym import _types, _world

    _world.VELOCITY_OF = velocity_of
    _types.Asset.shuffle = (lambda names: names[::-1]) if shuffled else None
    engine, other = build(), make_engine("mujoco_cpu", 2, Scene(), threads=1)
    given = some_state(2, height=30.0)
    for one in (engine, other):
        one.reset(*given)
    for step in range(30):
        for one in (engine, other):
            one.step(given[3])
        if step == 0:  # while the joints still move fast: their velocities, each in its frame
            assert float(other.state.joint_vel.abs().max()) > 1.0
            assert largest((engine.state.joint_vel,), (other.state.joint_vel,)) < 0.05
    other.close()
    a, b = engine.state, other.state
    assert largest((a.bodies.pos, a.bodies.rot, a.joint_pos), (b.bodies.pos, b.bodies.rot,
                                                               b.joint_pos)) < 5e-3
    assert largest((a.bodies.lin_vel, a.bodies.ang_vel, a.joint_vel),
                   (b.bodies.lin_vel, b.bodies.ang_vel, b.joint_vel)) < 0.05


def test_standing_feet_carry_the_weight(isaacgym, build):
    from isaacgym import _types

    _types.Asset.shuffle = lambda names: names[::-1]  # whatever the importer's order
    engine = build(1)
    stand(engine)
    for _ in range(15):
        engine.step(torch.zeros(1, NUM_DOFS))
    force = engine.state.contact_force[0]
    feet = [BODY_ID["right_foot"], BODY_ID["left_foot"]]
    assert float(force[feet, 2].sum()) == pytest.approx(51.71 * 9.81, rel=0.1)
    assert float(force[BODY_ID["head"]].abs().max()) == 0.0


def test_resetting_some_leaves_the_others_on_their_way(build):
    """Bit for bit: no other environment notices."""
    engine = build(3, [Prop("box", "target", (1.0, 0.0))])
    runs = []
    for again in (False, True):
        engine.reset(*some_state(3, height=1.0))
        for step in range(8):
            if again and step == 4:
                ids, *rest = some_state(1, seed=5)
                engine.reset(ids + 1, *rest)
            engine.step(torch.zeros(3, NUM_DOFS))
        runs.append(engine.state)
    for part in ("joint_pos", "joint_vel", "prop_state", "contact_force"):
        for env in (0, 2):
            assert torch.equal(getattr(runs[0], part)[env], getattr(runs[1], part)[env]), part
    assert not torch.equal(runs[0].joint_pos[1], runs[1].joint_pos[1])


def test_a_state_handed_out_is_never_overwritten(build):
    engine = build(1, [Prop("box", "target", (1.0, 0.0))])
    engine.reset(*some_state(1))
    kept = engine.state
    copies = [part.clone() for part in (*kept.bodies, kept.joint_pos, kept.prop_state)]
    engine.step(torch.zeros(1, NUM_DOFS))
    engine.reset(*some_state(1, seed=3))
    assert largest(copies, (*kept.bodies, kept.joint_pos, kept.prop_state)) == 0.0


def test_only_the_legs_of_one_humanoid_meet_each_other(isaacgym, build):
    """Shapes pass through each other where their filters share a bit; boxes meet everything."""
    engine = build(1, [Prop("box", "target", (1.0, 0.0))])
    humanoid, box = engine._world.sim.envs[0].actors
    counts = humanoid.asset.shape_counts
    filters = {name: {shape.filter for shape in humanoid.shapes[sum(counts[:i]):][:count]}
               for i, (name, count) in enumerate(zip(humanoid.asset.body_names, counts))}
    assert all(len(kinds) == 1 for kinds in filters.values())
    met = {(a, b) for a in filters for b in filters if a != b
           and not min(filters[a]) & min(filters[b])}
    right, left = ("right_shin", "right_foot"), ("left_shin", "left_foot")
    assert met == {pair for r in right for s in left for pair in ((r, s), (s, r))}
    assert [shape.filter for shape in box.shapes] == [0]
    assert box.asset.options.density == pytest.approx(30.0), "that of ASE's strike target"


def test_props_rest_where_the_scene_has_them_and_fly_where_they_are_thrown(build):
    scene = [Prop("wall", "obstacle", (3.0, -1.0), (0.2, 2.0, 1.0), yaw=0.5), Prop("mark", "marker",
             (9.0, 9.0)), Prop("box", "target", (-2.0, 1.0), (0.4, 0.4, 1.8), yaw=-0.7)]
    engine = build(2, scene)
    stand(engine)
    engine.step(torch.zeros(2, NUM_DOFS))
    wall, box = engine.state.prop_state[1]
    assert wall.tolist() == pytest.approx(
        [3.0, -1.0, 0.5, math.cos(0.25), 0, 0, math.sin(0.25), *[0.0] * 6])
    assert box[:7].tolist() == pytest.approx(
        [-2.0, 1.0, 0.9, math.cos(0.35), 0, 0, -math.sin(0.35)], abs=2e-3)
    thrown = torch.tensor([[[3.0, 0, 0.5, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0],
                            [-2.0, 1.0, 5.0, 0.6, 0.8, 0, 0, 1.5, -0.5, 0, 0, 0, 2.0]]])
    before = engine.state
    engine.set_props(torch.tensor([1]), thrown)
    assert engine.state.prop_state[1, 1].tolist() == pytest.approx(thrown[0, 1].tolist())
    assert torch.equal(engine.state.prop_state[1, 0], wall), "a wall is not thrown"
    assert torch.equal(engine.state.joint_pos, before.joint_pos)
    engine.step(torch.zeros(2, NUM_DOFS))
    flown = engine.state.prop_state[1, 1]
    assert flown[:2].tolist() == pytest.approx([-1.95, 1.0 - 0.5 / 30], abs=2e-3)
    assert float(flown[9]) == pytest.approx(-9.81 / 30, abs=0.01)
    assert engine.state.prop_state[0, 1, 2] == pytest.approx(0.9, abs=2e-3)


def test_touch_and_strike_are_those_of_mujoco(build):
    """A box flies at the sword, another at the shield side, a third past everything."""
    props = [Prop("box", "target", (5.0, 0.0), (0.2, 0.2, 0.2), mass=1.0)]
    engine = build(3, props)
    other = make_engine("mujoco_cpu", 3, Scene(tuple(props)), threads=1)
    for one in (engine, other):
        stand(one)
        thrown = torch.zeros(3, 1, 13)
        thrown[..., 3] = 1.0
        sword, chest = one.state.bodies.pos[0, BODY_ID["sword"]], one.state.root_pos[0]
        thrown[0, 0, :3] = sword + torch.tensor([-0.3, -0.4, 0.0])
        thrown[0, 0, 8] = 3.0
        thrown[1, 0, :3] = chest + torch.tensor([-0.6, 0.0, 0.2])
        thrown[1, 0, 7] = 3.0
        thrown[2, 0, :3] = chest + torch.tensor([-0.6, 0.0, 3.0])
        thrown[2, 0, 7] = 3.0
        one.set_props(torch.arange(3), thrown)
    seen = {}
    for name, one in (("isaac", engine), ("mujoco", other)):
        touched, struck = torch.zeros(3, 1, dtype=torch.bool), torch.zeros(3, 1, dtype=torch.bool)
        for _ in range(9):
            one.step(torch.zeros(3, NUM_DOFS))
            touched, struck = touched | one.state.prop_touched, struck | one.state.prop_struck
        seen[name] = (touched.flatten().tolist(), struck.flatten().tolist())
    other.close()
    assert seen["isaac"] == seen["mujoco"] == ([True, True, False], [True, False, False])


def test_a_push_gives_its_impulse(build):
    """High up, where nothing else acts sideways, momentum changes by just that, once."""
    engine = build(2)
    stand(engine, height=30.0)
    masses = torch.tensor([p.mass for p in _properties(engine)])
    com = engine._world.com
    engine.push(torch.tensor([1]), torch.tensor([[7.0, -3.0, 0.0]]))

    def momentum():
        bodies = engine.state.bodies
        from ppp.humanoid.rotations import quat_rotate
        moving = bodies.lin_vel + torch.cross(
            bodies.ang_vel, quat_rotate(bodies.rot, com.expand_as(bodies.pos)), dim=-1)
        return (masses[:, None] * moving).sum(1)[:, :2]

    for _ in range(2):
        engine.step(torch.zeros(2, NUM_DOFS))
        assert momentum()[1].tolist() == pytest.approx([7.0, -3.0], abs=0.1)
        assert momentum()[0].tolist() == pytest.approx([0.0, 0.0], abs=0.05)


def _properties(engine):
    world = engine._world
    found = world.gym.get_actor_rigid_body_properties(world.sim.envs[0], 0)
    return [found[int(i)] for i in world.body_index]


def test_a_broken_state_goes_back_and_is_told(build):
    engine = build(2, [Prop("box", "target", (1.0, 0.0))])
    stand(engine)
    engine.step(torch.zeros(2, NUM_DOFS))
    before, good = engine.state, engine._world.refresh

    def explode():
        good()
        engine._world.bodies[0, 3, 7] = math.nan

    engine._world.refresh = explode
    engine.step(torch.zeros(2, NUM_DOFS))
    engine._world.refresh = good
    assert engine.broken.tolist() == [True, False]
    assert largest((engine.state.joint_pos[:1],), (before.joint_pos[:1],)) < 1e-5
    assert largest((engine.state.prop_state[0],), (before.prop_state[0],)) < 1e-5
    assert not torch.equal(engine.state.joint_pos[1], before.joint_pos[1])
    engine.step(torch.zeros(2, NUM_DOFS))
    assert engine.broken.tolist() == [False, False]
    assert torch.isfinite(engine.state.bodies.pos).all()


def test_a_snapshot_brings_back_the_way_it_went(build):
    engine = build(2, [Prop("box", "target", (1.0, 0.0))])
    engine.reset(*some_state(2))
    engine.step(torch.zeros(2, NUM_DOFS))
    kept = engine.snapshot()
    engine.step(torch.zeros(2, NUM_DOFS))
    first = engine.state
    assert engine.restore(kept)
    engine.step(torch.zeros(2, NUM_DOFS))
    assert largest((first.joint_pos, first.bodies.pos, first.prop_state),
                   (engine.state.joint_pos, engine.state.bodies.pos,
                    engine.state.prop_state)) < 1e-4
    assert not engine.restore({"root": kept["root"][:1], "dofs": kept["dofs"]})


def test_joints_that_are_no_exponential_maps_are_noticed(isaacgym, monkeypatch):
    from isaacgym import _types

    monkeypatch.setattr(_types, "_merge_hinges", lambda body: [
        joint.get("name") for joint in body.findall("joint")])
    with pytest.raises(PPPError, match="three hinges"):
        make_engine("isaac_gym", 1, Scene())


def test_names_that_are_missing_are_told(isaacgym, monkeypatch):
    monkeypatch.setattr(isaacgym.Gym, "get_asset_dof_names", lambda self, asset: ["abdomen_x"])
    with pytest.raises(PPPError, match="made 1 degrees of freedom.*'abdomen_y'"):
        make_engine("isaac_gym", 1, Scene())


def test_a_card_that_isaac_gym_crashes_on_is_refused(isaacgym, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (9, 0))
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "NVIDIA H100")
    with pytest.raises(PPPError, match="NVIDIA H100; use --engine mujoco_warp"):
        make_engine("isaac_gym", 1, Scene(), device="cuda")
    assert not isaacgym.acquire_gym().calls, "nothing was begun"


# -- touch, alone ------------------------------------------------------------------------------
def test_distance_to_a_box():
    points = torch.tensor([[2.0, 0, 0], [0, 0, 0], [2.0, 3.0, 0.0], [0.9, 0, 0]])
    half = torch.tensor([1.0, 2.0, 3.0])
    assert outside(points, half).tolist() == pytest.approx([1.0, -1.0, math.sqrt(2), -0.1])


def test_spheres_reach_the_surface_of_a_shape():
    points, radius = sample_shape({"type": "box", "size": "1 .5 .1", "pos": "1 0 0"})
    assert radius == pytest.approx(0.1)
    assert max(p[0] for p in points) + radius == pytest.approx(2.0)
    assert min(p[1] for p in points) - radius == pytest.approx(-0.5)
    ends, radius = sample_shape({"type": "capsule", "size": "0.1", "fromto": "0 0 0 0 0 1"})
    assert (ends[0][2], ends[-1][2], radius) == (0.0, 1.0, 0.1)
    assert max(b[2] - a[2] for a, b in zip(ends, ends[1:])) <= 0.1 + 1e-9


def test_touch_needs_both_nearness_and_force():
    touch = Touch(Scene((Prop("box", "target", (0.0, 0.0), (1.0, 1.0, 1.0), mass=2.0),)), "cpu")
    pos = torch.full((3, NUM_BODIES, 3), 50.0)
    hand = BODY_ID["right_hand"]
    pos[:2, hand] = torch.tensor([0.54, 0.0, 0.5])  # its sphere of 4 cm meets the box's side
    pos[2, hand] = torch.tensor([0.60, 0.0, 0.5])
    zero = torch.zeros_like(pos)
    bodies = BodyState(pos, UP.expand(3, NUM_BODIES, 4), zero, zero)
    force, prop_force = zero.clone(), torch.zeros(3, 1, 3)
    force[[0, 2], hand, 0] = 5.0
    props = torch.zeros(3, 1, 13)
    props[..., 2], props[..., 3] = 0.5, 1.0
    prop_force[:, 0] = torch.tensor([-5.0, 0.0, 2 * 9.81])
    touched, struck = touch.find(bodies, force, props, prop_force, 1 / 60)
    assert touched[:, 0].tolist() == [True, False, False] and not struck.any()
    prop_force[:, 0, 0] = 0.0  # the box only stands on the floor
    assert not touch.find(bodies, force, props, prop_force, 1 / 60)[0].any()
