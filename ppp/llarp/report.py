"""The table of success rates, as markdown: ours by regime, then the paper's."""
from __future__ import annotations

from typing import Any, Dict, List, Optional

from ppp.llarp.paper import BEHAVIOUR, DIFFERS, FIGURES, PARAPHRASE, means

_MEANS = {"pr": "**PR (5)**", "bg": "**BG (4)**", "total": "**mean of 9**"}
_TITLES = {"imitation": "Imitation of the search expert (and PPO where its iterations say so)",
           "rl": "Reinforcement learning alone", "none": "Without training"}


def _percent(value: Optional[float]) -> str:
    return "" if value is None or value != value else f"{100 * value:.0f}"


def _cell(row: Optional[Dict[str, Any]], interval: bool) -> str:
    if row is None:
        return ""
    text = _percent(row["success"])
    if interval:
        low, high = row["interval"]
        text += f" ({_percent(low)}-{_percent(high)})"
    if "greedy" in row:
        text += f" / {_percent(row['greedy'])}"
    return text


def _table(columns: Dict[str, Dict[str, Any]], splits: List[str], interval: bool) -> List[str]:
    lines = ["| success, % | " + " | ".join(columns) + " |", "|---|" + "---:|" * len(columns)]
    for split in splits:
        cells = [_cell(column["splits"].get(split), interval) for column in columns.values()]
        lines.append(f"| {split} | " + " | ".join(cells) + " |")
    for key, title in _MEANS.items():
        cells = []
        for column in columns.values():
            text = _percent(column.get(key))
            greedy = _percent(column.get(f"{key}_greedy"))
            cells.append(f"{text} / {greedy}" if text and greedy else text)
        if any(cells):
            lines.append(f"| {title} | " + " | ".join(cells) + " |")
    return lines


def _paper(splits: List[str]) -> List[str]:
    columns = {}
    for name, by_split in FIGURES.items():
        columns[name] = {"splits": {s: {"success": v} for s, v in by_split.items()},
                         **means(by_split)}
    known = [split for split in splits if split in next(iter(FIGURES.values()))]
    return _table(columns, known, False)


def _made(name: str, row: Dict[str, Any]) -> str:
    """How a trained contender came about, in a line."""
    seeds = len(row["files"])
    ablated = "" if row["look"] == "all" else f", sees {row['look']}"
    ablated += "" if row["remembers"] else ", no memory"
    ablated += "" if row.get("echo", True) else ", no echo of the last action"
    ablated += ", looks twice" if row.get("gaze") else ""
    return (f"- {name}: {row['policy']} on {row['backbone']}, head {row['head']}, sees "
            f"{row['mode']}{ablated}; {row['trained_numbers']:,} numbers trained in "
            f"{row['cpu_seconds'] / 3600:.2f} core-hours on {row['episodes']:,} episodes; "
            f"{seeds} training seed{'s' if seeds > 1 else ''}")


def markdown(rows: Dict[str, Dict[str, Any]], failures: str = "none") -> str:
    """Figures by contender (:func:`ppp.llarp.evaluate.evaluate`) -> the page.

    Contenders of different regimes stand in tables of their own. failures: of the environments.
    """
    splits = list(next(iter(rows.values()))["splits"])
    lines: List[str] = []
    for regime, title in _TITLES.items():
        columns = {name: row for name, row in rows.items() if row["regime"] == regime}
        if columns:
            lines += [f"**{title}** (actions drawn, 95 % interval / likeliest action)", "",
                      *_table(columns, splits, True), "",
                      *[_made(name, row) for name, row in columns.items() if "files" in row], ""]
    lines += ["**The paper** (its own benchmark; read off its chart)", "", *_paper(splits), ""]
    if failures != "none":
        lines += [f"Our environments: {failures}.", ""]
    lines += ["No action is masked for anybody but zero-shot text scoring, which chooses among "
              "possible ones.", ""]
    lines += [f"PR: mean of {', '.join(PARAPHRASE)}. BG: mean of {', '.join(BEHAVIOUR)}.", "",
              DIFFERS]
    return "\n".join(lines) + "\n"
