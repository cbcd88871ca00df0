"""The one table of tolerances, and the one comparison that reads it; no other place says how near is equal."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

Array = torch.Tensor | NDArray[np.floating]


@dataclass(frozen=True)
class Row:
    """Two ways to compute one thing in ``dtype`` may differ by ``relative`` (norm-wise), for the ``reason`` given."""

    dtype: str
    relative: float
    reason: str


TOLERANCE = {
    "loop, numpy": Row(
        "float64", 1e-10, "same equations, sums in another order; rounding (1e-16) grows over the steps of a run"
    ),
    "loop, torch.nn": Row(
        "float64", 1e-10, "same function, gates computed in one product; rounding grows over the steps of a run"
    ),
    "training, torch.nn, float32": Row(
        "float32", 1e-4, "twenty steps of training carry on what single precision (6e-8) rounds otherwise in each"
    ),
    "loop, onnxruntime": Row(
        "float32", 1e-5, "its operators know float32 only (rounding 6e-8) and approximate sigmoid and tanh"
    ),
    "derived, autograd": Row(
        "float64",
        1e-9,
        "same derivative, other order of products and sums; a backward run amplifies what forward rounds",
    ),
    "loop, other batch": Row(
        "float64", 1e-12, "the matrix library may pick another kernel for another batch size; few roundings differ"
    ),
    "loop, other batch, float32": Row("float32", 1e-5, "the same in single precision, whose rounding is 6e-8"),
    "torch, loop, float32": Row(
        "float32", 1e-5, "torch's kernel in single precision (6e-8) against double; gates computed in one product"
    ),
    "torch, loop, gradients, float32": Row(
        "float32", 1e-4, "the same on the way back, which multiplies what forward rounded and sums it over all steps"
    ),
    "cpu, loop": Row(
        "float64", 1e-12, "same equations; sums in another order, functions by other polynomials (4 units at most)"
    ),
    "cpu, loop, random text": Row(
        "float64", 1e-8, "a text that no one chose may multiply by thousands, or take near numbers from each other"
    ),
    "cpu, loop, float32": Row(
        "float32", 1e-5, "single precision (6e-8) against double; a run carries on what each of its steps rounds"
    ),
    "cpu, loop, gradients, float32": Row(
        "float32", 1e-4, "the same on the way back, which multiplies what forward rounded and sums it over all steps"
    ),
    "cpu, loop, bfloat16": Row("float32", 4e-3, "stored in bfloat16: computed in float32 and rounded once, to 8 bits"),
    "cpu, loop, float16": Row("float32", 5e-4, "the same in float16: rounded once, to 11 bits"),
    "orthogonal, identity": Row("float64", 1e-12, "a matrix times its transpose; its decomposition rounds by 1e-16"),
    "autograd, differences": Row(
        "float64", 1e-6, "central differences over 2e-6: a rounding of 1e-16 is divided by that, and sums collect it"
    ),
}


def assert_close(actual: Array, expected: Array, row: str) -> None:
    """Raise AssertionError unless ``actual`` is as near to ``expected`` as ``TOLERANCE[row]`` demands.

    Both must have the row's dtype, one shape, and finite numbers only; then ``|actual - expected| / |expected|``
    (Euclidean norms over all elements, in float64) must not pass the row's figure. Where all of ``expected`` is zero,
    ``actual`` must be, too.
    """
    rule = TOLERANCE[row]
    one, other = _numpy(actual), _numpy(expected)
    if not (str(one.dtype) == str(other.dtype) == rule.dtype):
        raise AssertionError(f"{row}: dtype {one.dtype} against {other.dtype}, this row compares {rule.dtype}")
    if one.shape != other.shape:
        raise AssertionError(f"{row}: shape {one.shape} against {other.shape}")
    for name, array in (("actual", one), ("expected", other)):
        if not np.isfinite(array).all():
            where = tuple(int(index) for index in np.argwhere(~np.isfinite(array))[0])
            raise AssertionError(f"{row}: {name} holds {array[where]} at {where}")
    difference = np.abs(one.astype(np.float64) - other.astype(np.float64))
    norm, distance = _norm(other.astype(np.float64)), _norm(difference)
    if distance > rule.relative * norm:
        where = tuple(int(index) for index in np.unravel_index(difference.argmax(), difference.shape))
        raise AssertionError(
            f"{row}: relative difference {distance / norm if norm else np.inf:.3e} passes {rule.relative:.0e} "
            f"({rule.dtype}); norm of expected {norm:.3e}, farthest at {where}: {one[where]!r} against {other[where]!r}"
        )


def _numpy(array: Array) -> NDArray[np.floating]:
    return array.detach().cpu().numpy() if isinstance(array, torch.Tensor) else np.asarray(array)


def _norm(array: NDArray[np.float64]) -> float:
    """Return the Euclidean norm, scaled by the largest element so that squares of tiny numbers do not vanish."""
    largest = float(np.abs(array).max(initial=0.0))
    return largest * float(np.linalg.norm(array / largest)) if largest else 0.0
