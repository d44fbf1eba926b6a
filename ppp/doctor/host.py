"""How ``ppp doctor`` looks at a machine; tests put another machine in its place."""
from __future__ import annotations

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

#: the folder that ``import ppp`` needs on its path
_ROOT = str(Path(__file__).resolve().parents[2])


@dataclass(frozen=True)
class Trial:
    """What a trial found, or one sentence on why it failed."""

    found: Dict[str, Any] = field(default_factory=dict)
    error: str = ""

    @property
    def ok(self) -> bool:
        """Did it end well?"""
        return not self.error


class Host:
    """This machine. ``seconds``: the limit of one trial."""

    def __init__(self, seconds: float = 120.0) -> None:
        self.seconds = seconds

    def python(self) -> Tuple[int, int, int]:
        """The interpreter's version."""
        return sys.version_info[0], sys.version_info[1], sys.version_info[2]

    def cores(self) -> int:
        """Cores this process may use."""
        if hasattr(os, "sched_getaffinity"):
            return len(os.sched_getaffinity(0))
        return os.cpu_count() or 1

    def memory(self) -> Optional[float]:
        """Memory of the machine, GiB, or None where it is not told."""
        try:
            return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
        except (AttributeError, OSError, ValueError):
            return None

    def disk(self) -> float:
        """Free room where the current folder is, GiB."""
        return shutil.disk_usage(".").free / 2**30

    def version(self, distribution: str) -> Optional[str]:
        """An installed distribution's version, or None."""
        from importlib import metadata
        try:
            return metadata.version(distribution)
        except metadata.PackageNotFoundError:
            return None

    def has_module(self, name: str) -> bool:
        """Can a module be imported? It is only looked for."""
        try:
            return importlib.util.find_spec(name) is not None
        except (ImportError, ValueError):
            return False

    def nvidia_smi(self) -> Optional[List[Dict[str, str]]]:
        """Name, driver and memory of every card that the driver shows; None without a driver."""
        query = "name,driver_version,memory.total"
        try:
            done = subprocess.run(["nvidia-smi", f"--query-gpu={query}", "--format=csv,noheader"],
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=30)
        except (OSError, subprocess.SubprocessError):
            return None
        if done.returncode:
            return None
        rows = [line.split(", ") for line in done.stdout.decode("utf-8", "replace").splitlines()]
        return [dict(zip(("name", "driver", "memory"), row)) for row in rows if len(row) == 3]

    def trial(self, kind: str, *arguments: str) -> Trial:
        """Run one trial of ``ppp.doctor.trial`` in its own process, at most ``seconds`` long."""
        path = os.pathsep.join([_ROOT] + [p for p in [os.environ.get("PYTHONPATH")] if p])
        process = subprocess.Popen(
            [sys.executable, "-m", "ppp.doctor.trial", kind, *arguments], stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, env={**os.environ, "PYTHONPATH": path},
            start_new_session=True)
        try:
            out, error = process.communicate(timeout=self.seconds)
        except subprocess.TimeoutExpired:
            _kill(process)
            return Trial(error=f"no answer within {self.seconds:g} s")
        except BaseException:  # Ctrl-C: the trial must not go on alone
            _kill(process)
            raise
        return _outcome(process.returncode, out.decode("utf-8", "replace"),
                        error.decode("utf-8", "replace"))


def _kill(process: "subprocess.Popen[bytes]") -> None:
    """End a trial with all it started."""
    if hasattr(os, "killpg"):
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.communicate()


def _outcome(status: int, out: str, error: str) -> Trial:
    lines = [line for line in out.splitlines() if line.strip()]
    if status == 0 and lines:
        try:
            return Trial(json.loads(lines[-1]))
        except ValueError:
            return Trial(error="its answer could not be read")
    if status < 0:
        return Trial(error=f"crashed with signal {-status} "
                           f"({signal.Signals(-status).name})")
    said = [line for line in error.splitlines() if line.strip()]
    last = said[-1] if said else f"ended with status {status}"
    return Trial(error=last[len("error: "):] if last.startswith("error: ") else last)
