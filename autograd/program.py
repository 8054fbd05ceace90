"""``Program``: the one flat form of a graph, and the way to it.

Slots are numbered: first the inputs (leaves), then the constants (plain numbers among the parents), then one per
instruction. A program holds opcodes, operands and constants, and no code; it is what a graph becomes for pickling and for
evaluation in another number system. Leaves are never merged, however equal their numbers.
"""

from __future__ import annotations

from array import array
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from autograd.graph import topological_order
from autograd.primitives import Primitive

#: The operand of a branch that was a function and was never called.
ABSENT = -1


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """A graph as arrays: 6 bytes an instruction and 4 for each operand."""

    primitives: tuple[Primitive, ...]
    #: Per instruction, an index into ``primitives``.
    opcodes: array[int]
    #: Instruction ``i`` has the operands ``operands[starts[i]:starts[i + 1]]``, each a slot or ``ABSENT``.
    starts: array[int]
    operands: array[int]
    constants: array[float]
    inputs: int
    outputs: tuple[int, ...]

    @property
    def first_instruction(self) -> int:
        """The slot of the first instruction."""
        return self.inputs + len(self.constants)

    def __len__(self) -> int:
        return len(self.opcodes)

    def instructions(self) -> Iterator[tuple[Primitive, array[int]]]:
        """Primitive and operands of each instruction, operands first."""
        starts, operands = self.starts, self.operands
        for i, opcode in enumerate(self.opcodes):
            yield self.primitives[opcode], operands[starts[i] : starts[i + 1]]

    def instructions_backward(self) -> Iterator[tuple[int, Primitive, array[int]]]:
        """Slot, primitive and operands of each instruction, last first."""
        starts, operands, first = self.starts, self.operands, self.first_instruction
        for i in range(len(self.opcodes) - 1, -1, -1):
            yield first + i, self.primitives[self.opcodes[i]], operands[starts[i] : starts[i + 1]]

    def __str__(self) -> str:
        """One instruction a line: ``%3 = mul %0 %1``.

        >>> from autograd import Value
        >>> program, _ = flatten([Value(2.0) * Value(3.0) + 1.0])
        >>> print(program)
        inputs %0 … %1
        %2 = 1.0
        %3 = mul %0 %1
        %4 = add %3 %2
        outputs %4
        """
        lines = [f"inputs %0 … %{self.inputs - 1}" if self.inputs else "no inputs"]
        lines += [f"%{self.inputs + i} = {constant!r}" for i, constant in enumerate(self.constants)]
        for slot, (primitive, operands) in enumerate(self.instructions(), start=self.first_instruction):
            lines.append(" ".join([f"%{slot} =", primitive.name, *("–" if o < 0 else f"%{o}" for o in operands)]))
        return "\n".join([*lines, f"outputs {' '.join(f'%{o}' for o in self.outputs)}"])


def flatten(outputs: Sequence[Any], until: Container[Any] = ()) -> tuple[Program, list[Any]]:
    """The program that computes the outputs, and the nodes it was made from.

    Args:
        until: nodes that become inputs, whatever they were computed from.

    Returns:
        The program, and one node per slot; for the slot of a constant, its number.
    """
    order = topological_order(*outputs, until=until)
    leaves = [node for node in order if not node.parents or node in until]
    inner = [node for node in order if node.parents and node not in until]
    # Constants are known by their place, not by their number: -0.0 and 0.0, or two nans, must not be confused.
    constants = array("d")
    slots: dict[Any, int] = {leaf: i for i, leaf in enumerate(leaves)}
    known: dict[Primitive, int] = {}
    opcodes, starts, operands = array("H"), array("I", [0]), array("i")
    pending: list[tuple[int, int]] = []
    for node in inner:
        opcodes.append(known.setdefault(node.primitive, len(known)))
        for parent in node.parents:
            if parent is None:
                operands.append(ABSENT)
            elif hasattr(parent, "parents"):
                operands.append(slots[parent])
            else:
                pending.append((len(operands), len(constants)))
                operands.append(0)
                constants.append(float(parent))
        starts.append(len(operands))
        slots[node] = len(slots)
    # Instructions come after the constants, whose count is known only now.
    shift = len(constants)
    if shift:
        first = len(leaves)
        operands = array("i", [o + shift if o >= first else o for o in operands])
        for at, constant in pending:
            operands[at] = first + constant
    by_slot = [*leaves, *constants, *inner]
    outputs_at = tuple(slots[o] + (shift if slots[o] >= len(leaves) else 0) for o in outputs)
    program = Program(tuple(known), opcodes, starts, operands, constants, len(leaves), outputs_at)
    return program, by_slot
