"""One answer for the slopes of compositions too: of two or three rows, drawn at random, at zeros and ends of domains.

What a limit, an infinite slope or a literal 0 of one row makes of the slopes of another is seen here and nowhere else.
"""

from __future__ import annotations

import itertools
import math
import os
import random
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pytest

import autograd
from autograd import TABLE, Primitive, Value
from autograd.primitives import nowhere
from autograd.value import maker
from tests.compiled.replays import BACKENDS

#: Second derivatives of what is subnormal overflow in one order and cancel in another, so there is none.
NUMBERS, WEIGHTS = (0.0, -0.0, 1.0, -1.0, 0.5, 2.0, -2.0, 3.0, math.inf, -math.inf), (6, 2, 5, 3, 3, 4, 2, 1, 0.7, 0.7)
#: Sums that cancel: relative to the terms, which are of these sizes at most.
TOLERANCE = 1e-9

Function = Callable[[Any], Any]


class Drawn(NamedTuple):
    """A function of a list of two numbers, and how it is written."""

    text: str
    function: Function


def of_numbers(row: Primitive) -> tuple[int, Callable[..., Any]]:
    """A row as a function of the arguments that it is differentiated by, and how many these are."""
    if callable(row.partials):
        return 2, (lambda x, y: autograd.dot([x, y], [y, 3.0])) if row.name == "dot" else (
            lambda x, y: getattr(autograd, row.name)([x, y])
        )
    free = sum(rule is not None for rule in row.partials)
    return free, lambda *xs: maker(row)(*xs, *(row.example or ((), 0.0))[0][free:])


ROWS = {
    name: of_numbers(row)
    for name, row in TABLE.items()
    if callable(row.partials) or (row.partials[0] is not None and not row.compares)
}
#: Those with something of their own to say at some point are drawn more often.
STEEP = [name for name in ROWS if TABLE[name].limits or TABLE[name].kinks is not nowhere]


def drawn(source: random.Random, rows: int) -> Drawn:
    """A composition of so many rows."""
    if rows == 0:
        i = source.choice([0, 0, 1, 1, 2])
        number = source.choice([0.0, 1.0, 2.0, 0.5, -1.0])
        return Drawn(f"p[{i}]", lambda p: p[i]) if i < 2 else Drawn(str(number), lambda p: number)
    name = source.choice(STEEP if source.random() < 0.6 else list(ROWS))
    count, function = ROWS[name]
    first = source.randrange(rows)
    inner = [drawn(source, rows - 1)] if count == 1 else [drawn(source, first), drawn(source, rows - 1 - first)]
    return Drawn(
        f"{name}({', '.join(one.text for one in inner)})", lambda p: function(*[one.function(p) for one in inner])
    )


def points(source: random.Random, f: Function) -> Iterator[list[float]]:
    """Where it has a value that is finite."""
    for _ in range(4):
        point = source.choices(NUMBERS, WEIGHTS, k=2)
        try:
            value = f([Value(x) for x in point])
        except (ValueError, ArithmeticError):
            continue
        if isinstance(value, Value) and math.isfinite(value.data):
            yield point


def asked(function: Callable[..., Any], point: list[float]) -> Any:
    """An array, or ``None`` for a refusal."""
    try:
        return np.array(function(point), float)
    except (ValueError, ArithmeticError):
        return None


def agree(expected: Any, found: Any) -> bool:
    """Whether the same numbers are finite, and these are the same; of what plain Python refuses, one is not finite."""
    if expected is None:
        return not np.isfinite(found).all()
    finite = np.isfinite(expected)
    return np.array_equal(finite, np.isfinite(found)) and bool(
        np.allclose(found[finite], expected[finite], rtol=TOLERANCE, atol=1e-12)
    )


@pytest.mark.parametrize("part", range(80 if os.environ.get("HYPOTHESIS_PROFILE") == "thorough" else 4))
def test_derivatives_of_compositions_are_one_answer(part: int) -> None:
    source, seen = random.Random(part), 0
    for n in range(60):
        text, f = drawn(source, source.choice([2, 2, 3]))
        backend = BACKENDS[0] if n % 10 else source.choice(BACKENDS)
        step = autograd.compile(f, wrt=0, backend=backend)
        of_vector = autograd.objective(f, 2, backend=backend)
        for point in points(source, f):
            seen += 1
            slopes, second = asked(autograd.grad(f), point), asked(autograd.hessian(f), point)
            where = (text, point, backend)
            assert agree(slopes, np.array(step.value_and_grad(point)[1])), where
            assert agree(slopes, of_vector.gradient(point)), where
            found = np.array(step.at_points.hessian(point))
            assert np.array_equal(found, of_vector.hessian(point), equal_nan=True), where
            assert agree(second, found), (*where, second, found)
            for matrix in (found, second):
                if matrix is not None:
                    assert agree(matrix, matrix.T), where
    assert seen > 30


def test_a_disagreement_would_be_noticed() -> None:
    one = np.array([[1.0, math.inf], [math.inf, 0.0]])
    assert agree(one, one)
    for i, j in itertools.product(range(2), repeat=2):
        other = one.copy()
        other[i, j] = 0.5
        assert not agree(one, other)
    assert not agree(None, np.zeros(2))


#: A function of which one order of differentiation meets 0·∞ or ∞ - ∞ and the other does not; a point; the Hessian.
WITNESSES: dict[str, tuple[Function, list[float], list[list[float]]]] = {
    "a limit over y": (lambda p: autograd.xlogy(p[0], 0.0) / p[1], [0.0, 2.0], [[0.0, math.inf], [math.inf, 0.0]]),
    "maximum": (
        lambda p: autograd.acosh(autograd.maximum(p[0], p[1])), [0.5, 1.0], [[0.0, 0.0], [0.0, -math.inf]],
    ),
    "minimum": (
        lambda p: autograd.sqrt(autograd.minimum(p[0], p[1])), [2.0, 0.0], [[0.0, 0.0], [0.0, -math.inf]],
    ),
    "an end of a domain": (
        lambda p: autograd.xlogy(autograd.acos(p[1]), p[0]), [0.5, 1.0], [[0.0, -math.inf], [-math.inf, math.inf]],
    ),
    "beyond a clip": (lambda p: autograd.erf(p[0] * p[0] + 0.0 * p[1]), [math.inf, 0.0], [[0.0, 0.0], [0.0, 0.0]]),
}  # fmt: skip


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", WITNESSES)
def test_second_derivatives_at_limits(name: str, backend: str) -> None:
    f, point, expected = WITNESSES[name]
    assert autograd.hessian(f)(point) == expected
    assert autograd.compile(f, backend=backend).at_points.hessian(point) == expected
    assert autograd.compile(f, backend=backend).at_points.hessian(np.array([point]))[0].tolist() == expected
    assert autograd.objective(f, backend=backend).hessian(point).tolist() == expected


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_hessian_is_symmetric_where_an_order_says_nothing(backend: str) -> None:
    """√x to the power y is 0·∞ in one order."""
    f = lambda p: autograd.sqrt(p[0]) ** p[1]  # noqa: E731
    at_a_point = autograd.compile(f, backend=backend).at_points.hessian
    for found in (autograd.hessian(f)([0.0, 1.0]), at_a_point([0.0, 1.0]), at_a_point(np.array([[0.0, 1.0]]))[0]):
        assert not np.isfinite(found)[0][1]
        assert np.array_equal(found, np.transpose(found), equal_nan=True)
