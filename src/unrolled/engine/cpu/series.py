"""Coefficients of polynomials: fitted to power series in exact arithmetic, never copied from a table.

Each function is given by a power series whose sum is cut where its terms no longer matter. A polynomial is put through
the sum at the Chebyshev nodes of an interval, in fractions, and only its finished coefficients are rounded. Its error
is within a small factor of the best possible one (Trefethen 2013, Approximation Theory and Practice, ch. 4 and 16).
"""

from collections.abc import Callable
from fractions import Fraction
from functools import cache
from math import cos, factorial, pi

_TERMS = 40


def exp_rest(k: int) -> Fraction:
    """(exp(x) - 1 - x) / x^2 = sum of x^k / (k + 2)!."""
    return Fraction(1, factorial(k + 2))


def tanh_rest(k: int) -> Fraction:
    """((exp(2x) - 1) / 2 - x) / x^2 = sum of 2^(k + 1) x^k / (k + 2)!."""
    return Fraction(2 ** (k + 1), factorial(k + 2))


def atanh_rest(k: int) -> Fraction:
    """(2 atanh(x / 2) - x) / x^3 = sum of u^k / (4^(k + 1) (2k + 3)), u = x^2."""
    return Fraction(1, 4 ** (k + 1) * (2 * k + 3))


def sin_rest(k: int) -> Fraction:
    """(sin(x) - x) / x^3 = sum of -(-u)^k / (2k + 3)!, u = x^2."""
    return Fraction(-((-1) ** k), factorial(2 * k + 3))


@cache
def coefficients(term: Callable[[int], Fraction], low: float, high: float, degree: int) -> tuple[float, ...]:
    """The polynomial of a degree that meets a power series at the Chebyshev nodes of low..high, constant term first.

    ``term(k)`` is the series' coefficient of x^k.
    """
    middle, half = Fraction(low + high) / 2, Fraction(high - low) / 2
    nodes = [middle + half * Fraction(cos(pi * (2 * k + 1) / (2 * degree + 2))) for k in range(degree + 1)]
    differences = [_sum(term, node) for node in nodes]
    for order in range(1, degree + 1):  # Newton's divided differences, in place
        for k in range(degree, order - 1, -1):
            differences[k] = (differences[k] - differences[k - 1]) / (nodes[k] - nodes[k - order])
    result = [differences[degree]]
    for k in range(degree - 1, -1, -1):  # result * (x - nodes[k]) + differences[k]
        result = [
            high - nodes[k] * low for low, high in zip([*result, Fraction(0)], [Fraction(0), *result], strict=True)
        ]
        result[0] += differences[k]
    return tuple(map(float, result))


def _sum(term: Callable[[int], Fraction], x: Fraction) -> Fraction:
    total = Fraction(0)
    for k in reversed(range(_TERMS)):
        total = total * x + term(k)
    return total
