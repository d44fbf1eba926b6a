"""The texts of the page as HTML. All that visitors or models wrote is escaped here."""
from __future__ import annotations

from html import escape
from typing import Sequence

from ppp.planning.validate import point
from ppp.play.views import DONE, FAILED, NOW, Heard, Line, View

_GREEN, _RED, _BLUE, _SOFT = "#15803d", "#b91c1c", "#1d4ed8", "#4b5563"
_MARKS = {DONE: ("\u2713", _GREEN), FAILED: ("\u2717", _RED), NOW: ("\u25b6", _BLUE)}
_BOX = "padding:2px 12px;font-size:13px;line-height:1.45;overflow-wrap:anywhere"


def box(inner: str) -> str:
    """A block of the panel."""
    return f'<div style="{_BOX}">{inner}</div>'


def _words(skill: str) -> str:
    return escape(skill.replace("_", " "))


def status(view: View, factor: float, visitors: int) -> str:
    """What it does, how fast the simulation runs, who watches. factor: real-time factor."""
    doing = "paused" if view.paused else _words(view.skill)
    slow = f", slow motion {view.speed:g}\u00d7" if view.speed != 1.0 else ""
    shown = f"{factor:.2f}\u00d7 real time{slow}" if factor else "starting"
    many = f"{visitors} visitors" if visitors != 1 else "1 visitor"
    red = f' <b style="color:{_RED}">\u25cf {view.recording:.0f} s</b>' \
        if view.recording is not None else ""
    return box(f"<b>{doing}</b>{red}<br><span style='color:{_SOFT}'>{shown}, {many}</span>")


def message(view: View) -> str:
    """The latest news, and the target."""
    target = "none: click the floor or an object"
    if view.target is not None:
        target = view.target.name or point(view.target.xy)
    news = f"<b>{escape(view.message)}</b><br>" if view.message else ""
    return box(f"{news}<span style='color:{_SOFT}'>target: {escape(target)}</span>")


def heard(found: Sequence[Heard]) -> str:
    """What a text was understood as, with distance and alternatives."""
    if not found:
        return box(f"<span style='color:{_SOFT}'>say what to do in plain English</span>")
    return box("".join(_heard(one, len(found) > 1) for one in found))


def _heard(one: Heard, quoted: bool) -> str:
    text = f"&ldquo;{escape(one.text)}&rdquo;: " if quoted else ""
    skill = f"<b style='color:{_GREEN}'>{_words(one.skill)}</b>" if one.known else \
        f"<b style='color:{_RED}'>unknown command</b>"
    near = [f"{_words(s)} {d:.2f}" for s, d in one.alternatives]
    if not one.known and one.skill:
        near.insert(0, f"{_words(one.skill)} {one.distance:.2f}")
    what = "then" if one.known else "nearest"
    distance = f" at distance {one.distance:.2f}" if one.known else ""
    if one.verb:
        what, distance = "nearest", f" by the word &ldquo;{escape(one.verb)}&rdquo;"
    return (f"<div>{text}{skill}{distance}<br>"
            f"<span style='color:{_SOFT}'>{what}: {', '.join(near)}</span></div>")


def plan(view: View) -> str:
    """The plan with the step under way, and the checks."""
    if not view.task:
        return box(f"<span style='color:{_SOFT}'>no plan yet</span>")
    lines = "".join(_line(line, number) for number, line in enumerate(view.plan, start=1))
    if not view.plan:
        state = "planning \u2026" if view.busy else "no plan"
        lines = f"<div style='color:{_SOFT}'>{state}</div>"
    checks = "".join(_line(line) for line in view.checks) or \
        f"<div style='color:{_SOFT}'>none could be read from the text</div>"
    return box(f"<div>{escape(view.task)}</div>"
               f"<div style='color:{_SOFT}'>planned by {escape(view.planner)}</div>{lines}"
               f"<div style='margin-top:4px'><b>checks</b></div>{checks}")


def _line(line: Line, number: int = 0) -> str:
    mark, colour = _MARKS.get(line.mark, ("\u00b7", _SOFT))
    weight = "bold" if line.mark == NOW else "normal"
    count = f"{number}. " if number else ""
    note = f" <span style='color:{_SOFT}'>({escape(line.note)})</span>" if line.note else ""
    return (f"<div style='font-weight:{weight}'><span style='color:{colour}'>{mark}</span> "
            f"{count}{escape(line.text)}{note}</div>")
