"""Mathematics as browsers draw it: a rule run in this number system writes its formula in MathML.

Operands are placeholders, ``{0}``, ``{1}``, …, and ``{z}`` for the result; the page fills them with names, and again
with numbers. ``{0!}`` is one where a negative number needs brackets.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from html import escape
from types import SimpleNamespace
from typing import Any

from autograd.number_systems.arithmetic import Arithmetic
from autograd.number_systems.source import slopes
from autograd.primitives import TABLE, Primitive

NAME = "mathml"
LANES = False
LACKS: dict[str, str] = {}

#: How tightly a formula holds together: a weaker one in a stronger place is put in brackets.
CASES, COMPARISON, SUM, NEGATIVE, PRODUCT, ATOM = range(6)


class Formula(Arithmetic):
    """A number that is known by its markup alone."""

    __slots__ = ("holds", "markup", "negated")

    def __init__(self, markup: str, holds: int = ATOM, negated: Formula | None = None) -> None:
        self.markup = markup
        self.holds = holds
        self.negated = negated  # of −x, the x

    def _apply(self, name: str, *operands: Any) -> Any:
        return apply(name, *operands)

    def __bool__(self) -> bool:
        raise TypeError("a formula has no truth: use m.where, m.greater, m.less")

    def __eq__(self, other: object) -> bool:
        raise TypeError("a formula cannot be compared with ==: use m.where, m.greater, m.less")

    __hash__ = object.__hash__


def operator(text: str) -> str:
    return f"<mo>{text}</mo>"


def bracketed(markup: str, left: str = "(", right: str = ")") -> str:
    """The markup between brackets that grow with it."""
    return f"<mrow>{operator(left)}{markup}{operator(right)}</mrow>"


def named(name: str) -> str:
    """A name that may hold whatever its user chose: neither markup nor a place for an operand is read into it."""
    return f"<mi>{escape(name).replace('{', '&#x7B;').replace('}', '&#x7D;')}</mi>"


def _number(x: float) -> Formula:
    if isinstance(x, bool) or x != x or abs(x) == float("inf"):
        text = named("∞" if x > 0 else "−∞") if x == x and not isinstance(x, bool) else named(str(x).lower())
        return Formula(text)
    digits = f"{abs(x):.6g}"
    return (
        Formula(f"<mrow>{operator('−')}<mn>{digits}</mn></mrow>", NEGATIVE) if x < 0 else Formula(f"<mn>{digits}</mn>")
    )


def formula_of(x: Any) -> Formula:
    """A plain number as a formula; a formula as it is."""
    return x if isinstance(x, Formula) else _number(x)


def _in(place: int, x: Formula) -> str:
    """The markup, in brackets where the place needs a formula that holds more tightly."""
    if x.holds == ATOM and x.markup.startswith("{") and place > SUM:
        return x.markup[:-1] + "!}"  # a negative number there needs them
    return x.markup if x.holds >= place else bracketed(x.markup)


def _row(*parts: str) -> str:
    return f"<mrow>{''.join(parts)}</mrow>"


def _fraction(x: Formula, y: Formula) -> Formula:
    return Formula(f"<mfrac>{_row(x.markup)}{_row(y.markup)}</mfrac>", PRODUCT)


def _power(x: Formula, exponent: str) -> Formula:
    base = _in(ATOM, x)
    return Formula(f"<msup>{_row(base)}{_row(exponent)}</msup>", PRODUCT)


def _negative(x: Formula) -> Formula:
    return Formula(_row(operator("−"), _in(PRODUCT, x)), NEGATIVE, x)


def _product(x: Formula, y: Formula) -> Formula:
    if x.markup == "<mn>1</mn>":
        return y
    if y.markup == "<mn>1</mn>":
        return x
    if x.markup == y.markup:
        return _power(x, "<mn>2</mn>")
    if x.negated is not None and x.negated.markup == y.markup:
        return _negative(_power(y, "<mn>2</mn>"))
    return Formula(_row(_in(NEGATIVE, x), operator("·"), _in(PRODUCT, y)), min(PRODUCT, x.holds))


def _call(name: str, *arguments: Formula) -> Formula:
    inside = operator(",").join(argument.markup for argument in arguments)
    return Formula(_row(named(name), operator("&#x2061;"), bracketed(inside)))


def _infix(symbol: str, holds: int) -> Callable[[Formula, Formula], Formula]:
    return lambda x, y: Formula(_row(_in(holds, x), operator(symbol), _in(holds + 1, y)), holds)


def _difference(x: Formula, y: Formula) -> Formula:
    return Formula(_row(_in(SUM, x), operator("−"), _in(PRODUCT, y)), SUM)


def _total(x: Formula, y: Formula) -> Formula:
    return Formula(_row(_in(SUM, x), operator("+"), _in(PRODUCT, y)), SUM)


#: More terms than these are written with dots.
_MOST_TERMS = 6


def _series(symbol: str, terms: list[Formula], holds: int) -> Formula:
    parts = [term.markup if i == 0 else _in(PRODUCT, term) for i, term in enumerate(terms)]
    if len(parts) == 1:
        return terms[0]
    if len(parts) > _MOST_TERMS:
        parts = [*parts[:3], operator("⋯"), parts[-1]]
    return Formula(_row(operator(symbol).join(parts)), holds)


def _dot(xs: list[Formula]) -> Formula:
    n = len(xs) // 2
    products = [_product(x, y) for x, y in zip(xs[:n], xs[n : 2 * n], strict=True)]
    return _series("+", [*products, *xs[2 * n :]], SUM)


def _logarithm(base: str) -> Callable[[Formula], Formula]:
    name = f"<msub>{named('log')}<mn>{base}</mn></msub>"
    return lambda x: Formula(_row(name, operator("&#x2061;"), bracketed(x.markup)))


def _exponential(x: Formula) -> Formula:
    return Formula(f"<msup>{named('e')}{_row(x.markup)}</msup>", PRODUCT)


_NOTATION: dict[str, Callable[..., Formula]] = {
    "add": _total,
    "sub": _difference,
    "mul": _product,
    "div": _fraction,
    "neg": _negative,
    "pow": lambda x, y: _power(x, y.markup),
    "exp": _exponential,
    "log2": _logarithm("2"),
    "log10": _logarithm("10"),
    "sqrt": lambda x: Formula(f"<msqrt>{x.markup}</msqrt>"),
    "cbrt": lambda x: Formula(f"<mroot>{_row(x.markup)}<mn>3</mn></mroot>"),
    "abs": lambda x: Formula(bracketed(x.markup, "|", "|")),
    "floor": lambda x: Formula(bracketed(x.markup, "⌊", "⌋")),
    "ceil": lambda x: Formula(bracketed(x.markup, "⌈", "⌉")),
    "sum": lambda xs: _series("+", xs, SUM),
    "prod": lambda xs: _series("·", xs, PRODUCT),
    "mean": lambda xs: _fraction(_series("+", xs, SUM), _number(len(xs))),
    "dot": _dot,
    "logsumexp": lambda xs: _call("log", _series("+", [_exponential(x) for x in xs], SUM)),
    "identity": lambda x: x,
    "less": _infix("&lt;", COMPARISON),
    "less_equal": _infix("≤", COMPARISON),
    "greater": _infix("&gt;", COMPARISON),
    "greater_equal": _infix("≥", COMPARISON),
}


#: Written as the formula of the row, which says more than a name; all others without notation are calls.
_BY_FORMULA = frozenset(("exp_difference", "expm1", "log1p", "square", "reciprocal", "hypot"))


def apply(name: str, *operands: Any) -> Formula:
    """The formula of a primitive over operands; a call by its symbol, if that is a word, or by its name otherwise."""
    taken: list[Any] = [[formula_of(o) for o in x] if isinstance(x, list) else formula_of(x) for x in operands]
    notation, row = _NOTATION.get(name), TABLE[name]
    if notation:
        return notation(*taken)
    if name in _BY_FORMULA:
        return row.formula(Writer().m, *taken)  # type: ignore[no-any-return]
    called = row.symbol if row.symbol.isalpha() else name.replace("_", " ")
    return _call(called, *(taken[0] if row.n_ary else taken))


def where(condition: Any, x: Any, y: Any) -> Formula:
    """The choice by cases, one below the other; a choice in the last case adds its own cases."""
    chosen = [formula_of(branch() if callable(branch) else branch) for branch in (x, y)]
    rows = f"<mtr><mtd>{chosen[0].markup}</mtd><mtd><mtext>if&#xA0;</mtext>{formula_of(condition).markup}</mtd></mtr>"
    last = chosen[1].markup
    if chosen[1].holds == CASES:
        rows += last[len(_CASES_OPEN) : -len(_CASES_CLOSE)]
    else:
        rows += f"<mtr><mtd>{last}</mtd><mtd><mtext>otherwise</mtext></mtd></mtr>"
    return Formula(f"{_CASES_OPEN}{rows}{_CASES_CLOSE}", CASES)


class Writer:
    """``m``, the number system that rules see."""

    def __init__(self) -> None:
        functions = {name: partial(apply, name) for name in TABLE}
        self.m = SimpleNamespace(
            **{
                **functions,
                "where": where,
                "number": formula_of,
                "pi": Formula(named("π")),
                "LANES": LANES,
                "is_formula": lambda *xs: True,
                "NAME": NAME,
            }
        )


_CASES_OPEN, _CASES_CLOSE = "<mrow><mo>{</mo><mtable>", "</mtable></mrow>"


def computing(digits: int | None = None) -> AbstractContextManager[Any]:
    """A context to compute in; formulas need none."""
    return nullcontext()


#: A formula of more characters is no help to anybody, and is left out.
_LONGEST = 4_000


def formulas(primitive: Primitive, count: int) -> tuple[str | None, list[str | None]]:
    """The formula of a primitive over ``count`` operands, and that of each partial; ``None`` where there is none.

    >>> formulas(TABLE["mul"], 2)
    ('<mrow>{0!}<mo>·</mo>{1!}</mrow>', ['{1}', '{0}'])
    """
    writer = Writer()
    operands = [Formula(f"{{{i}}}") for i in range(count)]
    z = Formula("{z}")
    if not primitive.built_in:
        value = _call(primitive.symbol or primitive.name, *operands)
    else:
        value = getattr(writer.m, primitive.name)(*([operands] if primitive.n_ary else operands))
    if primitive.compares:
        return value.markup, []
    try:
        found = slopes(primitive, writer.m, z, operands)
    except MemoryError:
        raise
    except Exception:  # a user's rule may fail in any way
        if primitive.built_in:
            raise
        found = [None] * count
    markups = [None if slope is None else formula_of(slope).markup for slope in found]
    return value.markup, [m if m is not None and len(m) <= _LONGEST else None for m in markups]
