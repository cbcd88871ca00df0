"""How parameters begin: what each scheme promises, which parameter gets which, and chrono's distribution."""

import math

import pytest
import torch
from torch import Tensor

from tolerance import assert_close
from unrolled.cells.library import LIBRARY
from unrolled.equations.cell import Cell
from unrolled.equations.rewrite import layer_norm
from unrolled.errors import UsageError
from unrolled.layers.initialise import SCHEMES, initialise
from unrolled.layers.recurrent import Recurrent


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(11)


def begun(cell: Cell, inputs: int, hidden: int, chrono: float | None = None, **sizes: int) -> dict[str, Tensor]:
    """The parameters of a cell as they begin, from NaN."""
    shapes = cell.parameters(inputs, hidden, **sizes)
    parameters = {name: torch.full(shape.shape, math.nan, dtype=torch.float64) for name, shape in shapes.items()}
    initialise(cell, shapes, parameters, chrono)
    return parameters


def assert_orthogonal(matrix: Tensor) -> None:
    """Rows (or columns, where they are fewer) of length 1, at right angles."""
    product = matrix @ matrix.T if matrix.shape[0] <= matrix.shape[1] else matrix.T @ matrix
    assert_close(product, torch.eye(len(product), dtype=matrix.dtype), "orthogonal, identity")


@pytest.mark.parametrize("name", LIBRARY)
def test_recurrent_matrices_begin_orthogonal_input_matrices_glorot_vectors_zero(name: str) -> None:
    cell = LIBRARY[name]
    sizes = dict.fromkeys(cell.program.named_sizes, 4)
    shapes = cell.parameters(5, 7, **sizes)
    for parameter, value in begun(cell, 5, 7, **sizes).items():
        assert value.isfinite().all(), f"{parameter} was left as it was"
        if parameter in cell.initial:
            continue
        if value.dim() == 1:
            assert not value.any()
        elif shapes[parameter].recurrent:
            assert_orthogonal(value)
        else:
            assert_glorot(value)


def assert_glorot(matrix: Tensor) -> None:
    """Within sqrt(6 / (in + out)), and near that bound somewhere."""
    bound = math.sqrt(6.0 / sum(matrix.shape))
    assert 0.5 * bound < float(matrix.abs().max()) <= bound


def test_what_is_orthogonal_is_so_in_every_block() -> None:
    blocks = begun(LIBRARY["slstm"].replaced("blocks", heads=3), 5, 12)["R_i"]
    assert blocks.shape == (3, 4, 4)
    for block in blocks:
        assert_orthogonal(block)
    assert not torch.equal(blocks[0], blocks[1])


def test_glorot_knows_the_size_of_a_block() -> None:
    cell = LIBRARY["slstm"].replaced("blocks", heads={"W_i": 2}, initial={})
    blocks = begun(cell, 40, 40)["W_i"]
    assert blocks.shape == (2, 20, 20)
    for block in blocks:
        assert_glorot(block)


@pytest.mark.parametrize(
    ("name", "parameter", "number"),
    [("lstm", "b_f", 1.0), ("lstm", "b_i", 0.0), ("gru", "b_z", 1.0), ("gru_new", "b_z", -1.0), ("rhn", "b_t2", -2.0)],
)
def test_a_bias_begins_as_its_cell_says(name: str, parameter: str, number: float) -> None:
    value = begun(LIBRARY[name], 3, 4)[parameter]
    assert value.tolist() == [number] * 4


def test_gains_of_a_norm_begin_at_one() -> None:
    parameters = begun(layer_norm(LIBRARY["gru"]), 3, 4)
    gains = [value for name, value in parameters.items() if name.startswith("gain")]
    assert len(gains) == 3
    assert all(gain.tolist() == [1.0] * 4 for gain in gains)


def test_schemes_of_ones_own() -> None:
    text = "h' = tanh(W @ x + U @ h + v * h + w * h + b)"
    initial = {"W": "normal", "U": "identity", "v": "uniform", "w": "normal", "b": 0.25}
    found = begun(Cell("own", text, initial=initial), 400, 300)
    assert torch.equal(found["U"], torch.eye(300, dtype=torch.float64))
    assert found["b"].tolist() == [0.25] * 300
    assert 0.045 < float(found["W"].std()) < 0.055  # 1 / sqrt(400) = 0.05
    assert 0.0 <= float(found["v"].min()) < 0.1
    assert 0.9 < float(found["v"].max()) <= 1.0
    assert 0.0 < float(found["w"].abs().max()) < 6.0 / math.sqrt(300)


