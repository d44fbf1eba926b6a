"""Charts of the policy's report as inline SVG and HTML tables; no script, colours from CSS."""
from __future__ import annotations

import html
from typing import Any, Callable, Dict, List, Sequence, Tuple

import torch
from torch import Tensor

#: a colour class of the page for each gait, in order
SERIES = 6
_PATH_STEP = 5  # control steps between two points of a drawn path


def matrix(rows: Dict[str, Dict[str, float]], columns: Sequence[str], row_head: str,
           column_head: str, diagonal: bool = True) -> str:
    """A table of shares 0 to 1 as shades, with per cents in the cells; empty where unknown.

    diagonal: the right answers lie on it, and what is elsewhere is wrong.
    """
    heads = "".join(f'<th scope="col"><span>{_name(c)}</span></th>' for c in columns)
    body = []
    for row, cells in rows.items():
        shown = [_cell(row, column, cells.get(column), diagonal) for column in columns]
        body.append(f'<tr><th scope="row">{_name(row)}</th>{"".join(shown)}</tr>')
    return (f'<div class="scroll"><table class="matrix"><caption>rows: {row_head}; '
            f"columns: {column_head}</caption><thead><tr><td></td>{heads}</tr></thead>"
            f"<tbody>{''.join(body)}</tbody></table></div>")


def _cell(row: str, column: str, share: Any, diagonal: bool) -> str:
    if share is None:
        return '<td class="none"></td>'
    kind = "good" if not diagonal or row == column else "bad"
    strength = round(100 * float(share)) if kind == "good" else round(100 * float(share) ** 0.7)
    kind += " strong" if strength > 60 else ""
    text = f"{100 * share:.0f}" if share >= 0.005 or not diagonal else ""
    title = html.escape(f"{row} to {column}: {100 * share:.0f} %")
    return f'<td class="{kind}" style="--s:{strength}%" title="{title}">{text}</td>'


def _name(text: str) -> str:
    return html.escape(text.replace("_", " "))


def paths_chart(paths: Sequence[Tensor], distance: Sequence[float], arrived: Sequence[bool],
                fell: Sequence[bool], title: str) -> str:
    """The ways of one gait from (0, 0) to targets on the x axis; paths of (t, 2), m."""
    drawn = []
    for path, far, good, bad in zip(paths, distance, arrived, fell):
        kind = "good" if good else "bad" if bad else "open"
        points = torch.cat((path[::_PATH_STEP], path[-1:]))
        text = " ".join(f"{x:.2f},{-y:.2f}" for x, y in points.tolist())
        drawn.append(f'<polyline class="{kind}" points="{text}"/>'
                     f'<circle class="{kind}" cx="{far:.2f}" cy="0" r=".3"/>')
    grid = "".join(f'<line x1="{x}" x2="{x}" y1="-5" y2="5"/>' for x in range(-4, 10, 2))
    grid += "".join(f'<line y1="{y}" y2="{y}" x1="-4" x2="9"/>' for y in range(-4, 6, 2))
    return (f'<figure><svg viewBox="-4 -5 13 10" role="img" aria-label="{html.escape(title)}">'
            f'<g class="grid">{grid}</g>{"".join(drawn)}<circle class="start" r=".16"/></svg>'
            f"<figcaption>{_name(title)}</figcaption></figure>")


def outcome_chart(bearing: Sequence[float], distance: Sequence[float], arrived: Sequence[bool],
                  fell: Sequence[bool], title: str) -> str:
    """Where the targets of one gait lay, from its own course at the start, and what came of it."""
    dots = []
    for angle, far, good, bad in zip(bearing, distance, arrived, fell):
        kind = "good" if good else "bad" if bad else "open"
        direction = torch.tensor([angle]) + torch.pi / 2
        x, y = far * float(direction.cos()), far * float(direction.sin())
        dots.append(f'<circle class="{kind}" cx="{x:.2f}" cy="{-y:.2f}" r=".32"/>')
    rings = "".join(f'<circle r="{r}"/>' for r in (2, 4, 6, 8))
    return (f'<figure><svg viewBox="-9 -9 18 18" role="img" aria-label="{html.escape(title)}">'
            f'<g class="grid">{rings}</g><path class="start" d="M0 -.9 L.5 .5 L-.5 .5 Z"/>'
            f'{"".join(dots)}</svg><figcaption>{_name(title)}</figcaption></figure>')


