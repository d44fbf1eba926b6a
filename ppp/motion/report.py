"""What ``ppp motions check`` prints: a line a clip, a line a skill, what is wrong."""
from __future__ import annotations

from statistics import median
from typing import Any, Dict, List, NamedTuple, Optional, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ppp.errors import unknown
from ppp.motion.check import LIMITS

#: the tables are made for terminals of this many columns
WIDTH = 100
#: up to this many clips are described in full
FULL = 3


class Figure(NamedTuple):
    """How a figure of ClipReport is written: heading, unit, number format, what it says."""

    head: str
    unit: str
    form: str
    meaning: str
    better: int = -1  # -1: less is better, 1: more is better, 0: neither


FIGURES: Dict[str, Figure] = {
    "skating": Figure("skate", "m/s", ".3f", "mean speed of sole corners on the floor"),
    "penetration_mm": Figure("floor", "mm", ".1f", "deepest point under the floor"),
    "legs_mm": Figure("legs", "mm", ".0f", "deepest point of one leg in the other"),
    "cut_mm": Figure("cut", "mm", ".0f", "blade or shield in the own body or in each other"),
    "residual_median": Figure("root", "weights", ".3f", "force the ground cannot give, median"),
    "residual_p95": Figure("p95", "weights", ".3f", "the same, 95th percentile"),
    "support_share": Figure("zmp", "%", ".0%", "time with centre of pressure in the support", 1),
    "flight_share": Figure("air", "%", ".0%", "time without contact", 0),
    "flight_accel": Figure("fall", "m/s²", ".2f", "departure from free fall in flight"),
    "flight_spin": Figure("spin", "N m", ".1f", "change of the angular momentum in flight"),
    "loop_error": Figure("loop", "m, rad", ".4f", "gap between last and first frame"),
    "limit_excess_deg": Figure("limit", "deg", ".1f", "farthest joint beyond its range"),
    "peak_speed": Figure("speed", "rad/s", ".1f", "fastest joint", 0),
    "key_speed": Figure("tip", "m/s", ".1f", "fastest of hands, feet, blade's tip, shield", 0),
    "spread_deg": Figure("spread", "deg", ".1f", "joint angles about their means, rms", 0),
    "torque_share": Figure("torque", "%", ".0%", "largest torque, share of that joint's effort"),
    "torque_p95": Figure("t95", "%", ".0%", "95th percentile over time of that share"),
    "log_jerk": Figure("jerk", "log", ".1f", "dimensionless jerk of hands, feet, sword and shield"),
    "servo_s": Figure("alone", "s", ".1f", "survives on its servos alone", 1),
    "feedforward_s": Figure("ff", "s", ".1f", "the same with inverse dynamics' torques", 1),
}
#: figures of the table a line a clip
_COLUMNS = ("skating", "penetration_mm", "legs_mm", "cut_mm", "residual_median", "residual_p95",
            "support_share", "flight_share", "torque_share", "peak_speed", "log_jerk", "servo_s",
            "feedforward_s")
#: figures that say where they were found
_WHERE = {"cut_mm": "cut_pair", "limit_excess_deg": "limit_joint", "peak_speed": "speed_joint",
          "key_speed": "key_body", "torque_share": "torque_joint"}


def console() -> Console:
    """The terminal; WIDTH columns of plain text where there is none."""
    out = Console(highlight=False)
    return out if out.is_terminal else Console(highlight=False, width=WIDTH)


def print_report(result: Dict[str, Any], sort: Optional[str] = None) -> None:
    """Print the result of ``check.check_sources``; few clips in full, more as tables."""
    out = console()
    clips = sorted_clips(result["clips"], sort)
    if len(clips) <= FULL:
        for clip in clips:
            _print_clip(out, clip)
    else:
        out.print(_clip_table(clips))
        out.print(_skill_table(clips))
    _print_wrong(out, clips)
    bad = sum(not clip["ok"] for clip in clips)
    text = "all clips ok" if not bad else f"{bad} of {len(clips)} clips are not ok"
    out.print(Text(text, style="red" if bad else "green"))


def sorted_clips(clips: Sequence[dict], sort: Optional[str]) -> List[dict]:
    """The clips, worst first by a figure (its key or its heading); by name with ``name``."""
    if sort is None:
        return list(clips)
    if sort in ("name", "skill", "seconds"):
        return sorted(clips, key=lambda clip: clip[sort], reverse=sort == "seconds")
    heads = {figure.head: key for key, figure in FIGURES.items()}
    key = heads.get(sort, sort)
    if key not in FIGURES:
        raise unknown("figure", sort, ["name", "skill", "seconds", *FIGURES])
    sign = 1 if FIGURES[key].better > 0 else -1
    return sorted(clips, key=lambda clip: (clip[key] is None, sign * (clip[key] or 0.0)))


