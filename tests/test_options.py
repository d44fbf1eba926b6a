"""Options read well and fail in a sentence."""
from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Optional

import pytest
import tyro

from ppp.options import read_options


@dataclass
class Wanted:
    """Do a thing.

    More about it.
    """

    out: Optional[Path] = None
    """Where to."""
    loud: bool = False
    """Say more."""
    quick: bool = True
    """Leave the checks out."""
    count: int = 3
    """How many."""


@dataclass
class Further:
    """More options, in a group."""

    page: Optional[Path] = None
    """A page; none without it."""


@dataclass
class Grouped:
    """Do two things."""

    further: tyro.conf.OmitArgPrefixes[Further] = field(default_factory=Further)


def test_values():
    assert read_options(Wanted, [], "ppp thing") == Wanted()
    assert read_options(Wanted, ["--out", "a", "--loud", "--no-quick"], "ppp thing") == Wanted(
        Path("a"), True, False)
    # what is on may be said, too
    assert read_options(Wanted, ["--quick"], "ppp thing") == Wanted()


def test_other_defaults():
    default = Wanted(Path("b"), count=5)
    assert read_options(Wanted, [], "ppp thing", default=default) == default
    assert read_options(Wanted, ["--out", "c"], "ppp thing", default=default).out == Path("c")


def shown(kind, capsys, monkeypatch):
    """What --help prints, white space made one blank; exits 0."""
    monkeypatch.setenv("COLUMNS", "100")
    with pytest.raises(SystemExit) as caught:
        read_options(kind, ["--help"], "ppp thing")
    assert caught.value.code == 0
    return capsys.readouterr().out


def test_help_is_plain(capsys, monkeypatch):
    text = shown(Wanted, capsys, monkeypatch)
    assert "\nDo a thing.\n\nMore about it.\n" in text
    assert "--out PATH" in text and "{None}" not in text
    assert "--loud" in text and "--no-loud" not in text and "--no-quick" in text


def test_help_names_no_default_that_says_nothing(capsys, monkeypatch):
    text = shown(Wanted, capsys, monkeypatch)
    assert "None" not in text and "False" not in text
    assert "Where to." in text and "How many. (default: 3)" in text and "(default: True)" in text
    text = shown(Grouped, capsys, monkeypatch)
    assert "--page PATH" in text and "A page; none without it." in text and "None" not in text


def test_a_misspelt_option_names_the_right_one(capsys):
    with pytest.raises(SystemExit) as caught:
        read_options(Wanted, ["--lout"], "ppp thing")
    told = capsys.readouterr().err
    assert caught.value.code == 2 and "--lout" in told and "--loud" in told
