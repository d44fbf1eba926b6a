"""The second box against a language model: a chat-completions server on this machine, or its
replies from a file."""
from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ppp.planning.choosing import ModelOptions, choose_planner
from ppp.planning.situation import remembered
from ppp.play.views import DONE

from .chromium import Chromium, installed
from .gliding import new_session, until_done
from .test_play_command import free_port

sys.path.append(str(Path(__file__).resolve().parents[1] / "planning"))  # the server is theirs

from model_server import plan  # noqa: E402

pytest_plugins = ("model_fixture",)

OWN = "Strike the yellow dummy, then walk to the flag."
#: a sound plan for it
GOOD = plan(("walk to the yellow dummy", [2.6, 0.9], "reached"),
            ("slash the yellow dummy", [3.5, 1.2], "done"),
            ("walk to the flag", [0.5, -3.0], "reached"))
#: what no clause of "juggle ..." says, a model may plan
JIG = plan(("walk to the flag", [0.5, -2.6], "reached"), ("taunt", [0.5, -3.0], "done"))


@pytest.fixture
def llm_session(server, matcher):
    """A session whose instructions the server plans."""
    reads = remembered(matcher)
    options = ModelOptions(base_url=server.url, model="tiny", timeout=20.0, retries=0)
    made = new_session(matcher, lambda wanted: choose_planner("llm", options, wanted.name, reads))
    yield made
    made.close()


def test_the_scenarios_own_instruction(server, llm_session):
    server.replies = [GOOD]
    llm_session.instruct(OWN)
    view = until_done(llm_session)
    assert view.planner.startswith("llm (127.0.0.1:") and view.message.startswith("done")
    assert [line.mark for line in view.plan] == [DONE] * 3 and view.checks[0].mark == DONE
    assert OWN in server.bodies()[0]["messages"][0]["content"]


def test_a_text_that_no_skill_fits_is_the_models_to_plan(server, llm_session):
    server.replies = [JIG]
    llm_session.instruct("juggle three chainsaws near the flag")
    view = until_done(llm_session)
    assert not view.heard[0].known and view.checks == () and view.message.startswith("done")
    assert [line.text.split(" \u2192")[0] for line in view.plan] == ["walk to the flag", "taunt"]
    prompt = server.bodies()[0]["messages"][0]["content"]
    assert "juggle three chainsaws" in prompt and "performed to its end" in prompt


def test_the_model_is_told_where_things_stand_now(server, llm_session):
    llm_session.say("walk to (2, 2)")
    until_done(llm_session)
    server.replies = [plan(("taunt", [3.0, 3.0], "done"))]
    llm_session.instruct("taunt")
    until_done(llm_session)
    prompt = server.bodies()[0]["messages"][0]["content"]
    told = re.search(r"It stands at \[([\d.]+), ([\d.]+)\]", prompt)
    assert told and all(abs(float(value) - 2.0) < 0.8 for value in told.groups())


@pytest.mark.parametrize("reply, says", [
    ((500, {"error": {"message": "boom"}}), "status 500"),
    ("I would rather not", "no sound plan")])
def test_a_model_that_fails_is_a_sentence_and_the_show_goes_on(server, llm_session, reply, says):
    server.replies = [reply] * 5
    llm_session.instruct(OWN)
    view = until_done(llm_session)
    assert says in view.message and "--planner search" in view.message
    llm_session.say("jump")
    assert until_done(llm_session).message.startswith("done")


@pytest.mark.skipif(installed() is None, reason="no Chromium is installed")
def test_the_page_plans_by_the_model(server, tmp_path):
    pytest.importorskip("mjviser", reason="ppp play's packages are not installed")
    server.replies = [(500, {"error": {"message": "boom"}}), JIG]
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "ppp.cli", "play", "--port", str(port), "--out", str(tmp_path),
         "--planner", "llm", "--base-url", server.url, "--model", "tiny", "--retries", "0"],
        stdout=subprocess.PIPE, text=True)
    try:
        process.stdout.readline()
        with Chromium((900, 700)) as window:
            window.open(f"http://127.0.0.1:{port}")
            window.wait_for("Plan and perform")
            window.write(1, "dance near the flag")
            window.wait_for("status 500")
            window.write(1, "juggle three chainsaws near the flag")
            window.wait_for("planned by llm (127.0.0.1:")
            window.wait_for("2. taunt \u2192 [0.50, -3.00]")
            window.wait_for("none could be read from the text")
            assert window.errors == []
        asked = json.dumps(server.bodies())
        assert "dance near the flag" in asked and "juggle three chainsaws" in asked
    finally:
        process.terminate()
        process.wait(60)
