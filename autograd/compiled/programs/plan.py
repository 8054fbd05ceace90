"""What a back end runs: one Program for values, guards and gradients together, and what its inputs and outputs mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from autograd.compiled.programs import loops
from autograd.program import Program

#: Instructions that are taken from arrays into lists at a time.
_AT_ONCE = 1 << 16


class Plan(NamedTuple):
    """A program whose outputs are the values, then what guards hold, then the derivatives asked for."""

    program: Program
    values: int
    guards: int
    #: Whether each slot differs from sample to sample.
    varying: bytearray
    #: Whether each output is to be summed over samples, where it varies.
    reduced: tuple[bool, ...]
    #: How many of the last instructions are products that are outputs and nothing else.
    products: int = 0
    #: Whether derivatives may be wrong, or nan, where some number is not finite: there a careful plan has them right.
    may_need_care: bool = False


def plan_of(
    program: Program,
    values: int,
    guards: int,
    varying_inputs: Sequence[bool],
    reduced: Sequence[bool] = (),
    *,
    products: int = 0,
) -> Plan:
    """The plan of a program with so many values and guards among its outputs, and so many products at its end."""
    varying = bytearray(program.first_instruction + len(program))
    varying[: program.inputs] = bytes(map(bool, varying_inputs))
    # Columns live with the numbers that differ by sample, whatever they hold.
    columns = {i for i, row in enumerate(program.primitives) if row is loops.STACK or loops.of(row) is not None}
    if columns or any(varying_inputs):
        starts, operands, opcodes = program.starts, program.operands, program.opcodes
        first, end = program.first_instruction, len(program) - products
        if columns:
            for i in np.flatnonzero(np.isin(np.array(opcodes), list(columns))).tolist():
                varying[first + i] = 1
        counts, flat = np.diff(np.array(starts, np.int64)), np.array(operands)
        for begin in range(0, end, _AT_ONCE):
            here = slice(begin, min(begin + _AT_ONCE, end))
            at = np.array(starts[here], np.int64)
            # What has fewer operands than two repeats its last one.
            xs, ys = flat[at].tolist(), flat[at + np.minimum(counts[here] - 1, 1)].tolist()
            for slot, x, y, count in zip(
                range(first + begin, first + here.stop), xs, ys, counts[here].tolist(), strict=True
            ):
                if varying[x] or varying[y]:
                    varying[slot] = 1
                elif count > 2:
                    varying[slot] |= any(map(varying.__getitem__, program.instruction(slot)[1]))
        # There may be a hundred thousand products, so arrays do it.
        factors = np.array(operands[starts[end] :], np.intp).reshape(-1, 2)
        varying[len(varying) - products :] = np.array(varying, np.uint8)[factors].max(axis=1, initial=0).tobytes()
    return Plan(program, values, guards, varying, tuple(reduced) or (False,) * len(program.outputs), products)
