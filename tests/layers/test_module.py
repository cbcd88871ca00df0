"""Recurrent among torch's tools: as a module, packed, parametrized, copied, differentiated by row, in other dtypes."""

import copy

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, stack_module_state, vmap
from torch.nn.utils import clip_grad_norm_, parameters_to_vector, vector_to_parameters
from torch.nn.utils.parametrizations import orthogonal, weight_norm
from torch.nn.utils.rnn import (
    PackedSequence,
    pack_padded_sequence,
    pack_sequence,
    pad_packed_sequence,
    pad_sequence,
    unpad_sequence,
)

from laws import assert_same
from layers.by_hand import batch, by_hand, perturbed, some_state
from tolerance import assert_close
from unrolled.cells.library import LIBRARY
from unrolled.layers.recurrent import Recurrent


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(7)


# Packed sequences


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("in_order", [True, False])
def test_a_packed_batch_equals_the_padded_one_with_lengths(in_order: bool, bidirectional: bool) -> None:
    layer = perturbed(Recurrent("lstm", 5, 7, 2, bidirectional=bidirectional))
    lengths = torch.tensor([9, 6, 2] if in_order else [2, 9, 6])
    x, state = batch(), some_state(layer)
    reset = torch.rand(3, 9) < 0.3
    padded = layer(x, state, lengths, reset, record=("i",))
    packed = layer(pack_padded_sequence(x, lengths, True, in_order), state, reset=reset, record=("i",))
    assert isinstance(packed.outputs, PackedSequence)
    outputs, again = pad_packed_sequence(packed.outputs, batch_first=True)
    assert torch.equal(again, lengths)
    assert_same({"outputs": outputs, **packed.state}, {"outputs": padded.outputs, **padded.state})
    assert_same(packed.recorded, padded.recorded)


def test_a_list_of_sequences_goes_in_and_comes_back() -> None:
    layer = perturbed(Recurrent("gru", 5, 7))
    rows = [torch.randn(length, 5) for length in (4, 1, 6)]
    lengths = torch.tensor([4, 1, 6])
    from_pack = layer(pack_sequence(rows, enforce_sorted=False)).outputs
    from_pad = layer(pad_sequence(rows, batch_first=True, padding_value=float("nan")), lengths=lengths).outputs
    assert isinstance(from_pack, PackedSequence)
    for one, other in zip(
        unpad_sequence(*pad_packed_sequence(from_pack, batch_first=True), batch_first=True),
        unpad_sequence(from_pad, lengths, batch_first=True),
        strict=True,
    ):
        assert torch.equal(one, other)


def test_gradients_pass_through_a_packed_batch() -> None:
    layer, x, lengths = perturbed(Recurrent("gru", 5, 7)), batch(), torch.tensor([2, 9, 6])
    found = []
    for given, more in ((pack_padded_sequence(x, lengths, True, False), {}), (x, {"lengths": lengths})):
        outputs = layer(given, **more).outputs
        values = pad_packed_sequence(outputs, True)[0] if isinstance(outputs, PackedSequence) else outputs
        found.append(torch.autograd.grad(values.pow(2).sum(), list(layer.parameters())))
    assert_same(dict(enumerate(found[0])), dict(enumerate(found[1])))


# Parametrized, copied, saved


@pytest.mark.parametrize("parametrize", [weight_norm, orthogonal])
def test_a_parametrized_matrix_is_used_and_trains(parametrize) -> None:
    layer, x = perturbed(Recurrent("elman", 5, 7)).double(), batch().double()
    parametrize(layer.layers[0][0], "U")
    before = layer.cell_parameters()["U"].detach().clone()
    assert_same({"outputs": layer(x).outputs}, {"outputs": by_hand(layer, "0.forward", x).outputs})
    optimizer = torch.optim.SGD(layer.parameters(), 0.1)
    losses = []
    for _ in range(5):
        optimizer.zero_grad()
        loss = layer(x).outputs.pow(2).mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]
    after = layer.cell_parameters()["U"].detach()
    assert not torch.equal(after, before)
    if parametrize is orthogonal:
        assert_close(after @ after.T, torch.eye(7, dtype=torch.float64), "orthogonal, identity")
    assert "U" not in dict(layer.layers[0][0].named_parameters(recurse=False))


def test_a_copy_is_equal_and_apart() -> None:
    layer, x = perturbed(Recurrent("lstm", 5, 7, 2, bidirectional=True, learn_initial_state=True)), batch()
    other = copy.deepcopy(layer)
    expected = layer(x).outputs.detach()
    assert torch.equal(other(x).outputs, expected)
    with torch.no_grad():
        for value in layer.parameters():
            value.zero_()
    assert torch.equal(other(x).outputs, expected)
    assert not torch.equal(layer(x).outputs, expected)


def test_state_dict_goes_into_another_layer_and_names_places_and_letters() -> None:
    layer, x = perturbed(Recurrent("gru", 5, [7, 4], 2, bidirectional=True)), batch()
    other = Recurrent("gru", 5, [7, 4], 2, bidirectional=True)
    saved = {name: value.clone() for name, value in layer.state_dict().items()}
    letters = ("W_r", "U_r", "b_r", "W_z", "U_z", "b_z", "W_h", "U_h", "b_h")
    assert set(saved) == {f"layers.{i}.{way}.{letter}" for i in (0, 1) for way in (0, 1) for letter in letters}
    assert not torch.equal(other(x).outputs, layer(x).outputs)
    other.load_state_dict(saved)
    assert torch.equal(other(x).outputs, layer(x).outputs)
    assert layer.cell_parameters(1, "reverse")["U_h"] is dict(layer.named_parameters())["layers.1.1.U_h"]
    with pytest.raises(RuntimeError, match="size mismatch for layers.1.0.W_r"):
        Recurrent("gru", 5, 7, 2, bidirectional=True).load_state_dict(saved)


