"""Recordings on disk: names that are free, a page, a film drawn in a process of its own."""
from __future__ import annotations

import queue
from dataclasses import replace

import numpy as np
import pytest

from ppp.engines.scene import Scene
from ppp.errors import PPPError
from ppp.planning.kinematic import KinematicPerformer
from ppp.planning.performer import Poses
from ppp.play.recorder import Recorder, Studio


@pytest.fixture
def recording():
    """Six frames of somebody who stands."""
    performer = KinematicPerformer()
    performer.reset(Scene(), (0.0, 0.0), 0.0, 0)
    pose = Poses(*(part[0] for part in performer.poses()))
    recorder = Recorder("stand: still/../x", Scene(), pose)
    recorder.task("stand")
    recorder.step("stand still", "idle", (1.0, 0.0))
    for _ in range(5):
        recorder.add(pose)
    return recorder.recording()


def test_names_are_free_and_stay_in_the_folder(recording, tmp_path):
    studio = Studio(tmp_path)
    first = studio.free_name(recording.name)
    assert "/" not in first and "." not in first and first.endswith("-01")
    path = studio.page(recording, first)
    assert path.parent == tmp_path and path.stat().st_size > 10_000
    (tmp_path / f"{first[:-2]}02.mp4").write_bytes(b"")
    assert studio.free_name(recording.name) == f"{first[:-2]}03"
    assert studio.free_name("\u65e5\u672c / ..").count(".") == 0


def test_a_page_that_cannot_be_written_is_one_sentence(recording, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(PPPError, match="cannot be written"):
        Studio(tmp_path / "file").page(recording, "x-01")


def test_a_film_is_drawn_beside_the_simulation(recording, tmp_path):
    studio, told = Studio(tmp_path, (160, 96)), queue.Queue()
    studio.film(recording, "stand-01", lambda path, problem: told.put((path, problem)))
    studio.film(replace(recording, body_pos=recording.body_pos * np.nan), "bad-01",
                lambda path, problem: told.put((path, problem)))
    first, second = told.get(timeout=120), told.get(timeout=120)
    studio.close()
    if "OpenGL" in first[1]:
        pytest.skip(first[1])
    assert first == (tmp_path / "stand-01.mp4", "") and first[0].stat().st_size > 1000
    assert "not finite" in second[1] and not second[0].exists()
