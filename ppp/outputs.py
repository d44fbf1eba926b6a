"""Can this be written? Asked before the work, so that no result is lost after it."""
from __future__ import annotations

import os
from pathlib import Path
from typing import Optional, Union

from ppp.errors import PPPError


def check_file(path: Optional[Union[str, Path]], kind: str = "result") -> None:
    """Make the file's folder; PPPError where a file cannot be written. None is fine."""
    if path is None:
        return
    path = Path(path)
    if path.is_dir():
        raise PPPError(f"{path}: is a folder: name a file for the {kind}")
    check_folder(path.parent, path)
    if path.exists() and not os.access(path, os.W_OK):
        raise PPPError(f"{path}: may not be written: name a {kind} file in another folder")


def check_folder(folder: Union[str, Path], about: Optional[Path] = None) -> None:
    """Make a folder; PPPError (naming ``about`` or the folder) where it cannot be written to."""
    folder = Path(folder)
    about = about or folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise PPPError(f"{about}: cannot make its folder: {folder} is a file") from None
    except OSError as error:
        raise PPPError(f"{about}: cannot make its folder: {error.strerror or error}") from None
    if not os.access(folder, os.W_OK):
        raise PPPError(f"{about}: may not be written: name another folder")
