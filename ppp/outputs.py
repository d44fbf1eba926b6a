"""Results on disk: asked for before the work, written whole or not at all."""
from __future__ import annotations

import json
import math
import os
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Iterator, Optional, Union

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


@contextmanager
def written(path: Union[str, Path], kind: str, mend: str = "choose another place"
            ) -> Iterator[Path]:
    """:func:`whole` with a sentence about the ``kind`` of file and its ``mend``: PPPError for an
    OSError."""
    try:
        with whole(path) as part:
            yield part
    except OSError as error:
        raise PPPError(f"{path}: the {kind} cannot be written ({error.strerror or error}): "
                       f"{mend}") from error


def write_text(text: str, path: Union[str, Path], kind: str) -> Path:
    """Write a text, whole or not at all; PPPError (of this ``kind``) where that cannot be done."""
    with written(path, kind) as part:
        part.write_text(text, encoding="utf-8")
    return Path(path)


def write_html(text: str, path: Union[str, Path]) -> Path:
    """Write an HTML page, whole or not at all; PPPError where that cannot be done."""
    return write_text(text, path, "page")


def write_json(data: Any, path: Union[str, Path]) -> None:
    """Write a JSON file, whole or not at all; PPPError where that cannot be done.

    A number that is none (NaN, infinite) becomes null.
    """
    text = json.dumps(finite(data), indent=1, allow_nan=False)
    write_text(text + "\n", path, "result")


def finite(value: Any) -> Any:
    """The same plain data with None for numbers that are none: JSON has no NaN."""
    if isinstance(value, dict):
        return {key: finite(v) for key, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def write_png(image: Any, path: Union[str, Path]) -> Path:
    """Write a picture (H, W, 3) uint8 as a PNG, whole or not at all; PPPError where that cannot
    be done."""
    from PIL import Image

    path = Path(path)
    if path.suffix.lower() != ".png":
        raise PPPError(f"{path}: the picture's name has to end in .png")
    with written(path, "picture") as part:
        Image.fromarray(image).save(str(part), format="PNG", optimize=True)
    return path


def write_figure(figure: Any, path: Union[str, Path], mend: str = "choose another place") -> Path:
    """Write a matplotlib figure as a PNG, whole or not at all; PPPError, with the ``mend``, where
    that cannot be done."""
    with written(path, "picture", mend) as part:
        figure.savefig(part, format="png")
    return Path(path)


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
