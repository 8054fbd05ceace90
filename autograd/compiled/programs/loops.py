"""Loops in a program that is being built: one body for all steps.

Beside numbers such a program has *columns*, one number for each step. ``stack`` makes a column of numbers, a loop
takes first carries, numbers that all steps share, and columns of elements; what comes out is read by ``final`` (the
last carry), ``column`` (a result of all steps) and ``at`` (a column's number at one step).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Never

from autograd.compiled.programs.instructions import Instructions
from autograd.loops.recorder import Body
from autograd.primitives import Primitive
from autograd.program import Program


def _none(*_: Any) -> Never:
    raise NotImplementedError("loops are differentiated as a whole")


STACK = Primitive("stack", _none)
FINAL = Primitive("final", (None, None))
COLUMN = Primitive("column", (None, None))
AT = Primitive("at", (None, None))

#: The names of the instructions that columns need.
NAMES = frozenset(["stack", "loop", "final", "column", "at"])


class Loop:
    """A loop: ``forward`` of its row.

    The operands are the first carries, the shared numbers, and the columns of elements; the body's inputs stand in
    this order too.
    """

    def __init__(
        self, body: Instructions, steps: int, counts: tuple[int, int, int], carries: list[int], *, is_reverse: bool
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
    return row.formula if isinstance(row.formula, Loop) else None


def which(program: Program, operands: Sequence[int]) -> int:
    """Which carry, result or step an instruction reads that has these operands: the second one is its number."""
    return int(program.constants[operands[1] - program.inputs])


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


def size(program: Program) -> int:
    """The operands of all operations of one sample, those of loops as often as they have steps."""
    of_loops = [(loop.steps, loop.program()) for row in program.primitives if (loop := of(row)) is not None]
    return len(program.operands) + sum(steps * len(body.operands) for steps, body in of_loops)


def stack(written: Instructions, numbers: Sequence[int]) -> int:
    """The column of these numbers; the column itself, where they are its numbers in order."""
    first = numbers[0]
    if written.primitives[first] is AT:
        column = written.operands[first][0]
        if _steps(written, column) == len(numbers) and all(
            number == at(written, column, step) for step, number in enumerate(numbers)
        ):
            return column
    return written.append(STACK, tuple(numbers))


def _steps(written: Instructions, column: int) -> int:
    operands = written.operands[column]
    return len(operands) if written.primitives[column] is STACK else loop_at(written, operands[0]).steps


def loop_at(written: Instructions, slot: int) -> Loop:
    """The loop that a slot is."""
    row = written.primitives[slot]
    loop = None if row is None else of(row)
    assert loop is not None
    return loop


def at(written: Instructions, column: int, step: int) -> int:
    """The number of a column at a step."""
    if written.primitives[column] is STACK:
        return written.operands[column][step]
    return written.append(AT, (column, written.constant(float(step))))


def column_of(written: Instructions, bundle: int, result: int) -> int:
    """The column of a result."""
    return written.append(COLUMN, (bundle, written.constant(float(result))))


def final(written: Instructions, bundle: int, carry: int) -> int:
    """The last number of a carry."""
    return written.append(FINAL, (bundle, written.constant(float(carry))))


def add(written: Instructions, body: Body, inner: Instructions, places: list[int], operands: Sequence[int]) -> int:
    """The slot of a recorded loop over these numbers: first carries, what is shared, the elements step by step.

    Args:
        inner: the instructions of a step; ``places`` has the slot there of each slot of the body.
    """
    outs = [places[o] for o in body.program.outputs]
    counts = (body.carries, body.captured, body.elements)
    loop = Loop(inner, body.steps, counts, outs[: body.carries], is_reverse=body.is_reverse)
    loop.source = body, places
    for slot in outs[body.carries :]:
        loop.keep(slot)
    begin = body.carries + body.captured
    columns = [stack(written, operands[begin + i :: body.elements]) for i in range(body.elements)]
    return put_in(written, loop, [*operands[:begin], *columns])


def put_in(written: Instructions, loop: Loop, operands: Sequence[int]) -> int:
    """The slot of a loop. The constants of its body are operands too, the last ones, so that the program holds them."""
    constants = [written.constant(number) for number in loop.body.constants.values()]
    return written.append(Primitive("loop", _none, built_in=False, formula=loop), (*operands, *constants))


def part(written: Instructions, bundle: int, which: int) -> int:
    """A number that comes out of a loop: the carries, then the results step by step."""
    loop = loop_at(written, bundle)
    assert loop.source is not None
    body, places = loop.source
    if which < body.carries:
        return final(written, bundle, which)
    step, result = divmod(which - body.carries, body.results)
    slot = places[body.program.outputs[body.carries + result]]
    return at(written, column_of(written, bundle, loop.keep(slot)), step)
