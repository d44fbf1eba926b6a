"""``ppp doctor``: what is installed, which engines run here, what to do about each gap.

Needs nothing but Python itself, so that it can tell what is missing; every engine and library is
tried in a process of its own.
"""
from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from typing import List, Optional

from ppp.doctor.checks import BAD, NOTE, OK, Finding, examine
from ppp.doctor.host import Host
from ppp.errors import PPPError

_MARKS = {OK: "ok", NOTE: "-", BAD: "FAILS"}
_STYLES = {OK: "green", NOTE: "yellow", BAD: "bold red"}


def works(findings: List[Finding]) -> bool:
    """Does the default path (plan, perform and train with ``mujoco_cpu``) work?"""
    return all(finding.state != BAD for finding in findings)


def _summary(findings: List[Finding]) -> str:
    if works(findings):
        return "The default path works: plan, perform and train with mujoco_cpu."
    bad = ", ".join(finding.name for finding in findings if finding.state == BAD)
    return f"The default path fails: {bad}. Mend that first."


def show(findings: List[Finding]) -> None:
    """Print the table; plain lines where rich is missing."""
    try:
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text
    except ImportError:
        for row in findings:
            print(f"{row.area}  {row.name}: {_MARKS[row.state]}  {row.found}"
                  + (f"  ({row.advice})" if row.advice else ""))
        print(_summary(findings))
        return
    console = Console()
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for title, ratio in (("", None), ("", None), ("found", 2), ("what to do", 3)):
        table.add_column(title, ratio=ratio, overflow="fold")
    area = ""
    for row in findings:
        if row.area != area:
            if area:
                table.add_row("")
            table.add_row(Text(row.area, style="bold"))
            area = row.area
        table.add_row(Text(f"  {row.name}"), Text(_MARKS[row.state], style=_STYLES[row.state]),
                      Text(row.found), Text(row.advice))
    console.print(table)
    console.print()
    console.print(Text(_summary(findings)))


def main(argv: Optional[List[str]] = None, host: Optional[Host] = None) -> int:
    """Entry point; 0 where the default path works, else 1."""
    parser = argparse.ArgumentParser(prog="ppp doctor", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")
    parser.add_argument("--seconds", type=float, default=120.0,
                        help="limit of each trial (default: %(default)g)")
    args = parser.parse_args(argv)
    if not args.seconds > 0:
        raise PPPError(f"--seconds is {args.seconds:g}; it must be more than 0")
    if not args.json and sys.stderr.isatty():
        print("trying each engine; the first start of mujoco_warp takes half a minute …",
              file=sys.stderr)
    findings = examine(host or Host(args.seconds))
    if args.json:
        print(json.dumps({"ok": works(findings),
                          "findings": [asdict(finding) for finding in findings]}, indent=1))
    else:
        show(findings)
    return 0 if works(findings) else 1
