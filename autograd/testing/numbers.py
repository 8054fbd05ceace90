"""Strategies for numbers: ``reals``, and ``points`` from the domain of a primitive."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Sequence
from functools import cache, partial
from numbers import Real
from typing import Any

from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument

from autograd import Primitive
from autograd.testing.regions import Bounds, Operands, in_domain, is_condition, is_smooth, row_of

#: How far ``reals()`` reaches: its exponential, its products and its powers are far from overflow.
FAR = 100.0
#: The sizes of boxes that operands come from, the first that fit; the last ones only where no smaller one does.
_SIZES, _LARGE_SIZES = (8.0, 1.0, FAR), (1e4, 1e8)
#: How near to a kink or an end of the domain ``reals`` comes, unless told.
MARGIN = 2.0**-6
_SMALLEST_NORMAL = 2.0**-1022
#: How many operands a row that takes any number of them is given.
MOST_OPERANDS = 5


@st.composite
def reals(
    draw: st.DrawFn,
    min_value: float | None = None,
    max_value: float | None = None,
    *,
    primitive: Any = None,
    margin: float | None = None,
    exclude_min: bool = False,
    exclude_max: bool = False,
    allow_subnormal: bool | None = None,
) -> float:
    """Finite floats between two bounds; with ``primitive``, where it is differentiable.

    They shrink to 0, to 1, to whole numbers and to short fractions.

    >>> reals(-3, 3)
    reals(min_value=-3, max_value=3)
    >>> from hypothesis import find
    >>> find(reals(primitive="log"), lambda x: x < 1)
    0.5

    Args:
        min_value, max_value: the bounds, themselves included. A side without one reaches to 100 in size, or to twice
            the other bound where that is larger.
        primitive: a primitive of one argument (its name, its row, or a function made by ``autograd.primitive``): only
            points inside its domain are drawn.
        margin: with ``primitive``, how far from every kink, end of the domain and infinite slope; 1/64 unless told,
            less between narrow bounds.
        exclude_min, exclude_max: leave out a bound that is given.
        allow_subnormal: draw numbers smaller than 2⁻¹⁰²² too; unless told, only where a bound is one.

    Raises:
        InvalidArgument: when drawn, for bounds that are not finite or not in order, a primitive of more arguments, a
            margin that leaves nothing.
    """
    low, high = check_bounds(min_value, max_value)
    for name, excluded, bound in (("min", exclude_min, low), ("max", exclude_max, high)):
        if excluded and bound is None:
            raise InvalidArgument(f"exclude_{name}={excluded!r:.200} needs a {name}_value to leave out")
    if allow_subnormal is None:
        allow_subnormal = _has_subnormal(low, high)
    if primitive is None:
        if margin is not None:
            raise InvalidArgument(f"margin={margin!r:.200} is kept from the kinks of a primitive; give primitive= too")
        row = None
    else:
        row = row_of(primitive)
        if row.arity != 1:
            arguments = "a list of numbers" if row.n_ary else ", ".join(row.arguments[: row.arity])
            raise InvalidArgument(
                f"reals draws one number, but {row.name} takes {arguments}; use points({row.name!r:.200})"
            )
        margin = _check_margin(margin, MARGIN if low is None or high is None else min(MARGIN, (high - low) / 8))
    return draw(_floats(low, high, row, margin, bool(exclude_min), bool(exclude_max), bool(allow_subnormal)))


@cache
def _floats(
    low: float | None,
    high: float | None,
    row: Primitive | None,
    margin: float | None,
    exclude_min: bool,
    exclude_max: bool,
    allow_subnormal: bool,
) -> st.SearchStrategy[float]:
    boxes = [sides(low, high, FAR)] if row is None else [box for (box,) in _boxes(row, 1, low, high, margin)]
    strategy = st.one_of(
        [
            st.floats(
                *box,
                exclude_min=exclude_min and box[0] == low,
                exclude_max=exclude_max and box[1] == high,
                allow_subnormal=allow_subnormal,
            )
            for box in boxes
        ]
    )
    return strategy if row is None else strategy.filter(lambda x: _accepts(row, (x,), margin))


@st.composite
def points(
    draw: st.DrawFn,
    primitive: Any,
    *,
    min_value: float | None = None,
    max_value: float | None = None,
    margin: float | None = None,
    min_size: int | None = None,
    max_size: int | None = None,
) -> Operands:
    """The operands of a primitive, as a tuple from its domain; with ``margin``, away from its kinks.

    Conditions are drawn as truth values, and constants (bounds, slopes) as numbers such that the operands fit together.

    >>> points("pow", margin=0.1)
    points('pow', margin=0.1)
    >>> from hypothesis import find
    >>> find(points("atan2", margin=0.1), lambda point: True)
    (0.0, 1.0)

    Args:
        primitive: any row of ``autograd.TABLE`` by its name or as it is, or a function made by ``autograd.primitive``.
        min_value, max_value: bounds for every operand, as those of ``reals``.
        margin: how far, in each operand that has a derivative, the nearest kink, end of the domain or infinite slope
            must be; 0.0 leaves out just those points. Without a margin they are drawn too.
        min_size, max_size: of a primitive that takes a list, how many operands; 1 to 5 unless told. Those of ``dot``
            are the first list, the second, and a start if their number is odd.

    Raises:
        InvalidArgument: when drawn, for no such primitive, bounds out of order, sizes of a primitive that takes no
            list, no point of the domain within the bounds.
    """
    row = row_of(primitive)
    low, high = check_bounds(min_value, max_value)
    if margin is not None:
        margin = _check_margin(margin, margin)
    sizes = (row.arity, row.arity)
    if row.n_ary:
        sizes = check_sizes(min_size, max_size, "min_size", "max_size", least_size(row), MOST_OPERANDS)
    elif min_size is not None or max_size is not None:
        raise InvalidArgument(f"{row.name} takes {row.arity} operands; min_size and max_size are for lists")
    return draw(_operands(row, sizes, low, high, margin))


@cache
def _operands(
    row: Primitive, sizes: tuple[int, int], low: float | None, high: float | None, margin: float | None
) -> st.SearchStrategy[Operands]:
    of_sizes = range(sizes[0], sizes[1] + 1)
    tuples = [_tuples(row, box) for size in of_sizes for box in _boxes(row, size, low, high, margin)]
    return st.one_of(tuples).filter(lambda operands: _accepts(row, operands, margin))


def _has_subnormal(*bounds: float | None) -> bool:
    return any(bound and abs(bound) < _SMALLEST_NORMAL for bound in bounds)


def least_size(row: Primitive) -> int:
    """The fewest operands of a row that takes a list: a pair for ``dot``, else one."""
    return 2 if row.name == "dot" else 1


def _tuples(row: Primitive, box: tuple[Bounds, ...]) -> st.SearchStrategy[Operands]:
    return st.tuples(
        *[
            st.booleans() if is_condition(row, i) else st.floats(*bounds, allow_subnormal=_has_subnormal(*bounds))
            for i, bounds in enumerate(box)
        ]
    )


def check_bounds(min_value: Any, max_value: Any) -> tuple[float | None, float | None]:
    """The bounds as floats.

    Raises:
        InvalidArgument: one is no finite real number, or they are not in order.
    """
    bounds = []
    for name, bound in (("min_value", min_value), ("max_value", max_value)):
        if bound is not None and (
            isinstance(bound, bool) or not isinstance(bound, Real) or not math.isfinite(float(bound))
        ):
            raise InvalidArgument(f"{name}={bound!r:.200} must be a finite real number, or None")
        bounds.append(None if bound is None else float(bound))
    low, high = bounds
    if low is not None and high is not None and low > high:
        raise InvalidArgument(f"min_value={min_value!r:.200} is above max_value={max_value!r:.200}")
    return low, high


def check_sizes(
    smallest: Any, largest: Any, name: str, other_name: str, least: int, default_largest: int
) -> tuple[int, int]:
    """Two counts in order; the one that is not given makes room for the other.

    Raises:
        InvalidArgument: one is no whole number, or too small, or they are not in order.
    """
    for given, called in ((smallest, name), (largest, other_name)):
        if given is not None and (isinstance(given, bool) or not isinstance(given, int) or given < least):
            raise InvalidArgument(f"{called}={given!r:.200} must be a whole number, at least {least}")
    first = least if smallest is None else smallest
    last = max(default_largest, first) if largest is None else largest
    if first > last:
        raise InvalidArgument(f"{name}={smallest!r:.200} is above {other_name}={largest!r:.200}")
    return first, last


def _check_margin(margin: Any, default: float) -> float:
    if margin is None:
        return default
    if isinstance(margin, bool) or not isinstance(margin, Real) or not 0 <= float(margin) < math.inf:
        raise InvalidArgument(f"margin={margin!r:.200} must be a finite number, at least 0")
    return float(margin)


def sides(low: float | None, high: float | None, size: float) -> Bounds:
    """The bounds, a side without one reaching so far, or to twice the other bound."""
    if low is None:
        low = -size if high is None or high > -size / 2 else max(2 * high, -_LARGEST)
    if high is None:
        high = size if low < size / 2 else min(2 * low, _LARGEST)
    return low, high


_LARGEST = 1.7976931348623157e308


def _accepts(row: Primitive, operands: Operands, margin: float | None) -> bool:
    return in_domain(row, operands) if margin is None else is_smooth(row, operands, margin)


@cache
def _boxes(
    row: Primitive, size: int, low: float | None, high: float | None, margin: float | None
) -> list[tuple[Bounds, ...]]:
    """Boxes of which at least a quarter is accepted, so that rejecting the rest costs little."""

    def accepts(point: Operands) -> bool:
        return _accepts(row, point, margin)

    found: list[tuple[Bounds, ...]] = []
    for number, reach in enumerate(_SIZES + _LARGE_SIZES):
        if found and (number >= len(_SIZES) or (low is not None and high is not None)):
            break
        box = fitting_box([sides(low, high, reach)] * size, accepts, partial(tries, row))
        if box is not None and box not in found:
            found.append(box)
    if not found:
        kinks = "" if margin is None else f" and {margin!r} away from its kinks and ends"
        raise InvalidArgument(
            f"hardly any point lies in the domain of {row.name}{kinks} between "
            f"{'-∞' if low is None else low!r:.200} and {'∞' if high is None else high!r:.200}: "
            "give other bounds by min_value and max_value, or a smaller margin"
        )
    return found


#: Cells per side to which a region is narrowed, and points tried to find it.
_CELLS, _TRIES = 16, 100

Box = Sequence[Bounds]


def fitting_box(
    cube: Box, accepts: Callable[[Operands], bool], sample: Callable[[Box, random.Random], Iterable[Operands]]
) -> tuple[Bounds, ...] | None:
    """A cube narrowed to the cells between which points were accepted; ``None`` if a quarter of it is not accepted.

    Args:
        sample: points of a box to try, a hundred or so.
    """
    source = random.Random(0)
    accepted = [point for point in sample(cube, source) if accepts(point)]
    if not accepted:
        return None
    box = tuple(_narrowed(side, [point[i] for point in accepted]) for i, side in enumerate(cube))
    outcomes = [accepts(point) for point in sample(box, source)]
    return box if sum(outcomes) >= len(outcomes) / 4 else None


def tries(row: Primitive, box: Box, source: random.Random) -> list[Operands]:
    """Points of a box: half of them with whole and half numbers, where kinks and integer powers are."""
    conditions = [is_condition(row, i) for i in range(len(box))]
    tried = []
    for n in range(_TRIES):
        numbers = [source.uniform(low, high) for low, high in box]
        if n % 2:
            numbers = [min(max(round(2 * x) / 2, low), high) for x, (low, high) in zip(numbers, box, strict=True)]
        tried.append(tuple([x > 0 if c else x for x, c in zip(numbers, conditions, strict=True)]))
    return tried


def _narrowed(side: Bounds, accepted: list[float]) -> Bounds:
    low, high = side
    cell = (high - low) / _CELLS
    if not 0 < cell < math.inf:
        return side
    first, last = math.floor((min(accepted) - low) / cell), math.ceil((max(accepted) - low) / cell)
    return max(low, low + first * cell), min(high, low + last * cell)
