"""The words on the film."""
from __future__ import annotations

import dataclasses

import numpy as np

from ppp.view.captions import Captions, check_lines, font, step_text
from ppp.view.poses import pose_at, step_index

from .synthetic import recording

GREY = np.full((180, 320, 3), 128, dtype=np.uint8)


def test_a_step_in_words():
    step = {"command": "go  there", "skill": "run", "target": [1, 2.04]}
    assert step_text(step) == "go  there \u2192 run \u00b7 target (1.0, 2.0)"
    assert step_text({"command": "wait", "target": None}) == "wait"


def test_failed_checks_come_first():
    lines = check_lines([{"check": "a", "passed": True}, {"check": "b", "passed": False,
                                                           "detail": "fell"}])
    assert lines == [(False, "b \u2013 fell"), (True, "a")]


def test_the_caption_is_at_the_bottom_and_the_image_is_not_changed():
    captions = Captions(recording(), (320, 180))
    out = captions.write(GREY, 1.0)
    assert (GREY == 128).all() and (out[:120] == 128).all() and out[165:].std() > 20
    assert (captions.write(GREY, 5.0) != out).any(), "another step, another caption"
    ended = captions.write(GREY, 12.0, ended=True)
    assert (ended[:60, :100] != 128).any()


def test_long_and_odd_text_fits():
    film = recording()
    long = "\n\t\u202e\U0001f600\ud800 " + "word " * 500
    film = dataclasses.replace(film, instruction=long, steps=[dict(film.steps[0], command=long)],
                               checks=[{"check": long, "passed": False, "detail": long}] * 40)
    for size in ((320, 180), (64, 64), (100, 400)):
        image = np.full((size[1], size[0], 3), 128, dtype=np.uint8)
        assert Captions(film, size).write(image, 1.0, ended=True).shape == image.shape


def test_fit_cuts_with_an_ellipsis():
    face = font(12)
    cut = Captions._fit("a long sentence that does not fit", face, 80)
    assert cut.endswith("\u2026") and face.getlength(cut) <= 80
    assert Captions._fit("short", face, 80) == "short"


def test_the_tick_and_the_cross_are_in_the_font():
    face = font(20)
    missing = np.asarray(face.getmask("\U000f1234"))
    for sign in "\u2713\u2717\u2192\u2026":
        mask = np.asarray(face.getmask(sign))
        assert mask.shape != missing.shape or (mask != missing).any()


def test_a_recording_is_read_between_its_frames():
    film = recording(2.0)
    middle = pose_at(film, 0.5 / 30)
    assert np.allclose(middle.body_pos, 0.5 * (film.body_pos[0] + film.body_pos[1]), atol=1e-6)
    assert np.allclose(np.linalg.norm(middle.body_rot, axis=-1), 1, atol=1e-5)
    assert np.allclose(pose_at(film, 99.0).body_pos, film.body_pos[-1])
    flipped = dataclasses.replace(film, body_rot=film.body_rot * np.where(
        np.arange(len(film.body_rot)) % 2, -1, 1)[:, None, None])
    assert np.allclose(np.abs((pose_at(flipped, 0.5 / 30).body_rot * middle.body_rot).sum(-1)), 1,
                       atol=1e-5)


def test_the_step_that_runs():
    steps = recording(10.0).steps
    assert [step_index(steps, t) for t in (0.0, 2.9, 3.1, 9.0, 50.0)] == [0, 0, 1, 2, 2]
    assert step_index([], 1.0) is None
