"""ppp motions show: pictures of clips, pages to play them, an index of a library."""
from __future__ import annotations

import html
import shutil
from pathlib import Path

import numpy as np
import pytest

from ppp.errors import PPPError
from ppp.motion import commands
from ppp.motion.check import check_clip
from ppp.motion.commands import main
from ppp.motion.sources import find
from ppp.view import clips


@pytest.fixture
def library_path() -> Path:
    return Path(__file__).resolve().parents[2] / "motions" / "library.yaml"


@pytest.fixture
def opened(monkeypatch) -> list:
    """Addresses that would have been opened in a browser, on a machine with a display."""
    found = []
    monkeypatch.setattr(commands.webbrowser, "open", found.append)
    monkeypatch.setattr(clips, "has_display", lambda: True)
    return found


@pytest.fixture
def small(library_path, tmp_path):
    """A library of two clips of two skills."""
    folder = tmp_path / "lib"
    folder.mkdir()
    lines = ["skills:", "  idle: {label: stand idle}", "  block: {label: 'block <b>'}", "clips:"]
    for name, skill in (("idle_sway", "idle"), ("block_raise", "block")):
        shutil.copy(library_path.parent / f"{name}.npz", folder)
        lines.append(f"  - {{file: {name}.npz, skill: {skill}}}")
    (folder / "library.yaml").write_text("\n".join(lines))
    return folder / "library.yaml"


def test_a_clip_becomes_a_picture_and_a_page(drawing, tmp_path, opened, capsys):
    from PIL import Image

    picture = tmp_path / "a" / "block.png"
    assert main(["show", "block_raise", "--out", str(picture), "--frames", "3"]) == 0
    pixels = np.asarray(Image.open(picture))
    width, height = clips.POSE_SIZE
    assert pixels.shape == (height, 3 * width, 3)
    assert np.abs(pixels[:, :width].astype(int) - pixels[:, -width:]).max() > 50  # it moved
    page = picture.with_suffix(".html")
    assert opened == [page.resolve().as_uri()]
    text = page.read_text(encoding="utf-8")
    assert "block_raise" in text and "src=" not in text  # needs no other file
    assert str(page) in capsys.readouterr().out


def test_no_browser_when_told_or_without_a_display(drawing, tmp_path, opened, monkeypatch):
    command = ["show", "block_raise", "--frames", "1", "--out", str(tmp_path / "x.png")]
    assert main([*command, "--no-open"]) == 0
    monkeypatch.setattr(clips, "has_display", lambda: False)
    assert main([*command, "--html", str(tmp_path / "y.html")]) == 0
    assert opened == [] and (tmp_path / "y.html").is_file()


def test_a_library_becomes_an_index_of_strips_and_pages(drawing, small, tmp_path, opened):
    out = tmp_path / "out"
    assert main(["show", "--all", "--library", str(small), "--out", str(out),
                 "--frames", "2"]) == 0
    names = sorted(p.name for p in out.iterdir())
    assert names == ["block_raise.html", "block_raise.png", "idle_sway.html", "idle_sway.png",
                     "index.html"]
    index = (out / "index.html").read_text(encoding="utf-8")
    assert all(name in index for name in names[:4])
    assert opened == [(out / "index.html").resolve().as_uri()]


def test_a_recording_goes_on_for_loops_and_carries_the_figures(library_path):
    once, loop = find(["block_raise", "walk_forward_straight"], library_path)
    for source, seconds in ((once, once.clip.seconds), (loop, 6.0)):
        report = check_clip(source.clip, source.name, source.skill, source.loop)
        recording = clips.clip_recording(source, report, seconds=6.0)
        assert (len(recording.body_pos) - 1) / recording.fps >= seconds - 1e-6
        assert recording.success and all(c["passed"] for c in recording.checks)
        root = np.linalg.norm(np.diff(recording.body_pos[:, 0], axis=0), axis=-1)
        assert root.max() < 0.06  # no jump at the seams
    assert recording.body_pos[-1, 0, 0] > 3.7  # it walked on, at 0.65 m/s


def test_texts_of_a_clip_are_escaped(library_path):
    source = find(["idle_sway"], library_path)[0]
    source.clip.source = "<script>alert(1)</script>"
    report = check_clip(source.clip, source.name, source.skill)
    text = clips.gallery([clips.Shown(source, report, "a.png", "a.html")])
    assert "<script" not in text and html.escape(source.clip.source) in text


@pytest.mark.parametrize("arguments, message", [
    (["idle_swai"], "did you mean 'idle_sway'"), ([], "--all"), (["idle_sway", "--all"], "--all"),
    (["nowhere/a.npz"], "no such file"), (["idle_sway", "--frames", "0"], "1 to 40"),
    (["idle_sway", "--out", "a.jpg", "--no-open"], "end in .png"),
    (["idle", "--out", "a.png"], "need a folder")])
def test_bad_input(arguments, message, tmp_path, monkeypatch, library_path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PPPError, match=message):
        main(["show", *arguments])
    assert not list(tmp_path.rglob("*.png"))
