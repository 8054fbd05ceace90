"""Groups, rows and long sums: what is laid out once and then run at every point."""

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd
from autograd import Value
from autograd.compiled.backends.levels import ROWS, Levels
from autograd.compiled.backends.long_sums import LONG_SUM
from tests.compiled.replays import bits, eagerly

INPUTS = 5


def irregular(seed: int, operations: int = 400) -> Callable[..., Any]:
    """A function of random operations on earlier results, all of which IEEE 754 rounds; numbers stay small."""
    chance = random.Random(seed)
    steps = [
        (chance.randrange(6), chance.randrange(INPUTS + i), chance.randrange(max(0, INPUTS + i - 9), INPUTS + i))
        for i in range(operations)
    ]

    def f(*x: Any) -> Any:
        v = list(x)
        for kind, i, j in steps:
            a, b = v[i], v[j]
            made = (
                a + b if kind == 0 else a - 0.75 * b if kind == 1 else a * b if kind == 2 else autograd.maximum(a, b)
                if kind == 3 else autograd.minimum(a, b) if kind == 4 else -b
            )  # fmt: skip
            v.append(autograd.clip(made, -2.0, 2.0))
        return autograd.sum(v[-30:]) * v[-1] + sum(v[-60:-30])

    return f


def levels_of(f: Callable[..., Any], point: Any, backend: str = "numpy") -> tuple[Any, Levels]:
    """Value and gradient at a point, and how the program was laid out."""
    objective = autograd.objective(lambda x: f(*x), backend=backend)
    found = objective(point)
    (recording,) = objective._recordings.kept
    return found, recording.prepared["gradient",].replay.levels


@pytest.mark.parametrize("backend", ["numpy", "interpreter"])
@pytest.mark.parametrize("seed", range(4))
def test_an_irregular_function_is_the_eager_one_to_the_last_bit(seed: int, backend: str) -> None:
    if backend == "interpreter":
        pytest.importorskip("llvmlite")
    f, point = irregular(seed), np.random.default_rng(seed).normal(size=INPUTS)
    (value, gradient), _ = levels_of(f, point, backend)
    expected = eagerly(f, [point.tolist()])
    assert bits(value) == bits(expected.values)
    assert bits(gradient) == bits(expected.by_arguments)


def check(levels: Levels) -> None:
    """Each number has a row of its own, and each group finds its operands computed."""
    first = levels.first
    written: tuple[set[int], set[int]] = (set(), set())
    for slot in range(first):
        written[levels.varying[slot]].add(levels.row[slot])
    count = len(written[0]) + len(written[1])
    assert count == first
    for varies in (0, 1):
        for group in levels.groups(varies):
            if not varies:
                assert group.first % ROWS == 0
            for is_varying, rows in group.operands:
                assert len(rows) == group.last - group.first
                assert written[is_varying].issuperset(rows.tolist())
            rows_written = set(range(group.first, group.last))
            assert not rows_written & written[varies]
            written[varies].update(rows_written)
            assert group.last <= levels.rows[varies]
            count += len(rows_written)
    hidden = sum(len(terms) - 2 for terms in levels.sums.values())
    assert count + hidden == len(levels.varying)
    assert levels.rows[0] % ROWS == 0


@pytest.mark.parametrize("seed", range(4))
def test_groups_find_their_operands_computed(seed: int) -> None:
    f, source = irregular(seed), np.random.default_rng(seed)
    _, levels = levels_of(f, source.normal(size=INPUTS))
    assert len(levels.ranges[0].first_rows) > 100
    check(levels)
    w = Value(0.5)
    step = autograd.compile(lambda *x: w * w * f(*x) + autograd.dot([w] * INPUTS, x), params=[w], backend="numpy")
    step.value_and_grad(*source.normal(size=(INPUTS, 3)))
    (recordings,) = step._runs.recordings.values()
    (recording,) = recordings.kept
    (prepared,) = recording.prepared.values()
    assert len(prepared.replay.levels.ranges[1].first_rows) > 100
    check(prepared.replay.levels)


def names(levels: Levels) -> list[str]:
    return [group.name for group in levels.groups(0)]


@pytest.mark.parametrize("backend", ["numpy", "interpreter"])
@pytest.mark.parametrize("other_way", [False, True])
def test_a_long_sum_is_one_instruction_in_its_order(other_way: bool, backend: str) -> None:
    if backend == "interpreter":
        pytest.importorskip("llvmlite")

    def f(*x: Any) -> Any:
        total = x[0] * x[1]
        for y in x[1:]:
            total = y + total if other_way else total + y
        return total

    # In any other order the small ones would not be lost.
    point = np.array([1e16, 1.0, *[1.0, -1e16, 1e16, 1.0] * 4])
    (value, gradient), levels = levels_of(f, point, backend)
    assert [len(terms) for terms in levels.sums.values()] == [len(point)]
    assert names(levels).count("sum") == 1
    expected = eagerly(f, [point.tolist()])
    assert bits(value) == bits(expected.values)
    assert bits(gradient) == bits(expected.by_arguments)


@pytest.mark.parametrize("from_the_part_on", [False, True])
def test_a_sum_stays_in_parts_where_a_part_is_wanted(from_the_part_on: bool) -> None:
    def f(*x: Any) -> Any:
        part = sum(x[:LONG_SUM])
        rest = [3.0 * y for y in x[LONG_SUM:]]
        return (sum(rest, start=part) if from_the_part_on else part + sum(rest)) * part

    point = np.arange(1.0, 2 * LONG_SUM)
    (value, gradient), levels = levels_of(f, point)
    check(levels)
    inner, outer = sorted(levels.sums.items())
    assert len(inner[1]) == LONG_SUM
    assert inner[0] in outer[1]
    expected = eagerly(f, [point.tolist()])
    assert bits(value) == bits(expected.values)
    assert bits(gradient) == bits(expected.by_arguments)


def test_a_short_sum_is_additions() -> None:
    _, levels = levels_of(lambda *x: sum(x), np.arange(LONG_SUM - 1.0))
    assert not levels.sums
    assert names(levels).count("add") == LONG_SUM - 2
