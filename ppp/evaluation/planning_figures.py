"""The figures of ``ppp eval planning`` from its episodes, and their table."""
from __future__ import annotations

from typing import Any, Dict, List, Optional, Sequence, Tuple

from rich.console import Console
from rich.table import Table

from ppp.evaluation.planning_falls import tally
from ppp.planning.levels import LEVELS

#: success of UniHSI (Xiao et al., ICLR 2024, arXiv 2309.07918) on simple, middle and hard plans of
#: its own scenes, with furniture and without sword or rules: a scale beside ours, no comparison
UNIHSI: Dict[str, float] = {"easy": 0.91, "middle": 0.63, "hard": 0.40}
#: columns of the table where nothing says how wide the page is
WIDTH = 150
#: scene seeds of one set: set s has the seeds s * SET to s * SET + episodes - 1
SET = 1000


def key(row: Dict[str, Any]) -> Tuple[str, int, str, str]:
    """What tells an episode from any other: level, seed, executor, kind."""
    return row["level"], row["seed"], row["executor"], row["kind"]


def summary(rows: Sequence[Dict[str, Any]], levels: Sequence[str]) -> Dict[str, Any]:
    """level -> its figures; shares 0 to 1, None for what was not measured."""
    return {level: _level([r for r in rows if r["level"] == level], level) for level in levels}


def _level(rows: List[Dict[str, Any]], level: str) -> Dict[str, Any]:
    kinematic = _figures([r for r in rows if r["executor"] == "kinematic"])
    physics = _figures([r for r in rows if r["executor"] == "physics"])
    shown = physics or kinematic or {}
    return {
        "valid": (kinematic or physics or {}).get("valid"),
        "success_kinematic": kinematic["success"] if kinematic else None,
        "success_physics": physics["success"] if physics else None,
        "touches": shown.get("touches"),
        "replans": shown.get("replans"),
        "unihsi": UNIHSI.get(level),
        "kinematic": kinematic,
        "physics": physics,
    }


def _figures(rows: List[Dict[str, Any]]) -> Optional[Dict[str, Any]]:
    """Of one level and executor; touches, falls and replans are means over the episodes."""
    open_rows = [r for r in rows if r["kind"] == "open"]
    closed = [r for r in rows if r["kind"] == "closed"]
    if not rows:
        return None
    done = [r for r in open_rows if r["valid"]]
    ratios = [r["plan_m"] / r["optimum_m"] for r in done if r.get("optimum_m")]
    sets = sorted({r["seed"] // SET for r in open_rows})
    by_set = [_mean([r["success"] for r in open_rows if r["seed"] // SET == s]) for s in sets]
    return {
        "episodes": len(open_rows),
        "valid": _mean([r["valid"] for r in open_rows]),
        "success": _mean([r["success"] for r in open_rows]),
        "success_by_set": dict(zip(map(str, sets), by_set)),
        "repairs": _mean([r["repairs"] for r in open_rows]),
        "plan_steps": _mean([r["plan_steps"] for r in done]),
        "length_ratio": _mean(ratios),
        "length_ratio_max": max(ratios) if ratios else None,
        "replans": _mean([r["replans"] for r in done]),
        "falls": _mean([r["falls"] for r in done]),
        "fell_in": tally(done),
        "touches": _mean([r["touches"] for r in done]),
        "time_s": _mean([r["time_s"] for r in done]),
        "closed_episodes": len(closed),
        "closed_refused": _mean([r["refused"] for r in closed]),
        "failures": [{"seed": r["seed"], "failed": r["failed"], "ended": r["ended"]}
                     for r in open_rows if not r["success"]][:20],
    }


def _mean(values: Sequence[Any]) -> Optional[float]:
    return round(sum(float(v) for v in values) / len(values), 4) if values else None


def table(levels: Dict[str, Any], planner: str) -> Table:
    """Levels by executor, beside UniHSI's figure."""
    made = Table(title=f"planner: {planner}", title_justify="left")
    for column in ("level", "executor", "scenes", "valid plans", "success", "UniHSI's",
                   "repairs", "way / shortest", "new plans", "falls", "touches", "time",
                   "closed: refused"):
        made.add_column(column, justify="left" if column in ("level", "executor") else "right")
    for level, figures in levels.items():
        for executor in ("kinematic", "physics"):
            found = figures[executor]
            if found:
                made.add_row(level, executor, str(found["episodes"]), _share(found["valid"]),
                             _spread(found), _share(figures["unihsi"]), _number(found["repairs"]),
                             _number(found["length_ratio"]), _number(found["replans"]),
                             _number(found["falls"]), _number(found["touches"]),
                             _number(found["time_s"], " s", 1), _share(found["closed_refused"]))
    return made


def _spread(found: Dict[str, Any]) -> str:
    """The success, and over several sets of seeds its least and most."""
    sets = [100.0 * share for share in found["success_by_set"].values()]
    text = _share(found["success"])
    return text if len(sets) < 2 else f"{text} ({min(sets):.0f} to {max(sets):.0f})"


def _share(value: Optional[float]) -> str:
    return "-" if value is None else f"{100.0 * value:.0f} %"


def _number(value: Optional[float], unit: str = "", digits: int = 2) -> str:
    return "-" if value is None else f"{value:.{digits}f}{unit}"


def show(levels: Dict[str, Any], planner: str) -> None:
    """Print the table, during which skills the humanoid fell, and why episodes failed."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=WIDTH)  # a file is as wide as it needs to be
    console.print(table(levels, planner))
    for level in (name for name in LEVELS if name in levels):
        for executor in ("kinematic", "physics"):
            found = levels[level][executor] or {}
            fell = ", ".join(f"{skill} {n}" for skill, n in found.get("fell_in", {}).items())
            if fell:
                console.print(f"  {level}, {executor}: fell in {fell}", markup=False)
            for row in found.get("failures", [])[:5]:
                console.print(f"  {level}, seed {row['seed']}, {executor}: {row['ended']} "
                              f"({'; '.join(row['failed'])})", markup=False)
