"""A Program as LaTeX and as a formula that counts its parameters."""

from collections import Counter
from collections.abc import Callable
from math import prod

from unrolled.equations.expression import Call, Expression, Name, Number, write_number
from unrolled.equations.ops import OPS
from unrolled.equations.program import Program

_NAMES = "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau phi chi psi omega"
_GREEK = dict(zip("αβγδεζηθικλμνξπρστφχψω", _NAMES.split(), strict=True))
_BINDING = {"add": 1, "sub": 1, "mul": 2, "matmul": 2, "neg": 1}
_LOOSEST, _TIGHTEST = 0, 4


def latex(program: Program) -> str:
    """The equations as an ``aligned`` block: states carry t and t-1, other quantities and the input carry t."""
    lines = [f"{formula(program, one.target)} &= {formula(program, one.expression)}" for one in program.statements]
    return "\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}\n"


def formula(program: Program, expression: Expression, now: str = "t", before: str = "t-1") -> str:
    """One expression of a program as LaTeX, at the step ``now``; previous states carry ``before``."""
    moving = {"x", *program.quantities}

    def spell(name: Name) -> str:
        if name.name not in moving:
            return symbol(name.name)
        return symbol(name.name, before if name.name in program.states and not name.primed else now)

    return _latex(expression, spell, {*program.constants})[0]


def symbol(name: str, time: str = "") -> str:
    """A name as LaTeX: Greek letters by their names, what stands behind a low line as an index, time the last one."""
    stem, _, index = name.partition("_")
    stem = _GREEK.get(stem, stem)
    if stem in _GREEK.values():
        stem = f"\\{stem}"
    elif len(stem) > 1:
        stem = f"\\mathrm{{{stem}}}"
    escaped = index.replace("_", "\\_")
    indices = [escaped if len(index) <= 1 else f"\\mathrm{{{escaped}}}"] if index else []
    indices += [time] if time else []
    return f"{stem}_{{{','.join(indices)}}}" if indices else stem


def _latex(expression: Expression, spell: Callable[[Name], str], scalars: set[str]) -> tuple[str, int]:
    if isinstance(expression, Number):
        return _number(expression.value), _TIGHTEST if expression.value >= 0 else 1
    if isinstance(expression, Name):
        return spell(expression), _TIGHTEST
    binding = _BINDING.get(expression.op, _LOOSEST)
    parts = []
    for index, argument in enumerate(expression.arguments):
        text, own = _latex(argument, spell, scalars)
        same_kind = isinstance(argument, Call) and argument.op == expression.op and index == 0
        needs = own < binding or (own == binding and not same_kind and (index == 1 or expression.op == "matmul"))
        if binding == 1 and index == 0 and own >= 1:
            needs = expression.op == "neg" and own == 1
        parts.append(f"\\left({text}\\right)" if needs or (expression.op == "transpose" and own < _TIGHTEST) else text)
    template = OPS[expression.op].latex
    if expression.op == "mul" and any(_is_scalar(argument, scalars) for argument in expression.arguments):
        template = r"{a}\, {b}"
    text = template.format(**dict(zip("ab", parts, strict=False)))
    return text, binding if expression.op in _BINDING else _TIGHTEST


def _number(value: float) -> str:
    digits, _, exponent = write_number(value).partition("e")
    return f"{digits} \\cdot 10^{{{int(exponent)}}}" if exponent else digits


def _is_scalar(expression: Expression, scalars: set[str]) -> bool:
    return isinstance(expression, Number) or (isinstance(expression, Name) and expression.name in scalars)


def count_formula(program: Program) -> str:
    """The number of parameters, such as ``4 D H + 4 H^2 + 4 H``."""
    terms: Counter[tuple[tuple[str, ...], int]] = Counter()
    for parameter in program.parameters.values():
        letters = tuple(sorted(_letter(size) for size in parameter.shape if isinstance(size, str)))
        terms[letters, parameter.heads] += prod(size for size in parameter.shape if isinstance(size, int))
    return " + ".join(_term(count, *key) for key, count in terms.items()) or "0"


def _letter(size: str) -> str:
    return {"input": "D", "hidden": "H"}.get(size, size)


def _term(count: int, letters: tuple[str, ...], heads: int) -> str:
    """``2 H^2 / 4`` for two square matrices in four blocks."""
    power = f"{letters[0]}^2" if len(letters) == 2 and letters[0] == letters[1] else " ".join(letters)
    times = [str(count)] if count > 1 or not letters else []
    return " ".join([*times, *filter(None, [power])]) + (f" / {heads}" if heads > 1 else "")
