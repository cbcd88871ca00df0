"""What a cell declares beside its equations, by lines of its text or by keyword arguments: read and checked."""

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from unrolled.equations.noise import Noise
from unrolled.equations.reader import check_name
from unrolled.equations.source import EquationError, Source

_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")


def titles(source: Source) -> dict[str, str]:
    """What the lines ``cell``, ``source`` and ``output`` say, each of which a text has once."""
    said: dict[str, str] = {}
    for one in source.declarations:
        if one.keyword in _GROUPS:
            continue
        if one.keyword in said:
            raise source.error(f"a text has one line '{one.keyword} …', and this is a second.", one.line, one.column)
        said[one.keyword] = one.value
    return said


def groups(source: Source, arguments: Mapping[str, Mapping[str, Any] | None]) -> dict[str, dict[str, Any]]:
    """The declared values by keyword and name; a keyword argument wins over a line.

    Args:
        source: The parsed text.
        arguments: By keyword (``constant``, ``size``, ``heads``, ``initial``, ``start``, ``noise``, ``remembers``).

    Raises:
        EquationError: a name declared twice, a name that cannot be one, a value that does not suit its keyword.
    """
    found: dict[str, dict[str, Any]] = {keyword: {} for keyword in _GROUPS}
    for one in source.declarations:
        if one.keyword not in _GROUPS:
            continue
        if one.name in found[one.keyword]:
            raise source.error(f"'{one.keyword} {one.name}' is declared a second time.", one.line, one.column)
        if one.keyword in ("constant", "noise"):
            check_name(one.name, one.line, source.lines[one.line - 1], one.column)
        try:
            found[one.keyword][one.name] = _GROUPS[one.keyword](_read(one.value))
        except ValueError as error:
            raise source.error(f"{one.keyword} '{one.name}': {error}.", one.line, one.value_column) from None
    for keyword, values in arguments.items():
        found[keyword] |= dict(_checked(keyword, name, value) for name, value in _items(keyword, values))
    for name in (*found["constant"], *found["noise"]):
        if name == "x" or (name in found["constant"] and name in found["noise"]):
            keyword, other = ("noise", "a constant") if name in found["noise"] else ("constant", "the input")
            message = f"'{name}' is {'the input' if name == 'x' else other} already; a {keyword} needs another name."
            raise source.error_about(keyword, name, message)
    return found


def _items(keyword: str, values: Any) -> list[tuple[Any, Any]]:
    if values is None:
        return []
    if not isinstance(values, Mapping):
        raise EquationError(f"{keyword}: a mapping of names to values is wanted, as in {{'b': 1}}, not {values!r}.")
    return list(values.items())


def _checked(keyword: str, name: Any, value: Any) -> tuple[str, Any]:
    if not isinstance(name, str):
        raise EquationError(f"{keyword} {name!r}: a name is wanted there, as text.")
    if keyword in ("constant", "noise"):
        check_name(name)
    try:
        return name, _GROUPS[keyword](value)
    except ValueError as error:
        raise EquationError(f"{keyword} '{name}': {error}.") from None


def _read(text: str) -> float | str:
    """A number where the text is one, else the text."""
    return float(text) if _NUMBER.fullmatch(text) else text


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{_shown(value)} is no number; write one such as 0.5 or 1e-3")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ValueError(f"{number} is no finite number")
    return number


def _whole(value: object) -> int:
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else 0
    if number < 1 or number != number // 1 or number >= 2**53:  # from there on a text's numbers are not exact
        raise ValueError(f"{_shown(value)} is no whole number from 1 on")
    return int(number)


def _number_or_name(value: object) -> float | str:
    return value if isinstance(value, str) and _is_name(value) else _number(value)


def _size(value: object) -> int | str:
    return value if isinstance(value, str) and _is_name(value) else _whole(value)


def _noise(value: object) -> Noise:
    return value if isinstance(value, Noise) else Noise.parse(str(value))


def _is_name(value: str) -> bool:
    return value.isascii() and value.isidentifier() and value.lower() not in ("nan", "inf", "infinity")


def _shown(value: object) -> str:
    return f"'{value}'" if isinstance(value, str) else f"{value:g}" if isinstance(value, float) else repr(value)


_GROUPS: dict[str, Callable[[object], Any]] = {
    "constant": _number,
    "size": _size,
    "heads": _whole,
    "initial": _number_or_name,
    "start": _number_or_name,
    "noise": _noise,
    "remembers": _number,
}
