"""Wrong input from a user's side: one sentence that names what is wrong, status 2, no traceback."""
from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml

from ppp.cli import main
from ppp.errors import run_entry
from ppp.learning.bundle import LAYOUT
from ppp.learning.checkpoint import save_checkpoint

ROOT = Path(__file__).resolve().parents[1]
SCENARIO = ROOT / "prompts" / "strike_behind_block.yaml"
CLIP = ROOT / "motions" / "idle_sway.npz"


@pytest.fixture
def refused(capsys, tmp_path, monkeypatch):
    """Call ``ppp`` with arguments; returns its one sentence."""
    monkeypatch.chdir(tmp_path)  # what should never be written does not land in the checkout
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_MODEL"):
        monkeypatch.delenv(name, raising=False)

    def call(*argv):
        with pytest.raises(SystemExit) as caught:
            main([str(a) for a in argv])
        error = capsys.readouterr().err
        assert caught.value.code == 2, error
        assert error.startswith("error: ") and error.count("\n") == 1, error
        return error

    return call


def changed(path, folder, old, new):
    """A copy of a YAML file in which the first match of the pattern ``old`` reads ``new``."""
    text, count = re.subn(old, new, path.read_text(encoding="utf-8"), count=1)
    assert count
    copy = folder / path.name
    copy.write_text(text, encoding="utf-8")
    return copy


@pytest.mark.parametrize("argv, words", [
    (["paln"], "did you mean 'plan'"),
    (["run", "--task", "HumanoidStrik"], "did you mean 'HumanoidStrike'"),
    (["run", "--engine", "mujoco_gpu"], "unknown engine"),
    (["run", "--device", "nowhere"], "--device nowhere"),
    (["run", "--num-envs", "0"], "--num-envs is 0"),
    (["run", "--num_envs", "0"], "--num-envs is 0"),
    (["run", "--num-envs", "300"], "do not divide by minibatch"),
    (["run", "--seed", "-1"], "--seed is -1"),
    (["run", "--run-dir", "/dev/null/x"], "/dev/null/x"),
    (["run", "--test", "--json", "/dev/null/x"], "/dev/null/x"),
    (["run", "--test", "--episodes", "0"], "--episodes is 0"),
    (["run", "--checkpoint", "none.pt"], "none.pt: no such checkpoint"),
    (["run", "--resume"], "no checkpoint to resume from"),
    (["run", "--motion-file", "."], "is a folder"),
    (["run", "--cfg-env", "none.yaml"], "none.yaml: no such file"),
    (["plan", "none.yaml"], "none.yaml: no such scenario"),
    (["plan", "."], "is a folder"),
    (["plan", SCENARIO, "--bundle", "."], "bundle.yaml is missing"),
    (["classify"], "no command given"),
    (["classify", " "], "has no word in it"),
    (["classify", "walk", "--skills", "slahs"], "did you mean 'slash'"),
    (["classify", "walk", "--weights", "nowhere"], "model.safetensors is missing"),
    (["motions", "list", "--library", "none.yaml"], "none.yaml: no such file"),
    (["motions", "check", "--json", "/dev/null/x"], "/dev/null/x"),
    (["motions", "import", CLIP, "--skill", "../x", "--label", "x"], "--skill '../x'"),
    (["motions", "import", CLIP, "--skill", "new", "--library", "l.yaml"], "add --label"),
    (["bench", "--rounds", "0"], "--rounds must be 1"),
    (["bench", "--json", "/dev/null/x"], "/dev/null/x"),
    (["eval", "polcy"], "did you mean 'policy'"),
    (["eval", "policy", "--seeds", "0"], "--seeds and --episodes must be 1"),
    (["eval", "demo", "--scenario", "none.yaml"], "none.yaml: no such scenario"),
    (["eval", "language", "--phrases", "none.yaml"], "none.yaml"),
    (["finetune-clip", "--encoder", "lexical", "--out", "/dev/null/x"], "/dev/null/x"),
])
def test_wrong_arguments(refused, argv, words):
    assert words in refused(*argv)


@pytest.mark.parametrize("old, new, words", [
    ("episode_length:", "episode_lenght:", "did you mean 'episode_length'"),
    ("imitation:", "imitaton:", "did you mean 'imitation'"),
    ("terminations: .*", "terminations: [feel]", "did you mean 'fell'"),
    ("episode_length: .*", "episode_length: 0", "'episode_length' must be 1"),
    ("skills: .*", "skills: [wlak_forward]", "did you mean 'walk_forward'"),
    ("skill_weights: .*", "skill_weights: {walk_forward: -1}", "must be above 0"),
    ("kind: target", "kind: targte", "did you mean 'target'"),
    ("in_reach: .*", "in_reach: 2", "'in_reach' of 'command' must be 0 to 1"),
    ("command:", "command: [", "broken YAML"),
])
def test_wrong_task_files(refused, tmp_path, old, new, words):
    file = changed(ROOT / "cfg/env/humanoid_skills.yaml", tmp_path, old, new)
    assert words in refused("run", "--cfg-env", file)


