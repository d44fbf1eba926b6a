"""Negation and splitting, on sentences outside prompts/phrases.yaml."""
from __future__ import annotations

import pytest

from ppp.language.clauses import read_command, split_commands


@pytest.mark.parametrize("text, wanted", [
    ("do not jump, kick it", "kick it"),
    ("don\u2019t jump \u2014 kick it", "kick it"),
    ("kick it rather than jumping", "kick it"),
    ("stop walking and kick it", "kick it"),
    ("do not walk and jump, just kick it", "kick it"),
    ("don't walk and kick it", "kick it"),
    ("kick it and don't jump", "kick it"),
    ("never stop running", "running"),
    ("do not hesitate to strike", "strike"),
    ("walk there without touching the wall", "walk there"),
])
def test_the_negated_clause_is_dropped(text, wanted):
    assert read_command(text).wanted == wanted


@pytest.mark.parametrize("text", ["don't jump", "stop running", "no kicking", "never run"])
def test_a_command_that_only_forbids_leaves_nothing(text):
    reading = read_command(text)
    assert reading.wanted == "" and reading.forbidden == (text,)


@pytest.mark.parametrize("text", [
    "stop", "stop the strike with your shield", "avoid being hit", "do nothing", "hold the note",
    "show him you are not afraid", "Go around the block, keeping it on your right.", ""])
def test_a_text_without_negation_is_unchanged(text):
    assert read_command(text).wanted == text


@pytest.mark.parametrize("text, pieces", [
    ("walk and kick", ["walk", "kick"]),
    ("walk, then kick. Then rest!", ["walk", "kick", "rest"]),
    ("rise, lift the shield and walk", ["rise", "lift the shield", "walk"]),
    ("walk around the block, keeping it on your left, and kick",
     ["walk around the block, keeping it on your left", "kick"]),
    ("walk to the wall, slowly", ["walk to the wall, slowly"]),
    ("  ", []),
])
def test_composite_commands_part_at_their_joints(text, pieces):
    assert split_commands(text) == pieces


def test_long_and_hostile_text_is_read_quickly():
    text = "not " * 5000 + ", and " * 5000 + "  -" * 5000
    read_command(text)
    split_commands(text)
