"""Tokenizer, weights and the shipped text part."""
from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from conftest import needs_weights

import ppp.language
from ppp.errors import PPPError
from ppp.language import load_matcher
from ppp.language.encoders import minilm
from ppp.language.encoders.wordpiece import SPECIAL, WordPiece, basic_words

ROOT = Path(__file__).resolve().parents[2]


def test_words_are_lowered_stripped_and_parted():
    assert basic_words("Don't  R\u00e9sum\u00e9\t\u4e2d\u6587!\u200b") == [
        "don", "'", "t", "resume", "\u4e2d", "\u6587", "!"]


def test_pieces_are_greedy_and_whole_words_become_unknown():
    tokenizer = WordPiece({p: i for i, p in enumerate([*SPECIAL, "run", "##n", "##ning", "##ing"])})
    assert tokenizer.ids("running") == [2, 4, 6, 3]
    assert tokenizer.ids("runs " + "a" * 200) == [2, 1, 1, 3]
    assert len(WordPiece(tokenizer.vocabulary, 8).ids("run " * 50)) == 8
    ids, mask = tokenizer.batch(["run", "running run"])
    assert mask.tolist() == [[True] * 3 + [False] * 2, [True] * 5] and ids[0, 3:].tolist() == [0, 0]
    with pytest.raises(PPPError, match=r"\[PAD\]"):
        WordPiece({"run": 0})


def test_missing_weights_name_both_ways_to_get_them(tmp_path):
    with pytest.raises(minilm.WeightsNotFound) as caught:
        minilm.MiniLM.load(str(tmp_path))
    assert "requirements-weights.txt" in str(caught.value) and "--weights" in str(caught.value)


def test_other_weights_are_refused_by_hash(tmp_path):
    for name in minilm.FILES:
        (tmp_path / name).write_text("{}")
    with pytest.raises(PPPError, match="sha256 44136fa355b3"):
        minilm.MiniLM.load(str(tmp_path))


def test_without_weights_the_lexical_part_answers_and_says_so(monkeypatch, capsys):
    monkeypatch.setattr(minilm, "PACKAGE", "no_such_package_of_weights")
    matcher = load_matcher(skills=["idle", "slash"])
    assert matcher.model.encoder.name == "lexical"
    assert "lexical" in capsys.readouterr().err
    assert matcher("slash the enemy").skill == "slash" and matcher("slash the enemy").performable
    assert not matcher("run ahead").supported
    with pytest.raises(minilm.WeightsNotFound):
        load_matcher(folder=str(ppp.language.SHIPPED))


def test_shipped_parts_agree_with_the_phrase_file():
    for folder in (ppp.language.SHIPPED, ppp.language.SHIPPED_LEXICAL):
        skills = json.loads((folder / "codebook.json").read_text())["skills"]
        assert len(skills) == 18 and all(skill["label"] for skill in skills)


@pytest.fixture(scope="module")
def shipped():
    return load_matcher()


@needs_weights
def test_embeddings_have_the_published_geometry():
    encoder = minilm.MiniLM.load()
    rows = encoder.encode(["A man is eating food.", "A man is eating a piece of bread.",
                           "A monkey is playing drums."])
    assert rows.shape == (3, 384)
    assert torch.allclose(rows.norm(dim=-1), torch.ones(3), atol=1e-5)
    cosine = rows @ rows.T
    # 0.7553: the similarity of this pair that the reference implementation gives for these weights.
    assert cosine[0, 1].item() == pytest.approx(0.7553, abs=1e-3)
    assert cosine[0, 1] > cosine[0, 2] + 0.4


@needs_weights
@pytest.mark.parametrize("text, skill", [
    ("walk around the block on its left", "walk_forward"), ("strike down the target", "slash"),
    ("smite the red one", "slash"), ("knock over the target", "slash"),
    ("attack the target", "slash"), ("hit him hard", "slash"), ("STRAFE LEFT!", "strafe_left"),
    ("don't run, walk", "walk_forward"), ("please raise your shield now", "block")])
def test_shipped_matcher_reads_common_commands(shipped, text, skill):
    match = shipped(text)
    assert match.skill == skill and match.performable


@needs_weights
def test_shipped_matcher_parts_and_refuses(shipped):
    found = [match.skill for match in shipped.match_all("creep up and bash it")]
    assert found == ["crouch_walk", "shield_bash"]
    for text in ("what is the capital of Peru", "open a savings account", "qwertyuiop"):
        assert not shipped(text).known


@needs_weights
def test_shipped_card_belongs_to_the_phrase_file(shipped):
    from ppp.language.phrases import load_phrases

    phrases = load_phrases(str(ROOT / "prompts" / "phrases.yaml"))
    assert shipped.model.card["phrases_sha256"] == phrases.sha256
    assert dict(zip(shipped.book.skills, shipped.book.labels)) == phrases.labels
