"""What the process runs that draws a film; it imports no more than that needs."""
from __future__ import annotations

import os
import signal
from typing import Tuple

from ppp.errors import PPPError
from ppp.planning.recording import Recording


def begin() -> None:
    """At the start of the process: step back behind the simulation.

    Ctrl-C on a terminal reaches every process; it must not spoil a film that is nearly done.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "nice"):
        os.nice(10)


def draw(recording: Recording, path: str, size: Tuple[int, int]) -> str:
    """Write the film, size in pixels; returns what went wrong, '' for nothing."""
    from ppp.view.video import write_video

    try:
        write_video(recording, path, size)
    except PPPError as error:
        return str(error)
    return ""
