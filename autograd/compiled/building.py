"""The program as a number system: rules run over slots of a program that is being built.

So a pull-back over this system *is* the adjoint program. Equal instructions are made once (structural hashing), and
only what IEEE arithmetic allows is folded: ``x * 1``, ``x / 1``, ``x - 0.0``, ``x + -0.0``, ``-(-x)``, ``x + -y`` as
``x - y``, and operations on constants; never ``x * 0``, ``x - x``, ``x + 0.0``, which nan, infinity and -0.0 forbid.
Truth is 1.0 and 0.0.
Primitives of many numbers are written as what they are made of, left to right; inputs are never merged.
"""

from __future__ import annotations

import math
import struct
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate, chain
from types import SimpleNamespace
from typing import Any, TypeAlias

import numpy as np

from autograd.arithmetic import Arithmetic
from autograd.compiled import loops
from autograd.loops import Body
from autograd.number_systems import floats
from autograd.primitives import INFINITY, TABLE, Primitive
from autograd.program import ABSENT, Program

NAME = "program"
LANES = True

_COMMUTING = frozenset([TABLE["add"], TABLE["mul"], TABLE["hypot"]])
_NEG, _ADD, _SUB, _MINIMUM, _MAXIMUM = (TABLE[name] for name in ("neg", "add", "sub", "minimum", "maximum"))
#: With a number that is not special these are never folded: most constants are coefficients.
_INDIFFERENT = frozenset([TABLE["add"], TABLE["sub"], TABLE["mul"]])
_SPECIAL = frozenset([0.0, 1.0, -1.0])
_OF_TRUTHS = frozenset([_MINIMUM, _MAXIMUM, TABLE["mul"]])
_MINUS_ZERO = struct.pack("d", -0.0)
_NEVER_MINUS_ZERO = {"square", "abs", "relu", "exp", "less", "less_equal", "greater", "greater_equal"}


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


