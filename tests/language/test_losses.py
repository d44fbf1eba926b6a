"""The losses against hand-made cases, held back phrases, the control from scratch, pictures."""
from __future__ import annotations

import math
from types import SimpleNamespace

import pytest
import torch
from conftest import needs_weights
from torch.nn import functional as F

from ppp.errors import PPPError
from ppp.finetune_clip import main as finetune_main
from ppp.language import SHIPPED
from ppp.language.codebook import Codebook
from ppp.language.encoders import Scratch, load_encoder
from ppp.language.encoders.base import trainable
from ppp.language.finetune import LOSSES, FitSettings, _batches, batch_loss, finetune
from ppp.language.fit import build_codebook, fit_model
from ppp.language.matcher import Matcher
from ppp.language.model import load_model
from ppp.language.phrases import PhraseSet
from ppp.language.pictures import confusion, draw_confusion, write_curves
from ppp.language.validation import hold_back, validated_threshold

CODES = torch.eye(3)
LABELS = {"idle": "stand idle", "walk": "walk", "slash": "slash"}
TRAIN = {"idle": ["stand", "rest", "wait"], "walk": ["go", "march", "walk go"],
         "slash": ["cut", "hit", "swing cut"]}
PAIRS = [(text, skill) for skill, texts in TRAIN.items() for text in texts]


def test_the_paper_s_loss_is_the_squared_distance_to_the_own_code():
    found = F.normalize(torch.tensor([[1.0, 1.0, 0.0]]), dim=-1)
    value = batch_loss(found, CODES, torch.tensor([0]), "mse")
    assert value.item() == pytest.approx(2 - 2 / math.sqrt(2), abs=1e-6)
    assert batch_loss(CODES, CODES, torch.arange(3), "mse").item() == 0.0


def test_cross_entropy_looks_at_the_other_codes():
    """Two texts as far from their own code, one nearer to another's: only CE tells them apart."""
    skill = torch.tensor([0])
    near = F.normalize(torch.tensor([[1.0, 1.0, 0.0]]), dim=-1)
    spread = F.normalize(torch.tensor([[1.0, math.sqrt(0.5), math.sqrt(0.5)]]), dim=-1)
    assert batch_loss(near, CODES, skill, "mse").item() == pytest.approx(
        batch_loss(spread, CODES, skill, "mse").item(), abs=1e-6)
    assert batch_loss(near, CODES, skill, "ce") > batch_loss(spread, CODES, skill, "ce")
    both = batch_loss(near, CODES, skill, "mse+ce")
    assert both.item() == pytest.approx(
        (batch_loss(near, CODES, skill, "mse") + batch_loss(near, CODES, skill, "ce")).item())


def test_contrast_draws_phrases_of_a_skill_together():
    """Khosla et al., eq. 2, worked out for four texts of two skills at right angles."""
    rows = torch.tensor([[1.0, 0, 0], [1.0, 0, 0], [0, 1.0, 0], [0, 1.0, 0]])
    skill = torch.tensor([0, 0, 1, 1])
    square = batch_loss(rows, CODES, skill, "mse")
    contrast = batch_loss(rows, CODES, skill, "mse+contrast") - square
    # each: log(e^10 + 2 e^0) - 10 with cosines over a temperature of 0.1
    assert contrast.item() == pytest.approx(math.log(math.exp(10) + 2) - 10, abs=1e-5)
    mixed = batch_loss(rows, CODES, torch.tensor([0, 1, 0, 1]), "mse+contrast")
    assert mixed > batch_loss(rows, CODES, skill, "mse+contrast") + 5
    alone = batch_loss(CODES, CODES, torch.arange(3), "mse+contrast")
    assert alone.item() == 0.0


@pytest.mark.parametrize("loss", list(LOSSES))
def test_every_loss_learns(tiny, loss):
    encoder = tiny()
    book = Codebook.build(encoder, LABELS)
    report = finetune(encoder, book, PAIRS, ["sing"], FitSettings(loss, 60, 5e-3, 6))
    assert report.train_accuracy >= 0.75
    with pytest.raises(PPPError, match="did you mean 'mse'"):
        finetune(encoder, book, PAIRS, [], FitSettings("mze"))


def test_outliers_can_be_left_out(tiny):
    rows = []
    for outliers, oos in ((True, ["sing", "cook"]), (False, ["sing", "cook"]), (True, [])):
        encoder = tiny()
        finetune(encoder, Codebook.build(encoder, LABELS), PAIRS, oos,
                 FitSettings(epochs=3, outliers=outliers, batch=4))
        rows.append(encoder.encode(["sing"]))
    assert torch.equal(rows[1], rows[2]) and not torch.equal(rows[0], rows[1])


