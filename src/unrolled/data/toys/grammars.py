"""Toy tasks of grammars: what may come next in strings of Reber's grammar, in a^n b^n and a^n b^n c^n."""

from collections.abc import Callable, Sequence

import torch
from torch import Generator, Tensor

from unrolled.data.toys.toy import Batch, Toy, symbols

REBER = "BTPSXVE"
_ARCS: tuple[dict[str, int], ...] = (
    {"B": 1},
    {"T": 2, "P": 3},
    {"S": 2, "X": 4},
    {"T": 3, "V": 5},
    {"X": 3, "S": 6},
    {"P": 4, "V": 6},
    {"E": 7},
)
"""From each node of Reber's grammar (1967) the symbols that lead on, and where to; 7 is the end."""


class _Said:
    """A string in the making: each symbol, and which ones could have stood there."""

    def __init__(self) -> None:
        self.ids: list[int] = []
        self.allowed: list[set[int]] = []

    def say(self, symbol: str, alphabet: str, could: str = "") -> None:
        self.ids.append(alphabet.index(symbol))
        self.allowed.append({alphabet.index(one) for one in could or symbol})


def _embedded(said: _Said, generator: Generator) -> None:
    """B, T or P, a string of Reber's grammar, the same T or P again, E (Hochreiter & Schmidhuber 1997, figure 4)."""
    side = "TP"[_coin(generator)]
    said.say("B", REBER)
    said.say(side, REBER, "TP")
    node = 0
    while node < 7:
        arcs = _ARCS[node]
        symbol = list(arcs)[_coin(generator) if len(arcs) > 1 else 0]
        said.say(symbol, REBER, "".join(arcs))
        node = arcs[symbol]
    said.say(side, REBER)
    said.say("E", REBER)


def _coin(generator: Generator) -> int:
    return int(torch.randint(2, (), generator=generator))


def _reber(count: int, steps: int, generator: Generator) -> Batch:
    strings = []
    while len(strings) < count:
        said = _Said()
        _embedded(said, generator)
        if len(said.ids) <= steps + 1:
            strings.append(said)
    return _next_symbols(strings, len(REBER))


def _continual(count: int, steps: int, generator: Generator) -> Batch:
    strings = []
    for _ in range(count):
        said = _Said()
        while len(said.ids) <= steps:
            _embedded(said, generator)
        del said.ids[steps + 1 :], said.allowed[steps + 1 :]
        strings.append(said)
    return _next_symbols(strings, len(REBER))


def _counted(letters: str) -> Callable[[int, int, Generator], Batch]:
    alphabet = f"S{letters}T"

    def make(count: int, steps: int, generator: Generator) -> Batch:
        most = (steps - 1) // len(letters)
        strings = []
        for times in (1 + torch.randint(most, (count,), generator=generator)).tolist():
            said = _Said()
            said.say("S", alphabet)
            for place, letter in enumerate(letters):
                for number in range(times):
                    open_ended = place == 0 and number > 0  # only how many a there are is free
                    said.say(letter, alphabet, letters[:2] if open_ended else letter)
                    if place == 1 and number == 0:
                        said.allowed[-1] = {alphabet.index(one) for one in letters[:2]}
            said.say("T", alphabet)
            strings.append(said)
        return _next_symbols(strings, len(alphabet))

    return make


def _next_symbols(strings: Sequence[_Said], alphabet: int) -> Batch:
    """Each symbol is read, the next one is wanted."""
    lengths = torch.tensor([len(one.ids) - 1 for one in strings])
    steps = int(lengths.max())
    ids, targets = (
        torch.zeros(len(strings), steps, dtype=torch.long),
        torch.zeros(len(strings), steps, dtype=torch.long),
    )
    allowed = torch.zeros(len(strings), steps, alphabet, dtype=torch.bool)
    for row, one in enumerate(strings):
        count = len(one.ids) - 1
        ids[row, :count], targets[row, :count] = torch.tensor(one.ids[:-1]), torch.tensor(one.ids[1:])
        for step, could in enumerate(one.allowed[1:]):
            allowed[row, step, list(could)] = True
    counts: Tensor = torch.arange(steps) < lengths.unsqueeze(1)
    return Batch(symbols(ids, alphabet) * counts.unsqueeze(-1), targets, counts, lengths, allowed)


def _strings(letters: str, known: dict[str, str]) -> Toy:
    name = "-".join(f"{letter}n" for letter in letters)
    return Toy(
        name,
        f"what may come next in S {' '.join(f'{letter}^n' for letter in letters)} T, n from 1 on",
        "Gers & Schmidhuber 2001, LSTM recurrent networks learn simple context-free and context-sensitive languages",
        "class",
        len(letters) + 2,
        len(letters) + 2,
        _counted(letters),
        "accuracy",
        lambda steps: 1 / ((steps - 1) // len(letters)),
        0.99,
        known,
        shortest=len(letters) + 1,
    )


GRAMMARS = (
    Toy(
        "reber",
        "what may come next in strings of the embedded Reber grammar; the last symbol but one repeats the second",
        "Hochreiter & Schmidhuber 1997, section 5.1; Cleeremans, Servan-Schreiber & McClelland 1989",
        "class",
        7,
        7,
        _reber,
        "accuracy",
        lambda steps: 0.0,
        0.99,
        {"LSTM": "8,440 strings, 148 of 150 trials (Hochreiter & Schmidhuber 1997, table 1)"},
        shortest=8,
    ),
    Toy(
        "continual-reber",
        "what may come next in a stream of embedded Reber strings without a mark between them",
        "Gers, Schmidhuber & Cummins 2000, Learning to forget, section 4",
        "class",
        7,
        7,
        _continual,
        "accuracy",
        lambda steps: 0.0,
        0.99,
        shortest=8,
    ),
    _strings("ab", {"LSTM with peepholes, n up to 10": "right to n = 1000 (Gers & Schmidhuber 2001, table IV)"}),
    _strings("abc", {"LSTM with peepholes, n up to 40": "right to n = 500 (Gers & Schmidhuber 2001, table V)"}),
)