#: Pairs of a ``dot`` from which on it stays one instruction.
LONG_DOT = 8


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
        self._truths: set[int] = set()
        functions: dict[str, Callable[..., Any]] = {name: self._function(name) for name in TABLE}
        own = {
            "where": self.where, "sum": self.sum, "prod": self.prod, "mean": self.mean, "dot": self.dot,
            "logsumexp": self.logsumexp, "number": self.number, "limit": lambda x, primitive, operands: self.number(x),
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
        if primitive is _NEG or not self._have_no_constant(operands):
            index = self._folded(primitive, primitive.name, operands)
        if index is None and (primitive is _ADD or primitive is _SUB):
            index = self._without_negation(primitive, operands)
        if index is None and (primitive is _MINIMUM or primitive is _MAXIMUM) and operands[0] == operands[1]:
            index = operands[0]
        if index is None:
            index = len(self.primitives)
            self.primitives.append(primitive)
            self.operands.append(operands)
            if primitive.compares or (self._truths and primitive in _OF_TRUTHS and self._truths.issuperset(operands)):
                self._truths.add(index)
        known[operands] = index
        return index

    def _without_negation(self, primitive: Primitive, operands: tuple[int, ...]) -> int | None:
        """x + -y as x - y, and x - -y as x + y."""
        x, y = operands
        if self.primitives[y] is _NEG:
            return self.emit(_SUB if primitive is _ADD else _ADD, (x, self.operands[y][0]))
        if primitive is _ADD and self.primitives[x] is _NEG:
            return self.emit(_SUB, (y, self.operands[x][0]))
        return None

    def _folded(self, primitive: Primitive, name: str, operands: tuple[int, ...]) -> int | None:
        constants = self.constants
        if name == "where":
            condition, x, y = operands
            if condition in constants:
                return x if constants[condition] else y
            if condition in self._truths and constants.get(x) == 1.0 and constants.get(y) == 0.0:  # a truth already
                return condition if math.copysign(1.0, constants[y]) == 1.0 else None
            return x if x == y else None
        known = [constants.get(o) for o in operands]
        if primitive in _INDIFFERENT and None in known and not _SPECIAL.intersection(known):
            return None
        if None not in known:
            try:
                return self.constant(float(getattr(floats, name)(*known)))
            except (ValueError, ArithmeticError):
                return None
        if primitive in _OF_TRUTHS:
            for x, number in zip((operands[1], operands[0]), known, strict=True):
                if number is not None and number in (0.0, 1.0) and x in self._truths:
                    return x if (number == 1.0) == (name != "maximum") else self.constant(number)
        if name == "neg":
            inner = operands[0]
            return self.operands[inner][0] if self.primitives[inner] is primitive else None
        if name == "mul":
            for x, number in zip((operands[1], operands[0]), known, strict=True):
                if number == 1.0:
                    return x
                if number == -1.0:
                    return self.emit(TABLE["neg"], (x,))
        elif name == "add":
            for x, number in zip((operands[1], operands[0]), known, strict=True):
                if number == 0.0 and struct.pack("d", number) == _MINUS_ZERO:
                    return x
        elif name == "sub":
            if known[1] == 0.0 and struct.pack("d", known[1]) != _MINUS_ZERO:
                return operands[0]
        elif name == "div" and known[1] == 1.0:
            return operands[0]
        elif (
            name == "div"
            and known[1] is not None
            and math.frexp(known[1])[0] in (0.5, -0.5)
            and abs(math.log2(abs(known[1]))) < 1022
        ):
            return self.emit(
                TABLE["mul"], (operands[0], self.constant(1 / known[1]))
            )  # a power of two: the same rounding
        elif name == "pow" and known[1] is not None:
            return self._power(operands[0], known[1])
        return None

    def _power(self, x: int, exponent: float) -> int | None:
        """Small whole exponents as products: at most three roundings, like a careful ``pow``."""
        mul = TABLE["mul"]
        if exponent == 0.0:
            return self.constant(1.0)
        if exponent < 0 and exponent >= -3 and exponent % 1 == 0:
            x, exponent = self.emit(TABLE["div"], (self.constant(1.0), x)), -exponent
        if exponent == 1.0:
            return x
        if exponent == 2.0:
            return self.emit(mul, (x, x))
        if exponent == 3.0:
            return self.emit(mul, (self.emit(mul, (x, x)), x))
        return None

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

    def sum(self, xs: Sequence[Any]) -> Any:
        # It begins at 0.0, as in floats, so that it is never -0.0; where a term cannot be -0.0, that is so by itself.
        total: Any = None if any(self._is_never_minus_zero(x) for x in xs) else self.number(0.0)
        for x in xs:
            total = x if total is None else total + x
        return self.number(total)

    def _is_never_minus_zero(self, x: Any) -> bool:
        if not isinstance(x, Slot):
            return struct.pack("d", x) != _MINUS_ZERO
        primitive = self.primitives[x.index]
        if primitive is None:
            return x.index in self.constants and struct.pack("d", self.constants[x.index]) != _MINUS_ZERO
        operands = self.operands[x.index]
        return primitive.name in _NEVER_MINUS_ZERO or (primitive.name == "mul" and operands[0] == operands[1])

    def prod(self, xs: Sequence[Any]) -> Any:
        total: Any = 1
        for x in xs:
            total = total * x
        return self.number(total)

    def mean(self, xs: Sequence[Any]) -> Any:
        return self.sum(xs) / len(xs)

    def dot(self, xs: Sequence[Any]) -> Any:
        n = len(xs) // 2
        if self.long_dots and n >= LONG_DOT:
            return self.slot(self.long_dot(tuple([self.number(x).index for x in xs])))
        products = [x * y for x, y in zip(xs[:n], xs[n : 2 * n], strict=True)]
        if len(xs) % 2 == 0:
            return self.sum(products)
        total: Any = xs[-1]
        for product in products:
            total = total + product
        return self.number(total)

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

    def logsumexp(self, xs: Sequence[Any]) -> Any:
        """The largest plus log1p of the other terms, as the float system has it; infinities come through."""
        m = self.m
        largest = xs[0]
        lower = []  # all but the largest, one time
        for x in xs[1:]:
            lower.append(m.minimum(largest, x))
            largest = m.maximum(largest, x)
        others: Any = self.number(0.0)
        for x in lower:
            others = others + m.exp(x - largest)
        return m.where(m.less(m.abs(largest), INFINITY), largest + m.log1p(others), largest)

    def program(self, outputs: Sequence[int | Product]) -> Program:
        """What the outputs need, as a Program; all inputs are kept.

        Products come last, in the order of the outputs.
        """
        count, inputs = len(self.primitives), self.inputs
        products = [output for output in outputs if output.__class__ is tuple]
        plain = [output for output in outputs if output.__class__ is int]
        kept = self._needed([*plain, *chain.from_iterable(products)])
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

    def _needed(self, outputs: Iterable[int]) -> Any:
        """Whether each slot is used for one of these, as an array."""
        needed = bytearray(len(self.primitives))
        for index in outputs:
            needed[index] = 1
        for index, operands in zip(range(len(self.operands) - 1, -1, -1), reversed(self.operands), strict=True):
            if needed[index]:
                for operand in operands:
                    needed[operand] = 1
        return np.array(needed, bool)


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
    unchanged = {row for row in program.primitives if row.forward is None and not row.n_ary} - _REPLACED
    starts, flat = program.starts.tolist(), program.operands.tolist()
    for opcode, start, end in zip(program.opcodes, starts, starts[1:], strict=False):
        primitive, operands = program.primitives[opcode], flat[start:end]
        if primitive in unchanged:
            places.append(emit(primitive, tuple(map(place_of, operands))))
            continue
        name = primitive.name
        if primitive.forward is not None:
            if primitive.systems is not None:
                raise NotImplementedError(
                    f"{name} is declared for {', '.join(primitive.systems)} only, so it cannot be compiled"
                )
            result = primitive.forward(m, *[builder.slot(places[o]) for o in operands])
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
