"""The contract, written once: what every cell does on every backend. A law takes a case, raises where it is broken."""

from collections.abc import Callable, Mapping
from itertools import pairwise

import torch
from torch import Tensor
from torch.autograd import gradcheck, gradgradcheck

from engine.cases import Case, gradients, make_case, parts, ragged, valid_steps, weights_like
from engine.evaluate import distance_to_kinks, evaluate, values_over_time
from tolerance import TOLERANCE, assert_close
from unrolled.engine.scan import Scanned
from unrolled.equations.expression import Call, Expression, Statement, transform
from unrolled.layers.recurrent import Recurrent


def assert_same(actual: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> None:
    """Raise unless all tensors are equal, bit by bit."""
    assert list(actual) == list(expected)
    for name, value in actual.items():
        torch.testing.assert_close(value, expected[name], rtol=0.0, atol=0.0, msg=lambda text, n=name: f"{n}: {text}")


def assert_near(actual: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> None:
    """Raise unless all tensors agree to what another batch may change."""
    assert list(actual) == list(expected)
    for name, value in actual.items():
        single = ", float32" * (value.dtype == torch.float32)
        assert_close(value, expected[name], f"loop, other batch{single}")


# One run and its parts


def law_pieces_with_carried_state_equal_one_run(case: Case) -> None:
    for one in (case, ragged(case)):
        whole, last = one.scan(), one.x.shape[1]
        for cuts in ((1, min(4, last)), range(1, last)):
            results, state = [], one.state
            for start, stop in pairwise((0, *cuts, last)):
                results.append(one.steps(start, stop).but(state=state).scan())
                state = results[-1].state
            in_time = {"outputs": torch.cat([result.outputs for result in results], 1)}
            for name in one.cell.quantities:
                in_time[f"recorded {name}"] = torch.cat([result.recorded[name] for result in results], 1)
            assert_same({**parts(results[-1]), **in_time}, parts(whole))


def law_a_ragged_row_equals_the_row_cut_to_its_length(case: Case) -> None:
    one = ragged(case)
    assert one.lengths is not None
    whole = one.scan()
    for row, length in enumerate(one.lengths.tolist()):
        cut = one.steps(0, length).but(lengths=None).scan()
        assert_same({n: value[row] for n, value in whole.state.items()}, {n: v[row] for n, v in cut.state.items()})
        for value, short in zip(_in_time(whole), _in_time(cut), strict=True):
            padded = torch.zeros_like(value[row])
            padded[:length] = short[row]
            assert_same({"row": value[row]}, {"row": padded})


def law_a_row_does_not_see_its_batch(case: Case) -> None:
    for one in (case, ragged(case)):
        whole, rows = parts(one.scan()), one.x.shape[0]
        alone = [parts(one.rows(torch.tensor([row])).scan()) for row in range(rows)]
        assert_near({name: torch.cat([row[name] for row in alone]) for name in whole}, whole)


def law_order_of_rows_is_irrelevant(case: Case) -> None:
    for one in (case, ragged(case)):
        order = torch.arange(one.x.shape[0]).flip(0)
        turned = parts(one.rows(order).scan())
        assert_near({name: value[order] for name, value in turned.items()}, parts(one.scan()))


def law_padding_changes_no_number(case: Case) -> None:
    one = ragged(case)
    padding = ~valid_steps(one)
    assert one.reset is not None
    clean = one.but(x=one.x.masked_fill(padding.unsqueeze(-1), 0.0), reset=one.reset & ~padding)
    expected, wanted = parts(clean.scan()), gradients(clean)
    for number in (float("nan"), float("inf")):
        spoilt = clean.but(x=one.x.masked_fill(padding.unsqueeze(-1), number), reset=clean.reset | padding)
        assert_same(parts(spoilt.scan()), expected)
        assert_same(gradients(spoilt), wanted)
    assert not wanted["x"][padding].any()
    assert all(value.isfinite().all() for value in wanted.values())


def law_no_length_gives_zeros_and_hands_the_state_through(case: Case) -> None:
    rows = case.x.shape[0]
    nothing = case.but(lengths=torch.zeros(rows, dtype=torch.long))
    assert case.state is not None
    result = nothing.scan()
    assert_same(result.state, {name: case.state[name] for name in result.state})
    for value in _in_time(result):
        assert_same({"over time": value}, {"over time": torch.zeros_like(value)})
    fresh = nothing.but(state=None).scan().state
    assert_same(fresh, {name: case.start(name).expand_as(value) for name, value in fresh.items()})
    for name, arrived in gradients(nothing).items():
        if name.startswith("state "):
            assert_same({name: arrived}, {name: weights_like(arrived)})


def law_lengths_come_in_any_whole_dtype(case: Case) -> None:
    one = ragged(case)
    assert one.lengths is not None
    expected = parts(one.scan())
    for dtype in (torch.int8, torch.int32, torch.uint8, torch.uint64):
        assert_same(parts(one.but(lengths=one.lengths.to(dtype)).scan()), expected)


# Resets


def law_a_reset_parts_a_run_in_two(case: Case) -> None:
    rows, last = case.x.shape[:2]
    middle = last // 2
    reset = torch.zeros(rows, last, dtype=torch.bool)
    reset[0, middle] = True
    result, without = case.but(reset=reset).scan(), case.scan()
    first, second = case.steps(0, middle).scan(), case.steps(middle, last).but(state=None).scan()
    expected = {name: torch.cat([second.state[name][:1], without.state[name][1:]]) for name in result.state}
    assert_same(result.state, expected)
    for value, *others in zip(_in_time(result), _in_time(first), _in_time(second), _in_time(without), strict=True):
        before, after, whole = others
        assert_same({"row 0": value[0]}, {"row 0": torch.cat([before[0], after[0]])})
        assert_same({"others": value[1:]}, {"others": whole[1:]})


def law_a_reset_at_the_first_step_ignores_the_given_state(case: Case) -> None:
    reset = torch.zeros(case.x.shape[:2], dtype=torch.bool)
    reset[:, 0] = True
    assert_same(parts(case.but(reset=reset).scan()), parts(case.but(state=None).scan()))


def law_no_gradient_crosses_a_reset(case: Case) -> None:
    middle = case.x.shape[1] // 2
    reset = torch.zeros(case.x.shape[:2], dtype=torch.bool)
    reset[:, middle] = True
    for marks, crosses in ((reset, False), (None, True)):
        x = case.x.clone().requires_grad_()
        assert case.state is not None
        state = {name: value.clone().requires_grad_() for name, value in case.state.items()}
        outputs = case.but(x=x, state=state, reset=marks).scan().outputs[:, middle:]
        d_x, *d_state = torch.autograd.grad((outputs * weights_like(outputs)).sum(), [x, *state.values()])
        assert d_x[:, middle:].any()
        assert bool(d_x[:, :middle].any()) == crosses
        assert any(bool(value.any()) for value in d_state) == crosses


# What is computed


def law_every_unit_of_every_state_matters(case: Case) -> None:
    rows = case.x.shape[0]
    assert case.state is not None
    for name, value in case.state.items():
        units = value.shape[1]
        many = case.rows(torch.arange(rows).repeat(1 + units))
        assert many.state is not None
        shift = torch.cat([torch.zeros(1, units), torch.eye(units)]).to(value).repeat_interleave(rows, 0)
        moved = many.but(state={**many.state, name: many.state[name] + 3.0 * shift}).scan().outputs
        plain, others = moved.unflatten(0, (1 + units, rows)).split([1, units])
        farthest = (others - plain).abs().amax((1, 2, 3))
        assert farthest.min() > 1e-6, f"unit {int(farthest.argmin())} of the state {name} changes no output"


def law_recorded_quantities_satisfy_the_equations(case: Case) -> None:
    for one in (case, ragged(case)):
        result, valid = one.scan(), valid_steps(one)
        values = values_over_time(one, result)
        for statement in one.cell.statements:
            name = statement.target.name
            mine = evaluate(statement.expression, values).expand_as(result.recorded[name])
            assert_near({name: result.recorded[name][valid]}, {name: mine[valid]})
        assert_same({"output": result.recorded[one.cell.output]}, {"output": result.outputs})
        for row in valid.any(1).nonzero().flatten().tolist():
            end = int(valid[row].sum()) - 1
            last = {name: result.recorded[name][row, end] for name in result.state}
            assert_same({name: value[row] for name, value in result.state.items()}, last)


# Gradients


def law_gradients_equal_differences(case: Case) -> None:
    """The gradients of a ragged run with resets, and those of a dense run's gradients, against central differences."""
    near = TOLERANCE["autograd, differences"].relative
    run, inputs = _as_function(_away_from_kinks(lambda seed: ragged(tiny_case(case, seed, steps=3))))
    gradcheck(run, inputs, rtol=near, atol=near, fast_mode=True)
    dense, inputs = _as_function(_away_from_kinks(lambda seed: tiny_case(case, seed, steps=2)))

    def loss(*values: Tensor) -> Tensor:
        return torch.stack([(value * weights_like(value)).sum() for value in dense(*values)]).sum()

    gradgradcheck(loss, inputs, rtol=near, atol=near, fast_mode=True, check_undefined_grad=False)


def tiny_case(case: Case, seed: int, steps: int) -> Case:
    return make_case(case.cell, case.backend, rows=2, steps=steps, inputs=2, hidden=2, seed=seed)


def _away_from_kinks(make: Callable[[int], Case]) -> Case:
    """The first case that stays clear of points where a derivative jumps, and differences mean nothing."""
    for seed in range(100):
        case = make(seed)
        if distance_to_kinks(case) > 1e-3:
            return case
    raise AssertionError("every point tried lies at a kink")


def _as_function(case: Case) -> tuple[Callable[..., tuple[Tensor, ...]], list[Tensor]]:
    """A scan as a function of parameters, input and state to everything that it gives, and where to ask for it."""
    names, states = list(case.parameters), list(case.state or {})
    values = (*case.parameters.values(), case.x, *(case.state or {}).values())

    def run(*values: Tensor) -> tuple[Tensor, ...]:
        parameters = dict(zip(names, values, strict=False))
        state = dict(zip(states, values[len(names) + 1 :], strict=True))
        return tuple(parts(case.but(parameters=parameters, x=values[len(names)], state=state).scan()).values())

    return run, [value.clone().requires_grad_() for value in values]


def law_a_step_passes_gradients_straight_through(case: Case) -> None:
    """``step`` has no numerical derivative; its gradient is what comes where the step is left out."""

    def without(part: Expression) -> Expression:
        return part.arguments[0] if isinstance(part, Call) and part.op == "step" else part

    lines = [str(Statement(one.target, transform(one.expression, without))) for one in case.cell.statements]
    smooth = case.but(cell=case.cell.replaced("smooth", "\n".join(lines)))
    assert_same(gradients(case), gradients(smooth))
    outputs = case.scan().outputs
    assert_same({"hard": outputs}, {"hard": (smooth.scan().outputs > 0).to(outputs.dtype)})
    assert 0.0 < float(outputs.mean()) < 1.0


def law_truncation_cuts_gradients_only_where_a_piece_ends(case: Case) -> None:
    last = case.x.shape[1]
    full = _gradients_in_pieces(case, last, truncated=False)
    for length in (last, last + 3):
        assert_same(_gradients_in_pieces(case, length, truncated=True), full)
    for name, value in _gradients_in_pieces(case, 4, truncated=False).items():
        assert_close(value, full[name], "derived, autograd")
    cut = _gradients_in_pieces(case, 4, truncated=True)
    assert max(float((cut[name] - value).norm() / value.norm()) for name, value in full.items() if value.any()) > 1e-6


def _gradients_in_pieces(case: Case, length: int, truncated: bool) -> dict[str, Tensor]:
    free = {name: value.clone().requires_grad_() for name, value in case.parameters.items()}
    state, outputs = case.state, []
    for start in range(0, case.x.shape[1], length):
        piece = case.steps(start, min(start + length, case.x.shape[1])).but(parameters=free, state=state)
        result = piece.scan()
        state = result.state.detach() if truncated else result.state
        outputs.append(result.outputs)
    together = torch.cat(outputs, 1)
    loss = (together * weights_like(together)).sum()
    found = torch.autograd.grad(loss, list(free.values()), allow_unused=True, materialize_grads=True)
    return dict(zip(free, found, strict=True))


# Noise


def law_noise_is_drawn_in_training_and_its_mean_otherwise(case: Case) -> None:
    layer = recurrent(case)
    of_first = layer.layers[0][0]
    given = (case.x, {f"0.forward.{name}": value for name, value in (case.state or {}).items()})

    def outputs_of(noise: Mapping[str, Tensor]) -> Tensor:
        return case.but(noise=dict(noise)).scan().outputs

    layer.eval()
    tosses = case.cell.noise
    means = {
        name: torch.full_like(one, tosses[name].value * tosses[name].probability) for name, one in case.noise.items()
    }
    assert_same({"mean": layer(*given).outputs}, {"mean": outputs_of(means)})
    assert_same({"left out": outputs_of({})}, {"left out": outputs_of(means)})
    layer.train()
    torch.manual_seed(5)
    first, second = layer(*given).outputs, layer(*given).outputs
    assert not torch.equal(first, second)
    torch.manual_seed(5)
    assert_same({"same seed": layer(*given).outputs}, {"same seed": first})
    torch.manual_seed(5)
    assert_same({"drawn": outputs_of(of_first.draw_noise(case.x))}, {"drawn": first})


def recurrent(case: Case) -> Recurrent:
    """A layer of one forward cell with the case's parameters."""
    units = case.x.shape[2], next(iter((case.state or {}).values())).shape[1]
    layer = Recurrent(case.cell, *units, backend=case.backend).to(case.x.dtype)
    with torch.no_grad():
        for name, parameter in layer.cell_parameters().items():
            parameter.copy_(case.parameters[name])
    return layer


def _in_time(result: Scanned) -> list[Tensor]:
    return [result.outputs, *result.recorded.values()]
