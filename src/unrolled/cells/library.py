"""The library's index: every cell by name, and a cell for whatever a user names one by."""

from pathlib import Path

from unrolled.cells import dynamics, elman, gru, lstm
from unrolled.equations.cell import Cell
from unrolled.errors import UsageError, did_you_mean

LIBRARY: dict[str, Cell] = {
    value.name: value
    for family in (elman, lstm, gru, dynamics)
    for value in vars(family).values()
    if isinstance(value, Cell)
}
"""Every cell of the library by its name, families in order."""


def find_cell(named: str | Path | Cell) -> Cell:
    """The cell that is meant: a Cell itself, the name of one in the library, or a text file of equations.

    Raises:
        UsageError: the library has no such name and there is no such file; EquationError: the file is no cell.
    """
    if isinstance(named, Cell):
        return named
    if str(named) in LIBRARY:
        return LIBRARY[str(named)]
    path = Path(named)
    try:
        return Cell.from_text(path.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is no text of equations: byte {error.start} is not UTF-8.") from None
    except (IsADirectoryError, PermissionError) as error:
        raise UsageError(f"{path} is no file of equations to read: {error.strerror}.") from None
    except (OSError, ValueError):  # no such file, or nothing that could name one
        pass
    near = did_you_mean(str(named), LIBRARY)
    raise UsageError(
        f"there is no cell '{named}', neither in the library nor as a file.{near} 'unrolled cells' lists them."
    )
