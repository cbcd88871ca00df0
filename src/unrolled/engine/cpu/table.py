"""The table through which Python tells a kernel where everything lies: pointers, strides, sizes; a number a slot."""

from collections.abc import Iterator

from unrolled.engine.cpu.emit import I64, Body, Value, whole
from unrolled.equations.sizes import Size


class Slots:
    """Numbers the slots of a kernel's table in the order in which its code asks for them."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, ...], int] = {}

    def __getitem__(self, key: tuple[str, ...]) -> int:
        """The slot's number; a key that was never asked for gets the next one."""
        return self._numbers.setdefault(key, len(self._numbers))

    def __iter__(self) -> Iterator[tuple[str, ...]]:
        return iter(self._numbers)

    def __len__(self) -> int:
        return len(self._numbers)


class Table:
    """A kernel's table as a function sees it: each slot is read once, where the function begins."""

    def __init__(self, body: Body, slots: Slots, pointer: Value, element: Value) -> None:
        self.body, self.slots, self.pointer, self.element = body, slots, pointer, element
        self._read: dict[tuple[str, ...], Value] = {}
        self._entry = body.b.block

    def number(self, *key: str) -> Value:
        """A whole number: a stride, a size, a mask."""
        if key not in self._read:
            with self.body.b.goto_block(self._entry):
                self._read[key] = self.body.load(self.pointer, whole(self.slots[key]))
        return self._read[key]

    def base(self, array: str) -> Value:
        """A pointer to an array's first element."""
        key = ("pointer", array)
        if key not in self._read:
            address = self.number("base", array)
            with self.body.b.goto_block(self._entry):
                self._read[key] = self.body.b.inttoptr(address, self.element)
        return self._read[key]

    def indices(self, array: str) -> Value:
        """A pointer to an array of whole numbers."""
        key = ("indices", array)
        if key not in self._read:
            address = self.number("base", array)
            with self.body.b.goto_block(self._entry):
                self._read[key] = self.body.b.inttoptr(address, I64.as_pointer())
        return self._read[key]

    def units(self, size: Size) -> Value:
        """The units of a size."""
        return self.number("units", str(size))

    def blocks(self, size: Size) -> Value:
        """How many vectors hold the units of a size; an even number."""
        return self.number("blocks", str(size))
