"""exp, log, tanh, sigmoid, softplus, sin and cos of SIMD vectors: reduce, polynomial, rebuild.

The reductions are those of Cody and Waite (1980, Software Manual for the Elementary Functions); the polynomials come
from series.py. A number is split as x = n * unit + r by adding 1.5 * 2^fraction to x / unit: this rounds to an integer
and leaves it in the low bits, from where a shift makes 2^n. A range is cut before, where the result no longer changes.
"""

from fractions import Fraction
from math import frexp, inf, nan

from llvmlite import ir

from unrolled.engine.cpu import series
from unrolled.engine.cpu.lanes import Lanes

_DEGREES = {
    "float32": {"exp": 4, "exp, wide": 5, "tanh": 4, "atanh": 3, "sin": 3},
    "float64": {"exp": 9, "exp, wide": 11, "tanh": 9, "atanh": 9},
}
"""By dtype and polynomial: the degree from which its error is below the rounding of its last steps."""

_SINE_BOUND = 8192.0
"""Beyond it, three floats of pi no longer reduce a float32 precisely, and the C library is called."""

_LN2 = Fraction(0xB17217F7D1CF79ABC9E3B39803F2F6AF40F34326, 1 << 160)
_PI = Fraction(0xC90FDAA22168C234C4C6628B80DC1CD129024E08, 1 << 158)


def exp(v: Lanes, x: ir.Value) -> ir.Value:
    """e^x = p h^2 with a power of two h: two factors, as h^2 may lie outside of the dtype's range."""
    lowest, highest = (-105.0, 90.0) if v.dtype == "float32" else (-746.0, 711.0)
    x = v.min(v.max(x, v.constant(lowest)), v.constant(highest))
    power, half = _exp_parts(v, x, 2 * _LN2, "exp, wide")
    return v.mul(v.mul(power, half), half)


def sigmoid(v: Lanes, x: ir.Value) -> ir.Value:
    """g / (g + s e^-r), where x = n ln 2 + r, g = 2^n s, and s keeps g normal where the quotient is subnormal."""
    lowest, highest = (-105.0, 30.0) if v.dtype == "float32" else (-746.0, 60.0)
    x = v.min(v.max(x, v.constant(lowest)), v.constant(highest))
    power, scale = _exp_parts(v, x, _LN2, "exp", sign=-1, raised=v.fraction + 1, scale=2.0 ** (v.fraction + 1))
    return v.div(scale, v.add(scale, power))


def softplus(v: Lanes, x: ir.Value) -> ir.Value:
    """log(1 + e^x) = max(x, 0) + log(1 + e^-|x|)."""
    lowest = -105.0 if v.dtype == "float32" else -746.0
    least = v.max(v.neg(v.abs(x)), v.constant(lowest))
    power, scale = _exp_parts(v, least, _LN2, "exp", raised=v.fraction + 1, scale=0.5 ** (v.fraction + 1))
    positive = v.select(v.more(x, v.constant(0.0)), x, v.constant(0.0))
    return v.add(positive, _log1p(v, v.mul(power, scale)))


def _exp_parts(
    v: Lanes, x: ir.Value, unit: Fraction, fit: str, sign: int = 1, raised: int = 0, scale: float = 1.0
) -> tuple[ir.Value, ir.Value]:
    """``scale`` e^(sign r) and 2^(n + raised), where x = n unit + r."""
    counted, n = _rounded(v, x, 1 / unit, v.bias + raised)
    r = _less_multiple(v, x, n, unit, 2)
    bound = 0.5002 * float(unit)
    terms = (1.0, 1.0, *series.coefficients(series.exp_rest, -bound, bound, _DEGREES[v.dtype][fit]))
    power = v.polynomial(r, [scale * sign**k * term for k, term in enumerate(terms)])
    return power, _power_of_two(v, counted)


