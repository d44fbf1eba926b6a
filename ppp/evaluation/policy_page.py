"""The report of ``ppp eval policy`` as one self-contained page: tables, matrices, plots, strips."""
from __future__ import annotations

import base64
import html
import io
import tempfile
from pathlib import Path
from string import Template
from typing import Any, Dict, List, Optional

import torch

from ppp.evaluation import policy_charts as charts
from ppp.evaluation.crowd import RATE
from ppp.evaluation.policy_goals import verdicts
from ppp.outputs import write_html

#: a strip has this many moments, this large in pixels, of this many seconds
MOMENTS, SIZE, SECONDS = 8, (150, 190), 4.0
#: columns of a gait's row
GAIT_HEADS = {"arrived": "arrived %", "arrived_turning": "with turns %", "fell": "fell %",
              "fell_turning": "turns, fell %", "heading_error_deg": "heading °",
              "course_error_deg": "course °", "seconds": "s", "nearest_m": "nearest m"}
_TEMPLATE = Path(__file__).with_name("policy_page.html")


def write_page(figures: Dict[str, Any], rows: Dict[str, Any], name: str, path: Path,
               strips: bool = True) -> Path:
    """Write the page; returns its path.

    figures: of all seeds; rows: of the first one (paths, strips). strips: draw them (needs
    OpenGL). Raises PPPError where it cannot be written; a page that is there already stays until
    the new one is complete.
    """
    body = [_summary(figures)]
    if "skills" in rows:
        body += [_skills(figures), _confusion(figures)]
        body += [_strips(figures, rows["skills"])] if strips else []
    if "transitions" in rows:
        body.append(_transitions(figures))
    if "arrival" in rows:
        body.append(_arrival(figures, rows["arrival"]))
    body.append(_training(figures))
    text = Template(_TEMPLATE.read_text(encoding="utf-8")).substitute(
        name=html.escape(name), body="\n".join(body))
    return write_html(text, path)


def _section(title: str, note: str, *parts: str) -> str:
    return (f"<section><h2>{html.escape(title)}</h2><p>{html.escape(note)}</p>"
            f"{''.join(parts)}</section>")


def _summary(figures: Dict[str, Any]) -> str:
    rows = [(v.goal.meaning, v.text(v.value),
             {True: "met", False: "not met", None: "not measured"}[v.met], v.bound_text(),
             v.text(v.spread if figures["seeds"] > 1 else None), v.goal.others)
            for v in verdicts(figures)]
    known = figures["classifier"]
    seeds, episodes = figures["seeds"], figures["episodes"]
    note = (f"{len(figures['skills'])} skills, MuJoCo on the CPU, no assist, no exploration noise; "
            f"means over {seeds} seed{'s' if seeds != 1 else ''}, {episodes} episodes a seed of "
            "each skill and gait; spread: largest less smallest seed.")
    ceiling = (f"The classifier recognises {100 * known['ceiling']:.1f} % of held-out windows of "
               f"real clips: the ceiling. Of single poses held like a statue it refuses "
               f"{100 * known['statues_refused']:.0f} %.")
    heads = ("figure", "measured", "", "asked for", "spread", "others")
    return _section("Summary", note, charts.table(heads, rows, "goals"),
                    f"<p>{html.escape(ceiling)}</p>")


def _skills(figures: Dict[str, Any]) -> str:
    per_skill = figures["per_skill"]
    note = ("Each skill held for 10 s from its own clips and from standing. Dark: commanded skill "
            "recognised and no fall (getting up: stands after 6 s). Light: recognised, falls "
            "ignored. The mark is the least asked for of a single skill, 60 %.")
    shown = {"survived": "up %", "windows": "windows %", "imitation": "imitation", "speed": "m/s",
             "heading_error_deg": "heading °", "yaw_rate_deg_s": "yaw °/s",
             "foot_skate": "foot skate m/s", "log_jerk": "log jerk"}
    rows = [[skill.replace("_", " "), *(_number(row[key], head) for key, head in shown.items())]
            for skill, row in per_skill.items()]
    bars = charts.bars({skill: (row["right"], max(row["right"], row["recognised"]))
                        for skill, row in per_skill.items()}, 0.6)
    return _section("Skills", note, bars, charts.table(["skill", *shown.values()], rows))


def _number(value: float, head: str) -> str:
    if value != value:
        return "–"
    if head.endswith("%"):
        return f"{100 * value:.0f}"
    return f"{value:.0f}" if "°" in head else f"{value:.2f}"


def _confusion(figures: Dict[str, Any]) -> str:
    found = figures["confusion"]
    rows = {skill: dict(zip(found["classes"], shares)) for skill, shares in found["rows"].items()}
    note = ("Windows of one second up to a fall, in per cent of the commanded skill's windows. "
            "“none” is motion that shows no skill: a held pose, a mixture.")
    return _section("Confusion", note,
                    charts.matrix(rows, found["classes"], "commanded", "recognised"))


