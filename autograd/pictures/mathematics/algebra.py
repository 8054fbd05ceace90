"""The algebra of derivations: rules over SymPy at one recorded point. The one file of pictures that imports SymPy.

Two number systems stand here. In ``AtPoint`` rules become results: as in the system "sympy", but a comparison is
decided by the numbers that were recorded, so that a derivation shows the formula of the branch taken; what was decided
is kept. In ``AsWritten`` operations become what the user wrote, unevaluated and in his order.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import sympy

from autograd.number_systems import common, floats, sympy_
from autograd.number_systems.formulas import used_by
from autograd.primitives import TABLE, Primitive
from autograd.rules import FAR

Expression = Any  # sympy.Expr

count_ops = sympy.count_ops
number, sympify = sympy_.number, sympy.sympify


def symbol(name: str) -> Expression:
    """The symbol of a label. It is real, and known to be: otherwise SymPy takes three times as long for each tanh that
    stands inside of another (measured: 40 seconds for ten)."""
    return sympy.Symbol(name, real=True)


def stand_in(name: str) -> Expression:
    """A symbol that is like no other."""
    return sympy.Dummy(name, real=True)


def function(name: str) -> Callable[..., Expression]:
    """A function of which nothing is known but its name, and that it is real."""
    return sympy.Function(name, real=True)  # type: ignore[no-any-return]


class Sigmoid(sympy.Function):  # type: ignore[misc]  # SymPy publishes no types
    """σ(x) kept in one piece, with σ(-x) = 1 - σ(x) and σ′ = σ·(1 - σ); ``rewrite(sympy.exp)`` opens it."""

    nargs = 1

    @classmethod
    def eval(cls, x: Expression) -> Expression:
        if x.is_number:
            return 1 / (1 + sympy.exp(-x))
        return 1 - cls(-x) if x.could_extract_minus_sign() else None

    def _eval_is_real(self) -> Any:
        return self.args[0].is_real

    def fdiff(self, argindex: int = 1) -> Expression:
        return self * (1 - self)

    def _eval_rewrite_as_exp(self, x: Expression, **_: Any) -> Expression:
        return 1 / (1 + sympy.exp(-x))


class Decision(NamedTuple):
    """A comparison that the recorded numbers decided: ``less``, ``greater`` …, its two sides and the outcome."""

    relation: str
    left: Expression
    right: Expression
    outcome: bool
    #: False if one side is nan, of which no comparison holds.
    ordered: bool = True

    def replace(self, expressions: Mapping[Expression, Expression]) -> Decision:
        """The same comparison of other expressions."""
        left, right = (side.xreplace(expressions) for side in (self.left, self.right))
        return self._replace(left=left, right=right)


class AtPoint:
    """A number system of SymPy expressions that knows the number of each symbol, and decides comparisons by it."""

    NAME = sympy_.NAME
    LANES = False
    LACKS: Mapping[str, str] = MappingProxyType({})
    pi = sympy_.pi
    sigmoid = Sigmoid
    number, plain, computing = staticmethod(sympy_.number), staticmethod(sympy_.plain), staticmethod(sympy_.computing)
    where, limit = staticmethod(common.where), staticmethod(sympy_.limit)
    is_formula = staticmethod(sympy_.is_formula)

    def __init__(self, numbers: Mapping[Expression, float]) -> None:
        self.numbers = numbers
        self.decisions: list[Decision] = []

    def _number_of(self, x: Any) -> float:
        """The float behind an expression: of a symbol the recorded one, to the last bit."""
        if not isinstance(x, sympy.Basic):
            return float(x)
        if x in self.numbers:
            return self.numbers[x]
        return float(x.xreplace({known: sympy_.number(value) for known, value in self.numbers.items()}))

    def _decide(self, relation: str, x: Any, y: Any) -> bool:
        a, b = self._number_of(x), self._number_of(y)
        outcome = bool(getattr(floats, relation)(a, b))
        sides = sympy.sympify(x), sympy.sympify(y)
        within_reach = not outcome and sides[1] in (-FAR, FAR)  # as all is that a formula speaks of
        if (sides[0].free_symbols or sides[1].free_symbols) and not within_reach:
            self.decisions.append(Decision(relation, *sides, outcome, a == a and b == b))
        return outcome

    def less(self, x: Any, y: Any) -> bool:
        return self._decide("less", x, y)

    def less_equal(self, x: Any, y: Any) -> bool:
        return self._decide("less_equal", x, y)

    def greater(self, x: Any, y: Any) -> bool:
        return self._decide("greater", x, y)

    def greater_equal(self, x: Any, y: Any) -> bool:
        return self._decide("greater_equal", x, y)

    def maximum(self, x: Any, y: Any) -> Expression:
        return x if self.greater(x, y) else y

    def minimum(self, x: Any, y: Any) -> Expression:
        return x if self.less(x, y) else y

    def abs(self, x: Any) -> Expression:
        return -x if self.less(x, 0) else x

    def sign(self, x: Any) -> Expression:
        return sympy.Integer(1) if self.greater(x, 0) else sympy.Integer(-1 if self.less(x, 0) else 0)

    def cbrt(self, x: Any) -> Expression:
        third = sympy.Rational(1, 3)
        return -((-x) ** third) if self.less(x, 0) else x**third


def _from_formula(row: Primitive) -> Callable[..., Expression]:
    return lambda m, *operands: row.formula(m, *operands)


for _row in TABLE.values():
    if hasattr(AtPoint, _row.name):
        continue
    if _row.formula is not None and not _row.n_ary and "where" in used_by(_row, rounded=False):
        setattr(AtPoint, _row.name, _from_formula(_row))  # here, where its comparisons are decided
    else:
        setattr(AtPoint, _row.name, staticmethod(getattr(sympy_, _row.name)))


# Formulas as they were written.


def _sum(terms: Sequence[Expression]) -> Expression:
    return sympy.Add(*terms, evaluate=False) if len(terms) > 1 else terms[0] if terms else sympy.Integer(0)


def product(factors: Sequence[Expression]) -> Expression:
    """The product, left as it is."""
    return sympy.Mul(*factors, evaluate=False) if len(factors) > 1 else factors[0] if factors else sympy.Integer(1)


def put_in(expression: Expression, meaning: Mapping[Expression, Expression]) -> Expression:
    """The expression with others in the places of its symbols, a product of them not multiplied out."""
    if not expression.is_Mul:
        return expression.xreplace(meaning)
    return product([factor.xreplace(meaning) for factor in expression.args])


def _power(x: Expression, y: Any) -> Expression:
    return sympy.Pow(x, y, evaluate=False)


class AsWritten:
    """The operations with a notation of their own, nothing of them evaluated."""

    add = staticmethod(lambda x, y: _sum([x, y]))
    sub = staticmethod(lambda x, y: _sum([x, product([sympy.Integer(-1), y])]))
    mul = staticmethod(lambda x, y: product([x, y]))
    div = staticmethod(lambda x, y: product([x, _power(y, -1)]))
    neg = staticmethod(lambda x: product([sympy.Integer(-1), x]))
    pow = staticmethod(_power)
    square = staticmethod(lambda x: _power(x, 2))
    sqrt = staticmethod(lambda x: _power(x, sympy.Rational(1, 2)))
    reciprocal = staticmethod(lambda x: _power(x, -1))
    identity = detach = staticmethod(common.identity)
    sigmoid = staticmethod(lambda x: function("σ")(x))
    clip = staticmethod(  # a rule holds what is far out within reach, for floats alone
        lambda x, *bounds: x if bounds == (-FAR, FAR) else function("clip")(x, *bounds, evaluate=False)
    )
    sum, prod = staticmethod(_sum), staticmethod(product)
    mean = staticmethod(lambda xs: product([sympy.Rational(1, len(xs)), _sum(xs)]) if len(xs) > 1 else xs[0])

    @staticmethod
    def dot(xs: Sequence[Expression]) -> Expression:
        """x₁·y₁ + … + start, the start, a bias mostly, last; terms with a factor that is written as 0 are kept."""
        n = len(xs) // 2
        terms = [product(pair) for pair in zip(xs[:n], xs[n : 2 * n], strict=True)]
        return _sum([*terms, xs[-1]] if len(xs) % 2 else terms)


def written(primitive: Primitive, operands: Sequence[Expression]) -> Expression:
    """The operation on these expressions as a formula, nothing of it evaluated; by its name where it has no notation of
    its own."""
    own = getattr(AsWritten, primitive.name, None) if primitive.built_in else None
    if own is None:
        return function(primitive.name)(*operands, evaluate=False)
    return own(operands) if primitive.n_ary else own(*operands)


def shortened(formula: Expression, name: str) -> Expression:
    """A long sum with dots for the terms in the middle that a symbol does not occur in."""
    terms = list(formula.args) if formula.is_Add else []
    if len(terms) <= 5:
        return formula
    kept = [terms[0]]
    for place, term in enumerate(terms[1:], start=1):
        if place == len(terms) - 1 or term.has(symbol(name)):
            kept.append(term)
        elif kept[-1] != DOTS:
            kept.append(DOTS)
    return _sum(kept)


#: What stands for the terms that are left out.
DOTS = symbol("…")

# Results.

#: Expressions with more operations than this are left as they came: to rewrite them would take seconds.
MOST_TIDIED = 150
#: A product of more sums is not multiplied out.
MOST_SUMS = 6
#: What would have more terms is not multiplied out: 1,600 of them, of (x + 1)**1600, take five seconds.
MOST_TERMS = 300
#: To prove two formulas equal, more may be.
MOST_TERMS_OF_A_PROOF = 3000
#: A number of more digits is nothing that anybody reads, and Python writes no more than some 4,300.
MOST_DIGITS = 3000


def refuse_giants(base: Expression, exponent: Expression) -> None:
    """Raise if a power has an exact number of too many digits, such as the 2**1000000000 in (2*x)**1000000000."""
    digits = _digits_of_power(base, exponent)
    if digits > MOST_DIGITS:
        shown = str(base) if len(str(base)) <= 40 else f"{str(base)[:39]}…"
        raise ValueError(
            f"the power of {shown} holds a number of some {digits:.3g} digits, and {MOST_DIGITS} are the limit. Label "
            "what is raised (value.label = 'h'; in the text of a formula h = 2*x; h**3)"
        )


def is_giant_inside(expression: Expression) -> bool:
    """Whether a function of it is of a power of a sum that nobody can multiply out: SymPy does, to ask for its sign."""
    arguments = [argument for function in expression.atoms(sympy.Function) for argument in function.args]
    powers = [power for argument in arguments for power in argument.atoms(sympy.Pow)]
    return any(_terms_of_power(p.base, p.exp) > MOST_TERMS_OF_A_PROOF for p in powers if p.base.is_Add)


def _terms_of_power(base: Expression, exponent: Expression) -> int:
    terms = len(base.args)
    return math.comb(int(abs(exponent)) + terms - 1, terms - 1) if exponent.is_Rational or exponent.is_Float else 1


def _digits_of_power(base: Expression, exponent: Expression) -> float:
    if not (exponent.is_Rational or exponent.is_Float):
        return 0.0
    if base.is_Mul:
        return sum([_digits_of_power(factor, exponent) for factor in base.args])
    if base.is_Pow:
        return _digits_of_power(base.base, base.exp * exponent)
    return math.log10(max(abs(base.p), base.q)) * abs(float(exponent)) if base.is_Rational else 0.0


def _terms(expression: Expression) -> int:
    """No fewer than the terms that multiplying out makes of the expression, or of an argument in it."""
    if expression.is_Add:
        return sum(map(_terms, expression.args))
    if expression.is_Mul:
        return math.prod(map(_terms, expression.args))
    most = max(map(_terms, expression.args), default=1)
    if expression.is_Pow and (expression.exp.is_Rational or expression.exp.is_Float) and 1 < most <= MOST_TERMS:
        return max(most, math.comb(int(abs(expression.exp)) + most - 1, most - 1))
    return most


def tidy(expression: Expression) -> Expression:
    """The shortest of a few equal forms: as it came, over one denominator, with common factors in front."""
    expression = sympy.sympify(expression)
    length = sympy.count_ops(expression)
    if not expression.free_symbols or not 1 < length <= MOST_TIDIED or len(expression.atoms(sympy.Add)) > MOST_SUMS:
        return expression
    if _terms(expression) > MOST_TERMS:
        return expression
    forms = [sympy.factor_terms(expression), expression]
    if expression.has(sympy.Add):
        forms += [_over_one_denominator(expression), sympy.expand(expression)]
    return min(forms, key=sympy.count_ops)  # the first of the shortest


def _over_one_denominator(expression: Expression) -> Expression:
    numerator, denominator = sympy.fraction(sympy.together(sympy.expand_power_exp(expression)))
    return sympy.factor_terms(sympy.expand(numerator)) / denominator


def is_defined(expression: Expression) -> bool:
    """False for what SymPy answers where there is no number."""
    return not expression.has(sympy.nan, sympy.zoo)


def proves_equal(left: Expression, right: Expression) -> bool:
    """True if algebra shows that both are the same; False says nothing."""
    if left == right:
        return True
    if _terms(left - right) > MOST_TERMS_OF_A_PROOF:
        return False
    difference = sympy.expand(left - right)
    if difference == 0:
        return True
    if difference.has(sympy.Float) or sympy.count_ops(difference) > MOST_TIDIED:
        return False  # rounded numbers prove nothing
    return bool(sympy.simplify(difference.rewrite(sympy.exp)) == 0)


def as_latex(expression: Expression) -> str:
    """SymPy's own LaTeX, for what the printer of formulas does not know."""
    return str(sympy.latex(expression))
