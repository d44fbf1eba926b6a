"""Reading a scenario's YAML as data: limits first, then fields, then one sentence for a mistake."""
from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, Dict, List, Sequence, Tuple, Union

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, model_validator
from typing_extensions import Annotated

from ppp.errors import PPPError, nearest

#: a scenario is a page of text; anything larger is not one
MAX_BYTES = 64 * 1024


def counted(count: int, one: str, many: str = "") -> str:
    """A number of things in words: 1 reply, 2 replies; many: the plural, of one with an s."""
    return f"{count} {one if count == 1 else many or one + 's'}"


def show(value: Any, limit: int = 60) -> str:
    """A value as it may stand in a message: one line, short, no control characters."""
    try:
        text = value if isinstance(value, str) else repr(value)
    except ValueError:  # an integer of more digits than Python prints
        text = "a number of thousands of digits"
    text = "".join(c if c.isprintable() else "?" for c in text)
    return text if len(text) <= limit else text[: limit - 3] + "..."


def quoted(name: str) -> str:
    """A name in double quotes, with what could end them escaped: in a prompt it is only a name."""
    return json.dumps(name, ensure_ascii=False)


class _Loader(yaml.SafeLoader):
    """The safe loader, without repeated keys (the last would win silently) and without aliases."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.events.AliasEvent):
            message = "aliases (*name) are not used in scenarios: write it out"
            mark = self.peek_event().start_mark
            raise yaml.constructor.ConstructorError(None, None, message, mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> Dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                message = "a list or a mapping stands where a field's name belongs: write a name"
                raise yaml.constructor.ConstructorError(None, None, message, key.start_mark)
            if key.value in seen:
                message = f"'{show(key.value)}' is written twice in one mapping: keep one of them"
                raise yaml.constructor.ConstructorError(None, None, message, key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def read_text(path: Path, kind: str, limit: int = MAX_BYTES) -> str:
    """The UTF-8 text of a file of at most ``limit`` bytes; PPPError names what is wrong with it."""
    if path.is_dir():
        raise PPPError(f"{path}: is a folder, not a {kind}: name the file inside it")
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except FileNotFoundError:
        raise PPPError(f"{path}: no such {kind}: check the path{_neighbour(path)}") from None
    except (OSError, ValueError) as error:
        raise PPPError(f"{path}: cannot read this {kind}: {error}") from None
    if len(data) > limit:
        raise PPPError(f"{path}: larger than {limit // 1024} KiB, so not a {kind}: shorten it")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise PPPError(f"{path}: not UTF-8 text: save this {kind} as UTF-8") from None


def _neighbour(path: Path) -> str:
    """'; did you mean ...' when a file of a similar name lies beside the missing one."""
    try:
        names = [p.name for p in path.parent.iterdir() if p.is_file()]
    except OSError:
        return ""
    guess = nearest(path.name, names)
    return f"; did you mean {path.parent / guess}?" if guess else ""


def read_yaml(path: Path, kind: str) -> Any:
    """The data of a YAML file, safely loaded; PPPError for broken YAML, with its line."""
    text = read_text(path, kind)
    try:
        # _Loader is a SafeLoader: it builds plain data only
        return yaml.load(text, Loader=_Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise PPPError(f"{path}:{where} is not valid YAML: {show(problem, 200)}") from None
    except RecursionError:
        raise PPPError(f"{path}: is nested too deeply: a {kind} has a few levels only") from None
    except (ValueError, OverflowError) as error:
        raise PPPError(f"{path}: holds a number or a date that cannot be read "
                       f"({show(str(error), 80)}): correct it, or put text in quotes") from None


class Strict(BaseModel):
    """A frozen model that refuses unknown fields with the nearest right name."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _known_fields(cls, data: Any) -> Any:
        if isinstance(data, cls):
            return data
        if not isinstance(data, dict):
            raise ValueError(f"must be a mapping with the fields {_names(cls)}, not {show(data)}")
        for key in data:
            if key not in cls.model_fields:
                guess = nearest(show(key), cls.model_fields)
                hint = f"did you mean '{guess}'?" if guess else f"the fields are {_names(cls)}"
                raise ValueError(f"unknown field '{show(key)}': {hint}")
        return data


def _names(model: type) -> str:
    return ", ".join(model.model_fields)


def number(low: float, high: float, unit: str = "") -> Any:
    """The type of a finite number in ``low``..``high``; text and booleans are not numbers."""
    bounds = f"a number from {low:g} to {high:g}{' ' + unit if unit else ''}"

    def check(value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            kind = "the text " if isinstance(value, str) else ""
            raise ValueError(f"must be {bounds}, not {kind}{show(value)}")
        try:
            value = float(value)
        except OverflowError:
            value = math.inf
        if not math.isfinite(value) or not low <= value <= high:
            raise ValueError(f"must be {bounds}, not {value:g}")
        return value

    return Annotated[float, BeforeValidator(check)]


def words(limit: int, lines: bool = False) -> Any:
    """The type of a non-empty printable text of at most ``limit`` characters, stripped."""

    def check(value: Any) -> str:
        if not isinstance(value, str):
            raise ValueError(f"must be text, not {show(value)}: put it in quotes")
        text = " ".join(value.split()) if lines else value.strip()
        if not text:
            raise ValueError("is empty: write some text")
        if not text.isprintable():
            raise ValueError("holds a line break or a control character: write it on one line")
        if len(text) > limit:
            raise ValueError(f"has {len(text)} characters: shorten it to {limit}")
        return text

    return Annotated[str, BeforeValidator(check)]


_PLAIN = {
    "missing": "is missing: add it",
    "list_type": "must be a list, in [square brackets] or one '- ' per line",
    "too_short": "is empty: write at least one entry",
    "too_long": "has too many entries: shorten it to {max_length}",
}


def where(loc: Sequence[Union[int, str]]) -> str:
    """('objects', 1, 'size') as ``objects[1].size``."""
    text = ""
    for part in loc:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.lstrip(".")


def mistakes(error: ValidationError) -> List[Tuple[str, str]]:
    """(field, message) of every mistake, in the order of the file."""
    found = []
    for item in error.errors(include_url=False):
        plain = _PLAIN.get(item["type"])
        message = plain.format_map(item.get("ctx", {})) if plain else item["msg"]
        if message.startswith("Value error, "):
            message = message[len("Value error, ") :]
        found.append((where(item["loc"]), message))
    return found


def sentence(error: ValidationError) -> str:
    """The first mistake as ``field: message``, and how many more there are."""
    found = mistakes(error)
    field, message = found[0]
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return (f"{field}: " if field else "") + message + more
