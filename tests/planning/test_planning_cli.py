"""``ppp plan`` from its arguments to its exit status, performed without physics."""
from __future__ import annotations

import json
import runpy
import sys
import types
from pathlib import Path

import pytest
from planning_helpers import keyword_matcher

import ppp.plan
from ppp.errors import PPPError, run_entry

ROOT = Path(__file__).resolve().parents[2]
PROMPTS = ROOT / "prompts"


@pytest.fixture(autouse=True)
def offline(monkeypatch):
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_MODEL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(ppp.plan, "matcher_for", lambda skills: keyword_matcher)


def run(*arguments):
    """The exit status, as the shell sees it."""
    argv = [*map(str, arguments), "--performer", "kinematic"]
    return run_entry(lambda: ppp.plan.main(argv))


def shipped(name):
    return PROMPTS / f"{name}.yaml"


@pytest.mark.parametrize(
    "name", ["strike_behind_block", "walk_to_point", "patrol", "block_facing_target"]
)
def test_shipped_scenarios_succeed(name, tmp_path, capsys):
    out = tmp_path / "r.json"
    assert run(shipped(name), "--perform", "--json", out, "--seed", 4) == 0
    result = json.loads(out.read_text())
    assert result["success"] and result["seed"] == 4 and result["planner"] == "search"
    assert all(c["passed"] for c in result["checks"])
    keys = {"success", "checks", "plan", "steps", "replans", "time_s"}
    assert keys <= set(result)
    assert {"skill", "distance", "time", "ended"} <= set(result["steps"][0])
    told = capsys.readouterr().out
    assert "search (no language model is configured)" in told and "success after" in told


def test_no_way_is_refused_with_the_reason(capsys):
    assert run(shipped("no_way"), "--perform") == 2
    assert "there is no way to strike 'target'" in capsys.readouterr().err


def test_performed_and_failed_is_3(tmp_path):
    text = shipped("strike_behind_block").read_text().replace("time_limit: 40", "time_limit: 3")
    (tmp_path / "short.yaml").write_text(text)
    out = tmp_path / "r.json"
    assert run(tmp_path / "short.yaml", "--perform", "--json", out) == 3
    result = json.loads(out.read_text())
    assert result["success"] is False and "time limit" in result["ended"]


def test_a_plan_alone_is_not_performed(tmp_path, capsys):
    out = tmp_path / "p.json"
    assert run(shipped("patrol"), "--json", out) == 0
    result = json.loads(out.read_text())
    assert result["performed"] is False and result["success"] is None
    assert len(result["plan"]["steps"]) >= 3
    assert "success after" not in capsys.readouterr().out


def test_bad_inputs_are_2_with_one_line(tmp_path, capsys):
    assert run(tmp_path / "none.yaml") == 2
    assert run(shipped("patrol"), "--planner", "llm") == 2
    assert run(shipped("patrol"), "--json", tmp_path) == 2
    assert run(shipped("patrol"), "--base-url", "nonsense") == 2
    assert run(shipped("patrol"), "--seed", "-1") == 2
    errors = capsys.readouterr().err.strip().splitlines()
    assert len(errors) == 5 and all(e.startswith("error: ") for e in errors)
    with pytest.raises(SystemExit) as caught:
        run(shipped("patrol"), "--planner", "oracle")
    assert caught.value.code == 2


def test_the_prompt_can_be_shown_without_a_model(capsys):
    assert run(shipped("patrol"), "--show-prompt") == 0
    assert "## 4. The answer" in capsys.readouterr().out


def test_replayed_replies_perform_without_a_server(tmp_path, capsys):
    steps = [{"command": "walk", "target": [3, 2], "until": "reached"}]
    line = {"scenario": "walk_to_point", "asked": "", "reply": json.dumps({"steps": steps})}
    file = tmp_path / "replies.jsonl"
    file.write_text(json.dumps(line) + "\n")
    assert run(shipped("walk_to_point"), "--perform", "--replay", file) == 0
    assert "llm (replies of" in capsys.readouterr().out


def test_a_missing_renderer_costs_only_the_video(tmp_path, capsys, monkeypatch):
    written = []

    def no_video(recording, path, size, camera):
        raise PPPError("no OpenGL was found: set MUJOCO_GL")

    def page(recording, path):
        written.append((recording.name, recording.success))
        Path(path).write_text("<html>")

    for name, module in (
        ("ppp.view.video", types.SimpleNamespace(write_video=no_video)),
        ("ppp.view.replay", types.SimpleNamespace(write_replay=page)),
    ):
        monkeypatch.setitem(sys.modules, name, module)
    files = [tmp_path / "new" / n for n in ("v.mp4", "p.html", "r.json")]
    flags = ["--video", files[0], "--html", files[1], "--json", files[2]]
    assert run(shipped("walk_to_point"), *flags) == 0
    assert written == [("walk_to_point", True)]
    assert files[1].exists() and json.loads(files[2].read_text())["success"]
    told = capsys.readouterr()
    assert "no video: no OpenGL was found" in told.err and f"page: {files[1]}" in told.out


def test_markup_and_control_characters_of_a_scenario_are_only_text(tmp_path, capsys):
    text = shipped("walk_to_point").read_text().replace(
        "Walk to the marker on the left and stop there.", "'[red]Walk[/red] [/] to the marker'"
    )
    (tmp_path / "markup.yaml").write_text(text)
    assert run(tmp_path / "markup.yaml") == 0
    assert "[red]Walk[/red] [/] to the marker" in capsys.readouterr().out


def test_it_runs_as_a_file_of_the_checkout(tmp_path, monkeypatch, capsys):
    """Python then puts ppp/ itself first on the path, from where ``import ppp`` would fail."""
    rest = [p for p in sys.path if p != str(ROOT)]
    monkeypatch.setattr(sys, "path", [str(ROOT / "ppp"), *rest])
    monkeypatch.setattr(sys, "argv", ["plan.py", str(tmp_path / "none.yaml")])
    with pytest.raises(SystemExit) as caught:
        runpy.run_path(str(ROOT / "ppp" / "plan.py"), run_name="__main__")
    assert caught.value.code == 2
    assert sys.path[0] == str(ROOT) and str(ROOT / "ppp") not in sys.path
    assert "no such scenario" in capsys.readouterr().err
@pytest.mark.parametrize("flags, says", [
    (["--video", "film.avi"], "film.avi: the video's name has to end in .mp4"),
    (["--video", "film.mp4", "--size", "720p"], "--size '720p' is no size"),
    (["--size", "641x360"], "even numbers"),
])
def test_a_wrong_video_is_refused_before_anything_is_performed(flags, says, capsys, tmp_path,
                                                              monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(shipped("walk_to_point"), *flags) == 2
    told = capsys.readouterr()
    assert says in told.err and told.out == "" and list(tmp_path.iterdir()) == []


def test_size_and_camera_reach_the_film(tmp_path, monkeypatch):
    told = []
    film = types.SimpleNamespace(write_video=lambda *a: told.append(a[2:]))
    monkeypatch.setitem(sys.modules, "ppp.view.video", film)
    asked = ["--video", tmp_path / "f.mp4", "--size", "640x360", "--camera", "scene"]
    assert run(shipped("walk_to_point"), *asked) == 0
    assert told == [((640, 360), "scene")]
