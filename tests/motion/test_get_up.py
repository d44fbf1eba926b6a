"""Getting up: performances on the floor, what they are read from, and the clips that ship."""
from __future__ import annotations

import copy

import mujoco
import numpy as np
import pytest

from ppp.errors import PPPError
from ppp.humanoid.skeleton import JOINTS, dof_slices
from ppp.motion.authoring.build import author
from ppp.motion.authoring.floor import (
    HELP_FORCE,
    HELP_MOMENT,
    balancing,
    helping,
    perform,
    touching_model,
)
from ppp.motion.authoring.floor_file import read_performance
from ppp.motion.authoring.skillfile import SKILLS, read_skill
from ppp.motion.body import GRAVITY, clip_qpos, humanoid_model, joint_pos_from
from ppp.motion.clip import load_clip
from ppp.motion.contacts import corner_positions, support
from ppp.motion.dynamics import velocities
from ppp.motion.library import read_library

COLUMNS = {joint.name: columns for joint, columns in zip(JOINTS, dof_slices())}
SPEC = {"feet": {"kind": "floor"}, "help": [100, 40],
        "start": {"height": 0.09, "lies": [-90, 0, 0], "right_knee": 30},
        "keys": [{"t": 0.0, "neck": [0, 10, 0]},
                 {"t": 0.5, "legs": [-60, 90, -10], "balance": 0.8, "at": [0.1, 0, 0.3]},
                 {"t": 1.0, "pose": "bow", "balance": [0.2, 0.6], "lies": [20, 0, 0]}]}
POSES = {"bow": {"abdomen": [0, 40, 0]}}


def changed(path, value):
    spec = copy.deepcopy(SPEC)
    place = spec
    for name in path[:-1]:
        place = place[name]
    if value is None:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return spec


@pytest.fixture(scope="module")
def shipped(library_path):
    library = read_library(library_path)
    return {e.file: load_clip(library_path.parent / e.file)
            for e in library.clips if e.skill == "get_up"}


@pytest.fixture(scope="module")
def ready(library_path):
    return clip_qpos(load_clip(library_path.parent / "idle_sway.npz"))[0]


def test_keys_say_what_changes_and_the_rest_stays():
    performance = read_performance(SPEC, POSES, "here")
    degrees = np.degrees(performance.targets)
    assert degrees[:, COLUMNS["right_knee"]].ravel().tolist() == pytest.approx([30, 90, 90])
    for side in ("right", "left"):
        assert degrees[2, COLUMNS[f"{side}_hip"]] == pytest.approx([0, -60, 0])
        assert degrees[2, COLUMNS[f"{side}_ankle"]] == pytest.approx([0, -10, 0])
    assert degrees[:, COLUMNS["neck"].start + 1] == pytest.approx([10, 10, 10])
    assert degrees[:, COLUMNS["abdomen"].start + 1] == pytest.approx([0, 0, 40])
    assert performance.balance.tolist() == [[0, 0], [0.4, 0.4], [0.2, 0.6]]
    assert performance.places.tolist() == [[0, 0, 0.09], [0.1, 0, 0.3], [0.1, 0, 0.3]]
    assert np.degrees(performance.turns[:, 1]) == pytest.approx([-90, -90, 20])
    assert performance.start[:3].tolist() == [0, 0, 0.09]
    # on the back: the pelvis' x axis points up
    assert performance.start[3:7] == pytest.approx([np.sqrt(0.5), 0, -np.sqrt(0.5), 0])


@pytest.mark.parametrize("path, value, says", [
    (("start",), None, "'start'"),
    (("start", "lies"), None, "'lies'"),
    (("start", "lies"), [1, 2], "3 numbers"),
    (("start", "right_kne"), 3, "right_knee"),
    (("feet", "speed"), 1.0, "speed"),
    (("help",), 100, "'help'"),
    (("keys", 1, "t"), None, "'t'"),
    (("keys", 2, "t"), 0.4, "do not increase"),
    (("keys", 1, "legs"), [1, 2], "'legs'"),
    (("keys", 1, "balance"), True, "'balance'"),
    (("keys", 2, "pose"), "bwo", "bow"),
    (("keys", 1, "hand"), [1, 2, 3], "hand"),
])
def test_a_mistake_in_the_file_is_named(path, value, says):
    with pytest.raises(PPPError, match="here") as error:
        read_performance(changed(path, value), POSES, "here")
    assert says in str(error.value)


