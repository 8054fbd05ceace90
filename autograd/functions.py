"""The public functions: those of many numbers and those that are composed of primitives stand here, the others are
written from the table.

Each takes Values and plain numbers alike: with a Value among its arguments it makes a node and returns that Value;
without, it returns a plain float.
"""

from __future__ import annotations

import operator as _operator
from collections.abc import Iterable, Iterator, Sequence
from functools import reduce
from typing import Any

from autograd.documented import listed, some
from autograd.graph import topological_order
from autograd.interrupts import assign
from autograd.primitive_functions import *  # noqa: F403 - here pickles look for all of them
from autograd.primitive_functions import exp_difference, hypot, log, log1p, maximum, minimum, share
from autograd.rules import of_the_others
from autograd.value import MAKERS, Value, detach, where

_sum, _prod, _mean, _dot = MAKERS["sum"], MAKERS["prod"], MAKERS["mean"], MAKERS["dot"]
_logsumexp = MAKERS["logsumexp"]


def sum(values: Iterable[Any]) -> Any:
    """The sum of Values and numbers as one node, added left to right; 0.0 of none.

    >>> sum([Value(1.0), 2.0, 3.0]).data
    6.0
    """
    return _sum((listed("sum", values),))[0]


def prod(values: Iterable[Any]) -> Any:
    """The product of Values and numbers as one node; 1.0 of none. Zeros among them are no trouble for the derivative.

    >>> prod([2.0, 3.0])
    6.0
    """
    return _prod((listed("prod", values),))[0]


def mean(values: Iterable[Any]) -> Any:
    """The arithmetic mean of Values and numbers as one node.

    >>> mean([1.0, 2.0, 6.0])
    3.0

    Raises:
        ValueError: there are none.
    """
    return _mean((some("mean", values),))[0]


def logsumexp(values: Iterable[Any]) -> Any:
    """log(eˣ¹ + … + eˣⁿ) as one node, without overflow.

    >>> round(logsumexp([1000.0, 1000.0]), 6)
    1000.693147

    Raises:
        ValueError: there are none.
    """
    return _logsumexp((some("logsumexp", values),))[0]


def dot(xs: Sequence[Any], ys: Sequence[Any], start: Any = None) -> Any:
    """start + x₁y₁ + … + xₙyₙ as one node, added left to right: a neuron's weighted sum.

    >>> w = [Value(0.5), Value(-1.0)]
    >>> dot(w, [2.0, 3.0], start=10.0).data
    8.0

    Raises:
        ValueError: the two lists differ in length; both lengths are named.
    """
    left, right = listed("dot", xs), listed("dot", ys)
    if len(left) != len(right):
        raise ValueError(f"dot needs two lists of one length; they have {len(left)} and {len(right)} numbers")
    return _dot((left if start is None else (*left, start),), right)[0]


def take(table: Sequence[Any], index: Any) -> Any:
    """The entry of a list that an index names: a plain integer, or a Value that holds a whole number.

    With a Value the choice is recorded, so that a replay takes the entry that each sample's index names; no derivative
    flows to the index.

    >>> take([10.0, 20.0, 30.0], 2)
    30.0
    >>> x = Value(20.0)
    >>> take([10.0, x], Value(1.0)).data
    20.0

    Raises:
        IndexError: a plain index is not 0 … n - 1; a Value's is not looked at, and the nearest entry is taken.
        ValueError: the list is empty.
    """
    entries = some("take", table)
    if not isinstance(index, Value):
        place = _operator.index(index)
        if not 0 <= place < len(entries):
            raise IndexError(f"take: the index {place} is not one of 0 … {len(entries) - 1}")
        return entries[place]
    chosen = entries[0]
    for i, entry in enumerate(entries[1:]):
        chosen = where(index > i + 0.5, entry, chosen)
    return chosen


