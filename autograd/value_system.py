"""Values as numbers: a derivative computed in this system is itself a graph, and can be differentiated again.

Comparisons and ``where`` inside a rule are decided at once: the derivative of a piecewise function is the derivative of
the piece that holds here, and nothing of the other piece is computed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from autograd import lanes
from autograd.eager import watching
from autograd.eager.unrolled import as_stored
from autograd.number_systems import common
from autograd.number_systems.arithmetic import Arithmetic
from autograd.primitives import TABLE, Limit, Primitive
from autograd.value import MAKERS, Condition, Value, maker

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


def is_recording() -> bool:
    """Whether a function is being recorded here, to be replayed at other numbers."""
    return watching.watch is not None and watching.watch.is_ours()


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