def test_whoever_does_not_stand_in_the_end_is_no_clip():
    spec = {**SPEC, "help": [0, 0], "keys": [{"t": 0.0}, {"t": 0.3}]}
    with pytest.raises(PPPError, match="does not stand"):
        perform(read_performance(spec, POSES, "here"), "here")


@pytest.mark.parametrize("ends, fine", [("back", True), ("front", False), ("standing", False)])
def test_a_clip_ends_as_it_says(ends, fine):
    roll = next(part.spec for part in read_skill(SKILLS / "get_up.yaml").parts
                if part.name == "get_up_roll")  # begins on the back
    spec = {"feet": roll["feet"], "start": roll["start"], "ends": ends,
            "keys": [{"t": 0.0}, {"t": 0.3}]}
    performance = read_performance(spec, POSES, "here")
    if fine:
        assert len(perform(performance, "here")) == 10
    else:
        with pytest.raises(PPPError, match="at the end"):
            perform(performance, "here")
    with pytest.raises(PPPError, match="front"):
        read_performance({**spec, "ends": "frnt"}, POSES, "here")


def test_the_hand_is_a_spring_with_bounds(ready):
    data = mujoco.MjData(humanoid_model())
    data.qpos[:] = ready
    mujoco.mj_forward(humanoid_model(), data)
    quarter = np.array([np.cos(0.05), 0, 0, np.sin(0.05)])  # 0.1 rad about z
    soft = helping(data, data.qpos[:3] + [0.01, 0, 0], quarter, (1000.0, 1000.0))
    assert soft == pytest.approx([0.01 * HELP_FORCE[0], 0, 0, 0, 0, 0.1 * HELP_MOMENT[0]], abs=0.1)
    hard = helping(data, data.qpos[:3] + [0, 3.0, 4.0], quarter, (50.0, 7.0))
    assert hard == pytest.approx([0, 30, 40, 0, 0, 7], abs=1e-2)


def test_balancing_keeps_a_pushed_humanoid_on_its_feet(ready):
    targets = joint_pos_from(ready[None])[0]

    def height_after_push(shares):
        model = humanoid_model()
        data = mujoco.MjData(model)
        data.qpos[:] = ready
        data.qvel[0] = 0.2
        for _ in range(90):
            mujoco.mj_forward(model, data)
            data.ctrl[:] = targets + balancing(model, data, np.array(shares))
            mujoco.mj_step(model, data, 4)
        return data.qpos[2]

    assert height_after_push([0.35, 0.35]) > 0.84
    assert height_after_push([0.0, 0.0]) < 0.6


def test_balancing_leaves_arms_and_trunk_alone(ready):
    model = humanoid_model()
    data = mujoco.MjData(model)
    data.qpos[:] = ready
    mujoco.mj_forward(model, data)
    change = balancing(model, data, np.array([0.7, 0.0]))
    legs = [i for name, s in COLUMNS.items() if name.startswith("right_")
            and name.split("_")[1] in ("hip", "knee", "ankle") for i in range(s.start, s.stop)]
    assert np.abs(change[legs]).max() > 0
    assert np.abs(np.delete(change, legs)).max() == 0


def test_the_forearm_meets_the_chest_only_where_clips_are_made(ready):
    pose = ready.copy()
    spec = {**SPEC["start"], "left_shoulder": [-45, -60, -90], "left_elbow": -150}
    pose[7:] = read_performance({**SPEC, "start": spec}, POSES, "here").start[7:]
    counts = []
    for model in (humanoid_model(), touching_model()):
        data = mujoco.MjData(model)
        data.qpos[:] = pose
        data.qpos[2] = 2.0
        mujoco.mj_forward(model, data)
        counts.append(len(data.contact))
    assert counts[0] == 0 < counts[1]


