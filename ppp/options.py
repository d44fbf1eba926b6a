"""A command's options from a dataclass: types are checked, ``--help`` comes from the fields."""
from __future__ import annotations

import dataclasses
import inspect
from typing import Any, List, Optional, Type, TypeVar

Options = TypeVar("Options")


def read_options(kind: Type[Options], argv: Optional[List[str]], command: str,
                 about: Optional[str] = None, default: Optional[Options] = None) -> Options:
    """The options that ``argv`` (None: the process's own) gives; ``--help`` prints and exits.

    about: what the command does; the docstring of ``kind`` without it. default: what holds where
    ``argv`` says nothing, the fields' own defaults without it. A wrong option is told with the
    nearest right one, and exits 2.
    """
    import tyro

    # what may be left out is left out: nobody has to type None
    return tyro.cli(kind, args=argv, prog=command, registry=_plain_help(),
                    config=(tyro.conf.DisallowNone,),
                    description=inspect.cleandoc(about or kind.__doc__ or ""),
                    **({} if default is None else {"default": default}))


def _plain_help() -> Any:
    """Rules for tyro: no "(default: None)", "(default: False)" or "(default: )", and no --no-x
    where x is off anyway.

    What holds without such an option, its own line says.
    """
    import tyro
    from typing_extensions import Annotated
    from tyro.constructors import ConstructorRegistry

    rules, silent = ConstructorRegistry(), tyro.conf.arg(help_behavior_hint="")
    asked: List[Any] = []  # this rule asks tyro's own, which would ask it again

    def plain(field: Any) -> Any:
        if field.default not in (None, (), []) and field.default is not False:
            return field
        kind = Annotated[field.type, silent, tyro.conf.FlagCreatePairsOff]
        return dataclasses.replace(field, type=kind)

    @rules.struct_rule
    def _(info: Any) -> Any:
        if asked or not dataclasses.is_dataclass(info.type):
            return None
        asked.append(info)
        try:
            spec = ConstructorRegistry.get_struct_spec(info)
        finally:
            asked.pop()
        return dataclasses.replace(spec, fields=tuple(map(plain, spec.fields)))

    return rules
