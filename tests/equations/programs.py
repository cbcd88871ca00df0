"""Random cells, valid by construction: every op, states, gates, parameters, constants, matrices in every form."""

import re
from dataclasses import dataclass

from hypothesis import strategies as st

from unrolled.equations.expression import Call, Expression, Name, Number, names, write

BOUNDED = ("sigmoid", "tanh", "sin", "cos", "softsign", "hard_sigmoid", "hard_tanh", "softmax", "sign", "step")
GROWING = ("relu", "softplus", "abs", "silu", "log_sigmoid", "layer_norm", "sum", "mean", "neg")
PARTIAL = ("exp", "log", "sqrt")
"""Functions that overflow, or that are defined for some numbers only."""
CONSTANTS = {"gamma": 0.3, "dt": -1.5e-3}
SPELLINGS = {"*": "*∘⊙·×", "-": "-−", "'": "'′’"}

numbers = st.one_of(
    st.sampled_from([0.0, 1.0, -1.0, 2.0, 0.5, -0.25, 3e-7]).map(Number),
    st.floats(-3.0, 3.0, allow_subnormal=False).map(Number),
)


@dataclass(frozen=True)
class Draft:
    """A cell to be made: its equations, a line each, and the lines that declare what they need."""

    lines: tuple[str, ...]
    declarations: tuple[str, ...]

    @property
    def text(self) -> str:
        return "\n".join((*self.declarations, *self.lines))


def vectors(known: list[Name], tame: bool) -> st.SearchStrategy[Expression]:
    """Expressions of the hidden size over ``known`` quantities; ``tame`` ones stay finite for every number."""
    functions = (*BOUNDED, *GROWING, *(() if tame else PARTIAL))
    leaves = st.one_of(
        st.sampled_from([*known, *map(Name, ("b", "p", "k_1"))]),
        st.sampled_from("WVP").map(lambda name: Call("matmul", (Name(f"{name}_x"), Name("x")))),
    )
    scalars = st.one_of(numbers, st.sampled_from(sorted(CONSTANTS)).map(Name))

    def grow(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
        pair = st.one_of(st.tuples(inner, inner), st.tuples(inner, scalars), st.tuples(scalars, inner))
        operators = ("add", "sub", "mul", "max", "min") if tame else ("add", "sub", "mul", "max", "min", "div")
        return st.one_of(
            st.builds(lambda op, part: Call(op, (part,)), st.sampled_from(functions), inner),
            st.builds(Call, st.sampled_from(operators), pair),
            st.builds(lambda matrix, part: Call("matmul", (matrix, part)), matrices, inner),
        )

    return st.recursive(leaves, grow, max_leaves=6)


_plain = st.sampled_from([Name("U"), Name("R_1"), Name("A")])
matrices = st.one_of(
    _plain,
    st.builds(lambda matrix: Call("transpose", (matrix,)), _plain),
    st.builds(lambda number, matrix: Call("mul", (number, matrix)), numbers, _plain),
    st.builds(lambda matrix, other: Call("sub", (matrix, Call("transpose", (other,)))), _plain, _plain),
    st.builds(lambda matrix: Call("tanh", (matrix,)), _plain),
    st.builds(lambda matrix: Call("neg", (matrix,)), _plain),
)


@st.composite
def drafts(draw: st.DrawFn, tame: bool = False) -> Draft:
    """One to two states and up to two other quantities, in an order in which each reads what stands above it."""
    states = ["h", "c"][: draw(st.integers(1, 2))]
    others = ["i", "q_new"][: draw(st.integers(0, 2))]
    known, lines, used = [Name(state) for state in states], [], set()
    for target in draw(st.permutations([*states, *others])):
        expression = draw(vectors(known, tame))
        if target in states:
            expression = Call("add", (expression, Call("mul", (Name("u"), Name(target)))))
        name = Name(target, target in states)
        known.append(name)
        used |= {read.name for read in names(expression)}
        lines.append(f"{name} = {write(expression)}")
    constants = [f"constant {name} = {value}" for name, value in CONSTANTS.items() if name in used]
    return Draft(tuple(lines), ("output h", *constants))


@st.composite
def respelled(draw: st.DrawFn, text: str) -> str:
    """The same text in other signs: σ for sigmoid, ∘ for *, blanks, comments and empty lines where they may stand."""
    lines = []
    for line in text.splitlines():
        if "=" in line and not line.startswith("constant"):
            line = re.sub(r"\bsigmoid\b", lambda found: draw(st.sampled_from(["sigmoid", "σ"])), line)
            line = re.sub(r"(?<![eE])[-*']", lambda found: draw(st.sampled_from(SPELLINGS[found[0]])), line)
            line = line.replace(" ", draw(st.sampled_from([" ", "  ", "\t", "\u00a0"])))
        lines += [""] * draw(st.integers(0, 1))
        lines.append(draw(st.sampled_from(["", "  "])) + line + draw(st.sampled_from(["", "  # what it means = 'x'"])))
    return draw(st.sampled_from(["\n", "\r\n"])).join(lines) + draw(st.sampled_from(["", "\n", "\n\n"]))
