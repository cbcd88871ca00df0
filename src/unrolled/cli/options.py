"""Command-line options made from the fields of a configuration."""

import inspect
import types
from collections.abc import Callable, Collection, Mapping
from typing import Annotated, Any, Union, get_args, get_origin

import typer
from pydantic.fields import FieldInfo

from unrolled.errors import UsageError


def with_settings(
    fields: Mapping[str, FieldInfo], hidden: Collection[str] = ()
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A decorator: the command gets an option for every field, and receives those given as ``settings``.

    Its own parameters that are ``hidden`` are no options, and keep their defaults.
    """

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        own = [one for one in inspect.signature(command).parameters.values() if one.name not in ("settings", *hidden)]
        options = [_option(name, field) for name, field in fields.items()]

        def run(**arguments: Any) -> Any:
            given = {name: arguments.pop(name) for name in fields}
            settings = {name: _plain(name, value) for name, value in given.items() if value not in (None, [])}
            return command(**arguments, settings=settings)

        run.__name__, run.__doc__ = command.__name__, command.__doc__
        run.__signature__ = inspect.Signature(own + options)  # pyright: ignore[reportFunctionMemberAccess]
        return run

    return decorate


def _option(name: str, field: FieldInfo) -> inspect.Parameter:
    kind, flag = _without_none(field.annotation), flag_of(name)
    default = "" if field.default in (None, {}, False) else f" Default: {field.default}."
    if get_origin(kind) is dict:
        kind, flag = list[str], "--size"
    option = typer.Option(
        f"{flag}/--no-{name.replace('_', '-')}" if kind is bool else flag,
        help=f"{field.description}.{default}",
        show_default=False,
        rich_help_panel="Settings",
    )
    annotation = Annotated[kind | None, option]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def flag_of(name: str) -> str:
    """``--top-k`` for ``top_k``."""
    return f"--{name.replace('_', '-')}"


def _without_none(annotation: Any) -> Any:
    if get_origin(annotation) in (Union, types.UnionType):
        return next(part for part in get_args(annotation) if part is not type(None))
    return annotation


def _plain(name: str, value: Any) -> Any:
    return pairs(value) if name == "sizes" else value


def pairs(words: list[str]) -> Mapping[str, int]:
    """``["projection=64"]`` as ``{"projection": 64}``."""
    pairs = {}
    for word in words:
        key, _, number = word.partition("=")
        if not number.isdecimal():
            raise UsageError(f"--size wants NAME=UNITS, as in projection=64, and is {word!r}.")
        pairs[key] = int(number)
    return pairs
