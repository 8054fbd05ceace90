"""The instructions of a program that is being written: collected one by one, each made once, then put in order.

Slots are numbered as they come, inputs first; ``program`` puts constants and instructions into the order of a Program
and leaves out what no output needs.
"""

from __future__ import annotations

import struct
from array import array
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import accumulate, chain, compress
from typing import TypeAlias

import numpy as np

from autograd.primitives import TABLE, Primitive
from autograd.program import ABSENT, Program

#: The two factors of an output that is a product and nothing else: it becomes an instruction when the program is put
#: together. A bare tuple, since the garbage collector forgets such tuples of numbers, and there may be 100,000.
Product: TypeAlias = tuple[int, int]


class Instructions:
    """Inputs, constants and instructions so far, each known by its slot; nothing is simplified here."""

    def __init__(self, inputs: int) -> None:
        self.inputs = inputs
        #: Per slot: the primitive, or ``None`` for an input or a constant; and its operands.
        self.primitives: list[Primitive | None] = [None] * inputs
        self.operands: list[tuple[int, ...]] = [()] * inputs
        self.constants: dict[int, float] = {}
        self._of_bits: dict[bytes, int] = {}
        #: Slots of which more is known than how they are made: constants, and what ``folding`` finds.
        self.telling: set[int] = set()
        #: Primitive → operands → the slot of that instruction.
        self.known: defaultdict[Primitive, dict[tuple[int, ...], int]] = defaultdict(dict)

    def constant(self, x: float) -> int:
        """The slot of a constant; equal bits share one, so that -0.0 and 0.0 do not."""
        bits = struct.pack("d", x)
        index = self._of_bits.get(bits)
        if index is None:
            index = self._of_bits[bits] = len(self.primitives)
            self.primitives.append(None)
            self.operands.append(())
            self.constants[index] = x
            self.telling.add(index)
        return index

    def append(self, primitive: Primitive, operands: tuple[int, ...]) -> int:
        """The slot of an instruction that is found again or new, and never simplified."""
        known = self.known[primitive]
        index = known.get(operands)
        if index is None:
            index = known[operands] = len(self.primitives)
            self.primitives.append(primitive)
            self.operands.append(operands)
        return index

    def program(self, outputs: Sequence[int | Product]) -> Program:
        """What the outputs need, as a Program; all inputs are kept.

        Products come last, in the order of the outputs.
        """
        count, inputs = len(self.primitives), self.inputs
        products = [output for output in outputs if output.__class__ is tuple]
        plain = [output for output in outputs if output.__class__ is int]
        kept = np.array(self.needed([*plain, *chain.from_iterable(products)]), bool)
        constants = [index for index in self.constants if kept[index]]
        place = np.full(count, ABSENT, np.int32)
        place[:inputs] = np.arange(inputs)
        place[constants] = np.arange(inputs, inputs + len(constants))
        kept[:inputs] = kept[constants] = False
        first = inputs + len(constants)
        end = first + int(np.count_nonzero(kept))
        place[kept] = np.arange(first, end)
        chosen = kept.tobytes()
        primitives = [*compress(self.primitives, chosen), *[TABLE["mul"]] * len(products)]
        operands = [*compress(self.operands, chosen), *products]
        known = {primitive: opcode for opcode, primitive in enumerate(dict.fromkeys(primitives))}
        flat = np.fromiter(chain.from_iterable(operands), np.int64)
        numbers = iter(range(end, end + len(products)))
        return Program(
            tuple([primitive for primitive in known if primitive is not None]),
            array("H", map(known.__getitem__, primitives)),
            array("I", accumulate(map(len, operands), initial=0)),
            array("i", place[flat].tobytes()),
            array("d", map(self.constants.__getitem__, constants)),
            inputs,
            tuple([int(place[o]) if o.__class__ is int else next(numbers) for o in outputs]),
        )

    def needed(self, outputs: Iterable[int]) -> bytearray:
        """1 for each slot that one of these depends on, or is."""
        needed = bytearray(len(self.primitives))
        for index in outputs:
            needed[index] = 1
        for index, operands in zip(range(len(self.operands) - 1, -1, -1), reversed(self.operands), strict=True):
            if needed[index]:
                for operand in operands:
                    needed[operand] = 1
        return needed