def tanh(v: Lanes, x: ir.Value) -> ir.Value:
    """h / (h + 1) with h = (e^2|x| - 1) / 2 from its own polynomial, which loses nothing near 0; the sign is x's."""
    size = v.min(v.abs(x), v.constant(9.1 if v.dtype == "float32" else 19.2))
    counted, n = _rounded(v, size, 2 / _LN2, v.bias)
    r = v.fma(n, v.constant(-v.rounded(_LN2 / 2)), size)  # no second part: where n is large, tanh hardly changes
    terms = series.coefficients(series.tanh_rest, -0.1734, 0.1734, _DEGREES[v.dtype]["tanh"])
    rest = v.fma(v.mul(r, r), v.polynomial(r, terms), r)  # (e^2r - 1) / 2
    power = _power_of_two(v, counted)
    half = v.fma(power, rest, v.fma(power, v.constant(0.5), v.constant(-0.5)))
    return v.copysign(v.div(half, v.add(half, v.constant(1.0))), x)


def log(v: Lanes, x: ir.Value) -> ir.Value:
    """n ln 2 + log(m), where x = 2^n m and m in sqrt(1/2)..sqrt(2); -inf at 0, NaN below."""
    shift = v.fraction + 1
    subnormal = v.less(x, v.constant(2.0 ** (1 - v.bias)))
    scaled = v.select(subnormal, v.mul(x, v.constant(2.0**shift)), x)
    root = 0x3F3504F3 if v.dtype == "float32" else 0x3FE6A09E667F3BCD  # the bits of sqrt(1/2)
    bits = v.builder.add(v.as_integers(scaled), v.integer((v.bias << v.fraction) - root))
    fraction = v.builder.and_(bits, v.integer((1 << v.fraction) - 1))
    mantissa = v.as_floats(v.builder.add(fraction, v.integer(root)))
    magic = 2.0**v.fraction  # n in the low bits of this float
    raised = v.builder.or_(v.builder.lshr(bits, v.integer(v.fraction)), v.as_integers(v.constant(magic)))
    offset = v.select(subnormal, v.constant(magic + v.bias + shift), v.constant(magic + v.bias))
    n = v.sub(v.as_floats(raised), offset)
    high, low = map(v.constant, _parts(v, _LN2, 2))
    y = v.fma(n, high, v.fma(n, low, _log1p(v, v.sub(mantissa, v.constant(1.0)))))
    y = v.select(v.less(x, v.constant(inf)), y, x)  # x is inf or NaN
    y = v.select(v.less(x, v.constant(0.0)), v.constant(nan), y)
    return v.select(v.equal(x, v.constant(0.0)), v.constant(-inf), y)


def _log1p(v: Lanes, x: ir.Value) -> ir.Value:
    """log(1 + x) = 2 atanh(t / 2) with t = x / (1 + x / 2), for x in -0.3..1."""
    t = v.div(x, v.fma(x, v.constant(0.5), v.constant(1.0)))
    square = v.mul(t, t)
    terms = series.coefficients(series.atanh_rest, 0.0, 4 / 9, _DEGREES[v.dtype]["atanh"])
    return v.fma(v.mul(t, square), v.polynomial(square, terms), t)


def sin(v: Lanes, x: ir.Value) -> ir.Value:
    """(-1)^n sin(r), where x = n pi + r."""
    if v.dtype == "float64":
        return v.builder.call(_by_lane(v, "sin"), [x])
    counted, n = _rounded(v, x, 1 / _PI, 0)
    return _far_by_lane(v, x, _signed_sine(v, x, n, counted), "sin")


def cos(v: Lanes, x: ir.Value) -> ir.Value:
    """(-1)^m sin(r), where x = (m - 1/2) pi + r."""
    if v.dtype == "float64":
        return v.builder.call(_by_lane(v, "cos"), [x])
    counted, m = _rounded(v, v.fma(x, v.constant(v.rounded(1 / _PI)), v.constant(0.5)), Fraction(1), 0)
    return _far_by_lane(v, x, _signed_sine(v, x, v.sub(m, v.constant(0.5)), counted), "cos")


