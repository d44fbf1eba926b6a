"""The planned camera: the humanoid stays in the picture and is not hidden behind walls."""
from __future__ import annotations

import dataclasses

import numpy as np

from ppp.engines.scene import Prop, Scene
from ppp.view import camera
from ppp.view.poses import as_recording, pose_at

from .synthetic import humanoid, path, recording

TIMES = np.arange(0, 12, 1 / 30)


def off_axis(shots, points):
    """Angle between the camera's axis and points (F, 3), degrees."""
    a, e = np.radians(shots.azimuth), np.radians(shots.elevation)
    forward = np.stack([np.cos(a) * np.cos(e), np.sin(a) * np.cos(e),
                        np.full(len(a), np.sin(e))], axis=1)
    to = points - (shots.look_at - shots.distance[:, None] * forward)
    cosine = (to * forward).sum(1) / np.linalg.norm(to, axis=1)
    return np.degrees(np.arccos(np.clip(cosine, -1, 1)))


def test_the_humanoid_stays_in_the_picture_and_turns_are_slow():
    film = recording()
    shots = camera.plan_camera(film, TIMES)
    root = np.array([pose_at(film, t).body_pos[0] for t in TIMES])
    assert off_axis(shots, root).max() < 18
    assert np.abs(np.diff(shots.azimuth)).max() * 30 < 60, "degrees a second"
    assert np.linalg.norm(np.diff(shots.look_at, axis=0), axis=1).max() * 30 < 4, "m/s"


def test_a_high_wall_does_not_hide_the_humanoid():
    film = recording()
    walls = (Prop("wall", "obstacle", (2.7, 3.5), (6.0, 0.3, 3.0)),
             Prop("pillar", "obstacle", (1.0, -1.5), (1.0, 1.0, 3.0)))
    film = dataclasses.replace(film, scene=Scene(walls))
    shots = camera.plan_camera(film, TIMES)
    hidden = []
    for index in range(0, len(TIMES), 15):
        angle = np.radians(shots.azimuth[index])
        eye = camera._eye(shots.look_at[index], shots.distance[index], angle)
        hidden.append(camera._hidden(eye, pose_at(film, TIMES[index]).body_pos[0], list(walls)))
    assert np.mean(hidden) < 0.1


def test_the_segment_test_against_a_turned_box():
    wall = Prop("wall", "obstacle", (0.0, 0.0), (4.0, 0.2, 1.0), yaw=np.pi / 2)
    eye = np.array([-3.0, 0.0, 0.5])
    ends = np.array([[3.0, 0.0, 0.5], [3.0, 0.0, 5.0], [-1.0, 0.0, 0.5], [-3.0, 5.0, 0.5]])
    assert camera._crosses(eye, ends, wall).tolist() == [True, False, False, False]


def test_the_scene_camera_stands_still_and_sees_everything():
    film = recording()
    shots = camera.plan_camera(film, TIMES, "scene")
    assert np.ptp(shots.azimuth) == 0 and np.ptp(shots.distance) == 0
    for prop in film.scene.props:
        at = np.tile([prop.position[0], prop.position[1], 0.5], (len(TIMES), 1))
        assert off_axis(shots, at).max() < 33


def test_a_clip_on_the_spot_is_seen_from_the_front():
    pos, rot = humanoid(path(30)[:1].repeat(30, axis=0), 30.0)
    shots = camera.plan_camera(as_recording((pos, rot)), np.arange(10) / 10)
    facing = np.degrees(np.arctan2(2 * rot[0, 0, 0] * rot[0, 0, 3], 1 - 2 * rot[0, 0, 3] ** 2))
    assert np.cos(np.radians(shots.azimuth - facing)).max() < 0


def test_a_single_frame():
    one = as_recording(tuple(part[:1] for part in humanoid(path(30), 30.0)))
    assert np.isfinite(camera.plan_camera(one, np.array([0.0])).azimuth).all()