@pytest.mark.parametrize("old, new, words", [
    ("gamma:", "gama:", "did you mean 'gamma'"),
    ("gamma: .*", "gamma: high", "'gamma' must be a number"),
    ("minibatch: .*", "minibatch: 0", "'ppo.minibatch' must be 1"),
    ("actor: .*", "actor: []", "'network.actor'"),
    ("num_envs:", "codebook: nowhere\nnum_envs:", "not a readable codebook"),
])
def test_wrong_training_files(refused, tmp_path, old, new, words):
    file = changed(ROOT / "cfg/train/ppp_cpu.yaml", tmp_path, old, new)
    assert words in refused("run", "--cfg-train", file)


@pytest.mark.parametrize("old, new, words", [
    ("instruction:", "instrction:", "did you mean 'instruction'"),
    (r"position: \[6, 0\]", "position: [.nan, 0]", "objects[1].position[0]"),
    (r"position: \[3, 0\]", "position: [0.2, 0]", "stands on the start"),
    ("knocked_over: target", "knocked_over: traget", "did you mean 'target'"),
    ("objects:", "objects: [", "is not valid YAML"),
])
def test_wrong_scenarios(refused, tmp_path, old, new, words):
    file = changed(SCENARIO, tmp_path, old, new)
    assert words in refused("plan", file, "--performer", "kinematic")


def test_a_truncated_clip_is_named(refused, tmp_path):
    shutil.copytree(ROOT / "motions", tmp_path / "motions")
    clip = tmp_path / "motions" / "walk_forward_straight.npz"
    clip.write_bytes(clip.read_bytes()[:1000])
    library = tmp_path / "motions" / "library.yaml"
    for argv in (["motions", "check", "--library"], ["run", "--motion-file"]):
        assert f"{clip}: not a readable clip" in refused(*argv, library)


def test_checkpoints_and_bundles_of_another_layout(refused, tmp_path):
    (tmp_path / "junk.pt").write_bytes(b"no checkpoint")
    assert "damaged or not a checkpoint" in refused("run", "--checkpoint", tmp_path / "junk.pt")
    torch.save({"layout": 2}, tmp_path / "part.pt")
    assert "field 'skills' is missing" in refused("run", "--checkpoint", tmp_path / "part.pt")
    names = ("skills", "task", "settings", "policy", "optimizer", "style", "counters")
    file = save_checkpoint(tmp_path / "old.pt", {name: {} for name in names})
    torch.save({**torch.load(file, weights_only=True), "layout": 0}, file)
    assert "field 'layout' is 0" in refused("eval", "policy", "--bundle", file)
    card = {"layout": {**LAYOUT, "observation": 100}, "skills": ["idle"], "actor": [8]}
    (tmp_path / "bundle.yaml").write_text(yaml.safe_dump(card))
    assert "'layout.observation' is 100" in refused("plan", SCENARIO, "--bundle", tmp_path)


def test_a_missing_prompt_template_is_named(refused, tmp_path, monkeypatch):
    monkeypatch.setattr("ppp.planning.prompting.FOLDER", tmp_path)
    defaults = ("ppp.planning.prompting.build_prompt.__defaults__",)
    monkeypatch.setattr(*defaults, (tmp_path,))
    told = refused("plan", SCENARIO, "--performer", "kinematic", "--show-prompt")
    assert "planner.txt: this prompt template is missing" in told


def test_a_full_disk_gets_a_sentence_and_a_broken_invariant_its_traceback(capsys):
    def full():
        raise OSError(28, "No space left on device", "out/x.json")

    assert run_entry(full) == 2
    assert "out/x.json: No space left on device" in capsys.readouterr().err
    with pytest.raises(OSError):
        run_entry(lambda: (_ for _ in ()).throw(OSError("no file of the user's")))


def test_run_works_as_a_file_of_the_checkout(tmp_path):
    script = [sys.executable, str(ROOT / "ppp" / "run.py")]
    options = {"cwd": str(tmp_path), "capture_output": True, "text": True, "timeout": 120}
    shown = subprocess.run([*script, "--help"], **options)
    assert shown.returncode == 0 and "--num-envs" in shown.stdout and "--resume" in shown.stdout
    wrong = subprocess.run([*script, "--num_envs", "-3"], **options)
    assert (wrong.returncode, wrong.stderr) == (
        2, "error: --num-envs is -3; it must be 1 or more\n")
    mistyped = subprocess.run([*script, "--seed", "x"], **options)
    assert mistyped.returncode == 2 and "Traceback" not in mistyped.stderr
