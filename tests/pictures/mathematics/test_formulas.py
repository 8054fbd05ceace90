"""Formulas in plain text and LaTeX: what is written is what the expression is, brackets and signs included."""

from __future__ import annotations

from typing import Any

import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from autograd.pictures.mathematics.algebra import Sigmoid, product, shortened, tidy
from autograd.pictures.mathematics.formulas import Latex, Text
from autograd.pictures.mathematics.notation import RAISED_DIGITS

a2, x, y, z = sympy.symbols("a² x y z", real=True)
NUMBERS = {a2: sympy.Rational(3, 7), x: sympy.Rational(5, 11), y: sympy.Rational(2, 3), z: sympy.Rational(13, 8)}

_VULGAR = {"½": "1/2", "⅓": "1/3", "⅔": "2/3", "¼": "1/4", "¾": "3/4", "⅕": "1/5", "⅙": "1/6", "⅛": "1/8"}
_DIGITS = {chr(raised): chr(digit) for digit, raised in RAISED_DIGITS.items()}


def read(text: str) -> Any:
    """The text as SymPy reads it, once its signs are Python's."""
    text = text.replace("a²", "A").replace("·", "*").replace("−", "-").replace("π", "pi").replace("^", "**")
    for sign, number in _VULGAR.items():
        text = text.replace(sign, f"({number})")
    while "√" in text:
        at = text.index("√")
        if text[at + 1] == "(":
            text = text[:at] + "sqrt" + text[at + 1 :]
        else:
            end = at + 1
            while end < len(text) and text[end].isalnum() and text[end] not in _DIGITS:
                end += 1
            text = f"{text[:at]}sqrt({text[at + 1 : end]}){text[end:]}"
    for raised, digit in _DIGITS.items():
        text = text.replace(raised, f"**{digit}")
    return sympy.sympify(text, locals={"A": a2, "x": x, "y": y, "z": z, "e": sympy.E})


rationals = st.builds(sympy.Rational, st.integers(-5, 5), st.integers(1, 8))
exponents = st.sampled_from([2, 3, -1, -2, sympy.Rational(1, 2), sympy.Rational(-1, 2), sympy.Rational(3, 10)])


def _combined(smaller: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    several = st.lists(smaller, min_size=2, max_size=3)
    # What is negative has no real root, so a root is taken of a square.
    return st.one_of(
        several.map(lambda xs: sympy.Add(*xs)),
        several.map(lambda xs: sympy.Mul(*xs)),
        # SymPy takes no common factor out of zeros that are left to be added.
        several.filter(any).map(lambda xs: sympy.Add(*xs, evaluate=False)),
        several.map(product),
        smaller.map(lambda e: sympy.Mul(-1, e, evaluate=False)),
        st.tuples(smaller, exponents).map(lambda p: sympy.Pow(p[0] ** 2 + 1, p[1])),
        st.tuples(smaller, exponents.filter(lambda n: n == int(n) and n > 0)).map(lambda p: p[0] ** p[1]),
        smaller.map(sympy.exp),
        smaller.map(sympy.tanh),
    )


formulas = st.recursive(st.one_of(st.sampled_from([a2, x, y, z]), rationals), _combined, max_leaves=6)


@given(formulas)
def test_the_text_reads_back_as_the_expression(formula: Any) -> None:
    formula = sympy.sympify(formula)
    expected = sympy.N(formula.subs(NUMBERS).doit(), 30)
    if not expected.is_finite or abs(expected) > 10**12:
        return
    found = sympy.N(read(Text(17)(formula)).subs(NUMBERS), 30)
    assert abs(found - expected) <= 1e-15 * (1 + abs(expected)), Text()(formula)


@given(formulas)
def test_the_latex_is_balanced_and_has_the_same_brackets(formula: Any) -> None:
    """Both styles go the same way, so LaTeX is right where text is; fractions and roots need no brackets there."""
    latex = Latex()(sympy.sympify(formula))
    assert latex.count(r"\left(") == latex.count(r"\right)")
    assert latex.count("{") == latex.count("}")


@pytest.mark.parametrize(
    ("formula", "text", "latex"),
    [
        (a2 - y, "a² − y", "a^{2} - y"),
        (y - a2, "y − a²", "y - a^{2}"),
        (a2 * (1 - a2), "a²·(1 − a²)", r"a^{2} \cdot \left(1 - a^{2}\right)"),
        (a2**2, "(a²)²", r"\left(a^{2}\right)^{2}"),
        (x**2, "x²", "x^{2}"),
        (-(x**2), "−x²", "-x^{2}"),
        ((a2 - y) / (a2 * (1 - a2)), "(a² − y)/(a²·(1 − a²))", r"\frac{a^{2} - y}{a^{2} \cdot \left(1 - a^{2}\right)}"),
        (product([sympy.Rational(1, 2), sympy.Integer(2), y - a2, sympy.Integer(-1)]), "½·2·(y − a²)·(−1)", None),
        (x / 7, "x/7", r"\frac{x}{7}"),
        (2 * (x - y) / 3, "⅔·x − ⅔·y", None),
        (1 / (1 + sympy.exp(-z)), "1/(1 + exp(−z))", r"\frac{1}{1 + e^{-z}}"),
        (sympy.sqrt(x + 1), "√(1 + x)", r"\sqrt{1 + x}"),
        (x**y, "x^y", "x^{y}"),
        (x ** (y + 1), "x^(1 + y)", "x^{1 + y}"),
        (Sigmoid(z) * Sigmoid(-z), "(1 − σ(z))·σ(z)", None),
        (sympy.Float(0.1) * x, "0.1·x", r"0.1 \cdot x"),
        (sympy.Float(1.5e-7) * x, "1.5e−07·x", r"1.5 \times 10^{-7} \cdot x"),
        (sympy.log(x) / sympy.log(2), "log(x)/log(2)", None),
        (2 * sympy.pi * x, "2·π·x", r"2 \cdot \pi \cdot x"),
        (sympy.oo, "∞", r"\infty"),
        (sympy.Piecewise((x, x > 0), (0, True)), "Piecewise((x, x > 0), (0, True))", None),
    ],
)
def test_how_formulas_are_written(formula: Any, text: str, latex: str | None) -> None:
    assert Text()(formula) == text
    if latex is not None:
        assert Latex()(formula) == latex


def test_a_long_sum_is_shortened_around_what_matters() -> None:
    terms = sympy.symbols("t0:9", real=True)
    formula = sympy.Add(*terms, evaluate=False)
    assert Text()(shortened(formula, "t4")) == "t0 + … + t4 + … + t8"
    assert Latex()(shortened(formula, "t0")) == r"t_{0} + \cdots + t_{8}"
    assert shortened(sympy.Add(*terms[:5], evaluate=False), "t0").args == terms[:5]


@given(formulas)
def test_tidying_changes_nothing(formula: Any) -> None:
    formula = sympy.sympify(formula).doit()
    expected = sympy.N(formula.subs(NUMBERS), 30)
    if expected.is_finite:
        assert abs(sympy.N(tidy(formula).subs(NUMBERS), 30) - expected) <= 1e-25 * (1 + abs(expected))
