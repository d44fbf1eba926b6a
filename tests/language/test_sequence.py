"""Order in time of composite commands, on sentences outside prompts/phrases.yaml."""
from __future__ import annotations

import pytest

from ppp.language.clauses import plain, read_command
from ppp.language.sequence import split_commands


@pytest.mark.parametrize("text, pieces", [
    ("wave before you sing", ["wave", "sing"]),
    ("before you sing, wave", ["wave", "sing"]),
    ("after waving at her, sing", ["waving at her", "sing"]),
    ("sing after waving at her", ["waving at her", "sing"]),
    ("once you have waved, sing", ["waved", "sing"]),
    ("wave while singing a song", ["wave", "singing a song"]),
    ("wave, followed by a song", ["wave", "song"]),
    ("wave and afterwards sing", ["wave", "sing"]),
    ("Wave. Sing; bow.", ["Wave", "Sing", "bow"]),
    ("wave, sing, and bow", ["wave", "sing", "bow"]),
])
def test_clauses_come_in_the_order_of_time(text, pieces):
    assert split_commands(text) == pieces


@pytest.mark.parametrize("text", [
    "rest after the fall", "wave before the gate", "walk while facing him", "hop up and down",
    "go back and forth", "sing while walking", "wait until the song ends"])
def test_one_command_stays_whole(text):
    assert split_commands(text) == [text]


def test_a_condition_is_not_a_command():
    assert split_commands("when you are at the gate, wave") == ["wave"]


@pytest.mark.parametrize("text, wanted", [
    ("Could you please wave", "wave"), ("I want you to sing", "sing"), ("let's bow", "bow"),
    ("The robot should sing a song", "sing a song"), ("you must wave now", "wave now"),
    ("please", "please"), ("", ""), ("wave to the robot", "wave to the robot")])
def test_the_lead_in_of_an_order_is_taken_off(text, wanted):
    assert plain(text) == wanted


@pytest.mark.parametrize("text, wanted", [
    ("we aren't singing, wave", "wave"), ("nobody told you to sing, wave", "wave"),
    ("it would be a mistake to sing; wave", "wave"), ("no more singing! Wave", "Wave"),
    ("singing is forbidden, wave", "wave"), ("anything but singing: wave", "wave"),
    ("forget the song, wave", "wave"), ("wave, and whatever you do, don't sing", "wave"),
    ("wave without singing", "wave"), ("wave but never sing", "wave"),
    ("there is no sense in singing, so wave", "wave"), ("I don't want you to sing. Wave", "Wave"),
    ("in place of a song, wave", "wave"), ("don't let her sing", "don't let her sing")])
def test_what_a_negation_governs_goes(text, wanted):
    assert read_command(text).wanted == wanted
