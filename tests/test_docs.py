"""The documentation keeps up: links lead somewhere, every page is found, every option exists."""
from __future__ import annotations

import re
from pathlib import Path

import pytest

from ppp.cli import COMMANDS, main

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]
#: commands with commands of their own
FAMILIES = {"eval", "skills", "motions", "scenarios", "llarp"}
FLAG = re.compile(r"(?<![\w-])--[a-z][a-z-]*")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for link in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        assert link.startswith("http") or (page.parent / link).exists(), link


def test_every_page_is_in_the_index():
    index = (DOCS / "README.md").read_text(encoding="utf-8")
    missing = [page.name for page in DOCS.glob("*.md")
               if page.name != "README.md" and f"({page.name})" not in index]
    assert missing == []


def documented():
    """command (a tuple of words) -> the options that docs/commands.md gives it."""
    found, section, command = {}, (), ()
    for line in (DOCS / "commands.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("## ppp "):
            section = command = (line.split()[2],)
        elif line.startswith("    ppp "):
            words = line.split()[1:]
            command = tuple(words[:2] if words[0] in FAMILIES else words[:1])
        elif not line.startswith("     "):  # a call may go on in deeper lines
            command = section
        used = line.split("|")[1] if line.startswith("|") else line
        if line.startswith(("|", "    ")) and command:
            found.setdefault(command, set()).update(FLAG.findall(used.split("#")[0]))
    return found


def test_every_command_is_documented():
    assert {command[0] for command in documented()} == set(COMMANDS)


@pytest.mark.parametrize("command", sorted(documented()), ids=" ".join)
def test_documented_options_exist(command, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "400")  # so that no option is cut at a line's end
    flags = documented()[command]
    if not flags:
        return
    with pytest.raises(SystemExit):
        main([*command, "--help"])
    known = set(FLAG.findall(capsys.readouterr().out))
    assert flags <= known, sorted(flags - known)
