"""``ppp eval planning --planner llm`` against a real server on this machine."""
from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "planning"))

from planning_helpers import keyword_matcher, search  # noqa: E402

from ppp.errors import run_entry  # noqa: E402
from ppp.evaluation import planning  # noqa: E402
from ppp.planning.generate import generate  # noqa: E402

pytest_plugins = ("model_fixture",)
KEY = "sk-very-secret-key-0123456789"


@pytest.fixture(autouse=True)
def offline(monkeypatch):
    for name in ("OPENAI_BASE_URL", "OPENAI_MODEL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setattr(planning, "matcher_for", lambda skills: keyword_matcher)


def run(*arguments):
    """The exit status; scenes easy 0 and easy 1."""
    argv = ["--planner", "llm", "--level", "easy", "--episodes", "2", *arguments]
    return run_entry(lambda: planning.main([str(a) for a in argv]))


def good(seed):
    """A sound plan for a scene, as a model would write it."""
    return json.dumps(search(generate("easy", seed)).as_dict())


def figures(path):
    return json.loads(path.read_text())["levels"]["easy"]["kinematic"]


def test_a_model_is_scored_recorded_and_scored_again_without_it(server, tmp_path, capsys):
    # the first scene's plan is the second one's and is mended once; the second is right at once
    server.replies = [good(1), good(0), good(1)]
    out, kept, again = (tmp_path / name for name in ("p.json", "replies.jsonl", "again.json"))
    assert run("--base-url", server.url, "--json", out, "--record", kept) == 0
    found = figures(out)
    assert found["valid"] == found["success"] == 1.0 and found["repairs"] == 0.5
    assert len(server.asked) == 3
    assert KEY not in out.read_text() + kept.read_text() + capsys.readouterr().out
    assert run("--replay", kept, "--json", again) == 0
    assert figures(again) == found and len(server.asked) == 3


def test_no_sound_plan_counts_and_a_server_that_does_not_answer_stops_the_measurement(
        server, tmp_path, capsys):
    out = tmp_path / "p.json"
    server.replies = [*["no plan at all"] * 4, (401, {"error": {"message": "bad key"}})]
    assert run("--base-url", server.url, "--json", out) == 2
    assert "status 401" in capsys.readouterr().err
    assert json.loads(out.read_text())["complete"] is False
    server.replies = [good(1)]  # with another key it goes on with the second scene
    assert run("--base-url", server.url, "--json", out) == 0
    found = figures(out)
    assert found["valid"] == found["success"] == 0.5 and found["repairs"] == 1.5
    assert "no sound plan in 4 replies" in found["failures"][0]["ended"]


def test_flags_that_do_not_fit_stop_before_anything_is_asked(server, tmp_path, capsys):
    kept = tmp_path / "replies.jsonl"
    assert run("--base-url", server.url, "--record", kept, "--replay", kept) == 2
    assert "exclude each other" in capsys.readouterr().err
    assert run("--base-url", "nonsense") == 2
    assert "no address" in capsys.readouterr().err
    assert server.asked == [] and not kept.exists()
