"""SymPy as a number system: values, derivatives and exactness; the rules of the table against SymPy's own."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import pytest
import sympy

import autograd
from autograd import TABLE, DomainError, Primitive, Value, dot, evaluate, where
from autograd.number_systems import sympy_
from autograd.number_systems.formulas import used_by
from tests.checks import record

x = sympy.Symbol("x", real=True)

#: Rows with an example of one value, which is the rest of what SymPy can differentiate by itself.
#: SymPy does not derive what jumps at whole numbers.
WHOLE = {"floor", "ceil"}
ROWS = [
    row
    for row in TABLE.values()
    if row.example is not None
    and not WHOLE & {row.name, *(used_by(row, rounded=False) if row.formula is not None else ())}
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_rule_is_what_sympy_derives(row: Primitive) -> None:
    """Each partial, as a formula, against SymPy's derivative of the value's formula, at exact numbers."""
    assert row.example is not None
    point, value = row.example
    symbols = sympy.symbols(f"x0:{len(point)}", real=True)
    at = {symbol: sympy_.number(number) for symbol, number in zip(symbols, point, strict=True)}
    formula = getattr(sympy_, row.name)(*symbols)
    assert float(sympy.N(formula.subs(at))) == pytest.approx(value, abs=1e-6)  # the examples have six digits
    assert not callable(row.partials)
    for symbol, rule in zip(symbols, row.partials, strict=True):
        if rule is not None:
            own = sympy.sympify(rule(sympy_, formula, *symbols))
            # Kinks lie elsewhere, so what SymPy writes with DiracDelta is zero here.
            difference = (own - sympy.diff(formula, symbol)).subs(at).doit()
            assert abs(sympy.N(difference, 30)) < 1e-25


def test_a_graph_is_a_formula() -> None:
    v, w = Value(0.5), Value(2.0)
    formula, (by_v, by_w) = evaluate((v * w + 1.0).tanh(), "sympy", at={v: x}, wrt=[v, w])
    assert formula == sympy.tanh(2 * x + 1)
    assert sympy.simplify(by_v - sympy.diff(formula, x)) == 0
    assert sympy.simplify(by_w - x * (1 - sympy.tanh(2 * x + 1) ** 2)) == 0


def test_numbers_are_exact_where_they_are_short() -> None:
    assert evaluate(Value(2.0).sqrt(), "sympy") == sympy.sqrt(2)
    assert evaluate(Value(0.5) * 3.0, "sympy") == sympy.Rational(3, 2)
    assert evaluate(Value(1.0).exp(), "sympy") == sympy.E
    tenth = evaluate(Value(0.1), "sympy")
    assert (tenth.is_Float, float(tenth)) == (True, 0.1)
    assert sympy_.number(Fraction(1, 3)) == sympy.Rational(1, 3)
    assert sympy_.number(True) == 1
    assert [sympy_.number(number) for number in (math.inf, -math.inf)] == [sympy.oo, -sympy.oo]
    assert sympy_.number(math.nan) is sympy.nan
    assert sympy_.number(1e300).is_Float


def test_a_text_is_refused_because_sympy_would_run_it() -> None:
    v = Value(1.0)
    with pytest.raises(TypeError, match=r"not the text 'x'; write sympy\.Symbol\('x'\)"):
        evaluate(v * 2.0, "sympy", at={v: "x"})


@pytest.mark.parametrize(
    ("name", "number"),
    [("log", -1.0), ("log", 0.0), ("sqrt", -4.0), ("asin", 2.0), ("atanh", 1.0), ("reciprocal", 0.0)],
)
def test_a_number_outside_the_domain_is_refused(name: str, number: float) -> None:
    inside = Value(0.5)
    with pytest.raises(DomainError, match=name):
        evaluate(record(TABLE[name], [inside]), "sympy", at={inside: number})


def test_a_choice_of_symbols_is_piecewise() -> None:
    v = Value(2.0)
    formula, slope = evaluate(where(v > 1, v * v, 3.0 * v), "sympy", at={v: x}, wrt=v)
    for number in (0, 2):
        assert formula.subs(x, number) == (4 if number == 2 else 0)
        assert slope.subs(x, number) == (4 if number == 2 else 3)
    with pytest.raises(ValueError, match="a branch was a function that was never called; a formula needs both"):
        evaluate(where(v > 1, v * v, lambda: 3.0 * v), "sympy", at={v: x})
    assert evaluate(where(v > 1, v * v, lambda: 3.0 * v), "sympy") == 4


def test_kinks_keep_the_conventions_of_the_table() -> None:
    v = Value(0.0)
    assert evaluate(v.relu(), "sympy", wrt=v)[1] == 0
    assert evaluate(abs(v), "sympy", wrt=v)[1] == 0
    assert evaluate(autograd.maximum(v, 0.0), "sympy", wrt=v)[1] == sympy.Rational(1, 2)


def test_nan_compares_as_in_floats() -> None:
    v = Value(math.nan)
    assert evaluate(v.relu() * 1.0, "sympy") is sympy.nan
    assert evaluate(where(v > 0, 1.0 * v, 2.0), "sympy") == 2


def test_a_cube_root_is_the_real_one() -> None:
    assert evaluate(Value(-8.0).cbrt(), "sympy") == -2


def test_sums_are_written_out() -> None:
    w = [Value(1.0), Value(2.0)]
    a, b = sympy.symbols("a b")
    assert evaluate(dot(w, [3.0, 4.0], start=0.5), "sympy", at=dict(zip(w, (a, b), strict=True))) == (
        3 * a + 4 * b + sympy.Rational(1, 2)
    )


@autograd.primitive(
    partials=[lambda m, z, x: 2 * x * m.exp(x * x)],
    domain=lambda x: (x > -1) & (x % 1 != 5) | (abs(x) == 7),
    needs="> -1",
)
def steep(m: Any, x: Any) -> Any:
    return m.exp(x * x)


def test_a_primitive_of_ones_own_with_a_domain() -> None:
    v = Value(0.5)
    formula, slope = evaluate(steep(v), "sympy", at={v: x}, wrt=v)
    assert slope == sympy.diff(formula, x)
    with pytest.raises(DomainError, match="steep needs > -1"):
        evaluate(steep(v), "sympy", at={v: -2.0})


def test_a_limit_is_no_formula() -> None:
    row = TABLE["sqrt"]
    with pytest.raises(ValueError, match="sqrt has no slope that is one formula for all x"):
        sympy_.limit(math.inf, row, [x])
    assert sympy_.limit(math.inf, row, [sympy.Integer(0)]) is sympy.oo
