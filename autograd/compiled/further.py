"""Plans of further derivatives: products with tangents, cotangents and vectors, and the matrices that these make up.

What is multiplied with, the *seed*, is further inputs of the program, which differ from lane to lane. In a *matrix* of
derivatives each lane has a unit vector for its seed, and is one row or one column. There what the lane's one seed does
not reach is kept out, as a branch not taken is, be it ``0 · inf``: so rows are those that the engine finds one by one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from autograd.compiled.building import Builder, Slot, rebuilt
from autograd.compiled.differentiation import Differentiator
from autograd.compiled.guards import outputs_of
from autograd.compiled.plan import Plan, plan_of
from autograd.compiled.tracing import Trace
from autograd.interpret import partials
from autograd.primitives import TABLE
from autograd.program import ABSENT, Program

_WHERE = TABLE["where"]


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


def further_plan(
    recorded: Trace, derivative: Derivative, wanted: Sequence[int], varying: Sequence[bool], *, with_values: bool
) -> Plan:
    """The plan for a derivative; its seeds are inputs after all others.

    Args:
        wanted: the inputs to differentiate by; -1 for what nothing depends on.
        varying: per input of the recorded program, whether it differs from lane to lane.
        with_values: whether values and guards are outputs too.
    """
    program, count = recorded.program, derivative.seeds(len(recorded.outputs), len(wanted))
    builder = Builder(program.inputs + count)
    places = rebuilt(program, builder, range(program.inputs))
    seeds = range(program.inputs, program.inputs + count)
    found: list[int] = []
    if derivative.mode in ("gradient", "hvp"):
        start = {slot: builder.constant(1.0) for slot in recorded.outputs if slot >= 0}
        found = _backward(builder, recorded, places, recorded.orders[0], start, wanted)
    elif derivative.mode == "vjp":
        start = _start(builder, recorded, seeds)
        order = sorted({slot for one in recorded.orders for slot in one})
        found = _backward(builder, recorded, places, order, start, wanted, start if derivative.is_matrix else {})
    elif derivative.mode == "jvp":
        found = _Forward(builder, program, places, wanted, seeds, is_matrix=derivative.is_matrix).of(recorded.outputs)
    if derivative.mode == "hvp":
        # Forward over reverse: the gradient is a program of its own, along whose way the vector is pushed.
        gradient = builder.program(found)
        builder = Builder(gradient.inputs)
        again = rebuilt(gradient, builder, range(gradient.inputs))
        places = rebuilt(program, builder, range(program.inputs))
        found = _Forward(builder, gradient, again, wanted, seeds, is_matrix=derivative.is_matrix).of(gradient.outputs)
    values: list[int] = []
    guards: list[int] = []
    if with_values:
        values = [
            places[s] if s >= 0 else builder.constant(recorded.constants[i]) for i, s in enumerate(recorded.outputs)
        ]
        guards = outputs_of(recorded.guards, builder, places)
    return plan_of(builder.program([*values, *guards, *found]), len(values), len(guards), [*varying, *[True] * count])


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
    order: Sequence[int],
    start: Mapping[int, int],
    wanted: Sequence[int],
    lanes: Mapping[int, int] | None = None,
) -> list[int]:
    differentiator = Differentiator(builder)
    inputs = [s for s in wanted if s >= 0]
    found: list[Any] = differentiator.cotangents(recorded.program, places, order, start, inputs, lanes=lanes)
    return [builder.constant(0.0) if s < 0 or found[s] is None else found[s] for s in wanted]


class _Forward:
    """The tangent of every slot of a program, as further instructions of the builder that holds it.

    Args:
        places: the builder's slot of each of the program's slots.
        wanted: the inputs that move, -1 for one that nothing depends on; ``seeds`` are their tangents.
        is_matrix: whether one seed of each lane is 1.0 and all others 0.0.
    """

    def __init__(
        self,
        builder: Builder,
        program: Program,
        places: Sequence[int],
        wanted: Sequence[int],
        seeds: Sequence[int],
        *,
        is_matrix: bool,
    ) -> None:
        self._builder = builder
        self._seeds = [builder.slot(seed) for seed in seeds]
        self._is_matrix = is_matrix
        self._moving: list[Slot | None] = [None] * len(places)
        #: The seeds that reach each slot, a bit for each.
        self._reach = [0] * len(places)
        self._known: dict[int, Slot] = {}
        for k, slot in enumerate(wanted):
            if slot >= 0:
                self._moving[slot], self._reach[slot] = self._seeds[k], 1 << k
        numbers = [builder.slot(place) for place in places]
        for slot, (primitive, operands) in enumerate(program.instructions(), start=program.first_instruction):
            moves = [i for i, o in enumerate(operands) if o >= 0 and self._moving[o] is not None]
            if primitive is _WHERE:
                self._choose(slot, numbers, operands)
                continue
            if not callable(primitive.partials):
                moves = [i for i in moves if primitive.partials[i] is not None]
            for i in moves:
                self._reach[slot] |= self._reach[operands[i]]
            slopes = partials(builder.m, primitive, numbers[slot], [numbers[o] for o in operands], moves)
            for i, slope in zip(moves, slopes, strict=True):
                if not isinstance(slope, Slot) and slope == 0:
                    continue
                tangent: Any = self._moving[operands[i]]
                product = self._kept_out(tangent * slope, self._reach[operands[i]], self._reach[slot])
                so_far = self._moving[slot]
                self._moving[slot] = product if so_far is None else so_far + product

    def of(self, slots: Sequence[int]) -> list[int]:
        """The tangents of these slots; -1 is a constant."""
        every = (1 << len(self._seeds)) - 1
        found = []
        for slot in slots:
            tangent = None if slot < 0 else self._moving[slot]
            if tangent is None:
                found.append(self._builder.constant(0.0))
            else:
                found.append(self._kept_out(tangent, self._reach[slot], every).index)
        return found

    def _choose(self, slot: int, numbers: Sequence[Slot], operands: Sequence[int]) -> None:
        """The tangent of the branch that is taken: nothing of the other one comes near it."""
        condition, *branches = operands
        branches = [b for b in branches if b != ABSENT]
        reach = self._reach[slot] = self._reach[branches[0]] | self._reach[branches[-1]]
        if all(self._moving[b] is None for b in branches):
            return
        tangents = [self._kept_out(self._moving[b], self._reach[b], reach) for b in branches]
        tangents = [-0.0 if tangent is None else tangent for tangent in tangents]
        m = self._builder.m
        chosen = tangents[0] if len(branches) == 1 else m.where(numbers[condition], *tangents)
        self._moving[slot] = m.number(chosen)

    def _kept_out(self, tangent: Any, here: int, there: int) -> Any:
        """A tangent where it goes on to what more seeds reach: in their lanes it is nothing at all."""
        if tangent is None or not self._is_matrix or here == there:
            return tangent
        return self._builder.m.where(self._any_of(here), tangent, -0.0)

    def _any_of(self, seeds: int) -> Slot:
        """1.0 in the lanes of these seeds."""
        found = self._known.get(seeds)
        if found is None:
            chosen = [seed for k, seed in enumerate(self._seeds) if seeds >> k & 1]
            found = chosen[0]
            for seed in chosen[1:]:
                found = found | seed
            self._known[seeds] = found
        return found
