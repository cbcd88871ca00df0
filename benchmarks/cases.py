"""What is measured: the cells, the grid of shapes, the flops of a run, and the tensors that every contender gets."""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from unrolled.cells.library import LIBRARY
from unrolled.equations.cell import Cell
from unrolled.equations.expression import Call, walk
from unrolled.equations.rewrite import layer_norm
from unrolled.layers.recurrent import Recurrent

CELLS: dict[str, Cell] = {
    "lstm": LIBRARY["lstm"],
    "lstm_peephole": LIBRARY["lstm_peephole"],
    "lstm_layer_norm": layer_norm(LIBRARY["lstm"]),
    "gru_reset_after": LIBRARY["gru_reset_after"],
    "gru": LIBRARY["gru"],
    "elman": LIBRARY["elman"],
    "mgu": LIBRARY["mgu"],
    "indrnn": LIBRARY["indrnn"],
    "mingru": LIBRARY["mingru"],
    "slstm": LIBRARY["slstm"],
}
MODES = ("train", "infer")
"""train: forward and backward, with the gradients of x and of every parameter; infer: forward in inference mode."""

Shape = tuple[int, int, int, int]
"""T, N, D, H."""

SHAPES: tuple[Shape, ...] = (
    (100, 1, 64, 64),
    (100, 1, 128, 128),
    (100, 1, 256, 256),
    (100, 16, 128, 128),
    (100, 32, 64, 64),
    (100, 64, 128, 128),
    (100, 32, 256, 256),
    (100, 20, 256, 256),
    (35, 20, 650, 650),
    (100, 64, 512, 512),
    (50, 32, 1024, 1024),
    (1000, 1, 128, 128),
    (1000, 16, 32, 32),
    (5000, 4, 64, 64),
)
QUICK_SHAPES: tuple[Shape, ...] = ((100, 1, 128, 128), (100, 16, 128, 128), (100, 32, 256, 256), (1000, 16, 32, 32))
QUICK_CELLS = ("lstm", "gru_reset_after", "gru", "elman")


@dataclass(frozen=True)
class Case:
    """One row of a table but for the mode: a cell of CELLS and the sizes."""

    cell: str
    T: int
    N: int
    D: int
    H: int

    @property
    def name(self) -> str:
        """The case in a line."""
        return f"{self.cell} T={self.T} N={self.N} D={self.D} H={self.H}"

    def flops(self, mode: str) -> int:
        """Multiplications and additions of the cell's matrix products; training counts three times the forward."""
        return 2 * self.N * self.T * product_size(CELLS[self.cell], self.D, self.H) * (3 if mode == "train" else 1)


def product_size(cell: Cell, input_size: int, hidden_size: int) -> int:
    """The numbers in the matrices of one step, each counted as often as the equations multiply with it."""
    shapes = cell.parameters(input_size, hidden_size)
    total = 0
    for statement in cell.statements:
        for part in walk(statement.expression):
            if isinstance(part, Call) and part.op == "matmul":
                matrix = part.arguments[0]
                name = matrix.arguments[0] if isinstance(matrix, Call) else matrix  # A.T is a call on A
                total += shapes[str(name)].numbers
    return total


class Problem:
    """The tensors of a case: a layer with drawn parameters, an input, and the gradient that arrives at its outputs."""

    def __init__(self, case: Case, seed: int, backend: str = "auto") -> None:
        self.case = case
        generator = torch.Generator().manual_seed(seed)
        with torch.random.fork_rng([]):
            torch.manual_seed(seed)
            self.layer = Recurrent(CELLS[case.cell], case.D, case.H, backend=backend)
        with torch.no_grad():
            for parameter in self.layer.parameters():
                if parameter.dim() == 1 and bool((parameter == parameter[0]).all()):  # a bias all alike hides mix-ups
                    parameter += 0.1 * torch.randn(parameter.shape, generator=generator)
        self.x = torch.randn(case.N, case.T, case.D, generator=generator)  # (N, T, D)
        self.dy = torch.randn(case.N, case.T, case.H, generator=generator)  # (N, T, H)

    @property
    def parameters(self) -> dict[str, Tensor]:
        """The layer's parameters by the equations' names, cut from its graph."""
        return {name: value.detach() for name, value in self.layer.cell_parameters().items()}

    @cached_property
    def x_by_time(self) -> Tensor:
        """The input in memory as peers like it best, (T, N, D)."""
        return self.x.transpose(0, 1).contiguous()

    @cached_property
    def dy_by_time(self) -> Tensor:
        """The outputs' gradient, (T, N, H)."""
        return self.dy.transpose(0, 1).contiguous()