def _strips(figures: Dict[str, Any], rows: Dict[str, Any]) -> str:
    parts = []
    for k, skill in enumerate(figures["skills"]):
        mine = (rows["skill"] == k).nonzero().flatten().tolist()
        shown = next((i for i in mine if rows["right"][i]), mine[0])
        image = strip_jpeg(rows["crowd"], shown)
        parts.append(f'<figure class="strip"><figcaption>{html.escape(skill.replace("_", " "))} '
                     f"<small>{_ending(rows, shown)}</small></figcaption><div><img "
                     f'alt="{html.escape(skill)}" src="data:image/jpeg;base64,{image}"></div>'
                     "</figure>")
    note = f"The first {SECONDS:g} s of an episode of each skill, a right one where there is one."
    return _section("Strips", note, f'<div class="strips">{"".join(parts)}</div>')


def _ending(rows: Dict[str, Any], episode: int) -> str:
    if rows["right"][episode]:
        return "right"
    if not rows["up"][episode]:
        return "fell"
    return "did not get up" if rows["lies"][episode] else "not recognised"


def strip_jpeg(crowd: Any, episode: int) -> str:
    """Moments of an episode side by side, a JPEG in base64."""
    from PIL import Image

    from ppp.view.video import write_strip

    count = int(SECONDS * RATE)
    pos = crowd.record("body_pos")[:count, episode].numpy()
    rot = crowd.record("body_rot")[:count, episode].numpy()
    with tempfile.TemporaryDirectory() as folder:
        write_strip((pos, rot), Path(folder) / "strip.png", MOMENTS, SIZE, RATE)
        with Image.open(Path(folder) / "strip.png") as image:
            out = io.BytesIO()
            image.convert("RGB").save(out, format="JPEG", quality=80)
    return base64.b64encode(out.getvalue()).decode("ascii")


def _transitions(figures: Dict[str, Any]) -> str:
    matrix = figures["transition_matrix"]
    note = (f"Switched in mid-motion: {_percent(figures['transitions'])} right: no fall within 5 s "
            f"and the new skill seen within 1 s. {_percent(figures['transitions_reached'])} stood "
            f"until the switch; of these {_percent(figures['transitions_of_reached'])} were right. "
            f"No fall: {_percent(figures['transitions_upright'])}; recognised: "
            f"{_percent(figures['transitions_recognised'])}.")
    goals = [s for s in figures["skills"] if any(s in row for row in matrix.values())]
    return _section("Transitions", note,
                    charts.matrix(matrix, goals, "from", "to", diagonal=False))


def _percent(share: float) -> str:
    return "–" if share != share else f"{100 * share:.0f} %"


def _arrival(figures: Dict[str, Any], rows: Dict[str, Any]) -> str:
    skills = figures["skills"]
    table = charts.table(["gait", *GAIT_HEADS.values()], [
        [gait.replace("_", " "), *(_number(row[key], head) for key, head in GAIT_HEADS.items())]
        for gait, row in figures["arrival_details"].items()])
    series: Dict[str, torch.Tensor] = {}

    def lists(ids: List[int]) -> tuple:
        return ([float(rows["distance"][i]) for i in ids], [bool(rows["arrived"][i]) for i in ids],
                [bool(rows["fell"][i]) for i in ids])

    def paths(name: str, ids: List[int]) -> str:
        series[name] = torch.cat([rows["heading"][i] for i in ids])
        return charts.paths_chart([rows["path"][i] for i in ids], *lists(ids), title=name)

    def outcomes(name: str, ids: List[int]) -> str:
        return charts.outcome_chart([float(rows["bearing"][i]) for i in ids], *lists(ids),
                                    title=name)

    ways = charts.by_gait(rows, skills, paths, "wide")
    where = charts.by_gait(rows, skills, outcomes)
    note = ("Targets 2 to 8 m away in any direction, arrived within 0.3 m before the time limit "
            "(8 s and one and a half times the way at the clips' speed) without a fall. “With "
            "turns”: turned on the spot first where the way lies behind, as when a plan is "
            "performed; all else on this page is the gait alone.")
    key = ('<p class="legend"><span class="good">arrived</span><span class="open">not in time'
           '</span><span class="bad">fell</span></p>')
    return _section(
        "Arrival and heading", note, table,
        "<h3>Ways of the first seed, turned so that the target is on the right</h3>", key, ways,
        "<h3>Where the targets lay, seen from the gait's course at the start</h3>", where,
        "<h3>Share of the time under way with a heading error below</h3>",
        charts.share_chart(series, 10.0))


def _training(figures: Dict[str, Any]) -> str:
    card = figures["training"]

    def text(value: Optional[float], form: str) -> str:
        return "not stated" if value is None else format(value, form)

    rows = [["samples", text(card["samples"], ",.0f"), f"{card['calm_samples']:,.0f}"],
            ["hours", text(card["hours"], ".2f"), f"{card['calm_hours']:.0f}"],
            ["samples a second", text(card["samples_per_s"], ",.0f"),
             f"{card['calm_samples'] / card['calm_hours'] / 3600:,.0f}"]]
    note = "From the policy's card; CALM as its paper states."
    return _section("Training", note, charts.table(("", "this policy", "CALM"), rows))