def test_a_layer_draws_every_parameter_and_a_seed_repeats_it() -> None:
    torch.manual_seed(1)
    layer = Recurrent("gru", 3, 4, 2, bidirectional=True, learn_initial_state=True)
    made = {name: value.clone() for name, value in layer.state_dict().items()}
    with torch.no_grad():
        for value in layer.parameters():
            value.fill_(math.nan)
    layer.reset_parameters()
    assert all(value.isfinite().all() for value in layer.parameters())
    assert not torch.equal(layer.state_dict()["layers.1.1.U_r"], made["layers.1.1.U_r"])
    torch.manual_seed(1)
    layer.reset_parameters()
    assert all(torch.equal(value, made[name]) for name, value in layer.state_dict().items())


# Chrono: Tallec & Ollivier 2018, eq. 16


@pytest.mark.parametrize("name", [name for name, cell in LIBRARY.items() if cell.remembers])
def test_chrono_biases_are_the_logarithm_of_one_draw_between_1_and_the_longest_less_1(name: str) -> None:
    cell, longest, units = LIBRARY[name], 30.0, 20_000
    drawn = begun(Cell("biases", _biases_alone(cell), remembers=cell.remembers), 1, units, longest)
    logs = [sign * drawn[bias] for bias, sign in cell.remembers.items()]
    assert all(torch.equal(one, logs[0]) for one in logs)
    ordered = torch.exp(logs[0]).sort().values
    assert float(logs[0].min()) >= 0.0
    assert float(logs[0].max()) <= math.log(longest - 1.0)
    uniform = (ordered - 1.0) / (longest - 2.0)
    rank = (torch.arange(units, dtype=torch.float64) + 0.5) / units
    assert float((uniform - rank).abs().max()) < 1.95 / math.sqrt(units)  # Kolmogorov-Smirnov, one in a thousand


def _biases_alone(cell: Cell) -> str:
    """A text with the cell's memory biases and no matrix, so that many units are cheap."""
    return "h' = tanh(w * h" + "".join(f" + {bias}" for bias in cell.remembers) + ")"


def test_chrono_leaves_the_other_parameters_alone_and_layers_apart() -> None:
    layer = Recurrent("lstm", 3, 64, 2, bidirectional=True, chrono=50)
    biases = [layer.cell_parameters(at, way) for at in (0, 1) for way in ("forward", "reverse")]
    for one in biases:
        assert torch.equal(one["b_f"], -one["b_i"])
        assert float(one["b_f"].detach().min()) >= 0.0
        assert float(one["b_f"].detach().max()) <= math.log(49.0)
        assert not one["b_o"].any()
        assert not one["b_g"].any()
    assert len({tuple(one["b_f"].tolist()) for one in biases}) == 4


# What is refused


@pytest.mark.parametrize(
    ("initial", "message"),
    [
        ({"U": "orthogonl"}, "initial 'U': there is no scheme 'orthogonl'. Did you mean 'orthogonal'"),
        ({"b": "orthogonal"}, "the scheme 'orthogonal' is for matrices, and 'b' is a vector"),
        ({"b": "glorot"}, "is for matrices"),
        ({"b": "identity"}, "is for matrices"),
    ],
)
def test_a_scheme_that_does_not_fit(initial: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        begun(LIBRARY["elman"].replaced("e", initial=initial), 3, 4)


@pytest.mark.parametrize(
    ("name", "longest", "message"),
    [
        ("elman", 20, "wants a cell that says which biases remember, and elman says none"),
        ("lstm", 2, "the longest dependency in steps, at least 3, and is 2"),
    ],
)
def test_chrono_that_does_not_fit(name: str, longest: float, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Recurrent(name, 3, 4, chrono=longest)


def test_every_scheme_is_tried_above() -> None:
    assert set(SCHEMES) == {"orthogonal", "glorot", "identity", "normal", "uniform"}
