"""From text to statements and declarations, line by line; nothing of a text is ever evaluated."""

import re

from unrolled.equations.expression import Name, Statement
from unrolled.equations.reader import Reader, check_name
from unrolled.equations.source import SPELLINGS, Declaration, EquationError, Source
from unrolled.errors import did_you_mean

LONGEST_LINE = 2_000
TITLES = ("cell", "source", "output")
"""Declarations of one text, as in ``output h``; the others give a name a value, as in ``constant gamma = 0.01``."""
DECLARATIONS = (*TITLES, "constant", "size", "heads", "initial", "start", "noise", "remembers")

_ASSIGNMENT = re.compile(r"\s*(?P<name>[^\W\d]\w*)(?P<prime>'?)\s*(?P<sign>\+?=)(?!=)(?P<expression>.*)", re.DOTALL)
_TITLE = re.compile(rf"\s*(?P<keyword>{'|'.join(TITLES)})\s+(?P<rest>[^\s=].*)")
_DECLARATION = re.compile(rf"\s*(?P<keyword>{'|'.join(DECLARATIONS[3:])})\s+(?P<rest>[^\s=+*/@'-].*)")


def parse(text: str) -> Source:
    """Read a cell's text: one declaration or assignment a line, ``#`` begins a comment (but in a ``source`` line).

    Raises:
        EquationError: a line is neither, with the line, the column and what would work; or no line is an equation.
    """
    declarations, statements = [], []
    lines = tuple(_plain(line) for line in text.splitlines())
    for number, line in enumerate(lines, 1):
        if len(line) > LONGEST_LINE:
            message = f"a line holds at most {LONGEST_LINE} characters, and this one {len(line)}; use several lines."
            raise EquationError(message, line=number)
        declared = _TITLE.match(line) or _DECLARATION.match(line)
        if declared:
            declarations.append(_declaration(declared, number, line))
        elif line.strip():
            statements.append(_statement(line, number))
    if not statements:
        raise EquationError("no equation in the text; write one a line, as in h' = tanh(W @ x + U @ h + b).")
    return Source(tuple(declarations), tuple(statements), lines)


def _plain(line: str) -> str:
    """The line without its comment, every kind of blank a plain one."""
    line = re.sub(r"\s", " ", line)
    title = _TITLE.match(line)
    return (line if title and title["keyword"] == "source" else line.partition("#")[0]).rstrip()


def _declaration(declared: re.Match[str], number: int, line: str) -> Declaration:
    keyword, rest, column = declared["keyword"], declared["rest"], declared.start("rest")
    if keyword in TITLES:
        return Declaration(keyword, keyword, rest.strip(), number, declared.start("keyword"), column)
    name, equals, value = (part.strip() for part in rest.partition("="))
    if not equals or not name or not value:
        message = f"'{keyword}' wants a name and a value: {keyword} NAME = VALUE."
        raise EquationError(message, line=number, text=line, column=declared.start("keyword"))
    value_column = column + rest.index("=") + 1
    return Declaration(keyword, name, value, number, column, value_column + line[value_column:].index(value))


def _statement(line: str, number: int) -> Statement:
    plain = line.translate(SPELLINGS)
    match = _ASSIGNMENT.fullmatch(plain)
    if match is None:
        first = plain.split()[0]
        hint = did_you_mean(first, DECLARATIONS) if first.isalpha() else ""
        message = f"this is no equation: write NAME = EXPRESSION or STATE' = EXPRESSION.{hint}"
        raise EquationError(message, line=number, text=line, column=0)
    if match["sign"] == "+=":
        message = "a quantity is assigned once, with =; += has no place here."
        raise EquationError(message, line=number, text=line, column=match.start("sign"))
    start = match.start("name")
    check_name(match["name"], number, line, start)
    target = Name(match["name"], bool(match["prime"]), start)
    return Statement(target, Reader(line, match.start("expression"), number).read(), number)
