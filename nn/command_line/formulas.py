"""A formula given as text becomes a graph: read from Python's syntax tree, never evaluated as code.

What may stand in it: names, numbers, ``+ - * / // % **``, comparisons as the condition of ``where``, and the functions
of the table of primitives. Names for what is in between are given by assignments: ``z = w*x + b; tanh(z)``. Whatever
else stands there is a ``FormulaError``; no text, however odd, raises anything but the errors that ``graph_of`` names.
"""

from __future__ import annotations

import ast
import inspect
import keyword
import math
import operator
import unicodedata
import warnings
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

import autograd
from autograd import DomainError, Value
from nn.interrupts import shielded

__all__ = ["FormulaError", "graph_of", "last_expression", "name_of", "shortened"]

#: Characters of a formula, and of a name in it; what is longer nobody typed.
MOST_CHARACTERS = 10_000
MOST_IN_A_NAME = 100

_OPERATORS: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = MappingProxyType(
    {
        ast.Add: operator.add,
        ast.Sub: operator.sub,
        ast.Mult: operator.mul,
        ast.Div: operator.truediv,
        ast.FloorDiv: operator.floordiv,
        ast.Mod: operator.mod,
    }
)
_COMPARISONS: Mapping[type[ast.cmpop], Callable[[Any, Any], Any]] = MappingProxyType(
    {ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge}
)
#: What Python calls them.
_BUILT_IN = {"max": "maximum", "min": "minimum"}
_CONSTANTS = {"pi": math.pi, "e": math.e}
#: How a formula says what Python says otherwise.
_INSTEAD: Mapping[type[ast.AST], str] = MappingProxyType(
    {
        ast.BitXor: "a power is written x ** 2",
        ast.IfExp: "a choice is written where(x > 0, a, b)",
        ast.BoolOp: "a where in another where takes two conditions",
        ast.AugAssign: "an assignment gives a new name: z = w*x + b",
        ast.Subscript: "each number has a name of its own, such as x0",
    }
)


class FormulaError(ValueError):
    """A formula that cannot be read; the message shows the place and says what may stand there."""


def graph_of(text: str, numbers: Mapping[str, float]) -> tuple[Value, dict[str, Any]]:
    """The graph of a formula at these numbers, and what each name stands for, given or assigned: a Value mostly.

    >>> output, names = graph_of("z = w*x + b; tanh(z)", {"w": 0.5, "x": 2.0, "b": 1.0})
    >>> output, names["z"].label
    (Value(0.9640275800758169, primitive=tanh, grad=0.0), 'z')

    Raises:
        FormulaError: it is not a formula, a name has no number, a number no name, or a function does not exist.
        DomainError, OverflowError: it has no value at these numbers.
    """
    statements = _statements(text)
    reader = _Reader(numbers)
    try:
        output = reader.run(statements)
    except RecursionError:
        raise FormulaError(_TOO_DEEP) from None
    unused = [name for name in numbers if name not in reader.used]
    if unused:
        raise FormulaError(f"{unused[0]!r:.200} does not occur in the formula; it has {_listed(sorted(reader.used))}")
    if isinstance(output, bool | autograd.Condition):
        raise FormulaError("the formula ends with a comparison, which has no derivative; write where(x > 0, a, b)")
    if not isinstance(output, Value):
        raise FormulaError("the result depends on no name, so there is nothing to differentiate; write x and x=2")
    return output, reader.names


def last_expression(text: str) -> str:
    """What a formula computes in the end, as it is written, without the assignments before.

    >>> last_expression("z = w*x + b; tanh(z)"), last_expression("z = w*x + b")
    ('tanh(z)', 'w*x + b')
    """
    last = _statements(text)[-1]
    assert isinstance(last, ast.Assign | ast.Expr)
    return ast.get_source_segment(text.strip(), last.value) or ast.unparse(last.value)


def name_of(text: str) -> str:
    """A name as Python reads it in a formula, where some characters are others: "ﬁ" is "fi".

    >>> name_of("ﬁ")
    'fi'

    Raises:
        FormulaError: it can be no name.
    """
    name = unicodedata.normalize("NFKC", text)
    if not (text.isidentifier() and name.isidentifier()):
        raise FormulaError(f"{shortened(text)} is no name; write a letter, and letters, digits and _ after it")
    _refuse_if_long(name)
    if keyword.iskeyword(name):
        raise FormulaError(f"{name!r:.200} is a word of Python's own; write {name}_ or another name")
    return name


