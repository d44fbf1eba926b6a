"""From single episodes to the figures of a report, over seeds."""
from __future__ import annotations

from typing import Any, Dict, List, Sequence

import torch
from torch import Tensor

from ppp.evaluation.policy_quality import falls_per_100s, movement
from ppp.motion.library import MotionLibrary

#: columns of a skill's row: name -> key of the episodes' rows
SKILL_COLUMNS = {"right": "right", "recognised": "recognised", "windows": "share",
                 "survived": "up", "seconds_up": "seconds", "imitation": "imitation",
                 "speed": "speed", "heading_error_deg": "heading_error_deg",
                 "yaw_rate_deg_s": "yaw_rate_deg_s", "foot_skate": "foot_skate",
                 "log_jerk": "log_jerk"}


def mean(values: Tensor) -> float:
    """Mean of those that are numbers; NaN without any."""
    kept = values.float()[~torch.isnan(values.float())]
    return float(kept.mean()) if len(kept) else float("nan")


def skill_figures(rows: Dict[str, Any], skills: Sequence[str], classes: Sequence[str]
                  ) -> Dict[str, Any]:
    """Figures of one seed's skill episodes (:func:`ppp.evaluation.policy_skills.hold_skills`)."""
    rows = {**rows, **movement(rows["crowd"])}
    per_skill = {}
    for k, name in enumerate(skills):
        mine = rows["skill"] == k
        per_skill[name] = {column: mean(rows[key][mine]) for column, key in SKILL_COLUMNS.items()}
    counts = rows["confusion"]
    return {"per_skill": per_skill,
            "skill_accuracy": _over(per_skill, "right"),
            "recognised": _over(per_skill, "recognised"),
            "windows": _over(per_skill, "windows"), "survived": _over(per_skill, "survived"),
            "foot_skate": mean(rows["foot_skate"]), "log_jerk": mean(rows["log_jerk"]),
            "confusion": {"classes": list(classes), "rows": {
                name: (counts[k] / counts[k].sum().clamp_min(1.0)).tolist()
                for k, name in enumerate(skills)}}}


def _over(per_skill: Dict[str, Dict[str, float]], column: str) -> float:
    return sum(row[column] for row in per_skill.values()) / len(per_skill)


def transition_figures(rows: Dict[str, Any], skills: Sequence[str]) -> Dict[str, Any]:
    """Figures of one seed's switches (:func:`ppp.evaluation.policy_transitions.switch_skills`)."""
    reached = rows["reached"]
    matrix: Dict[str, Dict[str, float]] = {}
    for i, (source, goal) in enumerate(zip(rows["source"].tolist(), rows["goal"].tolist())):
        matrix.setdefault(skills[source], {})[skills[goal]] = float(rows["right"][i])
    seen = rows["latency"][torch.isfinite(rows["latency"]) & reached]
    return {"transitions": mean(rows["right"]), "transitions_reached": mean(reached),
            "transitions_upright": mean(rows["upright"]),
            "transitions_recognised": mean(rows["recognised"]),
            "transitions_of_reached": mean(rows["right"][reached]),
            "transition_latency_s": float(seen.median()) if len(seen) else float("nan"),
            "transition_matrix": matrix}


def arrival_figures(rows: Dict[str, Any], skills: Sequence[str]) -> Dict[str, Any]:
    """Figures of one seed's walks (:func:`ppp.evaluation.policy_arrival.travel`).

    arrival and arrival_mean: the gait alone; the same with ``_turning``: with turns on the spot
    where the way lies behind. Errors of heading and course: of the gait alone.
    """
    alone = ~rows["turns"]
    details = {}
    for k in sorted(set(rows["skill"].tolist())):
        mine, turning = (rows["skill"] == k) & alone, (rows["skill"] == k) & ~alone
        details[skills[k]] = {
            "arrived": mean(rows["arrived"][mine]), "fell": mean(rows["fell"][mine]),
            "heading_error_deg": median(picked(rows["heading"], mine)),
            "course_error_deg": median(picked(rows["course"], mine)),
            "seconds": mean(rows["time"][mine & rows["arrived"]]),
            "nearest_m": mean(rows["nearest"][mine]),
            "arrived_turning": mean(rows["arrived"][turning]),
            "fell_turning": mean(rows["fell"][turning])}
    out: Dict[str, Any] = {"arrival_details": details}
    for name, column in (("arrival", "arrived"), ("arrival_turning", "arrived_turning")):
        out[name] = {gait: row[column] for gait, row in details.items()}
        out[f"{name}_mean"] = sum(out[name].values()) / len(details)
    return {**out, "arrival_fell": mean(rows["fell"][alone]),
            "heading_error_deg": median(picked(rows["heading"], alone)),
            "course_error_deg": median(picked(rows["course"], alone))}


def picked(parts: List[Tensor], who: Tensor) -> List[Tensor]:
    """The parts of the episodes ``who`` (N,) bool."""
    return [part for part, wanted in zip(parts, who.tolist()) if wanted]


def median(parts: List[Tensor]) -> float:
    """Median of all values of the parts; NaN without any."""
    values = torch.cat(parts)
    return float(values.median()) if len(values) else float("nan")


def seed_figures(parts: Dict[str, Any], library: MotionLibrary, classes: Sequence[str]
                 ) -> Dict[str, Any]:
    """All figures of one seed from its parts' rows."""
    out: Dict[str, Any] = {}
    if "skills" in parts:
        out.update(skill_figures(parts["skills"], library.skills, classes))
    if "transitions" in parts:
        out.update(transition_figures(parts["transitions"], library.skills))
    if "arrival" in parts:
        out.update(arrival_figures(parts["arrival"], library.skills))
    if "strike" in parts:
        strike = parts["strike"]
        out.update(strike=strike["strike"], strike_by_sword=strike["by_sword"],
                   strike_fell=strike["fell"])
    crowds = [rows["crowd"] for rows in parts.values() if "crowd" in rows]
    if crowds:
        out["falls_per_100s"] = falls_per_100s(crowds)
    return out


def over_seeds(runs: Sequence[Dict[str, Any]]) -> Dict[str, Any]:
    """Means of the seeds' figures, nested ones too; of the plain ones also ``NAME_spread``
    (largest less smallest)."""
    out: Dict[str, Any] = {}
    for name, first in runs[0].items():
        values = [run[name] for run in runs]
        out[name] = _mean_of(values)
        if isinstance(first, float):
            kept = [v for v in values if v == v]
            out[f"{name}_spread"] = max(kept) - min(kept) if kept else float("nan")
    return out


def _mean_of(values: List[Any]) -> Any:
    first = values[0]
    if isinstance(first, dict):
        return {key: _mean_of([v[key] for v in values]) for key in first}
    if isinstance(first, list) and first and isinstance(first[0], float):
        return [_mean_of(list(column)) for column in zip(*values)]
    if isinstance(first, float):
        return mean(torch.tensor(values, dtype=torch.float64))
    return first