def shown(key: str, value: Optional[float]) -> str:
    """A figure as text, – where it cannot be said."""
    return "–" if value is None else format(value, FIGURES[key].form)


def _cell(clip: dict, key: str) -> Text:
    return Text(shown(key, clip[key]), style="red" if key in clip["wrong"] else "")


def _clip_table(clips: Sequence[dict]) -> Table:
    keys = _columns(clips)
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column("clip", no_wrap=True, max_width=28)
    table.add_column("s", justify="right", no_wrap=True)
    for key in keys:
        table.add_column(FIGURES[key].head, justify="right", no_wrap=True)
    table.add_column("ok")
    for clip in clips:
        table.add_row(Text(clip["name"]), f"{clip['seconds']:.1f}",
                      *(_cell(clip, key) for key in keys),
                      Text("ok", "green") if clip["ok"] else Text("NO", "red"))
    return table


def _columns(clips: Sequence[dict]) -> List[str]:
    """The figures worth a column: known of some clip; crossed legs and speeds only with room."""
    keys = [key for key in _COLUMNS if any(clip[key] is not None for clip in clips)]
    if not any(clip["legs_mm"] >= 0.5 for clip in clips):
        keys.remove("legs_mm")
    if "servo_s" in keys:
        keys.remove("peak_speed")
    return keys


def _skill_table(clips: Sequence[dict]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold",
                  title="\nper skill (worst clip; root, zmp and jerk: median of the clips)",
                  title_justify="left", title_style="")
    table.add_column("skill", no_wrap=True)
    keys = ("skating", "penetration_mm", "cut_mm", "residual_median", "support_share",
            "torque_share", "log_jerk")
    for head in ("clips", "s", *(FIGURES[key].head for key in keys), "ok"):
        table.add_column(head, justify="right")
    for skill in sorted({clip["skill"] for clip in clips}):
        own = [clip for clip in clips if clip["skill"] == skill]
        cells = [shown(key, _summary(own, key)) for key in keys]
        good = sum(clip["ok"] for clip in own)
        table.add_row(Text(skill or "–"), str(len(own)), f"{sum(c['seconds'] for c in own):.1f}",
                      *cells, Text(f"{good}/{len(own)}", "green" if good == len(own) else "red"))
    table.add_section()
    table.add_row("all", str(len(clips)), f"{sum(c['seconds'] for c in clips):.1f}",
                  *(shown(key, _summary(clips, key)) for key in keys), "")
    return table


def _summary(clips: Sequence[dict], key: str) -> Optional[float]:
    values = [clip[key] for clip in clips if clip[key] is not None]
    if not values:
        return None
    return median(values) if key in ("residual_median", "support_share", "log_jerk") \
        else max(values)


def _print_wrong(out: Console, clips: Sequence[dict]) -> None:
    for clip in clips:
        for key in clip["wrong"]:
            where = clip.get(_WHERE.get(key, ""), "")
            text = (f"{clip['name']}: {FIGURES[key].meaning}{f' ({where})' if where else ''}: "
                    f"{shown(key, clip[key])} {FIGURES[key].unit} (limit {LIMITS[key]:g})")
            out.print(Text(text, style="red"), soft_wrap=True)


def _print_clip(out: Console, clip: dict) -> None:
    """One clip with every figure, its unit and meaning, and where it was found."""
    out.print(Text(f"{clip['name']}  {clip['skill']}  {clip['seconds']:.2f} s", style="bold"))
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    for key, figure in FIGURES.items():
        if clip[key] is None and key.endswith("_s"):
            continue
        unit = "" if figure.unit == "%" else f" {figure.unit}"
        limit = f" (limit {LIMITS[key]:g})" if key in LIMITS else ""
        where = clip.get(_WHERE.get(key, ""), "")
        place = f": {where}" if where else ""
        table.add_row(Text(figure.head), _cell(clip, key),
                      Text(f"{unit.strip()}"), Text(f"{figure.meaning}{place}{limit}"))
    out.print(table)


def print_comparison(result: Dict[str, Any]) -> None:
    """Print what ``compare.compare`` found, and where ours are not as good."""
    from ppp.motion.compare import kind_rows, overall_rows, worse

    out = console()
    counts = result["clips"]
    out.print(f"\n{counts['ours']} clips of ours, {counts['theirs']} of theirs: median (quartiles)")
    for rows in (overall_rows(result), kind_rows(result)):
        table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
        for number, head in enumerate(rows[0]):
            table.add_column(head, justify="right" if number else "left")
        for row in rows[1:]:
            table.add_row(*(Text(cell) for cell in row))
        out.print(table)
    for line in worse(result):
        out.print(Text(f"not as good: {line}", style="yellow"), soft_wrap=True)