def share_chart(series: Dict[str, Tensor], bound: float) -> str:
    """Share of the time (y) with an error below (x, deg) for each name; a line at ``bound``."""
    width, height = 600.0, 260.0

    def place(error: float, share: float) -> str:
        return f"{width * error / 180:.1f},{height * (1 - share):.1f}"

    lines, legend = [], []
    for number, (name, errors) in enumerate(series.items()):
        kind = f"series{number % SERIES}"
        if len(errors):
            points = [place(e, float((errors <= e).float().mean())) for e in range(0, 181, 3)]
            lines.append(f'<polyline class="{kind}" points="{" ".join(points)}"/>')
        legend.append(f'<span class="{kind}">{_name(name)}</span>')
    grid = "".join(f'<line x1="{width * e / 180:.1f}" x2="{width * e / 180:.1f}" y2="{height}"/>'
                   for e in range(0, 181, 30))
    grid += "".join(f'<line y1="{height * s}" y2="{height * s}" x2="{width}"/>'
                    for s in (0, 0.25, 0.5, 0.75, 1))
    labels = "".join(f'<text x="{width * e / 180:.1f}" y="{height + 16}" text-anchor="middle">'
                     f"{e}°</text>" for e in range(0, 181, 30))
    labels += "".join(f'<text x="-6" y="{height * (1 - s) + 4}" text-anchor="end">'
                      f"{100 * s:.0f} %</text>" for s in (0, 0.5, 1))
    mark = width * bound / 180
    return (f'<svg class="wide" viewBox="-46 -8 {width + 60:.0f} {height + 30:.0f}" role="img" '
            f'aria-label="heading error"><g class="grid">{grid}</g>'
            f'<line class="bound" x1="{mark:.1f}" x2="{mark:.1f}" y2="{height}"/>'
            f'{"".join(lines)}{labels}</svg><p class="legend">{"".join(legend)}</p>')


def bars(rows: Dict[str, Tuple[float, float]], bound: float) -> str:
    """Horizontal bars of shares: name -> (share, lighter share beyond it), with a mark at bound."""
    out = []
    for name, (share, more) in rows.items():
        low = " low" if share < bound else ""
        out.append(f'<div class="bar{low}"><span>{_name(name)}</span><span class="rail">'
                   f'<i class="more" style="width:{100 * more:.1f}%"></i>'
                   f'<i style="width:{100 * share:.1f}%"></i>'
                   f'<b style="left:{100 * bound:.0f}%"></b></span>'
                   f"<span>{100 * share:.0f} %</span></div>")
    return f'<div class="bars">{"".join(out)}</div>'


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], kind: str = "") -> str:
    """A plain table; texts are escaped, and "met" and "not met" get their colour."""
    def cell(text: str) -> str:
        colour = {"met": ' class="yes"', "not met": ' class="no"'}.get(text, "")
        return f"<td{colour}>{html.escape(text)}</td>"

    head = "".join(f'<th scope="col">{html.escape(h)}</th>' for h in heads)
    body = "".join(f"<tr>{''.join(cell(c) for c in row)}</tr>" for row in rows)
    return (f'<div class="scroll"><table class="plain {kind}"><thead><tr>{head}</tr></thead>'
            f"<tbody>{body}</tbody></table></div>")


def by_gait(rows: Dict[str, Any], skills: Sequence[str], draw: Callable[[str, List[int]], str],
            kind: str = "") -> str:
    """Small charts side by side: ``draw`` of each gait's name and its episodes without turns."""
    parts = []
    for k in sorted(set(rows["skill"].tolist())):
        ids = ((rows["skill"] == k) & ~rows["turns"]).nonzero().flatten().tolist()
        parts.append(draw(skills[k], ids))
    return f'<div class="many {kind}">{"".join(parts)}</div>'
