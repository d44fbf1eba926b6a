"""Keeps what happened between two presses of "record", and writes it as a page and a film."""
from __future__ import annotations

import multiprocessing
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Tuple

from ppp.engines.scene import Scene
from ppp.planning.performer import CONTROL_DT, Poses
from ppp.planning.physics import stacked
from ppp.planning.recording import Recording
from ppp.play.film import begin, draw
from ppp.play.views import DONE, Line

#: a recording stops by itself after so long, s
LONGEST = 300.0


class Recorder:
    """One recording in the making."""

    def __init__(self, name: str, scene: Scene, pose: Poses) -> None:
        self.name, self.scene = name, scene
        self._poses: List[Poses] = [pose]
        self._steps: List[Dict[str, Any]] = []
        self._tasks: List[str] = []
        self._checks: List[Line] = []

    @property
    def seconds(self) -> float:
        """Recorded so far."""
        return (len(self._poses) - 1) * CONTROL_DT

    @property
    def full(self) -> bool:
        """Whether it is as long as it may become."""
        return self.seconds >= LONGEST

    def add(self, pose: Poses) -> None:
        """The pose after a control step."""
        self._poses.append(pose)

    def task(self, text: str) -> None:
        """A visitor's command or instruction."""
        if not self._tasks or self._tasks[-1] != text:
            self._tasks.append(text)

    def step(self, command: str, skill: str, target: Any, ended: Optional[str] = None) -> None:
        """A step begins now, or the latest one ends now."""
        if ended is None:
            self._steps.append({"command": command, "skill": skill, "start": self.seconds,
                                "target": [float(v) for v in target], "end": self.seconds,
                                "ended": ""})
        elif self._steps:
            self._steps[-1].update(end=self.seconds, ended=ended)

    def checks(self, checks: List[Line]) -> None:
        """How the latest errand was judged."""
        self._checks = list(checks)

    def recording(self) -> Recording:
        """What was recorded; a step still under way ends with it."""
        for step in self._steps:
            step["end"] = step["end"] if step["ended"] else self.seconds
        checks = [{"check": c.text, "passed": c.mark == DONE, "detail": c.note}
                  for c in self._checks]
        return Recording(self.name, "; ".join(self._tasks[-4:]), 1.0 / CONTROL_DT, self.scene,
                         *stacked(self._poses), steps=self._steps, checks=checks,
                         success=bool(checks) and all(c["passed"] for c in checks))


class Studio:
    """Writes recordings into a folder, without holding up the simulation. size: of films, pixels.

    A film is drawn in a process of its own at a lower priority: a renderer that crashes takes
    nothing with it.
    """

    def __init__(self, folder: Path, size: Tuple[int, int] = (1280, 720)) -> None:
        self.folder, self.size = folder, size
        self._pool: Optional[ProcessPoolExecutor] = None
        self._films: List["Future[str]"] = []

    def free_name(self, name: str) -> str:
        """The stem of a file that is not there yet: name-01, name-02, ..."""
        stem = "".join(c if c.isalnum() or c in "-_" else "_" for c in name)[:40] or "play"
        number = 1
        while any((self.folder / f"{stem}-{number:02d}{end}").exists()
                  for end in (".html", ".mp4")):
            number += 1
        return f"{stem}-{number:02d}"

    def page(self, recording: Recording, stem: str) -> Path:
        """Write the replay page; PPPError where that cannot be done."""
        from ppp.view.replay import write_replay

        return write_replay(recording, self.folder / f"{stem}.html")

    def film(self, recording: Recording, stem: str, done: Callable[[Path, str], None]) -> None:
        """Begin to write the film; ``done`` is told its path and the problem, '' for none."""
        path = self.folder / f"{stem}.mp4"
        if self._pool is None:
            self._pool = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), begin)
        future = self._pool.submit(draw, recording, str(path), self.size)
        self._films.append(future)
        future.add_done_callback(lambda f: done(path, _problem(f)))

    def close(self) -> None:
        """Give up films that are not begun; one under way is finished."""
        if self._pool is None:
            return
        if any(not film.done() for film in self._films):
            print("the film under way is finished first", flush=True)
        self._pool.shutdown(wait=True, cancel_futures=True)


def _problem(future: "Future[str]") -> str:
    error = None if future.cancelled() else future.exception()
    if future.cancelled():
        return "given up"
    if error is not None:
        return f"the film's process ended early ({type(error).__name__})"
    return future.result()
