"""Tables of the library and its figures in a Markdown file, between marks that stay in it."""
from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, Sequence

from ppp.errors import PPPError
from ppp.motion.compare import kind_rows, overall_rows, worse
from ppp.motion.library import LibraryFile
from ppp.motion.report import FIGURES, shown
from ppp.motion.sources import Source

#: figures of the table of clips
_CLIP_FIGURES = ("skating", "penetration_mm", "cut_mm", "residual_median", "support_share",
                 "flight_share", "torque_share", "log_jerk", "servo_s", "feedforward_s")


def markdown_table(rows: Sequence[Sequence[str]]) -> str:
    """Rows of text as a Markdown table; the first is its heading."""
    lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join([lines[0], "|" + " --- |" * len(rows[0]), *lines[1:]])


def library_section(library: LibraryFile, sources: Sequence[Source]) -> str:
    """A row a skill: its label, its clips and how long they are."""
    rows = [["skill", "label", "clips", "s"]]
    for skill in sorted(library.skills):
        own = [source for source in sources if source.skill == skill]
        names = ", ".join(f"{s.name}{'' if s.loop else ' (once)'}" for s in own)
        rows.append([skill, library.skills[skill].label, names,
                     f"{sum(s.clip.seconds for s in own):.1f}"])
    total = sum(source.clip.seconds for source in sources)
    head = f"{len(library.skills)} skills, {len(sources)} clips, {total:.0f} s."
    return f"{head}\n\n{markdown_table(rows)}"


def clips_section(clips: Sequence[Dict[str, Any]]) -> str:
    """A row a clip with its figures."""
    keys = [key for key in _CLIP_FIGURES if any(clip[key] is not None for clip in clips)]
    heads = [f"{FIGURES[k].head}{'' if FIGURES[k].unit == '%' else f' ({FIGURES[k].unit})'}"
             for k in keys]
    rows = [["clip", "s", *heads, "ok"]]
    rows += [[clip["name"], f"{clip['seconds']:.1f}", *(shown(key, clip[key]) for key in keys),
              "yes" if clip["ok"] else "no"] for clip in clips]
    return markdown_table(rows)


def comparison_section(result: Dict[str, Any]) -> str:
    """The comparison: all clips, like beside like, and where ours are not as good."""
    counts = result["clips"]
    parts = [f"{counts['ours']} clips of ours, {counts['theirs']} of theirs: median (lower to "
             "upper quartile).", markdown_table(overall_rows(result)),
             "By skill, medians, ours / theirs (measured the way that suits theirs better):",
             markdown_table(kind_rows(result))]
    found = worse(result)
    parts += ["Where ours are not as good:", "\n".join(f"- {line}" for line in found)] if found \
        else ["No median of ours is worse."]
    return "\n\n".join(parts)


def write_sections(path: Path, sections: Dict[str, str]) -> None:
    """Put sections into a Markdown file between their marks; those without marks at its end."""
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    for name, body in sections.items():
        begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
        block = f"{begin}\n{body}\n{end}"
        if text.count(begin) != text.count(end) or text.count(begin) > 1:
            raise PPPError(f"{path}: needs one '{begin}' with one '{end}' after it; mend the marks")
        if begin in text:
            before, rest = text.split(begin)
            text = before + block + rest.split(end)[1]
        else:
            text = "\n\n".join(part for part in (text.rstrip("\n"), block) if part) + "\n"
    path.write_text(text, encoding="utf-8")
