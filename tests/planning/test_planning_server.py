"""The client against a real server on 127.0.0.1 that misbehaves: it mends, or says what was wrong,
in bounded time."""
from __future__ import annotations

import json
import re
import time

import pytest
from model_server import GOOD, completion, cut, drips, drips_its_head, endless, slowly

from ppp.errors import PPPError
from ppp.planning.budget import Budget
from ppp.planning.chat import ChatClient
from ppp.planning.server import Server
from ppp.planning.wire import seconds_to_wait

pytest_plugins = ("model_fixture",)
KEY = "sk-very-secret-key-0123456789"
ASKED = [{"role": "user", "content": "plan this"}]


def client(server, timeout=5.0, model="m", **more):
    patience = {"retries": 2, "backoff": 0.01, "longest_wait": 0.2, **more}
    return ChatClient(Server(server.url, model, KEY, timeout, **patience))


def failure(chat, within=8.0):
    """The sentence that comes of asking, which must not take longer than ``within`` s."""
    begun = time.monotonic()
    with pytest.raises(PPPError) as caught:
        chat.ask(ASKED)
    assert time.monotonic() - begun < within
    text = str(caught.value)
    assert KEY not in text and "\n" not in text and len(text) < 500
    return text


def test_a_good_answer_is_its_text_and_the_request_is_as_documented(server):
    server.replies = [GOOD]
    assert client(server).ask(ASKED) == GOOD
    path, headers, body = server.asked[0]
    assert path == "/v1/chat/completions"
    assert headers["authorization"] == f"Bearer {KEY}"
    assert body["model"] == "m" and body["messages"] == ASKED
    assert body["temperature"] == 0.0 and body["max_tokens"] == 4096
    schema = body["response_format"]["json_schema"]
    assert schema["strict"] and schema["schema"]["required"] == ["steps"]


def test_a_server_that_knows_less_is_asked_for_less(server):
    def no(what):
        return (400, {"error": {"message": f"Unsupported parameter: '{what}'"}})

    server.replies = [
        no("response_format"),
        (422, {"detail": "response_format must be text"}),
        no("max_tokens"),
        no("max_completion_tokens"),
        no("temperature"),
        GOOD,
        GOOD,
    ]
    chat = client(server)
    assert chat.ask(ASKED) == GOOD
    bodies = server.bodies()
    assert [b.get("response_format", {}).get("type") for b in bodies[:3]] == [
        "json_schema", "json_object", None,
    ]  # fmt: skip
    assert "max_tokens" in bodies[2] and bodies[3]["max_completion_tokens"] == 4096
    assert set(bodies[5]) == {"model", "messages"}
    chat.ask(ASKED)  # it is remembered
    assert set(server.bodies()[6]) == {"model", "messages"} and len(server.asked) == 7


def test_a_request_refused_in_every_form_ends_with_the_reason(server):
    server.replies = [(400, {"error": {"message": "prompt is too long"}})] * 9
    assert "status 400 (prompt is too long)" in failure(client(server))
    assert len(server.asked) == 3


@pytest.mark.parametrize(
    "passing",
    [
        (429, {"error": {"message": "too many"}}),
        (500, "oops"),
        (503, {"error": "starting"}, {"Retry-After": "0.1"}),
        cut(),
        cut(b'{"choices": ['),
    ],
)
def test_what_passes_is_tried_again(server, passing):
    server.replies = [passing, passing, GOOD]
    assert client(server).ask(ASKED) == GOOD
    assert len(server.asked) == 3


