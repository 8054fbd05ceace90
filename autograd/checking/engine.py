"""The engine's own derivatives checked: by complex step through the recorded program, and against the function itself.

A program says nothing of what Python decided while it was recorded, nor of numbers that were read through ``.data``. So
the function itself is called beside the point, along random directions, and has to agree with what the program says;
where it does not, each input is moved alone.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from typing import Any

from autograd.checking.differences import HALF_OF_THE_DIGITS, ROUNDING, Slope, slopes
from autograd.checking.edges import guilty_edges
from autograd.checking.inputs import Inputs
from autograd.checking.judging import NOTHING, Judge, prefixes
from autograd.checking.recorded import NO_NUMBER, Recorded, Replay, Rounding, as_float, replays, results_of
from autograd.checking.report import Edge, Entry, Report
from autograd.line_recording import record_lines
from autograd.value import Value

#: So many inputs at most are moved in the function itself, where the program would do.
_MOST_ALONE = 64
#: An absolute error that is small for a derivative whose formula cancels: part of the function's size over its input's.
_FLAT = 1e-9
#: An error that is small beside the largest derivative.
_BESIDE_THE_LARGEST = 1e-6


def check_engine(
    f: Callable[..., Any], given: Inputs, name: str, order: int, judge: Judge, source: random.Random
) -> Report:
    """The report on the engine's derivatives of a function."""
    try:
        call = Call(f, given, name)
    except NO_NUMBER as error:
        return judge.nowhere(name, given.names, error)
    names = prefixes(name, len(call.outputs))
    if not all(map(math.isfinite, call.values)):
        return judge.nowhere(name, [prefix + x for prefix in names for x in given.names], None)
    entries, notes = engine_entries(call, names, judge, source)
    guilty: list[Edge] = []
    edges = 0
    if not all(entry.passes for entry in entries):
        guilty, edges = guilty_edges(call.roots, judge.tolerance)
    return Report(name, entries, guilty, edges, notes)


class Call:
    """One call of a function of the engine, recorded, and the function on plain numbers."""

    def __init__(self, f: Callable[..., Any], inputs: Inputs, name: str) -> None:
        self.f = f
        self.inputs = inputs
        self.name = name
        self.leaves = [Value(x, label) for x, label in zip(inputs.numbers, inputs.names, strict=True)]
        with record_lines():
            self.outputs = results_of(f(*inputs.for_the_engine(self.leaves)), f"the result of {name}")
        self.values = [as_float(output) for output in self.outputs]
        self.roots = [output for output in self.outputs if isinstance(output, Value)]
        self.recorded = Recorded(self.leaves, self.outputs)

    def at(self, numbers: Sequence[float]) -> list[float] | None:
        """The outputs at other numbers; ``None`` where there are none."""
        try:
            result = self.f(*self.inputs.for_the_engine([Value(x) for x in numbers]))
            values = [as_float(x) for x in results_of(result, f"the result of {self.name}")]
        except NO_NUMBER:
            return None
        return values if all(map(math.isfinite, values)) and len(values) == len(self.values) else None


def engine_entries(
    call: Call, names: Sequence[str], judge: Judge, source: random.Random
) -> tuple[list[Entry], list[str]]:
    """One entry for each output and input, and what else is to be said."""
    count = len(call.inputs)
    analytic = [_analytic(call.recorded, k, count) for k in range(len(call.outputs))]
    rounding = Rounding(call.recorded)
    off = [rounding.of_gradient(k) for k in range(len(call.outputs))]
    noise = [rounding.of_output(k) for k in range(len(call.outputs))]
    found, methods = _from_the_program(call, analytic, off, noise)
    notes = []
    if not _function_agrees(call, found, noise, source):
        notes.append(
            f"{call.name} itself, beside this point, does not change as its recorded operations say (a branch of "
            "Python that depends on the inputs, a number read through .data, or rounding); it was called for each "
            "input alone."
        )
        for i in range(count):
            for k, slope in enumerate(_of_the_function(call, i, [row[i] for row in analytic], noise)):
                found[k][i] = slope
            methods[i] = "central"
    entries = []
    for k, output_name in enumerate(names):
        largest = _largest(found[k], call.inputs.numbers)
        for i, name in enumerate(call.inputs.names):
            size = max(abs(call.inputs.numbers[i]), 1.0)
            small = _BESIDE_THE_LARGEST * largest / size
            if methods[i] == "complex step":
                small = max(small, _FLAT * abs(call.values[k]) / size)
            small = max(small, _flat(analytic[k][i], found[k][i], call.values[k], size, off[k][i]))
            method = {"edge": "one-sided"}.get(found[k][i].kind, methods[i])
            entries.append(judge.entry(f"{output_name}{name}", 1, analytic[k][i], found[k][i], method, small))
    return entries, notes


def _flat(analytic: float, slope: Slope, value: float, size: float, off: float) -> float:
    """An error that is small for a derivative of zero, or of nothing but the rounding of its formula."""
    return _FLAT * max(abs(value), slope.noise) / size if abs(analytic) <= 4 * off else 0.0


def _largest(found: Sequence[Slope], numbers: Sequence[float]) -> float:
    """The largest change of the function over the size of one input."""
    changes = [abs(slope.value) * max(abs(x), 1.0) for slope, x in zip(found, numbers, strict=True)]
    return max((change for change in changes if math.isfinite(change)), default=0.0)


