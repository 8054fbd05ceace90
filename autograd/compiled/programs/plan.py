"""What a back end runs: one Program for values, guards and gradients together, and what its inputs and outputs mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from autograd.compiled.programs import loops
from autograd.program import Program


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
        end = len(program) - products
        for i, slot in zip(range(end), range(program.first_instruction, len(varying)), strict=False):
            if opcodes[i] in columns:
                varying[slot] = 1
                continue
            for o in operands[starts[i] : starts[i + 1]]:
                if varying[o]:
                    varying[slot] = 1
                    break
        # There may be a hundred thousand products, so arrays do it.
        factors = np.array(operands[starts[end] :], np.intp).reshape(-1, 2)
        varying[len(varying) - products :] = np.array(varying, np.uint8)[factors].max(axis=1, initial=0).tobytes()
    return Plan(program, values, guards, varying, tuple(reduced) or (False,) * len(program.outputs), products)
