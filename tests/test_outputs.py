"""Results on disk: whole or not at all, and one sentence where they cannot be written."""
from __future__ import annotations

import json

import numpy as np
import pytest

from ppp.errors import PPPError
from ppp.outputs import finite, write_html, write_json, write_png


def test_json_has_no_nan(tmp_path):
    data = {"a": [float("nan"), 1.0], "b": float("inf"), "c": "x"}
    assert finite(data) == {"a": [None, 1.0], "b": None, "c": "x"}
    write_json(data, tmp_path / "new" / "r.json")  # its folder is made
    assert json.loads((tmp_path / "new" / "r.json").read_text()) == finite(data)


def test_a_result_that_is_no_json_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "r.json"
    write_json([1], path)
    with pytest.raises(TypeError):
        write_json([1, object()], path)
    assert json.loads(path.read_text()) == [1]
    assert list(tmp_path.iterdir()) == [path]


def test_a_picture_that_breaks_off_leaves_the_old_one_and_nothing_else(tmp_path):
    path = write_png(np.zeros((4, 4, 3), np.uint8), tmp_path / "a.png")
    before = path.read_bytes()
    with pytest.raises(TypeError):  # no picture has numbers of this kind
        write_png(np.zeros((4, 4, 3), np.complex64), path)
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("write", [
    lambda path: write_json({}, path), lambda path: write_html("", path),
    lambda path: write_png(np.zeros((4, 4, 3), np.uint8), path)])
def test_where_nothing_can_be_written_it_is_said_in_a_sentence(tmp_path, write):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(PPPError, match="file/r.png: the .* cannot be written .*: choose another"):
        write(tmp_path / "file" / "r.png")
    assert (tmp_path / "file").read_text() == "in the way"


def test_a_picture_that_is_no_png_is_refused(tmp_path):
    with pytest.raises(PPPError, match="end in .png"):
        write_png(np.zeros((4, 4, 3), np.uint8), tmp_path / "a.jpg")
