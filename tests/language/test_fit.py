"""Fitting and saving, on a BERT of a few thousand parameters."""
from __future__ import annotations

import os

import pytest
import torch
import yaml

from ppp.errors import PPPError
from ppp.language import model as text_model
from ppp.language.adapter import AdaptedEncoder, fit_adapter, place, unused_direction
from ppp.language.codebook import Codebook
from ppp.language.encoders import MiniLM
from ppp.language.encoders.base import trainable
from ppp.language.encoders.lexical import Lexical
from ppp.language.finetune import FitReport, FitSettings, finetune
from ppp.language.fit import fit_model
from ppp.language.matcher import Matcher
from ppp.language.model import TextModel, load_model
from ppp.language.phrases import PhraseSet

LABELS = {"idle": "stand idle", "walk": "walk", "slash": "slash"}
TRAIN = {"idle": ["stand", "rest", "wait"], "walk": ["go", "march", "walk go"],
         "slash": ["cut", "hit", "swing cut"]}
PAIRS = [(text, skill) for skill, texts in TRAIN.items() for text in texts]
OOS = ["sing", "cook", "read"]
QUICK = FitSettings(epochs=60, lr=5e-3, batch=6)


def nearest(encoder, book, texts):
    return [book.skills[i] for i in torch.cdist(encoder.encode(texts), book.codes).argmin(-1)]


@pytest.mark.parametrize("loss", ["mse", "mse+ce"])
def test_finetuning_learns_and_leaves_codes_and_words_alone(tiny, loss):
    encoder = tiny()
    book = Codebook.build(encoder, LABELS)
    codes = book.codes.clone()
    words = encoder.model.embeddings.word_embeddings.weight.clone()
    seen = []
    settings = FitSettings(loss, QUICK.epochs, QUICK.lr, QUICK.batch)
    report = finetune(encoder, book, PAIRS, OOS, settings, lambda e, value: seen.append(value))
    right = [a == s for a, (_, s) in zip(nearest(encoder, book, [t for t, _ in PAIRS]), PAIRS)]
    assert report.train_accuracy == pytest.approx(sum(right) / len(right), abs=1e-4)
    assert sum(right) >= 7
    assert len(seen) == QUICK.epochs and report.losses[-1] < 0.5 * report.losses[0]
    assert torch.equal(book.codes, codes)
    assert torch.equal(encoder.model.embeddings.word_embeddings.weight, words)


def test_finetuning_is_seeded(tiny):
    runs = []
    for seed in (0, 0, 1):
        encoder = tiny()
        finetune(encoder, Codebook.build(encoder, LABELS), PAIRS, OOS,
                 FitSettings(epochs=2, seed=seed, batch=4))
        runs.append(encoder.encode(["go"]))
    assert torch.equal(runs[0], runs[1]) and not torch.equal(runs[0], runs[2])


def test_outlier_exposure_pushes_foreign_texts_away(tiny):
    best = []
    for oos in ([], OOS):
        encoder = tiny()
        book = Codebook.build(encoder, LABELS)
        finetune(encoder, book, PAIRS, oos, QUICK)
        best.append((encoder.encode(OOS) @ book.codes.T).amax(-1).mean().item())
    assert best[1] < best[0]


def test_a_collapsed_space_is_recognised():
    assert FitReport(label_distance=0.01, variance=0.6).collapsed
    assert FitReport(label_distance=0.5, variance=0.001).collapsed
    assert not FitReport(label_distance=0.5, variance=0.6).collapsed


def test_adapter_knows_its_anchors_and_refuses_out_of_set(tiny):
    encoder = tiny()
    book = Codebook.build(encoder, LABELS)
    adapted = AdaptedEncoder(encoder, fit_adapter(encoder, book, PAIRS, OOS), book.codes)
    assert nearest(adapted, book, [t for t, _ in PAIRS]) == [s for _, s in PAIRS]
    inside = torch.cdist(adapted.encode([t for t, _ in PAIRS]), book.codes).amin(-1)
    outside = torch.cdist(adapted.encode(OOS), book.codes).amin(-1)
    assert inside.max() < outside.min()
    assert torch.allclose(adapted.encode(OOS).norm(dim=-1), torch.ones(3), atol=1e-5)
    assert adapted.encode([]).shape == (0, 16)


def test_what_resembles_nothing_goes_nowhere():
    codes = torch.eye(4)[:2]
    nowhere = unused_direction(codes)
    assert torch.allclose(codes @ nowhere, torch.zeros(2), atol=1e-6)
    found = place(torch.tensor([[0.0, 0.0], [1.0, 0.0]]), codes, nowhere)
    assert torch.allclose(found[0], nowhere) and torch.allclose(found[1], codes[0])


