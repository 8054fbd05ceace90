"""Derivatives of any library checked: function and gradient are all that is known, so by real differences alone."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from typing import Any

from autograd.checking.differences import HALF_OF_THE_DIGITS, Slope, slopes
from autograd.checking.engine import check_engine
from autograd.checking.higher import higher_entries
from autograd.checking.inputs import Inputs
from autograd.checking.judging import (
    BESIDE_THE_LARGEST,
    FLAT,
    Judge,
    changed_note,
    largest_change,
    method_of,
    next_to_zero,
    nothing_at_all,
    prefixes,
)
from autograd.checking.recorded import NO_NUMBER, as_float, results_of
from autograd.checking.report import Entry, Report
from autograd.checking.rounding_bound import rounding_error
from autograd.checking.shrinking_steps import UNDERFLOW
from autograd.checking.transposed import notes_on_transposed
from autograd.eager.operands import kind_of
from autograd.value import Value


def check_outside(
    f: Callable[..., Any],
    given: Inputs,
    name: str,
    grad: Callable[..., Any],
    order: int,
    judge: Judge,
    source: random.Random,
) -> Report:
    """The report on what ``grad`` says of ``f``."""
    if not callable(grad):
        raise TypeError(f"grad is a function that takes the inputs and returns the derivatives, not {kind_of(grad)}")
    try:
        result = f(*given.as_given(given.numbers))
        outputs = results_of(result, f"the result of {name}")
        values = [as_float(x) for x in outputs]
    except NO_NUMBER as error:
        return judge.nowhere(name, given.names, error)
    names = prefixes(name, len(values))
    if not all(map(math.isfinite, values)):
        return judge.nowhere(name, [prefix + x for prefix in names for x in given.names], None)
    try:
        claimed = grad(*given.as_given(given.numbers))
    except NO_NUMBER as error:
        return judge.nowhere(name, given.names, error)
    one_number = len(values) == 1 and not isinstance(result, list | tuple | dict) and not getattr(result, "shape", ())
    analytic = given.derivatives(claimed, len(values), one_number)
    found: list[list[Slope]] = [[] for _ in values]
    for i, x in enumerate(given.numbers):
        for row, slope in zip(found, _slopes_of(f, given, name, i, x, values, analytic), strict=True):
            row.append(slope)
    entries = []
    for k, prefix in enumerate(names):
        largest = largest_change(found[k], given.numbers)
        for i, x_name in enumerate(given.names):
            size = max(abs(given.numbers[i]), 1.0)
            nothing = nothing_at_all(given.numbers[i], analytic[k][i], found[k][i].value)
            small = max(BESIDE_THE_LARGEST * largest / size, nothing)
            if abs(analytic[k][i]) <= next_to_zero(given.numbers[i], found[k][i].size):
                small = max(small, FLAT * max(abs(values[k]), found[k][i].size) / size)
            entries.append(judge.entry(prefix + x_name, 1, analytic[k][i], found[k][i], method_of(found[k][i]), small))
    if not all(entry.passes for entry in entries):
        entries = _seen_by_the_engine(f, given, name, judge, source, entries)
    transposed = notes_on_transposed(given, names, entries)
    if order > 1:
        if not one_number:
            raise ValueError(
                f"order={order} with grad= needs one output; {name} has {len(values)}. Check each order by itself: "
                "check_grads(jacobian, …, grad=…)"
            )
        entries += _higher(given, grad, order, judge, source)
    notes = []
    if not all(entry.passes for entry in entries):
        repeated = _values(f, given, name, given.numbers)
        notes = [changed_note(name, values, repeated)] if repeated is not None and len(repeated) == len(values) else []
    return Report(name, entries, notes=[note for note in [*notes, *transposed] if note])


def _seen_by_the_engine(
    f: Callable[..., Any], given: Inputs, name: str, judge: Judge, source: random.Random, entries: list[Entry]
) -> list[Entry]:
    """The entries; where the engine can look into the function, and has the derivative that fails, what it finds.

    Differences of the results alone cannot tell where floats are coarser than what the function does.
    """
    try:
        found = check_engine(f, given, name, 1, judge, source, backends=()).entries
    except Exception:  # a function of another library may fail in any way
        return entries
    seen = []
    for entry, other in zip(entries, found, strict=True):
        apart = abs(entry.analytic - other.analytic)
        same = apart <= min(judge.tolerance, 1.0) * HALF_OF_THE_DIGITS * abs(other.analytic) + UNDERFLOW
        seen.append(other._replace(analytic=entry.analytic) if same and not entry.passes else entry)
    return seen


def _higher(given: Inputs, grad: Callable[..., Any], order: int, judge: Judge, source: random.Random) -> list[Entry]:
    """The derivatives of a user's gradient, which the engine takes of it."""

    def on_numbers(flat: list[Any]) -> list[Any]:
        return given.derivatives(grad(*given.as_given(flat)), 1, True)[0]

    def gradient(flat: list[Any]) -> list[Any]:
        return given.derivatives(grad(*given.for_the_engine(flat)), 1, True, keep=True)[0]

    try:
        return higher_entries(gradient, on_numbers, given.numbers, given.names, "", order, judge, source)
    except (TypeError, AttributeError) as error:
        raise TypeError(
            f"order={order} differentiates grad itself, so it must take Values (nested lists of them for arrays) and "
            f"use autograd's functions; it raised {type(error).__name__}: {error}. A second derivative written by "
            "hand is checked as the derivative of the first: check_grads(grad, …, grad=second)"
        ) from error


def _values(f: Callable[..., Any], given: Inputs, name: str, numbers: Sequence[float]) -> list[float] | None:
    """The outputs at some numbers; ``None`` where there are none."""
    try:
        found = [as_float(z) for z in results_of(f(*given.as_given(numbers)), f"the result of {name}")]
    except NO_NUMBER:
        return None
    return found if all(map(math.isfinite, found)) else None


def _slopes_of(
    f: Callable[..., Any], given: Inputs, name: str, i: int, x: float, values: list[float], analytic: list[list[float]]
) -> list[Slope]:
    numbers = list(given.numbers)

    def moved(number: float) -> list[float] | None:
        numbers[i] = number
        found = _values(f, given, name, numbers)
        return found if found is not None and len(found) == len(values) else None

    def bound(number: float) -> list[float] | None:
        values = moved(number)
        return None if values is None else _bounds(f, given, name, numbers, values)

    expected = [row[i] if math.isfinite(row[i]) else 0.0 for row in analytic]
    return slopes(moved, x, values, expected, bound=bound)


def _bounds(
    f: Callable[..., Any], given: Inputs, name: str, numbers: Sequence[float], values: list[float]
) -> list[float] | None:
    """How far rounding may have moved each output, proved from its graph; ``None`` if none has the same numbers."""
    try:
        outputs = results_of(f(*given.for_the_engine([Value(x) for x in numbers])), f"the result of {name}")
        same = [output.data for output in outputs] == values
        return [rounding_error(output).bound for output in outputs] if same else None
    except Exception:  # a function of another library may fail in any way
        return None
