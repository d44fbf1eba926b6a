"""``ppp plan``: plan an instruction for a scenario, perform it, and say whether it succeeded."""
from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

if __package__ in (None, ""):
    # run as `python ppp/plan.py`: the package is in the checkout's root, not beside this file
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import tyro
from typing_extensions import Literal

from ppp.errors import PPPError, run_entry
from ppp.options import read_options
from ppp.outputs import check_file, write_json
from ppp.planning.choosing import (
    Maker,
    ModelOptions,
    choose_planner,
    matcher_for,
    planner_of,
    recorder_for,
)
from ppp.planning.executor import Executor
from ppp.planning.kinematic import KinematicPerformer
from ppp.planning.llm import LLMMaker
from ppp.planning.performer import Performer
from ppp.planning.prompting import build_prompt
from ppp.planning.reading import counted
from ppp.planning.report import Report
from ppp.planning.result import Result
from ppp.planning.scenario import Scenario, check_skills, load_scenario
from ppp.planning.situation import Matcher, initial_observation, situation_of
from ppp.planning.trace import Recogniser
from ppp.view.video import parse_size


@dataclass
class Settings:
    """Plan an instruction for a scenario and perform it.

    Exits 0 when every success check holds, 3 when it was performed and failed, 2 for a bad input.
    """

    scenario: tyro.conf.Positional[Path]
    """The scenario, a YAML file such as prompts/strike_behind_block.yaml."""
    planner: Literal["auto", "llm", "search", "learned"] = "auto"
    """Who plans; auto asks a language model where one is configured and searches otherwise;
    learned decides step by step (docs/llarp.md)."""
    adapters: Optional[Path] = None
    """Of --planner learned: a folder of ppp llarp train; the shipped adapters without it."""
    perform: tyro.conf.FlagCreatePairsOff[bool] = False
    """Perform the plan; --video and --html do so too."""
    performer: Literal["physics", "kinematic"] = "physics"
    """The policy in the simulator, or a gliding figure without physics."""
    bundle: Optional[Path] = None
    """Folder of the policy; the shipped one without it."""
    video: Optional[Path] = None
    """Write a video of the performance."""
    size: str = "1280x720"
    """Width and height of the video, pixels."""
    camera: Literal["follow", "scene"] = "follow"
    """The video's camera follows the humanoid, or stands still and sees the whole scene."""
    html: Optional[Path] = None
    """Write a page that replays the performance in a browser."""
    json: Optional[Path] = None
    """Write plan, steps and checks."""
    seed: int = 0
    """The same seed leads to the same performance."""
    show_prompt: tyro.conf.FlagCreatePairsOff[bool] = False
    """Print the prompt for a language model and stop."""
    record: Optional[Path] = None
    """Keep the model's replies in a new file."""
    llm: tyro.conf.OmitArgPrefixes[ModelOptions] = field(default_factory=ModelOptions)


def main(argv: Optional[List[str]] = None) -> int:
    """Plan and, if asked, perform; returns the exit status."""
    settings = read_options(Settings, argv, "ppp plan")
    scenario = load_scenario(settings.scenario)
    if not 0 <= settings.seed < 2**31:
        raise PPPError("--seed must be a whole number from 0 to 2147483647")
    for kind, path in (("result", settings.json), ("page", settings.html),
                       ("video", settings.video)):
        check_file(path, kind)
    size = parse_size(settings.size)
    if settings.video is not None and settings.video.suffix.lower() != ".mp4":
        raise PPPError(f"{settings.video}: the video's name has to end in .mp4")
    performer = _performer(settings)
    check_skills(scenario, performer.skills, str(settings.scenario))
    if settings.show_prompt:
        print(_prompt(scenario, performer.skills), end="")
        return 0
    matcher = matcher_for(performer.skills)
    report = Report()
    maker, how = choose_planner(settings.planner, settings.llm, scenario.name, matcher,
                                recorder_for(settings.record), settings.adapters, settings.seed)
    report.task(scenario, how)
    try:
        return _plan(settings, scenario, performer, matcher, maker, report, size)
    finally:
        # said also when no plan came of it: what was asked has been paid for
        if isinstance(maker, LLMMaker):
            report.line(str(maker))


