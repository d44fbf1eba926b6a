"""Options read well and fail in a sentence."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Optional

import pytest

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


def test_values():
    assert read_options(Wanted, [], "ppp thing") == Wanted()
    assert read_options(Wanted, ["--out", "a", "--loud", "--no-quick"], "ppp thing") == Wanted(
        Path("a"), True, False)


def test_help_is_plain(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    with pytest.raises(SystemExit) as caught:
        read_options(Wanted, ["--help"], "ppp thing")
    text = capsys.readouterr().out
    assert caught.value.code == 0
    assert "\nDo a thing.\n\nMore about it.\n" in text
    assert "--out PATH" in text and "{None}" not in text
    assert "--loud" in text and "--no-loud" not in text and "--no-quick" in text


def test_a_misspelt_option_names_the_right_one(capsys):
    with pytest.raises(SystemExit) as caught:
        read_options(Wanted, ["--lout"], "ppp thing")
    shown = capsys.readouterr()
    assert caught.value.code == 2 and "--lout" in shown.err and "--loud" in shown.err
