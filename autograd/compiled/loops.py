"""Loops in a program that is being built: one body for all steps, forward and backward.

Beside numbers such a program has *columns*, one number for each step. ``stack`` makes a column of numbers, a loop
takes first carries, numbers that all steps share, and columns of elements; what comes out is read by ``final`` (the
last carry), ``column`` (a result of all steps) and ``at`` (a column's number at one step).

The derivative of a loop is a loop that runs the other way. It carries the cotangents of the carries and of what is
shared, and takes the numbers that it needs of each step as columns, which the forward loop keeps for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Never

from autograd.loops import Body
from autograd.primitives import TABLE, Primitive

if TYPE_CHECKING:
    from autograd.compiled.building import Builder
    from autograd.program import Program


def _none(*_: Any) -> Never:
    raise NotImplementedError("loops are differentiated as a whole")


STACK = Primitive("stack", _none)
FINAL = Primitive("final", (None, None))
COLUMN = Primitive("column", (None, None))
AT = Primitive("at", (None, None))

#: The names of the instructions that columns need.
NAMES = ("stack", "loop", "final", "column", "at")


class Loop:
    """A loop: ``forward`` of its row.

    The operands are the first carries, the shared numbers, and the columns of elements; the body's inputs stand in
    this order too.
    """

    def __init__(
        self, body: Builder, steps: int, counts: tuple[int, int, int], carries: list[int], *, is_reverse: bool
    ) -> None:
        self.body = body
        self.steps = steps
        #: How many carries, shared numbers and columns of elements there are.
        self.counts = counts
        #: The body's input for each operand.
        self.inputs: list[int] = list(range(sum(counts)))
        #: The body's slots of the next carries, and of what each step gives besides; columns of it.
        self.carries = carries
        self.results: list[int] = []
        #: Whether the last step comes first.
        self.is_reverse = is_reverse
        #: What it was made of, and the slot of the body for each of its slots; ``None`` for a derivative.
        self.source: tuple[Body, list[int]] | None = None

    def keep(self, slot: int) -> int:
        """The place among the results of a number of the body; it is kept from now on."""
        if slot not in self.results:
            self.results.append(slot)
        return self.results.index(slot)

    def listing(self) -> str:
        """The step as text, its inputs in the order of the operands."""
        order = " ".join(f"%{i}" for i in self.inputs)
        return f"{self.steps} steps{', the last one first' if self.is_reverse else ''}, with {order}:\n{self.program()}"

    def is_shared(self, slot: int) -> bool:
        """Whether a number of the body is an input that all steps share."""
        carries, shared, _ = self.counts
        return carries <= slot < carries + shared

    def is_element(self, slot: int) -> bool:
        """Whether a number of the body is an input that differs from step to step."""
        carries, shared, elements = self.counts
        return 0 <= slot - carries - shared < elements

    def program(self) -> Program:
        """The body: its outputs are the next carries and then the results."""
        return self.body.program([*self.carries, *self.results])


def of(row: Primitive) -> Loop | None:
    """The loop that an instruction is."""
    return row.forward if isinstance(row.forward, Loop) else None


def has_loops(program: Program) -> bool:
    """Whether a program has columns."""
    return any(row is STACK or of(row) is not None for row in program.primitives)


def written_out(program: Program) -> int:
    """The instructions of bodies, and the numbers that are put into columns one by one."""
    if not has_loops(program):
        return 0
    stacked = sum(
        len(operands) for row, operands in program.instructions() if row is STACK and operands[0] >= program.inputs
    )
    return stacked + sum(len(loop.program()) for row in program.primitives if (loop := of(row)) is not None)


def _append(builder: Builder, row: Primitive, operands: Sequence[int]) -> int:
    """The slot of an instruction, which is not folded."""
    return builder.append(row, tuple(operands))


def stack(builder: Builder, numbers: Sequence[int]) -> int:
    """The column of these numbers; the column itself, where they are its numbers in order."""
    first = numbers[0]
    if builder.primitives[first] is AT:
        column = builder.operands[first][0]
        if _steps(builder, column) == len(numbers) and all(
            number == at(builder, column, step) for step, number in enumerate(numbers)
        ):
            return column
    return _append(builder, STACK, numbers)


def _steps(builder: Builder, column: int) -> int:
    operands = builder.operands[column]
    return len(operands) if builder.primitives[column] is STACK else _loop_at(builder, operands[0]).steps


def _loop_at(builder: Builder, slot: int) -> Loop:
    row = builder.primitives[slot]
    loop = None if row is None else of(row)
    assert loop is not None
    return loop


def at(builder: Builder, column: int, step: int) -> int:
    """The number of a column at a step."""
    if builder.primitives[column] is STACK:
        return builder.operands[column][step]
    return _append(builder, AT, (column, builder.constant(float(step))))


def _column(builder: Builder, bundle: int, result: int) -> int:
    return _append(builder, COLUMN, (bundle, builder.constant(float(result))))


def _final(builder: Builder, bundle: int, carry: int) -> int:
    return _append(builder, FINAL, (bundle, builder.constant(float(carry))))


def add(builder: Builder, rebuilt: Callable[..., list[int]], body: Body, operands: Sequence[int]) -> int:
    """The slot of a loop over these numbers: first carries, what is shared, the elements step by step."""
    inner = builder.__class__(body.program.inputs, long_dots=builder.long_dots)
    places = rebuilt(body.program, inner, range(body.program.inputs))
    outs = [places[o] for o in body.program.outputs]
    counts = (body.carries, body.captured, body.elements)
    loop = Loop(inner, body.steps, counts, outs[: body.carries], is_reverse=False)
    loop.source = body, places
    for slot in outs[body.carries :]:
        loop.keep(slot)
    begin = body.carries + body.captured
    columns = [stack(builder, operands[begin + i :: body.elements]) for i in range(body.elements)]
    return _loop(builder, loop, [*operands[:begin], *columns])


def _loop(builder: Builder, loop: Loop, operands: Sequence[int]) -> int:
    """The slot of a loop. The constants of its body are operands too, the last ones, so that the program holds them."""
    constants = [builder.constant(number) for number in loop.body.constants.values()]
    return _append(builder, Primitive("loop", _none, forward=loop), (*operands, *constants))  # type: ignore[arg-type]


def part(builder: Builder, bundle: int, which: int) -> int:
    """A number that comes out of a loop: the carries, then the results step by step."""
    loop = _loop_at(builder, bundle)
    assert loop.source is not None
    body, places = loop.source
    if which < body.carries:
        return _final(builder, bundle, which)
    step, result = divmod(which - body.carries, body.results)
    slot = places[body.program.outputs[body.carries + result]]
    return at(builder, _column(builder, bundle, loop.keep(slot)), step)


def pulled_back(
    builder: Builder,
    differentiate: Callable[..., list[Any]],
    bundle: int,
    cotangents: Mapping[int, int],
    arguments: Sequence[int],
) -> list[tuple[int, int]]:
    """Argument and cotangent for each wanted argument of a recorded loop, given the cotangents of its parts.

    Args:
        differentiate: ``(builder, program, places, order, seeds, wanted)``: the cotangent of every slot.
    """
    loop, inputs = _loop_at(builder, bundle), builder.operands[bundle]
    carries, captured, elements = loop.counts
    begin = carries + captured
    of_each_step = loop.source[0].results if loop.source else 0
    shared = [i for i in arguments if carries <= i < begin]
    columns = sorted({begin + (i - begin) % elements for i in arguments if i >= begin})
    results = sorted({(part - carries) % of_each_step for part in cotangents if part >= carries})
    step, numbers = _step_back(loop, differentiate, [*range(carries), *shared, *columns], len(columns), results)

    zero = builder.constant(0.0)
    firsts = [cotangents.get(k, zero) for k in range(carries)] + [zero] * len(shared)
    flowing_in = [
        stack(builder, [cotangents.get(carries + t * of_each_step + r, zero) for t in range(loop.steps)])
        for r in results
    ]
    from_around = [inputs[slot] for slot in numbers if loop.is_shared(slot)]
    kept = [
        inputs[slot] if loop.is_element(slot) else _column(builder, bundle, loop.keep(slot))
        for slot in numbers
        if not loop.is_shared(slot)
    ]
    step.counts = len(firsts), len(from_around), len(flowing_in) + len(kept)
    back = _loop(builder, step, [*firsts, *from_around, *flowing_in, *kept])

    sum_of = {i: carries + k for k, i in enumerate(shared)}
    column_of = {element: _column(builder, back, k) for k, element in enumerate(columns)}
    products = []
    for i in arguments:
        if i < begin:
            products.append((i, _final(builder, back, sum_of.get(i, i))))
        else:
            t, element = divmod(i - begin, elements)
            products.append((i, at(builder, column_of[begin + element], t)))
    return products


def _step_back(
    loop: Loop, differentiate: Callable[..., list[Any]], targets: Sequence[int], columns: int, results: Sequence[int]
) -> tuple[Loop, list[int]]:
    """The loop that runs back, still without operands, and the numbers of the forward body that it needs.

    Its carries are the cotangents of the carries and, added up, of what is shared; its elements are the cotangents of
    results, and numbers of the forward loop; its results are cotangents of elements.

    Args:
        targets: the body's inputs whose cotangents are wanted: carries, shared numbers, elements.
        columns: how many of these are elements.
        results: the results into which something flows.
    """
    assert loop.source is not None
    body, places = loop.source
    constants = loop.body.constants
    sums = len(targets) - columns
    numbers = [slot for slot in sorted(set(places)) if slot not in constants]
    inputs_of = {slot: sums + len(results) + i for i, slot in enumerate(numbers)}
    back = loop.body.__class__(sums + len(results) + len(numbers))
    here = [back.constant(constants[p]) if p in constants else inputs_of[p] for p in places]

    outputs = body.program.outputs
    seeds = {slot: i for i, slot in enumerate(targets) if loop.is_shared(slot)}
    flowing = [*outputs[: body.carries], *(outputs[body.carries + r] for r in results)]
    for slot, i in zip(flowing, [*range(body.carries), *range(sums, sums + len(results))], strict=True):
        seeds[slot] = i if slot not in seeds else back.emit(TABLE["add"], (seeds[slot], i))
    found = differentiate(back, body.program, here, body.order, seeds, targets)
    outs = [back.constant(0.0) if found[slot] is None else found[slot] for slot in targets]

    step = Loop(back, loop.steps, (0, 0, 0), outs[:sums], is_reverse=not loop.is_reverse)
    step.results = outs[sums:]
    needed = _needed(back, outs)
    numbers = [slot for slot in numbers if inputs_of[slot] in needed]
    step.inputs = [
        *range(sums),
        *(inputs_of[slot] for slot in numbers if loop.is_shared(slot)),
        *range(sums, sums + len(results)),
        *(inputs_of[slot] for slot in numbers if not loop.is_shared(slot)),
    ]
    return step, numbers


def _needed(builder: Builder, outputs: Sequence[int]) -> set[int]:
    """The slots that the outputs depend on, and they themselves."""
    needed = set(outputs)
    for slot in range(len(builder.primitives) - 1, -1, -1):
        if slot in needed:
            needed.update(builder.operands[slot])
    return needed
