"""SymPy expressions: a graph evaluated here is a formula. The one file that imports SymPy in this folder.

Numbers that a person would write as a fraction, such as 0.5 or 3.0, become exact; 0.1, which no float holds, stays a
float of 53 bits. A comparison of symbols is not decided, so what depends on it is ``Piecewise``. Where a rule divides
by an exact zero, or comes to ``nan`` in another way, the limits of the table hold.
Zero has no sign here, so an angle of ``atan2`` that depends on it is refused.
"""

from __future__ import annotations

import math
import operator
import sys
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from fractions import Fraction
from typing import Any

import sympy

from autograd.number_systems import common
from autograd.number_systems.formulas import complete, formula_of
from autograd.primitives import TABLE, Primitive, Rule

NAME = "sympy"
LANES = False
LACKS: dict[str, str] = {}

Expression = Any  # sympy.Expr

pi = sympy.pi

#: A float is written as a fraction if its denominator, a power of two, is at most this.
LARGEST_DENOMINATOR = 1024


def number(x: Any) -> Expression:
    """An exact number where it is short, a float of SymPy's where it is not; an expression as it is.

    >>> print(number(0.75), number(2.0), number(0.5) * sympy.Symbol("x"), number(0.1) * sympy.Symbol("x"))
    3/4 2 x/2 0.1*x

    Raises:
        TypeError: a text; SymPy would run it as code.
    """
    if isinstance(x, sympy.Basic):
        return x
    if isinstance(x, str):
        raise TypeError(
            f"a number or a SymPy expression is wanted, not the text {x!r:.200}; write sympy.Symbol({x!r:.200})"
        )
    if isinstance(x, int):
        return sympy.Integer(int(x))
    if isinstance(x, Fraction):
        return sympy.Rational(x.numerator, x.denominator)
    if not hasattr(x, "__float__"):
        return sympy.sympify(x)
    x = float(x)
    if not math.isfinite(x):
        return sympy.nan if math.isnan(x) else sympy.oo if x > 0 else -sympy.oo
    numerator, denominator = x.as_integer_ratio()
    if denominator <= LARGEST_DENOMINATOR and math.fabs(numerator) < 2**53:
        return sympy.Rational(numerator, denominator)
    return sympy.Float(x)


class Anywhere:
    """What stands for a symbol where a domain is asked: it is inside of every one."""

    def _itself(self, *_: Any) -> Any:
        return self

    def _yes(self, _: Any) -> bool:
        return True

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _itself
    __mod__ = __pow__ = __rpow__ = __neg__ = __abs__ = _itself
    __lt__ = __le__ = __gt__ = __ge__ = _yes
    __eq__ = __ne__ = _yes
    __hash__ = object.__hash__


def plain(x: Any) -> Any:
    """The float (or the truth) behind a number; of a formula, something that lies in every domain."""
    if not isinstance(x, sympy.Basic):
        return x
    if x in (sympy.true, sympy.false):
        return bool(x)
    if not getattr(x, "is_number", False):
        return Anywhere()
    x = sympy.N(x)
    nearest = float(x)
    if x.is_Float and (nearest == 0.0 != x or math.isinf(nearest)):  # in the range that numbers here do not have
        nearest = math.copysign(math.ulp(0.0) if nearest == 0.0 else sys.float_info.max, x)
    return nearest


def is_formula(*xs: Any) -> bool:
    """Whether what is made of these is kept as a formula: one is neither zero nor a float, and all are finite."""
    return not _holds_an_infinity(xs) and any(
        isinstance(x, sympy.Basic) and not x.is_Float and not x.is_zero for x in xs
    )


def _holds_an_infinity(xs: Iterable[Any]) -> bool:
    return any(x in (sympy.oo, -sympy.oo) for x in xs)


def limit(value: float, primitive: Any, operands: Any) -> Any:
    """A limit that the table states, as a number."""
    if any(isinstance(plain(operand), Anywhere) for operand in operands):
        raise ValueError(f"{primitive.name} has no slope that is one formula for all {', '.join(map(str, operands))}")
    return number(value)


def computing(digits: int | None = None) -> AbstractContextManager[Any]:
    """A context to compute in; formulas need none."""
    return nullcontext()


add, sub, mul, neg = operator.add, operator.sub, operator.mul, operator.neg
exp, sinh, cosh, tanh, asinh, atan = sympy.exp, sympy.sinh, sympy.cosh, sympy.tanh, sympy.asinh, sympy.atan
sin, cos, tan, sqrt, log = sympy.sin, sympy.cos, sympy.tan, sympy.sqrt, sympy.log
asin, acos, acosh, atanh = sympy.asin, sympy.acos, sympy.acosh, sympy.atanh
div = operator.truediv
erf, erfc, abs, sign, floor, ceil = sympy.erf, sympy.erfc, sympy.Abs, sympy.sign, sympy.floor, sympy.ceiling


def pow(x: Expression, y: Expression) -> Expression:
    """As IEEE has it at infinities and nan, where SymPy has nan or a complex number."""
    if x == 1:
        return sympy.Integer(1)
    if not _holds_an_infinity((x, y)) or not (x.is_number and y.is_number) or sympy.nan in (x, y):
        return x**y
    size = sympy.Abs(x)
    power = sympy.Integer(1) if size == 1 else size**y
    return -power if x == -sympy.oo and _exactly(y)[0] % 2 == 1 else power


