"""A cell's text as lines, and the error that shows one of them with the place marked."""

import re
from dataclasses import dataclass, field

from unrolled.equations.expression import Statement
from unrolled.errors import UsageError

# Every replacement is one character for one, so that a column of the parsed text is a column of the user's line.
SPELLINGS = str.maketrans({"∘": "*", "⊙": "*", "·": "*", "×": "*", "−": "-", "′": "'", "’": "'"})

TOKEN = re.compile(
    r"""(?P<blank>\s+) | (?P<transpose>\.\s*T\b) | (?P<number>([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?(?!\w))
      | (?P<name>[^\W\d]\w*'?) | (?P<operator>[-+*/@(),])""",
    re.VERBOSE,
)


class EquationError(UsageError):
    """A text that is no cell. The message is one line: where, what was seen (marked ``>>so<<``), what would work."""

    def __init__(self, message: str, *, line: int = 0, text: str = "", column: int | None = None) -> None:
        if column is not None:
            column += len(text[column:]) - len(text[column:].lstrip())
        self.line, self.column = line, None if column is None else column + 1
        where = f"line {line}" if line else "cell"
        if self.column is not None and text:
            where += f", column {self.column}"
            start = self.column - 1
            end = start + _width_at(text, start)
            text = f"{text[:start]}>>{text[start:end]}<<{text[end:]}"
        super().__init__(" ".join(f"{where}: {message}{' In: ' if text else ''}{text}".split()))


def _width_at(text: str, start: int) -> int:
    found = TOKEN.match(text.translate(SPELLINGS), start)
    return found.end() - start if found and found.lastgroup != "blank" else 1


@dataclass(frozen=True)
class Declaration:
    """A line that declares instead of computing: ``constant gamma = 0.01``."""

    keyword: str
    name: str
    value: str
    line: int
    column: int = field(compare=False, default=0)
    """Where the name stands, from 0."""
    value_column: int = field(compare=False, default=0)


@dataclass(frozen=True)
class Source:
    """A text as parsed: its declarations, its statements, and its lines (for error messages)."""

    declarations: tuple[Declaration, ...]
    statements: tuple[Statement, ...]
    lines: tuple[str, ...] = field(compare=False, default=())

    def error(self, message: str, line: int = 0, column: int | None = None) -> EquationError:
        """An error that shows a line of this text; ``column`` counts from 0."""
        text = self.lines[line - 1] if 0 < line <= len(self.lines) else ""
        return EquationError(message, line=line, text=text, column=column)

    def error_about(self, keyword: str, name: str, message: str) -> EquationError:
        """An error about something declared: it shows the line that declares it, where a line does."""
        for one in self.declarations:
            if (one.keyword, one.name) == (keyword, name):
                return self.error(message, one.line, one.column)
        return EquationError(message)