def _signed_sine(v: Lanes, x: ir.Value, n: ir.Value, counted: ir.Value) -> ir.Value:
    """sin(x - n pi), negated where the integer that was counted is odd."""
    r = _less_multiple(v, x, n, _PI, 3)
    square = v.mul(r, r)
    terms = series.coefficients(series.sin_rest, 0.0, 2.5, _DEGREES[v.dtype]["sin"])
    value = v.mul(r, v.fma(square, v.polynomial(square, terms), v.constant(1.0)))
    value = v.max(v.min(value, v.constant(1.0)), v.constant(-1.0))  # rounding may have gone one step beyond
    odd = v.builder.shl(v.as_integers(counted), v.integer(v.bits - 1))
    return v.as_floats(v.builder.xor(v.as_integers(value), odd))


def _far_by_lane(v: Lanes, x: ir.Value, near: ir.Value, name: str) -> ir.Value:
    """``near``, but what the C library gives in the lanes that lie too far out; a branch skips the calls mostly."""
    far = v.more(v.abs(x), v.constant(_SINE_BOUND))
    before = v.builder.block
    flags = v.builder.bitcast(far, ir.IntType(v.width))
    with v.builder.if_then(v.builder.icmp_unsigned("!=", flags, flags.type(0)), likely=False):
        mixed = v.select(far, v.builder.call(_by_lane(v, name), [x]), near)
        calls = v.builder.block
    result = v.builder.phi(v.type)
    result.add_incoming(near, before)
    result.add_incoming(mixed, calls)
    return result


def _by_lane(v: Lanes, name: str) -> ir.Function:
    """The module's function that gives sin or cos of a vector by the C library's in float64, lane by lane."""
    function = v.function(f"unrolled_{name}_v{v.width}f{v.bits}", v.type, 1)
    if function.blocks:
        return function
    function.linkage = "internal"
    function.attributes.add("noinline")
    builder = ir.IRBuilder(function.append_basic_block("entry"))
    double = ir.DoubleType()
    scalar = v.function(f"llvm.{name}.f64", double, 1)
    result = ir.Constant(v.type, ir.Undefined)
    for lane in range(v.width):
        value = builder.extract_element(function.args[0], ir.IntType(32)(lane))
        if v.dtype == "float64":
            value = builder.call(scalar, [value])
        else:
            value = builder.fptrunc(builder.call(scalar, [builder.fpext(value, double)]), v.scalar)
        result = builder.insert_element(result, value, ir.IntType(32)(lane))
    builder.ret(result)
    return function


def _rounded(v: Lanes, x: ir.Value, factor: Fraction, offset: int) -> tuple[ir.Value, ir.Value]:
    """x * factor rounded to an integer n: a float with n + offset in its low bits, and n itself."""
    magic = v.constant(1.5 * 2.0**v.fraction + offset)
    counted = v.fma(x, v.constant(v.rounded(factor)), magic)
    return counted, v.sub(counted, magic)


def _power_of_two(v: Lanes, counted: ir.Value) -> ir.Value:
    """2^n of an n counted with the offset of the exponent's bias."""
    return v.as_floats(v.builder.shl(v.as_integers(counted), v.integer(v.fraction)))


def _less_multiple(v: Lanes, x: ir.Value, n: ir.Value, unit: Fraction, parts: int) -> ir.Value:
    """x - n * unit, the unit in so many floats; exact in the first where x and n * unit cancel; -0 - 0 stays -0."""
    for part in _parts(v, unit, parts):
        x = v.fma(n, v.constant(-part), x)
    return x


def _parts(v: Lanes, value: Fraction, count: int) -> tuple[float, ...]:
    """Floats of the dtype that sum to a positive number, the largest first; each cut, so that none is negative."""
    result = []
    for _ in range(count):
        grid = Fraction(2) ** (frexp(value)[1] - v.fraction - 1)
        result.append(float(value // grid * grid))
        value %= grid
    return tuple(result)
