"""One expression of a line: tokens checked, read by Python's ``ast``, then taken over by a whitelist."""

import ast
import math
import unicodedata
from keyword import iskeyword

from unrolled.equations.expression import Call, Expression, Name, Number
from unrolled.equations.ops import FUNCTIONS, OPS
from unrolled.equations.source import SPELLINGS, TOKEN, EquationError
from unrolled.errors import did_you_mean

DEEPEST_NESTING = 60

_PRIME = "ˈ"  # a letter to Python, so that c' can pass through its parser as one identifier
_FUNCTION_SPELLINGS = {"σ": "sigmoid"}
_BINARY = {ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "div", ast.MatMult: "matmul"}


def parse_expression(text: str) -> Expression:
    """Read one expression (a derivative or definition of the ops table); the derivative's own ops may be called."""
    return Reader(text, 0, 0, inner=True).read()


def check_name(name: str, number: int = 0, line: str = "", column: int | None = None) -> None:
    """Raise EquationError unless a quantity, parameter or constant may have this name."""
    if name in FUNCTIONS or name in _FUNCTION_SPELLINGS:
        problem = f"'{name}' is a function; a quantity needs another name."
    elif name.startswith(("_", "d_")):
        problem = f"'{name}': names that begin with _ or d_ are kept for derived quantities and gradients; use another."
    elif iskeyword(name):
        problem = f"'{name}' is a word of Python, whose parser reads the equations; use another name, such as {name}_1."
    elif not name.isidentifier() or unicodedata.normalize("NFKC", name) != name or _PRIME in name:
        problem = f"'{name}' is no name: use letters, digits and _, a letter first."
    else:
        return
    raise EquationError(problem, line=number, text=line, column=column)