def _plan(
    settings: Settings, scenario: Scenario, performer: Performer, matcher: Matcher,
    maker: Maker, report: Report, size: Tuple[int, int],
) -> int:  # fmt: skip
    """Plan, perform if asked, write what is wanted; returns the exit status."""
    planner = planner_of(maker, scenario, performer.skills)
    plan = planner.prepare()
    learned = maker.name == "learned"
    report.plan(plan, matcher, "the first action; each further one after it" if learned else "plan")
    if not (settings.perform or settings.video or settings.html):
        _write_plan(settings, scenario, maker.name, plan.as_dict(), _use(maker, planner), report)
        return 0
    executor = Executor(
        scenario, planner, performer, matcher, planner_name=maker.name, on_event=report.event,
        recognise=_recogniser(settings, scenario),
    )  # fmt: skip
    result = executor.perform(settings.seed)
    problems = _write(_outputs(settings, _use(maker, planner), size), result, report)
    _conclude(result, report)
    for problem in problems:
        print(f"warning: {problem}", file=sys.stderr)
    return 0 if result.success else 3


def _performer(settings: Settings) -> Performer:
    if settings.performer == "kinematic":
        return KinematicPerformer()
    from ppp.planning.physics import PhysicsPerformer

    return PhysicsPerformer(settings.bundle)


def _recogniser(settings: Settings, scenario: Scenario) -> Optional[Recogniser]:
    """What sees whether a skill was performed, where a check asks for one and there is motion."""
    if settings.performer == "kinematic" or not scenario.skills_named():
        return None
    from ppp.evaluation.recogniser import recognise

    return recognise


def _prompt(scenario: Scenario, skills: Sequence[str]) -> str:
    now = initial_observation(scenario)
    return build_prompt(situation_of(scenario, skills, scenario.scene(), now))


def _use(maker: Maker, planner: Any) -> Dict[str, Any]:
    """For the JSON: what was used of a language model, what the learned planner chose."""
    if maker.name == "learned":
        return {"learned": planner.as_dict()}
    return {"llm": maker.use()} if isinstance(maker, LLMMaker) else {}


def _outputs(
    settings: Settings, use: Dict[str, Any], size: Tuple[int, int]
) -> List[Tuple[str, Path, Callable[[Result, Path], Any]]]:
    """What to write, the surest first: a video needs a renderer, which may be missing."""

    def write_result(result: Result, path: Path) -> None:
        write_json({**result.as_dict(), **use}, path)

    def write_film(result: Result, path: Path) -> None:
        from ppp.view.video import write_video

        write_video(result.recording, path, size, settings.camera)

    wanted = [
        ("result", settings.json, write_result),
        ("page", settings.html, _write_page),
        ("video", settings.video, write_film),
    ]
    return [(kind, path, write) for kind, path, write in wanted if path is not None]


def _write_page(result: Result, path: Path) -> None:
    from ppp.view.replay import write_replay

    write_replay(result.recording, path)


def _write(outputs: Sequence[Tuple[str, Path, Any]], result: Result, report: Report) -> List[str]:
    """Write everything that can be written; returns what could not, one sentence each."""
    problems = []
    for kind, path, write in outputs:
        try:
            write(result, path)
            report.line(f"{kind}: {path}")
        except PPPError as error:
            problems.append(f"no {kind}: {error}")
    return problems


def _write_plan(
    settings: Settings, scenario: Scenario, planner: str, plan: Any, use: Dict[str, Any],
    report: Report,
) -> None:  # fmt: skip
    """The JSON of a plan that was not performed."""
    if settings.json is None:
        return
    data = {
        "scenario": scenario.name,
        "instruction": scenario.instruction,
        "planner": planner,
        "seed": settings.seed,
        "performed": False,
        "success": None,
        "checks": [],
        "plan": plan,
        "steps": [],
        "replans": 0,
        "time_s": 0.0,
        **use,
    }
    write_json(data, settings.json)
    report.line(f"plan: {settings.json}")


def _conclude(result: Result, report: Report) -> None:
    report.checks(result.checks)
    verdict, style = ("success", "bold green") if result.success else ("failed", "bold red")
    replans = f", {counted(result.replans, 'new plan')}" if result.replans else ""
    report.line(f"{verdict} after {result.time_s:.1f} s{replans}: {result.ended}", style)


if __name__ == "__main__":
    sys.exit(run_entry(main))