@pytest.fixture
def phrases():
    return PhraseSet("x.yaml", "", dict(LABELS), dict(TRAIN), rest="idle", oos_train=list(OOS))


@pytest.fixture
def tiny_on_disk(tiny, monkeypatch):
    """``load_model`` finds the tiny encoder instead of the published one."""
    monkeypatch.setattr(text_model.MiniLM, "load", classmethod(lambda cls, folder=None: tiny()))


@pytest.mark.parametrize("method", ["adapter", "finetune"])
def test_a_saved_model_answers_as_before(tiny, tiny_on_disk, phrases, tmp_path, method):
    fitted = fit_model(tiny(), phrases, PAIRS, method, QUICK).model
    fitted.save(str(tmp_path))
    loaded = load_model(str(tmp_path))
    texts = ["go march", "swing", "sing cook", "don't walk"]
    for before, after in zip(Matcher(fitted).match_many(texts), Matcher(loaded).match_many(texts)):
        assert before.skill == after.skill
        assert before.distance == pytest.approx(after.distance, abs=2e-4)
    assert loaded.threshold == pytest.approx(fitted.threshold, abs=1e-4)
    assert not [name for name in os.listdir(str(tmp_path)) if name.startswith(".")]
    if method == "finetune":
        stored = set(text_model._read_changed(tmp_path))
        assert stored == set(trainable(tiny())) and len(stored) > 3


def test_lexical_model_saves_and_knows_only_its_words(phrases, tmp_path):
    fitted = fit_model(Lexical.fit(["x"]), phrases, PAIRS).model
    fitted.save(str(tmp_path))
    matcher = Matcher(load_model(str(tmp_path)))
    assert matcher("march").skill == "walk" and matcher("march").known
    assert not matcher("zebra").known and not matcher("\u4e2d").known
    rows = matcher.model.encoder.encode(["march", "zebra", ""])
    assert torch.allclose(rows.norm(dim=-1), torch.ones(3))


def damage(name, edit):
    def apply(folder):
        path = folder / name
        edit(path)
    return apply


def edit_card(**changes):
    def edit(path):
        card = yaml.safe_load(path.read_text())
        card.update(changes)
        path.write_text(yaml.safe_dump(card))
    return damage("card.yaml", edit)


@pytest.mark.parametrize("harm, words", [
    (damage("card.yaml", os.remove), "card.yaml"),
    (damage("codebook.json", os.remove), "codebook.json"),
    (damage("codebook.safetensors", lambda p: p.write_bytes(b"12")), "codebook.safetensors"),
    (damage("changed.safetensors", lambda p: p.write_bytes(b"12")), "changed.safetensors"),
    (edit_card(codebook_sha256="0"), "not the codebook"),
    (edit_card(format=99), "format 99"),
    (edit_card(encoder={"name": "minilm", "sha256": "other"}), "other weights"),
    (edit_card(encoder={"name": "minlm", "sha256": "tiny"}), "did you mean 'minilm'"),
    (edit_card(method="finetune"), "do not fit method finetune"),
    (edit_card(threshold="much"), "card.yaml"),
])
def test_a_damaged_folder_is_refused_by_name(tiny, tiny_on_disk, phrases, tmp_path, harm, words):
    fit_model(tiny(), phrases, PAIRS, "adapter").model.save(str(tmp_path))
    harm(tmp_path)
    with pytest.raises(PPPError) as caught:
        load_model(str(tmp_path))
    assert words in str(caught.value) and str(tmp_path) in str(caught.value)


def test_an_interrupted_save_keeps_the_old_model(tiny, phrases, tmp_path, monkeypatch):
    fit_model(tiny(), phrases, PAIRS, "adapter").model.save(str(tmp_path))
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}

    def fail(self, place):
        raise OSError("disk full")
    monkeypatch.setattr(TextModel, "_save_changed", fail)
    with pytest.raises(OSError):
        fit_model(tiny(1), phrases, PAIRS, "adapter").model.save(str(tmp_path))
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


def test_a_codebook_must_fit_its_skills():
    with pytest.raises(PPPError, match="occurs twice"):
        Codebook(("a", "a"), ("a", "b"), torch.eye(2), "t", "0")
    with pytest.raises(PPPError, match="one row for each skill"):
        Codebook(("a", "b"), ("a", "b"), torch.eye(3), "t", "0")


def test_padding_does_not_change_an_embedding(tiny):
    encoder: MiniLM = tiny()
    alone = encoder.encode(["go"])
    batched = encoder.encode(["go", "stand idle walk go march slash"])[:1]
    assert torch.allclose(alone, batched, atol=1e-6)
    assert encoder.encode([]).shape == (0, 16)
