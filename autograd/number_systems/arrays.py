"""NumPy arrays: one number stands for a batch of samples. The one file that imports NumPy in this folder.

Arithmetic is IEEE's: nan and inf come out where the float system raises. Both branches of a ``where`` are computed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from autograd.interrupts import shielded
from autograd.number_systems import common, floats
from autograd.number_systems.common import SMALLER
from autograd.number_systems.formulas import complete

NAME = "arrays"
LANES = True
LACKS: dict[str, str] = {}
pi = math.pi

Array = Any  # float64 arrays and NumPy scalars, broadcast against each other


def number(x: Any) -> Array:
    """A float64 array, of no dimensions for a plain number."""
    return np.asarray(x, dtype=np.float64)


def array_of(x: Any) -> Any:
    """An array of no dimensions that holds an object, whatever it is."""
    array = np.empty((), dtype=object)
    array[()] = x
    return array


def over_objects(function: Any, arguments: int) -> Any:
    """A function of objects, over arrays of them."""
    return np.frompyfunc(function, arguments, 1)


def plain(x: Array) -> Array:
    """The array itself: predicates work on arrays too."""
    return x


def limit(value: float, primitive: Any, operands: Any) -> Any:
    """A limit that the table states, as a number."""
    return number(value)


def zeros_like(x: Array) -> Array:
    """Zero for each sample."""
    return np.zeros_like(x)


def computing(digits: int | None = None) -> AbstractContextManager[Any]:
    """A context in which NumPy is silent about overflow and invalid operations, as IEEE has them."""
    return shielded(np.errstate(all="ignore"))


def _elementwise(function: Any, arguments: int = 1) -> Any:
    """A float function for arrays, for what NumPy does not have; element by element."""
    vectorised = np.frompyfunc(function, arguments, 1)
    return lambda *xs: np.asarray(vectorised(*xs), dtype=np.float64)


add, sub, mul, div, neg, pow = np.add, np.subtract, np.multiply, np.divide, np.negative, np.power
exp, exp2, expm1, log, log1p, log2, log10 = np.exp, np.exp2, np.expm1, np.log, np.log1p, np.log2, np.log10
mod, floor_divide = np.mod, np.floor_divide
sqrt, cbrt, square, reciprocal = np.sqrt, np.cbrt, np.square, np.reciprocal
sin, cos, tan, asin, acos, atan, atan2 = np.sin, np.cos, np.tan, np.arcsin, np.arccos, np.arctan, np.arctan2
sinh, cosh, tanh, asinh, acosh, atanh = np.sinh, np.cosh, np.tanh, np.arcsinh, np.arccosh, np.arctanh
hypot, abs, sign = np.hypot, np.abs, np.sign
floor, ceil = np.floor, np.ceil
less, less_equal, greater, greater_equal = np.less, np.less_equal, np.greater, np.greater_equal
erf, erfc, gelu = _elementwise(math.erf), _elementwise(math.erfc), _elementwise(floats.gelu)


sum = common.sum


def where(condition: Any, x: Any, y: Any) -> Array:
    if x is None or y is None:
        is_taken, chosen = (np.logical_not(condition), y) if x is None else (condition, x)
        if np.all(is_taken):
            return chosen() if callable(chosen) else chosen
        raise ValueError(
            "where: a branch was a function that was never called; a batch needs both, give them as Values"
        )
    return np.where(condition, x() if callable(x) else x, y() if callable(y) else y)


def maximum(x: Array, y: Array) -> Array:
    return np.where((x > y) | (x != x), x, y)  # NumPy's own takes either of 0.0 and -0.0


def minimum(x: Array, y: Array) -> Array:
    return np.where((x < y) | (x != x), x, y)


def softplus(x: Array) -> Array:
    return np.maximum(x, 0.0) + np.log1p(np.exp(-np.abs(x)))  # one exponential for both branches


def mean(xs: Sequence[Array]) -> Array:
    total = sum(xs)
    if np.isfinite(total).all():
        return total / len(xs)
    return np.where(np.isfinite(total), total / len(xs), sum([x * SMALLER for x in xs]) / len(xs) / SMALLER)


def logsumexp(xs: Sequence[Array]) -> Array:
    stacked = np.stack(np.broadcast_arrays(*xs))
    largest_at = np.argmax(stacked, axis=0)[None]
    largest = np.take_along_axis(stacked, largest_at, axis=0)
    terms = np.exp(stacked - largest)
    np.put_along_axis(terms, largest_at, 0.0, axis=0)
    result = largest[0] + np.log1p(np.add.reduce(terms, axis=0))
    return np.where(np.isfinite(largest[0]), result, largest[0])


complete(globals(), rounded=True)
