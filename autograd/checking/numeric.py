"""What differences say of the engine's derivatives: by complex step where that can be, by real differences elsewhere.

A program says nothing of what Python decided while it was recorded, nor of numbers that were read through ``.data``. So
the function itself is called beside the point, along random directions, and has to agree with what the program says;
where it does not, each input is moved alone.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from functools import cached_property

from autograd.checking.calls import Call, Seen, function_agrees, of_the_function
from autograd.checking.differences import HALF_OF_THE_DIGITS, ONE_SLOPE, Slope, slopes
from autograd.checking.judging import (
    BESIDE_THE_LARGEST,
    FLAT,
    NOTHING,
    Judge,
    changed_note,
    largest_change,
    method_of,
    next_to_zero,
    nothing_at_all,
)
from autograd.checking.noise import noise_of
from autograd.checking.one_input_changed import OneOperation, imaginary_step, leading_to, reruns, underflow_of
from autograd.checking.recorded import NO_NUMBER, jumps_between
from autograd.checking.report import Entry
from autograd.checking.rounding_estimate import Rounding
from autograd.checking.shrinking_steps import ROUNDING, UNDERFLOW, Function

#: An input at a kink is moved in the function itself, as Python may have decided something there, for so many
#: operations in all; where that is too much, in the program.
_MOST_WORK = 3_000_000
#: About how often a function is called for one input at a kink.
_CALLS = 130
#: Complex steps are confirmed by real differences before anything is called wrong; after so many, they are believed.
_CONFIRMATIONS = 16


#: The program is run for each input alone, for so many operations in all, or so many times the operations that it has;
#: the other inputs are taken all at once, where that settles it.
_MOST_RERUN, _PASSES = 1_000_000, 20


#: Of second derivatives that are missed by conventions.
OF_SLOPES_AT_KINKS = (
    "a slope there is a convention, and its own slope is 0; write what is smooth as such, abs(x)**2 as square(x)"
)


class Numeric:
    """What differences say of every output and input of a call, and how each number was found."""

    def __init__(self, call: Call, source: random.Random) -> None:
        self.call = call
        self.notes: list[str] = []
        outputs = range(len(call.outputs))
        #: Output and input of a derivative that does not exist, and the reason.
        self.nowhere: dict[tuple[int, int], str] = {}
        self.analytic = [self._analytic(k) for k in outputs]
        rounding = Rounding(call.recorded)
        self.off = [rounding.of_gradient(k) for k in outputs]
        # Where nothing is known of the rounding, it is seen from the results.
        self.noise = [n if (n := rounding.of_output(k)) < math.inf else 0.0 for k in outputs]
        self.complex, self.floats = reruns(call.recorded)
        self._reruns = 0
        self.slopes: list[list[Slope]] = [[] for _ in outputs]
        self.methods: list[str] = []
        #: The inputs on whose way to an output an operation stands at a kink.
        self.kinks: set[int] = set()
        self._confirmed = 0
        self._from_the_program()
        if not function_agrees(call, self.slopes, self.off, self.noise, source):
            others, decided = [], False
            for i in range(len(call.inputs)):
                seen: Seen = []
                column = of_the_function(call, i, self._claimed(i), self.noise, seen)
                if self._borne_out_by_the_function(i, column):
                    continue
                its_program = self._is_its_program(i, seen)
                if its_program and self._is_within(i, column):
                    continue
                others.append(i)
                decided = decided or not its_program
                self._replace(i, column)
            repeated = call.at(call.inputs.numbers) if others else None
            if repeated is not None and (note := changed_note(call.name, call.values, repeated)):
                self.notes.append(note)
            elif decided:
                self.notes.append(
                    f"{call.name} itself, beside this point, does not change as its recorded operations say (a branch "
                    "of Python that depends on the inputs, or a number read through .data); it was called for each "
                    "input alone."
                )

    def _analytic(self, k: int) -> list[float]:
        """The engine's derivatives of one output; nan for one that does not exist, which is looked for one by one."""
        recorded = self.call.recorded
        try:
            return recorded.gradient(k)
        except NO_NUMBER:
            pass
        found = []
        for i in range(len(self.call.inputs)):
            try:
                found.append(recorded.derivative(k, i))
            except NO_NUMBER as error:
                found.append(math.nan)
                if not isinstance(error, OverflowError):
                    self.nowhere[k, i] = str(error)
        return found

    def _claimed(self, i: int) -> list[float]:
        return [row[i] for row in self.analytic]

    def _borne_out_by_the_function(self, i: int, column: list[Slope]) -> bool:
        """Whether the function's own slopes by one input are those of its program, and known as well as can be."""
        size = max(abs(self.call.inputs.numbers[i]), 1.0)
        for row, own in zip(self.slopes, column, strict=True):
            ours = row[i]
            if ours == own:
                continue
            known = own.error <= max(1e-3 * abs(ours.value), FLAT * own.size / size)
            together = own._replace(error=own.error + ours.error)
            if not (ours.kind in ONE_SLOPE and own.kind in ONE_SLOPE and known and _close(together, ours.value)):
                return False
        return True

    def _is_its_program(self, i: int, seen: Seen) -> bool:
        """Whether the function returned what its program computes wherever it was called: then no branch of Python is
        in between, and what its differences cannot tell is due to rounding or to the end of a domain."""
        if not self.call.recorded.has_formulas():
            return False
        program = self._program_of(i, self.complex.downstream(i))
        for number, values in seen:
            computed = program(number)
            if values is None or computed is None:
                continue
            for value, other, noise in zip(values, computed, self.noise, strict=True):
                if abs(value - other) > noise_of(noise, value, other):
                    return False
        return True

    def _is_within(self, i: int, column: list[Slope]) -> bool:
        """Whether the program rounds little, and its slopes by one input are within the errors of the function's."""
        for row, own, value, noise in zip(self.slopes, column, self.call.values, self.noise, strict=True):
            little = noise <= 4 * noise_of(0.0, value) and own.kind in ONE_SLOPE
            if not (little and abs(row[i].value - own.value) <= own.error < math.inf):
                return False
        return True

    def _replace(self, i: int, column: list[Slope]) -> None:
        self.methods[i] = "central"
        for row, slope in zip(self.slopes, column, strict=True):
            row[i] = slope

    def places(self) -> list[tuple[int, int]]:
        """Output and input of each entry."""
        return [(k, i) for k in range(len(self.slopes)) for i in range(len(self.call.inputs))]

    def entries(self, names: Sequence[str], judge: Judge) -> list[Entry]:
        """One entry for each output and input."""
        call, entries = self.call, []
        for k, output_name in enumerate(names):
            largest = largest_change(self.slopes[k], call.inputs.numbers)
            for i, name in enumerate(call.inputs.names):
                slope, analytic = self.slopes[k][i], self.analytic[k][i]
                size = max(abs(call.inputs.numbers[i]), 1.0)
                nothing = nothing_at_all(call.inputs.numbers[i], analytic, slope.value)
                small = max(BESIDE_THE_LARGEST * largest / size, nothing)
                if self.methods[i] == "complex step":
                    small = max(small, FLAT * abs(call.values[k]) / size)
                rounding = 4 * self.off[k][i]  # of the formula of the slope
                if abs(analytic) <= max(rounding, next_to_zero(call.inputs.numbers[i], slope.size)):
                    small = max(small, FLAT * max(abs(call.values[k]), slope.size, self.noise[k] / ROUNDING) / size)
                method = method_of(slope) if self.methods[i] == "central" else self.methods[i]
                entry = judge.entry(f"{output_name}{name}", 1, analytic, slope, method, small)
                if (k, i) in self.nowhere:
                    entry = judge.outside(entry, self.nowhere[k, i])
                entries.append(entry)
        return entries

    def _from_the_program(self) -> None:
        """Fill in what the recorded program says."""
        call, recorded = self.call, self.call.recorded
        to_kinks = leading_to(recorded.program, recorded.kinks())
        work = 0
        for i, x in enumerate(call.inputs.numbers):
            method = "complex step"
            if recorded.inputs[i] < 0:  # the result does not depend on it
                column = [Slope(0.0, 0.0, 0.0, 0.0, 0.0, "smooth", 0.0)] * len(self.slopes)
            else:
                exact = None
                if to_kinks[recorded.inputs[i]]:
                    self.kinks.add(i)
                elif recorded.has_formulas():
                    exact = self._by_complex_step(i, x)
                if exact is not None:
                    column = exact
                else:
                    method = "central"
                    if not recorded.has_formulas():
                        column = of_the_function(call, i, self._claimed(i), self.noise)
                    elif i in self.kinks and work <= _MOST_WORK:
                        work += _CALLS * len(recorded.program)
                        column = of_the_function(call, i, self._claimed(i), self.noise)
                    else:
                        column = self._of_the_program(i, x, self.complex.downstream(i))
            self.methods.append(method)
            for row, slope in zip(self.slopes, column, strict=True):
                row.append(slope)

    @cached_property
    def _at_once(self) -> list[list[float]]:
        """The slopes of all outputs by all inputs, from steps within each operation; nan where there is none."""
        at_once = OneOperation(self.call.recorded)
        return [at_once.derivatives(k) for k in range(len(self.call.outputs))]

    def _by_complex_step(self, i: int, x: float) -> list[Slope] | None:
        """The slopes by complex step, where it can be taken and is borne out."""
        h = imaginary_step(x)
        if h == 0.0:
            return None
        claimed, off = self._claimed(i), [row[i] for row in self.off]

        def column_of(derivatives: list[float]) -> list[Slope] | None:
            underflow = 4 * UNDERFLOW / h
            if not _worth(derivatives, claimed, off, underflow, x, self.call.values):
                return None
            return [
                Slope(d, 2 * o + ROUNDING * abs(d) + underflow, h, d, d, "smooth", 0.0)
                for d, o in zip(derivatives, off, strict=True)
            ]

        believed = self._confirmed >= _CONFIRMATIONS
        if self._reruns > max(_MOST_RERUN, _PASSES * len(self.call.recorded.program)):
            derivatives = [row[i] for row in self._at_once]
            column = column_of(derivatives) if all(map(math.isfinite, derivatives)) else None
            if column is not None and (believed or all(map(_close, column, claimed))):
                return column
        downstream = self.complex.downstream(i)
        self._reruns += len(downstream)
        alone = self.complex.by_complex_step(i, downstream)
        column = None if alone is None else column_of(alone)
        if column is None or believed or all(map(_close, column, claimed)):
            return column
        # Before anything is called wrong, real differences must say so too.
        real = self._of_the_program(i, x, downstream)
        if not all(map(_borne_out, column, real, claimed)):
            return None
        self._confirmed += 1
        return column

    def _program_of(self, i: int, downstream: list[int]) -> Function:
        """The recorded program as a function of one input; an output that is no Value does not move."""
        recorded, values = self.call.recorded, self.call.values

        def f(number: float) -> list[float] | None:
            if recorded.inputs[i] < 0:
                return values
            try:
                found = self.floats.outputs(i, number, downstream)
            except NO_NUMBER:
                return None
            results = [float(z) if o >= 0 else x for z, o, x in zip(found, recorded.outputs, values, strict=True)]
            return results if all(map(math.isfinite, results)) else None

        return f

    def _of_the_program(self, i: int, x: float, downstream: list[int]) -> list[Slope]:
        """The slopes by real differences of the recorded program."""
        f = self._program_of(i, downstream)
        centre = f(x)
        if centre is None:
            return [NOTHING] * len(self.slopes)
        return slopes(f, x, centre, self._claimed(i), noise=self.noise)

    def _jumps_within(self, step: float, i: int, downstream: list[int]) -> bool:
        """Whether an operation jumps between the point and a step to either side of it."""
        recorded = self.call.recorded
        steps = list(recorded.program.instructions())
        jumping = [s for s in downstream if steps[s - recorded.program.first_instruction][0].jumps]
        if not jumping:
            return False
        for number in (self.call.inputs.numbers[i] - step, self.call.inputs.numbers[i] + step):
            try:
                moved = self.floats.numbers_with(i, number, downstream)
            except NO_NUMBER:
                continue
            for slot in jumping:
                primitive, operands = steps[slot - recorded.program.first_instruction]
                if jumps_between(primitive, slot, operands, recorded.numbers, moved):
                    return True
        return False

    def by_conventions(self, entry: Entry, judge: Judge) -> Entry:
        """A mismatch of a higher derivative to which no node is guilty, where operations stand at kinks, or jump within
        a step."""
        if entry.verdict != "mismatch":
            return entry
        if not self.kinks:
            rough = any(
                self._jumps_within(entry.step, i, self.complex.downstream(i)) for i in range(len(self.call.inputs))
            )
            return _ill_conditioned(entry, _SHORT_STEPS, judge) if rough else entry
        recorded = self.call.recorded
        names = " and ".join(sorted({recorded.program.instruction(slot)[0].name for slot in recorded.kinks()}))
        return _at_kinks(entry, f"at a kink of {names}: {OF_SLOPES_AT_KINKS}", judge)

    def without_a_guilty_node(self, k: int, i: int, entry: Entry, judge: Judge) -> Entry:
        """A mismatch to which no node is guilty: the conventions at kinks, or a function too rough for differences.

        It stays a mismatch where the recorded program itself has another derivative than the function: then Python
        decided something, or a number was read through ``.data``.
        """
        if entry.verdict != "mismatch" or self.call.recorded.inputs[i] < 0 or not self.call.recorded.has_formulas():
            return entry
        if i in self.kinks:
            return _at_kinks(entry, "operations at a kink: their conventions do not add up to a slope", judge)
        downstream = self.complex.downstream(i)
        derivatives = self.complex.by_complex_step(i, downstream)
        claimed = self.analytic[k][i]
        note = ""
        if abs(entry.analytic - entry.numeric) <= self.off[k][i]:
            note = "rounding alone may put the derivative as far off"
        elif self._jumps_within(self.slopes[k][i].step, i, downstream):
            note = _SHORT_STEPS
        if note:
            return _ill_conditioned(entry, note, judge)
        x = self.call.inputs.numbers[i]
        if derivatives is None:
            return entry
        off = 2 * self.off[k][i] + underflow_of(imaginary_step(x), derivatives[k])
        if not _close(self.slopes[k][i]._replace(value=derivatives[k], error=off), claimed):
            return entry
        real = self._of_the_program(i, x, downstream)[k]
        if _close(real, claimed):
            return entry
        return _ill_conditioned(entry, "too rough for differences", judge)