def contents(path):
    """Every bit of every array; the archive's own headers differ between patches of Python."""
    with np.load(path, allow_pickle=False) as data:
        return {name: (data[name].dtype.str, data[name].shape, data[name].tobytes())
                for name in data.files}


def test_rebuilding_changes_no_bit(tmp_path, library_path, shipped):
    assert len(shipped) >= 3
    for path in author(tmp_path, only=["get_up"], say=lambda text: None):
        assert contents(path) == contents(library_path.parent / path.name), path.name


def test_they_begin_at_rest_on_the_floor():
    file = read_skill(SKILLS / "get_up.yaml")
    for part in file.parts:
        performance = read_performance(part.spec, file.poses, part.where)
        model = touching_model()
        data = mujoco.MjData(model)
        data.qpos[:], data.ctrl[:] = performance.start, performance.targets[0]
        mujoco.mj_step(model, data, 120)
        assert np.linalg.norm(data.qpos[:3] - performance.start[:3]) < 0.02, part.name
        assert np.abs(data.qvel).max() < 0.1, part.name
        weight = model.body_mass.sum() * GRAVITY
        assert performance.help[0] < 0.1 * weight and performance.help[1] < 0.1 * weight


def test_the_roll_ends_where_getting_up_from_the_front_begins(shipped):
    """So the one goes on as the other: the joints within 12 degrees, chest down in both."""
    roll, prone = (clip_qpos(shipped[f"get_up_{name}.npz"]) for name in ("roll", "prone"))
    joints = joint_pos_from(np.stack((roll[-1], prone[0])))
    assert np.degrees(np.abs(joints[0] - joints[1])).max() < 12.0
    data = mujoco.MjData(humanoid_model())
    for pose in (roll[-1], prone[0]):
        data.qpos[:] = pose
        mujoco.mj_kinematics(humanoid_model(), data)
        assert data.xmat[1, 6] < -0.9
    moving = np.abs(velocities(roll, 1.0 / shipped["get_up_roll.npz"].fps)[:, 6:]).max(1)
    assert moving[:5].max() > 1.0 > moving[-3:].max()


def test_they_end_in_the_ready_stance_and_are_never_still_before(shipped, ready):
    for name, clip in shipped.items():
        if name == "get_up_roll.npz":
            continue
        qpos = clip_qpos(clip)
        joints, goal = joint_pos_from(qpos[-1:])[0], joint_pos_from(ready[None])[0]
        assert np.degrees(np.abs(joints - goal)).max() < 6.0, name
        assert abs(qpos[-1, 2] - ready[2]) < 0.02, name
        feet, stance = (corner_positions(q[None])[0].mean(1)[:, :2] for q in (qpos[-1], ready))
        # out of a squat it stands wider: no step brings the feet together
        wider = 0.15 if name == "get_up_prone.npz" else 0.04
        assert np.linalg.norm(feet[0] - feet[1]) == pytest.approx(
            np.linalg.norm(stance[0] - stance[1]), abs=wider), name
        moving = np.abs(velocities(qpos, 1.0 / clip.fps)[:, 6:]).max(1)
        # they set out from rest, and from then on they move until they stand as they will rest
        off = np.degrees(np.abs(joint_pos_from(qpos) - joints)).max(1)
        stands = int((off > 3.0).nonzero()[0][-1])
        assert moving[int(0.2 * clip.fps):stands].min() > 0.25, name
        assert stands > clip.frames - 1.3 * clip.fps, name


def test_the_ground_can_give_what_they_need(shipped):
    for name, clip in shipped.items():
        ground = support(clip_qpos(clip), 1.0 / clip.fps)
        assert np.median(ground.residual) < 0.02, name
        assert ground.contact.all(), name