def test_utilities_of_torch_see_every_parameter() -> None:
    layer, x = perturbed(Recurrent("lstm", 5, 7, 2)), batch()
    vector = parameters_to_vector(layer.parameters())
    assert vector.numel() == 4 * (7 * 5 + 7 * 7 + 7) + 4 * (7 * 7 + 7 * 7 + 7)
    (layer(x).outputs.sum() * 100.0).backward()
    clip_grad_norm_(layer.parameters(), 1.0)
    norm = torch.stack([value.grad.norm() for value in layer.parameters() if value.grad is not None]).norm()
    assert 0.99 < float(norm) <= 1.0
    expected = layer(x).outputs
    vector_to_parameters(vector.detach() + 0.1, layer.parameters())
    assert not torch.equal(layer(x).outputs, expected)


# By row and by ensemble


@pytest.mark.parametrize("name", ["unit", "lstm", "gru_reset_after", "slstm", "sru"])
def test_gradients_by_row_in_one_go_equal_one_by_one(name: str) -> None:
    layer, x = perturbed(Recurrent(name, 5, 7, 2, bidirectional=True)).double(), batch().double()
    parameters = {key: value.detach() for key, value in layer.named_parameters()}

    def loss(values: dict[str, Tensor], row: Tensor) -> Tensor:
        return functional_call(layer, values, (row.unsqueeze(0),)).outputs.pow(2).sum()

    together = vmap(grad(loss), in_dims=(None, 0))(parameters, x)
    for row in range(3):
        alone = torch.autograd.grad(layer(x[row : row + 1]).outputs.pow(2).sum(), list(layer.parameters()))
        # As one vector: a common shift of an sLSTM's gates changes nothing, so some of its gradients are roundings.
        in_one_go = parameters_to_vector([together[key][row] for key in parameters])
        assert_close(in_one_go, parameters_to_vector(alone), "derived, autograd")


def test_an_ensemble_runs_in_one_go() -> None:
    members, x = [perturbed(Recurrent("gru", 5, 7)).double() for _ in range(3)], batch().double()
    parameters, buffers = stack_module_state(members)

    def run(values: dict[str, Tensor]) -> Tensor:
        return functional_call(members[0], (values, buffers), (x,)).outputs

    for outputs, member in zip(vmap(run)(parameters), members, strict=True):
        assert_close(outputs, member(x).outputs, "loop, other batch")


# Dtypes


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize("name", LIBRARY)
def test_a_layer_runs_and_trains_in_its_dtype(name: str, dtype: torch.dtype) -> None:
    sizes = dict.fromkeys(LIBRARY[name].program.named_sizes, 3)
    layer = Recurrent(name, 5, 7, 2, bidirectional=True, sizes=sizes).to(dtype)
    x, lengths = batch().to(dtype), torch.tensor([9, 4, 0])
    outputs, state, recorded = layer(x, lengths=lengths, record=LIBRARY[name].quantities)
    assert {value.dtype for value in (outputs, *state.values(), *recorded.values())} == {dtype}
    outputs.sum().backward()
    for value in layer.parameters():
        assert value.grad is not None
        assert value.grad.dtype == dtype
        assert value.grad.isfinite().all()
    following = layer(x, state).outputs
    assert following.isfinite().all()


@pytest.mark.parametrize("name", ["lstm", "unit_linear"])
def test_a_layer_runs_under_autocast_from_window_to_window(name: str) -> None:
    """It computes what it computes without; the loop computes op by op, and there dtypes may differ between layers."""
    layer, x = perturbed(Recurrent(name, 5, 7, 2)), batch()
    exact = layer(x).outputs
    with torch.autocast("cpu", torch.bfloat16):
        first, state, _ = layer(x)
        second = layer(x, state).outputs
        hand = by_hand(layer, "1.forward", by_hand(layer, "0.forward", x, state).outputs, state)
        layer.backend = "loop"
        coarse, state, _ = layer(x)
        following = layer(x, state).outputs
    assert torch.equal(first, exact)
    assert torch.equal(second, hand.outputs)
    assert not torch.equal(coarse, exact)
    assert following.isfinite().all()


def test_a_layer_runs_without_gradients() -> None:
    layer, x = perturbed(Recurrent("lstm", 5, 7, 2)), batch()
    expected = layer(x).outputs
    assert expected.requires_grad
    with torch.inference_mode():
        assert torch.equal(layer(x).outputs, expected)
    frozen = layer.requires_grad_(False)(x).outputs
    assert not frozen.requires_grad
    assert torch.equal(frozen, expected)


def test_a_layer_stands_in_a_sequence_of_modules() -> None:
    class Last(nn.Module):
        def forward(self, result: tuple) -> Tensor:
            return result[0][:, -1]

    model = nn.Sequential(Recurrent("gru", 5, 7), Last(), nn.Linear(7, 2))
    assert model(batch()).shape == (3, 2)
    assert len(list(model.parameters())) == 9 + 2
