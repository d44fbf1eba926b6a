"""The floor plan of an episode as a PNG: the house, what the task is about, the way."""
from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any, Dict, List, Set, Union

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Rectangle

from ppp.outputs import write_figure
from ppp.rearrangement import vocabulary as words
from ppp.rearrangement.goals import candidates
from ppp.rearrangement.layout import PIT
from ppp.rearrangement.show import Episode
from ppp.rearrangement.sight import NOTICE

_FILL = {"surface": "#d9c2a0", "container": "#a9805a", "dummy": "#c0504d", "landmark": "#7f9fbf",
         "gate": "#555555", "wall": "#999999"}
#: a little white behind a label
_PAPER = {"boxstyle": "round,pad=0.1", "fc": "white", "ec": "none", "alpha": 0.75}
_WAY, _THING, _OTHER = "#1f5fbf", "#c02020", "#777777"


def draw(episode: Episode, path: Union[str, Path]) -> Path:
    """Draw an episode to ``path`` (PNG); what was there is replaced only by a whole picture."""
    figure = Figure(figsize=(15.0, 5.6), layout="constrained", dpi=110)
    FigureCanvasAgg(figure)
    plan, story = figure.subplots(1, 2, width_ratios=(3.2, 1.0))
    title = "\n".join(textwrap.wrap(episode.task.instruction, 120))
    figure.suptitle(title, x=0.01, ha="left", fontsize=12)
    _house(plan, episode)
    _places(plan, episode)
    _things(plan, episode)
    _way(plan, episode)
    plan.set_aspect("equal")
    plan.set_xlabel("m, east")
    plan.set_ylabel("m, north")
    _story(story, episode)
    return write_figure(figure, path)


def _house(axes: Axes, episode: Episode) -> None:
    layout = episode.world.layout
    for i, (x0, y0, x1, y1) in enumerate(layout.rooms):
        colour = "#f7f4ee" if i < len(layout.rooms) - 1 else "#eaf2e4"
        axes.add_patch(Rectangle((x0, y0), x1 - x0, y1 - y0, facecolor=colour, zorder=0))
    for x0, y0, x1, y1 in layout.walls:
        axes.plot((x0, x1), (y0, y1), color="#333333", linewidth=2.5, solid_capstyle="butt")
    if episode.world.burning:
        axes.add_patch(Circle(tuple(layout.hazard), PIT, color="#f0a040", alpha=0.6))
        axes.text(*layout.hazard, "fire pit", ha="center", va="center", fontsize=8)
    if episode.world.guarded:
        axes.add_patch(Circle(tuple(layout.guard), NOTICE, color="#4060c0", alpha=0.12))
        axes.plot(*layout.guard, "^", color="#4060c0", markersize=10)
        axes.text(layout.guard[0], layout.guard[1] - 0.25, "guard", ha="center", va="top",
                  fontsize=8)


def _places(axes: Axes, episode: Episode) -> None:
    layout, state = episode.world.layout, episode.start
    for place, name in enumerate(words.PLACES):
        if not layout.exists[place]:
            continue
        x, y = layout.xy[place]
        colour = _FILL[words.TYPES[words.PLACE_TYPE[place]]]
        if name in words.DUMMIES:
            axes.add_patch(Circle((x, y), 0.25, facecolor=colour, edgecolor="black", zorder=2))
        else:
            axes.add_patch(Rectangle((x - 0.35, y - 0.35), 0.7, 0.7, facecolor=colour,
                                     edgecolor="black", zorder=2))
        label = name
        if name in words.OPENABLE:
            label += "\n(open)" if state.open[words.OPENABLE.index(name)] else "\n(closed)"
        elif name in words.DUMMIES and state.down[words.DUMMIES.index(name)]:
            label += "\n(lies)"
        axes.text(x, y - 0.42, label, ha="center", va="top", fontsize=7.5, zorder=5,
                  bbox=_PAPER, linespacing=0.9)


def _about(episode: Episode) -> Set[int]:
    """The things that the goal is about."""
    found: Set[int] = set()
    for condition in _flat([episode.task.stages, episode.task.branches, episode.task.keep]):
        if condition[0] in ("on", "all_on", "holding", "near", "stay"):
            found.update(candidates(episode.world, condition[1]))
    return found


def _flat(value: List) -> List:
    """The conditions in nested lists."""
    if value and isinstance(value[0], str):
        return [value]
    return [c for entry in value for c in _flat(entry)]


def _things(axes: Axes, episode: Episode) -> None:
    layout, world, about = episode.world.layout, episode.world, _about(episode)
    load: Dict[int, int] = {}
    labels: Dict[int, List[str]] = {}
    for i, place in sorted(enumerate(world.first), key=lambda pair: pair[0] not in about):
        k = load[place] = load.get(place, -1) + 1
        x, y = layout.xy[place]
        at = (x - 0.22 + 0.22 * (k % 3), y + 0.2 - 0.2 * (k // 3))
        mine = i in about
        axes.plot(*at, "o", color=_THING if mine else _OTHER, markersize=6 if mine else 2.5,
                  zorder=4)
        if mine:
            name = words.full_name(world.kinds[i], world.paints[i])
            above = labels.setdefault(place, [])
            above.append(name)
    for place, names in labels.items():
        x, y = layout.xy[place]
        axes.text(x, y + 0.42, "\n".join(names), ha="center", va="bottom", fontsize=8.5,
                  color=_THING, weight="bold", zorder=6, bbox=_PAPER, linespacing=0.9)


def _way(axes: Axes, episode: Episode) -> None:
    layout = episode.world.layout
    start = layout.stand[episode.start.at]
    axes.plot(*start, "s", color=_WAY, markersize=9, zorder=7)
    axes.text(start[0] + 0.15, start[1] + 0.1, "start", color=_WAY, fontsize=8, zorder=7)
    ends: Dict[Any, List[str]] = {}
    for i, step in enumerate(episode.steps, start=1):
        if not step.way:
            continue
        xs, ys = zip(*step.way)
        axes.plot(xs, ys, color=_WAY, linewidth=1.4, alpha=0.75, zorder=3)
        axes.annotate("", xy=step.way[-1], xytext=step.way[-2], zorder=3,
                      arrowprops={"arrowstyle": "->", "color": _WAY, "lw": 1.4})
        ends.setdefault(step.way[-1], []).append(str(i))
    for (x, y), numbers in ends.items():
        axes.text(x, y, ",".join(numbers), fontsize=8, color="white", ha="center", va="center",
                  zorder=8, bbox={"boxstyle": "round,pad=0.2", "fc": _WAY, "ec": "none"})


def _story(axes: Axes, episode: Episode) -> None:
    """The actions, one a line; in grey what was in vain (``as_text`` says why)."""
    axes.axis("off")
    lines = [(f"{i:>2}. {step.phrase}", _OTHER if step.problem else "black")
             for i, step in enumerate(episode.steps, start=1)]
    shortest = "-" if episode.optimal is None else episode.optimal
    outcome = "done" if episode.success else f"not done: {episode.ending}"
    lines += [("", "black"), *((line, "black") for line in textwrap.wrap(outcome, 38)),
              (f"{len(episode.steps)} steps, {shortest} with everything known", "black")]
    height = min(0.05, 1.0 / len(lines))
    for i, (line, colour) in enumerate(lines):
        text = axes.text(0.0, 1.0 - i * height, line, va="top", fontsize=190 * height,
                         family="monospace", color=colour, transform=axes.transAxes)
        text.set_in_layout(False)
