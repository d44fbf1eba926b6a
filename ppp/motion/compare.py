"""A library beside other motions: the same figures, all together and like beside like."""
from __future__ import annotations

from statistics import median
from typing import Any, Dict, List, Optional, Sequence

import numpy as np

from ppp.motion.check import measure
from ppp.motion.contacts import TOUCH
from ppp.motion.report import FIGURES, shown
from ppp.motion.sources import Source

#: recorded feet hover and sink: measured once more with everything below this touching, m
HOVER = 0.03
#: figures that depend on what counts as touching
_OF_TOUCH = ("skating", "residual_median", "residual_p95", "support_share", "flight_share",
             "torque_share", "torque_p95")
#: figures of the comparison, and those of the table by kind
COMPARED = ("skating", "penetration_mm", "legs_mm", "cut_mm", "residual_median", "residual_p95",
            "support_share", "flight_share", "limit_excess_deg", "peak_speed", "key_speed",
            "spread_deg", "torque_share", "torque_p95", "log_jerk")
BY_KIND = ("skating", "penetration_mm", "residual_median", "support_share", "key_speed",
           "spread_deg", "log_jerk")


Rows = List[List[str]]


def compare(ours: Sequence[Source], theirs: Sequence[Source]) -> Dict[str, Any]:
    """Measure both; JSON-ready.

    figures: key -> {ours, theirs, theirs_hover: [quartile, median, quartile] or None}; kinds:
    skill -> {ours, theirs: number of clips, figures: key -> [our median, theirs, theirs_hover]}.
    """
    sides = {"ours": _measured(ours, TOUCH), "theirs": _measured(theirs, TOUCH),
             "theirs_hover": _measured(theirs, HOVER)}
    whole = {key: {side: _spread(rows, key) for side, rows in sides.items()} for key in COMPARED}
    kinds = {}
    for kind in sorted({row["skill"] for row in sides["ours"]}):
        own = {side: [row for row in rows if row["skill"] == kind]
               for side, rows in sides.items()}
        kinds[kind] = {"ours": len(own["ours"]), "theirs": len(own["theirs"]), "figures": {
            key: [_middle(rows, key) for rows in own.values()] for key in COMPARED}}
    return {"clips": {"ours": len(sides["ours"]), "theirs": len(sides["theirs"])},
            "hover_mm": 1000 * HOVER, "figures": whole, "kinds": kinds}


def _measured(sources: Sequence[Source], touch: float) -> List[dict]:
    return [dict(measure(source.clip, source.loop, touch), skill=source.skill)
            for source in sources]


def _values(rows: Sequence[dict], key: str) -> List[float]:
    return [row[key] for row in rows if row[key] is not None]


def _spread(rows: Sequence[dict], key: str) -> Optional[List[float]]:
    values = _values(rows, key)
    return [round(float(v), 4) for v in np.quantile(values, (0.25, 0.5, 0.75))] if values else None


def _middle(rows: Sequence[dict], key: str) -> Optional[float]:
    values = _values(rows, key)
    return round(float(median(values)), 4) if values else None


def verdict(key: str, ours: Optional[float], *theirs: Optional[float]) -> str:
    """Whether our median is as good as the best of theirs: yes, no, or – (not a merit)."""
    better, known = FIGURES[key].better, [value for value in theirs if value is not None]
    if better == 0 or ours is None or not known:
        return "–"
    best = max(known) if better > 0 else min(known)
    return "yes" if better * (ours - best) >= -1e-6 else "no"


def overall_rows(result: Dict[str, Any]) -> Rows:
    """The comparison over all clips: heading row, then a row a figure (median, quartiles)."""
    rows = [["figure", "ours", "theirs", f"theirs, {result['hover_mm']:.0f} mm", "as good"]]
    for key, sides in result["figures"].items():
        generous = sides["theirs_hover"] if key in _OF_TOUCH else None
        middles = [None if side is None else side[1] for side in
                   (sides["ours"], sides["theirs"], generous)]
        rows.append([f"{FIGURES[key].meaning}{_unit(key)}", _quartiles(key, sides["ours"]),
                     _quartiles(key, sides["theirs"]),
                     _quartiles(key, generous) if generous else "", verdict(key, *middles)])
    return rows


def kind_rows(result: Dict[str, Any]) -> Rows:
    """Medians of like beside like: a row a skill, "ours / theirs" (the better way of measuring)."""
    rows = [["skill", "clips", *(f"{FIGURES[key].head}{_unit(key)}" for key in BY_KIND)]]
    for kind, found in result["kinds"].items():
        if found["theirs"]:
            rows.append([kind, f"{found['ours']} / {found['theirs']}",
                         *(_pair(key, found["figures"][key]) for key in BY_KIND)])
    return rows


def worse(result: Dict[str, Any]) -> List[str]:
    """Where our medians are not as good as theirs, one sentence each."""
    found = []
    for kind, part in [("all", {"figures": {
            key: [None if sides[side] is None else sides[side][1] for side in sides]
            for key, sides in result["figures"].items()}}), *result["kinds"].items()]:
        for key in COMPARED:
            ours, *theirs = part["figures"][key]
            if verdict(key, ours, *theirs) == "no":
                best = max if FIGURES[key].better > 0 else min
                other = best(v for v in theirs if v is not None)
                found.append(f"{kind}: {FIGURES[key].meaning}: {shown(key, ours)} against "
                             f"{shown(key, other)}{_unit(key)}")
    return found


def _unit(key: str) -> str:
    unit = FIGURES[key].unit
    return "" if unit == "%" else f" ({unit})"


def _quartiles(key: str, spread: Optional[Sequence[float]]) -> str:
    if spread is None:
        return "–"
    low, middle, high = (shown(key, value) for value in spread)
    return f"{middle} ({low} to {high})"


def _pair(key: str, values: Sequence[Optional[float]]) -> str:
    ours, *theirs = values
    known = [value for value in theirs if value is not None]
    best = (max if FIGURES[key].better > 0 else min)(known) if known else None
    return f"{shown(key, ours)} / {shown(key, best)}"
