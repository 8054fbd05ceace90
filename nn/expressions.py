"""A formula given as text becomes a graph: read from Python's syntax tree, never evaluated as code.

What may stand in it: names, numbers, `+ - * / **`, comparisons as the condition of `where`, and the functions of the
table of primitives. Names for what is in between are given by assignments: `z = w*x + b; tanh(z)`.
"""

import ast
import math
import operator
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import autograd
from autograd import DomainError, Value

__all__ = ["FormulaError", "graph_of"]

#: Characters of a formula; what is longer is no formula that anybody typed.
MOST_CHARACTERS = 10_000

_OPERATORS: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = MappingProxyType(
    {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}
)
_COMPARISONS: Mapping[type[ast.cmpop], Callable[[Any, Any], Any]] = MappingProxyType(
    {ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge}
)
#: What Python calls them.
_BUILT_IN = {"max": "maximum", "min": "minimum"}
_CONSTANTS = {"pi": math.pi, "e": math.e}


class FormulaError(ValueError):
    """A formula that cannot be read; the message shows the place and says what may stand there."""


def graph_of(text: str, numbers: Mapping[str, float]) -> tuple[Value, dict[str, Value]]:
    """The graph of a formula at these numbers, and the Value of each name, given or assigned.

    >>> output, names = graph_of("z = w*x + b; tanh(z)", {"w": 0.5, "x": 2.0, "b": 1.0})
    >>> output, names["z"].label
    (Value(0.9640275800758169, primitive=tanh, grad=0.0), 'z')

    Raises:
        FormulaError: it is not a formula, a name has no number, a number no name, or a function does not exist.
        DomainError, OverflowError: it has no value at these numbers.
    """
    if len(text) > MOST_CHARACTERS:
        raise FormulaError(f"the formula has {len(text)} characters; at most {MOST_CHARACTERS} are read")
    try:
        statements = ast.parse(text.strip()).body
    except SyntaxError as error:
        raise FormulaError(f"{_short(text)} is not a formula: {error.msg} at character {error.offset}") from None
    except (ValueError, RecursionError, MemoryError):
        raise FormulaError("the formula cannot be read: too many brackets inside of each other") from None
    reader = _Reader(numbers)
    try:
        output = reader.run(statements)
    except RecursionError:
        raise FormulaError("the formula cannot be read: too many operations inside of each other") from None
    unused = [name for name in numbers if name not in reader.used]
    if unused:
        raise FormulaError(f"{unused[0]!r} does not occur in the formula; it has {_listed(reader.used)}")
    if not isinstance(output, Value):
        raise FormulaError("the formula holds no name, so there is nothing to differentiate; write x and x=2")
    return output, reader.names


def _listed(names: Any) -> str:
    return ", ".join(map(repr, names)) or "no names"


class _Reader:
    def __init__(self, numbers: Mapping[str, float]) -> None:
        self.names = {name: Value(number, name) for name, number in numbers.items()}
        self._given = set(numbers)
        self.used: set[str] = set()

    def run(self, statements: list[ast.stmt]) -> Any:
        """The number of the last statement; those before it assign names."""
        found: Any = None
        for place, statement in enumerate(statements):
            match statement:
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    if name in self.names:
                        raise FormulaError(f"{name!r} has a number already; give the result another name")
                    found = self.read(value)
                    if isinstance(found, Value) and not found.label:
                        found.label = name
                    self.names[name] = found
                case ast.Expr(value=value) if place == len(statements) - 1:
                    found = self.read(value)
                case _:
                    raise _unknown(statement, "an assignment such as z = w*x + b, or at the end one expression")
        if found is None:
            raise FormulaError("the formula is empty; write one such as tanh(w*x + b)")
        return found

    def read(self, node: ast.expr) -> Any:
        """The Value or number of an expression."""
        match node:
            case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
                return _as_float(number)
            case ast.Name(id=name):
                return self._named(name)
            case ast.BinOp(left=left, op=ast.Pow(), right=right):
                return autograd.pow(self.read(left), self.read(right))
            case ast.BinOp(left=left, op=sign, right=right) if type(sign) in _OPERATORS:
                return self._divided(left, sign, right)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -self.read(operand)
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self.read(operand)
            case ast.Compare(left=left, ops=[sign], comparators=[right]) if type(sign) in _COMPARISONS:
                return _COMPARISONS[type(sign)](self.read(left), self.read(right))
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
                return self._called(name, arguments)
        raise _unknown(node, "names, numbers, + - * / **, and functions of primitives")

    def _divided(self, left: ast.expr, sign: ast.operator, right: ast.expr) -> Any:
        x, y = self.read(left), self.read(right)
        try:
            return _OPERATORS[type(sign)](x, y)
        except ZeroDivisionError:  # of two plain numbers
            raise DomainError(f"{ast.unparse(left)} / {ast.unparse(right)}: a division by zero") from None

    def _named(self, name: str) -> Any:
        self.used.add(name)
        if name in self.names:
            return self.names[name]
        if name in _CONSTANTS:
            return _CONSTANTS[name]
        known = f"; there are {_listed(self.names)}" if self.names else ""
        raise FormulaError(f"{name!r} has no number{known}: write {name}=1.5 after the formula")

    def _called(self, name: str, arguments: list[ast.expr]) -> Any:
        try:
            row = autograd.find(_BUILT_IN.get(name, name))
        except KeyError as error:
            raise FormulaError(str(error.args[0])) from None
        function = getattr(autograd, row.name, None)
        if function is None or row.compares:
            raise FormulaError(f"{name} cannot stand in a formula")
        operands = [self.read(argument) for argument in arguments]
        if row.name == "dot":
            raise FormulaError("dot takes two lists, which a formula has not; write the products and their sum")
        if row.n_ary:
            return function(operands)
        if len(operands) > row.arity or len(operands) < sum(rule is not None for rule in row.partials):  # type: ignore[union-attr]
            raise FormulaError(f"{name} takes {_counted(row.arity)} ({', '.join(row.arguments[: row.arity])}); "
                               f"{len(operands)} were given")  # fmt: skip
        return function(*operands)


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:59] + "…")


def _counted(number: int) -> str:
    return f"{number} argument{'' if number == 1 else 's'}"


def _as_float(number: int | float) -> float:
    try:
        return float(number)
    except OverflowError:
        raise FormulaError("a number of the formula is too large for a float") from None


def _unknown(node: ast.AST, wanted: str) -> FormulaError:
    return FormulaError(f"{_short(ast.unparse(node))} cannot stand in a formula; there may be {wanted}")


