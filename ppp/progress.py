"""A progress bar with the time left, for everything that takes longer than a moment.

On stderr and only on a terminal: pipes and files get the results alone. Colours are rich's affair,
which respects NO_COLOR and TERM=dumb.
"""
from __future__ import annotations

import sys
from typing import Iterable, Iterator, Optional, TypeVar

Item = TypeVar("Item")


def progress(items: Iterable[Item], what: str, total: Optional[int] = None) -> Iterator[Item]:
    """The items, with a bar that counts them. total: how many, where ``items`` has no length.

    The bar goes away at the end; what is printed meanwhile stays above it.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeRemainingColumn as Left

    console = Console(stderr=True)
    if not console.is_terminal:
        yield from items
        return
    count = len(items) if total is None and hasattr(items, "__len__") else total
    columns = (TextColumn("{task.description}"), BarColumn(30), MofNCompleteColumn(), Left(),
               TextColumn("left"))
    # what goes to a file must not be drawn into the terminal instead
    with Progress(*columns, console=console, transient=True,
                  redirect_stdout=sys.stdout.isatty()) as bar:
        line = bar.add_task(what, total=count)
        for item in items:
            yield item
            bar.advance(line)