def test_batches_hold_every_text_once_and_like_lengths():
    import random

    texts = ["x" * (1 + n % 40) for n in range(330)]
    batches = _batches(texts, 16, random.Random(0))
    assert sorted(row for batch in batches for row in batch) == list(range(330))
    assert len(batches) == math.ceil(330 / 16)
    spread = [max(len(texts[r]) for r in b) - min(len(texts[r]) for r in b) for b in batches]
    assert sum(spread) / len(spread) < 15


def test_held_back_phrases_are_not_trained_on():
    pairs = [(f"{skill} {n}", skill) for skill in "ab" for n in range(20)]
    held = hold_back(pairs, [f"o{n}" for n in range(30)], seed=3)
    assert len(held.inside) == 4 and len(held.outside) == 3
    assert sorted(held.train + held.inside) == sorted(pairs)
    assert not set(held.oos) & set(held.outside)
    assert hold_back(pairs, [], 3).inside == held.inside != hold_back(pairs, [], 4).inside


def test_the_validated_threshold_parts_both_kinds():
    limit = validated_threshold([0.1, 0.2, 0.3], [0.9, 1.0], 2.0)
    assert 0.3 <= limit < 0.9
    # good ones are accepted even where outsiders lie among them
    assert validated_threshold([0.1] * 50 + [0.8] * 50, [0.5] * 9, 2.0) >= 0.8 - 1e-6
    assert validated_threshold([], [1.0], 2.0) is None


@needs_weights
def test_scratch_is_random_seeded_and_trained_towards_the_pretrained_codes(tmp_path):
    one = load_encoder("scratch", seed=1)
    assert isinstance(one, Scratch) and one.name == "scratch"
    other, again = load_encoder("scratch", seed=2), load_encoder("scratch", seed=1)
    assert torch.equal(one.encode(["walk"]), again.encode(["walk"]))
    assert not torch.allclose(one.encode(["walk"]), other.encode(["walk"]))
    phrases = PhraseSet("x.yaml", "", dict(LABELS), dict(TRAIN))
    book = build_codebook(one, phrases, PAIRS)
    # codes of labels that the shipped codebook has are taken from there, bit for bit
    wanted = Codebook.build(one.reference, LABELS, Codebook.load(SHIPPED))
    assert torch.equal(book.codes, wanted.codes)
    assert any("word_embeddings" in name for name in trainable(one))
    made = fit_model(one, phrases, PAIRS, "finetune", FitSettings(epochs=1)).model
    made.save(str(tmp_path))
    loaded = load_model(str(tmp_path))
    for a, b in zip(Matcher(made).match_many(["go", "cut"]), Matcher(loaded).match_many(
            ["go", "cut"])):
        assert a.distance == pytest.approx(b.distance, abs=2e-3)


def test_confusion_counts_answers_and_refusals(tmp_path):
    answers = [SimpleNamespace(skill=s, known=k) for s, k in
               (("a", True), ("b", True), ("b", False), ("b", True))]
    counts = confusion(answers, ["a", "a", "b", "b"], ["a", "b"])
    assert counts.tolist() == [[1, 1, 0], [0, 1, 1]]
    draw_confusion(counts, ["a", "b"], "title", tmp_path / "x" / "c.png")
    assert (tmp_path / "x" / "c.png").read_bytes()[:4] == b"\x89PNG"
    (tmp_path / "file").write_text("")
    with pytest.raises(PPPError, match="--out"):
        draw_confusion(counts, ["a", "b"], "title", tmp_path / "file" / "c.png")


def test_curves_are_written(tmp_path):
    write_curves([2.0, 1.0], {"before": {"top1": 0.2, "strict": None},
                              "after": {"top1": 0.9, "per_skill": {"a": 1.0}}}, tmp_path)
    assert list(tmp_path.glob("events*"))


def test_the_command_leaves_a_picture_and_refuses_an_unknown_loss(tmp_path, capsys):
    path = tmp_path / "p.yaml"
    path.write_text("skills:\n  a: {label: stand, train: [rest, wait], heldout: [loiter]}\n"
                    "  b: {label: walk, train: [march, go on], heldout: [amble]}\n")
    flags = ["--encoder", "lexical", "--phrases", str(path), "--out", str(tmp_path / "out")]
    assert finetune_main(flags) == 0
    assert (tmp_path / "out" / "confusion.png").exists()
    assert "confusion.png" in capsys.readouterr().out
    with pytest.raises(PPPError, match="mse\\+contrast"):
        finetune_main([*flags, "--loss", "triplet"])
    for text, words in (("", "skills is empty"), ("skills: {a: {train: []}}", "no training")):
        path.write_text(text)
        with pytest.raises(PPPError, match=words):
            finetune_main(flags)
