"""The program as a number system: rules run over slots of a program that is being written.

So a pull-back over this system *is* the adjoint program. Equal instructions are made once (structural hashing), what is
known beforehand is folded (``folding``), and primitives of many numbers are written as what they are made of
(``n_ary``, or the formula of the row); inputs are never merged. Truth is 1.0 and 0.0.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from types import SimpleNamespace
from typing import Any, TypeAlias

from autograd import lanes
from autograd.application import inside_alone
from autograd.compiled.programs import loops, n_ary
from autograd.compiled.programs.folding import TELLING, Folding
from autograd.compiled.programs.instructions import Instructions
from autograd.errors import undeclared
from autograd.loops.recorder import Body
from autograd.number_systems import common
from autograd.number_systems.arithmetic import Arithmetic
from autograd.number_systems.formulas import formula_of
from autograd.primitives import TABLE, Limit, Primitive
from autograd.program import ABSENT, Program

NAME = "program"

#: Pairs of a ``dot`` from which on it stays one instruction.
LONG_DOT = 8

#: From the operands of an instruction to its slot.
Emitter: TypeAlias = Callable[[tuple[int, ...]], int]

_DETACH, _MUL, _DOT = TABLE["detach"], TABLE["mul"], TABLE["dot"]


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


class Builder(Instructions):
    """Instructions, simplified as they come; ``m`` is the number system that rules see.

    Args:
        long_dots: leave a ``dot`` of many numbers as it is, where what runs the program can do so.
        to_differentiate: keep it in mind that a limit is one, and what is detached, since the program is to be
            differentiated.
    """

    def __init__(self, inputs: int, *, long_dots: bool = False, to_differentiate: bool = False) -> None:
        super().__init__(inputs)
        self.long_dots = long_dots
        self.to_differentiate = to_differentiate
        self._folding = Folding(self, self.emit)
        self.truths, self._tell_nothing = self._folding.truths, self.telling.isdisjoint
        self._emitters: dict[Primitive, Emitter] = {}
        self.m: Any = SimpleNamespace()
        #: Primitives that are not one instruction of their name.
        self.written_out: dict[str, Callable[..., Any]] = {
            name: getattr(common, name) for name in TABLE if hasattr(common, name)
        }
        self.written_out |= {
            name: partial(getattr(n_ary, name, None) or formula_of(row, rounded=True), self.m)
            for name, row in TABLE.items()
            if row.n_ary
        }
        self.written_out |= {"dot": self.dot, "where": self.where}
        if to_differentiate:
            del self.written_out["detach"]
        vars(self.m).update(
            {name: self._function(name) for name in TABLE}, **self.written_out,
            number=self.number, held=self.held, plain=lambda x: x,
            loop=self.loop, part=self.part, is_never_minus_zero=self.is_never_minus_zero,
            holds_limits=to_differentiate, pi=math.pi, LANES=True, NAME=NAME, LACKS={},
        )  # fmt: skip

    def _function(self, name: str) -> Callable[..., Any]:
        return lambda *operands: self.apply(name, *operands)

    def slot(self, index: int) -> Slot:
        """The number in a slot."""
        return Slot(self, index)

    def number(self, x: Any) -> Slot:
        """A literal as a number of this system."""
        return x if isinstance(x, Slot) else Slot(self, self.constant(float(x)))

    def is_never_minus_zero(self, x: Any) -> bool:
        """Whether a number cannot be -0.0; not so is only what is known not to be."""
        slot = self.number(x).index
        primitive, operands = self.primitives[slot], self.operands[slot]
        if primitive is None:
            return slot in self.constants and str(self.constants[slot]) != "-0.0"
        if primitive is _DETACH:
            return self.is_never_minus_zero(self.slot(operands[0]))
        return primitive.never_minus_zero or (primitive is _MUL and operands[0] == operands[1])  # a square

    def apply(self, name: str, *operands: Any) -> Slot:
        """The result of a primitive of the table."""
        row = TABLE[name]
        if row.n_ary:
            return self.number(self.written_out[name](*operands))
        return Slot(
            self, self.emit(row, tuple([o.index if isinstance(o, Slot) else self.constant(float(o)) for o in operands]))
        )

    def emit(self, primitive: Primitive, operands: tuple[int, ...]) -> int:
        """The slot of an instruction: folded, found again, or new."""
        return self.emitter(primitive)(operands)

    def emitter(self, primitive: Primitive) -> Emitter:
        """``emit`` of a primitive: the time of a plan goes there, so what the row says is looked up once."""
        found = self._emitters.get(primitive)
        if found is None:
            found = self._emitters[primitive] = self._new_emitter(primitive)
        return found

    def _new_emitter(self, primitive: Primitive) -> Emitter:
        known = self.known[primitive]
        index_of, tell_nothing, fold, learn = known.get, self._tell_nothing, self._folding.folded, self._folding.learn
        commutes, idempotent, tells = primitive.commutes, primitive.idempotent, primitive in TELLING
        slots, add_primitive, add_operands = self.primitives, self.primitives.append, self.operands.append

        def emit(operands: tuple[int, ...]) -> int:
            index = index_of(operands)
            if index is None and commutes and operands[1] < operands[0]:
                operands = operands[1], operands[0]
                index = index_of(operands)
            if index is not None:
                return index
            if idempotent or not tell_nothing(operands):
                index = fold(primitive, operands)
            if index is None:
                index = len(slots)
                add_primitive(primitive)
                add_operands(operands)
                if tells:
                    learn(index, primitive, operands)
            known[operands] = index
            return index

        return emit

    def held(self, limit: Limit, primitive: Primitive, operands: Sequence[Slot]) -> Slot:
        """A limit that the table states."""
        if not self.to_differentiate:
            return self.number(limit.value)
        return self.slot(self.emit(lanes.held(limit, primitive), tuple([self.number(x).index for x in operands])))

    def equal(self, x: Any, y: Any) -> Slot:
        """1.0 where two numbers are equal."""
        return self.apply("mul", self.apply("less_equal", x, y), self.apply("greater_equal", x, y))

    def where(self, condition: Any, x: Any, y: Any) -> Any:
        """The choice; both branches are computed. A branch of ``None`` was never called, and a guard holds the
        condition: so there is none to choose."""
        if x is None or y is None:
            return y if x is None else x
        if not isinstance(condition, Slot):
            chosen = x if condition else y
            return chosen() if callable(chosen) else chosen
        if condition.index in self.constants:
            return self.where(bool(self.constants[condition.index]), x, y)
        branches = [branch() if callable(branch) else branch for branch in (x, y)]
        return self.apply("where", condition, *branches)

    def dot(self, xs: Sequence[Any]) -> Any:
        """A sum of products, which stays one instruction if it is long."""
        if self.long_dots and len(xs) >= 2 * LONG_DOT:
            return self.slot(self.long_dot(tuple([self.number(x).index for x in xs])))
        return n_ary.dot(self.m, xs)

    def long_dot(self, operands: tuple[int, ...]) -> int:
        """The slot of a ``dot`` as one instruction; it starts at 0.0, unless told."""
        if len(operands) % 2 == 0:
            operands = (*operands, self.constant(0.0))
        return self.append(_DOT, operands)

    def loop(self, body: Body, operands: Sequence[Any]) -> Slot:
        """A recorded loop over first carries, what is shared, and the elements step by step."""
        inner = Builder(body.program.inputs, long_dots=self.long_dots)
        places = rebuilt(body.program, inner, range(body.program.inputs))
        return self.slot(loops.add(self, body, inner, places, [self.number(o).index for o in operands]))

    def part(self, loop: Slot, which: Slot) -> Slot:
        """One of the numbers that come out of a loop; a constant says which."""
        return self.slot(loops.part(self, loop.index, int(self.constants[which.index])))


def rebuilt(program: Program, builder: Builder, inputs: Iterable[int]) -> list[int]:
    """The builder's slot for each slot of a program, whose inputs are the slots given.

    Raises:
        NotImplementedError: a user's primitive is declared for other number systems only.
        ValueError: a branch of ``where`` was a function and was never called.
    """
    places = [*inputs, *map(builder.constant, program.constants)]
    place_of, place = places.__getitem__, places.append
    emitters = [builder.emitter(row) for row in program.primitives]
    writers = [_writer(builder, row) for row in program.primitives]
    starts, flat = program.starts.tolist(), program.operands.tolist()
    for opcode, start, end in zip(program.opcodes, starts, starts[1:], strict=False):
        write = writers[opcode]
        if write is None:
            if end - start == 2:
                place(emitters[opcode]((places[flat[start]], places[flat[start + 1]])))
            else:
                place(emitters[opcode](tuple(map(place_of, flat[start:end]))))
            continue
        primitive, operands = program.primitives[opcode], flat[start:end]
        if primitive is _DOT and builder.long_dots and len(operands) >= 2 * LONG_DOT:  # without an object for each
            places.append(builder.long_dot(tuple(map(place_of, operands))))
        else:
            numbers = [None if o == ABSENT else builder.slot(places[o]) for o in operands]
            places.append(builder.number(write(numbers)).index)
    return places


def _writer(builder: Builder, row: Primitive) -> Callable[[list[Any]], Any] | None:
    """What writes a primitive over a list of operands; ``None`` where that is one instruction of its name."""
    if not row.built_in and row.systems is not None:
        raise undeclared(row, so=", so it cannot be compiled")
    if not row.built_in:
        return lambda numbers: inside_alone(builder.m, row, *numbers)
    function = builder.written_out.get(row.name)
    return function if function is None or row.n_ary else lambda numbers: function(*numbers)
