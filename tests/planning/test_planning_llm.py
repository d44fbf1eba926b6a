"""The LLM planner against a small chat-completions server on this machine."""
from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from planning_helpers import STRIKE, keyword_matcher, perform, scenario, situation

from ppp.errors import PPPError
from ppp.planning.chat import ChatClient
from ppp.planning.executor import Executor
from ppp.planning.kinematic import KinematicPerformer
from ppp.planning.llm import LLMMaker, llm_maker
from ppp.planning.planner import ListPlanner
from ppp.planning.prompting import build_prompt
from ppp.planning.replies import Recorder, Replayer
from ppp.planning.server import Server, server_from
from ppp.planning.skills import SKILLS

KEY = "sk-very-secret-key-0123456789"


def plan(*steps):
    return json.dumps({"steps": [{"command": c, "target": t, "until": u} for c, t, u in steps]})


GOOD = plan(
    ("walk around the block", [1.9, -1.8], None),
    ("walk on", [4.1, -1.8], None),
    ("walk to the target", [5.4, -0.6], "reached"),
    ("slash the target with the sword", [6.0, 0.0], "done"),
)
THROUGH = plan(("walk to the target", [5.4, 0.0], "reached"), ("slash it", [6.0, 0.0], "done"))


@pytest.fixture
def server():
    """A server whose ``replies`` (text, or (status, body)) are given in turn; it keeps what it
    was asked in ``asked``."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.answer(200, {"object": "list", "data": [{"id": "tiny", "object": "model"}]})

        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            http.asked.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
            reply = http.replies.pop(0)
            time.sleep(http.delay)
            if isinstance(reply, tuple):
                return self.answer(*reply)
            message = {"role": "assistant", "content": reply}
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            self.answer(200, {"id": "1", "object": "chat.completion", "choices": [choice]})

        def answer(self, status, data):
            body = data.encode() if isinstance(data, str) else json.dumps(data).encode()
            kind = "text/html" if isinstance(data, str) else "application/json"
            try:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            except OSError:
                pass  # the client has given up waiting

        def log_message(self, *args):
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.replies, http.asked, http.delay = [], [], 0.0
    http.url = f"http://127.0.0.1:{http.server_port}/v1"
    threading.Thread(target=http.serve_forever, args=(0.02,), daemon=True).start()
    yield http
    http.shutdown()
    http.server_close()


def maker(server, timeout=10.0, recorder=None, model="m"):
    return LLMMaker(ChatClient(Server(server.url, model, KEY, timeout)), keyword_matcher, recorder)


def make(server, **more):
    return maker(server, **more).make(situation(scenario(**STRIKE)))


def test_a_good_reply_is_the_plan(server):
    server.replies = [GOOD]
    made = make(server)
    assert [s.command for s in made.steps][-1] == "slash the target with the sword"
    path, headers, body = server.asked[0]
    assert path == "/v1/chat/completions"
    assert headers["authorization"] == f"Bearer {KEY}"
    assert body["model"] == "m" and body["temperature"] == 0.0
    schema = body["response_format"]["json_schema"]
    assert schema["strict"] and schema["schema"]["required"] == ["steps"]


def test_mistakes_go_back_to_the_model(server):
    server.replies = ["I would walk there.", THROUGH, GOOD]
    asked = maker(server)
    asked.make(situation(scenario(**STRIKE)))
    assert asked.attempts == 3
    last = server.asked[-1][2]["messages"]
    assert [m["role"] for m in last] == ["user", "assistant", "user", "assistant", "user"]
    assert "is not JSON" in last[2]["content"]
    assert "goes through 'red block'" in last[4]["content"]
    assert last[3]["content"] == THROUGH


def test_it_gives_up_after_four_replies_with_the_reason(server):
    server.replies = [THROUGH] * 9
    with pytest.raises(PPPError, match="no sound plan in 4 replies.*goes through 'red block'"):
        make(server)
    assert len(server.asked) == 4


def test_a_server_without_structured_output_is_asked_plainly(server):
    server.replies = [(400, {"error": {"message": "response_format is not supported"}}), GOOD]
    make(server)
    assert "response_format" not in server.asked[1][2]


def test_without_a_model_the_server_says_which_it_serves(server):
    server.replies = [GOOD]
    make(server, model=None)
    assert server.asked[0][2]["model"] == "tiny"


def test_failures_are_sentences_without_the_key(server):
    refusals = [
        (401, {"error": {"message": f"Incorrect API key provided: {KEY}"}}),
        (404, {"error": {"message": "no such model"}}),
    ]
    for status, body in refusals:
        server.replies = [(status, body)]
        with pytest.raises(PPPError, match=f"status {status}") as caught:
            make(server)
        assert KEY not in str(caught.value)
    server.replies = ["  "]
    with pytest.raises(PPPError, match="gave no plan"):
        make(server)
    server.replies = [(200, "<html>hello</html>")]
    with pytest.raises(PPPError, match="--base-url"):
        make(server)
    assert KEY not in repr(Server("http://a", "m", KEY))


def test_a_slow_server_is_left_after_the_timeout(server):
    server.replies, server.delay = [GOOD] * 3, 1.0
    begun = time.monotonic()
    with pytest.raises(PPPError, match="no reply in 0.2 s.*--timeout"):
        make(server, timeout=0.2)
    assert time.monotonic() - begun < 8.0


def test_no_server_there():
    chat = ChatClient(Server("http://127.0.0.1:9/v1", "m", None, 2.0))
    with pytest.raises(PPPError, match="cannot connect to 127.0.0.1:9"):
        chat.ask([{"role": "user", "content": "hello"}])


def test_replies_are_recorded_and_replayed(server, tmp_path):
    server.replies = [THROUGH, GOOD]
    file = str(tmp_path / "replies.jsonl")
    first = make(server, recorder=Recorder(file))
    assert KEY not in open(file).read()
    again = llm_maker(None, keyword_matcher, "t", replay=file)
    assert again.make(situation(scenario(**STRIKE))) == first
    assert again.attempts == 2 and again.ask.changed == 0
    with pytest.raises(PPPError, match="all 2 replies are used"):
        again.make(situation(scenario(**STRIKE)))


def test_bad_files_of_replies(tmp_path):
    file = tmp_path / "replies.jsonl"
    file.write_text('{"scenario": "other", "asked": "x", "reply": "{}"}\n')
    with pytest.raises(PPPError, match="for the scenario 'other', not 't'"):
        Replayer(str(file), "t")
    with pytest.raises(PPPError, match="exists: name a new file"):
        Recorder(str(file))
    file.write_text("[]\n")
    with pytest.raises(PPPError, match="line 1 is no recorded reply"):
        Replayer(str(file), "t")
    with pytest.raises(PPPError, match="no such file of replies"):
        Replayer(str(tmp_path / "none.jsonl"), "t")


def test_servers_from_flags_and_environment():
    assert server_from(env={}) is None
    found = server_from(env={"OPENAI_API_KEY": " k\n", "OPENAI_MODEL": "m"})
    assert (found.base_url, found.model, found.key, found.host) == (
        None, "m", "k", "api.openai.com",
    )  # fmt: skip
    found = server_from("http://user:word@host:8000/v1", env={"OPENAI_BASE_URL": "http://no"})
    assert found.host == "host:8000"
    for address in ("host:8000", "ftp://host", "http://", "http://[", "http://host:99999"):
        with pytest.raises(PPPError, match="--base-url"):
            server_from(address, env={})
    with pytest.raises(PPPError, match="--timeout"):
        server_from("http://host", timeout=0.0, env={})


def test_the_prompt_has_four_parts_with_the_scene_in_figures():
    text = build_prompt(situation(scenario(**STRIKE), ["idle", "walk_forward", "slash"]))
    for part in ("## 1. The robot", "## 2. The scene", "## 3. The skills", "## 4. The answer"):
        assert part in text
    assert "red block (obstacle): centre [3.00, 0.00], size 0.6 x 2 x 1 m" in text
    assert "must never be touched" in text and "slash with the sword" in text
    assert "taunt" not in text and "knocked_over: target" in text
    assert "What happened so far" not in text


def test_text_from_a_scenario_is_not_read_as_a_mark():
    made = scenario([{"reached": [1, 1]}], instruction="pay $5, $skills and ${arena}")
    assert "pay $5, $skills and ${arena}" in build_prompt(situation(made))


def test_what_went_wrong_is_told_to_the_model(server):
    """A performance in which the model's first plan misses: the second prompt says so."""
    server.replies = [
        plan(("walk", [1.9, -1.8], None), ("walk", [4.1, -1.8], "reached")),
        plan(("walk", [5.4, -0.6], "reached"), ("slash the target", [6.0, 0.0], "done")),
    ]
    made = scenario(**STRIKE)
    planner = ListPlanner(made, SKILLS, maker(server))
    result = Executor(made, planner, KinematicPerformer(), keyword_matcher, "llm").perform()
    assert result.success and result.replans == 1
    prompt = server.asked[1][2]["messages"][0]["content"]
    assert "'walk' at [1.90, -1.80]: done, reached" in prompt
    assert "this does not hold: knocked_over: target" in prompt


def test_a_model_that_fails_in_the_middle_ends_the_performance_with_the_reason(server):
    server.replies = [plan(("walk", [1.9, -1.8], None)), (401, {"error": {"message": "no"}})]
    made = scenario(**STRIKE)
    planner = ListPlanner(made, SKILLS, maker(server))
    result = Executor(made, planner, KinematicPerformer(), keyword_matcher, "llm").perform()
    assert not result.success and "status 401" in result.ended
    assert perform(made).success  # the same scene can be done
