"""Values as numbers: a derivative computed in this system is itself a graph, and can be differentiated again.

Comparisons and ``where`` inside a rule are decided at once: the derivative of a piecewise function is the derivative of
the piece that holds here, and nothing of the other piece is computed. While a function is recorded nothing is decided,
since a replay meets other numbers: Values are numbers of many lanes then, and each decision is a choice.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from types import SimpleNamespace
from typing import Any

from autograd import lanes
from autograd.eager import watching
from autograd.eager.unrolled import as_stored
from autograd.errors import slope_failure
from autograd.number_systems import common, system_of
from autograd.number_systems.arithmetic import Arithmetic
from autograd.primitives import TABLE, Limit, Primitive
from autograd.value import MAKERS, Condition, Value, constant, maker

NAME = "values"
LANES = False
holds_limits = True
LACKS: dict[str, str] = {}
PARTIALS: dict[Any, Any] = {}
pi = math.pi


def number(x: Any) -> Any:
    """Plain numbers stay plain among Values."""
    return x if isinstance(x, Value) else float(x)


def plain(x: Any) -> Any:
    """The float (or the truth) behind a number of this system."""
    return x._data if isinstance(x, Value) else x._outcome if isinstance(x, Condition) else x


def held(limit: Limit, primitive: Primitive, operands: Sequence[Any]) -> Any:
    """A limit that the table states: a number that refuses to be differentiated where no more is known of it."""
    if not any(isinstance(x, Value) and i not in limit.constant_in for i, x in enumerate(operands)):
        return limit.value
    return maker(lanes.held(limit, primitive))(*operands)


def share_of_infinity(x: Any) -> Any:
    """1.0, as the share of an infinity among equal ones, which refuses to be differentiated."""
    return held(*lanes.SHARE_OF_INFINITY, [x])


def here() -> Any:
    """The system of derivatives that are taken here: this one, or, of a function that is recorded, that of choices."""
    return _CHOICES if watching.watch is not None and watching.watch.is_ours() else system_of(NAME)


def asked(predicate: Callable[..., Any], operands: Sequence[Any]) -> Any:
    """A predicate of the table over Values, as a choice that depends on their numbers; a plain truth if it does not."""
    found = predicate(*[_Asked(x) if isinstance(x, Value) else x for x in operands])
    return found.number > 0 if isinstance(found, _Asked) else bool(found)


class _Asked(Arithmetic):
    """A Value of which a predicate asks something; a truth is 1.0 or 0.0."""

    __slots__ = ("number",)

    def __init__(self, number: Any) -> None:
        self.number = number

    def _apply(self, name: str, *operands: Any) -> Any:
        numbers = [x.number if isinstance(x, _Asked) else x for x in operands]
        if TABLE[name].compares:
            return _Asked(MAKERS["where"](MAKERS[name](*numbers), 1.0, 0.0))
        return _Asked(MAKERS[name](*numbers))

    def __eq__(self, other: object) -> Any:
        return (self <= other) & (self >= other)

    def __ne__(self, other: object) -> Any:
        return _Asked(1.0 - (self == other).number)

    def __and__(self, other: Any) -> Any:
        if isinstance(other, _Asked):
            return _Asked(self.number * other.number)
        return self if other else False

    __rand__ = __and__

    def __or__(self, other: Any) -> Any:
        if isinstance(other, _Asked):
            return _Asked(MAKERS["maximum"](self.number, other.number))
        return True if other else self

    __ror__ = __or__

    __hash__ = object.__hash__


def computing(digits: int | None = None) -> AbstractContextManager[Any]:
    """A context to compute in; Values need none."""
    return nullcontext()


def _one(make: Callable[..., list[Any]], x: Any, y: Any) -> Any:
    return make((x,), y)[0]


def _over_a_list(name: str) -> Callable[[list[Any]], Any]:
    return lambda xs: _one(MAKERS[name], *as_stored(TABLE[name], xs))


# Every primitive under its own name, as in the other systems: here each is its maker.
globals().update(MAKERS)
globals().update({name: _over_a_list(name) for name, row in TABLE.items() if row.n_ary})

where, choose = common.where, MAKERS["where"]


def _where(condition: Any, x: Any, y: Any) -> Any:
    """A choice that is recorded; a mask of lanes counts as the condition that it was made of."""
    if isinstance(condition, Value):
        of, *sides = condition.parents if condition.primitive is _WHERE else (None,)
        if of.__class__ is Condition and {*map(type, sides)} == {float} and {*sides} == {0.0, 1.0}:
            condition, x, y = (of, x, y) if sides[0] else (of, y, x)
        else:
            condition = MAKERS["less"](0.0, condition)
    branches = [branch() if callable(branch) else branch for branch in (x, y)]
    if condition.__class__ is not Condition or any(branch is None for branch in branches):
        return common.where(condition, *branches)
    made = choose(condition, *branches)
    made._which = b"\1\1"  # uncompiled, a branch that is not taken is none of the graph
    return made


def _slopes(primitive: Primitive, z: Any, operands: Sequence[Any], arguments: Sequence[int]) -> list[tuple[Any, Any]]:
    """Partials and where something flows; where there is none, the nan or infinity of a replay. Those of a loop are
    not asked for: that something goes through it is all that they say."""
    if primitive.is_loop:
        return [(1, None) for _ in arguments]
    watch = watching.watch
    assert watch is not None
    with watch.going_on():
        try:
            return lanes.partials(_CHOICES, primitive, z, operands, arguments)
        except (ValueError, ArithmeticError):  # of plain numbers, perhaps
            nodes = [x if isinstance(x, Value | Condition) or x is None else constant(x) for x in operands]
        try:
            return lanes.partials(_CHOICES, primitive, z, nodes, arguments)
        except (ValueError, ArithmeticError) as error:
            too_large = isinstance(error, OverflowError)
            raise watching.noted(
                slope_failure(primitive, arguments[0], operands, too_large=too_large), operands
            ) from error


_WHERE = TABLE["where"]
_CHOICES = SimpleNamespace(**globals() | {"LANES": True, "where": _where, "choose": _where, "slopes": _slopes})