def atan2(y: Expression, x: Expression) -> Expression:
    """As IEEE has it of infinities.

    Raises:
        ValueError: it depends on the sign of a zero, which numbers here have not.
    """
    if y == 0 and x.is_number and x <= 0:
        raise ValueError(common.NO_SIGN_OF_ZERO)
    if _holds_an_infinity((y,)) and x.is_number:
        y, x = sympy.sign(y), sympy.sign(x) if _holds_an_infinity((x,)) else sympy.Integer(0)
    return sympy.atan2(y, x)


def floor_divide(x: Expression, y: Expression) -> Expression:
    """By the exact quotient, since that of floats may be rounded up to the next integer."""
    a, b = _exactly(x, y)
    if b in (sympy.oo, -sympy.oo) and a.is_number:
        return sympy.Integer(0 if a.is_zero or a.is_positive == (b == sympy.oo) else -1)
    return sympy.floor(div(a, b))


def mod(x: Expression, y: Expression) -> Expression:
    a, b = _exactly(x, y)
    if b in (sympy.oo, -sympy.oo):
        return x if floor_divide(a, b) == 0 else y
    remainder = a - b * floor_divide(a, b)
    return remainder if (a, b) == (x, y) else sympy.Float(remainder)


def _exactly(*xs: Expression) -> tuple[Expression, ...]:
    """Numbers as fractions; formulas as they are."""
    if not all(getattr(x, "is_Rational", False) or getattr(x, "is_Float", False) for x in xs):
        return xs
    return tuple([sympy.Rational(x) for x in xs])


def cbrt(x: Expression) -> Expression:
    """The real root; SymPy's own is complex for negative numbers."""
    return sympy.sign(x) * sympy.Abs(x) ** sympy.Rational(1, 3)


def _comparison(relation: Any) -> Callable[[Any, Any], Any]:
    def compare(x: Any, y: Any) -> Any:
        if sympy.nan in (x, y):
            return sympy.false  # as floats have it
        return relation(x, y)

    return compare


less, less_equal = _comparison(sympy.StrictLessThan), _comparison(sympy.LessThan)
greater, greater_equal = _comparison(sympy.StrictGreaterThan), _comparison(sympy.GreaterThan)


def where(condition: Any, x: Any, y: Any) -> Expression:
    """The branch that holds; both, in a ``Piecewise``, while that is not decided."""
    if not isinstance(condition, sympy.Basic) or condition in (sympy.true, sympy.false) or condition.is_number:
        return common.where(condition, x, y)
    if x is None or y is None:
        raise ValueError(
            "where: a branch was a function that was never called; a formula needs both, give them as Values"
        )
    x, y = (sympy.sympify(branch() if callable(branch) else branch) for branch in (x, y))
    return x if x == y else sympy.Piecewise((x, condition), (y, True))


def maximum(x: Expression, y: Expression) -> Expression:
    return sympy.nan if sympy.nan in (x, y) else sympy.Max(x, y)


def minimum(x: Expression, y: Expression) -> Expression:
    return sympy.nan if sympy.nan in (x, y) else sympy.Min(x, y)


# Shorter than the choices that their formulas are.


def clip(x: Expression, low: Expression, high: Expression) -> Expression:
    if (low > high) is sympy.true:
        raise ValueError("low > high")
    return minimum(maximum(x, low), high)


def relu(x: Expression) -> Expression:
    return maximum(x, sympy.Integer(0))


# Where numbers are infinite, and where a slope is a limit


def _by_formula(row: Primitive) -> Callable[..., Any]:
    """A row's formula; of infinite numbers the stable one, in which no ∞ meets a zero."""

    def function(*operands: Any) -> Any:
        rounded = _holds_an_infinity(operands[0] if row.n_ary else operands)
        return formula_of(row, rounded=rounded)(sys.modules[__name__], *operands)

    return function


def _rule(row: Primitive, argument: int) -> Rule:
    def rule(m: Any, z: Any, *operands: Any) -> Any:
        own = row.rule(argument, m, operands)
        assert own is not None
        found = own(m, z, *operands)
        if found in (sympy.nan, sympy.zoo) and sympy.nan not in operands:
            plains = [plain(operand) for operand in operands]
            inside = row.partial_domain(argument)(*plains)
            if not inside or any(limit.at(*plains) for limit in row.limits_of(argument)):
                raise ZeroDivisionError
        if row.written and _holds_an_infinity(operands):  # that of floats, of a number far out
            return number(plain(found))
        return found

    return rule


#: Row → partials that take the place of its own: they say where they do not exist.
PARTIALS: dict[Primitive, tuple[Rule | None, ...]] = {
    row: tuple([rule and _rule(row, i) for i, rule in enumerate(row.partials)])
    for row in TABLE.values()
    if not callable(row.partials) and (row.limits or row.partial_domains or row.written)
}

for _row in TABLE.values():
    if _row.stable is not None and _row.name not in globals():
        globals()[_row.name] = _by_formula(_row)
complete(globals(), rounded=False)
