"""What a back end runs: one Program for values, guards and gradients together, and what its inputs and outputs mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from autograd.compiled import loops
from autograd.compiled.building import Builder, Product, rebuilt
from autograd.compiled.differentiation import Differentiator
from autograd.compiled.guards import outputs_of
from autograd.compiled.tracing import Trace
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


def planned(
    trace: Trace,
    varying_inputs: Sequence[bool],
    derivatives: Sequence[tuple[int, Sequence[int]]] = (),
    *,
    reduced: Sequence[bool] = (),
) -> Plan:
    """The plan for a trace.

    Args:
        varying_inputs: per input of the trace's program, whether it differs from sample to sample.
        derivatives: pairs of an output and the inputs of the program by which its derivatives are wanted (-1: one
            that nothing depends on).
        reduced: per output of the plan, whether it is to be summed over samples; none unless told.
    """
    builder = Builder(trace.program.inputs, long_dots=True)
    places = rebuilt(trace.program, builder, range(trace.program.inputs))
    values = [places[s] if s >= 0 else builder.constant(trace.constants[i]) for i, s in enumerate(trace.outputs)]
    guards = outputs_of(trace.guards, builder, places)
    found: list[int | Product] = []
    differentiator = Differentiator(builder)
    for output, inputs in derivatives:
        slot = trace.outputs[output]
        cotangents: list[int | Product | None] = [None] * len(places)
        if slot >= 0:
            wanted = [i for i in inputs if i >= 0]
            seeds = {slot: builder.constant(1.0)}
            cotangents = differentiator.cotangents(trace.program, places, trace.orders[output], seeds, wanted)
        for i in inputs:
            cotangent = None if i < 0 else cotangents[i]
            found.append(builder.constant(0.0) if cotangent is None else cotangent)
    program = builder.program([*values, *guards, *found])
    products = list(map(type, found)).count(tuple)
    return plan_of(program, len(values), len(guards), varying_inputs, reduced, products=products)


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
