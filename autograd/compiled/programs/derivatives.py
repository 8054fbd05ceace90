"""Plans of values and derivatives: gradients, products with tangents, cotangents and vectors, and the matrices that
these make up.

What is multiplied with, the *seed*, is further inputs of the program, which differ from lane to lane unless there is
one lane. In a *matrix* of derivatives each lane has a unit vector for its seed, and is one row or one column. There
what the lane's one seed does not reach is kept out, as a branch not taken is, be it ``0 · inf``: so rows are those that
the engine finds one by one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from itertools import compress
from operator import and_
from typing import Any, NamedTuple

from autograd.compiled.programs.building import Builder, rebuilt
from autograd.compiled.programs.differentiation import Adjoint
from autograd.compiled.programs.instructions import Product
from autograd.compiled.programs.liveness import needs_care
from autograd.compiled.programs.plan import Plan, plan_of
from autograd.compiled.programs.tangents import Tangents
from autograd.compiled.recording.guards import NOT_ASKED, Guard
from autograd.compiled.recording.trace import Trace
from autograd.eager.garbage import collector_at_rest
from autograd.number_systems.common import SMALLER
from autograd.program import Program


class Derivative(NamedTuple):
    """What is to be computed of a recorded function."""

    name: str
    #: "gradient", backward from the one output; "vjp", backward from a cotangent; "jvp", along a tangent; "hvp", the
    #: gradient along a vector; "" for the values alone.
    mode: str
    #: Whether each lane has one seed that is 1.0, while the others are 0.0.
    is_matrix: bool = False

    def seeds(self, outputs: int, wanted: int) -> int:
        """How many numbers a seed has: one per output, or one per argument that is differentiated by."""
        return {"vjp": outputs, "jvp": wanted, "hvp": wanted}.get(self.mode, 0)

    def refuse_unless_it_exists(self, recorded: Trace, name: str) -> None:
        """Raise TypeError if it is of functions with one output, and this one has several."""
        if self.mode in ("gradient", "hvp") and not recorded.one_number:
            raise TypeError(
                f"{self.name} needs a function of one output; {name} returns {len(recorded.outputs)} numbers in a list"
            )


VALUES = Derivative("values", "")
GRADIENT = Derivative("gradient", "gradient")
VJP = Derivative("vjp", "vjp")
JVP = Derivative("jvp", "jvp")
HVP = Derivative("hvp", "hvp")
ROWS = Derivative("jacobian by rows", "vjp", True)
COLUMNS = Derivative("jacobian by columns", "jvp", True)
HESSIAN = Derivative("hessian", "hvp", True)


def jacobian_of(recorded: Trace, wanted: int) -> Derivative:
    """How a Jacobian by so many arguments is made: by rows or by columns, whichever are fewer."""
    if recorded.one_number:
        return GRADIENT
    return ROWS if len(recorded.outputs) <= wanted else COLUMNS


@collector_at_rest()
def planned(
    recorded: Trace,
    derivative: Derivative,
    wanted: Sequence[int],
    varying: Sequence[bool],
    *,
    reduced: Sequence[bool] = (),
    one_lane: bool = False,
    careful: bool = False,
    smaller: bool = False,
) -> Plan:
    """The plan for a derivative; its seeds are inputs after all others.

    Args:
        wanted: the inputs to differentiate by; -1 for what nothing depends on.
        varying: per input of the recorded program, whether it differs from lane to lane.
        reduced: per output of the plan, whether it is to be summed over samples; none unless told.
        one_lane: the seed is one for all, as an argument that does not vary.
        careful: keep out what flows through any partial that is a literal 0, as ``liveness`` says.
        smaller: multiply all that is to be summed by SMALLER.
    """
    program, count = recorded.program, derivative.seeds(len(recorded.outputs), len(wanted))
    builder = Builder(
        program.inputs + count,
        long_dots=derivative in (VALUES, GRADIENT),
        to_differentiate=derivative.mode == "hvp",
    )
    places = rebuilt(program, builder, range(program.inputs))
    seeds = range(program.inputs, program.inputs + count)
    found: list[int | Product] = []
    if derivative.mode in ("gradient", "hvp"):
        start = {slot: builder.constant(1.0) for slot in recorded.outputs if slot >= 0}
        found = _backward(builder, recorded, places, start, wanted, careful=careful)
    elif derivative.mode == "vjp":
        start = _start(builder, recorded, seeds)
        lanes = start if derivative.is_matrix else {}
        found = _backward(builder, recorded, places, start, wanted, lanes, careful=careful)
    elif derivative.mode == "jvp":
        tangents = Tangents(builder, program, places, wanted, seeds, is_matrix=derivative.is_matrix, careful=careful)
        found = [*tangents.of(recorded.outputs)]
    if derivative.mode == "hvp":
        of_gradient = builder.program(found)
        builder, places, found = _along(program, of_gradient, wanted, seeds, derivative, careful=careful)
    values = [places[s] if s >= 0 else builder.constant(recorded.constants[i]) for i, s in enumerate(recorded.outputs)]
    guards = outputs_of(recorded.guards, builder, places)
    outputs = _smaller(builder, [*values, *guards, *found], reduced if smaller else ())
    plan = plan_of(
        builder.program(outputs), len(values), len(guards), [*varying, *[not one_lane] * count], reduced,
        products=sum(number.__class__ is tuple for number in found),
    )  # fmt: skip
    if careful or derivative is VALUES:
        return plan
    return plan._replace(may_need_care=needs_care(program, forward=derivative.mode in ("jvp", "hvp")))


def _along(
    program: Program,
    gradient: Program,
    wanted: Sequence[int],
    seeds: Sequence[int],
    derivative: Derivative,
    *,
    careful: bool,
) -> tuple[Builder, list[int], list[int | Product]]:
    """Forward over reverse: the gradient is a program of its own, along whose way a vector is pushed.

    Returns:
        The builder of the whole, its slot of each of the function's slots, and those of the gradient's tangents.
    """
    builder = Builder(gradient.inputs)
    of_gradient = rebuilt(gradient, builder, range(gradient.inputs))
    places = rebuilt(program, builder, range(program.inputs))
    is_matrix = derivative.is_matrix
    tangents = Tangents(builder, gradient, of_gradient, wanted, seeds, is_matrix=is_matrix, careful=careful)
    return builder, places, [*tangents.of(gradient.outputs)]


def _smaller(builder: Builder, outputs: list[int | Product], reduced: Sequence[bool]) -> list[int | Product]:
    """The outputs, each that is to be summed times SMALLER; of a product one factor."""
    for i in compress(range(len(outputs)), reduced):
        output = outputs[i]
        number = output[0] if isinstance(output, tuple) else output
        smaller = builder.number(builder.slot(number) * SMALLER).index
        outputs[i] = (smaller, output[1]) if isinstance(output, tuple) else smaller
    return outputs


def outputs_of(guards: Sequence[Guard], builder: Builder, places: Sequence[int]) -> list[int]:
    """Per guard, the builder's slot of its truth, or of ``NOT_ASKED``; ``places`` has that of each slot recorded."""
    found = []
    for guard in guards:
        truth: Any = builder.slot(places[guard.slot])
        if guard.within:
            conditions = [(builder.slot(places[slot]), outcome) for slot, outcome in guard.within]
            taken = reduce(and_, [condition if outcome else 1 - condition for condition, outcome in conditions])
            truth = builder.number(builder.where(taken, truth, NOT_ASKED))
        found.append(truth.index)
    return found


def _start(builder: Builder, recorded: Trace, seeds: Sequence[int]) -> dict[int, int]:
    """The cotangent of each slot that is an output; one that is several outputs gets their sum."""
    start: dict[int, int] = {}
    for seed, slot in zip(seeds, recorded.outputs, strict=True):
        if slot >= 0:
            start[slot] = seed if slot not in start else (builder.slot(start[slot]) + builder.slot(seed)).index
    return start


def _backward(
    builder: Builder,
    recorded: Trace,
    places: Sequence[int],
    start: Mapping[int, int],
    wanted: Sequence[int],
    lanes: Mapping[int, int] | None = None,
    *,
    careful: bool,
) -> list[int | Product]:
    inputs = [s for s in wanted if s >= 0]
    found = Adjoint(
        builder, recorded.program, places, recorded.order, start, inputs,
        terms=recorded.terms, lanes=lanes, careful=careful,
    ).cotangents  # fmt: skip
    return [builder.constant(0.0) if s < 0 or found[s] is None else found[s] for s in wanted]
