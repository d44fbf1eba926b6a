"""``ppp llarp eval``: success on the splits, as a table beside the paper's."""
from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Tuple

from ppp.errors import PPPError, unknown
from ppp.llarp import SHIPPED, baselines, store
from ppp.llarp.backbones import load_backbone
from ppp.llarp.config import FAILURES
from ppp.llarp.evaluate import Contender, chosen_splits, evaluate, learned, scripted
from ppp.llarp.paper import DIFFERS, FIGURES
from ppp.llarp.report import markdown
from ppp.options import read_options
from ppp.outputs import check_file, write_json, write_text
from ppp.planning.choosing import ModelOptions, recorder_for
from ppp.planning.replies import Replayer

#: what may be scored beside adapters
SCRIPTED = ("random", "text", "expert", "prompt")
PROMPTED = "zero-shot prompt planner"


@dataclass
class Eval:
    """Success on the splits: the adapters, baselines, and the paper's own figures beside them."""

    split: str = "all"
    """all, train (the trained kinds, unseen tasks), or one of the ten held-out splits."""
    checkpoint: Tuple[Path, ...] = ()
    """Bundles or run folders of one training with several seeds (default: the shipped adapters)."""
    compare: Tuple[str, ...] = ()
    """Further rows: NAME=DIR, or NAME=DIR,DIR for several training seeds."""
    baselines: Tuple[str, ...] = ("random", "text", "expert")
    """Rows that learn nothing: random, text (zero-shot scoring), expert, prompt (asks a server)."""
    seeds: int = 3
    """Draws of the actions, for each training seed."""
    tasks: int = 100
    """Tasks a split."""
    failures: str = "none"
    """What goes wrong by itself: none, or disturbed (the robustness setting)."""
    json: Optional[Path] = None
    """Also write all figures here."""
    markdown: Optional[Path] = None
    """Also write the tables here."""
    card: bool = False
    """Write the figures into the card of the bundle behind --checkpoint as well."""
    weights: Optional[str] = None
    """Folder of MiniLM's files (default: the installed package)."""
    record: Optional[Path] = None
    """Keep the replies of --baselines prompt in this new file."""
    server: ModelOptions = field(default_factory=ModelOptions)
    """Of --baselines prompt."""


def _contenders(options: Eval) -> List[Contender]:
    asked = (options.weights, options.failures)
    found = [learned("LLaRP", options.checkpoint or (SHIPPED,), *asked)]
    for text in options.compare:
        name, _, paths = text.partition("=")
        if not name or not paths:
            raise PPPError(f"--compare {text[:60]}: write NAME=DIR, or NAME=DIR,DIR")
        found.append(learned(name, [Path(path) for path in paths.split(",")], *asked))
    names = [row.name for row in found]
    for name in names:
        if names.count(name) > 1:
            raise PPPError(f"--compare: the name '{name}' is used twice; choose another")
    return found + [_scripted(name, options) for name in options.baselines]


def _scripted(name: str, options: Eval) -> Contender:
    if name not in SCRIPTED:
        raise unknown("baseline", name, SCRIPTED)
    if name == "random":
        return scripted("random", baselines.random_actions, options.failures)
    if name == "expert":
        return scripted("expert", baselines.expert_actions, options.failures)
    if name == "text":
        backbone = load_backbone("minilm", options.weights, "float32")
        return scripted("zero-shot text scoring", baselines.TextScoring(backbone),
                        options.failures)
    return scripted(PROMPTED, _prompt_planner(options), options.failures)


def _prompt_planner(options: Eval) -> baselines.PromptPlanner:
    given = options.server
    recorder = recorder_for(options.record)
    if given.replay:
        return baselines.PromptPlanner(Replayer(str(given.replay), "llarp"), recorder)
    server = given.server()
    if server is None:
        raise PPPError("--baselines prompt: no language model is configured: give "
                       "--server.base-url and --server.model, or set OPENAI_API_KEY, or leave "
                       "prompt out")
    from ppp.planning.chat import ChatClient

    return baselines.PromptPlanner(ChatClient(server, given.budget()), recorder)


def main(argv: List[str]) -> int:
    """Entry point of ``ppp llarp eval``."""
    options = read_options(Eval, argv, "ppp llarp eval")
    for name, value in (("seeds", options.seeds), ("tasks", options.tasks)):
        if value < 1:
            raise PPPError(f"--{name} is {value}; it must be 1 or more")
    if options.failures not in FAILURES:
        raise unknown("failures", options.failures, FAILURES)
    splits = chosen_splits(options.split)
    bundle = _bundle(options) if options.card else None
    for path in (options.json, options.markdown):
        check_file(path)
    rows: Dict[str, Dict[str, Any]] = {}
    for one in _contenders(options):
        # a model is asked once a task: its temperature is 0, and a reply costs money
        seeds = 1 if one.name == PROMPTED else options.seeds
        rows[one.name] = evaluate(one, splits, options.tasks, seeds, _teller(one.name))
    text = markdown(rows, options.failures)
    print(text)
    if options.markdown:
        write_text(text, options.markdown, "page")
    if options.json:
        first, others = rows["LLaRP"], {n: row for n, row in rows.items() if n != "LLaRP"}
        write_json({**first, "baselines": others, "paper": FIGURES, "differs": DIFFERS,
                    "seeds": options.seeds, "tasks": options.tasks}, options.json)
    if bundle is not None:
        store.write_card(bundle, {**store.read_card(bundle), "scores": _scores(rows, options)})
    return 0


def _bundle(options: Eval) -> Path:
    """The one bundle whose card is written."""
    paths = options.checkpoint or (SHIPPED,)
    if len(paths) != 1 or not store.read_card(paths[0]):
        raise PPPError(f"--card: {paths[0]} is no single bundle with a card ({store.CARD}); give "
                       "one behind --checkpoint")
    return paths[0]


def _scores(rows: Dict[str, Dict[str, Any]], options: Eval) -> Dict[str, Any]:
    """What a card says of the figures."""
    def row_of(row: Dict[str, Any]) -> Dict[str, Any]:
        means = {name: round(row[name], 4) for name in ("pr", "bg", "total")
                 if row[name] == row[name]}  # not NaN: all their splits were played
        return {**means, **{split: round(one["success"], 4)
                            for split, one in row["splits"].items()}}

    return {"tasks_per_split": options.tasks, "draws_of_actions": options.seeds,
            "failures": options.failures, **{name: row_of(row) for name, row in rows.items()}}


def _teller(name: str) -> Callable[[str, Dict[str, Any]], None]:
    def told(split: str, row: Dict[str, Any]) -> None:
        print(f"{name}: {split} {100 * row['success']:.0f} %", file=sys.stderr, flush=True)
    return told
