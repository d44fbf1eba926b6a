"""A scenario seen from above: what stands where, the plan, and the way that was walked."""
from __future__ import annotations

import math
import textwrap
from dataclasses import replace
from pathlib import Path
from typing import Any, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from ppp.outputs import write_figure
from ppp.planning.conditions import Approached
from ppp.planning.geometry import XY, box_of, outline
from ppp.planning.plan_schema import Plan
from ppp.planning.scenario import Scenario
from ppp.planning.situation import Matcher
from ppp.planning.skills import ATTACK, GAIT, role
from ppp.planning.zones import zones

#: size of a picture, inches, and its points an inch
WIDTH, DPI = 5.2, 100
_OBSTACLE, _TARGET, _ZONE, _WAY, _PLAN, _INK = (
    "#b5473c", "#d9a441", "#e8a79c", "#1f5fa8", "#6b7280", "#1f2933")


class Walked(NamedTuple):
    """plans: every plan of the performance. path: (T, 2) m. headline: how it ended."""

    plans: Sequence[Plan]
    path: np.ndarray
    headline: str
    good: bool


def draw_floor_plan(scenario: Scenario, matcher: Matcher, walked: Walked, path: Path) -> None:
    """Write a PNG; PPPError where it cannot be written."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    low, high = _extent(scenario, walked)
    wide, tall = high - low
    figure = Figure(figsize=(WIDTH, max(2.2, WIDTH * 0.94 * tall / wide) + 0.75), dpi=DPI)
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), aspect="equal")
    axes.tick_params(labelsize=7, colors=_PLAN)
    axes.grid(color="#e5e7eb", linewidth=0.6)
    axes.set_axisbelow(True)
    for side in axes.spines.values():
        side.set_color("#d1d5db")
    _scene(axes, scenario)
    _ways(axes, scenario, matcher, walked)
    title = "\n".join(textwrap.wrap(scenario.instruction, 74))
    axes.set_title(title, fontsize=8, loc="left", color=_INK)
    axes.set_xlabel("\n".join(textwrap.wrap(walked.headline, 84)), fontsize=7.5, loc="left",
                    color="#15803d" if walked.good else "#b91c1c")
    figure.tight_layout(pad=0.5)
    write_figure(figure, path)


def _extent(scenario: Scenario, walked: Walked) -> Tuple[np.ndarray, np.ndarray]:
    points: List[Any] = [scenario.start.position, *walked.path, *(e.to for e in scenario.events)]
    for prop in scenario.scene().props:
        points += list(box_of(prop).corners())
    for keep in zones(scenario, scenario.scene().props, ()):
        points += list(outline(keep.shape, keep.room, 0.01))
    for plan in walked.plans:
        points += [step.target for step in plan.steps if _near(step.target, scenario)]
    found = np.array(points, dtype=float)
    low, high = found.min(axis=0) - 0.7, found.max(axis=0) + 0.7
    wide, tall = high - low
    grow = np.maximum(0.0, [tall / 1.1 - wide, 0.45 * wide - tall])  # no thin strips
    return low - 0.5 * grow, high + 0.5 * grow


def _near(xy: XY, scenario: Scenario) -> bool:
    return max(abs(xy[0]), abs(xy[1])) < 20.0


def _scene(axes: Any, scenario: Scenario) -> None:
    from matplotlib.patches import Polygon as Patch

    props = scenario.scene().props
    for keep in zones(scenario, props, ()):
        axes.add_patch(Patch(outline(keep.shape, keep.room, 0.01), color=_ZONE, alpha=0.35, lw=0))
    sided = {c.approached for c in scenario.success if isinstance(c, Approached)}
    for prop in props:
        x, y = prop.position
        if prop.kind == "marker":
            axes.plot(x, y, marker="P", color="#15803d", ms=7, mec="white", zorder=4)
        else:
            colour = _OBSTACLE if prop.kind == "obstacle" else _TARGET
            corners = box_of(prop).corners()
            axes.add_patch(Patch(corners, fc=colour, ec=_INK, lw=0.7, zorder=3))
        if prop.name in sided:
            axes.annotate("", (x + 0.75 * math.cos(prop.yaw), y + 0.75 * math.sin(prop.yaw)),
                          (x, y), arrowprops={"arrowstyle": "->", "color": _INK}, zorder=5)
        high = 0.0 if prop.kind == "marker" else float(box_of(prop).corners()[:, 1].max()) - y
        # above a small thing, on a long one
        place, off = ((x, y), -3) if high > 1.0 else ((x, y + high), 4)
        axes.annotate(prop.name, place, (0, off), textcoords="offset points", ha="center",
                      fontsize=7, color=_INK, zorder=7,
                      bbox={"fc": "white", "ec": "none", "alpha": 0.65, "pad": 0.6})
    for event in scenario.events:
        prop = next(p for p in props if p.name == event.move)
        old = prop.position
        moved = box_of(replace(prop, position=event.to)).corners()
        axes.add_patch(Patch(moved, fc="none", ec=_TARGET, ls=":", lw=1.4, zorder=3))
        axes.annotate(f"after {event.at:g} s", old, event.to, fontsize=7, color=_INK, ha="center",
                      va="bottom", zorder=6,
                      arrowprops={"arrowstyle": "<-", "color": _TARGET, "ls": ":"})


def _ways(axes: Any, scenario: Scenario, matcher: Matcher, walked: Walked) -> None:
    x, y = scenario.start.position
    turn = math.radians(scenario.start.heading)
    axes.plot(x, y, "o", color=_WAY, ms=8, mec="white", zorder=6)
    axes.annotate("", (x + 0.7 * math.cos(turn), y + 0.7 * math.sin(turn)), (x, y),
                  arrowprops={"arrowstyle": "-|>", "color": _WAY}, zorder=6)
    here: Optional[XY] = (x, y)
    for plan in walked.plans[:1]:
        stops = [here]
        for step in plan.steps:
            match = matcher(step.command)
            if match.known and role(match.skill) == GAIT:
                stops.append(step.target)
            elif match.known and role(match.skill) == ATTACK:
                axes.plot(*step.target, marker="x", color="#b91c1c", ms=9, mew=1.8, zorder=6)
        way = np.array(stops)
        axes.plot(way[:, 0], way[:, 1], "--o", color=_PLAN, lw=1.0, ms=3.2, zorder=4)
    if len(walked.path) > 1:
        axes.plot(walked.path[:, 0], walked.path[:, 1], color=_WAY, lw=1.8, alpha=0.85, zorder=5)
