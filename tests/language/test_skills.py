"""``ppp skills``: a new skill joins, the old codes stay."""
from __future__ import annotations

import pytest
import torch
import yaml

from ppp.errors import PPPError
from ppp.language import SHIPPED
from ppp.language import model as text_model
from ppp.language.codebook import Codebook
from ppp.language.fit import fit_model
from ppp.language.model import load_model
from ppp.language.phrases import load_phrases
from ppp.language.skills_commands import main
from ppp.language.skills_file import with_skill, without_outsiders

PHRASES = """# my phrases
rest: idle
skills:
  idle:
    label: stand idle   # a comment
    train: [stand, rest, wait]
  walk:
    label: walk
    train:
      - go
      - march
    heldout: [walk go]

# what fits no skill
oos_train:
  - sing
  - "hit cut"
  - cook
"""


@pytest.fixture
def part(tiny, monkeypatch, tmp_path):
    """A phrase file and an adapter on the tiny encoder; returns the flags that name them."""
    monkeypatch.setattr(text_model.MiniLM, "load", classmethod(lambda cls, folder=None: tiny()))
    path = tmp_path / "phrases.yaml"
    path.write_text(PHRASES, encoding="utf-8")
    phrases = load_phrases(str(path))
    fit_model(tiny(), phrases, phrases.pairs("train"), "adapter").model.save(str(tmp_path / "part"))
    return ["--phrases", str(path), "--model", str(tmp_path / "part"), "--out",
            str(tmp_path / "out"), "--allow-close"]


SLASH = ["add", "slash", "--label", "slash", "--phrase", "swing", "--phrase", "hit cut"]


def test_a_new_skill_leaves_the_old_codes_alone(part, tmp_path, capsys):
    source = (tmp_path / "phrases.yaml").read_text()
    assert main([*SLASH, "--heldout", "cut", *part]) == 0
    shown = capsys.readouterr().out
    assert "right before" in shown and "slash: 100.0 % of its 2 phrases" in shown
    assert "no longer listed as commands that no skill fits: hit cut" in shown
    old, new = Codebook.load(tmp_path / "part"), Codebook.load(tmp_path / "out")
    assert new.skills == ("idle", "walk", "slash")
    assert torch.equal(new.codes[:2], old.codes)
    part_ = load_model(str(tmp_path / "out"))
    assert torch.equal(part_.encoder.base.encode(["slash"])[0], new.codes[2])
    phrases = load_phrases(str(tmp_path / "out" / "phrases.yaml"))
    assert phrases.train["slash"] == ["swing", "hit cut"] and phrases.heldout["slash"] == ["cut"]
    assert phrases.oos_train == ["sing", "cook"]
    text = (tmp_path / "out" / "phrases.yaml").read_text()
    assert "# a comment" in text and "# what fits no skill" in text
    # the sources are as they were
    assert (tmp_path / "phrases.yaml").read_text() == source
    assert len(Codebook.load(tmp_path / "part").skills) == 2


def test_a_second_skill_goes_on_from_the_folder(part, tmp_path):
    assert main([*SLASH, *part]) == 0
    out = ["--out", str(tmp_path / "out"), "--allow-close"]
    assert main(["add", "sing_song", "--label", "sing", "--phrase", "sing sing", *out]) == 0
    assert Codebook.load(tmp_path / "out").skills == ("idle", "walk", "slash", "sing_song")


@pytest.mark.parametrize("arguments, words", [
    (["add", "walk", "--label", "x", "--phrase", "swing"], "exists already"),
    (["add", "Fly Up", "--label", "x", "--phrase", "swing"], "small letters"),
    (["add", "fly", "--label", "x"], "--phrase: none given"),
    (["add", "fly", "--label", "x", "--phrase", "March!"], "is a train phrase of walk"),
    (["add", "fly", "--label", "x", "--phrase", "..."], "has no word in it"),
    (["ad", "fly"], "did you mean 'add'")])
def test_mistakes_get_one_sentence_and_write_nothing(part, tmp_path, arguments, words):
    with pytest.raises(PPPError) as caught:
        main([*arguments, *part])
    assert words in str(caught.value)
    assert not (tmp_path / "out" / "card.yaml").exists()


def test_a_label_close_to_another_is_refused_with_the_pair(part):
    with pytest.raises(PPPError, match=r"from that of walk \('walk'\).*--allow-close"):
        main(["add", "walk_two", "--label", "walk", "--phrase", "hit", *part[:-1]])


def test_unwritable_and_wrong_folders(part, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(PPPError, match="cannot make its folder"):
        main([*SLASH, *part[:4], "--out", str(tmp_path / "file" / "x"), "--allow-close"])
    with pytest.raises(PPPError, match="absent"):
        main([*SLASH, *part[:2], "--model", str(tmp_path / "absent")])
    (tmp_path / "flow.yaml").write_text("skills: {idle: {label: a, train: [b]}}")
    with pytest.raises(PPPError, match="flow.yaml.*skills:"):
        main([*SLASH, "--phrases", str(tmp_path / "flow.yaml"), *part[2:]])


def test_an_entry_is_appended_as_written():
    text = with_skill(PHRASES, "roll", 'say "hi"', ["a: b", "c"], ["d"], "x")
    skills = yaml.safe_load(text)["skills"]
    assert list(skills) == ["idle", "walk", "roll"]
    assert skills["roll"] == {"label": 'say "hi"', "train": ["a: b", "c"], "heldout": ["d"]}
    assert text.replace("\n".join(text.split("\n")[12:19]) + "\n", "") == PHRASES
    assert without_outsiders(PHRASES, ["Cook."])[1] == ["cook"]
    assert "go" in yaml.safe_load(without_outsiders(PHRASES, ["go"])[0])["skills"]["walk"]["train"]


def test_list_shows_the_nearest_skill(capsys):
    assert main(["list", "--model", str(SHIPPED)]) == 0
    shown = capsys.readouterr().out
    assert "strafe_left" in shown and "0.471" in shown


def test_codes_are_taken_over_where_id_and_label_agree(tiny):
    encoder = tiny()
    known = Codebook.build(encoder, {"idle": "stand", "walk": "walk"})
    shifted = Codebook(known.skills, known.labels, known.codes + 1e-7, known.encoder,
                       known.encoder_hash)
    made = Codebook.build(encoder, {"walk": "walk", "idle": "stand idle", "slash": "cut"}, shifted)
    assert torch.equal(made.codes[0], shifted.codes[1])
    assert torch.equal(made.codes[1], encoder.encode(["walk", "stand idle", "cut"])[1])
    other = tiny(1)
    other.weights_hash = "other"
    assert not torch.equal(Codebook.build(other, {"walk": "walk"}, shifted).codes[0],
                           shifted.codes[1])
