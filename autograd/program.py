"""``Program``: the one flat form of a graph, a list of instructions over numbered slots, and the way to it.

A slot stands for a number: first come the inputs (the leaves of the graph), then the constants (plain numbers among the
parents), then one slot per instruction, which names a primitive and the slots of its operands. A program holds
no code, so it is what a graph becomes for whatever is done with it away from its nodes: running it again in another
number system, pickling, the page, machine code. Leaves are never merged, however equal their numbers.
"""

from __future__ import annotations

from array import array
from collections.abc import Container, Iterator, Sequence
from typing import Any

from autograd.eager.operands import parents_of
from autograd.primitives import Primitive
from autograd.unpickling import unpickled_program

Slots = Sequence[int]
#: The operand of a branch that was a function and was never called.
ABSENT = -1
_FAR = 1 << 32


class Program:
    """A graph as arrays: 6 bytes an instruction and 4 for each operand.

    ``opcodes`` are indices into ``primitives``. Instruction ``i`` has ``operands[starts[i]:starts[i + 1]]``, each of
    which is a slot or ``ABSENT``.
    """

    __slots__ = ("constants", "inputs", "opcodes", "operands", "outputs", "primitives", "starts")

    def __init__(
        self,
        primitives: tuple[Primitive, ...],
        opcodes: array[int],
        starts: array[int],
        operands: array[int],
        constants: array[float],
        inputs: int,
        outputs: tuple[int, ...],
    ) -> None:
        self.primitives = primitives
        self.opcodes = opcodes
        self.starts = starts
        self.operands = operands
        self.constants = constants
        self.inputs = inputs
        self.outputs = outputs

    def __reduce__(self) -> Any:
        return unpickled_program, (Program, {name: getattr(self, name) for name in self.__slots__})

    @property
    def first_instruction(self) -> int:
        """The slot of the first instruction."""
        return self.inputs + len(self.constants)

    def __len__(self) -> int:
        return len(self.opcodes)

    def instruction(self, slot: int) -> tuple[Primitive, array[int]]:
        """Primitive and operands of the instruction at a slot."""
        i = slot - self.first_instruction
        return self.primitives[self.opcodes[i]], self.operands[self.starts[i] : self.starts[i + 1]]

    def instructions(self) -> Iterator[tuple[Primitive, array[int]]]:
        """Primitive and operands of each instruction, operands first."""
        starts, operands = self.starts, self.operands
        for i, opcode in enumerate(self.opcodes):
            yield self.primitives[opcode], operands[starts[i] : starts[i + 1]]

    def instructions_backward(self, order: Slots = ()) -> Iterator[tuple[int, Primitive, array[int]]]:
        """Slot, primitive and operands of each instruction, last first: of all, or of those at these slots."""
        starts, operands, first = self.starts, self.operands, self.first_instruction
        for slot in reversed(order or range(first, first + len(self.opcodes))):
            i = slot - first
            yield slot, self.primitives[self.opcodes[i]], operands[starts[i] : starts[i + 1]]

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
            listing = getattr(primitive.formula, "listing", None)  # a loop shows its body
            lines += [] if listing is None else ["    " + line for line in listing().splitlines()]
        return "\n".join([*lines, f"outputs {' '.join(f'%{o}' for o in self.outputs)}"])


def flatten(outputs: Sequence[Any], until: Container[Any] = ()) -> tuple[Program, list[Any]]:
    """The program that computes the outputs, and the nodes it was made from.

    Args:
        until: nodes that become inputs, whatever they were computed from.

    Returns:
        The program, and one node per slot; for the slot of a constant, its number.
    """
    leaves: list[Any] = []
    inner: list[Any] = []
    constants: array[float] = array("d")
    # Until all are counted, instruction i is known as i + FAR, and constant i as i + 2 FAR.
    place: dict[Any, int] = {}
    known: dict[Primitive, int] = {}
    opcodes, starts, far_operands = array("H"), array("I", [0]), []
    stack: list[Any] = list(reversed(outputs))
    while stack:
        node = stack.pop()
        if node is None:  # the parents of the node below have their places
            parents, node = stack.pop(), stack.pop()
        elif node in place:
            continue
        else:
            parents = () if until and node in until else parents_of(node)
            if not parents:
                place[node] = len(leaves)
                leaves.append(node)
                continue
            without = [p for p in parents if p.__class__ is not float and p is not None and p not in place]
            if without:
                without.reverse()
                stack += (node, parents, None, *without)
                continue
        opcodes.append(known.setdefault(node.primitive, len(known)))
        for parent in parents:
            if parent.__class__ is float:
                # By its place, not by its number: 0.0 and -0.0, or two nans, must not be confused.
                far_operands.append(len(constants) + 2 * _FAR)
                constants.append(parent)
            else:
                far_operands.append(ABSENT if parent is None else place[parent])
        starts.append(len(far_operands))
        place[node] = len(inner) + _FAR
        inner.append(node)
    shifts = (0, len(leaves) + len(constants) - _FAR, len(leaves) - 2 * _FAR)
    operands = array("i", [o + shifts[o >> 32] if o >= 0 else o for o in far_operands])
    outputs_at = tuple([place[o] + shifts[place[o] >> 32] for o in outputs])
    program = Program(tuple(known), opcodes, starts, operands, constants, len(leaves), outputs_at)
    return program, [*leaves, *constants, *inner]
