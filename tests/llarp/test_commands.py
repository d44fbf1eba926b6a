"""ppp llarp from the command line."""
from __future__ import annotations

import json

import pytest
from llarp_tools import settings

from ppp.cli import dispatch
from ppp.errors import run_entry
from ppp.llarp import store
from ppp.llarp.train import Trainer

TINY = ["--model.backbone", "tiny", "--model.precision", "float32", "--model.width", "16",
        "--imitation.iterations", "2", "--imitation.episodes", "4", "--imitation.batch", "4",
        "--validate-every", "2", "--validation", "4", "--ppo.iterations", "0"]


def call(*words):
    return run_entry(lambda: dispatch(["llarp", *[str(word) for word in words]]))


def test_train_resume_and_export(tmp_path, capsys):
    run, out = tmp_path / "run", tmp_path / "bundle"
    assert call("train", "--run-dir", run, *TINY, "--export", out) == 0
    rows = [json.loads(line) for line in (run / "history.jsonl").read_text().splitlines()]
    assert "validation" in rows[1] and "validation" not in rows[0]
    card = store.read_card(out)
    assert card["settings"]["imitation"]["episodes"] == 4
    assert card["settings"]["imitation"]["learning_rate"] == 1e-3  # of the YAML
    assert card["command"] == " ".join(["ppp llarp train", *TINY])  # and no place on this machine
    capsys.readouterr()
    assert call("train", "--run-dir", run, *TINY) == 2
    assert "go on with it by --resume" in capsys.readouterr().err
    assert call("train", "--run-dir", run, *TINY[:-1], "1", "--resume", "--ppo.episodes", "8") == 2
    assert "ppo.episodes: 512, now 8" in capsys.readouterr().err


def test_eval_writes_what_the_design_asks_for(tmp_path, capsys):
    trainer = Trainer(settings(), tmp_path / "run")
    trainer.save()
    out, page = tmp_path / "figures.json", tmp_path / "figures.md"
    assert call("eval", "--checkpoint", tmp_path / "run", "--compare", f"again={tmp_path}/run",
                "--baselines", "expert", "--split", "scene", "--tasks", "4", "--seeds", "2",
                "--json", out, "--markdown", page) == 0
    figures = json.loads(out.read_text())
    assert set(figures["splits"]) == {"scene"} and figures["pr"] is None
    assert 0 <= figures["splits"]["scene"]["success"] <= 1
    assert figures["baselines"]["expert"]["splits"]["scene"]["success"] == 1.0
    assert figures["baselines"]["again"]["splits"] == figures["splits"]
    assert "no Habitat" in figures["differs"] and "no Habitat" in page.read_text()


def test_curves_keep_regimes_apart(tmp_path, capsys):
    """Two regimes, two rows of panels: the picture is twice as high."""
    from PIL import Image

    assert call("train", "--run-dir", tmp_path / "a", *TINY) == 0
    facts = store.read(tmp_path / "a" / store.CHECKPOINT).facts
    (tmp_path / "b").mkdir()
    facts["settings"]["regime"] = "rl"
    store.write(tmp_path / "b" / store.CHECKPOINT, {}, facts)
    (tmp_path / "b" / "history.jsonl").write_bytes((tmp_path / "a" / "history.jsonl").read_bytes())
    sizes = []
    for runs in (["a"], ["a", "b"]):
        out = tmp_path / f"{len(runs)}.png"
        assert call("curves", *[tmp_path / run for run in runs], "--out", out) == 0
        sizes.append(Image.open(out).size)
    assert sizes[1] == (sizes[0][0], 2 * sizes[0][1])
    (tmp_path / "b" / "history.jsonl").write_text('{"iteration": 1}\n')
    assert call("curves", tmp_path / "b") == 2
    assert "no validation score yet" in capsys.readouterr().err


def test_a_card_takes_the_figures(tmp_path, capsys):
    trainer = Trainer(settings(), tmp_path / "run")
    store.write_bundle(tmp_path / "b", store.adapter_tensors(trainer.policy), trainer.facts())
    words = ["--baselines", "expert", "--split", "scene", "--tasks", "3", "--seeds", "1", "--card"]
    assert call("eval", "--checkpoint", tmp_path / "b", "--failures", "disturbed", *words) == 0
    card = store.read_card(tmp_path / "b")
    assert card["scores"]["failures"] == "disturbed" and card["settings"]["seed"] == 0
    assert card["scores"]["LLaRP"]["scene"] in (0.0, 0.3333, 0.6667, 1.0)
    trainer.save()
    assert call("eval", "--checkpoint", tmp_path / "run", *words) == 2
    assert "is no single bundle" in capsys.readouterr().err


@pytest.mark.parametrize("words, message", [
    (["evil"], "did you mean 'eval'"),
    (["eval", "--split", "contxt"], "did you mean 'context'"),
    (["eval", "--seeds", "0"], "--seeds is 0"),
    (["eval", "--failures", "all"], "unknown failures"),
    (["eval", "--checkpoint", "nowhere"], "no such file"),
    (["train", "--regime", "imitate"], "did you mean 'imitation'"),
    (["train", "--model.backbone", "minlm"], "did you mean 'minilm'"),
    (["train", "--regime", "rl", "--imitation.iterations", "5"], "nothing is imitated there"),
    (["train", "--cfg", "nowhere.yaml"], "no such file"),
], ids=" ".join)
def test_mistakes_are_told_in_a_sentence(words, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert call(*words) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1
    assert not list(tmp_path.glob("**/*.safetensors"))


def test_memory_is_switched_off_as_the_documentation_says():
    from ppp.llarp.train_command import options

    assert options([]).model.remembers and not options(["--model.no-remembers"]).model.remembers


def test_asking_a_model_needs_one(tmp_path, capsys, monkeypatch):
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    Trainer(settings(), tmp_path).save()
    assert call("eval", "--checkpoint", tmp_path, "--baselines", "prompt", "--split", "train") == 2
    assert "no language model is configured" in capsys.readouterr().err


def test_replies_can_be_replayed(tmp_path, capsys):
    Trainer(settings(), tmp_path).save()
    replies = tmp_path / "replies.jsonl"
    plan = json.dumps({"steps": [{"command": "wait", "target": [0, 0]}]})
    line = json.dumps({"scenario": "llarp", "asked": "", "reply": plan}) + "\n"
    replies.write_text(line * 3)
    out = tmp_path / "figures.json"
    assert call("eval", "--checkpoint", tmp_path, "--baselines", "prompt", "--split", "scene",
                "--tasks", "3", "--seeds", "2", "--server.replay", replies, "--json", out) == 0
    row = json.loads(out.read_text())["baselines"]["zero-shot prompt planner"]["splits"]["scene"]
    assert row["success"] == 0.0 and len(row["per_seed"]) == 1
