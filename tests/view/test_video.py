"""Films, strips and stills: the files are whole, and the humanoid is where it should be."""
from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from ppp.errors import PPPError
from ppp.view import video
from ppp.view.camera import plan_camera
from ppp.view.poses import pose_at
from ppp.view.stage import FIELD_OF_VIEW, Stage

from .synthetic import humanoid, path, recording

SIZE = (320, 180)


def decode(film):
    """Metadata and frames (F, height, width, 3) of a film."""
    import imageio_ffmpeg
    reader = imageio_ffmpeg.read_frames(str(film))
    meta = next(reader)
    width, height = meta["size"]
    return meta, np.stack([np.frombuffer(f, np.uint8).reshape(height, width, 3) for f in reader])


def image(file):
    from PIL import Image
    return np.asarray(Image.open(str(file)))


def test_a_film_has_every_frame_and_its_size(drawing, tmp_path):
    film = video.write_video(recording(1.0), tmp_path / "new" / "film.mp4", SIZE, fps=20)
    meta, frames = decode(film)
    assert meta["size"] == SIZE and meta["fps"] == pytest.approx(20)
    assert "h264" in meta["codec"]
    assert len(frames) == 20 + int(video.HOLD * 20) == len(video.frame_times(recording(1.0), 20))
    assert [p.name for p in film.parent.iterdir()] == ["film.mp4"]
    before, after = frames[19].astype(int), frames[-1].astype(int)
    corner = (slice(8, 40), slice(10, 120))
    assert np.abs(after - before)[corner].mean() > 20, "the checks appear in the corner"
    assert np.abs(after - before)[60:140, 200:].mean() < 6, "and the picture stays"


def test_without_checks_the_film_ends_with_the_motion():
    bare = dataclasses.replace(recording(1.0), checks=[])
    assert len(video.frame_times(bare, 30)) == 30


def test_the_humanoid_is_drawn_where_the_camera_looks(drawing):
    film = recording(2.0)
    times = np.arange(20) / 10
    shots = plan_camera(film, times)
    with Stage(film.scene, SIZE, 0) as stage:
        for index in (0, 10, 19):
            pose = pose_at(film, times[index])
            shot = (shots.look_at[index], shots.distance[index], shots.azimuth[index],
                    shots.elevation)
            seen = stage.draw(pose, *shot).astype(int)
            away = pose._replace(body_pos=pose.body_pos - [0, 0, 50])
            empty = stage.draw(away, *shot).astype(int)
            changed = np.abs(seen - empty).sum(axis=2) > 30
            column, row = project(pose.body_pos[1], *shot)
            assert changed[row - 3:row + 4, column - 3:column + 4].mean() > 0.7
            assert 0.005 < changed.mean() < 0.25
            assert seen.std() > 15


def project(point, look_at, distance, azimuth, elevation):
    """The pixel (column, row) of a world point under the stage's camera."""
    a, e = np.radians(azimuth), np.radians(elevation)
    forward = np.array([np.cos(a) * np.cos(e), np.sin(a) * np.cos(e), np.sin(e)])
    right = np.array([np.sin(a), -np.cos(a), 0.0])
    offset = point - (look_at - distance * forward)
    scale = 0.5 * SIZE[1] / np.tan(np.radians(FIELD_OF_VIEW) / 2) / (offset @ forward)
    up = np.cross(right, forward)
    return (int(SIZE[0] / 2 + scale * (offset @ right)), int(SIZE[1] / 2 - scale * (offset @ up)))


def test_colours_follow_kind_and_name(drawing):
    film = recording(2.0)
    with Stage(film.scene, SIZE, 0) as stage:
        seen = stage.draw(pose_at(film, 0.0), np.array([3.0, 0, 0.5]), 6.0, 0.0, -30.0).copy()
    red, green, blue = (int(v) for v in seen[SIZE[1] // 2, SIZE[0] // 2])
    assert red > 2 * green and red > 2 * blue


def test_a_strip_of_a_clip(drawing, tmp_path):
    poses = humanoid(path(40), 30.0)
    strip = image(video.write_strip(poses, tmp_path / "strip.png", frames=5, size=(100, 140)))
    assert strip.shape == (140, 500, 3) and strip.std() > 15
    assert np.abs(strip[:, :100].astype(int) - strip[:, 400:]).mean() > 1


def test_a_picture_with_and_without_words(drawing, tmp_path):
    film = recording(2.0)
    plain = image(video.picture(film, tmp_path / "a.png", time=1.0, size=SIZE)).astype(int)
    worded = image(video.picture(film, tmp_path / "b.png", 1.0, SIZE, caption=True)).astype(int)
    assert plain.shape == (180, 320, 3)
    assert np.abs(plain - worded)[:120].max() == 0 and np.abs(plain - worded)[165:].mean() > 20


def test_both_cameras_and_a_film_at_another_rate(drawing, tmp_path):
    slow = recording(0.6, fps=12.0)
    film = video.write_video(slow, tmp_path / "f.mp4", SIZE, camera="scene", fps=25,
                             antialias=False)
    assert decode(film)[1].shape[0] == len(video.frame_times(slow, 25))


@pytest.mark.parametrize("change, words", [
    ({"path": "film.avi"}, ".mp4"), ({"size": (321, 180)}, "even"), ({"size": (8, 8)}, "even"),
    ({"fps": 0}, "frames per second"), ({"camera": "folow"}, "did you mean 'follow'"),
])
def test_wrong_settings_are_one_sentence(tmp_path, change, words):
    settings = {"path": "film.mp4", "size": SIZE, "fps": 30, "camera": "follow", **change}
    settings["path"] = tmp_path / settings["path"]
    with pytest.raises(PPPError, match="(?s)" + words) as error:
        video.write_video(recording(0.5), **settings)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("field, value", [
    ("body_pos", np.zeros((0, 17, 3), np.float32)), ("body_rot", np.zeros((15, 16, 4))),
    ("prop_pos", np.full((15, 2, 3), np.nan)), ("fps", 0.0)])
def test_a_recording_that_cannot_be_shown(tmp_path, field, value):
    broken = dataclasses.replace(recording(0.5), **{field: value})
    with pytest.raises(PPPError, match="record it again"):
        video.write_video(broken, tmp_path / "film.mp4", SIZE)


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(PPPError, match="folder cannot be made"):
        video.write_video(recording(0.5), tmp_path / "file" / "film.mp4", SIZE)


def test_a_size_is_read_from_the_command_line():
    assert video.parse_size("640x360") == (640, 360)
    assert video.parse_size("1920X1080") == (1920, 1080)


@pytest.mark.parametrize("text", ["", "720p", "640", "640x", "x360", "640x361", "9999x64", "8x8",
                                  "-640x360", "640x360x2"])
def test_a_wrong_size_is_refused(text):
    with pytest.raises(PPPError, match="size"):
        video.parse_size(text)
