"""The short report at the end of a run: what was learnt, what was not, what to type next."""
from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import Any, Dict, List, Optional

import numpy as np

from ppp.learning.healthy import outside
from ppp.learning.history import History, read_history

#: a skill performed this long between two failures is held, this long partly, s
HELD, PARTLY = 10.0, 3.0
#: options of ``ppp run`` that belong to one call, and whether a value follows
_ONCE = {"--resume": False, "--warm-start": False, "--checkpoint": True,
         "--max-iterations": True, "--export": True}


def skill_rows(history: History) -> List[Dict[str, Any]]:
    """Each skill, worst first: verdict, seconds to failure and imitation, then and now."""
    rows = []
    for skill in history.skills:
        seconds, imitation = f"seconds_to_failure/{skill}", f"imitation/{skill}"
        now = history.end(seconds) or 0.0
        verdict = "held" if now >= HELD else "partly" if now >= PARTLY else "not yet"
        rows.append({"skill": skill, "verdict": verdict, "seconds": now,
                     "seconds_before": history.start(seconds) or 0.0,
                     "imitation": history.end(imitation) or 0.0,
                     "imitation_before": history.start(imitation) or 0.0})
    return sorted(rows, key=lambda row: row["seconds"])


def report(history: History, settings: Dict[str, Any], next_command: str,
           interrupted: bool = False) -> str:
    """The report as markdown."""
    rows, samples = skill_rows(history), history.samples
    rate = np.nanmedian(history.curve("samples_per_s"))
    groups = {verdict: [row["skill"] for row in rows if row["verdict"] == verdict]
              for verdict in ("held", "partly", "not yet")}
    lines = [f"# Run of {settings.get('task', {}).get('name', 'a task')}"
             + (" (interrupted)" if interrupted else ""), "",
             f"{samples[-1] / 1e6:.2f} M samples, {history.seconds / 3600:.2f} h, {rate:.0f} "
             f"samples/s; iteration {history.rows[-1]['iteration']}, seed "
             f"{settings.get('seed', '?')}.", "",
             f"- held ({HELD:.0f} s or more between two failures): {_names(groups['held'])}",
             f"- partly ({PARTLY:.0f} s or more): {_names(groups['partly'])}",
             f"- not yet: {_names(groups['not yet'])}", "",
             "Under training's own conditions: with noise, commands that change, starts in other "
             "skills. In brackets: the first tenth of the run.", "",
             "| skill | | s to failure | imitation |", "|---|---|---|---|"]
    lines += [f"| {r['skill']} | {r['verdict']} | {r['seconds']:.1f} ({r['seconds_before']:.1f}) | "
              f"{r['imitation']:.2f} ({r['imitation_before']:.2f}) |" for r in rows]
    strange = outside(history, settings)
    lines += ["", "Curves outside the healthy band:" if strange else
              "All curves are inside their healthy bands."]
    lines += [f"- {line}" for line in strange]
    return "\n".join([*lines, "", f"Next: `{next_command}`", ""])


def _names(skills: List[str]) -> str:
    return ", ".join(skills) if skills else "none"


def following(task: str, folder: Path, checkpoint: Path, done: int, wanted: int,
              argv: Optional[List[str]] = None) -> str:
    """The command to type next: go on where iterations are left, else test what there is."""
    argv = sys.argv if argv is None else argv
    called = os.path.basename(argv[0]) if argv else ""
    given = argv[2:] if called == "ppp" and argv[1:2] == ["run"] else \
        argv[1:] if called == "run.py" else ["--task", task, "--run-dir", str(folder)]
    if done >= wanted:
        return f"ppp run --task {task} --test --checkpoint {shlex.quote(str(checkpoint))}"
    kept, skip = [], False
    for word in given:
        name = word.split("=")[0].replace("_", "-")
        if skip or name in _ONCE:
            skip = not skip and _ONCE.get(name, False) and "=" not in word
            continue
        kept.append(word)
    return " ".join(["ppp run", *map(shlex.quote, kept), "--resume", f"--max-iterations {wanted}"])


def write_report(folder: Path, settings: Dict[str, Any], next_command: str,
                 interrupted: bool = False) -> str:
    """Write report.md into a run's folder; returns its text."""
    text = report(read_history(folder), settings, next_command, interrupted)
    (Path(folder) / "report.md").write_text(text, encoding="utf-8")
    return text
