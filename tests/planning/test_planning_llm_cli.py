"""``ppp plan`` with a language model, from its arguments to its exit status."""
from __future__ import annotations

import json
from pathlib import Path

import pytest
from model_server import GOOD, THROUGH, slowly
from planning_helpers import keyword_matcher

import ppp.plan
from ppp.errors import run_entry

pytest_plugins = ("model_fixture",)
SCENARIO = Path(__file__).resolve().parents[2] / "prompts" / "strike_behind_block.yaml"
KEY = "sk-very-secret-key-0123456789"


@pytest.fixture(autouse=True)
def offline(monkeypatch):
    for name in ("OPENAI_BASE_URL", "OPENAI_MODEL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setattr(ppp.plan, "matcher_for", lambda skills: keyword_matcher)


def run(server, *arguments):
    """The exit status, as the shell sees it."""
    argv = [str(SCENARIO), "--performer", "kinematic", "--base-url", server.url, *arguments]
    return run_entry(lambda: ppp.plan.main([str(a) for a in argv]))


def test_the_prompt_shown_is_the_prompt_sent(server, capsys):
    server.replies = [GOOD]
    assert run(server, "--show-prompt") == 0
    shown = capsys.readouterr().out
    assert server.asked == []
    assert run(server) == 0
    assert server.bodies()[0]["messages"] == [{"role": "user", "content": shown}]


def test_plan_repair_performance_and_what_it_cost(server, capsys, tmp_path):
    server.usage = {"prompt_tokens": 1500, "completion_tokens": 250}
    server.replies = [THROUGH, GOOD]
    out, kept = tmp_path / "r.json", tmp_path / "replies.jsonl"
    flags = ["--perform", "--json", out, "--record", kept]
    assert run(server, *flags, "--price", "1", "4", "--cost-limit", "1") == 0
    told = capsys.readouterr()
    # 3000 at 1 and 500 at 4 per million
    used = "3000 prompt tokens and 500 reply tokens, cost 0.005, 1 repair"
    assert f"model: tiny, 2 replies, {used}" in told.out
    result = json.loads(out.read_text())
    assert result["success"] and result["planner"] == "llm"
    assert result["llm"]["repairs"] == 1 and result["llm"]["model"] == "tiny"
    assert result["llm"]["cost"] == pytest.approx(0.005)
    assert KEY not in told.out + told.err + out.read_text() + kept.read_text()

    # the same again without the server
    again = tmp_path / "again.json"
    assert run(server, "--perform", "--json", again, "--replay", kept) == 0
    assert "2 replies replayed, no tokens used, 1 repair" in capsys.readouterr().out
    assert len(server.asked) == 2
    assert json.loads(again.read_text())["steps"] == result["steps"]


def test_what_was_asked_for_nothing_is_told_too(server, capsys):
    server.usage = {"prompt_tokens": 1500, "completion_tokens": 250}
    server.replies = [THROUGH] * 4
    assert run(server, "--perform") == 2
    told = capsys.readouterr()
    assert "4 replies, 6000 prompt tokens and 1000 reply tokens" in told.out
    assert told.err.count("\n") == 1 and "no sound plan in 4 replies" in told.err


def test_a_limit_that_is_reached_ends_it_with_2(server, capsys):
    server.usage = {"prompt_tokens": 5000, "completion_tokens": 2500}
    server.replies = [THROUGH] * 4
    assert run(server, "--token-limit", "7000") == 2
    assert "the limit of 7000 tokens leaves no room" in capsys.readouterr().err
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "reply, flags, message",
    [
        ((401, {"error": {"message": KEY}}), [], "status 401 (***): check the key"),
        ((429, "wait"), ["--retries", "0"], "status 429"),
        (slowly, ["--timeout", "0.2"], "no whole reply in 0.2 s"),
    ],
)
def test_a_server_that_fails_ends_it_with_2_and_one_line(server, capsys, reply, flags, message):
    server.replies = [reply]
    assert run(server, "--perform", *flags) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1 and KEY not in error


@pytest.mark.parametrize(
    "flags, message",
    [
        (["--planner", "search", "--record", "r.jsonl"], "--record and --replay are about"),
        (["--record", "a.jsonl", "--replay", "b.jsonl"], "exclude each other"),
        (["--retries", "99"], "--retries must be from 0 to 10"),
        (["--timeout", "nan"], "--timeout must be"),
        (["--token-limit", "5"], "--token-limit must be"),
        (["--cost-limit", "1"], "--cost-limit needs --price"),
        (["--price", "-1", "2"], "--price needs two numbers"),
        (["--api-key", "sk-é"], "the key (OPENAI_API_KEY or --api-key) holds characters"),
    ],
)
def test_senseless_flags_are_refused(server, capsys, monkeypatch, tmp_path, flags, message):
    monkeypatch.chdir(tmp_path)
    assert run(server, *flags) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1
    assert server.asked == [] and list(tmp_path.iterdir()) == []


def test_a_record_whose_first_question_failed_can_be_used_again(server, capsys, tmp_path):
    kept = tmp_path / "replies.jsonl"
    server.replies = [(401, "no"), GOOD]
    assert run(server, "--record", kept) == 2
    assert run(server, "--record", kept) == 0
    assert run(server, "--record", kept) == 2
    assert "replies.jsonl exists: name a new file" in capsys.readouterr().err
