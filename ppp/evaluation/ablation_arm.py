"""One run of an ablation, in a process of its own: train, score, leave ``done.json``.

    python -m ppp.evaluation.ablation_arm FOLDER     (FOLDER/arm.yaml says what to run)
"""
from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Dict, List

import torch

from ppp.errors import run_entry
from ppp.evaluation.classifier import train_classifier
from ppp.evaluation.policy_skills import hold_skills
from ppp.evaluation.task_test import policy_from
from ppp.learning.bundle import Policy
from ppp.learning.checkpoint import list_checkpoints
from ppp.learning.config import TrainConfig
from ppp.learning.history import read_history
from ppp.learning.moment import NAME
from ppp.learning.train import Trainer
from ppp.motion.library import MotionLibrary
from ppp.outputs import write_json
from ppp.settings import build, load_yaml
from ppp.tasks.config import TaskConfig

#: exit status of a run that was interrupted; what it has is kept
INTERRUPTED = 4


def scores(policy: Policy, task: TaskConfig, each: int, seed: int) -> Dict[str, Any]:
    """The deterministic policy, every skill held for 10 s ``each`` times, judged by a classifier.

    The classifier knows all skills of the library, not only the policy's.
    """
    classifier = train_classifier(MotionLibrary(task.motion_path()), 0)
    library = MotionLibrary(task.motion_path(), policy.skills)
    with torch.no_grad():
        rows = hold_skills(policy, library, classifier, each, seed)
    travels = library.travels[rows["skill"]]
    faces = ~library.turns[rows["skill"]]
    figures = {"skill_accuracy": _mean(rows["right"]), "recognised": _mean(rows["recognised"]),
               "survived": _mean(rows["up"]), "imitation": _mean(rows["imitation"]),
               "heading_error_deg": _mean(rows["heading_error_deg"][faces]),
               "gait_heading_error_deg": _mean(rows["heading_error_deg"][travels])}
    figures["per_skill"] = {
        name: {"accuracy": _mean(rows["right"][rows["skill"] == k]),
               "survived": _mean(rows["up"][rows["skill"] == k]),
               "imitation": _mean(rows["imitation"][rows["skill"] == k])}
        for k, name in enumerate(policy.skills)}
    return figures


def _mean(values: torch.Tensor) -> float:
    return float(values.float().mean()) if len(values) else float("nan")


def run(folder: Path) -> int:
    """Train to the end (going on with what is there), score, and write ``done.json``."""
    arm = load_yaml(folder / "arm.yaml")
    source = str(folder / "arm.yaml")
    task = build(TaskConfig, arm["task"], source)
    config = build(TrainConfig, arm["train"], source)
    trainer = Trainer(task, config, folder, arm["seed"])
    trainer.cache = folder.parents[2] / "cache"  # out/study/arm/seed: the arms have one teacher
    earlier = list_checkpoints(folder / "checkpoints")
    if earlier:
        trainer.restore(earlier[-1])
    checkpoint = trainer.run()
    if int(checkpoint.stem.split("_")[-1]) < config.iterations:
        return INTERRUPTED
    history = read_history(folder)
    result = {"seconds": history.seconds, "samples": arm["samples"],
              "scores": scores(policy_from(checkpoint), task, arm["episodes"], arm["seed"])}
    (folder / "checkpoints" / NAME).unlink(missing_ok=True)  # large, and of no more use
    write_json(result, folder / "done.json")
    return 0


def main(argv: List[str]) -> int:
    """Entry point of the process."""
    return run(Path(argv[0]))


if __name__ == "__main__":
    sys.exit(run_entry(lambda: main(sys.argv[1:])))
