"""Why a formula gave nan or an infinity: the formula is run again over floats that notice what their operators make.

Any formula over the float system will do, a primitive's own or the rule of one of its partials. What is noticed are
the indeterminate forms of IEEE arithmetic, ∞ − ∞, 0 · ∞ and ∞ / ∞, and results too large for a float.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

from autograd.primitives import Primitive

_FORMS = {"+": "∞ − ∞", "−": "∞ − ∞", "·": "0 · ∞", "/": "∞ / ∞"}


class Noticing(float):
    """A float whose operators note, in ``notes``, where nan or an infinity came from numbers that were none."""

    notes: list[tuple[float, str]]

    def __neg__(self) -> Noticing:
        return noticing(-float(self), self.notes)


def noticing(x: float, notes: list[tuple[float, str]]) -> Noticing:
    """The float, which writes into these notes."""
    made = Noticing(x)
    made.notes = notes
    return made


def _noticing_operator(symbol: str, compute: Callable[[float, float], float], *, reflected: bool) -> Any:
    def method(self: Noticing, other: Any) -> Any:
        if not isinstance(other, int | float):
            return NotImplemented
        x, y = (float(other), float(self)) if reflected else (float(self), float(other))
        z = compute(x, y)
        if z != z and x == x and y == y:
            self.notes.append((z, f"{_FORMS[symbol]}: {x!r} {symbol} {y!r} is nan"))
        elif math.isinf(z) and math.isfinite(x) and math.isfinite(y):
            self.notes.append((z, f"{x!r} {symbol} {y!r} is too large for a float"))
        return noticing(z, self.notes)

    return method


for _compute, _symbol in ((operator.add, "+"), (operator.sub, "−"), (operator.mul, "·"), (operator.truediv, "/")):
    setattr(Noticing, f"__{_compute.__name__}__", _noticing_operator(_symbol, _compute, reflected=False))
    setattr(Noticing, f"__r{_compute.__name__}__", _noticing_operator(_symbol, _compute, reflected=True))


def what_made(result: float, formula: Callable[[Callable[[float], float]], Any]) -> str:
    """In words, what made this nan or infinity; an empty text if the formula's operators did not.

    >>> inf = math.inf
    >>> what_made(math.nan, lambda number: number(inf) - inf)
    '∞ − ∞: inf − inf is nan'
    >>> what_made(math.nan, lambda number: number(1e300) * 1e300 * 0)
    '1e+300 · 1e+300 is too large for a float; then 0 · ∞: inf · 0.0 is nan'

    Args:
        formula: computes the result again; it is given the function to make its numbers with.
    """
    notes: list[tuple[float, str]] = []
    try:
        formula(lambda x: noticing(x, notes) if x.__class__ is float else x)
    except (ValueError, ArithmeticError, TypeError):
        return ""  # a formula that compares classes, or fails on its own: no operator is to blame
    texts: list[str] = []
    for z, text in notes:
        texts.append(text)
        if (z != z) == (result != result):
            return "; then ".join([*texts[:1], *texts[1:][-1:]])
    return ""


def why(
    primitive: Primitive, compute: Callable[..., Any], result: float, numbers: Sequence[Any], constants: Sequence[float]
) -> str:
    """In words, why a primitive gave nan or an infinity.

    Args:
        compute: the primitive's function on floats.
        numbers: those of its operands.
        constants: the plain numbers among the operands.
    """
    if math.isnan(result) and any(map(math.isnan, constants)):
        return "a constant among its operands is nan"
    if primitive.n_ary:
        made = what_made(result, lambda number: compute([number(x) for x in numbers]))
    else:
        made = what_made(result, lambda number: compute(*map(number, numbers)))
    if made:
        return made
    infinite = [x for x in constants if math.isinf(x)]
    if infinite:
        return f"a constant among its operands is {infinite[0]!r}"
    if math.isinf(result):
        return "the result is too large for a float"
    return f"{primitive.name} has no value there"
