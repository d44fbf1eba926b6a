"""A thing says nothing about the skill: "walk to X" is a walk whatever X is."""
from __future__ import annotations

from pathlib import Path

import pytest
from conftest import needs_weights

from ppp.errors import PPPError
from ppp.language import load_matcher, things
from ppp.language.phrases import load_phrases, read_yaml

ROOT = Path(__file__).resolve().parents[2]
SKILLS = """
skills:
  walk: {label: walk, train: [stroll]}
  turn_left: {label: turn left, train: [to the left]}
  turn_right: {label: turn right, train: [to the right]}
oos_train: [sing]
"""
#: commands that name a thing, one or more a skill
CARRIERS = {
    "idle": ["wait by {}", "stand still beside {}"],
    "walk_forward": ["walk to {}", "go to {}", "approach {}", "go round {} on the left side"],
    "walk_backward": ["back away from {}", "step back from {}"],
    "run": ["run to {}", "sprint past {}"], "crouch_walk": ["sneak up to {}", "creep past {}"],
    "strafe_left": ["sidestep left round {}"], "strafe_right": ["sidestep right round {}"],
    "turn_left": ["turn left to face {}"], "turn_right": ["turn right to face {}"],
    "slash": ["slash {}", "hit {} with your sword", "strike down {}"],
    "stab": ["stab {}", "thrust at {}"], "kick": ["kick {}", "kick {} over"],
    "shield_bash": ["bash {} with your shield", "ram {} with the shield"],
    "block": ["raise your shield against {}", "defend yourself from {}"],
    "taunt": ["taunt {}", "mock {}"], "jump": ["jump over {}", "leap over {}"],
    "dodge_back": ["dodge back from {}"], "get_up": ["get up next to {}"]}
#: things that stand in the scenes and that no carrier is trained with, but for the first three
THINGS = ["the dummy", "the crate", "the guard", "the barrel", "the north post", "the yellow dummy",
          "the robot", "the blue cone", "the bench", "the wizard", "the wagon", "the snowman"]


def loaded(tmp_path, block):
    path = tmp_path / "phrases.yaml"
    path.write_text(SKILLS + block, encoding="utf-8")
    return load_phrases(str(path))


def test_carriers_are_written_out_in_turn(tmp_path, monkeypatch):
    monkeypatch.setattr(things, "EACH", 2)
    found = loaded(tmp_path, "things: {names: [a cow, a pig, a hen], oos_train: ['eat {thing}'], "
                             "train: {walk: ['walk to {thing}', 'go by {thing}']}}")
    assert found.train["walk"] == ["stroll", "walk to a cow", "walk to a pig", "go by a hen",
                                   "go by a cow"]
    assert found.oos_train == ["sing", "eat a pig", "eat a hen"]


def test_fewer_names_than_each_are_not_repeated(tmp_path):
    found = loaded(tmp_path, "things: {names: [a cow], train: {walk: ['walk to {thing}']}}")
    assert found.train["walk"] == ["stroll", "walk to a cow"]


def test_carriers_of_both_sides(tmp_path):
    found = loaded(tmp_path, "things: {names: [it], train: {'turn_{d}': ['{d} of {thing}']}}")
    assert found.train["turn_left"][1:] == ["left of it"]
    assert found.train["turn_right"][1:] == ["right of it"]


@pytest.mark.parametrize("block, said", [
    ("things: {names: [it], train: {walk: [walk to it]}}", "'walk to it' has no {thing}"),
    ("things: {train: {walk: ['walk to {thing}']}}", "things.names: empty"),
    ("things: {names: [it], train: {wlak: ['to {thing}']}}", "did you mean 'walk'"),
    ("things: {nmaes: [it]}", "did you mean 'names'"),
    ("oos_far: ['eat {thing}']", "oos_far[0]: {thing} is written out under things only")])
def test_mistakes_are_named(tmp_path, block, said):
    with pytest.raises(PPPError) as caught:
        loaded(tmp_path, block)
    assert said in str(caught.value) and "phrases.yaml" in str(caught.value)


def test_every_thing_is_taught_with_every_skill():
    path = str(ROOT / "prompts" / "phrases.yaml")
    phrases, names = load_phrases(path), read_yaml(path)["things"]["names"]
    assert len(names) >= 20
    for skill, texts in phrases.train.items():
        lacking = [name for name in names if not any(name in text for text in texts)]
        assert not lacking, skill


@needs_weights
def test_the_shipped_part_hears_the_skill_whatever_the_thing():
    matcher = load_matcher()
    pairs = [(text.format(thing), skill) for skill, texts in CARRIERS.items() for text in texts
             for thing in THINGS]
    found = matcher.match_many([text for text, _ in pairs])
    wrong = [(text, match.skill) for match, (text, skill) in zip(found, pairs)
             if match.skill != skill or not match.known]
    # 7 of 396 when it was fitted, 62 before things were taught
    assert len(wrong) <= 0.03 * len(pairs), wrong
    # what the scenes hold most of is never misheard
    assert not [text for text, _ in wrong if "the dummy" in text or "the crate" in text], wrong