_TOO_DEEP = "the formula is too deep, with too many operations inside of each other; give names to parts of it"


def _statements(text: str) -> list[ast.stmt]:
    if len(text) > MOST_CHARACTERS:
        raise FormulaError(f"the formula has {len(text)} characters; at most {MOST_CHARACTERS} are read")
    if not text.isascii():
        odd = next((c for c in text if unicodedata.category(c) == "Cs"), None)
        if odd is not None:
            raise FormulaError(f"{shortened(text)} is not a formula: {odd!r:.200} is no character")
    if "\0" in text:
        raise FormulaError(f"{shortened(text)} is not a formula: it holds a null character")
    try:
        with shielded(warnings.catch_warnings()):  # Python warns of some errors that are said here
            warnings.simplefilter("ignore")
            tree = ast.parse(text.strip())
    except SyntaxError as error:
        if "digits" in error.msg:  # of an integer, which Python reads up to some 4,300 digits only
            raise FormulaError(_TOO_LARGE) from None
        if "nested" in error.msg:
            raise FormulaError(_TOO_DEEP) from None
        place = f" at character {error.offset}" if error.offset else ""
        raise FormulaError(f"{shortened(text)} is not a formula: {error.msg}{place}") from None
    except (RecursionError, MemoryError):
        raise FormulaError(_TOO_DEEP) from None
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            _refuse_if_long(node.id)
    return tree.body


def _refuse_if_long(name: str) -> None:
    if len(name) > MOST_IN_A_NAME:
        raise FormulaError(f"the name {shortened(name)} has more than {MOST_IN_A_NAME} characters")


def _listed(names: Iterable[str]) -> str:
    found = list(names)
    more = f" and {len(found) - 20} more" if len(found) > 20 else ""
    return ", ".join(map(repr, found[:20])) + more or "no names"


