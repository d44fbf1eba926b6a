"""``ppp scenarios``: the scenarios that come with PPP, and new ones from a seed."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Tuple

import tyro
import yaml
from typing_extensions import Literal

from ppp.errors import PPPError, unknown
from ppp.options import read_options
from ppp.outputs import check_file, check_folder, write_text
from ppp.planning.choosing import matcher_for
from ppp.planning.generate import generated_data
from ppp.planning.reading import counted
from ppp.planning.scenario import Scenario, load_scenario, parse_scenario
from ppp.planning.skills import SKILLS
from ppp.settings import ROOT

#: where the hand-written scenarios are
FOLDER = ROOT / "prompts"
#: YAML files there that are no scenarios
_OTHER = ("phrases.yaml",)


def scenario_files(folder: Path = FOLDER) -> List[Path]:
    """Every scenario of a folder, by name."""
    return [p for p in sorted(folder.glob("*.yaml")) if p.name not in _OTHER]


def find_scenario(name: str) -> Path:
    """A file of that path, or the shipped scenario of that name; PPPError for neither."""
    files = {p.stem: p for p in scenario_files()}
    if name in files:
        return files[name]
    if Path(name).suffix or Path(name).exists():
        return Path(name)
    raise unknown("scenario", name, files)


@dataclass
class ListArgs:
    """List the shipped scenarios."""


@dataclass
class ShowArgs:
    """Show a scenario: its scene, its checks, and what the search planner would do."""

    name: tyro.conf.Positional[str]
    """A name of the list, or a file."""


@dataclass
class GenerateArgs:
    """Make a scenario from a seed; the same level and seed make the same one."""

    level: Literal["easy", "middle", "hard"] = "easy"
    """How hard it is: more goals, obstacles and rules, narrower gaps."""
    seed: int = 0
    """Seed."""
    unsolvable: bool = False
    """Close the first goal in by walls: a planner must refuse."""
    out: Optional[Path] = None
    """Write it here; without it, it is printed."""


@dataclass
class DrawArgs:
    """Perform scenarios with the gliding figure and draw them from above, one PNG each."""

    names: tyro.conf.Positional[Tuple[str, ...]] = ()
    """Names of the list or files; all shipped ones without any."""
    out: Path = ROOT / "docs" / "scenarios"
    """Folder for the pictures."""


def list_scenarios(args: ListArgs) -> int:
    """Name, what stands in it, what is asked."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table()
    for column in ("scenario", "objects", "checks", "instruction"):
        table.add_column(column, no_wrap=column == "scenario")
    for path in scenario_files():
        made = load_scenario(path)
        cells = (path.stem, str(len(made.objects)), str(len(made.success)), made.instruction)
        table.add_row(*(Text(cell) for cell in cells))
    Console(highlight=False).print(table)
    return 0


def show_scenario(args: ShowArgs) -> int:
    """The file, then the plan or the reason for none."""
    from ppp.planning.planner import ListPlanner
    from ppp.planning.report import Report
    from ppp.planning.search import SearchMaker

    path = find_scenario(args.name)
    made = load_scenario(path)
    print(path.read_text(encoding="utf-8").rstrip())
    matcher, report = matcher_for(SKILLS), Report()
    try:
        plan = ListPlanner(made, SKILLS, SearchMaker(matcher)).prepare()
    except PPPError as error:
        report.line(f"\nno plan: {error}", "yellow")
        return 0
    report.plan(plan, matcher, "what the search planner would do")
    return 0


def generate_scenario(args: GenerateArgs) -> int:
    """Print or write it."""
    check_file(args.out, "scenario")
    data = generated_data(args.level, args.seed, not args.unsolvable)
    text = to_yaml(data, args.level, args.seed, args.unsolvable)
    parse_scenario(yaml.safe_load(text))
    if args.out is None:
        print(text, end="")
        return 0
    write_text(text, args.out, "scenario")
    print(f"{args.out}: {data['instruction']}")
    return 0


def to_yaml(data: Dict[str, Any], level: str, seed: int, unsolvable: bool = False) -> str:
    """A generated scenario as a file: one line an object and a check, as a person would write."""
    extra = " --unsolvable" if unsolvable else ""
    lines = [f"# made by: ppp scenarios generate --level {level} --seed {seed}{extra}"]
    for key, value in data.items():
        if isinstance(value, list):
            lines.append(f"{key}:")
            lines += [f"  - {_flow(item)}" for item in value]
        else:
            lines.append(f"{key}: {_flow(value)}")
    return "\n".join(lines) + "\n"


def _flow(value: Any) -> str:
    text = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=10_000)
    return text.replace("\n...\n", "").strip()


def draw_scenarios(args: DrawArgs) -> int:
    """Plan, perform, draw."""
    from ppp.view.floor_plan import draw_floor_plan

    check_folder(args.out)
    matcher = matcher_for(SKILLS)
    paths = [find_scenario(name) for name in args.names] or scenario_files()
    for path in paths:
        made = load_scenario(path)
        walked = walk_through(made, matcher)
        draw_floor_plan(made, matcher, walked, args.out / f"{path.stem}.png")
        print(f"{args.out / path.stem}.png: {walked.headline}", flush=True)
    return 0


def walk_through(scenario: Scenario, matcher: Any) -> Any:
    """Perform with the search planner and the gliding figure; what a picture needs of it."""
    import numpy as np

    from ppp.planning.executor import Executor
    from ppp.planning.kinematic import KinematicPerformer
    from ppp.planning.planner import ListPlanner
    from ppp.planning.search import SearchMaker
    from ppp.view.floor_plan import Walked

    performer = KinematicPerformer()
    planner = ListPlanner(scenario, performer.skills, SearchMaker(matcher))
    try:
        planner.prepare()
    except PPPError as error:
        return Walked((), np.zeros((0, 2)), f"refused: {error}", False)
    executor = Executor(scenario, planner, performer, matcher, "search")
    result = executor.perform()
    verdict = "success" if result.success else "failed"
    replans = f", {counted(result.replans, 'new plan')}" if result.replans else ""
    headline = f"{verdict} after {result.time_s:.1f} s without physics{replans}"
    return Walked(result.plans, executor.trace.xy(), headline, result.success)


#: what can be done -> (its settings, the function)
ACTIONS: Dict[str, Tuple[type, Callable[[Any], int]]] = {
    "list": (ListArgs, list_scenarios),
    "show": (ShowArgs, show_scenario),
    "generate": (GenerateArgs, generate_scenario),
    "draw": (DrawArgs, draw_scenarios),
}


def main(argv: Optional[List[str]] = None) -> int:
    """Entry point of ``ppp scenarios ACTION [options]``."""
    argv = list(argv or [])
    if not argv or argv[0] in ("-h", "--help"):
        print("usage: ppp scenarios ACTION [options]   "
              "(ppp scenarios ACTION --help explains one)\n")
        for name, (kind, _) in ACTIONS.items():
            print(f"  {name:<10}{kind.__doc__}")
        return 0
    if argv[0] not in ACTIONS:
        raise unknown("action", argv[0], ACTIONS)
    kind, act = ACTIONS[argv[0]]
    args = read_options(kind, argv[1:], f"ppp scenarios {argv[0]}")
    return act(args)
