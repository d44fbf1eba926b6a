"""The bar: time left on a terminal, nothing anywhere else, and results stay where they belong."""
from __future__ import annotations

import pytest

from ppp.progress import progress


def count(items):
    """Print every item as a result."""
    for item in progress(items, "counting"):
        print(f"item {item}")


def test_without_a_terminal_there_is_no_bar(capsys):
    count([1, 2, 3])
    shown = capsys.readouterr()
    assert shown.out == "item 1\nitem 2\nitem 3\n" and shown.err == ""


def test_on_a_terminal_it_tells_the_time_left_and_keeps_results_out_of_it(capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    count(range(4))
    shown = capsys.readouterr()
    assert shown.out == "item 0\nitem 1\nitem 2\nitem 3\n"
    assert "counting" in shown.err and "left" in shown.err and "4/4" in shown.err


def test_no_color_is_respected(capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    count(range(3))
    assert "\x1b[3" not in capsys.readouterr().err  # no foreground colour is ever set


def test_an_error_inside_passes_through(monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")

    def broken():
        yield 1
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        list(progress(broken(), "failing", 2))
