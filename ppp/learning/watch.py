"""Heartbeats of the processes of one run, so that a dead one is named and none waits for ever.

Every rank writes a line into torchrun's key-value store each second and reads the others'. A rank
that raised says so itself; one that was killed falls silent. This needs no collective: it works
where a rank hangs in one, on a CPU and on a GPU, on one machine and on several.
"""
from __future__ import annotations

import datetime
import os
import socket
import sys
import threading
import time
from typing import Any, Dict, List, Tuple

import torch.distributed as dist

from ppp.errors import PPPError

#: s between two heartbeats
BEAT = 1.0
#: s of silence after which a rank is dead, when nothing else points to it
PATIENCE = 60.0
#: s of silence after which it is dead, when a collective has failed
SHORT = 4.0
STORE_GONE = "torchrun, or the machine of rank 0, does not answer any more"
#: s that a rank has to leave by itself once the run is lost
GRACE = 15.0


class PeerLost(PPPError):
    """Another rank of the run is gone; the message says which and how to go on."""


class Watch:
    """The heartbeat of this rank and an eye on the others; a thread of its own."""

    def __init__(self, rank: int, size: int) -> None:
        self.rank, self.size = rank, size
        self._store = _store()
        self._place = f"process {os.getpid()} on {socket.gethostname()}"
        self._state, self._left = "", False
        #: of each other rank: its last line, and when that came
        self._seen: Dict[int, Tuple[str, float]] = {}
        #: of each other rank: the process and its machine
        self._places: Dict[int, str] = {}
        #: who is gone, and how that showed
        self._lost = ""
        #: the run is lost, or over, and this rank finds out why
        self.judging = False
        self._lock = threading.Lock()

    def begin(self) -> None:
        """Meet the other ranks, then watch."""
        self._store.set(f"place/{self.rank}", self._place)
        self._write("beat 0")
        for rank in self._others():
            self._places[rank] = self._store.get(f"place/{rank}").decode()  # waits for it
            self._seen[rank] = ("", time.monotonic())
        threading.Thread(target=self._run, name="watch", daemon=True).start()

    def _others(self) -> List[int]:
        return [rank for rank in range(self.size) if rank != self.rank]

    # -- the thread --------------------------------------------------------------------------
    def _run(self) -> None:
        count = 0
        while not self._left:
            count += 1
            try:
                if not self._state:
                    self._write(f"beat {count}")
                self._look(PATIENCE)
            except RuntimeError:
                self._lost = self._lost or STORE_GONE
            if self._lost:
                self._end_after_grace()
                return
            time.sleep(BEAT)

    def _write(self, line: str) -> None:
        with self._lock:
            self._store.set(f"state/{self.rank}", line)

    def _look(self, patience: float) -> None:
        """Read the others' lines; remember the first that failed, or fell silent."""
        now = time.monotonic()
        silent: List[Tuple[float, int]] = []
        for rank in self._others():
            with self._lock:
                line = self._store.get(f"state/{rank}").decode()
            if line != self._seen[rank][0]:
                self._seen[rank] = (line, now)
            if line.startswith("failed"):
                self._lost = self._lost or f"{self._name(rank)} {line}"
            elif line != "left":
                silent.append((now - self._seen[rank][1], rank))
        longest, rank = max(silent, default=(0.0, 0))
        if longest > patience:
            self._lost = self._lost or (f"{self._name(rank)} gave no sign of life for "
                                        f"{longest:.0f} s")

    def _end_after_grace(self) -> None:
        """Where the main thread hangs in a collective it can't be woken, only ended."""
        time.sleep(GRACE)
        if not self.judging:
            print(f"error: {self._sentence()}", file=sys.stderr, flush=True)
        sys.stderr.flush()
        os._exit(2)

    # -- the main thread ---------------------------------------------------------------------
    def verdict(self, reason: str) -> PPPError:
        """Who is to blame for a collective that failed with ``reason``."""
        self.judging = True
        end = time.monotonic() + SHORT + 4 * BEAT
        while not self._lost and time.monotonic() < end:
            try:
                self._look(SHORT)
            except RuntimeError:
                self._lost = STORE_GONE
            time.sleep(0.2)
        if not self._lost:
            return PPPError(f"a collective of rank {self.rank} failed: {reason[:200]}")
        return PeerLost(self._sentence())

    def _sentence(self) -> str:
        return (f"{self._lost}; rank {self.rank} stops too: mend the cause and go on from the last "
                "checkpoint with --resume")

    def _name(self, rank: int) -> str:
        return f"rank {rank} ({self._places[rank]})"

    def asked_to_stop(self, number: int, frame: Any) -> None:
        """SIGTERM before the training proper: leave, unless about to say who is to blame.

        torchrun sends it to all that are left when one has died.
        """
        if not self.judging:
            self.judging = True
            raise KeyboardInterrupt

    def failed(self, error: BaseException) -> BaseException:
        """This rank ends by ``error``; returns the one to raise."""
        self.judging = True
        threading.Thread(target=self._end_after_grace, daemon=True).start()
        if isinstance(error, PeerLost):
            self._end("left")
        elif isinstance(error, Exception):
            text = str(error).strip().splitlines()
            self._end(f"failed with {type(error).__name__}: {text[0][:300] if text else ''}")
        else:  # a signal: was it meant for the run, or did torchrun send it since a rank died?
            self._end("left")
            judged = self.verdict(str(error)) if not self._all_left() else error
            return judged if isinstance(judged, PeerLost) else error
        return error

    def _all_left(self) -> bool:
        """Whether all ranks leave of their own accord, which takes them a moment."""
        for _ in range(int(SHORT / 0.2)):
            try:
                self._look(SHORT)
            except RuntimeError:
                return False
            if self._lost:
                return False
            if all(line == "left" for line, _ in self._seen.values()):
                return True
            time.sleep(0.2)
        return False

    def _end(self, line: str) -> None:
        self._state = line
        try:
            self._write(line)
        except RuntimeError:
            pass  # nobody is left to read it

    def leave(self) -> None:
        """The last heartbeat; what was said of a failure stays."""
        if not self._state:
            self._end("left")
        self._left = True


def _store() -> dist.Store:
    """A connection of our own to the store that the processes met in."""
    store = dist.TCPStore(os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"]), None, False,
                          timeout=datetime.timedelta(seconds=60), wait_for_workers=False)
    run, again = (os.environ.get(f"TORCHELASTIC_{name}", "")
                  for name in ("RUN_ID", "RESTART_COUNT"))
    return dist.PrefixStore(f"ppp/{run}/{again}", store)