@pytest.mark.parametrize(
    "reply, tries, message",
    [
        ((401, {"error": {"message": f"wrong key: {KEY}"}}), 1, "status 401.*check the key"),
        ((404, {"error": {"message": "no such model"}}), 1, "no such model.*--model"),
        ((429, {"error": {"message": "slow down"}}), 3, "3 times with status 429 .slow down"),
        ((429, {"error": {"message": "pay", "code": "insufficient_quota"}}), 1, "status 429 .pay"),
        ((429, "later", {"Retry-After": "3600"}), 1, "asks to wait 3600 s"),
        ((500, "<h1>oops\n</h1>"), 3, "status 500.*oops.*the fault is the server's"),
        ((500, "\x1b[31m" + "y" * 9999), 3, r"status 500 \(\?\[31my+\.\.\."),
        ((501, {"error": ["odd"]}), 1, "status 501"),
        (cut(), 3, "cut the connection 3 times"),
        (cut(b"{"), 3, "cut the connection 3 times"),
        ((200, "<html>hello</html>"), 1, "not a JSON object: is --base-url"),
        ((200, "[" * 50000), 1, "not a JSON object"),
        ((200, [1]), 1, "not a JSON object"),
        ((200, {"choices": []}), 1, "holds no message"),
        ((200, {"choices": {"message": 3}}), 1, "holds no message"),
        ((200, {"error": {"message": "relay broke"}}), 1, "answered with an error.*relay broke"),
        ((200, completion(None)), 1, "gave no plan .stop"),
        ((200, completion([1, 2])), 1, "gave no plan"),
        ((200, completion(" \n ")), 1, "gave no plan"),
        ((200, completion("", finish="length")), 1, "used up the 4096 tokens.*--reply-tokens"),
        ((200, completion(None, finish="content_filter")), 1, "no plan .content_filter"),
        ((200, completion(None, refusal="I do\nnot hit.")), 1, "refused to plan .I do not hit"),
        ((200, "x" * 10_000_000), 1, "larger than 1024 KiB"),
        (endless(200), 1, "larger than 1024 KiB"),
        (endless(500), 3, "status 500 .x+"),
    ],
)
def test_each_failure_is_one_sentence(server, reply, tries, message):
    server.replies = [reply] * 4
    text = failure(client(server))
    assert len(server.asked) == tries
    assert re.search(message, text), text


@pytest.mark.parametrize("never", [slowly, drips, drips_its_head])
def test_a_server_that_never_ends_is_left_after_the_timeout(server, never):
    """The timeout is of the whole reply: bytes that go on coming do not stretch it."""
    server.replies = [never] * 4
    text = failure(client(server, timeout=0.3), within=5.0)
    assert "no whole reply in 0.3 s: raise --timeout" in text
    assert len(server.asked) == 1


@pytest.mark.parametrize("host", ["exa mple", "127.0.0.1\x00", "a..b", "xn--\u00e9", "%%%"])
def test_an_address_that_is_none(host):
    server = Server(f"http://{host}/v1", "m", None, 2.0, retries=0)
    with pytest.raises(PPPError, match="--base-url"):
        ChatClient(server).ask(ASKED)


def test_a_server_that_sends_us_round_in_circles(server):
    away = (307, "", {"Location": server.url + "/chat/completions"})
    server.replies = [away] * 99
    assert "redirects" in failure(client(server, retries=0))


def test_nobody_there():
    chat = ChatClient(Server("http://127.0.0.1:9/v1", "m", None, 2.0))
    assert "cannot connect to 127.0.0.1:9" in failure(chat)


def test_without_a_model_the_server_says_which_it_serves(server):
    server.replies = [GOOD]
    client(server, model=None).ask(ASKED)
    assert server.bodies()[0]["model"] == "tiny"
    for answer in ({"data": []}, {"data": 3}, {"data": [{"id": 3}]}, {}):
        server.models = (200, answer)
        assert "lists no models: name one by --model" in failure(client(server, model=None))
    server.models = (401, {"error": {"message": "who?"}})
    assert "status 401 (who?)" in failure(client(server, model=None))
    server.models = endless(200)
    assert "larger than" in failure(client(server, model=None))


def test_retry_after_is_seconds_or_a_date():
    def wait(text):
        return seconds_to_wait({"retry-after": text}, now=1_000_000_000.0)

    assert wait("7") == 7.0 and wait("0.5") == 0.5
    assert wait("Sun, 09 Sep 2001 01:46:50 GMT") == 10.0  # 1e9 s is 01:46:40 that day
    assert wait("Sun, 09 Sep 2001 01:46:00 GMT") == 0.0  # past already
    assert wait("-3") == 0.0
    assert [wait(t) for t in ("", "soon", "nan", "99 99")] == [None] * 4
    assert seconds_to_wait({}, 0.0) is None


def test_the_pause_doubles_up_to_its_bound(server, monkeypatch):
    slept = []
    monkeypatch.setattr("ppp.planning.chat.time.sleep", slept.append)
    server.replies = [(500, "no")] * 9
    failure(client(server, retries=4, backoff=1.0, longest_wait=6.0))
    # 1, 2 and 4 s, each give or take a quarter; 8 s would be more than the longest wait
    assert [round(s / 2**i) for i, s in enumerate(slept)] == [1, 1, 1]
    assert all(0.75 <= s / 2**i <= 1.25 for i, s in enumerate(slept))
    slept.clear()
    server.replies = [(429, "no", {"Retry-After": "3"}), GOOD]
    client(server, longest_wait=6.0).ask(ASKED)
    assert slept == [3.0]


