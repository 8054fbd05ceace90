"""The program as a number system: rules run over slots of a program that is being built.

So a pull-back over this system *is* the adjoint program. Equal instructions are made once (structural hashing), what is
known beforehand is folded (``folding``), and primitives of many numbers are written as what they are made of
(``n_ary``); inputs are never merged. Truth is 1.0 and 0.0.
"""

from __future__ import annotations

import math
import struct
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import accumulate, chain
from types import SimpleNamespace
from typing import Any, TypeAlias

import numpy as np

from autograd.compiled.programs import loops, n_ary
from autograd.compiled.programs.folding import OF_TRUTHS, SIMPLIFIED, of_constants, simplified
from autograd.compiled.programs.n_ary import LONG_DOT
from autograd.loops.recorder import Body
from autograd.number_systems.arithmetic import Arithmetic
from autograd.primitives import TABLE, Primitive
from autograd.program import ABSENT, Program

NAME = "program"
LANES = True

_COMMUTING = frozenset([TABLE["add"], TABLE["mul"], TABLE["hypot"]])


class Slot(Arithmetic):
    """A number that is known by its place in the program."""

    __slots__ = ("builder", "index")

    def __init__(self, builder: Builder, index: int) -> None:
        self.builder = builder
        self.index = index

    def _apply(self, name: str, *operands: Any) -> Any:
        return self.builder.apply(name, *operands)

    # The predicates of limits use these; truth is 1.0 or 0.0.

    def __eq__(self, other: object) -> Any:
        return self.builder.equal(self, other)

    def __ne__(self, other: object) -> Any:
        return 1 - self.builder.equal(self, other)

    def __and__(self, other: Any) -> Any:
        return self.builder.apply("minimum", self, other)

    __rand__ = __and__

    def __or__(self, other: Any) -> Any:
        return self.builder.apply("maximum", self, other)

    __ror__ = __or__

    def __bool__(self) -> bool:
        raise TypeError("a rule cannot use if, and, or, not on its numbers: use m.where, m.greater, m.less")

    __hash__ = object.__hash__


#: The two factors of an output that is a product and nothing else: it becomes an instruction when the program is put
#: together. A bare tuple, since the garbage collector forgets such tuples of numbers, and there may be 100,000.
Product: TypeAlias = tuple[int, int]