def linear(rows: Sequence[Sequence[Any]], xs: Sequence[Any]) -> list[Any]:
    """The weighted sums of a layer, WX + B: one ``dot`` node for each row.

    >>> [z.data for z in linear([[Value(0.5), Value(-1.0), Value(10.0)]], [2.0, 3.0])]
    [8.0]

    Args:
        rows: per output, n weights, and a bias if there is one number more than inputs.
        xs: the n inputs.

    Raises:
        ValueError: a row has neither n nor n + 1 numbers; both counts are named.
    """
    inputs = xs if xs.__class__ is tuple else listed("linear", xs)
    n = len(inputs)
    for row in rows:
        if len(row) - n not in (0, 1):
            raise ValueError(
                f"linear needs rows of {n} weights, and perhaps a bias, for {n} inputs; one has {len(row)}"
            )
    nodes: list[Any] = _dot([row if row.__class__ is tuple else tuple(row) for row in rows], inputs)
    return nodes


def softmax(values: Iterable[Any]) -> list[Any]:
    """exp(xᵢ) / Σ exp(xⱼ) for each, without overflow: positive numbers that add up to one.

    >>> softmax([0.0, 0.0])
    [0.5, 0.5]
    """
    numbers = some("softmax", values)
    largest = _largest(numbers)
    powers = [exp_difference(x, largest) for x in numbers]
    return list(map(share, powers, of_the_others(powers, _operator.add, 0)))


def log_softmax(values: Iterable[Any]) -> list[Any]:
    """xᵢ - logsumexp(x) for each: the logarithms of ``softmax`` without overflow.

    >>> [round(x, 6) for x in log_softmax([0.0, 0.0])]
    [-0.693147, -0.693147]
    """
    numbers = some("log_softmax", values)
    largest = _largest(numbers)
    powers = [exp_difference(x, largest) for x in numbers]

    def each(x: Any, power: Any, others: Any) -> Any:
        """Of more than a half, log(1 - q) by the share q of all others, which has its digits where that is small."""
        return where(power > others, log1p(0 - minimum(share(others, power), 0.5)), x - largest - log(power + others))

    return list(map(each, numbers, powers, of_the_others(powers, _operator.add, 0)))


def _largest(values: tuple[Any, ...]) -> Any:
    """The largest number, as a constant: a softmax does not change when all its numbers move together.

    It is computed anew where a graph is evaluated at other numbers.
    """
    return detach(reduce(maximum, values))


def norm(values: Iterable[Any]) -> Any:
    """√(x₁² + … + xₙ²), without overflow; 0.0 of none.

    The derivative at the tip, where all are zero, is zero: the subgradient of smallest length.

    >>> norm([3.0, 4.0])
    5.0
    """
    total: Any = 0.0
    for x in listed("norm", values):
        total = hypot(total, x)
    return total


def variance(values: Iterable[Any], *, ddof: int = 0) -> Any:
    """The mean squared deviation from the mean, over n - ddof.

    >>> variance([1.0, 3.0])
    1.0

    Args:
        ddof: 0 for the variance of these numbers, 1 for the unbiased estimate of a population's from a sample.

    Raises:
        ValueError: there are not more than ``ddof`` numbers.
    """
    numbers = some("variance", values)
    if len(numbers) <= ddof:
        raise ValueError(f"variance with ddof={ddof} needs more than {ddof} numbers; there are {len(numbers)}")
    middle = mean(numbers)
    deviations = [x - middle for x in numbers]
    return dot(deviations, deviations) / (len(numbers) - ddof)


def zero_grad(*values: Any) -> None:
    """Set ``.grad`` to 0.0 on every Value given, and on every one that it was computed from.

    Args:
        values: Values, or (nested) lists, tuples or dicts of them.
    """
    nodes = [node for value in _values(values) for node in topological_order(value) if isinstance(node, Value)]
    assign(nodes, "grad", [0.0] * len(nodes))


def _values(found: Any) -> Iterator[Value]:
    for value in found:
        if isinstance(value, Value):
            yield value
        elif isinstance(value, dict):
            yield from _values(value.values())
        elif isinstance(value, list | tuple):
            yield from _values(value)
        else:
            raise TypeError(f"zero_grad takes Values and nested lists of them, not {value!r:.200}")