def test_lone_surrogates_and_the_key_do_not_leave_the_reply(server):
    server.replies = [(200, json.dumps(completion("a\ud800b " + KEY)))]
    assert client(server).ask(ASKED) == "a?b ***"


def budgeted(server, **limits):
    return ChatClient(Server(server.url, "m", KEY, 5.0), Budget(**limits))


def test_tokens_and_cost_are_counted_by_the_server(server):
    server.usage = {"prompt_tokens": 1000, "completion_tokens": 200}
    server.replies = [GOOD, GOOD]
    chat = budgeted(server, prices=(2.0, 10.0))
    chat.ask(ASKED)
    chat.ask(ASKED)
    # 2000 tokens at 2 per million and 400 at 10 per million
    assert chat.budget.used == 2400 and chat.budget.spent == pytest.approx(0.008)
    assert chat.summary() == (
        "m, 2 replies, 2000 prompt tokens and 400 reply tokens, cost 0.008"
    )
    assert chat.use()["prompt_tokens"] == 2000 and chat.use()["cost"] == pytest.approx(0.008)


@pytest.mark.parametrize(
    "usage",
    [None, 3, {"prompt_tokens": -1, "completion_tokens": 2}, {"prompt_tokens": 1e400},
     {"prompt_tokens": True, "completion_tokens": True},
     {"prompt_tokens": 10**40, "completion_tokens": 1}],
)  # fmt: skip
def test_odd_counts_are_replaced_by_an_estimate(server, usage):
    server.replies = [(200, json.dumps(completion("x" * 80, usage=usage)))]
    chat = budgeted(server)
    chat.ask([{"role": "user", "content": "y" * 400}])
    assert (chat.budget.prompt_tokens, chat.budget.reply_tokens) == (100, 20)
    assert "about 100 prompt tokens" in str(chat.budget) and "cost unknown" in str(chat.budget)


def test_the_token_limit_bounds_the_reply_and_then_ends_the_asking(server):
    server.usage = {"prompt_tokens": 100, "completion_tokens": 300}
    server.replies = [GOOD] * 9
    chat = budgeted(server, tokens=1000, reply=600)
    long = [{"role": "user", "content": "y" * 400}]  # about 100 tokens
    chat.ask(long)
    chat.ask(long)  # 400 are used and 100 the prompt takes: 500 are left
    assert [b["max_tokens"] for b in server.bodies()] == [600, 500]
    chat.ask(long)
    with pytest.raises(PPPError, match="limit of 1000 tokens.*used: 1200.*--token-limit"):
        chat.ask(long)
    assert len(server.asked) == 3


def test_the_cost_limit_does_so_too(server):
    server.usage = {"prompt_tokens": 100, "completion_tokens": 300}
    server.replies = [GOOD] * 9
    chat = budgeted(server, prices=(1000.0, 1000.0), cost=0.6)  # a thousandth a token
    long = [{"role": "user", "content": "y" * 400}]
    chat.ask(long)  # 0.4 of 0.6 spent
    chat.ask(long)  # 0.1 for the prompt leaves 100 tokens
    assert [b["max_tokens"] for b in server.bodies()] == [500, 100]
    with pytest.raises(PPPError, match="limit of 0.6 leaves no money.*spent: 0.8.*--cost-limit"):
        chat.ask(long)


def test_an_empty_reply_is_paid_for(server):
    server.replies = [(200, completion("", usage={"prompt_tokens": 5, "completion_tokens": 7}))]
    chat = budgeted(server)
    failure(chat)
    assert chat.budget.used == 12


@pytest.mark.parametrize(
    "limits, message",
    [
        ({"tokens": 3}, "--token-limit must be from 64"),
        ({"reply": 0}, "--reply-tokens must be"),
        ({"prices": (float("nan"), 1.0)}, "--price needs two numbers"),
        ({"prices": (1.0, 1.0), "cost": float("nan")}, "--cost-limit must be a number above 0"),
        ({"cost": 1.0}, "--cost-limit needs --price"),
    ],
)
def test_senseless_limits_are_refused(limits, message):
    with pytest.raises(PPPError, match=message):
        Budget(**limits)
