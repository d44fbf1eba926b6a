"""A command's options from a dataclass: types are checked, ``--help`` comes from the fields."""
from __future__ import annotations

import inspect
from typing import List, Optional, Type, TypeVar

Options = TypeVar("Options")


def read_options(kind: Type[Options], argv: Optional[List[str]], command: str,
                 about: Optional[str] = None) -> Options:
    """The options that ``argv`` (None: the process's own) gives; ``--help`` prints and exits.

    about: what the command does; the docstring of ``kind`` without it. A wrong option is told with
    the nearest right one, and exits 2.
    """
    import tyro

    # what may be left out is left out: nobody has to type None, or --no-x where x is off anyway
    return tyro.cli(kind, args=argv, prog=command,
                    config=(tyro.conf.DisallowNone, tyro.conf.FlagCreatePairsOff),
                    description=inspect.cleandoc(about or kind.__doc__ or ""))