class Reader:
    """Reads the expression that begins at ``start`` of a line."""

    def __init__(self, line: str, start: int, number: int, inner: bool = False) -> None:
        self.line, self.start, self.number, self.inner = line, start, number, inner

    def read(self) -> Expression:
        source = self.scan()
        try:
            tree = ast.parse("(" + source + ")", mode="eval")
        except SyntaxError as error:
            column = self.start if error.offset is None else self.column(source, error.offset - 2, characters=True)
            raise self.error("this is no expression; is an operator or a parenthesis missing?", column) from None
        except (RecursionError, MemoryError):
            raise self.too_deep(self.start) from None
        return self.convert(tree.body, source, 0)

    def error(self, message: str, column: int) -> EquationError:
        return EquationError(message, line=self.number, text=self.line, column=column)

    def too_deep(self, column: int) -> EquationError:
        return self.error(f"nested more than {DEEPEST_NESTING} deep; name a part of it on a line of its own.", column)

    def column(self, source: str, offset: int, characters: bool = False) -> int:
        """The column in the user's line of an ``ast`` offset (in bytes) behind the added parenthesis."""
        if not characters:
            offset = len(source.encode()[: max(0, offset)].decode(errors="ignore"))
        return self.start + min(max(0, offset), len(source))

    def scan(self) -> str:
        """Check every token before Python's parser sees the text, and turn primes into letters."""
        text, position = self.line.translate(SPELLINGS), self.start
        if not text[position:].strip():
            raise self.error("nothing stands right of the equals sign.", position)
        opened: list[int] = []
        while position < len(text):
            token = TOKEN.match(text, position)
            if text[position] == "(":
                opened.append(position)
            elif text[position] == ")" and not opened:
                raise self.error("this parenthesis closes none that is open.", position)
            elif text[position] == ")":
                opened.pop()
            if len(opened) > DEEPEST_NESTING:
                raise self.too_deep(position)
            if token is None:
                raise self.error(self.about_character(text, position), position)
            if token.lastgroup == "operator" and text.startswith(("**", "//"), position):
                instead = "a * a" if text[position] == "*" else "a / b"
                raise self.error(f"'{text[position : position + 2]}' is no operator here; write {instead}.", position)
            if token.lastgroup == "name" and not self.inner:
                self.check_read_name(token[0].rstrip("'"), position)
            if token.lastgroup == "number" and not math.isfinite(float(token[0])):
                raise self.error(f"'{token[0]}' is too large for a number.", position)
            position = token.end()
        if opened:
            raise self.error("this parenthesis is never closed.", opened[-1])
        return text[self.start :].replace("'", _PRIME)

    def check_read_name(self, name: str, position: int) -> None:
        if name not in FUNCTIONS and name not in _FUNCTION_SPELLINGS:
            check_name(name, self.number, self.line, position)

    def about_character(self, text: str, position: int) -> str:
        character = text[position]
        if character in "'\"`":
            return "a prime belongs right behind a state's name (h'); text in quotes has no meaning here."
        if character == ".":
            return "'.' has no meaning here but in .T, a matrix transposed; attributes are not read."
        if character.isdigit():
            return "this is no number; write 0.5 or 1e-3, and an operator between a number and a name."
        if character in "[]{}":
            return f"'{character}' has no meaning here; group with parentheses, and give each gate its own matrix."
        return f"{character!r} has no meaning in an equation; use + - * / @, parentheses and functions."

    def convert(self, node: ast.expr, source: str, depth: int) -> Expression:
        column = self.column(source, node.col_offset - 1)
        if depth > DEEPEST_NESTING:
            raise self.too_deep(column)
        match node:
            case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
                return Number(float(value), column)
            case ast.Name(id=name):
                return self.name(name, column)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
                self.check_product(node, column)
                parts = (self.convert(left, source, depth + 1), self.convert(right, source, depth + 1))
                return _associate(Call(_BINARY[type(op)], parts, column))
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                inner = self.convert(operand, source, depth + 1)
                return Number(-inner.value, column) if isinstance(inner, Number) else Call("neg", (inner,), column)
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self.convert(operand, source, depth + 1)
            case ast.Attribute(value=value, attr="T"):
                return Call("transpose", (self.convert(value, source, depth + 1),), column)
            case ast.Call(func=ast.Name(id=function), args=arguments, keywords=[]):
                return self.call(function, arguments, source, depth, column)
        raise self.error("this has no meaning in an equation; use + - * / @, parentheses and functions.", column)

    def name(self, name: str, column: int) -> Name:
        plain, primed = name.rstrip(_PRIME), name.endswith(_PRIME)
        if plain in FUNCTIONS or plain in _FUNCTION_SPELLINGS:
            raise self.error(f"'{plain}' is a function and wants an argument: {plain}(...).", column)
        return Name(plain, primed, column)

    def call(self, function: str, arguments: list[ast.expr], source: str, depth: int, column: int) -> Call:
        op = _FUNCTION_SPELLINGS.get(function, function)
        if op not in FUNCTIONS and not (self.inner and op in OPS):
            near = did_you_mean(op, FUNCTIONS) or f" There are: {', '.join(FUNCTIONS)}."
            raise self.error(f"'{op.replace(_PRIME, chr(39))}' is no known function.{near}", column)
        if len(arguments) != OPS[op].arity:
            wanted = f"{OPS[op].arity} argument{'s' * (OPS[op].arity > 1)}"
            raise self.error(f"{op} wants {wanted}, and is given {len(arguments)}.", column)
        return Call(op, tuple(self.convert(argument, source, depth + 1) for argument in arguments), column)

    def check_product(self, node: ast.BinOp, column: int) -> None:
        """Refuse ``a * W @ x`` and ``U @ r * h``: Python reads both from the left, mathematics does not say."""
        left, products = node.left, (ast.Mult, ast.Div, ast.MatMult)
        if not (isinstance(left, ast.BinOp) and isinstance(left.op, products) and isinstance(node.op, products)):
            return
        mixed = isinstance(left.op, ast.MatMult) != isinstance(node.op, ast.MatMult)
        if mixed and left.col_offset == node.col_offset:
            raise self.error(
                "@ beside * or / can be read in two ways; put parentheses, as in r * (U @ h) or U @ (r * h).", column
            )


def _associate(call: Call) -> Call:
    """``A @ B @ h`` means ``A @ (B @ h)``: two small products instead of one large, and no product of matrices."""
    if call.op == "matmul" and isinstance(call.arguments[0], Call) and call.arguments[0].op == "matmul":
        (outermost, middle), inner = call.arguments[0].arguments, call.arguments[1]
        return _associate(
            Call("matmul", (outermost, _associate(Call("matmul", (middle, inner), call.column))), call.column)
        )
    return call
