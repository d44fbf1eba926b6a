"""Results on disk: asked for before the work, written whole or not at all."""
from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator, Optional, Union

from ppp.errors import PPPError


@contextmanager
def whole(path: Union[str, Path]) -> Iterator[Path]:
    """A file beside ``path`` to write to; it becomes ``path`` when the block ends well.

    Else what was there stays and nothing else is left. Makes the folder; raises OSError.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield part
        os.replace(str(part), str(path))
    finally:
        if part.exists():
            part.unlink()


def write_html(text: str, path: Union[str, Path]) -> Path:
    """Write an HTML page, whole or not at all; PPPError where that cannot be done."""
    path = Path(path)
    try:
        with whole(path) as part:
            part.write_text(text, encoding="utf-8")
    except OSError as error:
        raise PPPError(f"{path}: the page cannot be written ({error.strerror}): "
                       "choose another place") from error
    return path


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