def _analytic(recorded: Recorded, output: int, count: int) -> list[float]:
    """The engine's derivatives; nan for one that does not exist, which is looked for one by one."""
    try:
        return recorded.gradient(output)
    except NO_NUMBER:
        pass
    found = []
    for i in range(count):
        try:
            found.append(recorded.derivative(output, i))
        except NO_NUMBER:
            found.append(math.nan)
    return found


def _from_the_program(
    call: Call, analytic: list[list[float]], off: list[list[float]], noise: list[float]
) -> tuple[list[list[Slope]], list[str]]:
    """What the recorded program says of each output and input, and by which method."""
    recorded, numbers = call.recorded, call.inputs.numbers
    complex_replay, float_replay = replays(recorded)
    kinks = recorded.kinks()
    found: list[list[Slope]] = [[] for _ in analytic]
    methods = []
    alone = 0
    for i, x in enumerate(numbers):
        if recorded.inputs[i] < 0:  # the result does not depend on it
            for row in found:
                row.append(Slope(0.0, 0.0, 0.0, 0.0, 0.0, "smooth", 0.0))
            methods.append("complex step")
            continue
        downstream = complex_replay.downstream(i)
        kink = not kinks.isdisjoint(downstream)
        by_complex = None if kink else complex_replay.by_complex_step(i, downstream)
        expected = [row[i] for row in analytic]
        if by_complex is not None and _worth(by_complex, expected, [row[i] for row in off], numbers[i], call.values):
            methods.append("complex step")
            column = [
                Slope(d, 2 * row[i] + ROUNDING * abs(d), 0.0, d, d, "smooth", 0.0)
                for d, row in zip(by_complex, off, strict=True)
            ]
        elif kink and alone < _MOST_ALONE:
            alone += 1
            methods.append("central")
            column = _of_the_function(call, i, expected, noise)
        else:
            methods.append("central")
            column = _of_the_program(float_replay, i, x, expected, call.values, noise, downstream)
        for row, slope in zip(found, column, strict=True):
            row.append(slope)
    return found, methods


def _worth(
    by_complex: Sequence[float], expected: Sequence[float], off: Sequence[float], x: float, values: Sequence[float]
) -> bool:
    """Whether the formulas are exact enough here for a complex step to be believed."""
    return all(
        2 * o <= max(1e-3 * max(abs(d), abs(a) if a == a else 0.0), _FLAT * abs(value) / max(abs(x), 1.0), 1e-300)
        for d, a, o, value in zip(by_complex, expected, off, values, strict=True)
    )


def _of_the_program(
    replay: Replay,
    i: int,
    x: float,
    expected: Sequence[float],
    values: list[float],
    noise: list[float],
    downstream: list[int],
) -> list[Slope]:
    def f(number: float) -> list[float] | None:
        try:
            results = [float(z) for z in replay.outputs(i, number, downstream)]
        except NO_NUMBER:
            return None
        # An output that is no Value does not move.
        return results if all(map(math.isfinite, results)) else None

    centre = f(x)
    if centre is None:
        return [NOTHING] * len(values)
    return slopes(f, x, centre, expected, noise=noise)


def _of_the_function(call: Call, i: int, expected: Sequence[float], noise: list[float]) -> list[Slope]:
    numbers = list(call.inputs.numbers)

    def f(number: float) -> list[float] | None:
        numbers[i] = number
        return call.at(numbers)

    return slopes(f, call.inputs.numbers[i], call.values, expected, noise=noise)


def _function_agrees(call: Call, found: list[list[Slope]], noise: list[float], source: random.Random) -> bool:
    """Whether the function itself changes along random directions as the slopes say.

    Each input moves by a random part of its own size, and in a second direction by a random part of one, where it is
    smaller than that; inputs that stand at a kink stay.
    """
    numbers = call.inputs.numbers
    moving = [
        i for i in range(len(numbers)) if all(row[i].kind == "smooth" and row[i].error < math.inf for row in found)
    ]
    if not moving:
        return True
    for least in (0.0, 1.0):
        if least and all(abs(numbers[i]) >= 1.0 or numbers[i] == 0.0 for i in moving):
            break
        direction = {
            i: source.choice((1.0, -1.0)) * source.uniform(0.5, 1.0) * (max(abs(numbers[i]), least) or 1.0)
            for i in moving
        }
        if not _agrees_along(call, direction, found, noise):
            return False
    return True


def _agrees_along(call: Call, direction: dict[int, float], found: list[list[Slope]], noise: list[float]) -> bool:
    numbers = list(call.inputs.numbers)

    def f(t: float) -> list[float] | None:
        moved = list(numbers)
        for i, v in direction.items():
            moved[i] += (t - 1.0) * v
        return call.at(moved)

    expected, allowed, more_noise, largest = [], [], [], []
    for row, n in zip(found, noise, strict=True):
        terms = [v * row[i].value for i, v in direction.items()]
        expected.append(math.fsum(terms))
        size = sum(map(abs, terms))
        allowed.append(sum(abs(v) * row[i].error for i, v in direction.items()) + HALF_OF_THE_DIGITS * size)
        # Each moved input is rounded.
        more_noise.append(n + ROUNDING * sum(abs(row[i].value * numbers[i]) for i in direction))
        largest.append(max(map(abs, terms)))
    for k, slope in enumerate(slopes(f, 1.0, call.values, expected, noise=more_noise, precision=1e-7)):
        if slope.kind != "smooth" or not abs(slope.value - expected[k]) <= slope.error + allowed[k]:
            return False
        if not slope.error <= max(1e-3 * largest[k], _FLAT * abs(call.values[k])):
            return False
    return True
