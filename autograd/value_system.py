"""Values as numbers: a derivative computed in this system is itself a graph, and can be differentiated again.

Comparisons and ``where`` inside a rule are decided at once: the derivative of a piecewise function is the derivative of
the piece that holds here, and nothing of the other piece is computed.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from autograd.eager import watching
from autograd.eager.unrolled import as_stored
from autograd.errors import slope_failure
from autograd.number_systems import common
from autograd.primitives import TABLE, Primitive
from autograd.value import MAKERS, Condition, Value, maker

NAME = "values"
LANES = False
LACKS: dict[str, str] = {}
pi = math.pi


def number(x: Any) -> Any:
    """Plain numbers stay plain among Values."""
    return x if isinstance(x, Value) else float(x)


def plain(x: Any) -> Any:
    """The float (or the truth) behind a number of this system."""
    return x._data if isinstance(x, Value) else x._outcome if isinstance(x, Condition) else x


def limit(value: float, primitive: Primitive, operands: list[Any]) -> Any:
    """A limit that the table states; an infinite slope has no slope of its own, so differentiating it again raises.

    Raises:
        ValueError: a function is recorded for replay, which would keep the limit at all other numbers too.
    """
    if watching.watch is not None and watching.watch.is_ours():
        raise ValueError("a limit holds at these numbers alone")
    if math.isfinite(value):
        return value

    def no_second_derivative(*_: Any) -> Any:
        raise slope_failure(primitive, 0, operands, order="second derivative")

    rule = Primitive("limit", no_second_derivative, built_in=False, formula=lambda m, *xs: m.number(value))
    return _one(maker(rule), tuple(operands), None)


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

where = common.where
