"""The one exception for a user's mistake, and how an entry point reports it."""
from __future__ import annotations

import difflib
import os
import sys
from typing import Callable, Iterable, Optional


class PPPError(Exception):
    """Something the user can mend.

    The message is one sentence that names the file, the field and the mend. Entry points print it
    without a traceback and exit with status 2.
    """


def nearest(name: str, choices: Iterable[str]) -> Optional[str]:
    """The choice spelled most like ``name``, or None when nothing is close."""
    found = difflib.get_close_matches(str(name), [str(c) for c in choices], n=1, cutoff=0.5)
    return found[0] if found else None


def unknown(kind: str, name: str, choices: Iterable[str]) -> PPPError:
    """A PPPError for a ``kind`` (task, skill, ...) that is not one of ``choices``."""
    choices = sorted(str(c) for c in choices)
    guess = nearest(name, choices)
    hint = f"did you mean '{guess}'? " if guess else ""
    return PPPError(f"unknown {kind} '{str(name)[:80]}': {hint}choose one of {', '.join(choices)}")


def run_entry(main: Callable[[], Optional[int]]) -> int:
    """Call an entry point; turn a PPPError into one line on stderr and exit status 2.

    An OSError that names a file is a user's matter too: a full disk, a path without rights.
    """
    try:
        return int(main() or 0)
    except PPPError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # the reader of a pipe (| head) has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except OSError as error:
        if error.filename is None:  # not about a file of the user's
            raise
        print(f"error: {error.filename}: {error.strerror}; check the path, its rights and the room "
              "on the disk", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