class Builder:
    """Collects instructions; ``m`` is the number system that rules see.

    Args:
        long_dots: leave a ``dot`` of many numbers as it is, where what runs the program can do so.

    Slots are numbered as they come, inputs first; ``program`` puts constants and instructions into the order of a
    Program and leaves out what no output needs.
    """

    def __init__(self, inputs: int, *, long_dots: bool = False) -> None:
        self.inputs = inputs
        self.long_dots = long_dots
        #: Per slot: the primitive, or ``None`` for an input or a constant; and its operands.
        self.primitives: list[Primitive | None] = [None] * inputs
        self.operands: list[tuple[int, ...]] = [()] * inputs
        self.constants: dict[int, float] = {}
        self._have_no_constant = self.constants.keys().isdisjoint
        self._of_bits: dict[bytes, int] = {}
        #: Primitive → operands → the slot of that instruction.
        self.known: defaultdict[Primitive, dict[tuple[int, ...], int]] = defaultdict(dict)
        #: Slots that hold 1.0 or 0.0, so that "and" and "or" with a constant can be folded.
        self.truths: set[int] = set()
        functions: dict[str, Callable[..., Any]] = {name: self._function(name) for name in TABLE}
        own = {
            "where": self.where, **{name: partial(function, self) for name, function in n_ary.FUNCTIONS.items()},
            "number": self.number, "limit": lambda x, primitive, operands: self.number(x),
            "identity": lambda x: x, "detach": lambda x: x, "plain": lambda x: x, "loop": self.loop, "part": self.part,
        }  # fmt: skip
        self.m: Any = SimpleNamespace(**{**functions, **own, "pi": math.pi, "LANES": True, "NAME": NAME, "LACKS": {}})

    def _function(self, name: str) -> Callable[..., Any]:
        return lambda *operands: self.apply(name, *operands)

    def slot(self, index: int) -> Slot:
        """The number in a slot."""
        return Slot(self, index)

    def number(self, x: Any) -> Slot:
        """A literal as a number of this system."""
        return x if isinstance(x, Slot) else Slot(self, self.constant(float(x)))

    def constant(self, x: float) -> int:
        """The slot of a constant; equal bits share one, so that -0.0 and 0.0 do not."""
        bits = struct.pack("d", x)
        index = self._of_bits.get(bits)
        if index is None:
            index = self._of_bits[bits] = len(self.primitives)
            self.primitives.append(None)
            self.operands.append(())
            self.constants[index] = x
        return index

    def apply(self, name: str, *operands: Any) -> Slot:
        """The result of a primitive of the table."""
        row = TABLE[name]
        if row.n_ary:
            return getattr(self.m, name)(*operands)  # type: ignore[no-any-return]
        return Slot(
            self, self.emit(row, tuple([o.index if isinstance(o, Slot) else self.constant(float(o)) for o in operands]))
        )

    def emit(self, primitive: Primitive, operands: tuple[int, ...]) -> int:
        """The slot of an instruction: folded, found again, or new."""
        known = self.known[primitive]
        found = known.get(operands)
        return self.first_of(primitive, operands, known) if found is None else found

    def first_of(self, primitive: Primitive, operands: tuple[int, ...], known: dict[tuple[int, ...], int]) -> int:
        """The slot of an instruction that is not in ``known``, the instructions of its primitive; it is put there."""
        index: int | None = None
        if primitive in _COMMUTING and operands[1] < operands[0]:
            operands = operands[1], operands[0]
            index = known.get(operands)
            if index is not None:
                return index
        if not self._have_no_constant(operands):
            index = of_constants(self, primitive, operands)
        if index is None and primitive in SIMPLIFIED:
            index = simplified(self, primitive, operands)
        if index is None:
            index = len(self.primitives)
            self.primitives.append(primitive)
            self.operands.append(operands)
            if primitive.compares or (self.truths and primitive in OF_TRUTHS and self.truths.issuperset(operands)):
                self.truths.add(index)
        known[operands] = index
        return index

    def equal(self, x: Any, y: Any) -> Slot:
        """1.0 where two numbers are equal."""
        return self.apply("mul", self.apply("less_equal", x, y), self.apply("greater_equal", x, y))

    def where(self, condition: Any, x: Any, y: Any) -> Any:
        """The choice; both branches are computed."""
        if not isinstance(condition, Slot):
            chosen = x if condition else y
            return chosen() if callable(chosen) else chosen
        if condition.index in self.constants:
            return self.where(bool(self.constants[condition.index]), x, y)
        branches = [branch() if callable(branch) else branch for branch in (x, y)]
        return self.apply("where", condition, *branches)

    def long_dot(self, operands: tuple[int, ...]) -> int:
        """The slot of a ``dot`` as one instruction; it starts at 0.0, unless told."""
        if len(operands) % 2 == 0:
            operands = (*operands, self.constant(0.0))
        return self.append(TABLE["dot"], operands)

    def append(self, primitive: Primitive, operands: tuple[int, ...]) -> int:
        """The slot of an instruction that is found again or new, and never folded."""
        known = self.known[primitive]
        index = known.get(operands)
        if index is None:
            index = known[operands] = len(self.primitives)
            self.primitives.append(primitive)
            self.operands.append(operands)
        return index

    def loop(self, body: Body, operands: Sequence[Any]) -> Slot:
        """A recorded loop over first carries, what is shared, and the elements step by step."""
        return self.slot(loops.add(self, rebuilt, body, [self.number(o).index for o in operands]))

    def part(self, loop: Slot, which: Slot) -> Slot:
        """One of the numbers that come out of a loop; a constant says which."""
        return self.slot(loops.part(self, loop.index, int(self.constants[which.index])))

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
        slots: list[int] = np.flatnonzero(kept).tolist()
        first, end = inputs + len(constants), inputs + len(constants) + len(slots)
        place[slots] = np.arange(first, end)
        primitives = [self.primitives[slot] for slot in slots] + [TABLE["mul"]] * len(products)
        operands = [self.operands[slot] for slot in slots] + products
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


#: Rows that become nothing, or something else.
_REPLACED = frozenset([TABLE["identity"], TABLE["detach"], TABLE["where"]])


def rebuilt(program: Program, builder: Builder, inputs: Iterable[int]) -> list[int]:
    """The builder's slot for each slot of a program, whose inputs are the slots given.

    Raises:
        NotImplementedError: a user's primitive is declared for other number systems only.
        ValueError: a branch of ``where`` was a function and was never called.
    """
    places = [*inputs, *map(builder.constant, program.constants)]
    emit, m, place_of = builder.emit, builder.m, places.__getitem__
    unchanged = {row for row in program.primitives if row.built_in and not row.n_ary} - _REPLACED
    starts, flat = program.starts.tolist(), program.operands.tolist()
    for opcode, start, end in zip(program.opcodes, starts, starts[1:], strict=False):
        primitive, operands = program.primitives[opcode], flat[start:end]
        if primitive in unchanged:
            places.append(emit(primitive, tuple(map(place_of, operands))))
            continue
        name = primitive.name
        if not primitive.built_in:
            if primitive.systems is not None:
                raise NotImplementedError(
                    f"{name} is declared for {', '.join(primitive.systems)} only, so it cannot be compiled"
                )
            result = primitive.formula(m, *[builder.slot(places[o]) for o in operands])
        elif name == "dot" and builder.long_dots and len(operands) >= 2 * LONG_DOT:
            places.append(builder.long_dot(tuple([places[o] for o in operands])))
            continue
        elif primitive.n_ary:
            result = getattr(m, name)([builder.slot(places[o]) for o in operands])
        elif name in ("identity", "detach"):
            places.append(places[operands[0]])
            continue
        elif ABSENT in operands:  # a guard holds the condition of this choice, so it is none
            places.append(places[operands[1] if operands[2] == ABSENT else operands[2]])
            continue
        else:
            places.append(emit(primitive, tuple([places[o] for o in operands])))
            continue
        places.append(builder.number(result).index)
    return places