_SHORT_STEPS = "steps of the function are shorter than those of the difference"


def _ill_conditioned(entry: Entry, note: str, judge: Judge) -> Entry:
    verdict = "ill-conditioned"
    return entry._replace(verdict=verdict, passes=verdict in judge.allow, note=note)


def _at_kinks(entry: Entry, note: str, judge: Judge) -> Entry:
    note = f"{entry.note}; {note}" if entry.note else note
    return entry._replace(verdict="kink", passes="kink" in judge.allow, note=note)


def _close(slope: Slope, analytic: float) -> bool:
    """Whether a slope and the engine's derivative are the same but for rounding."""
    size = max(abs(slope.value), abs(analytic))
    return abs(slope.value - analytic) <= slope.error + HALF_OF_THE_DIGITS * size


def _borne_out(slope: Slope, real: Slope, analytic: float) -> bool:
    """Whether real differences are with the complex step: they agree with it, and not with the engine."""
    if _close(slope, analytic):
        return True
    return real.kind == "smooth" and _close(real, slope.value) and not _close(real, analytic)


def _worth(
    by_complex: Sequence[float],
    expected: Sequence[float],
    off: Sequence[float],
    underflow: float,
    x: float,
    values: Sequence[float],
) -> bool:
    """Whether the formulas are exact enough here, and the step large enough, for a complex step to be believed."""
    for d, a, o, value in zip(by_complex, expected, off, values, strict=True):
        little = max(1e-3 * max(abs(d), abs(a) if a == a else 0.0), FLAT * abs(value) / max(abs(x), 1.0))
        if not (2 * o <= max(little, 1e-300) and underflow <= max(little, nothing_at_all(x, a, d))):
            return False
    return True
