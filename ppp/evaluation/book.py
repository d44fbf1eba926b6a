"""Long measurements, episode by episode, in a file that a stopped one goes on from."""
from __future__ import annotations

import itertools
import json
import math
import time
from pathlib import Path
from typing import Any, Callable, Dict, Hashable, Iterable, Iterator, List, Optional, Sequence

from ppp.errors import PPPError
from ppp.outputs import write_json
from ppp.progress import progress

Row = Dict[str, Any]


class Book:
    """The episodes so far, and the file that keeps them; what differs is for subclasses to say."""

    #: whose measurement it is, and the field of the file that holds the figures
    command, section = "", "figures"

    def __init__(self, path: Optional[Path], head: Dict[str, Any]) -> None:
        """head: what is measured, None for what does not matter; path: the file, None for none.

        PPPError for a file of another command, or of another measurement than ``head`` says.
        """
        self.path, self.head = path, head
        self.rows: List[Row] = []
        if path is not None and path.exists():
            self._continue(path)
        self._keys = {self.key(row) for row in self.rows}

    def key(self, row: Row) -> Hashable:
        """The task that an episode was."""
        raise NotImplementedError

    def figures(self) -> Dict[str, Any]:
        """The figures of what was measured so far."""
        raise NotImplementedError

    def take(self, data: Dict[str, Any]) -> None:
        """Go on from a file's content, its rows being there already; any error says that the
        content is no such measurement."""
        self.figures()

    def _continue(self, path: Path) -> None:
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            self.rows, head = list(data["episodes"]), dict(data["measured"])
            self.take(data)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            raise PPPError(f"{path}: holds no measurement of {self.command}: name a new file "
                           "for --json") from None
        for name, value in self.head.items():
            if value is not None and head.get(name) not in (None, value):
                raise PPPError(f"{path}: was measured with {name} {head[name]}, not {value}: "
                               "name a new file for --json")
        self.head = {k: v if v is not None else head.get(k) for k, v in self.head.items()}

    def missing(self, tasks: Iterable[Hashable]) -> List[Any]:
        """Those of the tasks that are not there yet."""
        return [task for task in tasks if task not in self._keys]

    def fill(self, missing: Sequence[Any], rows: Callable[[Iterable[Any]], Iterator[Row]],
             tell: Callable[[Row], str], minutes: Optional[float] = None) -> bool:
        """Add the rows of what is missing as they come; False when ``minutes`` were up before.

        tell: a line about a row, printed behind its number.
        """
        end = math.inf if minutes is None else time.monotonic() + 60.0 * minutes
        coming = itertools.takewhile(lambda _: time.monotonic() <= end, missing)
        number = 0
        for number, row in enumerate(progress(rows(coming), "episodes", len(missing)), start=1):
            self.add(row)
            print(f"{number}/{len(missing)} {tell(row)}", flush=True)
        return number == len(missing)

    def add(self, row: Row) -> None:
        """Keep an episode."""
        self.rows.append(row)
        self._keys.add(self.key(row))
        self.write(complete=False)

    def write(self, complete: bool) -> None:
        """The file, whole or as it was."""
        if self.path is not None:
            write_json({"measured": self.head, "complete": complete,
                        self.section: self.figures(), "episodes": self.rows}, self.path)
