"""``ppp doctor``: gaps are found, told with a mend, and the exit status tells the default path."""
from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from ppp import doctor
from ppp.cli import dispatch
from ppp.doctor import checks
from ppp.doctor.checks import BAD, NEEDED, NOTE, OK, examine
from ppp.doctor.host import Host, Trial, _outcome
from ppp.engines import ENGINES

ROOT = Path(__file__).resolve().parents[1]
H100 = {"name": "NVIDIA H100 PCIe", "capability": [9, 0], "gib": 79.1}
RTX_3090 = {"name": "GeForce RTX 3090", "capability": [8, 6], "gib": 23.7}


class Machine(Host):
    """A machine on which all is well, but for what a test changes."""

    def __init__(self, trials=None, absent=(), devices=(), driver=None, **facts):
        super().__init__()
        self.trials = {
            "torch": Trial({"version": "2.9.0", "cuda": "12.8" if devices else None,
                            "devices": list(devices)}),
            "text": Trial({"folder": "/weights"}), "picture": Trial({"backend": "egl"}),
            "film": Trial({"ffmpeg": "7.1"}), **(trials or {})}
        self.absent, self.driver, self.facts, self.tried = absent, driver, facts, []

    def python(self):
        return self.facts.get("python", (3, 12, 1))

    def cores(self):
        return self.facts.get("cores", 8)

    def memory(self):
        return self.facts.get("memory", 32.0)

    def disk(self):
        return self.facts.get("disk", 100.0)

    def version(self, distribution):
        return None if distribution in self.absent else "1.2.3"

    def has_module(self, name):
        return name not in self.absent

    def nvidia_smi(self):
        return self.driver

    def trial(self, kind, *arguments):
        self.tried.append((kind, *arguments))
        name = arguments[0] if arguments else kind
        return self.trials.get(name, Trial({"device": arguments[-1], "built_s": 1.5}
                                           if arguments else {}))


def rows(machine):
    return {finding.name: finding for finding in examine(machine)}


def test_where_all_is_well_there_is_nothing_to_do():
    found = rows(Machine(devices=[RTX_3090], driver=[
        {"name": "GeForce RTX 3090", "driver": "570.1", "memory": "24576 MiB"}]))
    assert all(row.state == OK and not row.advice for row in found.values())
    assert set(ENGINES) <= set(found)
    assert "driver 570.1" in found["GPU 0"].found and "8.6" in found["torch cuda:0"].found


@pytest.mark.parametrize("gap, name, state, words", [
    (dict(python=(3, 9, 18)), "python", NOTE, "Isaac Gym alone"),
    (dict(cores=1), "cores", NOTE, "one core"),
    (dict(memory=2.0), "memory", NOTE, "--num-envs"),
    (dict(disk=0.5), "free disk", NOTE, "make room"),
    (dict(absent=("scipy", "rl-games")), "needed", BAD, "pip install rl-games scipy"),
    (dict(absent=("mujoco",)), "mujoco", BAD, "pip install mujoco"),
    (dict(absent=("mujoco-warp",)), "mujoco-warp", NOTE, "pip install mujoco-warp"),
    (dict(absent=("isaacgym",)), "isaac_gym", NOTE, "not needed"),
    (dict(trials={"torch": Trial(error="ImportError: libtorch")}), "torch", BAD, "install torch"),
    (dict(trials={"text": Trial(error="gone")}), "text weights", NOTE, "requirements-weights"),
    (dict(trials={"picture": Trial(error="no OpenGL")}), "off-screen OpenGL", NOTE, "libegl1"),
    (dict(trials={"film": Trial(error="none")}), "ffmpeg", NOTE, "imageio-ffmpeg"),
    (dict(trials={"mujoco_cpu": Trial(error="crashed with signal 11 (SIGSEGV)")}), "mujoco_cpu",
     BAD, "reinstall mujoco"),
    (dict(trials={"mujoco_warp": Trial(error="no answer within 120 s")}), "mujoco_warp", NOTE,
     "--seconds"),
])
def test_each_gap_is_told_with_its_mend(gap, name, state, words, capsys):
    machine = Machine(**gap)
    finding = rows(machine)[name]
    assert finding.state == state and words in finding.advice
    assert doctor.main([], Machine(**gap)) == (1 if state == BAD else 0)
    out = " ".join(capsys.readouterr().out.split())
    assert ("default path fails: " in out) == (state == BAD)


