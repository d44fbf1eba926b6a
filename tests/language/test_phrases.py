"""The phrase file: reading, refusing, and the shipped one."""
from __future__ import annotations

from pathlib import Path

import pytest

from ppp.errors import PPPError
from ppp.language.overlap import content_stems, overlaps, stem
from ppp.language.phrases import load_phrases
from ppp.language.splits import leave_words_out, make_split, soft

SHIPPED = Path(__file__).resolve().parents[2] / "prompts" / "phrases.yaml"
GOOD = """
skills:
  walk: {label: walk ahead, train: [walk, march], heldout: [stroll]}
  turn_left: {train: ["turn {d}"]}
mirrored:
  turn: {label: "turn {d}", train: ["spin {d}"], heldout: ["face {d}"]}
negation: [["don't march, turn left", turn_left, walk]]
composite: [["walk and turn left", [walk, turn_left]]]
planner: [["Walk to the wall.", walk]]
"""


@pytest.fixture
def written(tmp_path):
    def write(text):
        path = tmp_path / "phrases.yaml"
        path.write_text(text, encoding="utf-8")
        return str(path)
    return write


def test_mirrored_entries_are_written_out_for_both_sides(written):
    phrases = load_phrases(written(GOOD))
    assert phrases.labels["turn_right"] == "turn right"
    assert phrases.train["turn_left"] == ["turn left", "spin left"]
    assert phrases.train["turn_right"] == ["spin right"]
    assert ("face right", "turn_right") in phrases.pairs("heldout")


@pytest.mark.parametrize("bad, words", [
    ("skils: {}", "did you mean 'skills'"),
    ("skills: {walk: {trian: [a]}}", "skills.walk: unknown field 'trian', did you mean 'train'"),
    ("skills: {walk: {train: walk}}", "skills.walk.train: expected a list"),
    ("skills: {walk: {train: [1]}}", "train[0]: 1 is not a phrase"),
    ("skills: {walk: {train: [yes]}}", "write it in quotes"),
    ("skills: {walk: {label: 3}}", "skills.walk.label"),
    ("skills: {}", "skills is empty"),
    ("skills: [", "not valid YAML"),
    ("- a", "expected a mapping"),
    ("skills: {walk: {}}\nnegation: [[a, walk]]", "negation[0]: expected 3 items"),
    ("skills: {walk: {}}\ncomposite: [[a, walk]]", "second item must be a list"),
])
def test_mistakes_get_one_sentence_with_file_and_field(written, bad, words):
    with pytest.raises(PPPError) as caught:
        load_phrases(written(bad))
    assert words in str(caught.value) and "phrases.yaml" in str(caught.value)


def test_missing_file_and_unknown_id(written, tmp_path):
    with pytest.raises(PPPError, match="absent.yaml"):
        load_phrases(str(tmp_path / "absent.yaml"))
    phrases = load_phrases(written(GOOD.replace("[walk, turn_left]", "[walk, turn_letf]")))
    with pytest.raises(PPPError, match="field composite.*did you mean 'turn_left'"):
        phrases.check_ids(phrases.labels)


def test_overlap_sees_through_endings_and_exempts_function_words():
    assert stem("running") == stem("runs") == stem("run")
    assert stem("slashes") == stem("slash") == stem("slashing")
    assert content_stems("turn to the left with your sword") == {"turn"}
    shared = overlaps(["keep running"], ["he runs", "to the left", "jog"])
    assert shared == {"he runs": ["run"]}


def test_splits_keep_test_words_and_phrases_out_of_training():
    phrases = load_phrases(str(SHIPPED))
    for make in (soft, leave_words_out):
        split = make(phrases, 1)
        assert not set(split.train) & set(split.test)
        assert split.train == make(phrases, 1).train != make(phrases, 2).train
    split = leave_words_out(phrases)
    train = [text for text, _ in split.train]
    assert split.strict and not overlaps(train, [text for text, _ in split.strict])
    with pytest.raises(PPPError, match="unknown split 'hard'"):
        make_split("hard", phrases)


def test_the_shipped_file_is_wide_and_honest():
    phrases = load_phrases(str(SHIPPED))
    phrases.check_ids(phrases.labels)
    assert len(phrases.labels) == 18
    for skill in phrases.labels:
        assert len(phrases.train[skill]) >= 40 and len(phrases.heldout[skill]) >= 20
        assert len(set().union(*map(content_stems, phrases.train[skill]))) >= 15
    train = [text for text, _ in phrases.pairs("train")]
    assert not overlaps(train, [text for text, _ in phrases.pairs("heldout")])
    assert len(phrases.oos_train) >= 40
    scored = set(phrases.oos_near) | set(phrases.oos_far)
    assert not scored & set(phrases.oos_train)
    for name in ("oos_near", "oos_far", "negation", "composite", "planner"):
        assert len(getattr(phrases, name)) >= 20
    double = {}
    for text, skill in phrases.pairs("train"):
        double.setdefault(text, set()).add(skill)
    assert not {text: skills for text, skills in double.items() if len(skills) > 1}
