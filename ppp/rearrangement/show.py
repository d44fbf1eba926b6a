"""One episode to look at: the instruction, each step with what was seen, and a floor plan."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, Optional, Protocol, Tuple, Union

from ppp.errors import PPPError
from ppp.options import read_options
from ppp.outputs import check_file, write_json
from ppp.rearrangement import vocabulary as words
from ppp.rearrangement.env import NONE, Failures, TaskEnv
from ppp.rearrangement.generate import TEST_SEED, make_tasks
from ppp.rearrangement.observe import LIMIT, Observation
from ppp.rearrangement.oracle import optimal_length
from ppp.rearrangement.sight import jump_way, way
from ppp.rearrangement.task import Task
from ppp.rearrangement.world import State, World

XY = Tuple[float, float]


class Chooser(Protocol):
    """What decides: a learned policy, or anything else that reads an instruction."""

    def reset(self, instruction: str) -> None:
        """Begin an episode."""
        ...

    def act(self, observation: Observation) -> int:
        """The index of the next action."""
        ...


@dataclass(frozen=True)
class Step:
    """One action: in English, what was seen after it, its reward, its way (m), what went wrong."""

    phrase: str
    seen: Tuple[str, ...]
    reward: float
    way: Tuple[XY, ...]
    problem: str


@dataclass(frozen=True)
class Episode:
    """What happened. optimal: the oracle's number of actions. first: what was seen at first.

    ending: in words, why an episode without success was over.
    """

    task: Task
    world: World
    start: State
    first: Tuple[str, ...]
    steps: Tuple[Step, ...]
    success: bool
    ending: str
    optimal: Optional[int]

    def as_dict(self) -> Dict[str, Any]:
        """Plain data for JSON."""
        return {
            "split": self.task.split, "family": self.task.family,
            "instruction": self.task.instruction, "layout": self.task.layout,
            "success": self.success, "ending": self.ending, "steps_optimal": self.optimal,
            "seen_first": list(self.first),
            "steps": [{"action": s.phrase, "seen": list(s.seen), "reward": round(s.reward, 3),
                       "problem": s.problem} for s in self.steps],
        }  # fmt: skip


def perform(
    task: Task, chooser: Optional[Chooser] = None, mode: str = "appearance",
    failures: Failures = NONE, seed: int = 0,
) -> Episode:
    """One episode by a chooser; without one by the search expert. mode: of its observations."""
    env = TaskEnv(mode, failures, seed, task.preset)
    observation = env.reset(task)
    if chooser is not None:
        chooser.reset(task.instruction)
    start, first, steps = env.state.copy(), _seen(observation, env.state), []
    ending = ""
    while not env.done:
        choice = env.expert() if chooser is None else chooser.act(observation)
        if not 0 <= choice < len(env.actions):
            raise PPPError(f"action {choice}: choose 0 to {len(env.actions) - 1}")
        before = env.state.at
        observation, reward, _, info = env.step(choice)
        problem = info["reason"] if info["invalid"] or info["failed"] else ""
        used_up = f"the {LIMIT} steps are used up"
        ending = "" if info["success"] else used_up if problem else info["reason"]
        steps.append(Step(env.actions[choice].phrase, _seen(observation, env.state), reward,
                          tuple(_walked(env, before, env.actions[choice].skill)), problem))
    return Episode(task, env.world, start, first, tuple(steps), ending == "", ending,
                   optimal_length(task))


def _walked(env: TaskEnv, before: int, skill: str) -> List[XY]:
    layout, after = env.world.layout, env.state.at
    if before == after:
        return []
    if skill == "jump":
        return jump_way(layout, int(layout.side[before]))
    return way(layout, before, after)


def _seen(observation: Observation, state: State) -> Tuple[str, ...]:
    """The names of what is in view; for what opens and falls also how it stands."""
    found = []
    for name in (words.NAMES[i] for i in observation.names[observation.mask]):
        if name in words.OPENABLE:
            is_open = state.open[words.OPENABLE.index(name)]
            name += " (open)" if is_open else " (closed)"
        elif name in words.DUMMIES and state.down[words.DUMMIES.index(name)]:
            name += " (lies)"
        found.append(name)
    return tuple(found)


def as_text(episode: Episode) -> str:
    """The episode in lines: instruction, steps, outcome."""
    task = episode.task
    lines = [f"{task.split} / {task.family}, layout {task.layout}: {task.instruction}",
             f"    sees {', '.join(episode.first) or 'nothing'}"]
    known = set(episode.first)
    for i, step in enumerate(episode.steps, start=1):
        lines.append(f"{i:>2}. {step.phrase}" + (f"   [{step.reward:+.2f}]" if step.reward else ""))
        if step.problem:
            lines.append(f"    nothing happens: {step.problem}")
        new = [name for name in step.seen if name not in known]
        if new:
            lines.append(f"    sees {', '.join(new)}")
        known = known | set(step.seen)
    shortest = "none" if episode.optimal is None else str(episode.optimal)
    done = "done" if episode.success else f"not done: {episode.ending}"
    lines.append(f"{done} after {len(episode.steps)} steps (with everything known: {shortest})")
    return "\n".join(lines)


def show(
    split: str = "scene", seed: int = TEST_SEED, number: int = 0,
    picture: Optional[Union[str, Path]] = None, chooser: Optional[Chooser] = None,
    mode: str = "appearance",
) -> Episode:
    """Perform task ``number`` of a split, print it and draw it to ``picture`` (PNG) if given.

    PPPError for a split, number or file that cannot be.
    """
    if number < 0:
        raise PPPError(f"--number {number}: tasks are counted from 0")
    check_file(picture, "picture")
    if picture is not None and Path(picture).suffix.lower() != ".png":
        raise PPPError(f"{picture}: is no PNG file: let its name end in .png")
    task = make_tasks(split, number + 1, seed)[number]
    episode = perform(task, chooser, mode)
    print(as_text(episode))
    if picture is not None:
        from ppp.rearrangement.floorplan import draw

        print(f"picture: {draw(episode, picture)}")
    return episode


@dataclass
class ShowArgs:
    """Show one task: the instruction, each step with what is seen, a floor plan."""

    split: str = "scene"
    """train, validation, a held-out split, or unseen_words."""
    seed: int = TEST_SEED
    """Seed of the tasks; the default one's first 100 of each held-out split are the test set."""
    number: int = 0
    """Which of them."""
    checkpoint: Optional[Path] = None
    """Folder or file of trained adapters that decide; without it the search expert does."""
    picture: Optional[Path] = None
    """PNG of the floor plan (default: out/llarp_SPLIT_SEED_NUMBER.png)."""
    json: Optional[Path] = None
    """Also write the episode here."""


def main(argv: List[str]) -> int:
    """Entry point of ``ppp llarp show``."""
    from ppp.rearrangement.learned import Learned, load_adapters

    args = read_options(ShowArgs, argv, "ppp llarp show")
    check_file(args.json)
    chooser = Learned(load_adapters(args.checkpoint)) if args.checkpoint else None
    picture = args.picture or Path("out") / f"llarp_{args.split}_{args.seed}_{args.number}.png"
    episode = show(args.split, args.seed, args.number, picture, chooser,
                   chooser.mode if chooser else "appearance")
    if args.json is not None:
        write_json(episode.as_dict(), args.json)
    return 0