class _Reader:
    def __init__(self, numbers: Mapping[str, float]) -> None:
        self.names: dict[str, Any] = {name: Value(number, name) for name, number in numbers.items()}
        self.used: set[str] = set()

    def run(self, statements: list[ast.stmt]) -> Any:
        """The number of the last statement; those before it assign names."""
        found: Any = None
        for place, statement in enumerate(statements):
            match statement:
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    if name in self.names:
                        raise FormulaError(f"{name!r:.200} has a number already; give the result another name")
                    found = self._read(value)
                    if isinstance(found, Value) and not found.label:
                        found.label = name
                    self.names[name] = found
                case ast.Expr(value=value) if place == len(statements) - 1:
                    found = self._read(value)
                case ast.Expr():
                    what = shortened(ast.unparse(statement))
                    raise FormulaError(f"{what} stands before the end of the formula without a name; write z = …")
                case _:
                    raise _unknown(statement, "assignments such as z = w*x + b, and at the end one expression")
        if found is None:
            raise FormulaError("the formula is empty; write one such as tanh(w*x + b)")
        return found

    def _read(self, node: ast.expr) -> Any:
        """The Value, number or condition of an expression."""
        match node:
            case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
                return _as_float(number)
            case ast.Name(id=name):
                return self._named(name)
            case ast.BinOp(left=left, op=ast.Pow(), right=right):
                return autograd.pow(self._number(left), self._number(right))
            case ast.BinOp(op=sign) if type(sign) in _OPERATORS:
                return self._combined(node)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -self._number(operand)
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self._number(operand)
            case ast.Compare(left=left, ops=[sign], comparators=[right]) if type(sign) in _COMPARISONS:
                return _COMPARISONS[type(sign)](self._number(left), self._number(right))
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
                return self._called(name, arguments)
        raise _unknown(node, "names, numbers, + - * / // % **, and functions of the table of primitives")

    def _number(self, node: ast.expr) -> Any:
        """The Value or number of an expression that is no comparison."""
        found = self._read(node)
        if isinstance(found, bool | autograd.Condition):
            raise FormulaError(
                f"{shortened(ast.unparse(node))} is a comparison, not a number; it may be the condition of where"
            )
        return found

    def _combined(self, node: ast.BinOp) -> Any:
        """What + - * / // % make, from left to right: a sum of a thousand terms is no deep formula."""
        steps = [node]
        while isinstance(left := steps[-1].left, ast.BinOp) and type(left.op) in _OPERATORS:
            steps.append(left)
        found = self._number(left)
        for step in reversed(steps):
            other = self._number(step.right)
            try:
                found = _OPERATORS[type(step.op)](found, other)
            except ZeroDivisionError:  # of two plain numbers
                raise DomainError(f"a division by zero: {shortened(ast.unparse(step.right))} is 0") from None
        return found

    def _named(self, name: str) -> Any:
        self.used.add(name)
        if name in self.names:
            return self.names[name]
        if name in _CONSTANTS:
            return _CONSTANTS[name]
        known = f"; there are {_listed(self.names)}" if self.names else ""
        raise FormulaError(f"{name!r:.200} has no number{known}: write {name}=1.5 after the formula")

    def _called(self, name: str, arguments: list[ast.expr]) -> Any:
        try:
            row = autograd.find(_BUILT_IN.get(name, name))
        except KeyError as error:
            if name in self.names:
                raise FormulaError(
                    f"{name!r:.200} is a number, not a function; write {name}*(…) for a product"
                ) from None
            raise FormulaError(str(error.args[0])) from None
        function = getattr(autograd, row.name, None)
        if function is None or row.compares:
            raise FormulaError(f"{name} cannot stand in a formula; a comparison is written x < 1")
        if row.name == "dot":
            raise FormulaError("dot takes two lists, which a formula has not; write the products and their sum")
        if row.n_ary:
            if not arguments:
                raise FormulaError(f"{name} takes at least one argument; none was given")
            return function([self._number(argument) for argument in arguments])
        parameters = inspect.signature(function).parameters.values()
        least = sum(parameter.default is parameter.empty for parameter in parameters)
        if not least <= len(arguments) <= row.arity:
            number = _counted(row.arity) if least == row.arity else f"{least} to {_counted(row.arity)}"
            names = ", ".join(row.arguments[: row.arity])
            raise FormulaError(f"{name} takes {number} ({names}); {len(arguments)} were given")
        if row.name == "where":
            return self._chosen(*arguments)
        operands = [self._number(argument) for argument in arguments]
        if row.arity > 1 and not callable(row.partials):  # slopes and bounds have no derivative
            for operand, parameter, rule in zip(operands, row.arguments, row.partials, strict=False):
                if rule is None and isinstance(operand, Value):
                    raise FormulaError(f"{name}: {parameter} is a plain number, such as 0.5; no name may stand in it")
        return function(*operands)

    def _chosen(self, condition: ast.expr, x: ast.expr, y: ast.expr) -> Any:
        """Where; a branch without a value at these numbers is an error only if it is taken."""
        decided = self._read(condition)
        if not isinstance(decided, bool | autograd.Condition):
            what = shortened(ast.unparse(condition))
            raise FormulaError(f"where takes a comparison first, such as x > 0; {what} is a number")
        return autograd.where(decided, self._branch(x), self._branch(y))

    def _branch(self, node: ast.expr) -> Any:
        try:
            return self._number(node)
        except (DomainError, OverflowError) as error:
            failure = error

        def taken_all_the_same() -> Any:
            raise failure

        return taken_all_the_same


def shortened(text: str) -> str:
    """A text in quotes as an error shows it: what is long is cut."""
    return repr(text if len(text) <= 60 else text[:59] + "…")


def _counted(number: int) -> str:
    return f"{number} argument{'' if number == 1 else 's'}"


_TOO_LARGE = "a number of the formula is too large for a float"


def _as_float(number: int | float) -> float:
    try:
        found = float(number)
    except OverflowError:
        found = math.inf
    if math.isinf(found):
        raise FormulaError(_TOO_LARGE)
    return found


def _unknown(node: ast.AST, wanted: str) -> FormulaError:
    inner = node.op if isinstance(node, ast.BinOp) else node
    remedy = _INSTEAD.get(type(node)) or _INSTEAD.get(type(inner)) or f"there may be {wanted}"
    return FormulaError(f"{shortened(ast.unparse(node))} cannot stand in a formula; {remedy}")
