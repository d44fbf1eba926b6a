"""A model's replies in a JSONL file, so that a planning can be repeated without the model."""
from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Dict, List

from ppp.errors import PPPError
from ppp.outputs import check_file
from ppp.planning.reading import counted, read_text, show

#: a file of replies is larger than this only by mistake
MAX_BYTES = 16 * 1024 * 1024


def fingerprint(messages: List[Dict[str, str]]) -> str:
    """A hash of what was asked, to tell whether a replay answers the same question."""
    return hashlib.sha256(json.dumps(messages, sort_keys=True).encode()).hexdigest()[:16]


class Recorder:
    """Appends each reply to a new file as it comes; one that holds something is not touched."""

    def __init__(self, path: str) -> None:
        self.path = Path(path)
        check_file(self.path, "recording")
        if self.path.exists() and self.path.stat().st_size > 0:
            raise PPPError(f"--record: {path} exists: name a new file or remove it")

    def add(self, scenario: str, messages: List[Dict[str, str]], reply: str) -> None:
        """Append one reply."""
        line = {"scenario": scenario, "asked": fingerprint(messages), "reply": reply}
        try:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
        except OSError as error:
            raise PPPError(f"--record: cannot write {self.path}: {error}") from None


class Replayer:
    """Gives the recorded replies for a scenario in their order, whatever it is asked.

    A file may hold those for several scenarios. changed: how many replies answered another question
    than the one now asked. A reply is checked against the scene like a fresh one, so an old reply
    cannot do harm.
    """

    def __init__(self, path: str, scenario: str) -> None:
        self.path = Path(path)
        lines = [
            self._line(number, text)
            for number, text in enumerate(
                read_text(self.path, "file of replies", MAX_BYTES).splitlines(), start=1
            )
            if text.strip()
        ]
        self._lines = [line for line in lines if line["scenario"] == scenario]
        self._next = self.changed = 0
        if lines and not self._lines:
            raise PPPError(
                f"{path}: holds replies for the scenario '{show(lines[0]['scenario'])}', "
                f"not '{scenario}': name its own file"
            )

    def ask(self, messages: List[Dict[str, str]]) -> str:
        """The next reply."""
        if self._next >= len(self._lines):
            raise PPPError(
                f"{self.path}: all {len(self._lines)} replies are used and another is needed: "
                "record again"
            )
        line = self._lines[self._next]
        self._next += 1
        self.changed += line["asked"] != fingerprint(messages)
        return line["reply"]

    def use(self) -> Dict[str, Any]:
        """What was used so far, as plain data: replies, and how many answered another question."""
        return {"replay": str(self.path), "replies": self._next, "changed": self.changed}

    def summary(self) -> str:
        """The same in a line."""
        changed = f" ({self.changed} to another prompt than today's)" if self.changed else ""
        return f"{counted(self._next, 'reply', 'replies')} replayed{changed}, no tokens used"

    def _line(self, number: int, text: str) -> Dict[str, Any]:
        try:
            line = json.loads(text)
        except (ValueError, RecursionError):
            line = None
        keys = ("scenario", "asked", "reply")
        if not isinstance(line, dict) or not all(isinstance(line.get(k), str) for k in keys):
            raise PPPError(f"{self.path}: line {number} is no recorded reply: record again")
        return line
