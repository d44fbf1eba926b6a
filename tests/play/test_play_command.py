"""``ppp play`` as it is called: options, refusals, its speed, and how it ends."""
from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import urllib.request

import pytest

from ppp.cli import main


@pytest.fixture
def refused(capsys, tmp_path, monkeypatch):
    """Call ``ppp play`` with arguments; returns its one sentence."""
    monkeypatch.chdir(tmp_path)

    def call(*argv):
        with pytest.raises(SystemExit) as caught:
            main(["play", *map(str, argv)])
        error = capsys.readouterr().err.splitlines()[-1]
        assert caught.value.code == 2 and error.startswith("error: "), error
        return error

    return call


@pytest.fixture
def viewer():
    """Without the viewer's packages there is no page."""
    pytest.importorskip("mjviser", reason="ppp play's packages are not installed")


def free_port():
    """A port that nothing serves at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_help_says_where_and_how(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["play", "--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert caught.value.code == 0
    for part in ("Ctrl-C ends it", "--port", "127.0.0.1", "--planner", "--measure"):
        assert part in text


@pytest.mark.parametrize("argv, says", [
    (["nowhere.yaml"], "nowhere.yaml"),
    (["--port", 70000], "--port 70000"),
    (["--seed", -1], "--seed"),
    (["--measure", 0], "--measure"),
])
def test_wrong_options_are_one_sentence(refused, argv, says):
    assert says in refused(*argv)


def test_without_its_packages_it_says_what_to_install(refused, monkeypatch):
    monkeypatch.setitem(sys.modules, "mjviser", None)
    assert "pip install" in refused("--port", free_port())


def test_a_port_in_use_is_refused(refused, viewer):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert f"--port {port} is in use" in refused("--port", port)


def test_a_language_model_that_is_not_there_is_told_before_the_page_opens(
        refused, viewer, monkeypatch):
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_MODEL"):
        monkeypatch.delenv(name, raising=False)
    assert "no language model is configured" in refused("--planner", "llm", "--port", free_port())


def test_measure_prints_the_real_time_factor(capsys, tmp_path, monkeypatch, viewer):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as caught:
        main(["play", "--measure", "2", "--port", str(free_port())])
    out = capsys.readouterr().out
    assert caught.value.code == 0
    found = re.search(r"factor ([\d.]+) by the clock, ([\d.]+) by processor time", out)
    # the machine may be busy with other tests, so only the processor's time is judged
    assert found and float(found.group(2)) >= 1.0, out


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_cleanly(tmp_path, viewer, how):
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "ppp.cli", "play", "--port", str(port)],
                               cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               text=True)
    try:
        assert f"http://127.0.0.1:{port}" in process.stdout.readline()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}", timeout=20) as answer:
            assert b"<html" in answer.read().lower()
        process.send_signal(how)
        out, error = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 0 and "Traceback" not in error + out, error