@pytest.mark.parametrize("card", [H100, {"name": "RTX 5090", "capability": [12, 0], "gib": 32.0}])
def test_isaac_gym_is_not_even_tried_on_a_card_that_it_crashes_on(card):
    machine = Machine(devices=[card])
    finding = rows(machine)["isaac_gym"]
    assert finding.state == NOTE and card["name"] in finding.found
    assert "use --engine mujoco_warp" in finding.advice
    assert ("engine", "mujoco_warp", "cuda") in machine.tried
    assert not [trial for trial in machine.tried if "isaac_gym" in trial]


def test_on_an_older_card_isaac_gym_is_tried_where_it_is_installed():
    machine = Machine(devices=[RTX_3090])
    assert rows(machine)["isaac_gym"].state == OK
    assert ("engine", "isaac_gym", "cuda") in machine.tried
    assert ("engine", "mujoco_cpu", "cpu") in machine.tried


def test_a_card_that_torch_cannot_use_is_told_apart():
    driver = [{"name": "GeForce RTX 3090", "driver": "570.1", "memory": "24576 MiB"}]
    without = rows(Machine(driver=driver))["torch cuda"]
    assert without.found == "a build without CUDA" and "pytorch.org" in without.advice
    facts = {"version": "2.0", "cuda": "11.8", "devices": [], "unusable": [H100]}
    machine = Machine(driver=driver, trials={"torch": Trial(facts)})
    found = rows(machine)
    assert "no kernels for NVIDIA H100" in found["torch cuda"].found
    assert ("engine", "mujoco_warp", "cpu") in machine.tried
    assert "does not run on" in found["isaac_gym"].found


def test_json_has_every_finding(capsys):
    assert doctor.main(["--json"], Machine(absent=("mujoco",))) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["ok"] is False
    row = next(row for row in told["findings"] if row["name"] == "mujoco")
    assert row == {"area": "packages", "name": "mujoco", "state": "bad",
                   "found": "not installed", "advice": row["advice"]}


def test_no_color_is_respected(monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    doctor.main([], Machine())
    assert "\x1b[32m" in capsys.readouterr().out
    monkeypatch.setenv("NO_COLOR", "1")
    doctor.main([], Machine())
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]", capsys.readouterr().out)


def test_without_rich_the_findings_are_plain_lines(monkeypatch, capsys):
    monkeypatch.setitem(__import__("sys").modules, "rich.console", None)
    assert doctor.main([], Machine(absent=("rich",))) == 1
    out = capsys.readouterr().out
    assert "needed: FAILS  missing: rich  (run 'pip install rich')" in out


def test_what_is_needed_is_what_the_project_declares():
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    declared = re.findall(r'^    "([A-Za-z0-9-]+)', text.split("dependencies = [")[1].split("]")[0],
                          re.M)
    assert set(NEEDED) | {"torch", "mujoco"} >= set(declared)
    assert set(NEEDED) <= set(declared)


# -- trials in processes of their own ------------------------------------------------------------
def test_outcomes_of_a_process():
    assert _outcome(0, 'a warning\n{"device": "cpu"}\n', "noise").found == {"device": "cpu"}
    assert _outcome(-11, "", "").error == "crashed with signal 11 (SIGSEGV)"
    assert _outcome(2, "", "x\nerror: engine: no\n").error == "engine: no"
    assert _outcome(1, "", "Traceback\n  File\nImportError: libfoo\n").error == \
        "ImportError: libfoo"
    assert _outcome(0, "nonsense", "").error == "its answer could not be read"
    assert not _outcome(3, "", "").ok


def test_the_default_engine_is_tried_for_real():
    trial = Host(110).trial("engine", checks.DEFAULT, "cpu")
    assert trial.ok, trial.error
    assert trial.found["device"] == "cpu" and trial.found["built_s"] > 0


def test_a_trial_that_hangs_is_ended():
    assert Host(0.05).trial("torch").error == "no answer within 0.05 s"


def test_a_bad_limit_is_refused():
    from ppp.errors import PPPError

    with pytest.raises(PPPError, match="--seconds is 0"):
        dispatch(["doctor", "--seconds", "0"])
